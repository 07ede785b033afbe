//! A portal that gets its certificate by ACME, and an attacker who wants a certificate for its name, or a response that only the
//! authority should get.

mod handshake;

use std::time::Duration;

use dewar::App;
use dewar::app::Running;
use dewar::audit::Clock;
use dewar::testing::{Browser, PATIENCE, TestResponse, wait_until};
use tempfile::TempDir;
use test_servers::{AcmeMistake, AcmeServer};

use self::handshake::shake;

const HOST: &str = "portal.test";
const TOKEN: &str = AcmeServer::TOKEN;
const DAY: i64 = 86_400;
const PLACE: &str = "/.well-known/acme-challenge/";
const ACME_TLS: &str = "acme-tls/1";

/// A portal with an authority of its own.
struct Site {
    running: Running,
    clock: Clock,
    data: TempDir,
    authority: AcmeServer,
}

impl Site {
    /// A site that has a certificate already.
    async fn open(challenge: &str) -> Self {
        let site = Self::opening(challenge, |_| {}).await;
        site.has_a_certificate().await;
        site
    }

    /// A site with an open first order, which is ready for the challenge.
    async fn ordering(challenge: &str) -> Self {
        let waiting = |authority: &AcmeServer| authority.books().waits = true;
        let site = Self::opening(challenge, waiting).await;
        until("the authority looks", async || {
            site.authority.books().is_asking()
        })
        .await;
        site
    }

    async fn opening(challenge: &str, prepare: impl FnOnce(&AcmeServer)) -> Self {
        let clock = Clock::manual(Clock::system().now());
        let shared = clock.clone();
        let authority = AcmeServer::open(move || shared.now(), 89 * DAY);
        // Visitors have a clock of their own, which does not move with the portal's.
        authority.books().backdated = DAY;
        prepare(&authority);
        let data = tempfile::tempdir().unwrap();
        let running = start(&data, &authority, &clock, challenge).await;
        Self {
            running,
            clock,
            data,
            authority,
        }
    }

    /// Stops the program, lets the test change its data, and starts it again.
    async fn again(self, meanwhile: impl AsyncFnOnce(&Running)) -> Self {
        meanwhile(&self.running).await;
        self.running.stop().await.unwrap();
        let running = start(&self.data, &self.authority, &self.clock, "http-01").await;
        Self { running, ..self }
    }

    async fn has_a_certificate(&self) {
        until("a certificate comes", async || {
            self.count("SELECT count(*) FROM dewar_acme_kept WHERE what = 'certificate'")
                .await
                == 1
        })
        .await;
        until("the certificate is in use", async || {
            self.visitor().pin().await.is_ok()
        })
        .await;
    }

    /// A visitor who trusts the authority.
    fn visitor(&self) -> Browser {
        let pem = self.authority.authority_pem();
        Browser::new(self.running.url(), pem).connecting_to(self.running.https())
    }

    /// A visitor over plain HTTP.
    fn in_clear(&self) -> Browser {
        let http = self.running.http().unwrap();
        let base = format!("http://{HOST}:{}", http.port());
        Browser::new(&base, self.authority.authority_pem()).connecting_to(http)
    }

    /// The certificate and the page that a visitor gets, from any issuer.
    async fn shown(&self) -> String {
        let shaken = shake(self.running.https(), HOST, &["http/1.1"]).await;
        let shaken = shaken.expect("a visitor is always answered");
        assert!(shaken.heard.starts_with("HTTP/1.1 200"), "{}", shaken.heard);
        shaken.certificate
    }

    async fn count(&self, sql: &'static str) -> i64 {
        let rows = self.running.dewar().db().query(sql, []).await.unwrap();
        rows[0].get(0).unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        execute(&self.running, sql).await;
    }
}

async fn start(data: &TempDir, authority: &AcmeServer, clock: &Clock, challenge: &str) -> Running {
    let root = data.path().join("authority.pem");
    std::fs::write(&root, authority.authority_pem()).unwrap();
    let settings = [
        ("DEWAR_HTTPS_HOSTS", HOST.to_owned()),
        ("DEWAR_HTTPS_ACME_ACCEPT_TERMS", "true".to_owned()),
        ("DEWAR_HTTPS_ACME_DIRECTORY", authority.directory()),
        ("DEWAR_HTTPS_ACME_CA_FILE", root.display().to_string()),
        ("DEWAR_HTTPS_ACME_CHALLENGE", challenge.to_owned()),
    ];
    let app = App::in_directory_with(data, settings).unwrap();
    let app = portal::app(app).clock(clock.clone());
    app.start().await.unwrap()
}

