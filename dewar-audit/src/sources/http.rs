use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use url::Url;

use super::request::HttpTransport;
use super::{Ask, Error, HttpResponse};

/// The most bytes of a body that are read.
const MOST: usize = 2 * 1024 * 1024;

/// The options of requests: the address, the trusted authority, the rate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpOptions {
    /// The application: `https://localhost:8443`.
    pub url: String,
    /// The certificate of the only trusted authority.
    pub authority: PathBuf,
    /// The same application on plain HTTP; without it, no plain HTTP is requested.
    pub plain: Option<String>,
    /// A host that is not this machine, named a second time to confirm the permission to attack it.
    pub permitted_host: Option<String>,
    /// The most requests per second.
    pub rate: u32,
    /// How long a response may take.
    pub patience: Duration,
}

impl HttpOptions {
    /// At most a hundred requests per second, ten seconds for each.
    pub fn new(url: impl Into<String>, authority: impl Into<PathBuf>) -> Self {
        Self {
            url: url.into(),
            authority: authority.into(),
            plain: None,
            permitted_host: None,
            rate: 100,
            patience: Duration::from_secs(10),
        }
    }
}

/// A client of the application: it follows no redirect, keeps no cookie, and connects to one host only.
///
/// ```no_run
/// # async fn look() -> Result<(), dewar_audit::sources::Error> {
/// use dewar_audit::sources::{HttpSource, Ask, HttpOptions};
/// let answers = HttpSource::open(&HttpOptions::new("https://localhost:8443", "data/local-authority/authority.pem"))?;
/// assert_eq!(answers.ask(Ask::get("/")).await?.status, 200);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct HttpSource {
    https: Door,
    plain: Option<Door>,
    tls: Arc<ClientConfig>,
    interval: Duration,
    patience: Duration,
    next: Mutex<Instant>,
    asked: AtomicU64,
}

/// An address that the client connects to.
#[derive(Debug)]
struct Door {
    host: String,
    port: u16,
    /// `Host` as a browser writes it.
    authority: String,
    is_loopback: bool,
}

impl HttpSource {
    /// Makes a client; it sends nothing yet.
    ///
    /// # Errors
    /// The address is not `https`; the host is neither this machine nor permitted; the authority cannot be read.
    pub fn open(manner: &HttpOptions) -> Result<Self, Error> {
        let https = Door::read(&manner.url, "https", manner.permitted_host.as_deref())?;
        let plain = match &manner.plain {
            Some(url) => Some(Door::read(url, "http", manner.permitted_host.as_deref())?),
            None => None,
        };
        Ok(Self {
            https,
            plain,
            tls: Arc::new(trusting(&manner.authority)?),
            interval: Duration::from_secs(1) / manner.rate.max(1),
            patience: manner.patience,
            next: Mutex::new(Instant::now()),
            asked: AtomicU64::new(0),
        })
    }

    /// Sends a request, after a wait if the rate requires it.
    ///
    /// # Errors
    /// If no complete response came.
    pub async fn ask(&self, ask: Ask) -> Result<HttpResponse, Error> {
        self.wait_for_turn().await;
        self.asked.fetch_add(1, Ordering::Relaxed);
        let place = ask.place();
        let late = || Error::Late(place.clone(), self.patience);
        tokio::time::timeout(self.patience, self.exchange(ask))
            .await
            .map_err(|_| late())?
    }

    /// The application's origin, as a browser writes it.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://{}", self.https.authority)
    }

    /// The host, without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.https.host
    }

    /// Whether the host is this machine.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.https.is_loopback
    }

    /// Whether plain HTTP can be requested.
    #[must_use]
    pub const fn has_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// The number of requests so far.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    async fn wait_for_turn(&self) {
        let mut next = self.next.lock().await;
        tokio::time::sleep_until(*next).await;
        *next = Instant::now() + self.interval;
    }

    async fn exchange(&self, ask: Ask) -> Result<HttpResponse, Error> {
        if ask.transport == HttpTransport::Plain {
            let none = || Error::Address {
                url: "http:".to_owned(),
                why: "no address for plain HTTP was given",
            };
            let door = self.plain.as_ref().ok_or_else(none)?;
            return speak(door.connect().await?, door, ask).await;
        }
        let stream = self.https.connect().await?;
        let name = ServerName::try_from(self.https.host.clone()).map_err(|_| Error::Address {
            url: self.origin(),
            why: "this is not a server name",
        })?;
        let secured = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await;
        let secured = secured.map_err(|error| Error::Unreachable(self.origin(), error))?;
        speak(secured, &self.https, ask).await
    }
}

