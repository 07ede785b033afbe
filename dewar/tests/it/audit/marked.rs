//! A token in any part of a request is in no log, whoever refuses the request.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use dewar::csrf::WebhookAuth;
use dewar::testing::{Browser, Heard, PATIENCE, TestResponse};
use dewar::{App, accounts, get, post};
use futures_util::future::{join, join_all};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};

use crate::site::{self, Site, Staff};

/// Like the token of a password reset link, in characters that need no encoding.
const MARK: &str = "Mk7dNotLoggedq9Zt3Xw5Rb8Kc2Vf6Hj4Lp1Sg0TyAx";

/// All log output of the program while [`SAYING`], of every thread, at every level.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static SAYING: AtomicUsize = AtomicUsize::new(0);

struct Said;

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SAID.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Captures the log output until it is dropped.
struct Listening;

impl Listening {
    fn begin() -> Self {
        static ONCE: Once = Once::new();
        SAYING.fetch_add(1, Ordering::Relaxed);
        ONCE.call_once(|| {
            let said = tracing_subscriber::fmt::layer()
                .with_writer(|| Said)
                .with_ansi(false);
            // Only an operator enables other libraries' output below INFO, and its content is theirs.
            let heard = dynamic_filter_fn(|about, _| {
                let ours = about.target().starts_with("dewar");
                let loud = ours || *about.level() <= tracing::Level::INFO;
                loud && SAYING.load(Ordering::Relaxed) > 0
            });
            let all = tracing_subscriber::registry().with(said.with_filter(heard));
            tracing::subscriber::set_global_default(all).unwrap();
        });
        Self
    }

    fn end(self) -> String {
        let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        SAYING.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn fails() -> dewar::Result<&'static str> {
    Err(dewar::Error::internal("the books are closed"))
}

async fn hangs() -> &'static str {
    std::future::pending().await
}

async fn panics() -> &'static str {
    panic!("a handler that panics")
}

fn app(app: App) -> App {
    site::app(app)
        .public([
            get("/forgot", accounts::forgot_page),
            post("/forgot", accounts::forgot),
            get("/reset/{token}", accounts::reset_page),
            post("/reset/{token}", accounts::reset),
            get("/fails/{token}", fails),
            get("/panics/{token}", panics),
        ])
        .role(Staff::HeadOfOffice, [post("/office/{token}", fails)])
        .webhook(
            WebhookAuth::hmac("billing"),
            [post("/hooks/{token}", fails)],
        )
}

/// A route for requests that take too long.
fn slow(app: App) -> App {
    site::app(app).public([
        get("/forgot", accounts::forgot_page),
        post("/forgot", accounts::forgot),
        get("/reset/{token}", accounts::reset_page),
        post("/reset/{token}", accounts::reset),
        get("/hangs/{token}", hangs),
    ])
}

fn share_a_key(data: &Path) {
    let folder = data.join("keys/webhooks");
    let mut folders = std::fs::DirBuilder::new();
    folders.recursive(true).mode(0o700).create(&folder).unwrap();
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create_new(true);
    let mut file = std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
        .open(folder.join("billing"))
        .unwrap();
    file.write_all(b"an agreed key of thirty-two bytes or more")
        .unwrap();
}

