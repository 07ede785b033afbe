//! Webhook deliveries through the whole stack, as programs send them: over HTTPS and without anything that a browser
//! adds.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;
use std::{fs, io::Write};

use dewar::app::RateLimit;
use dewar::csrf::{SignatureScheme, VerifiedWebhook, WebhookAuth, signature};
use dewar::database::Migration;
use dewar::forms::{Int, Line, NewPassword};
use dewar::pages::Text;
use dewar::sessions::Session;
use dewar::testing::{Cookies, RawRequest, TestResponse};
use dewar::{App, Db, Error, Form, Redirect, get, post};

use crate::site::{self, Site};

const KEY: &[u8] = b"the key that billing signs with, for tests";
const OTHER: &[u8] = b"the key that shipping signs with, in tests";

#[derive(serde::Deserialize)]
struct Paid {
    invoice: i64,
}

/// Stores the invoice, and fails on the first attempt at an invoice above a thousand.
async fn on_paid(db: Db, delivery: VerifiedWebhook) -> dewar::Result<Text> {
    let paid: Paid = delivery.json()?;
    let tries = "INSERT INTO tries (invoice) VALUES (?)";
    db.execute(tries, [paid.invoice.into()]).await?;
    let rows = db
        .query(
            "SELECT count(*) FROM tries WHERE invoice = ?",
            [paid.invoice.into()],
        )
        .await?;
    if paid.invoice > 1_000 && rows[0].get::<i64>(0)? == 1 {
        return Err(Error::internal("the books are closed"));
    }
    assert_ne!(paid.invoice, 999, "a handler that panics");
    let note = "INSERT INTO paid (invoice) VALUES (?)";
    db.execute(note, [paid.invoice.into()]).await?;
    Ok(Text::new("noted"))
}

#[derive(Form)]
struct Refund {
    invoice: Int<1, 1_000>,
    reason: Line<40>,
    password: Option<NewPassword>,
}

async fn on_refund(db: Db, delivery: VerifiedWebhook) -> dewar::Result<Text> {
    let refund: Refund = delivery.form()?;
    drop((refund.reason, refund.password));
    let note = "INSERT INTO paid (invoice) VALUES (?)";
    db.execute(note, [refund.invoice.into()]).await?;
    Ok(Text::new("noted"))
}

async fn whose(session: Session) -> Text {
    Text::new(format!("{:?}", session.principal().is_some()))
}

fn hooks(app: App) -> App {
    let tables = "CREATE TABLE paid (invoice INTEGER NOT NULL) STRICT;
        CREATE TABLE tries (invoice INTEGER NOT NULL) STRICT";
    site::app(app)
        .webhook(
            WebhookAuth::hmac("billing"),
            [
                post("/hooks/billing", on_paid),
                post("/hooks/refunds", on_refund),
                get("/hooks/billing/state", on_paid),
                post("/hooks/whose", whose),
                post("/hooks/slow", on_paid).rate_limit(RateLimit::per_minute(2)),
            ],
        )
        .webhook(
            WebhookAuth::hmac("shipping"),
            [post("/hooks/shipping", on_paid)],
        )
        .webhook(
            WebhookAuth::hmac("code").with_scheme(SignatureScheme::GitHub),
            [post("/hooks/code", on_paid)],
        )
        .migrations([Migration::new("paid_0001", tables)])
}

/// The keys of the three senders, as `keys webhook new` writes them.
fn share(data: &Path) {
    let folder = data.join("keys/webhooks");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .unwrap();
    for (sender, key) in [("billing", KEY), ("shipping", OTHER), ("code", OTHER)] {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(folder.join(sender)).unwrap();
        file.write_all(key).unwrap();
    }
}

struct Sender {
    site: Site,
}

impl Sender {
    async fn open() -> Self {
        let site = Site::prepared(share, hooks).await;
        Self { site }
    }

    fn raw(&self, target: &str, body: &str) -> RawRequest {
        let raw = self.site.visitor.raw("POST", target).cookies(Cookies::No);
        raw.header("content-type", "application/json")
            .body(body.to_owned())
    }

    fn line(&self, key: &[u8], late: i64, target: &str, body: &str) -> String {
        signature(key, self.site.clock.now() + late, target, body.as_bytes())
    }

    fn signed(&self, target: &str, body: &str) -> RawRequest {
        let line = self.line(KEY, 0, target, body);
        self.raw(target, body).header("x-signature", line)
    }

