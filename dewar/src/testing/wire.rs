//! The connection: TCP, and TLS that trusts one authority.

use super::{Error, PATIENCE, WebSocketClient};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, RootCertStore};
use std::io::{Error as IoError, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

/// A request to send.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The settings of connections.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) to: Option<SocketAddr>,
    pub(super) patience: Duration,
}

/// The task that moves a response's bytes; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Driver(JoinHandle<hyper::Result<()>>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An open connection, for bytes that are not HTTP or come slowly.
pub struct Socket(Box<dyn Stream>);

/// The bytes that came over a [`Socket`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Heard {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How reading ended.
    pub ending: StreamEnd,
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEnd {
    /// The server closed the connection.
    Closed,
    /// No byte came for the given time.
    Silent,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Wire {
    /// # Errors
    /// The authority is not a PEM file with a certificate.
    pub(super) fn trusting(authority_pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(authority_pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if roots.is_empty() {
            return Err("no certificate in the authority's PEM".to_owned());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: Arc::new(tls),
            to: None,
            patience: PATIENCE,
        })
    }

    pub(super) async fn open(&self, url: &Url) -> Result<Socket, Error> {
        let opening = async {
            if url.scheme() == "https" {
                Ok(Socket(Box::new(self.open_tls(url).await?)))
            } else {
                Ok(Socket(Box::new(self.open_tcp(url).await?)))
            }
        };
        tokio::time::timeout(self.patience, opening)
            .await
            .map_err(|_| Error::Late(self.patience))?
    }

    /// The public key (SPKI, DER) in the site's certificate, if the authority signed it.
    pub(super) async fn public_key(&self, url: &Url) -> Result<Vec<u8>, Error> {
        let stream = self.open_tls(url).await?;
        let refused =
            |text: &str| Error::Connect(IoError::new(ErrorKind::InvalidData, text.to_owned()));
        let certificates = stream.get_ref().1.peer_certificates();
        let leaf = certificates
            .and_then(|chain| chain.first())
            .ok_or_else(|| refused("no certificate"))?;
        let parsed =
            ParsedCertificate::try_from(leaf).map_err(|error| refused(&error.to_string()))?;
        Ok(parsed.subject_public_key_info().to_vec())
    }

    pub(super) async fn send(&self, outgoing: Outgoing) -> Result<Response<Bytes>, Error> {
        let patience = self.patience;
        let exchange = self.exchange(outgoing);
        tokio::time::timeout(patience, exchange)
            .await
            .map_err(|_| Error::Late(patience))?
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Response<Bytes>, Error> {
        let (response, _driver) = self.begin(outgoing).await?;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok(Response::from_parts(head, bytes))
    }

    /// The beginning of a response; its body goes on until the driver is dropped.
    pub(super) async fn open_response(
        &self,
        outgoing: Outgoing,
    ) -> Result<(Response<Incoming>, Driver), Error> {
        tokio::time::timeout(self.patience, self.begin(outgoing))
            .await
            .map_err(|_| Error::Late(self.patience))?
    }

    /// Opens a WebSocket by the headers of a request.
    pub(super) async fn open_web_socket(
        &self,
        outgoing: Outgoing,
    ) -> Result<WebSocketClient, Error> {
        let socket = self.open(&outgoing.url).await?;
        let path = match outgoing.url.query() {
            Some(query) => format!("{}?{query}", outgoing.url.path()),
            None => outgoing.url.path().to_owned(),
        };
        let mut head = format!("{} {path} HTTP/1.1\r\n", outgoing.method).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        };
        if !outgoing.headers.contains_key(header::HOST) {
            line("host", host_and_port(&outgoing.url)?.as_bytes());
        }
        for (name, value) in &outgoing.headers {
            line(name.as_str(), value.as_bytes());
        }
        head.extend(b"\r\n");
        WebSocketClient::open(socket, &head, self.patience).await
    }

    async fn begin(&self, outgoing: Outgoing) -> Result<(Response<Incoming>, Driver), Error> {
        let Socket(stream) = self.open(&outgoing.url).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = Driver(tokio::spawn(connection));
        let target = match outgoing.url.query() {
            Some(query) => format!("{}?{query}", outgoing.url.path()),
            None => outgoing.url.path().to_owned(),
        };
        let mut request = Request::builder()
            .method(outgoing.method)
            .uri(target)
            .body(Full::new(outgoing.body))?;
        *request.headers_mut() = outgoing.headers;
        if !request.headers().contains_key(header::HOST) {
            let host = host_and_port(&outgoing.url)?
                .parse()
                .map_err(http::Error::from)?;
            request.headers_mut().insert(header::HOST, host);
        }
        Ok((sender.send_request(request).await?, driver))
    }

    async fn open_tls(&self, url: &Url) -> Result<TlsStream<TcpStream>, Error> {
        let stream = self.open_tcp(url).await?;
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let name = ServerName::try_from(host).map_err(|_| Error::Address(url.to_string()))?;
        Ok(TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await?)
    }

    async fn open_tcp(&self, url: &Url) -> Result<TcpStream, Error> {
        let stream = match self.to {
            Some(address) => TcpStream::connect(address).await?,
            None => {
                let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
                let port = url.port_or_known_default();
                let port = port.ok_or_else(|| Error::Address(url.to_string()))?;
                TcpStream::connect((host, port)).await?
            }
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Socket {
    /// Writes the bytes as they are.
    ///
    /// # Errors
    /// The server closed the connection.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.write_all(bytes).await?;
        Ok(self.0.flush().await?)
    }

    /// Reads the next bytes; none at their end.
    pub(super) async fn read(&mut self, bytes: &mut Vec<u8>) -> Result<usize, Error> {
        Ok(self.0.read_buf(bytes).await?)
    }

    /// Reads until the server closes the connection or no byte comes for `quiet`.
    pub async fn hear(&mut self, quiet: Duration) -> Heard {
        let mut bytes = Vec::new();
        loop {
            match tokio::time::timeout(quiet, self.0.read_buf(&mut bytes)).await {
                Ok(Ok(0) | Err(_)) => {
                    return Heard {
                        bytes,
                        ending: StreamEnd::Closed,
                    };
                }
                Ok(Ok(_)) => {}
                Err(_) => {
                    return Heard {
                        bytes,
                        ending: StreamEnd::Silent,
                    };
                }
            }
        }
    }
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Socket")
    }
}

impl Heard {
    /// The bytes as text, with replacement characters for invalid ones.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// The status of the first response; `None` without one.
    pub fn status(&self) -> Option<u16> {
        let text = self.text();
        text.strip_prefix("HTTP/1.1 ")?
            .split(' ')
            .next()?
            .parse()
            .ok()
    }
}

/// The `Host` value of a browser: without the scheme's default port.
pub(super) fn host_and_port(url: &Url) -> Result<String, Error> {
    let host = url
        .host_str()
        .ok_or_else(|| Error::Address(url.to_string()))?;
    Ok(url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
