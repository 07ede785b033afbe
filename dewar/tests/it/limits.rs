//! Rate limits of routes, of headings and of the application: counted by all nodes together, whatever a client sends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dewar::accounts::NewUser;
use dewar::api::{ApiScope, TokenHolder, TokenRequest};
use dewar::app::{RateLimit, Running};
use dewar::audit::Clock;
use dewar::forms::Line;
use dewar::pages::Text;
use dewar::sessions::UserId;
use dewar::testing::{Browser, Cookies, TestResponse};
use dewar::{App, Form, Page, Redirect, accounts, get, post};
use tempfile::TempDir;

use crate::servers::{self, Server};

const PASSWORD: &str = "a quiet lake before the rain";

#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    TicketsRead,
    TicketsWrite,
}

#[derive(Form, Debug)]
struct NewNote {
    title: Line<40>,
}

async fn found() -> Text {
    Text::new("found")
}

async fn note_page() -> Page {
    Page::new("limits/note.html").form("form", NewNote::view())
}

async fn note(form: Form<NewNote>) -> dewar::Result<Redirect> {
    form.or_rerender("limits/note.html")
        .map(|_| Redirect::to("/"))
}

#[derive(rust_embed::RustEmbed)]
#[folder = "tests/it/templates"]
struct Templates;

fn app(app: App) -> App {
    let three = RateLimit::per_hour(3);
    app.templates::<Templates>()
        .public([
            get("/", found),
            get("/note", note_page),
            post("/note", note).rate_limit(three.by_address()),
            get("/code", found).rate_limit(three.by_address().fail_closed()),
            get("/sign-in", accounts::sign_in_page),
            post("/sign-in", accounts::sign_in),
        ])
        .signed_in(
            three
                .by_user()
                .over("search", [get("/search", found), get("/export", found)]),
        )
        .api(
            Scope::TicketsRead,
            three
                .by_token()
                .over("tickets", [get("/api/tickets", found)]),
        )
        .api(
            Scope::TicketsWrite,
            three.by_token().over("tickets", [get("/api/write", found)]),
        )
        .rate_limit(RateLimit::per_hour(12).by_address())
}

/// The database of several nodes.
enum Engine {
    Postgres(Server),
    Sqlite,
}

/// Two programs on one database.
struct Nodes {
    all: Vec<Running>,
    authorities: Vec<Vec<u8>>,
    clock: Clock,
    _engine: Engine,
    _data: TempDir,
}

impl Nodes {
    async fn open(engine: Engine) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Clock::system().now());
        let (mut all, mut authorities) = (Vec::new(), Vec::new());
        for node in ["web-1", "web-2"] {
            if node == "web-2" {
                same_keys(data.path());
            }
            let settings = settings(&engine, data.path(), node);
            let made = App::in_directory_with(data.path().join(node), settings).unwrap();
            let running = app(made).clock(clock.clone()).start().await.unwrap();
            authorities.push(fs::read(running.authority_file().unwrap()).unwrap());
            all.push(running);
        }
        Self {
            all,
            authorities,
            clock,
            _engine: engine,
            _data: data,
        }
    }

    /// A browser at one of the nodes.
    fn browser(&self, node: usize) -> Browser {
        Browser::new(self.all[node].url(), &self.authorities[node])
    }

    async fn user(&self) -> UserId {
        let person = NewUser {
            email: "ada@example.org",
            name: "Ada",
            password: PASSWORD,
        };
        let accounts = self.all[0].dewar().accounts();
        accounts.add(person, &[]).await.unwrap()
    }

    async fn signed_in(&self, node: usize) -> Browser {
        let browser = self.browser(node);
        let form = browser.get("/sign-in").await.form("/sign-in");
        let form = form.fill("email", "ada@example.org");
        let answer = browser.submit(form.fill("password", PASSWORD)).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        browser
    }

    async fn stop(self) {
        for node in self.all {
            node.stop().await.unwrap();
        }
    }
}

/// Gives the second node the keys of the first.
fn same_keys(data: &Path) {
    let [first, second] = ["web-1", "web-2"].map(|node| data.join(node).join("keys"));
    for folder in [second.parent().unwrap(), &second] {
        fs::create_dir(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::copy(first.join("keys.toml"), second.join("keys.toml")).unwrap();
}

/// A node's settings. Both nodes are behind a proxy that names the client.
fn settings(engine: &Engine, data: &Path, node: &str) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("DEWAR_NODE", node.to_owned()),
        ("DEWAR_HTTPS_TRUSTED_PROXIES", "127.0.0.1".to_owned()),
        ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for".to_owned()),
    ];
    match engine {
        Engine::Sqlite => {
            let file = data.join("shared.sqlite");
            settings.push(("DEWAR_DATABASE_URL", format!("sqlite:{}", file.display())));
        }
        Engine::Postgres(server) => {
            let url = format!("postgres://dewar@localhost:{}/postgres", server.port);
            let password = server.password_file().display().to_string();
            settings.push(("DEWAR_DATABASE_URL", url));
            settings.push(("DEWAR_DATABASE_PASSWORD_FILE", password));
        }
    }
    settings
}

async fn from(browser: &Browser, path: &str, address: &str) -> TestResponse {
    let request = browser.raw("GET", path);
    request
        .header("x-forwarded-for", address)
        .send()
        .await
        .unwrap()
}

