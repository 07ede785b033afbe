use super::acme::ChallengeResponses;
use super::activity::{Activity, ActivityStream, Open, Sending};
use super::address::ClientAddress;
use super::connections_per_ip::{ConnectionPermit, ConnectionsPerIp};
use super::heads::{Heads, RefusedHead};
use super::held_responses::{HeldResponses, UnreadOfConnection};
use super::limits::RequestLimits;
use super::proxy::{Proxies, protocol};
use super::read_ahead::ReadAhead;
use super::request_info::RequestInfo;
use super::upgrade::Upgrade;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming as IncomingBody;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::server::Acceptor;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};
use tower::{Service, ServiceExt};

/// The state that all connections of a listener share.
#[derive(Clone)]
pub(crate) struct Shared<S> {
    pub(crate) service: S,
    pub(crate) tls: Option<TlsAcceptor>,
    /// The responses to challenge handshakes of an ACME authority.
    pub(crate) answers: Option<ChallengeResponses>,
    pub(crate) seats: ConnectionsPerIp,
    pub(crate) unread: HeldResponses,
    pub(crate) proxies: Proxies,
    pub(crate) limits: Arc<RequestLimits>,
    pub(crate) http1: http1::Builder,
    pub(crate) http2: http2::Builder<TokioExecutor>,
}

/// A connection that was accepted.
pub(crate) enum Incoming {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A service for a listener: an axum `Router`, or any other service that returns responses and cannot fail.
pub trait HttpService:
    Service<Request<IncomingBody>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request<IncomingBody>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static
{
}

/// hyper's builders with every limit set; its own defaults leave the timers off.
pub(crate) fn builders(limits: &RequestLimits) -> (http1::Builder, http2::Builder<TokioExecutor>) {
    let mut http1 = http1::Builder::new();
    http1
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_header_size(limits.header_bytes)
        .max_buf_size(limits.header_bytes.max(32 * 1024))
        .half_close(false)
        .keep_alive(true)
        .ignore_invalid_headers(false)
        .allow_multiple_spaces_in_request_line_delimiters(false)
        .preserve_header_case(false)
        .title_case_headers(false)
        .pipeline_flush(false)
        .auto_date_header(true);
    let mut http2 = http2::Builder::new(TokioExecutor::new());
    // h2 answers a header list over its limit by itself, without our headers. So h2 gets a wider limit, `request_rules`
    // checks ours, and a list over both ends the connection (`Frames::may_say`).
    let header_list = limits.header_bytes.saturating_mul(4);
    http2
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(header_list).unwrap_or(64 * 1024))
        .header_table_size(4096)
        .adaptive_window(false)
        .auto_date_header(true)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .max_frame_size(16 * 1024)
        .max_send_buf_size(256 * 1024)
        // Requests cancelled before a handler saw them (CVE-2023-44487): h2's own number, set again; `Frames` counts the
        // others. Streams that a client makes us reset (CVE-2025-8671), per connection: h2's default is 1024.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(100)
        .keep_alive_interval(limits.progress)
        .keep_alive_timeout(limits.header_timeout);
    (http1, http2)
}

impl<S: HttpService> Shared<S> {
    /// Serves one connection to its end.
    pub(crate) async fn serve(
        self,
        stream: Incoming,
        peer: ClientAddress,
        ending: watch::Receiver<()>,
    ) {
        match stream {
            Incoming::Tcp(mut stream) => {
                if stream.set_nodelay(true).is_err() {
                    return;
                }
                let place =
                    seated(&self.proxies, &self.limits, &self.seats, &mut stream, peer).await;
                if let Some((address, seat)) = place {
                    self.speak(stream, address, ending).await;
                    drop(seat);
                }
            }
            // A proxy's, in plain HTTP.
            Incoming::Unix(mut stream) => {
                let place =
                    seated(&self.proxies, &self.limits, &self.seats, &mut stream, peer).await;
                if let Some((address, seat)) = place {
                    self.http1(stream, address, ending).await;
                    drop(seat);
                }
            }
        }
    }

