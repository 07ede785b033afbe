//! A TLS client that sends any first message, and looks at the server's certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use data_encoding::BASE64;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A completed handshake.
pub(super) struct Shaken {
    /// The server's certificate, in Base64.
    pub(super) certificate: String,
    /// The negotiated protocol.
    pub(super) protocol: Vec<u8>,
    /// The response to a request for the front page, until the server ended the connection or sent nothing more.
    pub(super) heard: String,
}

/// Connects to this host with these protocols, and then requests the front page. None if the server ends the handshake.
pub(super) async fn shake(server: SocketAddr, host: &str, protocols: &[&str]) -> Option<Shaken> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TcpStream::connect(server).await.unwrap();
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream);
    let mut stream = connected.await.ok()?;
    let session = stream.get_ref().1;
    let certificate = BASE64.encode(session.peer_certificates()?.first()?);
    let protocol = session.alpn_protocol().unwrap_or_default().to_vec();
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let mut heard = Vec::new();
    // The server may have ended the connection before; that is no failure here.
    if stream.write_all(request.as_bytes()).await.is_ok() {
        drop(stream.read_to_end(&mut heard).await);
    }
    Some(Shaken {
        certificate,
        protocol,
        heard: String::from_utf8_lossy(&heard).into_owned(),
    })
}

/// Trusts every certificate whose key the server holds.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.0.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