async fn execute(running: &Running, sql: &'static str) {
    assert_eq!(running.dewar().db().execute(sql, []).await.unwrap(), 1);
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    wait_until(what, async || is_so().await).await;
}

/// It is inert text, of which nobody can make a cached object, a cookie or a page.
fn is_inert(answer: &TestResponse) {
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store, max-age=0"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{}", answer.url());
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("sandbox"),
        "{policy}"
    );
    for name in ["set-cookie", "location", "access-control-allow-origin"] {
        assert_eq!(answer.header(name), None, "{}: {name}", answer.url());
    }
    assert!(!answer.text().contains(['<', '>']), "{}", answer.text());
}

/// With and without an open order: by plain HTTP and by HTTPS.
///
/// ASVS: V4.1.4, V1.3.3
#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_at_the_authoritys_questions_is_told_nothing() {
    let site = Site::ordering("http-01").await;
    let in_clear = site.in_clear();
    // The authority itself, for which the response is.
    let honest = in_clear.get(&format!("{PLACE}{TOKEN}")).await;
    assert_eq!(honest.status(), 200);
    let answer = honest.text();
    assert!(answer.starts_with(&format!("{TOKEN}.")), "{answer}");
    guesses(&in_clear, &answer).await;
    site.authority.books().waits = false;
    site.has_a_certificate().await;
    guesses(&site.visitor(), &answer).await;
    // After validation the challenge gets no response any more, and by HTTPS it never does.
    for browser in [&in_clear, &site.visitor()] {
        let late = browser.get(&format!("{PLACE}{TOKEN}")).await;
        assert_eq!(late.status(), 404, "{}", late.url());
        assert!(!late.text().contains(&answer), "{}", late.text());
    }
}

async fn guesses(browser: &Browser, answer: &str) {
    let long = "A".repeat(7_000);
    let first = TOKEN.trim_start_matches('L');
    for token in [
        "",
        "x",
        "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX1",
        first,
        &TOKEN.to_lowercase(),
        &format!("%4c{first}"),
        &format!("{TOKEN}/"),
        &format!("{TOKEN}%00"),
        &format!("{TOKEN}%20"),
        &format!("./{TOKEN}"),
        &format!("x/../{TOKEN}"),
        &format!("%2e/{TOKEN}"),
        "../../keys/keys.toml",
        "..%2f..%2fkeys%2fkeys.toml",
        "%2e%2e/%2e%2e/database.sqlite",
        "..%5c..%5cdatabase.sqlite",
        "%3Cscript%3Ealert(1)%3C/script%3E-zebra",
        "%0d%0aset-cookie:%20zebra=1",
        "%E2%80%AEzebra-of-a-right-to-left-mark",
        "'%20OR%20'1'='1'--zebra-of-a-database",
        "LoqXcYV8q5ONbJQxbmR7SCTNo3ti_zebra_",
        "%_____________________________________",
        &long,
    ] {
        told_nothing(browser, "GET", &format!("{PLACE}{token}"), answer).await;
    }
    for method in [
        "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
    ] {
        told_nothing(browser, method, &format!("{PLACE}{TOKEN}"), answer).await;
    }
}

/// Sends the bytes of the path as they are; a client would normalize them first.
async fn told_nothing(browser: &Browser, method: &str, path: &str, answer: &str) {
    let mut socket = browser.socket().await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: 0\r\nx: zebra\r\nconnection: close\r\n\r\n"
    );
    socket.send(request.as_bytes()).await.unwrap();
    let told = socket.hear(PATIENCE).await;
    let (status, text) = (told.status().unwrap(), told.text());
    assert!((400..=501).contains(&status), "{method} {path}: {text}");
    for echo in [answer, "zebra", "<script>alert", "AAAAAAAA"] {
        assert!(!text.contains(echo), "{method} {path}: {text}");
    }
    let guarded = text.contains("x-content-type-options: nosniff");
    assert!(guarded, "{method} {path}: {text}");
}

/// The one place of the portal that answers over plain HTTP. An attacker who can write there could serve a page in its name.
///
/// ASVS: V3.2.1, V4.1.1, V3.4.4, V3.3.1
#[tokio::test(flavor = "multi_thread")]
async fn no_page_can_be_made_of_an_answer_to_the_authority() {
    let site = Site::ordering("http-01").await;
    let in_clear = site.in_clear();
    let path = format!("{PLACE}{TOKEN}");
    for accept in ["*/*", "text/html", "image/svg+xml", "application/json"] {
        for (path, status) in [(path.clone(), 200), (format!("{PLACE}<svg>"), 404)] {
            let request = in_clear.raw("GET", &path).header("accept", accept);
            let request = request
                .header("origin", "https://evil.example")
                .header("cookie", "__Host-session=stolen")
                .header("accept-language", "de")
                .header("range", "bytes=0-3");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{accept}");
            is_inert(&answer);
        }
    }
    // Another host name, on the same listener.
    let elsewhere = in_clear.raw("GET", &path).header("host", "evil.example");
    let elsewhere = elsewhere.send().await.unwrap();
    is_inert(&elsewhere);
}