    async fn paid(&self) -> i64 {
        let db = self.site.running.dewar().db();
        let rows = db.query("SELECT count(*) FROM paid", []).await.unwrap();
        rows[0].get(0).unwrap()
    }

    async fn events(&self, name: &str) -> usize {
        let log = self.site.running.dewar().log();
        log.flush().await;
        let latest = log.latest(200, None).await.unwrap();
        latest.iter().filter(|entry| entry.event == name).count()
    }
}

async fn send(raw: RawRequest) -> TestResponse {
    raw.send().await.unwrap()
}

const BODY: &str = r#"{"invoice":7}"#;
const HOOK: &str = "/hooks/billing";

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_is_taken_without_anything_that_a_browser_sends() {
    let sender = Sender::open().await;
    let answer = send(sender.signed(HOOK, BODY)).await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().as_str()),
        (200, "noted")
    );
    assert_eq!(sender.paid().await, 1);
    // Another signature scheme, by another sender.
    let body = r#"{"invoice":8}"#;
    let mac = aws_lc_rs::hmac::sign(
        &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, OTHER),
        body.as_bytes(),
    );
    let hex = data_encoding::HEXLOWER.encode(mac.as_ref());
    let theirs = sender.raw("/hooks/code", body);
    let theirs = theirs
        .header("x-hub-signature-256", format!("sha256={hex}"))
        .header("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958");
    assert_eq!(send(theirs).await.status(), 200);
    // The delivery's id is not signed: with another id it is the same delivery.
    let again = sender.raw("/hooks/code", body);
    let again = again
        .header("x-hub-signature-256", format!("sha256={hex}"))
        .header("x-github-delivery", "00000000-cc78-11e3-81ab-4c9367dc0958");
    assert_eq!(send(again).await.status(), 409);
    assert_eq!(sender.paid().await, 2);
}

/// A signature says who sent the text, and not that it fits.
///
/// ASVS: V2.2.1, V15.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_that_breaks_the_rules_of_its_form_is_refused_with_all_its_problems() {
    let sender = Sender::open().await;
    let target = "/hooks/refunds";
    let wrong = send(sender.signed(
        target,
        r#"{"invoice":0,"reason":"a\u202eb","password":"abc"}"#,
    ))
    .await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(
        wrong.header("content-type"),
        Some("application/problem+json")
    );
    let body: serde_json::Value = serde_json::from_str(&wrong.text()).unwrap();
    let pointers = body["errors"].as_array().unwrap().iter();
    let pointers: Vec<_> = pointers
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["#/invoice", "#/reason", "#/password"]);
    for body in [
        r#"{"invoice":7,"reason":"wet","is_admin":true}"#,
        r#"{"invoice":7,"invoice":8,"reason":"wet"}"#,
        r#"{"invoice":"7","reason":"wet"}"#,
        r#"[7]"#,
        "invoice=7&reason=wet",
    ] {
        assert_eq!(
            send(sender.signed(target, body)).await.status(),
            400,
            "{body}"
        );
    }
    assert_eq!(sender.paid().await, 0);
    let right = r#"{"invoice":7,"reason":"wet"}"#;
    assert_eq!(send(sender.signed(target, right)).await.status(), 200);
    assert_eq!(sender.paid().await, 1);
}

/// A delivery counts before Dewar reads its body and computes a signature, the forged one too.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_s_own_rate_limit_counts_each_delivery() {
    let sender = Sender::open().await;
    let slow = "/hooks/slow";
    assert_eq!(send(sender.signed(slow, BODY)).await.status(), 200);
    assert_eq!(send(sender.raw(slow, BODY)).await.status(), 401);
    let body = r#"{"invoice":8}"#;
    let refused = send(sender.signed(slow, body)).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(sender.paid().await, 1);
    sender.site.clock.advance(Duration::from_secs(60));
    // The refusal was no attempt at the delivery.
    assert_eq!(send(sender.signed(slow, body)).await.status(), 200);
    for invoice in 10..13 {
        let body = format!("{{\"invoice\":{invoice}}}");
        assert_eq!(send(sender.signed(HOOK, &body)).await.status(), 200);
    }
}

