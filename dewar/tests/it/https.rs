//! `https`: every response has its protections, errors too.

mod door;
mod health;
mod production;

use dewar::audit::Clock;
use dewar::https::{HeaderRule, TABLE, When};
use dewar::testing::{Browser, TestResponse};
use dewar::{App, get};

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_every_header() {
    let site = Site::open().await;
    for path in ["/", "/sign-in", "/nothing", "/static/nothing.css", "/notes"] {
        let answer = site.visitor.get(path).await;
        for rule in &TABLE {
            has(rule, &answer);
        }
        assert!(answer.header("server").is_none());
    }
}

/// Whether a response of an application with the local authority matches a line of the table.
fn has(rule: &HeaderRule, answer: &TestResponse) {
    let (name, wanted) = (rule.name.as_str(), rule.value.to_str().unwrap());
    let what = format!("{name} of {}", answer.url());
    let count = answer.headers().get_all(name).iter().count();
    let kind = answer.header("content-type").unwrap_or_default();
    let is_page = kind.starts_with("text/html");
    let expected = match rule.when {
        When::Always => true,
        When::Default => return assert_eq!(count, 1, "{what}"),
        When::Hsts | When::HstsPreload => return assert_eq!(count, 0, "{what}"),
        When::Html => is_page,
        When::NotHtml => !is_page,
        _ => panic!("an unknown kind of rule"),
    };
    let Some(sent) = answer.header(name).filter(|_| expected) else {
        return assert!(!expected, "{what} is missing");
    };
    assert_eq!(count, 1, "{what}");
    let (before, after) = wanted.split_once("{nonce}").unwrap_or((wanted, wanted));
    assert!(
        sent.starts_with(before) && sent.ends_with(after),
        "{what}: {sent}"
    );
}

async fn hello() -> &'static str {
    "Hello, world!"
}

#[tokio::test(flavor = "multi_thread")]
async fn security_txt_is_served_and_judged() {
    let path = "/.well-known/security.txt";
    for (expires, judged) in [
        ("2027-06-30T00:00:00Z", None),
        ("2027-01-01T00:00:00Z", Some("https-security-txt-expired")),
        ("2028-07-01T00:00:00Z", Some("https-security-txt-far")),
    ] {
        let data = tempfile::tempdir().unwrap();
        let settings = [
            (
                "DEWAR_HTTPS_SECURITY_TXT_CONTACT",
                "mailto:security@example.org",
            ),
            ("DEWAR_HTTPS_SECURITY_TXT_EXPIRES", expires),
        ];
        let app = App::in_directory_with(&data, settings).unwrap();
        let app = app.public([get("/", hello)]);
        let provided = app.route_table();
        assert!(provided.provided().iter().any(|entry| entry.path == path));
        // The application's clock decides about the date, so this test is right in any year.
        let app = app.clock(Clock::manual(1_800_000_000));
        let running = app.start().await.unwrap();
        let ids: Vec<_> = running.findings().iter().map(|found| found.id).collect();
        let wrong = ids.iter().find(|id| id.starts_with("https-security-txt"));
        assert_eq!(wrong.copied(), judged);
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "said twice: {ids:?}");
        running.stop().await.unwrap();
    }
    let data = tempfile::tempdir().unwrap();
    let settings = [
        (
            "DEWAR_HTTPS_SECURITY_TXT_CONTACT",
            "mailto:security@example.org",
        ),
        ("DEWAR_HTTPS_SECURITY_TXT_EXPIRES", "2027-06-30T00:00:00Z"),
    ];
    let app = App::in_directory_with(&data, settings).unwrap();
    let running = app.public([get("/", hello)]).start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let answer = Browser::new(running.url(), &authority).get(path).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    let canonical = format!("Canonical: {}{path}\n", running.url());
    assert!(answer.text().ends_with(&canonical), "{}", answer.text());
    let without = Site::open().await;
    assert_eq!(without.visitor.get(path).await.status(), 404);
}

/// The output of `<app> routes --json`.
#[test]
fn the_route_table_shows_what_the_framework_answers_itself() {
    let data = tempfile::tempdir().unwrap();
    let app = App::in_directory(&data).unwrap().public([get("/", hello)]);
    let json = serde_json::to_value(app.route_table()).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[1]["path"], "/browser-reports");
    assert_eq!(json[1]["access"], "browser_reports");
    assert!(app.route_table().to_string().contains("browser_reports"));
    let taken = App::in_directory(&data).unwrap();
    let taken = taken.public([get("/browser-reports", hello)]);
    let findings = taken.route_table().findings();
    assert_eq!(findings[0].id, "roles-route-unreachable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_on_the_list_is_refused() {
    let site = Site::open().await;
    let answer = site
        .visitor
        .raw("GET", "/")
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 421);
}