/// ASVS: V12.2.2, V12.1.1
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_for_the_authority_shows_a_visitor_nothing() {
    let site = Site::open("tls-alpn-01").await;
    let server = site.running.https();
    let in_use = site.shown().await;
    for host in [HOST, "evil.test", "portal.test.evil.test", "127.0.0.1"] {
        assert!(shake(server, host, &[ACME_TLS]).await.is_none(), "{host}");
    }
    // Beside other protocols it is no challenge: the server chooses another one, with its public certificate.
    for (protocols, spoken) in [
        (&[ACME_TLS, "http/1.1"][..], "http/1.1"),
        (&["http/1.1", ACME_TLS], "http/1.1"),
        (&["h2", ACME_TLS, "http/1.1"], "h2"),
        (&[ACME_TLS, "h2"], "h2"),
    ] {
        let shaken = shake(server, HOST, protocols).await.unwrap();
        assert_eq!(shaken.protocol, spoken.as_bytes(), "{protocols:?}");
        assert_eq!(shaken.certificate, in_use, "{protocols:?}");
    }
    for protocols in [
        &[ACME_TLS, ACME_TLS][..],
        &[ACME_TLS, "acme-tls/2"],
        &["acme-tls/2"],
        &["ACME-TLS/1"],
        &["acme-tls/1 "],
    ] {
        assert!(
            shake(server, HOST, protocols).await.is_none(),
            "{protocols:?}"
        );
    }
    assert_eq!(site.shown().await, in_use);
}

/// The authority's own handshake, while it validates.
///
/// ASVS: V12.2.2, V12.1.1
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_answers_the_authority_is_no_way_into_the_portal() {
    let site = Site::ordering("tls-alpn-01").await;
    let server = site.running.https();
    let makeshift = site.shown().await;
    let question = shake(server, HOST, &[ACME_TLS]).await.unwrap();
    assert_eq!(question.protocol, ACME_TLS.as_bytes());
    assert_ne!(question.certificate, makeshift);
    assert_eq!(question.heard, "", "HTTP was spoken over acme-tls/1");
    for host in ["evil.test", "www.portal.test", "portal.tes", "127.0.0.1"] {
        assert!(shake(server, host, &[ACME_TLS]).await.is_none(), "{host}");
    }
    for protocols in [
        &["http/1.1"][..],
        &["h2"],
        &[ACME_TLS, "http/1.1"],
        &["h2", ACME_TLS],
        &[],
    ] {
        let visitor = shake(server, HOST, protocols).await.unwrap();
        assert_eq!(visitor.certificate, makeshift, "{protocols:?}");
        assert_ne!(visitor.protocol, ACME_TLS.as_bytes());
    }
    site.authority.books().waits = false;
    site.has_a_certificate().await;
    assert!(shake(server, HOST, &[ACME_TLS]).await.is_none());
    let in_use = site.shown().await;
    assert!(in_use != makeshift && in_use != question.certificate);
}

/// An attacker who can write into the database requests a certificate from an authority, and plants the response to the
/// challenge: a value that was sealed for another place, because nobody else has the key.
///
/// ASVS: V12.2.2, V11.3.3
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_moved_in_the_database_is_none() {
    let site = Site::ordering("http-01").await;
    let in_clear = site.in_clear();
    let other = "attackers-own-token-attackers-own-token-now";
    let status = async |token: &str| {
        let answer = in_clear.get(&format!("{PLACE}{token}")).await;
        answer.status().as_u16()
    };
    assert_eq!(status(TOKEN).await, 200);
    site.execute(
        "INSERT INTO dewar_acme_answers (kind, subject, sealed, until)
        SELECT kind, 'attackers-own-token-attackers-own-token-now', sealed, until FROM dewar_acme_answers",
    )
    .await;
    assert_eq!(status(other).await, 404);
    site.execute(
        "INSERT INTO dewar_acme_answers (kind, subject, sealed, until)
        SELECT 'tls-alpn-01', 'portal.test', sealed, until FROM dewar_acme_answers WHERE subject LIKE 'Loq%'",
    )
    .await;
    let server = site.running.https();
    assert!(shake(server, HOST, &[ACME_TLS]).await.is_none());
    // The honest response beside them, and the result after its text is altered.
    assert_eq!(status(TOKEN).await, 200);
    site.execute("UPDATE dewar_acme_answers SET sealed = sealed || 'A' WHERE subject LIKE 'Loq%'")
        .await;
    assert_eq!(status(TOKEN).await, 404);
    site.shown().await;
}