type Header = (&'static str, String);

/// The parts of a request that may contain a token, each alone.
fn places(path: &str) -> Vec<(String, Vec<Header>)> {
    let bearer = ("authorization", format!("Bearer {MARK}"));
    vec![
        (path.replace("TOKEN", MARK), vec![]),
        (path.replace("TOKEN", &format!("{MARK}/more")), vec![]),
        (format!("{}?{MARK}=1", path.replace("TOKEN", "7")), vec![]),
        (format!("{}?a={MARK}", path.replace("TOKEN", "7")), vec![]),
        (path.replace("TOKEN", "7"), vec![bearer]),
        (
            path.replace("TOKEN", "7"),
            vec![(
                "cookie",
                format!("__Host-session={MARK}; __Host-flash={MARK}; {MARK}=1"),
            )],
        ),
        (
            path.replace("TOKEN", "7"),
            vec![
                ("x-signature", format!("t=1,v1={MARK}")),
                ("x-csrf-token", MARK.to_owned()),
                ("referer", format!("https://localhost/reset/{MARK}")),
                ("user-agent", MARK.to_owned()),
            ],
        ),
    ]
}

/// Bodies that Dewar refuses, each for a reason of its own.
fn bodies(token: &str) -> Vec<(&'static str, Vec<u8>)> {
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    let form = |fields: &str| (FORM, format!("csrf_token={token}&{fields}").into_bytes());
    let multipart = format!(
        "--x\r\ncontent-disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--x\r\n\
         content-disposition: form-data; name=\"title\"\r\n\r\n{MARK}\r\n--x\r\n\
         content-disposition: form-data; name=\"paper\"; filename=\"page.svg\"\r\n\r\n<svg>{MARK}</svg>\r\n--x--\r\n"
    );
    vec![
        (FORM, MARK.into()),
        (
            FORM,
            format!("csrf_token={MARK}&password={MARK}").into_bytes(),
        ),
        form(MARK),
        form(&format!("{MARK}=1")),
        form(&format!(
            "title={MARK}&email={MARK}&password={MARK}&title={MARK}"
        )),
        form(&format!("email={MARK}&password={MARK}")),
        form(&format!("title={MARK}{MARK}{MARK}")),
        form(&format!("title[{MARK}]=1&items[0].{MARK}=2&%zz={MARK}")),
        form(&format!("title={}", MARK.repeat(40_000))),
        (JSON, format!("{{\"{MARK}\": \"{MARK}\"}}").into_bytes()),
        (JSON, format!("{{\"title\": \"{MARK}").into_bytes()),
        ("text/plain", MARK.into()),
        ("multipart/form-data; boundary=x", multipart.into_bytes()),
        ("multipart/form-data", MARK.into()),
    ]
}

const PATHS: [&str; 16] = [
    "/reset/TOKEN",
    "/TOKEN",
    "/nowhere/TOKEN",
    "/sign-in",
    "/sign-up",
    "/forgot",
    "/notes",
    "/orders",
    "/bin",
    "/papers/TOKEN",
    "/reviews",
    "/office/TOKEN",
    "/hooks/TOKEN",
    "/static/TOKEN.css",
    "/fails/TOKEN",
    "/panics/TOKEN",
];

struct Refusals(BTreeSet<u16>);

impl Refusals {
    fn take(&mut self, answer: &TestResponse) {
        self.0.insert(answer.status().as_u16());
    }

    async fn send(
        &mut self,
        by: &Browser,
        method: &str,
        place: &str,
        headers: &[Header],
        body: (&str, Vec<u8>),
    ) {
        for accept in ["text/html", "application/json"] {
            let raw = by.raw(method, place).header("accept", accept);
            let mut raw = raw.body(body.1.clone());
            if !body.0.is_empty() {
                raw = raw.header("content-type", body.0);
            }
            if headers.iter().all(|(name, _)| *name != "sec-fetch-site") {
                raw = raw.header("sec-fetch-site", "same-origin");
            }
            for (name, value) in headers {
                raw = raw.header(name, value);
            }
            // Dewar refuses some by closing the connection.
            if let Ok(answer) = raw.send().await {
                self.take(&answer);
            }
        }
    }

    /// Requests that exceed a timeout, all at once: a handler that does not end, and bodies that do not.
    async fn too_slow(&mut self, hasty: &Browser, token: &str) {
        let asked = places("/hangs/TOKEN")
            .into_iter()
            .flat_map(|(place, headers)| {
                ["text/html", "application/json"].map(|accept| {
                    let raw = hasty.raw("GET", &place).header("accept", accept);
                    let headers = headers.iter();
                    let raw = headers.fold(raw, |raw, (name, value)| raw.header(name, value));
                    raw.send()
                })
            });
        let dripped = [
            (
                "application/x-www-form-urlencoded",
                format!("csrf_token={token}&password={MARK}"),
            ),
            (
                "application/x-www-form-urlencoded",
                format!("{MARK}={MARK}"),
            ),
            (
                "multipart/form-data; boundary=x",
                format!("--x\r\ncontent-disposition: form-data; name=\"{MARK}\"\r\n\r\n{MARK}"),
            ),
        ];
        let dripped = dripped.map(|(kind, begun)| async move {
            let head = format!(
                "POST /reset/{MARK}?a={MARK} HTTP/1.1\r\nhost: localhost\r\nx-mark: {MARK}\r\n\
                 cookie: __Host-session={MARK}\r\nsec-fetch-site: same-origin\r\ncontent-type: {kind}\r\n\
                 content-length: 9999\r\nconnection: close\r\n\r\n{begun}"
            );
            let mut socket = hasty.socket().await.unwrap();
            socket.send(head.as_bytes()).await.unwrap();
            socket.hear(PATIENCE).await
        });
        let (answers, heard) = join(join_all(asked), join_all(dripped)).await;
        for answer in answers {
            self.take(&answer.unwrap());
        }
        self.0.extend(heard.iter().filter_map(Heard::status));
    }

    /// Requests that only raw bytes can make.
    async fn by_hand(&mut self, by: &Browser) {
        let head = format!("host: localhost\r\nx-mark: {MARK}\r\nconnection: close\r\n");
        for request in [
            format!("MARKED{MARK} /{MARK} HTTP/1.1\r\n{head}\r\n"),
            format!("TRACE /{MARK} HTTP/1.1\r\n{head}\r\n"),
            format!("GET /{MARK} HTTP/1.1\r\nhost: {MARK}.example\r\nconnection: close\r\n\r\n"),
            format!("GET /{} HTTP/1.1\r\n{head}\r\n", MARK.repeat(60)),
            format!("GET /{} HTTP/1.1\r\n{head}\r\n", MARK.repeat(220)),
            format!("GET /{} HTTP/1.1\r\n{head}\r\n", MARK.repeat(400)),
            format!("GET /a/../{MARK} HTTP/1.1\r\n{head}\r\n"),
            format!("GET /{MARK}%00 HTTP/1.1\r\n{head}\r\n"),
            format!("GET /{MARK} HTTP/1.1\r\n{head}{head}\r\n"),
            format!(
                "GET /{MARK} HTTP/1.1\r\n{head}x: {}\r\n\r\n",
                MARK.repeat(2_000)
            ),
            format!(
                "GET /{MARK} HTTP/1.1\r\n{head}{}\r\n",
                format!("{MARK}: 1\r\n").repeat(90)
            ),
            format!("POST /{MARK} HTTP/1.1\r\n{head}expect: {MARK}\r\ncontent-length: 1\r\n\r\n"),
            format!("POST /{MARK} HTTP/1.1\r\n{head}content-length: 99999999999\r\n\r\n"),
            format!("POST /{MARK} HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            format!("GET /{MARK} HTTP/1.1\r\n{head}{MARK}\r\n\r\n"),
        ] {
            let mut socket = by.socket().await.unwrap();
            if socket.send(request.as_bytes()).await.is_ok() {
                let heard = socket.hear(PATIENCE).await;
                self.0.extend(heard.status());
            }
        }
    }
}

/// The program's log once contained the live token of a refused `POST /reset/<token>`. Now it contains nothing of a
/// request, whichever check refuses it.
///
/// ASVS: V16.2.5, V14.2.1
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::too_many_lines,
    reason = "one walk through all refusals, in the order that keeps them reachable"
)]
async fn no_part_of_a_refused_request_that_may_be_a_secret_is_logged() {
    let site = Site::prepared(share_a_key, app).await;
    let ada = site.member("ada", &[]).await;
    let listening = Listening::begin();
    let mut refusals = Refusals(BTreeSet::new());
    let token = async |by: &Browser, page: &str, form: &str| {
        by.get(page).await.form(form).value("csrf_token").unwrap()
    };
    let eve = site.visitor.another();
    let tokens = [
        (&eve, token(&eve, "/sign-in", "/sign-in").await),
        (&ada, token(&ada, "/notes", "/sign-out").await),
    ];
    for (by, token) in &tokens {
        for path in [
            "/reset/TOKEN",
            "/notes",
            "/orders",
            "/bin",
            "/hooks/TOKEN",
            "/office/TOKEN",
        ] {
            for body in bodies(token) {
                let place = path.replace("TOKEN", MARK);
                refusals.send(by, "POST", &place, &[], body).await;
            }
        }
    }
    for (by, _) in &tokens {
        for path in PATHS {
            for (place, headers) in places(path) {
                for method in ["GET", "POST", "DELETE"] {
                    let nothing = ("", Vec::new());
                    refusals.send(by, method, &place, &headers, nothing).await;
                }
                let mut elsewhere = headers;
                elsewhere.push(("sec-fetch-site", "cross-site".to_owned()));
                let nothing = ("", Vec::new());
                refusals.send(by, "POST", &place, &elsewhere, nothing).await;
            }
        }
    }
    refusals.by_hand(&eve).await;
    let hasty = Site::with(slow, &[("DEWAR_HTTPS_LIMITS_HANDLER_TIMEOUT", "1s")]).await;
    let pre = token(&hasty.visitor, "/sign-in", "/sign-in").await;
    refusals.too_slow(&hasty.visitor, &pre).await;
    // The last one: after it the address is over its limit.
    let mallory = site.visitor.another();
    let token = token(&mallory, "/forgot", "/forgot").await;
    for _ in 0..40 {
        let fields = format!("csrf_token={token}&email=a@example.org").into_bytes();
        let body = ("application/x-www-form-urlencoded", fields);
        let marked = [("referer", MARK.to_owned())];
        refusals
            .send(&mallory, "POST", "/forgot", &marked, body)
            .await;
    }
    let missing: Vec<u16> = [
        303, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 421, 422, 429, 431, 500, 501,
        503,
    ]
    .into_iter()
    .filter(|status| !refusals.0.contains(status))
    .collect();
    assert!(
        missing.is_empty(),
        "nobody was refused with {missing:?}: {:?}",
        refusals.0
    );
    assert_unmarked(
        "the audit log",
        &site.log().await,
        &[
            "malicious_csrf",
            "authz_",
            "crypt_fail",
            "upload_validation",
            "input_validation_fail",
            "malicious_extraneous",
        ],
    );
    assert_unmarked(
        "the audit log of what was too slow",
        &hasty.log().await,
        &["sys_startup"],
    );
    let there = ["Dewar refused a request", "a request failed"];
    assert_unmarked("the program's log", &listening.end(), &there);
}

