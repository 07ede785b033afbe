use super::acme::ChallengeResponses;
use super::address::ClientAddress;
use super::connection::{HttpService, Incoming, Shared, builders};
use super::connections_per_ip::ConnectionsPerIp;
use super::error::Error;
use super::held_responses::HeldResponses;
use super::limits::RequestLimits;
use super::proxy::Proxies;
use super::unix_socket::{UnixFile, UnixSocket};
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Connections that wait to be accepted; the default of tokio and std is 128.
const BACKLOG: i32 = 1024;

/// A listening socket with the loop that serves its connections.
///
/// Dewar has a loop of its own because `axum::serve` sets no timer: a client that sends nothing, drips headers or never
/// reads the response would keep its connection for ever (CWE-400).
///
/// ```
/// use dewar::https::{RequestLimits, Listener};
/// let listener = Listener::bind("127.0.0.1:0".parse().unwrap())?;
/// assert_ne!(listener.address().port(), 0);
/// # Ok::<(), dewar::https::Error>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    socket: Socketed,
    address: SocketAddr,
    /// Whether Dewar closes the connections of everyone but the trusted proxies.
    only_proxies: bool,
    proxies: Proxies,
    answers: Option<ChallengeResponses>,
    crowd: Crowd,
}

/// The socket before the runtime has it.
#[derive(Debug)]
enum Socketed {
    Tcp(TcpListener),
    Unix(UnixSocket),
}

/// Decides what happens to a new connection at the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    /// Dewar closes the oldest connection for the new one.
    OldestGoes,
    /// The new connection waits in the backlog.
    Waits,
}

/// The result of [`Listener::serve`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// The number of connections that were cut because their time to finish was up.
    pub cut: usize,
}

impl Listener {
    /// Listens on an address; port 0 means a free port.
    ///
    /// # Errors
    /// [`Error::Listen`] if the address is in use or not ours.
    pub fn bind(address: SocketAddr) -> Result<Self, Error> {
        let listen = || {
            let socket = Socket::new(
                Domain::for_address(address),
                Type::STREAM,
                Some(Protocol::TCP),
            )?;
            // A restart need not wait for old connections.
            socket.set_reuse_address(true)?;
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            Self::with_socket(socket.into())
        };
        listen().map_err(|source| Error::Listen { address, source })
    }

    /// Uses a listening socket that systemd or a test opened.
    ///
    /// # Errors
    /// The system's error, if the socket cannot become non-blocking.
    pub fn with_socket(socket: TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Ok(Self::of(Socketed::Tcp(socket), address))
    }

    fn of(socket: Socketed, address: SocketAddr) -> Self {
        Self {
            socket,
            address,
            answers: None,
            crowd: Crowd::Waits,
            only_proxies: false,
            proxies: Proxies::default(),
        }
    }

    /// Listens on a Unix socket, which the owner and the group of the application may connect to. Its peers count as this
    /// machine.
    ///
    /// # Errors
    /// [`Error::File`] if the path has another file, or a socket on which a program listens.
    pub(crate) fn bind_unix(path: &Path) -> Result<Self, Error> {
        let socket = UnixSocket::bind(path, BACKLOG).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?;
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Ok(Self::of(Socketed::Unix(socket), nowhere))
    }

    /// Closes every connection that is not from a trusted proxy, before a byte of it is read.
    #[must_use]
    pub(crate) const fn only_from_proxies(mut self) -> Self {
        self.only_proxies = true;
        self
    }

    /// The address of the listener, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Responds to ACME challenges in a handshake.
    #[must_use]
    pub(crate) fn answering(mut self, answers: Option<ChallengeResponses>) -> Self {
        self.answers = answers;
        self
    }

    /// Closes the oldest connection at the limit. Use it for requests that take no time: then a client that holds
    /// connections without requests blocks nobody (CWE-400).
    #[must_use]
    pub(crate) const fn oldest_gives_way(mut self) -> Self {
        self.crowd = Crowd::OldestGoes;
        self
    }