/// The attacker plants the certificate and key of another installation, the portal's own account in its place, and garbage.
///
/// ASVS: V12.2.2, V11.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_was_planted_in_the_database_is_not_shown() {
    let evil = Site::open("http-01").await;
    let sql = "SELECT sealed FROM dewar_acme_kept WHERE what = 'certificate'";
    let rows = evil.running.dewar().db().query(sql, []).await.unwrap();
    let foreign: String = rows[0].get(0).unwrap();
    let planted = evil.shown().await;

    let mut site = Site::open("http-01").await;
    let mut seen = vec![planted, site.shown().await];
    for (orders, plant) in [
        "UPDATE dewar_acme_kept SET sealed = ?1, kept_at = kept_at + 1 WHERE what = 'certificate'",
        "UPDATE dewar_acme_kept SET sealed = (SELECT sealed FROM dewar_acme_kept WHERE what = 'account'), \
         kept_at = kept_at + 1 + 0 * length(?1) WHERE what = 'certificate'",
        "UPDATE dewar_acme_kept SET sealed = substr(sealed, 1, length(sealed) - 1), \
         kept_at = kept_at + 1 + 0 * length(?1) WHERE what = 'certificate'",
    ]
    .into_iter()
    .enumerate()
    {
        let foreign = foreign.clone();
        site = site
            .again(async |running| {
                let db = running.dewar().db();
                assert_eq!(db.execute(plant, [foreign.into()]).await.unwrap(), 1);
            })
            .await;
        // The portal orders a certificate of its own, and answers all the time.
        let shown = site.shown().await;
        assert_ne!(shown, seen[0], "{plant}");
        until("another certificate comes", async || {
            !seen.contains(&site.shown().await) && site.visitor().pin().await.is_ok()
        })
        .await;
        assert_eq!(site.authority.books().orders.len(), orders + 2, "{plant}");
        seen.push(site.shown().await);
    }
}

/// The attacker's account, or a damaged account of the portal: an attacker who plants an account would own the portal's orders,
/// and one who destroys it could prevent any further certificate.
///
/// ASVS: V12.2.2, V11.3.3
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_was_planted_in_the_database_is_not_used() {
    let mut site = Site::open("http-01").await;
    for (before, plant) in [
        "UPDATE dewar_acme_kept SET sealed = (SELECT sealed FROM dewar_acme_kept WHERE what = 'certificate')
        WHERE what = 'account'",
        "UPDATE dewar_acme_kept SET sealed = 'planted' WHERE what = 'account'",
    ]
    .into_iter()
    .enumerate()
    {
        let in_use = site.shown().await;
        site.clock.advance(Duration::from_secs(61 * 86_400));
        site = site.again(async |running| execute(running, plant).await).await;
        // The renewal is due: the certificate comes by a new account.
        until("the certificate is renewed", async || {
            site.shown().await != in_use
        })
        .await;
        let books = site.authority.books();
        assert_eq!((books.accounts, books.orders.len()), (before + 2, before + 2), "{plant}");
    }
}

/// ASVS: V12.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_the_portals_is_not_shown() {
    for mistake in [
        AcmeMistake::OtherKey,
        AcmeMistake::OtherName,
        AcmeMistake::PastItsEnd,
    ] {
        let wrong = |authority: &AcmeServer| authority.books().mistake = mistake;
        let site = Site::opening("http-01", wrong).await;
        let failures = "SELECT failures FROM dewar_acme_course";
        until("the first order fails", async || {
            site.count(failures).await == 1
        })
        .await;
        // The portal serves its pages with the temporary certificate; nothing of the authority's was stored.
        let makeshift = site.shown().await;
        assert!(site.visitor().pin().await.is_err(), "{mistake:?}");
        let kept = "SELECT count(*) FROM dewar_acme_kept WHERE what = 'certificate'";
        assert_eq!(site.count(kept).await, 0, "{mistake:?}");
        // The authority answers correctly when it is asked again, and wrongly at the renewal.
        site.authority.books().mistake = AcmeMistake::None;
        site.clock.advance(Duration::from_secs(61));
        let site = site.again(async |_| {}).await;
        site.has_a_certificate().await;
        let good = site.shown().await;
        assert_ne!(good, makeshift, "{mistake:?}");
        site.authority.books().mistake = mistake;
        site.clock.advance(Duration::from_secs(61 * 86_400));
        let site = site.again(async |_| {}).await;
        until("the renewal fails", async || {
            site.count(failures).await == 1
        })
        .await;
        assert_eq!(site.shown().await, good, "{mistake:?}");
    }
}
