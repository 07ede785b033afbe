//! An application in which everything is wrong, and the auditor's finding for each problem.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dewar::audit::{Clock, Entry, Event, Log, Mode, Severity};
use dewar::secrets::KeyRing;
use dewar::testing::{OtherSite, OtherSiteReply, RecordedRequest};
use dewar_audit::sources::{HttpOptions, HttpSource, LockFile, Person, RouteList, Sources};
use dewar_audit::{audit, checks};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const KNOWN: &str = "ada@example.org";

const ROUTES: &str = r#"[
    {"method": "GET", "path": "/", "access": "public", "query": {"fields": [{"name": "q", "widget": "line"}]}},
    {"method": "GET", "path": "/go", "access": "public", "query": {"fields": [{"name": "next", "widget": "line"}]}},
    {"method": "GET", "path": "/sign-in", "access": "public"},
    {"method": "POST", "path": "/sign-in", "access": "public", "form": {"fields": [
        {"name": "email", "widget": "email", "required": true},
        {"name": "password", "widget": "password", "required": true}]}},
    {"method": "POST", "path": "/sign-out", "access": "signed_in"},
    {"method": "GET", "path": "/account", "access": "signed_in"},
    {"method": "POST", "path": "/transfer", "access": "signed_in"},
    {"method": "GET", "path": "/users", "access": "any_role:administrator,reviewer"},
    {"method": "POST", "path": "/hooks/billing", "access": "webhook:billing"}]"#;

const LOCK_FILE: &str = r#"
    [[package]]
    name = "from-git"
    version = "1.0.0"
    source = "git+https://host.example/from-git"
    [[package]]
    name = "unsummed"
    version = "1.0.0"
    source = "registry+https://index.example"
"#;

fn answer(asked: &RecordedRequest) -> OtherSiteReply {
    let (path, text) = (
        asked.path(),
        decoded(asked.query()) + &decoded(&asked.text()),
    );
    let reply = match (asked.method(), path) {
        ("GET", "/go") if text.contains("next=") => {
            let next: String = text
                .replace("next=", "")
                .chars()
                .filter(char::is_ascii_graphic)
                .collect();
            page("").status(302).header("location", &next)
        }
        // It accepts everything except signed requests.
        ("POST", "/hooks/billing") if is_signed(asked) => page("").status(403),
        ("GET", "/sign-out") => page("").header("set-cookie", "session=; Max-Age=0"),
        ("GET", "/sign-in") => page(&sign_in_page(&text)),
        ("POST", "/sign-in") if text.contains("password=right") => page("")
            .status(302)
            .header("location", "/")
            .header("set-cookie", &session(asked)),
        ("POST", "/sign-in") if text.contains(KNOWN) => page("The password is wrong."),
        ("GET", "/account") => page("<form method=post action=/sign-out></form>"),
        ("GET", "/.well-known/security.txt") => OtherSiteReply::bytes("text/html", "nobody"),
        _ => page(&format!(
            "secret_key=hunter2 panicked at src/main.rs {} {text}",
            decoded(path)
        )),
    };
    let reply = if text.contains('\'') {
        reply.status(500)
    } else {
        reply
    };
    let reply = if path.contains("no-such-page") {
        reply.status(404)
    } else {
        reply
    };
    let reply = if text.contains("x-zq9:") {
        reply.header("x-zq9", "set")
    } else {
        reply
    };
    reply
        .header("set-cookie", "seen=1")
        .header("server", "weak/1.0")
        .header("strict-transport-security", "max-age=10")
        .header("access-control-allow-origin", "*")
}

/// Whether a sender with the key signed it, judged by the timestamp.
fn is_signed(asked: &RecordedRequest) -> bool {
    let signature = asked.header("x-signature").unwrap_or_default();
    signature.starts_with("t=") && !signature.starts_with("t=1,")
}

/// A page that does not declare its charset.
fn page(html: &str) -> OtherSiteReply {
    OtherSiteReply::bytes("text/html", html.to_owned())
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The session that the browser sent.
fn session(asked: &RecordedRequest) -> String {
    let brought = asked.header("cookie").unwrap_or_default();
    let own = brought
        .split("; ")
        .find_map(|cookie| cookie.strip_prefix("session="));
    format!("session={}; Domain=localhost", own.unwrap_or("1234"))
}

fn sign_in_page(text: &str) -> String {
    format!(
        "{text}
        <form method=post action=/sign-in><input type=hidden name=t value=x><input name=email></form>
        <form action=/sign-in><input type=password name=password></form>"
    )
}

/// Plain HTTP that does not redirect to HTTPS.
async fn plain() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 8192];
            if stream.read(&mut request).await.is_ok() {
                drop(
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
                        .await,
                );
            }
        }
    });
    format!("http://{address}")
}

