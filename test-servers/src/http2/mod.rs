//! HTTP/2 by hand (RFC 9113), for frames that no client sends.

mod frame;

pub use frame::Frame;

use http::Uri;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use std::io::{Error, ErrorKind, Result};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The preface of every connection, before the first SETTINGS (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The wait for something that must happen. It ends at once on success, so it costs nothing; a short one would fail on a
/// busy machine.
const PATIENCE: Duration = Duration::from_secs(600);

/// A connection with HTTP/2, for frames by hand.
///
/// ```no_run
/// # async fn attack(url: &str, authority_pem: &[u8]) {
/// use test_servers::{Frame, Http2};
/// let mut connection = Http2::connect(url, authority_pem, &[]).await.unwrap();
/// connection.send(&[Frame::get(1, "/")]).await.unwrap();
/// let answer = connection.next_of(Frame::HEADERS).await.unwrap();
/// assert_eq!(answer.status(), Some(200));
/// # }
/// ```
pub struct Http2 {
    stream: Box<dyn Stream>,
    heard: Vec<u8>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl std::fmt::Debug for Http2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http2")
    }
}

impl Http2 {
    /// Connects to an address (`https://localhost:8443`) with TLS and HTTP/2 by ALPN, and trusts only this authority. Sends
    /// the preface and these settings: pairs of a number and its value (RFC 9113, 6.5.2).
    ///
    /// # Errors
    /// The address names no host, the PEM contains no certificate, or the server does not accept the connection.
    pub async fn connect(url: &str, authority_pem: &[u8], settings: &[(u16, u32)]) -> Result<Self> {
        let url: Uri = url.parse().map_err(Error::other)?;
        let host = url.host().ok_or(ErrorKind::InvalidInput)?;
        let name = ServerName::try_from(host.to_owned()).map_err(Error::other)?;
        let tls = TlsConnector::from(Arc::new(trust(authority_pem)?));
        let connecting = async {
            let stream = TcpStream::connect((host, url.port_u16().unwrap_or(443))).await?;
            stream.set_nodelay(true)?;
            Self::open(tls.connect(name, stream).await?, settings).await
        };
        timeout(PATIENCE, connecting).await?
    }

    /// Sends the preface and these settings over an open connection.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn open(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        settings: &[(u16, u32)],
    ) -> Result<Self> {
        Self::beginning(stream, &Self::first(settings, &[])).await
    }

    /// The bytes of the preface, these settings and these frames.
    #[must_use]
    pub fn first(settings: &[(u16, u32)], frames: &[Frame]) -> Vec<u8> {
        let mut first = [PREFACE, &Self::settings(settings).bytes()].concat();
        first.extend(frames.iter().flat_map(Frame::bytes));
        first
    }

    /// Sends other first bytes over an open connection.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn beginning(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        first: &[u8],
    ) -> Result<Self> {
        let mut connection = Self {
            stream: Box::new(stream),
            heard: Vec::new(),
        };
        connection.send_bytes(first).await?;
        Ok(connection)
    }

    /// A SETTINGS frame of these pairs of a number and its value.
    #[must_use]
    pub fn settings(settings: &[(u16, u32)]) -> Frame {
        let pairs = settings
            .iter()
            .flat_map(|(number, value)| [&number.to_be_bytes()[..], &value.to_be_bytes()].concat());
        Frame::new(Frame::SETTINGS, 0, 0, pairs.collect::<Vec<u8>>())
    }

    /// Sends frames and reads incoming ones meanwhile, as a client does.
    ///
    /// # Errors
    /// The connection is closed, or the server reads no more for ten minutes.
    pub async fn send(&mut self, frames: &[Frame]) -> Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        self.send_bytes(&bytes).await
    }

    /// As [`send`](Self::send), with bytes that need not be frames.
    ///
    /// # Errors
    /// The connection is closed, or the server reads no more for ten minutes.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (mut reading, mut writing) = split(&mut self.stream);
        let mut sending = pin!(async {
            writing.write_all(bytes).await?;
            writing.flush().await
        });
        loop {
            let step = async {
                tokio::select! {
                    sent = &mut sending => sent.map(|()| None),
                    read = reading.read_buf(&mut self.heard) => read.map(Some),
                }
            };
            match timeout(PATIENCE, step).await?? {
                None => return Ok(()),
                Some(0) => return Err(ErrorKind::ConnectionReset.into()),
                Some(_) => {}
            }
        }
    }

    /// Sends bytes and reads nothing, as an attacker does. Returns true if all bytes were sent, false if the server reads
    /// no more for `quiet`.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn send_deaf(&mut self, bytes: &[u8], quiet: Duration) -> Result<bool> {
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        timeout(quiet, sending)
            .await
            .map_or(Ok(false), |sent| sent.map(|()| true))
    }

    /// The frames so far, until none comes for a moment.
    pub async fn heard(&mut self) -> Vec<Frame> {
        let moment = Duration::from_millis(1);
        while let Ok(Ok(1..)) = timeout(moment, self.stream.read_buf(&mut self.heard)).await {}
        let mut frames = Vec::new();
        let mut read = 0;
        while let Some((frame, length)) = self.heard.get(read..).and_then(Frame::read) {
            frames.push(frame);
            read += length;
        }
        self.heard.drain(..read);
        frames
    }

    /// The next frame; `None` if the connection is closed.
    ///
    /// # Panics
    /// No frame comes for ten minutes.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = Frame::read(&self.heard) {
                self.heard.drain(..length);
                return Some(frame);
            }
            let reading = timeout(PATIENCE, self.stream.read_buf(&mut self.heard));
            let Ok(read) = reading.await else {
                panic!("no frame came for {PATIENCE:?}, and the connection is open");
            };
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next frame of a type, after those of others; `None` if the connection is closed.
    ///
    /// # Panics
    /// No frame comes for ten minutes.
    pub async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }
}

/// A client that offers HTTP/2 alone and trusts this authority.
fn trust(authority_pem: &[u8]) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority_pem) {
        roots
            .add(certificate.map_err(Error::other)?)
            .map_err(Error::other)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}
