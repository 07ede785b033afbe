//! One connection for one request: no attack's effect on a connection reaches the next request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::call::{Answer, Call, write_cookies};
use crate::sources::Error;

/// The most bytes of an answer that are read.
const MOST: usize = 1024 * 1024;

/// The origin under audit.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// `Host` as a browser writes it.
    pub(super) authority: String,
    pub(super) is_loopback: bool,
    /// The address that was named, from its path on.
    pub(super) start: String,
}

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server closed the connection, or wrote no HTTP.
    Broken,
    /// The server did not answer in time.
    Late,
    /// Nobody listens.
    Unreachable(String),
    /// The request cannot be written.
    Unwritable,
}

#[derive(Debug)]
pub(super) struct Client {
    pub(super) target: Target,
    tls: Option<Arc<ClientConfig>>,
    /// Why the certificate is not trusted.
    pub(super) distrust: Arc<Mutex<Option<String>>>,
    pub(super) patience: Duration,
}

impl Target {
    /// A host that is not this machine has to be named twice, because the audit attacks it.
    pub(super) fn read(text: &str, permitted: Option<&str>) -> Result<Self, Error> {
        let wrong = |why| Error::Address {
            url: text.to_owned(),
            why,
        };
        let url = Url::parse(text).map_err(|_| wrong("this is not an address"))?;
        let is_tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong("this address is neither http nor https")),
        };
        let (Some(named), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(wrong("it names no host"));
        };
        let host = named.trim_matches(['[', ']']).to_owned();
        let is_loopback = host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if !is_loopback && permitted != Some(host.as_str()) {
            return Err(wrong(
                "this host is not this machine; name it with --permitted-host if you may test it",
            ));
        }
        let authority = url
            .port()
            .map_or_else(|| named.to_owned(), |port| format!("{named}:{port}"));
        let query = url.query().map(|query| format!("?{query}"));
        Ok(Self {
            is_tls,
            host,
            port,
            authority,
            is_loopback,
            start: format!("{}{}", url.path(), query.unwrap_or_default()),
        })
    }

    pub(super) fn origin(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority)
    }

    /// The path and query of an address on this origin.
    pub(super) fn local(&self, base: &str, link: &str) -> Option<String> {
        let base = Url::parse(&format!("{}{base}", self.origin())).ok()?;
        let url = base.join(link.trim()).ok()?;
        let same_host = url.host_str().map(|host| host.trim_matches(['[', ']']))
            == Some(self.host.as_str())
            && url.port_or_known_default() == Some(self.port)
            && matches!(url.scheme(), "http" | "https");
        let query = url.query().map(|query| format!("?{query}"));
        same_host.then(|| format!("{}{}", url.path(), query.unwrap_or_default()))
    }

    async fn connect(&self) -> Result<TcpStream, std::io::Error> {
        let stream = if self.is_loopback && self.host.parse::<IpAddr>().is_err() {
            // A name server must not resolve `localhost` to another address (RFC 6761, 6.3).
            let here = [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ];
            let here = here.map(|address| SocketAddr::new(address, self.port));
            TcpStream::connect(&here[..]).await?
        } else {
            TcpStream::connect((self.host.as_str(), self.port)).await?
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Client {
    pub(super) fn open(
        target: Target,
        authority: Option<&Path>,
        patience: Duration,
    ) -> Result<Self, Error> {
        let distrust = Arc::new(Mutex::new(None));
        let tls = if target.is_tls {
            Some(Arc::new(noting(authority, &distrust)?))
        } else {
            None
        };
        Ok(Self {
            target,
            tls,
            distrust,
            patience,
        })
    }

    /// Sends one request; never more than `patience`.
    pub(super) async fn send(
        &self,
        call: &Call,
        cookies: &[(String, String)],
    ) -> Result<Answer, Failure> {
        let began = Instant::now();
        let exchange = tokio::time::timeout(self.patience, self.exchange(call, cookies));
        let mut answer = exchange.await.map_err(|_| Failure::Late)??;
        answer.took = began.elapsed();
        Ok(answer)
    }

    async fn exchange(&self, call: &Call, cookies: &[(String, String)]) -> Result<Answer, Failure> {
        let request = self.write(call, cookies).ok_or(Failure::Unwritable)?;
        let unreachable = |error: std::io::Error| Failure::Unreachable(error.to_string());
        let stream = self.target.connect().await.map_err(unreachable)?;
        let Some(tls) = &self.tls else {
            return speak(stream, request).await;
        };
        let name = ServerName::try_from(self.target.host.clone())
            .map_err(|_| Failure::Unreachable("this is not a server name".to_owned()))?;
        let secured = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        speak(secured.await.map_err(unreachable)?, request).await
    }

    fn write(&self, call: &Call, cookies: &[(String, String)]) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(call.method.as_str())
            .uri(call.target());
        let has = |name: &str| {
            call.headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if !has("host") {
            request = request.header(header::HOST, self.target.authority.as_str());
        }
        if !has("accept") {
            request = request.header(header::ACCEPT, "text/html,application/json;q=0.9,*/*;q=0.8");
        }
        if !has("user-agent") {
            request = request.header(
                header::USER_AGENT,
                concat!("dewar-audit/", env!("CARGO_PKG_VERSION")),
            );
        }
        if !has("origin") && call.is_write() {
            request = request.header(header::ORIGIN, self.target.origin());
        }
        if !has("referer") && call.is_write() {
            request = request.header(
                header::REFERER,
                format!("{}{}", self.target.origin(), call.path),
            );
        }
        if !cookies.is_empty() {
            let value = HeaderValue::from_bytes(write_cookies(cookies).as_bytes()).ok()?;
            request = request.header(header::COOKIE, value);
        }
        for (name, value) in &call.headers {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).ok()?);
        }
        let content = call.content();
        if let Some((kind, _)) = content.as_ref().filter(|_| !has("content-type")) {
            request = request.header(header::CONTENT_TYPE, kind.as_str());
        }
        let bytes = content
            .map(|(_, bytes)| Bytes::from(bytes))
            .unwrap_or_default();
        request.body(Full::new(bytes)).ok()
    }
}

