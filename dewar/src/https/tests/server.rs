use crate::https::{
    Drained, Hosts, HttpsLayer, Listener, LocalAuthority, Proxies, RequestLimits, TlsProfile,
    Transport, server_config,
};
use crate::testing::{PATIENCE, wait_until};
use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A limit that a test waits for.
pub(super) const SHORT: Duration = Duration::from_millis(150);
/// A limit that no test reaches, however busy the machine is.
pub(super) const LONG: Duration = PATIENCE;
const NOW: i64 = 1_795_000_000;

/// Limits at which no timer ends anything. A test sets the one under test to [`SHORT`].
pub(super) fn patient() -> RequestLimits {
    RequestLimits {
        handshake_timeout: LONG,
        header_timeout: LONG,
        idle_timeout: LONG,
        progress: LONG,
        body_timeout: LONG,
        body_grace: LONG,
        handler_timeout: LONG,
        linger: LONG,
        drain_timeout: LONG,
        ..RequestLimits::default()
    }
}

/// A server with the local authority on a free port.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    authority: LocalAuthority,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Drained>,
    paths: Arc<Mutex<Vec<String>>>,
    pages: Pages,
    _data: tempfile::TempDir,
}

/// The test's control of the pages: when `/slow` responds, and how many large responses were abandoned.
#[derive(Clone, Default)]
struct Pages {
    slow: Arc<Notify>,
    given_up: Arc<AtomicUsize>,
}

impl Server {
    pub(super) async fn start(limits: RequestLimits) -> Self {
        Self::behind(Proxies::default(), TlsProfile::Intermediate, limits).await
    }

    /// A server that trusts these proxies and offers this TLS profile.
    pub(super) async fn behind(
        proxies: Proxies,
        profile: TlsProfile,
        limits: RequestLimits,
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let hosts = Hosts::new(["localhost"]).unwrap();
        // The certificate must be valid for the client's own clock.
        let now = crate::audit::Clock::system().now().max(NOW);
        let authority = LocalAuthority::open_or_create(data.path(), now).unwrap();
        let tls = server_config(authority.certificates(&hosts, now).unwrap(), profile).unwrap();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = listener.behind(proxies);
        let address = listener.address();
        let protect = HttpsLayer::new(hosts, limits.clone(), Transport::LocalAuthority);
        let paths = Arc::new(Mutex::new(Vec::new()));
        let (begun, pages) = (Arc::clone(&paths), Pages::default());
        let shown = pages.clone();
        let service = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
            let (protect, begun, pages) = (protect.clone(), Arc::clone(&begun), shown.clone());
            let answer = move |request: Request<Body>| {
                begun.lock().unwrap().push(request.uri().path().to_owned());
                answer(request, pages)
            };
            let answer = async move {
                Ok::<_, Infallible>(protect.around(request.map(Body::new), answer).await)
            };
            Box::pin(answer)
        });
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap_or(()) };
        let serving = async move {
            listener
                .serve(service, Some(tls), limits, shutdown)
                .await
                .unwrap()
        };
        Self {
            address,
            authority,
            stop,
            running: tokio::spawn(serving),
            paths,
            pages,
            _data: data,
        }
    }

    /// The number of requests for this path that have reached their handler.
    pub(super) fn begun(&self, path: &str) -> usize {
        let paths = self.paths.lock().unwrap();
        paths.iter().filter(|begun| *begun == path).count()
    }

    /// Waits until a request for this path has reached its handler.
    pub(super) async fn begins(&self, path: &str) {
        wait_until("the request is handled", async || self.begun(path) > 0).await;
    }

    /// Completes one request for `/slow`.
    pub(super) fn answer_slow(&self) -> impl Fn() + use<> {
        let slow = Arc::clone(&self.pages.slow);
        move || slow.notify_one()
    }

    /// Waits until a large response is abandoned before its end.
    pub(super) async fn gives_up(&self) {
        let given_up = &self.pages.given_up;
        wait_until("the answer is given up", async || {
            given_up.load(Ordering::Relaxed) > 0
        })
        .await;
    }

    pub(super) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(super) async fn tls(&self, protocol: &str) -> TlsStream<TcpStream> {
        self.try_tls(protocol).await.unwrap()
    }

    pub(super) async fn try_tls(&self, protocol: &str) -> std::io::Result<TlsStream<TcpStream>> {
        let both = rustls::ALL_VERSIONS;
        self.tls_over(self.tcp().await, protocol, both).await
    }

    /// A connection whose first bytes come with the end of the handshake: no timer of the server can be faster.
    pub(super) async fn tls_saying(&self, protocol: &str, first: &[u8]) -> TlsStream<TcpStream> {
        let (tls, name) = self.client(protocol, rustls::ALL_VERSIONS);
        let say = |tls: &mut rustls::ClientConnection| tls.writer().write_all(first).unwrap();
        let stream = self.tcp().await;
        tls.connect_with(name, stream, say).await.unwrap()
    }

    /// A handshake of these versions, on a connection that may already have sent something.
    pub(super) async fn tls_over(
        &self,
        stream: TcpStream,
        protocol: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let (tls, name) = self.client(protocol, versions);
        tls.connect(name, stream).await
    }

    fn client(
        &self,
        protocol: &str,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> (TlsConnector, ServerName<'static>) {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = ServerName::try_from("localhost").unwrap();
        (TlsConnector::from(Arc::new(config)), name)
    }

    /// Sends text on a connection of its own and returns everything that comes back.
    pub(super) async fn exchange(&self, text: &str) -> String {
        self.exchange_after(b"", text).await.unwrap()
    }

    /// As `exchange`, on a connection that begins with these bytes before TLS.
    pub(super) async fn exchange_after(
        &self,
        before: &[u8],
        text: &str,
    ) -> std::io::Result<String> {
        let mut tcp = self.tcp().await;
        tcp.write_all(before).await?;
        let mut stream = self.tls_over(tcp, "http/1.1", rustls::ALL_VERSIONS).await?;
        stream.write_all(text.as_bytes()).await?;
        Ok(read_all(&mut stream).await)
    }

    /// Tells the server to stop, without waiting.
    pub(super) fn stop(self) -> JoinHandle<Drained> {
        self.stop.send(()).unwrap();
        self.running
    }
}

