//! Places where an attacker could find a secret.

use dewar::testing::Browser;

use crate::company::{Portal, files_below};

/// Requests a link through the form, and returns its path from the newest letter.
async fn reset_link(portal: &Portal, name: &str) -> String {
    let visitor = portal.visitor();
    let form = visitor.get("/forgot").await.form("/forgot");
    let answer = visitor
        .submit(form.fill("email", &format!("{name}@example.org")))
        .await;
    assert_eq!(answer.status(), 303);
    portal.running.dewar().accounts().settle().await;
    let letters = files_below(&portal.data.path().join("outbox"));
    let letter = std::fs::read_to_string(letters.last().unwrap())
        .unwrap()
        .replace("=\r\n", "");
    let (_, link) = letter.split_once("/reset/").unwrap();
    format!("/reset/{}", link.split_whitespace().next().unwrap())
}

/// Somebody who may read the log, or the page that shows it, must not be able to use a link that is still valid.
///
/// ASVS: V16.2.5, V14.2.1, V6.4.3
#[tokio::test]
async fn a_link_that_opens_an_account_is_in_no_log_and_no_table() {
    let portal = Portal::open().await;
    let setup = portal
        .running
        .dewar()
        .accounts()
        .setup_path()
        .await
        .unwrap()
        .unwrap();
    let visitor = portal.visitor();
    knock(&visitor, &setup).await;
    portal.member("ada").await;
    let link = reset_link(&portal, "ada").await;
    knock(&visitor, &link).await;
    assert!(portal.log().await.contains("malicious_csrf"));
    let grace = portal.administrator().await;
    let shown = grace.get("/admin/audit").await.text();
    for path in [setup, link] {
        let token = path.rsplit('/').next().unwrap();
        assert_eq!(token.len(), 43);
        assert!(!shown.contains(token), "the page of the log shows {path}");
        for file in files_below(portal.data.path()) {
            let content = std::fs::read(&file).unwrap();
            let found = content
                .windows(token.len())
                .any(|part| part == token.as_bytes());
            let is_letter = file.starts_with(portal.data.path().join("outbox"))
                && String::from_utf8_lossy(&content).contains("To: ada@example.org");
            assert_eq!(
                found,
                is_letter && path.starts_with("/reset/"),
                "{path} in {}",
                file.display()
            );
        }
    }
}

/// Requests to a link's address that are refused for different reasons, and so are logged.
async fn knock(visitor: &Browser, path: &str) {
    let page = visitor.get(path).await;
    assert_eq!(page.status(), 200, "the link is good");
    let (kind, body) = page.form(path).tamper("unknown", "1").encoded();
    let same =
        |request: dewar::testing::RawRequest| request.header("sec-fetch-site", "same-origin");
    let refused = [
        visitor.raw("POST", path).form("a=b"),
        same(visitor.raw("POST", path)).form("a=b"),
        same(visitor.raw("POST", path))
            .header("content-type", kind)
            .body(body),
        visitor
            .raw("GET", path)
            .header("sec-fetch-site", "cross-site"),
        same(visitor.raw("DELETE", path)),
        visitor.raw("GET", &format!("{path}?a=b")),
        visitor.raw("GET", &format!("{path}/x")),
    ];
    for request in refused {
        request.send().await.unwrap();
    }
    assert_eq!(
        visitor.get(path).await.status(),
        200,
        "the link is still good"
    );
}

/// Paths that scanners request, and the paths of our own secrets.
const SOUGHT: [&str; 29] = [
    "keys/keys.toml",
    "data/keys/keys.toml",
    "database.sqlite",
    "audit.jsonl",
    "local-authority/authority.key",
    "outbox/",
    "uploads/",
    ".env",
    ".git/config",
    ".htaccess",
    "dewar.toml",
    "Cargo.toml",
    "Cargo.lock",
    "templates/layout.html",
    "debug",
    "metrics",
    "server-status",
    "static/",
    "static",
    "static/portal.css",
    "static/.gitignore",
    "static/%2e%2e/keys/keys.toml",
    "static/..%2fkeys%2fkeys.toml",
    "static/..%5ckeys%5ckeys.toml",
    "static/%252e%252e/keys/keys.toml",
    "static/....//keys/keys.toml",
    "static//etc/passwd",
    "static/%00",
    "static/file:///etc/passwd",
];

/// ASVS: V13.4.1, V13.4.3, V13.4.7, V13.4.5
#[tokio::test]
async fn no_file_of_the_machine_is_served() {
    let portal = Portal::open().await;
    let ada = portal
        .person("ada", &["administrator", "member", "reviewer"])
        .await;
    let style = ada
        .get("/")
        .await
        .attribute("link[rel=stylesheet]", "href")
        .unwrap();
    assert_eq!(ada.get(&style).await.status(), 200);
    for name in SOUGHT {
        let answer = ada.raw("GET", &format!("/{name}")).send().await.unwrap();
        assert!(
            [400, 404].contains(&answer.status().as_u16()),
            "{name}: {}",
            answer.status()
        );
    }
    // Dots that a client would normalize before it sends the request.
    for target in [
        "/static/../keys/keys.toml",
        "/static/..",
        "/../../etc/passwd",
        "/static/./portal.css",
        "/..;/keys/keys.toml",
    ] {
        let mut socket = ada.socket().await.unwrap();
        let request =
            format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        socket.send(request.as_bytes()).await.unwrap();
        let status = socket
            .hear(dewar::testing::PATIENCE)
            .await
            .status()
            .unwrap();
        assert!([400, 404].contains(&status), "{target}: {status}");
    }
}

/// ASVS: V16.2.5, V13.3.1
#[tokio::test]
async fn what_is_printed_for_a_developer_holds_no_secret() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let keys = std::fs::read_to_string(portal.data.path().join("keys/keys.toml")).unwrap();
    let is_key = |line: &&str| line.trim_start().starts_with("key =");
    let secret = keys
        .lines()
        .find(is_key)
        .unwrap()
        .split('"')
        .nth(1)
        .unwrap();
    assert!(secret.len() > 40);
    let session = ada.cookie("__Host-session").unwrap().value().to_owned();
    let dewar = portal.running.dewar();
    let printed = format!(
        "{:?} {:?} {dewar:?} {:?} {:?} {:?} {:?}",
        portal.running,
        portal.running.findings(),
        dewar.keys(),
        dewar.sessions(),
        dewar.accounts(),
        dewar.log(),
    );
    assert!(printed.len() > 300, "{printed}");
    for secret in [secret, &session] {
        assert!(!printed.contains(secret));
    }
}