/// Sends one request on a connection of its own, so that one attack's effect on a connection cannot reach the next.
async fn speak<S>(stream: S, door: &Door, ask: Ask) -> Result<HttpResponse, Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let place = ask.place();
    let broken = |error| Error::Http(place.clone(), error);
    let request = door
        .write(ask)
        .map_err(|error| Error::Request(place.clone(), error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let (head, body) = sender
            .send_request(request)
            .await
            .map_err(broken)?
            .into_parts();
        let body = read(body).await.map_err(broken)?;
        Ok(HttpResponse {
            place: place.clone(),
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    };
    let answer = answer.await;
    driver.abort();
    answer
}

async fn read(mut body: Incoming) -> Result<Bytes, hyper::Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            whole.extend_from_slice(
                data.get(..data.len().min(MOST - whole.len()))
                    .unwrap_or_default(),
            );
        }
        if whole.len() >= MOST {
            break;
        }
    }
    Ok(whole.freeze())
}

fn trusting(authority: &Path) -> Result<ClientConfig, Error> {
    let pem = std::fs::read(authority).map_err(Error::file(authority))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| Error::Authority(authority.to_owned()))?;
        roots.add(certificate)?;
    }
    if roots.is_empty() {
        return Err(Error::Authority(authority.to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

impl Door {
    /// A host that is not this machine has to be named twice, because the audit attacks it.
    fn read(text: &str, scheme: &str, permitted: Option<&str>) -> Result<Self, Error> {
        let wrong = |why| Error::Address {
            url: text.to_owned(),
            why,
        };
        let url = Url::parse(text).map_err(|_| wrong("this is not an address"))?;
        if url.scheme() != scheme {
            return Err(wrong("this address has another scheme"));
        }
        let (Some(named), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(wrong("it names no host"));
        };
        let host = named.trim_matches(['[', ']']).to_owned();
        let is_loopback = host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if !is_loopback && permitted != Some(host.as_str()) {
            return Err(wrong(
                "this host is not this machine; name it with --permitted-host if you may test it",
            ));
        }
        let authority = url
            .port()
            .map_or_else(|| named.to_owned(), |port| format!("{named}:{port}"));
        Ok(Self {
            host,
            port,
            authority,
            is_loopback,
        })
    }

    async fn connect(&self) -> Result<TcpStream, Error> {
        let unreachable = |error| Error::Unreachable(self.authority.clone(), error);
        let stream = if self.is_loopback && self.host.parse::<IpAddr>().is_err() {
            // A name server must not resolve `localhost` to another address (RFC 6761, 6.3).
            let here = [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ];
            let here = here.map(|address| SocketAddr::new(address, self.port));
            TcpStream::connect(&here[..]).await.map_err(unreachable)?
        } else {
            TcpStream::connect((self.host.as_str(), self.port))
                .await
                .map_err(unreachable)?
        };
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(stream)
    }

    fn write(&self, ask: Ask) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(ask.target.as_str());
        if !ask.names(&header::HOST) {
            request = request.header(
                header::HOST,
                HeaderValue::try_from(self.authority.as_str())?,
            );
        }
        for (name, value) in ask.accepts().into_iter().chain(ask.headers) {
            request = request.header(name, value);
        }
        request.body(Full::new(ask.body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_has_to_be_permitted_by_its_name() {
        let open = |url: &str, permitted| Door::read(url, "https", permitted).is_ok();
        for here in [
            "https://localhost:8443",
            "https://app.localhost",
            "https://127.0.0.1",
            "https://[::1]:8443",
        ] {
            assert!(open(here, None), "{here}");
        }
        for elsewhere in [
            "https://example.org",
            "https://localhost.example.org",
            "https://10.0.0.1",
            "http://localhost",
        ] {
            assert!(!open(elsewhere, None), "{elsewhere}");
        }
        assert!(open("https://example.org", Some("example.org")));
        assert!(!open("https://example.org", Some("example.com")));
    }
}