async fn speak<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Failure::Broken)?;
    let driver = tokio::spawn(connection);
    let answer = async {
        let sent = sender.send_request(request).await;
        let (head, body) = sent.map_err(|_| Failure::Broken)?.into_parts();
        let body = read(body).await;
        let text = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            text,
            took: Duration::ZERO,
        })
    };
    let answer = answer.await;
    driver.abort();
    answer
}

/// A body that breaks off is judged by what came.
async fn read(mut body: Incoming) -> Bytes {
    let mut whole = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        if let Ok(data) = frame.into_data() {
            let room = MOST.saturating_sub(whole.len());
            whole.extend_from_slice(data.get(..data.len().min(room)).unwrap_or_default());
        }
        if whole.len() >= MOST {
            break;
        }
    }
    whole.freeze()
}

/// TLS that goes on with a certificate that is not trusted, and notes why: the audit reports it.
fn noting(
    authority: Option<&Path>,
    distrust: &Arc<Mutex<Option<String>>>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let trusted: Option<Arc<dyn ServerCertVerifier>> = match authority {
        Some(file) => Some(of_file(file, Arc::clone(&provider))?),
        None => rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
            .ok()
            .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>),
    };
    let verifier = Noting {
        trusted,
        schemes: provider
            .signature_verification_algorithms
            .supported_schemes(),
        distrust: Arc::clone(distrust),
    };
    let mut tls = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

fn of_file(
    file: &Path,
    provider: Arc<rustls::crypto::CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let pem = std::fs::read(file).map_err(Error::file(file))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| Error::Authority(file.to_owned()))?;
        roots.add(certificate)?;
    }
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| Error::Authority(file.to_owned()))?;
    Ok(verifier)
}

#[derive(Debug)]
struct Noting {
    trusted: Option<Arc<dyn ServerCertVerifier>>,
    schemes: Vec<SignatureScheme>,
    distrust: Arc<Mutex<Option<String>>>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(trusted) = &self.trusted
            && let Err(error) = trusted.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )
        {
            let mut noted = self.distrust.lock().unwrap_or_else(PoisonError::into_inner);
            *noted = Some(error.to_string());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
