//! A connection that stays open from one request to the next, so that thousands of requests take seconds.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::site::Site;

pub(super) struct Connection {
    server: SocketAddr,
    tls: TlsConnector,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub(super) fn to(site: &Site) -> Self {
        let authority = fs::read(site.running.authority_file().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(&authority).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            server: site.running.https(),
            tls: TlsConnector::from(Arc::new(tls)),
            sender: None,
        }
    }

    /// The status of the response.
    pub(super) async fn ask(&mut self, request: Request<Full<Bytes>>) -> u16 {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.open().await,
        };
        // The server closed the connection after its last response.
        if sender.ready().await.is_err() {
            sender = self.open().await;
        }
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status().as_u16();
        answer.into_body().collect().await.unwrap();
        self.sender = Some(sender);
        status
    }

    async fn open(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(self.server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = self.tls.connect(name, stream).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }
}