    async fn speak(self, stream: TcpStream, address: ClientAddress, ending: watch::Receiver<()>) {
        let Some(acceptor) = &self.tls else {
            return self.http1(stream, address, ending).await;
        };
        let stream = ReadAhead::new(stream);
        let shaken = shake(acceptor, self.answers.as_ref(), stream);
        let stream = match timeout(self.limits.handshake_timeout, shaken).await {
            Ok(Ok(Some(stream))) => stream,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => return tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => return tracing::debug!("a TLS handshake took too long"),
        };
        // The server uses the protocol that ALPN chose and sniffs nothing: sniffing has no timeout in hyper-util.
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, address, ending).await;
        } else {
            self.http1(stream, address, ending).await;
        }
    }

    async fn http1<I>(self, stream: I, address: ClientAddress, ending: watch::Receiver<()>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let refused = RefusedHead::default();
        let stream = ActivityStream::new(stream, &activity, self.limits.linger);
        let upgrade = Upgrade::default();
        let heads = Heads::new(stream, self.limits.header_bytes, &refused, &upgrade);
        let stream = TokioIo::new(heads);
        let service = Requests {
            service: self.service,
            address,
            unread: self.unread.connection(),
            proxies: self
                .proxies
                .names_in_headers(address.0)
                .then_some(self.proxies),
            refused: Some(refused),
            upgrade: Some(upgrade.clone()),
            activity: Arc::clone(&activity),
        };
        {
            let connection = self.http1.serve_connection(stream, service);
            let connection = pin!(connection.with_upgrades());
            // hyper's own timer covers the wait for a request; this one covers the time after it.
            drive(connection, &activity, &self.limits, ending).await;
        }
        // In a box: few connections leave HTTP.
        if let Some((on_upgrade, work)) = upgrade.granted()
            && let Ok(upgraded) = on_upgrade.await
            && let Ok(parts) = upgraded.downcast::<TokioIo<Heads<ActivityStream<I>>>>()
            && parts.read_buf.is_empty()
            && let Some(stream) = parts.io.into_inner().into_upgraded()
        {
            work(Box::new(stream)).await;
        }
    }

    async fn http2<I>(self, stream: I, address: ClientAddress, ending: watch::Receiver<()>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::of_http2());
        let stream = TokioIo::new(ActivityStream::new(stream, &activity, self.limits.linger));
        let service = Requests {
            service: self.service,
            address,
            unread: self.unread.connection(),
            proxies: self
                .proxies
                .names_in_headers(address.0)
                .then_some(self.proxies),
            refused: None,
            upgrade: None,
            activity: Arc::clone(&activity),
        };
        let connection = pin!(self.http2.serve_connection(stream, service));
        drive(connection, &activity, &self.limits, ending).await;
    }
}

/// The handshake of a client; `None` if it was an ACME challenge, which it then answered (RFC 8737).
async fn shake(
    acceptor: &TlsAcceptor,
    answers: Option<&ChallengeResponses>,
    stream: ReadAhead<TcpStream>,
) -> io::Result<Option<TlsStream<ReadAhead<TcpStream>>>> {
    let Some(answers) = answers else {
        return acceptor.accept(stream).await.map(Some);
    };
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let hello = begun.client_hello();
    if !ChallengeResponses::is_question(&hello) {
        let config = Arc::clone(acceptor.config());
        return begun.into_stream(config).await.map(Some);
    }
    let host = hello.server_name().unwrap_or_default().to_owned();
    let Some(config) = answers.handshake(&host).await else {
        tracing::debug!("Dewar refused a TLS handshake for an unknown ACME challenge");
        return Ok(None);
    };
    let mut answered = begun.into_stream(config).await?;
    answered.shutdown().await?;
    Ok(None)
}

/// The client address, with its place among the connections of that address.
async fn seated<I: AsyncRead + Unpin>(
    proxies: &Proxies,
    limits: &RequestLimits,
    seats: &ConnectionsPerIp,
    stream: &mut I,
    peer: ClientAddress,
) -> Option<(ClientAddress, Option<ConnectionPermit>)> {
    let address = announced(proxies, limits, stream, peer).await?;
    // A client behind a proxy that announces it counts against its own limit, like a direct client.
    if address == peer {
        return Some((address, None));
    }
    let seat = seats.take(address);
    if seat.is_none() {
        tracing::debug!(address = %address.0, "too many connections from one address");
    }
    Some((address, Some(seat?)))
}

/// The client address: the peer's, or the one that a trusted proxy announces first (PROXY protocol).
async fn announced<I: AsyncRead + Unpin>(
    proxies: &Proxies,
    limits: &RequestLimits,
    stream: &mut I,
    peer: ClientAddress,
) -> Option<ClientAddress> {
    if !proxies.announces(peer.0) {
        return Some(peer);
    }
    match timeout(limits.header_timeout, protocol::read(stream)).await {
        Ok(Ok(None)) => Some(peer),
        Ok(Ok(Some(address))) => Some(ClientAddress(address.to_canonical())),
        // A proxy that only checks whether the port is open closes the connection without a byte.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Ok(Err(error)) => {
            tracing::warn!(peer = %peer.0, %error, "a trusted proxy sent no valid PROXY header");
            None
        }
        Err(_) => {
            tracing::warn!(peer = %peer.0, "a trusted proxy took too long to send its PROXY header");
            None
        }
    }
}

/// The requests of one connection, each with its client address.
struct Requests<S> {
    service: S,
    address: ClientAddress,
    /// The responses that the client has not read yet.
    unread: UnreadOfConnection,
    /// Set if the address is a trusted proxy's that names the client in each request.
    proxies: Option<Proxies>,
    /// Over HTTP/1.1, the request that was refused before hyper read it.
    refused: Option<RefusedHead>,
    /// Over HTTP/1.1, the upgrade that a request may ask for.
    upgrade: Option<Upgrade>,
    activity: Arc<Activity>,
}

