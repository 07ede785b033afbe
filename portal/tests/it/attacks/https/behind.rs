//! Plain HTTP from a proxy that ends TLS: only from the named one, only for visitors who came by HTTPS, and with every check
//! that visitors meet over TLS.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dewar::App;
use dewar::app::Running;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

const BEHIND: &str = "DEWAR_HTTPS_BEHIND_PROXY";
const FORM: (&str, &str) = ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for");

async fn open(data: &TempDir, settings: &[(&str, &str)]) -> Running {
    let app = App::in_directory_with(data, settings.iter().copied()).unwrap();
    portal::app(app).start().await.unwrap()
}

/// Sends these bytes and reads the answer to its end.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    // A refused connection may be closed before the request is written.
    drop(stream.write_all(request.as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

async fn sent(running: &Running, request: &str) -> String {
    exchange(TcpStream::connect(running.https()).await.unwrap(), request).await
}

/// A request of the proxy, with more header lines.
fn request(method: &str, path: &str, lines: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n")
}

const SECURE: &str = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n";

/// ASVS: V3.3.1, V3.3.3, V3.4.1, V12.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_by_https_gets_hsts_and_secure_cookies_and_one_by_http_a_redirect() {
    let data = tempfile::tempdir().unwrap();
    let running = open(&data, &[FORM, (BEHIND, "127.0.0.1:0")]).await;
    assert_eq!(running.url(), "https://localhost");
    let answer = sent(&running, &request("GET", "/sign-in", SECURE)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("strict-transport-security: max-age="),
        "{answer}"
    );
    let cookies = answer
        .lines()
        .filter(|line| line.starts_with("set-cookie: "));
    let cookies: Vec<&str> = cookies.collect();
    assert!(!cookies.is_empty(), "{answer}");
    for cookie in cookies {
        assert!(cookie.starts_with("set-cookie: __Host-"), "{cookie}");
        assert!(
            cookie.contains("; Secure") && cookie.contains("; HttpOnly"),
            "{cookie}"
        );
    }
    let plain = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n";
    let answer = sent(&running, &request("GET", "/documents?tag=a", plain)).await;
    assert!(answer.starts_with("HTTP/1.1 301"), "{answer}");
    assert!(
        answer.contains("location: https://localhost/documents?tag=a\r\n"),
        "{answer}"
    );
    let form = format!("{plain}Content-Length: 0\r\n");
    let answer = sent(&running, &request("POST", "/sign-in", &form)).await;
    assert!(
        answer.starts_with("HTTP/1.1 4"),
        "a form in clear: {answer}"
    );
    running.stop().await.unwrap();
}

/// Headers that say more than one thing were written by a visitor and by the proxy: the proxy must overwrite the visitor's.
///
/// ASVS: V4.1.3
#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_that_a_visitor_could_have_written_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let running = open(&data, &[FORM, (BEHIND, "127.0.0.1:0")]).await;
    for lines in [
        "",
        "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n",
        "X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n",
        "X-Forwarded-Proto: https, http\r\n",
        "X-Forwarded-Proto: httpss\r\n",
        "X-Forwarded-Ssl: on\r\n",
        "Forwarded: proto=https\r\n",
    ] {
        let answer = sent(&running, &request("GET", "/", lines)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lines}: {answer}");
        assert!(!answer.contains("set-cookie"), "{lines}: {answer}");
    }
    let answer = sent(&running, &request("GET", "/", SECURE)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // The origin is the operator's, whatever headers come.
    let host = format!("{SECURE}X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 81\r\n");
    let answer = sent(&running, &request("GET", "/", &host)).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && !answer.contains("evil.example"),
        "{answer}"
    );
    running.stop().await.unwrap();
}

/// A visitor whom the proxy does not name would be this machine: near, and counted with all others.
///
/// ASVS: V4.1.3
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_whom_the_proxy_does_not_name_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let forwarded = ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "forwarded");
    let running = open(&data, &[forwarded, (BEHIND, "127.0.0.1:0")]).await;
    for lines in [
        "X-Forwarded-Proto: https\r\n",
        SECURE,
        "X-Forwarded-Proto: https\r\nForwarded: for=unknown\r\n",
    ] {
        let answer = sent(&running, &request("GET", "/", lines)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{lines}: {answer}");
    }
    // A visitor's word, through a proxy that writes another header: no letter is shown.
    let near = "X-Forwarded-Proto: https\r\nForwarded: for=127.0.0.1\r\n";
    let answer = sent(&running, &request("GET", "/dewar/mail", near)).await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    running.stop().await.unwrap();
}

/// On a platform, everyone in its network can reach the port; only the named proxies get an answer.
///
/// ASVS: V4.1.3, V12.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_not_the_named_proxy_gets_no_answer() {
    let platform = (BEHIND, "platform");
    for (network, is_answered) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let data = tempfile::tempdir().unwrap();
        let trusted = ("DEWAR_HTTPS_TRUSTED_PROXIES", network);
        let running = open(&data, &[FORM, platform, trusted]).await;
        let answer = sent(&running, &request("GET", "/", SECURE)).await;
        assert_eq!(answer.starts_with("HTTP/1.1 200"), is_answered, "{answer}");
        assert_eq!(answer.is_empty(), !is_answered, "{answer}");
        running.stop().await.unwrap();
    }
    // Without a network nobody is named, and a plain listener for everyone is refused.
    for settings in [
        &[platform][..],
        &[FORM, platform],
        &[FORM, (BEHIND, "0.0.0.0:8000")],
        &[FORM, (BEHIND, "192.0.2.1:8000")],
    ] {
        let data = tempfile::tempdir().unwrap();
        let app = App::in_directory_with(&data, settings.iter().copied()).unwrap();
        let refused = portal::app(app).start().await;
        let refused = format!("{:?}", refused.unwrap_err());
        assert!(
            refused.contains("https.behind_proxy") || refused.contains("https.trusted_proxies"),
            "{refused}"
        );
    }
}

/// Shapes of requests that a proxy and the application could read differently (CWE-444), on the plain listener too.
///
/// ASVS: V4.2.1, V4.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_two_readings_is_refused_on_the_plain_listener() {
    let data = tempfile::tempdir().unwrap();
    let running = open(&data, &[FORM, (BEHIND, "127.0.0.1:0")]).await;
    let second = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for lines in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 4\r\nContent-Length: 9\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length: +4\r\n",
        "X: a\nContent-Length: 4\r\n",
    ] {
        let head = request("POST", "/sign-in", &format!("{SECURE}{lines}"));
        let answer = sent(&running, &format!("{head}0\r\n\r\n{second}")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{lines}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
    }
    running.stop().await.unwrap();
}

/// The socket's mode decides who is the proxy.
#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_for_the_owner_and_the_group_and_goes_with_the_program() {
    let (data, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = place.path().join("http");
    let socket = format!("unix:{}", path.display());
    let running = open(&data, &[FORM, (BEHIND, &socket)]).await;
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&path), 0o660);
    let connected = UnixStream::connect(&path).await.unwrap();
    let answer = exchange(connected, &request("GET", "/", SECURE)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.stop().await.unwrap();
    assert!(!path.exists());
    // Where others can write, they could put their own socket in its place.
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let data = tempfile::tempdir().unwrap();
    let app = App::in_directory_with(&data, [FORM, (BEHIND, &socket)]).unwrap();
    let refused = format!("{:?}", portal::app(app).start().await.unwrap_err());
    assert!(
        refused.contains("https.behind_proxy") && refused.contains("chmod"),
        "{refused}"
    );
}