/// ASVS: V4.1.5
#[tokio::test(flavor = "multi_thread")]
async fn no_other_delivery_is_taken_and_each_is_a_security_event() {
    let sender = Sender::open().await;
    let ada = sender.site.member("ada", &[]).await;
    let line = |key, late, target| sender.line(key, late, target, BODY);
    let good = line(KEY, 0, HOOK);
    let one = |line: &str| sender.raw(HOOK, BODY).header("x-signature", line);
    let attacks = [
        ("unsigned", sender.raw(HOOK, BODY)),
        ("empty", one("")),
        ("made up", one(&format!("t=1,v2={}", "0".repeat(64)))),
        (
            "altered",
            sender
                .raw(HOOK, r#"{"invoice":70}"#)
                .header("x-signature", &good),
        ),
        ("stale", one(&line(KEY, -301, HOOK))),
        ("of the future", one(&line(KEY, 301, HOOK))),
        ("two signatures", one(&good).header("x-signature", &good)),
        (
            "two signatures, one of them good",
            one(&good).header("x-signature", line(OTHER, 0, HOOK)),
        ),
        ("another sender's", one(&line(OTHER, 0, HOOK))),
        ("for another route", one(&line(KEY, 0, "/hooks/refunds"))),
        ("with a query", {
            let raw = sender.raw("/hooks/billing?again", BODY);
            raw.header("x-signature", &good)
        }),
        (
            "in another spelling",
            sender.raw(HOOK, BODY).header("x-hub-signature-256", &good),
        ),
        (
            "a browser's cookies alone",
            ada.raw("POST", HOOK).body(BODY),
        ),
    ];
    let count = attacks.len();
    for (what, raw) in attacks {
        let answer = send(raw).await;
        assert_eq!(answer.status(), 401, "{what}");
        assert!(answer.location().is_none(), "{what}");
        assert_eq!(sender.paid().await, 0, "{what}");
    }
    assert_eq!(sender.events("crypt_fail").await, count);
    // Dewar accepts the same delivery as it was signed, and refuses it a second time.
    assert_eq!(send(one(&good)).await.status(), 200);
    assert_eq!(send(one(&good)).await.status(), 409);
    assert_eq!(sender.paid().await, 1);
    assert_eq!(sender.events("authn_token_reuse").await, 1);
}

/// Dewar refuses a webhook request that another site makes a browser send, before it looks at the signature.
#[tokio::test(flavor = "multi_thread")]
async fn only_a_request_that_says_nothing_of_its_origin_is_excused_from_the_first_check() {
    let sender = Sender::open().await;
    let (mut invoice, mut taken) = (0, 0);
    for site in [
        None,
        Some("same-origin"),
        Some("none"),
        Some("same-site"),
        Some("cross-site"),
    ] {
        for origin in [
            None,
            Some("own"),
            Some("null"),
            Some("https://evil.example"),
        ] {
            for is_signed in [true, false] {
                invoice += 1;
                let body = format!(r#"{{"invoice":{invoice}}}"#);
                let mut raw = if is_signed {
                    sender.signed(HOOK, &body)
                } else {
                    sender.raw(HOOK, &body)
                };
                if let Some(site) = site {
                    raw = raw.header("sec-fetch-site", site);
                }
                if let Some(origin) = origin {
                    let own = sender.site.running.url().trim_end_matches('/');
                    raw = raw.header("origin", if origin == "own" { own } else { origin });
                }
                let elsewhere = matches!(site, Some("same-site" | "cross-site"))
                    || matches!(origin, Some("null" | "https://evil.example"));
                let wanted = if elsewhere {
                    403
                } else if is_signed {
                    200
                } else {
                    401
                };
                taken += i64::from(wanted == 200);
                let status = send(raw).await.status().as_u16();
                assert_eq!(status, wanted, "{site:?} {origin:?} {is_signed}");
                assert_eq!(
                    sender.paid().await,
                    taken,
                    "{site:?} {origin:?} {is_signed}"
                );
            }
        }
    }
    assert_eq!(taken, 6);
}

/// A signature opens only its own route, and no other route accepts a request without an origin.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_opens_no_other_heading() {
    let sender = Sender::open().await;
    let ada = sender.site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let token = page.form("/sign-out").value("csrf_token").unwrap();
    for path in ["/bin", "/notes", "/sign-out", "/sign-in"] {
        let body = format!("csrf_token={token}");
        let line = sender.line(KEY, 0, path, &body);
        let raw = ada.raw("POST", path).header("x-signature", line);
        assert_eq!(send(raw.form(&body)).await.status(), 403, "{path}");
    }
    assert_eq!(ada.get("/notes").await.status(), 200);
    // A page under the heading requires a signature as well.
    let path = "/hooks/billing/state";
    let ask = |line: Option<String>| {
        let raw = sender.site.visitor.raw("GET", path).cookies(Cookies::No);
        let raw = match line {
            Some(line) => raw.header("x-signature", line),
            None => raw,
        };
        raw.body(BODY)
    };
    assert_eq!(send(ask(None)).await.status(), 401);
    let line = sender.line(KEY, 0, path, BODY);
    assert_eq!(send(ask(Some(line))).await.status(), 200);
}

/// A sender may repeat a delivery after a 500; after a 200 or a 400 it is a replay.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_failed_may_come_again_once() {
    let sender = Sender::open().await;
    let body = r#"{"invoice":2000}"#;
    let line = sender.line(KEY, 0, HOOK, body);
    let same = || sender.raw(HOOK, body).header("x-signature", &line);
    for wanted in [500, 200, 409, 409] {
        assert_eq!(send(same()).await.status(), wanted);
    }
    assert_eq!(sender.paid().await, 1);
    // A rejection by the handler is a final response.
    let line = sender.line(KEY, 0, HOOK, "no JSON");
    for wanted in [400, 409] {
        let raw = sender.raw(HOOK, "no JSON").header("x-signature", &line);
        assert_eq!(send(raw).await.status(), wanted);
    }
    // A panic is not. After the response Dewar accepts the delivery again.
    let body = r#"{"invoice":999}"#;
    let line = sender.line(KEY, 0, HOOK, body);
    let panics = || sender.raw(HOOK, body).header("x-signature", &line);
    assert_eq!(send(panics()).await.status(), 500);
    let mut status = 409;
    for _ in 0..100 {
        status = send(panics()).await.status().as_u16();
        if status != 409 {
            break;
        }
    }
    assert_eq!(status, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_forgets_no_delivery() {
    let sender = Sender::open().await;
    let line = sender.line(KEY, 0, HOOK, BODY);
    let raw = sender.raw(HOOK, BODY).header("x-signature", &line);
    assert_eq!(send(raw).await.status(), 200);
    let sender = Sender {
        site: sender.site.again(hooks).await,
    };
    sender.site.clock.advance(Duration::from_secs(5));
    let raw = sender.raw(HOOK, BODY).header("x-signature", &line);
    assert_eq!(send(raw).await.status(), 409);
    assert_eq!(sender.paid().await, 1);
}

/// Otherwise a cookie that came along would decide who is signed in for the handler.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_has_no_session() {
    let sender = Sender::open().await;
    let ada = sender.site.member("ada", &[]).await;
    let line = sender.line(KEY, 0, "/hooks/whose", "{}");
    let raw = ada.raw("POST", "/hooks/whose").header("x-signature", line);
    assert_eq!(send(raw.body("{}")).await.status(), 500);
}

async fn form(_form: Form<site::NewNote>) -> Redirect {
    Redirect::to("/")
}

#[test]
fn the_route_table_shows_who_signs_and_finds_what_cannot_be_told_apart() {
    let data = tempfile::tempdir().unwrap();
    let app = || App::in_directory(&data).unwrap();
    let table = hooks(app()).route_table();
    let about_us = |id: &str| id.starts_with("csrf-webhook");
    assert!(!table.findings().iter().any(|found| about_us(found.id)));
    let text = table.to_string();
    assert!(
        text.contains("webhook:billing") && text.contains("webhook:code:github"),
        "{text}"
    );
    let by = WebhookAuth::hmac("code").with_scheme(SignatureScheme::GitHub);
    let two = [post("/one", on_paid), post("/two", on_paid)];
    for (what, app, id) in [
        (
            "two routes of one body",
            app().webhook(by, two),
            "csrf-webhook-unbound",
        ),
        (
            "two spellings with one key",
            app()
                .webhook(WebhookAuth::hmac("code"), [post("/one", on_paid)])
                .webhook(by, [post("/two", on_paid)]),
            "csrf-webhook-unbound",
        ),
        (
            "a form",
            app().webhook(WebhookAuth::hmac("code"), [post("/one", form)]),
            "csrf-webhook-takes-form",
        ),
    ] {
        let findings = app.route_table().findings();
        let ids: Vec<_> = findings.iter().map(|finding| finding.id).collect();
        assert_eq!(ids, [id], "{what}");
        assert!(findings[0].refuses_launch);
    }
}
