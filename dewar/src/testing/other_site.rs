//! A small HTTPS site with responses from a test: it tests the browser, and is the attacker's site in tests.

use super::TestAuthority;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Another site on `localhost`, with an authority of its own; it stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use dewar::testing::{Browser, OtherSiteReply, OtherSite};
/// let evil = OtherSite::open(|_| OtherSiteReply::page("<form method=post action=https://portal.test/x></form>")).await;
/// let victim = Browser::new(evil.url(), evil.authority_pem());
/// assert_eq!(victim.get("/").await.forms()[0].action(), "https://portal.test/x");
/// # }
/// ```
#[derive(Debug)]
pub struct OtherSite {
    url: String,
    authority: String,
    listening: JoinHandle<()>,
}

/// A request that an [`OtherSite`] received.
#[derive(Debug)]
pub struct RecordedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

/// A response of an [`OtherSite`].
#[derive(Debug)]
#[must_use = "a reply does nothing until it is returned"]
pub struct OtherSiteReply(Response<Full<Bytes>>);

type Pages = dyn Fn(&RecordedRequest) -> OtherSiteReply + Send + Sync;

impl OtherSite {
    /// Starts a site on a free port.
    ///
    /// # Panics
    /// No port is free, or no certificate can be made.
    pub async fn open(
        pages: impl Fn(&RecordedRequest) -> OtherSiteReply + Send + Sync + 'static,
    ) -> Self {
        let (authority, tls) = certified(&["localhost", "127.0.0.1"])
            .unwrap_or_else(|problem| panic!("no certificate for the site: {problem}"));
        let opened = TcpListener::bind("127.0.0.1:0").await;
        let address = opened.and_then(|listener| listener.local_addr().map(|at| (at, listener)));
        let (address, listener) = address.unwrap_or_else(|error| panic!("no port: {error}"));
        let listening = tokio::spawn(listen(listener, TlsAcceptor::from(tls), Arc::new(pages)));
        Self {
            url: format!("https://localhost:{}", address.port()),
            authority,
            listening,
        }
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of its authority.
    pub fn authority_pem(&self) -> &[u8] {
        self.authority.as_bytes()
    }
}

impl Drop for OtherSite {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl RecordedRequest {
    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query; empty without one.
    pub fn query(&self) -> &str {
        self.uri.query().unwrap_or_default()
    }

    /// The first value of a header; `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text, with replacement characters for invalid bytes.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl OtherSiteReply {
    /// An HTML page.
    pub fn page(html: &str) -> Self {
        Self::bytes("text/html; charset=utf-8", html.to_owned())
    }

    /// Bytes of any kind.
    pub fn bytes(kind: &str, bytes: impl Into<Bytes>) -> Self {
        Self(Response::new(Full::new(bytes.into()))).header("content-type", kind)
    }

    /// Sets another status than 200.
    ///
    /// # Panics
    /// `status` is not a status code.
    pub fn status(mut self, status: u16) -> Self {
        let status = StatusCode::from_u16(status);
        *self.0.status_mut() = status.unwrap_or_else(|_| panic!("not a status"));
        self
    }

    /// Adds a header; an earlier one of the same name stays.
    ///
    /// # Panics
    /// The name or value is not allowed in a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else {
            panic!("`{value}` cannot stand in a header");
        };
        self.0.headers_mut().append(name, value);
        self
    }
}

async fn listen(listener: TcpListener, tls: TlsAcceptor, pages: Arc<Pages>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, pages) = (tls.clone(), Arc::clone(&pages));
        tokio::spawn(async move {
            if let Err(error) = converse(stream, tls, pages).await {
                tracing::debug!(%error, "a connection of the test site ended");
            }
        });
    }
}

async fn converse(
    stream: TcpStream,
    tls: TlsAcceptor,
    pages: Arc<Pages>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let stream = tls.accept(stream).await?;
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let pages = Arc::clone(&pages);
        async move {
            let (head, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map(|body| body.to_bytes())
                .unwrap_or_default();
            let asked = RecordedRequest {
                method: head.method,
                uri: head.uri,
                headers: head.headers,
                body,
            };
            Ok::<_, Infallible>(pages(&asked).0)
        }
    });
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}

/// An authority, and a TLS configuration with its certificate for these names.
fn certified(names: &[&str]) -> Result<(String, Arc<ServerConfig>), Box<dyn std::error::Error>> {
    let authority = TestAuthority::made()?;
    let config = authority.serving(names)?;
    Ok((String::from_utf8(authority.pem().to_vec())?, config))
}
