//! An application that serves as in production: with a key of its own and certificate files.

use std::path::Path;

use dewar::app::Running;
use dewar::audit::Clock;
use dewar::secrets::KeyRing;
use dewar::testing::{Browser, Certified, TestAuthority, wait_until};
use dewar::{App, get};
use tempfile::TempDir;

const HOST: &str = "portal.test";

async fn hello() -> &'static str {
    "Hello, world!"
}

async fn wrong(db: dewar::Db) -> dewar::Result<&'static str> {
    db.query("SELECT tilte FROM nowhere", []).await?;
    Ok("found")
}

/// The files that an operator made before the first start.
struct Operator {
    data: TempDir,
    authority: TestAuthority,
    files: Certified,
}

impl Operator {
    /// An operator with a certificate for these names.
    fn with(names: &[&str], days: i64) -> Self {
        let data = tempfile::tempdir().unwrap();
        KeyRing::create(&data.path().join("keys")).unwrap();
        let authority = TestAuthority::new();
        let files = certify(&authority, data.path(), names, days);
        Self {
            data,
            authority,
            files,
        }
    }

    fn settings(&self) -> Vec<(&'static str, String)> {
        let path = |path: &Path| path.display().to_string();
        vec![
            ("DEWAR_MODE", "production".to_owned()),
            ("DEWAR_HTTPS_HOSTS", HOST.to_owned()),
            ("DEWAR_HTTPS_CERTIFICATE", path(&self.files.certificate)),
            ("DEWAR_HTTPS_KEY", path(&self.files.key)),
            ("DEWAR_MAIL_TRANSPORT", "none".to_owned()),
        ]
    }

    async fn start(&self) -> dewar::Result<Running> {
        let app = App::in_directory_with(&self.data, self.settings()).unwrap();
        app.public([get("/", hello), get("/wrong", wrong)])
            .start()
            .await
    }

    fn browser(&self, running: &Running) -> Browser {
        Browser::new(running.url(), self.authority.pem()).connecting_to(running.https())
    }

    /// Overwrites the certificate in use with another.
    fn renew(&self, names: &[&str], days: i64) {
        certify(&self.authority, self.data.path(), names, days);
    }
}

fn certify(authority: &TestAuthority, directory: &Path, names: &[&str], days: i64) -> Certified {
    let now = Clock::system().now();
    authority.certify(directory, names, now, days).unwrap()
}

/// The public key of the certificate that a new connection gets.
async fn shown(browser: &Browser) -> String {
    browser.pin().await.unwrap()
}

/// Waits until new connections get another certificate.
async fn another_than(browser: &Browser, before: &str) -> String {
    let mut now = shown(browser).await;
    wait_until("the renewed certificate is taken into use", async || {
        now = shown(browser).await;
        now != before
    })
    .await;
    now
}

#[tokio::test(flavor = "multi_thread")]
async fn production_sends_hsts_and_leads_plain_http_to_itself() {
    let operator = Operator::with(&[HOST], 60);
    let running = operator.start().await.unwrap();
    let browser = operator.browser(&running);
    let answer = browser.get("/").await;
    assert_eq!(answer.text(), "Hello, world!");
    // The page with the letters of development: their links open accounts.
    for path in ["/dewar/mail", "/dewar/mail/x"] {
        assert_eq!(browser.get(path).await.status(), 404, "{path}");
    }
    assert_eq!(
        answer.header("strict-transport-security"),
        Some("max-age=63072000; includeSubDomains")
    );
    let refused = browser.raw("GET", "/").header("host", "evil.example");
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 421);
    assert!(refused.header("strict-transport-security").is_some());
    let http = running.http().unwrap();
    let plain = Browser::new(
        &format!("http://{HOST}:{}", http.port()),
        operator.authority.pem(),
    );
    let answer = plain.connecting_to(http).get("/notes?page=2").await;
    let there = format!("{}/notes?page=2", running.url());
    assert_eq!(answer.status(), 301);
    assert_eq!(answer.location(), Some(&*there));
    assert!(answer.header("strict-transport-security").is_none());
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_in_use_without_a_restart() {
    let operator = Operator::with(&[HOST], 60);
    let running = operator.start().await.unwrap();
    let browser = operator.browser(&running);
    let first = shown(&browser).await;
    operator.renew(&[HOST], 90);
    let second = another_than(&browser, &first).await;
    // A test in the room proves that a bad certificate is not used: from here nobody can see that the server read it.
    operator.renew(&[HOST], 60);
    another_than(&browser, &second).await;
    assert_eq!(browser.get("/").await.status(), 200);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_name_or_past_its_end_refuses_the_launch() {
    for (names, days, id) in [
        (&["other.test"], 60, "https-certificate-name"),
        (&[HOST], -1, "https-certificate-expired"),
    ] {
        let operator = Operator::with(names, days);
        let refused = format!("{:?}", operator.start().await.unwrap_err());
        assert!(refused.contains(id), "{refused}");
        operator.renew(&[HOST], 60);
        operator.start().await.unwrap().stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn modern_is_one_setting() {
    let operator = Operator::with(&[HOST], 60);
    let mut settings = operator.settings();
    settings.push(("DEWAR_HTTPS_TLS", "modern".to_owned()));
    let app = App::in_directory_with(&operator.data, settings).unwrap();
    let running = app.public([get("/", hello)]).start().await.unwrap();
    assert_eq!(operator.browser(&running).get("/").await.status(), 200);
    running.stop().await.unwrap();
}

/// The counterpart of `development_tells_the_statement_and_the_place`.
#[tokio::test(flavor = "multi_thread")]
async fn production_tells_nothing_of_a_statement() {
    let operator = Operator::with(&[HOST], 90);
    let running = operator.start().await.unwrap();
    let browser = operator.browser(&running);
    for accept in ["text/html", "application/json"] {
        let answer = browser
            .raw("GET", "/wrong")
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 500);
        let text = answer.text();
        for told in ["tilte", "nowhere", "SELECT", ".rs"] {
            assert!(!text.contains(told), "{text}");
        }
    }
    running.stop().await.unwrap();
}
