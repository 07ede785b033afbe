//! ACME with Pebble, which refuses every fifth nonce.

use super::programs::{Running, free, or_skip};
use super::{Challenge, Served, Shared, config, fetched, nowhere, shown};
use crate::audit::Clock;
use crate::testing::{Certified, TestAuthority, wait_until};
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Pebble, and the name server that resolves every name to this machine.
struct Pebble {
    _pebble: Running,
    _names: Running,
    files: TempDir,
    address: SocketAddr,
}

impl Pebble {
    /// None if Pebble is not installed.
    async fn start(served: &Served) -> Option<Self> {
        let (pebble, names) = (or_skip("pebble")?, or_skip("pebble-challtestsrv")?);
        let files = tempfile::tempdir().unwrap();
        let (address, manage, dns) = (free(), free(), free());
        let authority = TestAuthority::new();
        let now = Clock::system().now();
        let own = authority.certify(files.path(), &["127.0.0.1"], now, 90);
        let file = |name: &str| files.path().join(name);
        fs::write(file("root.pem"), authority.pem()).unwrap();
        let settings = settings(&own.unwrap(), (address, manage), served);
        fs::write(file("pebble.json"), settings).unwrap();
        let begin = |command: &mut Command| {
            let quiet = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            Running(quiet.spawn().unwrap())
        };
        let manage_names = free();
        let names = begin(Command::new(names).args([
            "-dns01",
            &dns.to_string(),
            "-management",
            &manage_names.to_string(),
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-defaultIPv4",
            "127.0.0.1",
            "-defaultIPv6",
            "",
        ]));
        let pebble = begin(
            Command::new(pebble)
                .args([
                    "-config",
                    &file("pebble.json").display().to_string(),
                    "-dnsserver",
                    &dns.to_string(),
                ])
                .env("PEBBLE_WFE_NONCEREJECT", "20")
                .env("PEBBLE_AUTHZREUSE", "0")
                .env("PEBBLE_VA_NOSLEEP", "1"),
        );
        // Pebble makes RSA keys first.
        wait_until("pebble listens", async || {
            TcpStream::connect(address).is_ok()
        })
        .await;
        Some(Self {
            _pebble: pebble,
            _names: names,
            files,
            address,
        })
    }

    fn directory(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    fn root(&self) -> PathBuf {
        self.files.path().join("root.pem")
    }
}

fn settings(
    own: &Certified,
    (address, manage): (SocketAddr, SocketAddr),
    served: &Served,
) -> String {
    serde_json::json!({ "pebble": {
        "listenAddress": address.to_string(),
        "managementListenAddress": manage.to_string(),
        "certificate": own.certificate,
        "privateKey": own.key,
        "httpPort": served.http.port(),
        "tlsPort": served.https.port(),
        "ocspResponderURL": "",
        "externalAccountBindingRequired": false,
    }})
    .to_string()
}

async fn a_certificate_comes_by(challenge: Challenge) {
    let now = Clock::system().now();
    let shared = Shared::at(now).await;
    // Pebble needs the ports at its start, so a node listens before it knows the authority.
    let nobody = nowhere(challenge);
    let served = Served::start(&shared.node(&nobody).await);
    let Some(pebble) = Pebble::start(&served).await else {
        return;
    };
    let acme = shared
        .node(&config(pebble.directory(), &pebble.root(), challenge))
        .await;
    let served_too = Served::start(&acme);
    let makeshift = shown(served_too.https, b"h2").await.unwrap();
    assert!(acme.status().not_after.is_none());
    acme.look().await;
    // Pebble refuses one nonce in five at random. If a request fails four times in a row, the node orders again later.
    if acme.status().failure.contains("badNonce") {
        shared.clock.advance(Duration::from_secs(61));
        acme.look().await;
    }
    let status = acme.status();
    assert!(
        status.not_after.is_some_and(|end| end > now + 86_400),
        "{status:?}"
    );
    let issued = shown(served_too.https, b"h2").await.unwrap();
    assert_ne!(issued, makeshift);
    // Dewar removes the response to a challenge afterwards.
    assert_eq!(shown(served_too.https, b"acme-tls/1").await, None);
    // A process that starts later, without the authority, serves the certificate at once. If it could not use it, it
    // would order again.
    let directory = pebble.directory();
    let root = pebble.root();
    let known = config(directory, &root, challenge);
    let again = shared.node(&known).await;
    drop(pebble);
    let later = Served::start(&again);
    assert_eq!(shown(later.https, b"h2").await.unwrap(), issued);
    again.look().await;
    assert_eq!(again.status().failures, 0, "nothing was due");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_comes_by_a_file_over_plain_http() {
    a_certificate_comes_by(Challenge::Http01).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_comes_by_a_handshake() {
    a_certificate_comes_by(Challenge::TlsAlpn01).await;
}

/// Debian's Pebble has no profiles and issues certificates for five years. It uses this machine's clock. So if the test's
/// clock is four years ahead, each new certificate is due for renewal at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_renews_many_times_while_it_is_shown() {
    let shared = Shared::at(Clock::system().now()).await;
    let nobody = nowhere(Challenge::TlsAlpn01);
    let served = Served::start(&shared.node(&nobody).await);
    let Some(pebble) = Pebble::start(&served).await else {
        return;
    };
    let known = config(pebble.directory(), &pebble.root(), Challenge::TlsAlpn01);
    let acme = shared.node(&known).await;
    let visited = Served::start(&acme);
    shared.clock.advance(Duration::from_secs(4 * 365 * 86_400));
    let mut issued = vec![shown(visited.https, b"h2").await.unwrap()];
    for _ in 0..12 {
        acme.look().await;
        let failed = acme.status().failures;
        assert!(failed < 3, "{:?}", acme.status());
        let certificate = shown(visited.https, b"h2").await.unwrap();
        if failed > 0 {
            // Pebble refused a nonce: the certificate stays, and the node orders again at the next attempt.
            assert_eq!(issued.last(), Some(&certificate));
            shared.clock.advance(Duration::from_secs(601));
        } else {
            assert!(!issued.contains(&certificate));
            issued.push(certificate);
        }
    }
    assert!(issued.len() > 8, "{}", issued.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_does_not_find_the_answer_is_tried_again_later() {
    let shared = Shared::at(Clock::system().now()).await;
    // The authority checks listeners that do not know this order: those of another installation.
    let elsewhere = Shared::at(Clock::system().now()).await;
    let nobody = nowhere(Challenge::Http01);
    let strangers = Served::start(&elsewhere.node(&nobody).await);
    let Some(pebble) = Pebble::start(&strangers).await else {
        return;
    };
    let acme = shared
        .node(&config(
            pebble.directory(),
            &pebble.root(),
            Challenge::Http01,
        ))
        .await;
    acme.look().await;
    let status = acme.status();
    assert_eq!(status.failures, 1, "{status:?}");
    assert!(!status.failure.is_empty());
    let found = acme.findings();
    assert_eq!(
        found.first().map(|finding| finding.id),
        Some("https-acme-none-yet")
    );
    // The next attempt is after a minute, not before.
    acme.look().await;
    assert_eq!(acme.status().failures, 1);
    shared.clock.advance(Duration::from_secs(61));
    acme.look().await;
    assert_eq!(acme.status().failures, 2);
    let question = fetched(
        strangers.http,
        "/.well-known/acme-challenge/LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0",
    )
    .await;
    assert!(question.starts_with("HTTP/1.1 404"), "{question}");
}
