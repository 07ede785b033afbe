//! The recipes of `docs/deployment.md` for proxies that end TLS, each run with the program that it is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dewar::app::Running;
use dewar::audit::Clock;
use dewar::forms::Line;
use dewar::live::{Live, Topic, WebSocket};
use dewar::testing::{Browser, TestAuthority, wait_until};
use dewar::{App, Form, get};
use tempfile::TempDir;
use tokio::net::TcpListener;

#[derive(Form)]
struct Word {
    word: Line<20>,
}

/// A WebSocket that says again what it hears.
async fn echo(live: Live) -> WebSocket<Word, String> {
    const NOTHING: Topic<String> = Topic::new("nothing");
    live.web_socket([&NOTHING], Some, async |word: Word| {
        Ok(Some(word.word.to_string()))
    })
}

const DOCUMENT: &str = include_str!("../../../docs/deployment.md");

/// The block of the document in this language.
fn recipe(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("\n```").unwrap().0
}

/// Whether the program is here. CI installs each of them.
fn is_missing(program: &str) -> bool {
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];
    let is_here = found
        .iter()
        .any(|folder| Path::new(folder).join(program).is_file());
    assert!(
        is_here || std::env::var_os("CI").is_none(),
        "{program} is not installed"
    );
    if !is_here {
        eprintln!("SKIPPED: {program} is not installed, so its recipe was not tried");
    }
    !is_here
}