impl<S: HttpService> hyper::service::Service<Request<IncomingBody>> for Requests<S> {
    type Response = Response<Sending<Body>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<IncomingBody>) -> Self::Future {
        let refused = self.refused.as_ref().and_then(|refused| refused.get());
        let number = self.activity.requests.load(Ordering::Relaxed);
        let refused = refused.filter(|(refused, _)| *refused == number);
        let open = Open::begin(&self.activity);
        let proxies = self.proxies.as_ref();
        let named = proxies.map(|proxies| proxies.named(request.headers(), self.address));
        let info = RequestInfo {
            // A proxy that names nobody is throttled and logged itself.
            address: Some(named.flatten().unwrap_or(self.address)),
            is_forwarded: named.is_some(),
            client_unnamed: named.is_some_and(|client| client.is_none()),
            rejected_head: refused.map(|(_, rejection)| *rejection),
            unread: Some(self.unread.clone()),
            ..RequestInfo::new()
        };
        request.extensions_mut().insert(info);
        let upgrade = self.upgrade.as_ref();
        let offered = upgrade.and_then(|upgrade| upgrade.offer(&mut request, number));
        let answered = answer(self.service.clone(), request, open);
        match offered {
            None => Box::pin(answered),
            Some(offered) => Box::pin(async move {
                let mut response = answered.await?;
                offered.decide(&mut response);
                Ok(response)
            }),
        }
    }
}

/// Calls the service itself: a future that is passed as an argument takes its space twice in the future of an `async fn`.
pub(crate) async fn answer<S: HttpService>(
    service: S,
    request: Request<IncomingBody>,
    open: Open,
) -> Result<Response<Sending<Body>>, Infallible> {
    let response = service.oneshot(request).await?;
    let open = open.sending();
    Ok(response.map(|body| Sending { body, _open: open }))
}

/// The common part of hyper's two connection types.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn finish(self: Pin<&mut Self>);
}

impl<I, S> Graceful for http1::UpgradeableConnection<I, Requests<S>>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    S: HttpService,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, S> Graceful for http2::Connection<I, Requests<S>, TokioExecutor>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S: HttpService,
{
    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// Runs a connection until it closes, must close, or is idle for too long.
async fn drive<C: Graceful>(
    mut connection: Pin<&mut C>,
    activity: &Activity,
    limits: &RequestLimits,
    mut ending: watch::Receiver<()>,
) {
    let mut watch = Watch::new(limits);
    let told = || activity.told.load(Ordering::Relaxed);
    let finish = |connection: Pin<&mut C>| {
        activity.told.store(true, Ordering::Relaxed);
        connection.finish();
    };
    loop {
        tokio::select! {
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "a connection broke");
                }
                return;
            }
            // An error means that the listener itself is gone, which ends the connection too.
            _ = ending.changed(), if !told() => {
                // hyper waits for the first request of a new connection even when told to finish.
                if activity.requests.load(Ordering::Relaxed) == 0 {
                    return;
                }
                finish(connection.as_mut());
            }
            () = sleep_until(watch.next) => match watch.look(activity, limits) {
                TimerAction::Fine => {}
                TimerAction::Old | TimerAction::Quiet if !told() => finish(connection.as_mut()),
                TimerAction::Old => {}
                TimerAction::Quiet | TimerAction::Stuck => return,
            }
        }
    }
}

/// The decision of the timer.
enum TimerAction {
    /// The connection was active since the last look.
    Fine,
    /// The connection has reached its age: open requests finish, then it closes.
    Old,
    /// No request is open: close the connection gracefully, and at the second time at once.
    Quiet,
    /// A response is being sent and the client does not read it.
    Stuck,
}

/// The timer of a connection, one for all measurements.
struct Watch {
    opened: Instant,
    next: Instant,
    requests: usize,
    written: u64,
    /// Whether a response was being sent at the last look.
    sending: bool,
}

impl Watch {
    fn new(limits: &RequestLimits) -> Self {
        let opened = Instant::now();
        let next = opened + limits.header_timeout;
        Self {
            opened,
            next,
            requests: 0,
            written: 0,
            sending: false,
        }
    }

    fn look(&mut self, activity: &Activity, limits: &RequestLimits) -> TimerAction {
        let requests = activity.requests.load(Ordering::Relaxed);
        let written = activity.written.load(Ordering::Relaxed);
        let sending = activity.sending.load(Ordering::Relaxed) > 0;
        let mut open = activity.open.load(Ordering::Relaxed) > 0;
        let mut stuck = self.sending && sending && written - self.written < limits.progress_bytes;
        if let Some(mut frames) = activity.frames() {
            // A response that hyper has handed to h2 is no longer open here and may not be sent yet.
            open |= frames.answering();
            stuck |= frames.look(limits.progress_bytes);
        }
        let quiet = !open && requests == self.requests;
        self.next = Instant::now()
            + if open {
                limits.progress
            } else {
                limits.idle_timeout
            };
        (self.requests, self.written, self.sending) = (requests, written, sending);
        match (stuck, quiet) {
            (true, _) => TimerAction::Stuck,
            (false, true) => TimerAction::Quiet,
            (false, false) if self.opened.elapsed() >= limits.age => TimerAction::Old,
            (false, false) => TimerAction::Fine,
        }
    }
}

#[cfg(test)]
mod tests;