async fn answer(request: Request<Body>, pages: Pages) -> Response<Body> {
    let text = match request.uri().path() {
        "/slow" => {
            pages.slow.notified().await;
            "finished"
        }
        "/stuck" => std::future::pending().await,
        "/page" => return Response::new(Body::from(vec![b'x'; 64 * 1024])),
        "/large" => return Response::new(large(pages.given_up)),
        "/address" => {
            let info = crate::https::RequestInfo::get(request.extensions());
            let address = info.and_then(|info| info.address).unwrap().0;
            return Response::new(Body::from(address.to_string()));
        }
        _ => return echo(request).await,
    };
    Response::new(Body::from(text))
}

/// A body of 32 MiB in parts, which counts itself if it is dropped before its end.
fn large(given_up: Arc<AtomicUsize>) -> Body {
    struct Left(usize, Arc<AtomicUsize>);
    impl Drop for Left {
        fn drop(&mut self) {
            if self.0 > 0 {
                self.1.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let parts = futures_util::stream::unfold(Left(512, given_up), |mut left| async move {
        left.0 = left.0.checked_sub(1)?;
        Some((Ok::<_, Infallible>(vec![b'x'; 64 * 1024]), left))
    });
    Body::from_stream(parts)
}

async fn echo(request: Request<Body>) -> Response<Body> {
    match request.into_body().collect().await {
        Ok(body) => Response::new(Body::from(body.to_bytes())),
        Err(error) => {
            let status = crate::https::BodyError::find(&error).unwrap().status();
            Response::builder()
                .status(status)
                .body(Body::empty())
                .unwrap()
        }
    }
}

/// Reads until the other side closes, as it must.
pub(super) async fn read_all(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    // A connection that is cut without a TLS close message is an error after the data; it counts as closed.
    let ended = timeout(LONG, stream.read_to_end(&mut text)).await;
    assert!(ended.is_ok(), "it is still open");
    String::from_utf8_lossy(&text).into_owned()
}
