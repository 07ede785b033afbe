//! ACME over real sockets: with an authority of our own, which has renewal information and profiles, and with Pebble.

mod dates;
mod pebble;
mod programs;
mod renewals;
mod wrong;

use super::{Acme, Challenge, Config, MIGRATIONS, PlainHttp};
use crate::audit::Clock;
use crate::database::Db;
use crate::https::{
    Hosts, HttpsLayer, Listener, RequestLimits, TlsProfile, ToHttps, Transport, server_config,
};
use crate::secrets::KeyRing;
use axum::body::Body;
use axum::http::{Request, Response};
use rustls::pki_types::{CertificateDer, ServerName};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use test_servers::AcmeServer;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;

const HOST: &str = "portal.test";

/// The database and keys that several nodes share, and a clock that the test sets.
#[derive(Clone)]
struct Shared {
    db: Db,
    ring: KeyRing,
    clock: Clock,
    files: Arc<tempfile::TempDir>,
}

impl Shared {
    async fn at(now: i64) -> Self {
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        Self {
            db,
            ring: KeyRing::ephemeral(),
            clock: Clock::manual(now),
            files: Arc::new(tempfile::tempdir().unwrap()),
        }
    }

    /// A node, as a process that starts now.
    async fn node(&self, config: &Config) -> Acme {
        let hosts = Hosts::new([HOST]).unwrap();
        let shared = (self.db.clone(), self.ring.clone(), self.clock.clone());
        Acme::open(config.clone(), hosts, shared).await.unwrap()
    }

    /// A node that orders from this authority and answers its challenges on plain HTTP.
    async fn ordering_from(&self, authority: &AcmeServer) -> Acme {
        self.node(&self.trusting(authority, Challenge::Http01))
            .await
    }

    fn authority(&self, life: i64) -> AcmeServer {
        let clock = self.clock.clone();
        AcmeServer::open(move || clock.now(), life)
    }

    fn trusting(&self, authority: &AcmeServer, challenge: Challenge) -> Config {
        let root = self.files.path().join("root.pem");
        std::fs::write(&root, authority.authority_pem()).unwrap();
        config(authority.directory(), &root, challenge)
    }
}

/// The two listeners of a node. They end with this value.
struct Served {
    https: SocketAddr,
    http: SocketAddr,
    _stop: watch::Sender<()>,
}

impl Served {
    fn start(acme: &Acme) -> Self {
        let (stop, stopped) = watch::channel(());
        let hosts = Hosts::new([HOST]).unwrap();
        let bind = || Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let secure = bind().answering(Some(acme.answers()));
        let plain = bind();
        let (https, http) = (secure.address(), plain.address());
        let limits = RequestLimits::default();
        let protect = HttpsLayer::new(hosts.clone(), limits.clone(), Transport::Certificate);
        let pages = tower::service_fn(move |request: Request<hyper::body::Incoming>| {
            let protect = protect.clone();
            let hello = async |_| Response::new(Body::from("hello"));
            Box::pin(async move {
                Ok::<_, Infallible>(protect.around(request.map(Body::new), hello).await)
            })
        });
        let tls = server_config(Arc::clone(acme.certificates()), TlsProfile::Intermediate).unwrap();
        let asked = PlainHttp {
            answers: Some(acme.answers()),
            others: ToHttps::new(hosts, https.port(), limits.clone()),
        };
        let wait = |mut stopped: watch::Receiver<()>| async move { drop(stopped.changed().await) };
        tokio::spawn(secure.serve(pages, Some(tls), limits.clone(), wait(stopped.clone())));
        tokio::spawn(plain.serve(asked, None, limits, wait(stopped)));
        Self {
            https,
            http,
            _stop: stop,
        }
    }
}

/// The certificate that a client gets, whoever issued it.
async fn shown(address: SocketAddr, protocol: &[u8]) -> Option<CertificateDer<'static>> {
    let mut config =
        rustls::ClientConfig::builder_with_provider(Arc::new(crate::https::tls::provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(anyone::Anyone))
            .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from(HOST).unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .ok()?;
    let certificates = stream.get_ref().1.peer_certificates()?;
    Some(certificates.first()?.clone().into_owned())
}

/// The response of plain HTTP.
async fn fetched(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

mod anyone {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    /// A client that only records the certificate.
    #[derive(Debug)]
    pub(super) struct Anyone;

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
            vec![
                SignatureScheme::ECDSA_NISTP256_SHA256,
                SignatureScheme::RSA_PSS_SHA256,
            ]
        }
    }
}

/// A configuration whose authority cannot be reached.
fn nowhere(challenge: Challenge) -> Config {
    let directory = "https://127.0.0.1:9/dir".to_owned();
    config(directory, Path::new("/nowhere"), challenge)
}

/// A configuration that trusts this authority.
fn config(directory: String, root: &Path, challenge: Challenge) -> Config {
    Config {
        directory,
        contact: vec!["admin@portal.test".to_owned()],
        challenge,
        root: Some(root.to_owned()),
        ..Config::default()
    }
}