    /// Trusts these proxies to name the client address.
    #[must_use]
    pub fn behind(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Serves until `shutdown` completes, then lets open requests finish for [`RequestLimits::drain_timeout`].
    ///
    /// Without `tls` it serves plain HTTP/1.1, for [`ToHttps`](super::ToHttps).
    ///
    /// # Errors
    /// The system's error, if the socket cannot be registered with the runtime. Errors of single connections do not end
    /// the loop.
    pub async fn serve<S: HttpService>(
        self,
        service: S,
        tls: Option<Arc<rustls::ServerConfig>>,
        limits: RequestLimits,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<Drained> {
        let listener = Accepting::of(self.socket)?;
        let places = Arc::new(Semaphore::new(limits.connections));
        let seats = ConnectionsPerIp::new(limits.connections_per_address);
        let (http1, http2) = builders(&limits);
        let drain = limits.drain_timeout;
        let shared = Shared {
            service,
            tls: tls.map(TlsAcceptor::from),
            answers: self.answers,
            seats: seats.clone(),
            unread: HeldResponses::new(&limits),
            proxies: self.proxies,
            limits: Arc::new(limits),
            http1,
            http2,
        };
        let (ending, ended) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut oldest_first = VecDeque::new();
        let (crowd, mut strangers) = (self.crowd, Strangers::default());
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                (place, stream, peer) = accept(&listener, &places, crowd) => {
                    let place = match crowd {
                        Crowd::Waits => place,
                        Crowd::OldestGoes => make_room(&places, &mut oldest_first).await,
                    };
                    let address = ClientAddress(peer.to_canonical());
                    // A proxy serves many clients, so its connections count in the total and not for its address.
                    let seat = if shared.proxies.trusts(address.0) {
                        None
                    } else if self.only_proxies {
                        strangers.told(address);
                        continue;
                    } else if let Some(seat) = seats.take(address) {
                        Some(seat)
                    } else {
                        tracing::debug!(address = %address.0, "too many connections from one address");
                        continue;
                    };
                    let (shared, ended) = (shared.clone(), ended.clone());
                    let begun = connections.spawn(async move {
                        shared.serve(stream, address, ended).await;
                        drop((place, seat));
                    });
                    if crowd == Crowd::OldestGoes {
                        oldest_first.push_back(begun);
                    }
                }
            }
        }
        // The port is free at once: a new process may bind it while this one finishes.
        drop(listener);
        drop(shared);
        let _ = ending.send(());
        Ok(finish(connections, drain).await)
    }
}

/// The socket of the loop.
enum Accepting {
    Tcp(tokio::net::TcpListener),
    Unix {
        listener: tokio::net::UnixListener,
        /// It is removed when this is dropped.
        _file: UnixFile,
    },
}

impl Accepting {
    fn of(socket: Socketed) -> io::Result<Self> {
        Ok(match socket {
            Socketed::Tcp(socket) => Self::Tcp(tokio::net::TcpListener::from_std(socket)?),
            Socketed::Unix(socket) => {
                let (socket, file) = socket.into_parts();
                Self::Unix {
                    listener: tokio::net::UnixListener::from_std(socket)?,
                    _file: file,
                }
            }
        })
    }

    async fn accept(&self) -> io::Result<(Incoming, IpAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Incoming::Tcp(stream), peer.ip()))
            }
            Self::Unix { listener, .. } => {
                let (stream, _) = listener.accept().await?;
                Ok((Incoming::Unix(stream), Ipv4Addr::LOCALHOST.into()))
            }
        }
    }
}

/// The connections of others than the named proxies. The log has the first, so that no stranger fills it.
#[derive(Default)]
struct Strangers {
    are_told: bool,
}

impl Strangers {
    fn told(&mut self, address: ClientAddress) {
        if !std::mem::replace(&mut self.are_told, true) {
            tracing::warn!(
                address = %address.0,
                "Dewar closes connections that are not from a proxy in https.trusted_proxies; this is the first"
            );
        }
    }
}

/// Makes space for an accepted connection: at the limit, the oldest one closes.
async fn make_room(
    places: &Arc<Semaphore>,
    oldest_first: &mut VecDeque<AbortHandle>,
) -> Option<OwnedSemaphorePermit> {
    while oldest_first.front().is_some_and(AbortHandle::is_finished) {
        oldest_first.pop_front();
    }
    if places.available_permits() == 0 {
        oldest_first.retain(|connection| !connection.is_finished());
        if let Some(oldest) = oldest_first.pop_front() {
            oldest.abort();
        }
    }
    Arc::clone(places).acquire_owned().await.ok()
}

/// Waits for space, then for a connection. Until there is space, the kernel's backlog is the queue.
async fn accept(
    listener: &Accepting,
    places: &Arc<Semaphore>,
    crowd: Crowd,
) -> (Option<OwnedSemaphorePermit>, Incoming, IpAddr) {
    // The semaphore is never closed; if it were, a connection would be served uncounted.
    let place = match crowd {
        Crowd::Waits => Arc::clone(places).acquire_owned().await.ok(),
        Crowd::OldestGoes => None,
    };
    let mut pause = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (place, stream, peer),
            Err(error) if is_visitors(&error) => {}
            Err(error) => {
                // Out of file descriptors or memory: an immediate retry would only burn the processor.
                tracing::error!(%error, "cannot accept connections");
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

/// Whether an error of `accept` concerns only the connection that was just lost.
fn is_visitors(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

async fn finish(mut connections: JoinSet<()>, drain: Duration) -> Drained {
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(drain, all).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = connections.len();
    tracing::warn!(
        cut,
        "Dewar closed connections: their requests did not finish in time"
    );
    connections.shutdown().await;
    Drained { cut }
}