/// Everything that an attacker with many addresses, browsers and nodes can vary.
async fn nothing_that_a_client_varies_admits_more(engine: Engine) {
    let nodes = Nodes::open(engine).await;
    let ada = nodes.user().await;
    // By user, over addresses, browsers, nodes and the routes of the heading.
    let (one, other) = (nodes.signed_in(0).await, nodes.signed_in(0).await);
    let mut answers = Vec::new();
    for (browser, path, address) in [
        (&one, "/search", "192.0.2.1"),
        (&other, "/export", "192.0.2.2"),
        (&one, "/export", "2001:db8::1"),
        (&other, "/search", "198.51.100.7"),
    ] {
        answers.push(from(browser, path, address).await);
    }
    let statuses: Vec<u16> = answers
        .iter()
        .map(|answer| answer.status().as_u16())
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    let headers = |name| {
        answers
            .iter()
            .map(move |answer| answer.header(name).unwrap_or_default())
    };
    let counts: Vec<_> = headers("ratelimit")
        .map(|value| value.split(',').next().unwrap())
        .collect();
    let search = |left, reset| format!("\"search\";r={left};t={reset}");
    assert_eq!(
        counts,
        [
            search(2, 1200),
            search(1, 2400),
            search(0, 3600),
            search(0, 3600)
        ]
    );
    assert_eq!(
        headers("ratelimit-policy").next(),
        Some("\"search\";q=3;w=3600, \"app\";q=12;w=3600")
    );
    assert_eq!(answers[3].header("retry-after"), Some("1200"));
    let at_the_other = nodes.signed_in(1).await;
    assert_eq!(
        from(&at_the_other, "/search", "203.0.113.9").await.status(),
        429
    );
    by_token(&nodes, ada).await;
    by_address(&nodes).await;
    nodes.clock.advance(std::time::Duration::from_secs(1200));
    assert_eq!(nodes.signed_in(1).await.get("/search").await.status(), 200);
    assert_eq!(nodes.signed_in(0).await.get("/search").await.status(), 429);
    nodes.stop().await;
}

/// By token, over both headings of one limit, and another token of the same person has its own.
async fn by_token(nodes: &Nodes, ada: UserId) {
    let token = async |name| {
        let request = TokenRequest {
            name,
            scopes: &["tickets_read", "tickets_write"],
            days: 30,
        };
        let tokens = nodes.all[0].dewar().api_tokens();
        let holder = TokenHolder::Person(ada);
        tokens
            .create(None, holder, request)
            .await
            .unwrap()
            .0
            .expose()
            .clone()
    };
    let call = async |node, token: &str, path, address| {
        let request = nodes.browser(node).raw("GET", path).cookies(Cookies::No);
        let request = request.header("authorization", format!("Bearer {token}"));
        request
            .header("x-forwarded-for", address)
            .send()
            .await
            .unwrap()
    };
    let (one, other) = (token("one").await, token("other").await);
    for (node, path, address, status) in [
        (0, "/api/tickets", "192.0.2.10", 200),
        (1, "/api/write", "192.0.2.11", 200),
        (0, "/api/write", "192.0.2.12", 200),
        (1, "/api/tickets", "192.0.2.13", 429),
    ] {
        let answer = call(node, &one, path, address).await;
        assert_eq!(answer.status(), status, "{node} {path}");
        let is_problem = answer.header("content-type") == Some("application/problem+json");
        assert_eq!(is_problem, status == 429);
    }
    assert_eq!(
        call(1, &other, "/api/tickets", "192.0.2.14").await.status(),
        200
    );
}

/// By address, whatever the client writes into its own headers, and over all addresses of a /64.
async fn by_address(nodes: &Nodes) {
    let visitor = |node| nodes.browser(node);
    for (node, sent, status) in [
        (0, "2001:db8:7:7::1", 200),
        (1, "203.0.113.1, 2001:db8:7:7::2", 200),
        (0, "10.0.0.1, 127.0.0.1, 2001:db8:7:7:ffff::3", 200),
        (1, "2001:db8:7:8::9, 2001:db8:7:7::4", 429),
        (0, "2001:db8:7:8::9", 200),
    ] {
        let answer = from(&visitor(node), "/code", sent).await;
        assert_eq!(answer.status(), status, "{node} {sent}");
    }
    // The whole application: twelve over all routes. Headers that no proxy of ours wrote change nothing.
    for number in 0..12 {
        let browser = visitor(number % 2);
        let path = ["/", "/note", "/sign-in"][number % 3];
        let request = browser
            .raw("GET", path)
            .header("x-forwarded-for", "192.0.2.99");
        let request = request.header("forwarded", format!("for=192.0.2.{number}"));
        let request = request.header("x-real-ip", format!("192.0.2.{number}"));
        assert_eq!(request.send().await.unwrap().status(), 200, "{number}");
    }
    assert_eq!(from(&visitor(1), "/", "192.0.2.99").await.status(), 429);
    assert_eq!(from(&visitor(1), "/", "192.0.2.98").await.status(), 200);
}

/// ASVS: V2.4.1, V4.1.3
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_file_count_together() {
    nothing_that_a_client_varies_admits_more(Engine::Sqlite).await;
}

/// ASVS: V2.4.1, V4.1.3
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_server_count_together() {
    let Some(server) = servers::postgres() else {
        return;
    };
    nothing_that_a_client_varies_admits_more(Engine::Postgres(server)).await;
}

/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_form_beyond_its_limit_loses_no_word_at_any_node() {
    let nodes = Nodes::open(Engine::Sqlite).await;
    for number in 0..4 {
        let browser = nodes.browser(number % 2);
        let form = browser.get("/note").await.form("/note");
        let answer = browser.submit(form.fill("title", "A long thought")).await;
        if number < 3 {
            assert_eq!(answer.status(), 303, "{number}");
            continue;
        }
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.header("retry-after"), Some("1200"));
        let typed = answer.form("/note").value("title");
        assert_eq!(typed.as_deref(), Some("A long thought"));
    }
    nodes.stop().await;
}
