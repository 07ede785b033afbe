//! Health probes of load balancers and orchestrators: on a listener of their own, by IP address, in plain HTTP.

use std::net::SocketAddr;
use std::sync::LazyLock;

use dewar::testing::wait_until;
use dewar::{App, get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::super::site::{self, Site};

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn probe(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    ask(address, &request).await
}

fn says(answer: &str, status: u16, text: &str) -> bool {
    answer.starts_with(&format!("HTTP/1.1 {status} "))
        && answer.ends_with(&format!("\r\n\r\n{text}\n"))
}

async fn until(address: SocketAddr, path: &str, status: u16, text: &str) {
    let so = async || says(&probe(address, path).await, status, text);
    wait_until(&format!("{path} is {status} {text}"), so).await;
}

static UNDER_WAY: LazyLock<Notify> = LazyLock::new(Notify::new);
static GO_ON: LazyLock<Notify> = LazyLock::new(Notify::new);

async fn slow() -> &'static str {
    UNDER_WAY.notify_one();
    GO_ON.notified().await;
    "done"
}

fn app(app: App) -> App {
    site::app(app).public([get("/slow", slow)])
}

const MEASURED: [(&str, &str); 2] = [
    ("DEWAR_HTTPS_HEALTH", "127.0.0.1:0"),
    ("DEWAR_HTTPS_METRICS", "true"),
];

/// A visitor adds no series, and the listener for visitors has none.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_counted_by_route_and_only_if_the_setting_says_so() {
    let site = Site::with(app, &HEALTH).await;
    let answer = probe(site.running.health().unwrap(), "/metrics").await;
    assert!(says(&answer, 404, "nothing here"), "{answer}");

    let site = Site::with(app, &MEASURED).await;
    let health = site.running.health().unwrap();
    assert_eq!(site.visitor.get("/metrics").await.status(), 404);
    for number in 0..3 {
        let path = format!("/wp-login-{number}.php?secret={number}");
        assert_eq!(site.visitor.get(&path).await.status(), 404);
        assert_eq!(site.visitor.get("/sign-in").await.status(), 200);
    }
    let text = probe(health, "/metrics").await;
    let name = "http_server_request_duration_seconds_count";
    let known =
        "http_request_method=\"GET\",http_route=\"/sign-in\",http_response_status_class=\"2xx\"";
    assert!(text.contains(&format!("{name}{{{known}}} 3\n")), "{text}");
    let unknown =
        "http_request_method=\"_OTHER\",http_route=\"\",http_response_status_class=\"4xx\"";
    assert!(text.contains(&format!("{name}{{{unknown}}} 4\n")), "{text}");
    assert!(
        !text.contains("wp-login") && !text.contains("secret"),
        "{text}"
    );
    for gauge in [
        "dewar_password_hashes_in_hand 0",
        "dewar_uploads_waiting 0",
        "dewar_database_statements_total ",
        "# TYPE dewar_audit_entries_lost_total counter",
    ] {
        assert!(text.contains(gauge), "{gauge}: {text}");
    }
}

const HEALTH: [(&str, &str); 1] = [("DEWAR_HTTPS_HEALTH", "127.0.0.1:0")];

#[tokio::test(flavor = "multi_thread")]
async fn probes_have_a_listener_of_their_own_and_it_is_off_by_default() {
    let site = Site::open().await;
    assert_eq!(site.running.health(), None);
    // The listener for visitors has no such page, and refuses every unknown host name.
    assert_eq!(site.visitor.get("/healthz").await.status(), 404);

    let site = Site::with(app, &HEALTH).await;
    let health = site.running.health().unwrap();
    for host in [health.to_string().as_str(), "10.0.0.7", "anything.example"] {
        for path in ["/healthz", "/readyz"] {
            let request =
                format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let answer = ask(health, &request).await;
            assert!(says(&answer, 200, "ok"), "{answer}");
            // Only the response.
            let head = answer.split("\r\n\r\n").next().unwrap().to_lowercase();
            for told in ["server:", "set-cookie:", "dewar", env!("CARGO_PKG_VERSION")] {
                assert!(!head.contains(told), "{head}");
            }
        }
    }
    for path in ["/", "/sign-in", "/healthz/x", "/static/dewar.css"] {
        assert!(says(&probe(health, path).await, 404, "nothing here"));
    }
    let post = "POST /readyz HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert!(says(&ask(health, post).await, 405, "only GET and HEAD"));
}

/// Sixty unfinished probes occupied every place until their timeout.
#[tokio::test(flavor = "multi_thread")]
async fn probes_that_are_sent_by_half_hold_up_none_that_is_whole() {
    let settings = [HEALTH[0], ("DEWAR_HTTPS_LIMITS_HEADER_TIMEOUT", "1m")];
    let site = Site::with(app, &settings).await;
    let health = site.running.health().unwrap();
    let mut begun = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(health).await.unwrap();
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost")
            .await
            .unwrap();
        begun.push(stream);
    }
    for path in ["/healthz", "/readyz"] {
        let answer = probe(health, path).await;
        assert!(says(&answer, 200, "ok"), "{answer}");
    }
    // The server responded while others still waited, not because their timeout was over.
    let mut newest = begun.pop().unwrap();
    newest
        .write_all(b": a\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    newest.read_to_string(&mut answer).await.unwrap();
    assert!(says(&answer, 200, "ok"), "{answer}");
    // The first ones lost their places.
    let mut nothing = Vec::new();
    drop(begun[0].read_to_end(&mut nothing).await);
    assert!(nothing.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_whose_database_takes_nothing_is_alive_and_not_ready() {
    let site = Site::with(app, &HEALTH).await;
    let health = site.running.health().unwrap();
    let held = site.running.dewar().db().begin().await.unwrap();
    until(health, "/readyz", 503, "database").await;
    assert!(says(&probe(health, "/healthz").await, 200, "ok"));
    held.rollback().await.unwrap();
    until(health, "/readyz", 200, "ok").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_stops_says_so_while_it_finishes_what_is_under_way() {
    let site = Site::with(app, &HEALTH).await;
    let health = site.running.health().unwrap();
    let (running, visitor, _data) = (site.running, site.visitor, site.data);
    let asked = tokio::spawn(async move { visitor.get("/slow").await.text() });
    UNDER_WAY.notified().await;
    let stopping = tokio::spawn(running.stop());
    until(health, "/readyz", 503, "stopping").await;
    assert!(says(&probe(health, "/healthz").await, 200, "ok"));
    GO_ON.notify_one();
    assert_eq!(asked.await.unwrap(), "done");
    stopping.await.unwrap().unwrap();
    assert!(TcpStream::connect(health).await.is_err());
}