/// A proxy, ended by its process id however the test ends.
struct Proxy(Child);

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A portal on a Unix socket, with the certificate and the ports for a proxy in front of it.
struct Behind {
    running: Running,
    authority: TestAuthority,
    /// The files of the proxy.
    folder: TempDir,
    data: TempDir,
    https: u16,
    http: u16,
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

impl Behind {
    async fn open() -> Self {
        let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let authority = TestAuthority::new();
        let now = Clock::system().now();
        let files = authority
            .certify(folder.path(), &["localhost"], now, 30)
            .unwrap();
        let both = [
            fs::read(&files.certificate).unwrap(),
            fs::read(&files.key).unwrap(),
        ]
        .concat();
        fs::write(folder.path().join("both.pem"), both).unwrap();
        let (https, http) = (free_port().await, free_port().await);
        let socket = format!("unix:{}", folder.path().join("http").display());
        let public = https.to_string();
        let settings = [
            ("DEWAR_HTTPS_BEHIND_PROXY", socket.as_str()),
            ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for"),
            ("DEWAR_HTTPS_PUBLIC_PORT", &public),
        ];
        let app = portal::app(App::in_directory_with(&data, settings).unwrap());
        let app = app.public([get("/echo", echo)]);
        let running = app.start().await.unwrap();
        Self {
            running,
            authority,
            folder,
            data,
            https,
            http,
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn named(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    /// The recipe with the paths and the ports of this test.
    fn adapted(&self, recipe: &str, more: &[(&str, &str)]) -> String {
        let mut text = recipe.replace("/run/portal/http", &self.named("http"));
        for (from, to) in more {
            assert!(text.contains(from), "the recipe has no “{from}”:\n{recipe}");
            text = text.replace(from, to);
        }
        text
    }

    async fn begin(&self, program: &str, arguments: &[&str]) -> Proxy {
        let output = fs::File::create(self.file("output")).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .env("PATH", "/usr/sbin:/usr/bin:/bin")
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let proxy = Proxy(child);
        let https = self.https;
        wait_until("the proxy listens", async || {
            std::net::TcpStream::connect(("127.0.0.1", https)).is_ok()
        })
        .await;
        proxy
    }

    /// What the proxy has said.
    fn told(&self) -> String {
        fs::read_to_string(self.file("output")).unwrap_or_default()
    }

    /// What a visitor meets through the proxy.
    async fn is_served(&self) {
        let browser = Browser::new(
            &format!("https://localhost:{}", self.https),
            self.authority.pem(),
        );
        let page = browser.get("/sign-in").await;
        assert_eq!(page.status(), 200, "{} {}", page.text(), self.told());
        assert!(page.headers().contains_key("strict-transport-security"));
        // A visitor's own headers are overwritten, and the origin and the token of the form pass.
        let form = page.form("/sign-in").fill("email", "ada@example.org");
        let (kind, body) = form.fill("password", "wrong").encoded();
        let request = browser
            .raw("POST", "/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header("x-forwarded-proto", "http")
            .header("x-forwarded-for", "203.0.113.9")
            .header("content-type", kind)
            .body(body);
        let answer = request.send().await.unwrap();
        assert!(
            [401, 422].contains(&answer.status().as_u16()),
            "{}",
            answer.text()
        );
        self.running.dewar().log().flush().await;
        let log = fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap();
        assert!(
            log.contains("127.0.0.1") && !log.contains("203.0.113.9"),
            "{log}"
        );
        // A WebSocket passes.
        let token = page.attribute("input[name=csrf_token]", "value").unwrap();
        let mut socket = browser.web_socket("/echo", &token).await;
        assert_eq!(socket.status(), 101, "{}", self.told());
        socket.send("{\"word\":\"hello\"}").await.unwrap();
        assert_eq!(socket.next().await.as_deref(), Some("\"hello\""));
        let plain = plain_get(self.http).await;
        assert!(plain.starts_with("HTTP/1.1 301"), "{plain}");
        let place = format!("location: https://localhost:{}/documents", self.https);
        assert!(plain.to_lowercase().contains(&place), "{plain}");
    }
}

/// A request in plain HTTP, as somebody types an address.
async fn plain_get(port: u16) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let request = "GET /documents HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_for_nginx_serves_visitors() {
    if is_missing("nginx") {
        return;
    }
    let behind = Behind::open().await;
    let server = behind.adapted(
        recipe("nginx"),
        &[
            ("listen 80;", &format!("listen 127.0.0.1:{};", behind.http)),
            (
                "listen 443 ssl http2;",
                &format!("listen 127.0.0.1:{} ssl http2;", behind.https),
            ),
            ("portal.example.org;", "localhost;"),
            (
                "/etc/ssl/portal/chain.pem",
                &behind.named("certificate.pem"),
            ),
            (
                "/etc/ssl/portal/key.pem",
                &behind.named("certificate-key.pem"),
            ),
        ],
    );
    let folder = behind.folder.path().display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"));
    let whole = format!(
        "daemon off; user root; pid {folder}/pid; error_log stderr; events {{}}\nhttp {{ access_log off; {}\n{server}\n}}\n",
        temporary.concat()
    );
    fs::write(behind.file("nginx.conf"), whole).unwrap();
    let file = behind.named("nginx.conf");
    let _proxy = behind
        .begin("nginx", &["-c", &file, "-p", &folder.to_string()])
        .await;
    behind.is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_for_caddy_serves_visitors() {
    if is_missing("caddy") {
        return;
    }
    let behind = Behind::open().await;
    let tls = format!(
        "localhost {{\n    tls {} {}",
        behind.named("certificate.pem"),
        behind.named("certificate-key.pem")
    );
    let site = behind.adapted(
        recipe("caddyfile"),
        &[
            ("http://portal.example.org {", "http://localhost {"),
            ("portal.example.org {", &tls),
        ],
    );
    let whole = format!(
        "{{\n    admin off\n    auto_https disable_redirects\n    https_port {}\n    http_port {}\n}}\n{}",
        behind.https,
        behind.http,
        site.replace(
            "http://localhost",
            &format!("http://localhost:{}", behind.http)
        )
    );
    fs::write(behind.file("Caddyfile"), whole).unwrap();
    let file = behind.named("Caddyfile");
    let _proxy = behind
        .begin(
            "caddy",
            &["run", "--adapter", "caddyfile", "--config", &file],
        )
        .await;
    behind.is_served().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_for_haproxy_serves_visitors() {
    if is_missing("haproxy") {
        return;
    }
    let behind = Behind::open().await;
    let whole = behind.adapted(
        recipe("haproxy"),
        &[
            ("bind :80", &format!("bind 127.0.0.1:{}", behind.http)),
            ("bind :443", &format!("bind 127.0.0.1:{}", behind.https)),
            ("/etc/haproxy/portal.pem", &behind.named("both.pem")),
        ],
    );
    fs::write(behind.file("haproxy.cfg"), format!("{whole}\n")).unwrap();
    let file = behind.named("haproxy.cfg");
    let _proxy = behind.begin("haproxy", &["-db", "-f", &file]).await;
    behind.is_served().await;
}

/// The settings for a platform, in production: the program takes `PORT`, and no other peer.
#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_for_a_platform_serves_its_proxy() {
    let data = tempfile::tempdir().unwrap();
    let port = free_port().await;
    let recipe = recipe("env").replace("10.0.0.0/8", "127.0.0.0/8");
    let variables = recipe.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<(&str, &str)> = variables.collect();
    assert!(variables.len() > 4, "{recipe}");
    let portal = |command: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_portal"));
        program
            .args(command.split(' '))
            .envs(variables.iter().copied());
        program
            .env("PORT", port.to_string())
            .env("DEWAR_DATA", data.path());
        program.current_dir(data.path());
        program
    };
    assert!(portal("keys new").output().unwrap().status.success());
    let output = fs::File::create(data.path().join("output")).unwrap();
    let mut serve = portal("serve");
    serve.stdout(output.try_clone().unwrap()).stderr(output);
    let _program = Proxy(serve.spawn().unwrap());
    wait_until("the program listens", async || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    let answer = platform_get(port).await;
    let told = fs::read_to_string(data.path().join("output")).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer} {told}");
    assert!(answer.contains("strict-transport-security"), "{answer}");
}

async fn platform_get(port: u16) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .unwrap();
    let request = "GET / HTTP/1.1\r\nHost: portal.example.org\r\nX-Forwarded-For: 192.0.2.7\r\n\
        X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