/// A data directory that everybody on the machine can read, with an altered entry in its log.
async fn data(root: &Path) {
    let ring = KeyRing::open_or_create(&root.join("keys"), Mode::Development).unwrap();
    let path = root.join("audit.jsonl");
    let long_ago = Clock::manual(Clock::system().now() - 1_200);
    let log = Log::open(&path, ring.chain_keys(), long_ago).unwrap();
    // About an attack before this audit: it does not show how the next one is logged.
    log.record(Entry::new(Event::MaliciousCsrf));
    log.record(Entry::new(Event::AuthnLoginFail).subject("eve"));
    log.record(Entry::new(Event::AuthnLoginFail).subject("eve"));
    log.flush().await;
    drop(log);
    fs::write(
        &path,
        fs::read_to_string(&path)
            .unwrap()
            .replacen("\"eve\"", "\"bob\"", 1),
    )
    .unwrap();
    fs::create_dir(root.join("keys/webhooks")).unwrap();
    fs::write(root.join("keys/webhooks/billing"), "what both know\n").unwrap();
    fs::write(root.join("database.sqlite"), "").unwrap();
    fs::write(root.join("server.key"), "").unwrap();
    fs::create_dir(root.join("uploads")).unwrap();
    for name in ["audit.jsonl", "database.sqlite", "server.key", "uploads"] {
        fs::set_permissions(root.join(name), Permissions::from_mode(0o755)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_check_finds_its_weakness() {
    let site = OtherSite::open(answer).await;
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    fs::write(&authority, site.authority_pem()).unwrap();
    let root = directory.path().join("data");
    data(&root).await;
    let printed = directory.path().join("printed.log");
    fs::write(
        &printed,
        "thread 'main' panicked at src/main.rs:1:2:\nout of luck\n",
    )
    .unwrap();

    let mut manner = HttpOptions::new(site.url(), authority);
    manner.plain = Some(plain().await);
    manner.rate = 1000;
    let mut looks = Sources::new(
        HttpSource::open(&manner).unwrap(),
        RouteList::read(ROUTES).unwrap(),
    );
    looks.lock_file = Some(LockFile::read(LOCK_FILE).unwrap());
    looks.data = Some(root);
    looks.printed = Some(printed);
    looks.person = Some(Person::new(KNOWN, "right", Vec::new()));
    let report = audit(&looks).await;

    let fired: BTreeSet<&str> = report.findings.iter().map(|finding| finding.id).collect();
    let silent: Vec<&str> = checks::all()
        .map(|check| check.id)
        .filter(|id| !fired.contains(id))
        .collect();
    // An existing security.txt is not reported; `hello` has none.
    assert_eq!(silent, ["audit-contact-missing"], "{report}");
    assert_eq!(report.verdict(Severity::Medium).status(), 1);
}

#[tokio::test]
async fn what_cannot_be_reached_is_not_clean() {
    let site = OtherSite::open(answer).await;
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    fs::write(&authority, site.authority_pem()).unwrap();
    let answers = HttpSource::open(&HttpOptions::new(site.url(), authority)).unwrap();
    drop(site);
    tokio::task::yield_now().await;
    let report = audit(&Sources::new(answers, RouteList::read(ROUTES).unwrap())).await;
    assert_eq!(report.verdict(Severity::Medium).status(), 2, "{report}");
}

#[tokio::test]
async fn an_authority_that_is_not_the_sites_is_not_trusted() {
    let (site, other) = (OtherSite::open(answer).await, OtherSite::open(answer).await);
    let directory = tempfile::tempdir().unwrap();
    let authority = directory.path().join("authority.pem");
    fs::write(&authority, other.authority_pem()).unwrap();
    let answers = HttpSource::open(&HttpOptions::new(site.url(), authority)).unwrap();
    assert!(
        answers
            .ask(dewar_audit::sources::Ask::get("/"))
            .await
            .is_err()
    );
}