/// Method, route, status, user and id, and no value of the path or the query.
///
/// ASVS: V16.2.1, V16.2.5
#[tokio::test(flavor = "multi_thread")]
async fn each_request_has_one_line() {
    let open = |app: App| {
        let routes = [get("/lined/{word}", line), get("/unlined", line)];
        site::app(app).public(routes)
    };
    let site = Site::of(open).await;
    let ada = site.member("ada", &[]).await;
    let listening = Listening::begin();
    site.visitor.get("/lined/one?secret=1").await;
    ada.get("/lined/two").await;
    site.visitor
        .raw("DELETE", "/lined/three")
        .send()
        .await
        .unwrap();
    site.visitor.get("/unlined/4").await;
    let long = "x".repeat(20_000);
    let unread = site.visitor.raw("POST", "/lined/five").header("x", &long);
    assert_eq!(unread.send().await.unwrap().status(), 431);
    let said = listening.end();
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("dewar::request") && line.contains("lined/"))
        .collect();
    let [one, two, three, four] = lines[..] else {
        panic!("{lines:?}");
    };
    let route = "route=\"/lined/{word}\"";
    for (line, parts) in [
        (one, ["method=\"GET\"", route, "status=200"]),
        (two, ["user=", route, "status=200"]),
        (three, ["method=\"DELETE\"", route, "status=4"]),
        (four, ["unknown=/unlined/4", "INFO", "status=404"]),
    ] {
        for part in parts.into_iter().chain(["request_id=", "ms="]) {
            assert!(line.contains(part), "{part} is not in {line}");
        }
        for value in ["secret", "one", "three"] {
            assert!(!line.contains(value), "{value} is in {line}");
        }
    }
    assert!(!one.contains("user="), "{one}");
    assert!(one.contains("bytes=5"), "{one}");
    // If a head was refused before it was parsed, the log shows no substitute that nobody sent.
    let unread: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("dewar::request") && line.contains("status=431"))
        .collect();
    let [unread] = unread[..] else {
        panic!("{unread:?}");
    };
    assert!(unread.contains("head=\"refused\""), "{unread}");
    assert!(
        !unread.contains("method=") && !unread.contains("unknown="),
        "{unread}"
    );
}

async fn line() -> &'static str {
    "lines"
}

fn assert_unmarked(what: &str, text: &str, there: &[&str]) {
    for word in there {
        assert!(text.contains(word), "{what} does not speak of {word}");
    }
    // A part of a token is a leak too.
    let marked = text
        .lines()
        .find(|line| line.contains(&MARK.chars().take(10).collect::<String>()));
    assert_eq!(marked, None, "{what}");
}
