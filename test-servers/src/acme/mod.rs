//! A certificate authority for tests that speaks ACME (RFC 8555) as far as an order needs it, with renewal information
//! (RFC 9773) and profiles. It reads signed requests and verifies no signature, which is not what the tests are about.

mod endpoints;
mod issue;

use crate::authority::Authority;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A mistake of an [`AcmeServer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcmeMistake {
    /// No mistake.
    #[default]
    None,
    /// It sends renewal windows that end before they begin.
    EmptyWindow,
    /// It sends no renewal information.
    Mute,
    /// It sends something that is no certificate.
    Nonsense,
    /// It certifies another key.
    OtherKey,
    /// It certifies another host.
    OtherName,
    /// Its certificates ended a second ago.
    PastItsEnd,
}

/// An order that an [`AcmeServer`] received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcmeOrder {
    /// The identifier of the certificate that the order replaces (RFC 9773).
    pub replaces: Option<String>,
    /// The profile that the order requests.
    pub profile: Option<String>,
    host: String,
    /// Whether the client said that the challenge is ready.
    looked: bool,
    certificate: Option<String>,
}

/// The record of an [`AcmeServer`], and the settings of its behaviour.
#[derive(Debug)]
#[non_exhaustive]
pub struct AcmeBooks {
    /// All orders, the latest at the end.
    pub orders: Vec<AcmeOrder>,
    /// The number of accounts.
    pub accounts: usize,
    /// The number of requests for renewal information.
    pub asked: usize,
    /// The mistake that it makes from now on.
    pub mistake: AcmeMistake,
    /// Whether it goes on validating, so that an order stays open and its response stays stored.
    pub waits: bool,
    /// Seconds from an order to the end of its certificate.
    pub life: i64,
    /// Seconds before an order at which its certificate begins.
    pub backdated: i64,
    /// Seconds after an order at which the window for its renewal begins and ends.
    pub window: (i64, i64),
    issued_at: i64,
}

/// A certificate authority on `127.0.0.1` that issues any requested certificate by ACME; it stops when it is dropped.
///
/// It does not validate challenges, so a test needs no name in the DNS; a test can request the challenge response itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use test_servers::{AcmeMistake, AcmeServer};
/// let authority = AcmeServer::open(|| 1_800_000_000, 90 * 86_400);
/// assert!(authority.directory().starts_with("https://127.0.0.1:")); // `https.acme.directory`
/// assert!(authority.authority_pem().starts_with(b"-----BEGIN")); // in the file of `https.acme.ca_file`
/// authority.books().mistake = AcmeMistake::OtherName;
/// assert!(authority.books().orders.is_empty());
/// # }
/// ```
pub struct AcmeServer {
    office: Office,
    serving: JoinHandle<()>,
}

impl std::fmt::Debug for AcmeServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AcmeServer")
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl AcmeServer {
    /// The token of every challenge.
    pub const TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

    /// Starts it on a free port, with certificates that are valid for `life` seconds of this clock, which tells Unix seconds.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn open(clock: impl Fn() -> i64 + Send + Sync + 'static, life: i64) -> Self {
        Self::opened(Arc::new(clock), life)
            .unwrap_or_else(|problem| panic!("no ACME server for the test: {problem}"))
    }

    fn opened(clock: Arc<Clock>, life: i64) -> Result<Self, Box<dyn std::error::Error>> {
        let authority = Authority::new()?;
        let acceptor = authority.acceptor("127.0.0.1")?;
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let office = Office {
            books: Arc::new(Mutex::new(AcmeBooks {
                orders: Vec::new(),
                accounts: 0,
                asked: 0,
                mistake: AcmeMistake::None,
                waits: false,
                life,
                backdated: 0,
                window: (life / 2, life / 2 + 3_600),
                issued_at: clock(),
            })),
            authority: Arc::new(authority),
            clock,
            origin: format!("https://{}", listener.local_addr()?),
        };
        let router = endpoints::routes(office.clone());
        let serving = tokio::spawn(listen(listener, acceptor, router));
        Ok(Self { office, serving })
    }

    /// The address of the directory.
    #[must_use]
    pub fn directory(&self) -> String {
        self.office.at("directory")
    }

    /// The certificate that its clients trust: of its listener, and of the certificates that it issues.
    #[must_use]
    pub fn authority_pem(&self) -> &[u8] {
        self.office.authority.pem().as_bytes()
    }

    /// The record and the settings. The server sends no response while the guard is held.
    pub fn books(&self) -> MutexGuard<'_, AcmeBooks> {
        self.office.books()
    }
}

impl AcmeBooks {
    /// Whether the latest order waits for the validation.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        let latest = self.orders.last();
        latest.is_some_and(|order| order.looked && order.certificate.is_none())
    }

    /// The state of an order, by its name in RFC 8555, 7.1.6.
    fn state(&self, order: &AcmeOrder) -> &'static str {
        match &order.certificate {
            Some(_) => "valid",
            None if order.looked && !self.waits => "ready",
            None => "pending",
        }
    }
}

/// A clock that tells Unix seconds.
type Clock = dyn Fn() -> i64 + Send + Sync;

#[derive(Clone)]
struct Office {
    books: Arc<Mutex<AcmeBooks>>,
    authority: Arc<Authority>,
    clock: Arc<Clock>,
    origin: String,
}

impl Office {
    fn books(&self) -> MutexGuard<'_, AcmeBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }
}

fn moment(unix_seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(unix_seconds).ok()
}

async fn listen(listener: TcpListener, acceptor: TlsAcceptor, router: Router) {
    // The connections end with the server.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let serving = serve(stream, acceptor.clone(), router.clone());
        // A test may have a client that disconnects or does not trust the certificate.
        connections.spawn(async move { drop(serving.await) });
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    router: Router,
) -> Result<(), Box<dyn std::error::Error>> {
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(acceptor.accept(stream).await?);
    let service = TowerToHyperService::new(router);
    Ok(http1::Builder::new()
        .serve_connection(stream, service)
        .await?)
}
