//! Files that a browser sends to the bucket itself. These tests need `with-s3`.

use dewar::testing::{Browser, TestResponse};
use serde_json::Value;

use crate::bucket;
use crate::chromium;
use crate::company::{PASSWORD, Portal, address, encoded, files_below, token};

/// A ticket, as the framework's script gets it.
async fn ticket(browser: &Browser, name: &str, size: usize) -> Value {
    let fields = format!(
        "csrf_token={}&name={name}&size={size}",
        encoded(&token(browser).await)
    );
    let asked = browser.raw("POST", "/documents/tickets");
    let asked = asked
        .header("sec-fetch-site", "same-origin")
        .header("accept", "application/json");
    let answer = asked.form(&fields).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text());
    serde_json::from_slice(answer.bytes()).unwrap()
}

async fn put(ticket: &Value, bytes: &[u8]) -> u16 {
    let headers = ticket["headers"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let headers: Vec<_> = headers
        .iter()
        .map(|header| (text(&header["name"]), text(&header["value"])))
        .collect();
    bucket::put(&text(&ticket["address"]), &headers, bytes).await
}

/// A ticket whose file is in the bucket.
async fn sent(browser: &Browser, name: &str, bytes: &[u8]) -> String {
    let ticket = ticket(browser, name, bytes.len()).await;
    assert_eq!(put(&ticket, bytes).await, 200);
    ticket["ticket"].as_str().unwrap().to_owned()
}

/// Hands a document in, with a ticket in place of the file.
async fn hand_in(browser: &Browser, title: &str, ticket: &str) -> TestResponse {
    let page = browser.get("/documents/new").await;
    let form = page
        .form("/documents")
        .fill("title", title)
        .fill("tags", "plan, lake")
        .tamper("file", ticket);
    browser.submit(form).await
}

/// The form again, with the message beside the field and every typed word.
#[track_caller]
fn is_refused(answer: &TestResponse, title: &str) {
    assert_eq!(answer.status(), 422, "{}", answer.text());
    let wrong = answer.attribute("[name=file]", "aria-invalid");
    assert_eq!(wrong.as_deref(), Some("true"));
    let again = answer.form("/documents");
    assert_eq!(again.value("title").as_deref(), Some(title));
    assert_eq!(again.value("tags").as_deref(), Some("plan, lake"));
}

/// ASVS: V5.2.2, V8.2.2, V2.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_of_somebody_else_or_of_another_time_brings_no_file() {
    let Some(()) = bucket::or_skip() else { return };
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let mine = sent(&ada, "plan.txt", b"The plan.\n").await;
    let stolen = hand_in(&eve, "Stolen", &mine).await;
    is_refused(&stolen, "Stolen");
    let forged = hand_in(&ada, "Forged", "0123456789abcdef0123456789abcdef").await;
    is_refused(&forged, "Forged");
    let first = hand_in(&ada, "Plan", &mine).await;
    assert_eq!(first.status(), 303, "{}", first.text());
    let page = first.location().unwrap().to_owned();
    let file = ada.get(&format!("{page}/file")).await;
    assert_eq!(file.bytes().as_ref(), b"The plan.\n");
    let again = hand_in(&ada, "Again", &mine).await;
    is_refused(&again, "Again");
    let late = sent(&ada, "late.txt", b"Late.\n").await;
    portal.clock.advance(portal.uploads().config().ticket_ttl);
    is_refused(&hand_in(&ada, "Late", &late).await, "Late");
    let missing = ticket(&ada, "none.txt", 7).await;
    let missing = missing["ticket"].as_str().unwrap();
    is_refused(&hand_in(&ada, "Missing", missing).await, "Missing");
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 1);
    let log = portal.log().await;
    for word in ["ticket_unknown", "ticket_ended", "ticket_other_file"] {
        assert!(log.contains(word), "{word}");
    }
}

/// What a form would refuse is refused, and what nobody may read is nowhere served.
///
/// ASVS: V5.2.2, V5.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_bucket_is_examined_like_one_in_the_form() {
    let Some(()) = bucket::or_skip() else { return };
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (name, bytes) in [
        (
            "page.txt",
            b"<!doctype html><script>alert(1)</script>".as_slice(),
        ),
        ("late.pdf", b"junk before\n%PDF-1.7\n%%EOF\n"),
        ("paper.docx", b"PK\x03\x04 but not a zip"),
    ] {
        let ticket = sent(&ada, name, bytes).await;
        is_refused(&hand_in(&ada, name, &ticket).await, name);
    }
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    let folder = bucket::folder(portal.uploads()).unwrap();
    assert_eq!(files_below(&folder.join("incoming")).len(), 3);
    for file in files_below(&folder.join("incoming")) {
        assert_eq!(std::fs::metadata(&file).unwrap().len(), 0, "it is used up");
        let name = file.file_name().unwrap().to_str().unwrap();
        for path in [format!("/incoming/{name}"), format!("/uploads/{name}")] {
            assert_eq!(ada.get(&path).await.status(), 404, "{path}");
        }
    }
}

/// ASVS: V3.4.3
#[tokio::test(flavor = "multi_thread")]
async fn only_the_pages_of_the_form_reach_the_bucket() {
    let Some(()) = bucket::or_skip() else { return };
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let reaches = |page: &TestResponse| {
        let policy = page.header("content-security-policy").unwrap();
        let place = policy.split("connect-src 'self'").nth(1).unwrap();
        place.split(';').next().unwrap().trim().to_owned()
    };
    let page = ada.get("/documents/new").await;
    let place = reaches(&page);
    assert!(
        place.starts_with("http://127.0.0.1:") && place.ends_with("/incoming/"),
        "{place}"
    );
    let tickets = page.attribute("[name=file]", "data-tickets");
    assert_eq!(tickets.as_deref(), Some("/documents/tickets"));
    let again = hand_in(&ada, "", "x").await;
    assert_eq!((again.status().as_u16(), reaches(&again)), (422, place));
    for path in ["/documents", "/account"] {
        assert_eq!(reaches(&ada.get(path).await), "", "{path}");
    }
    let visitor = portal.visitor();
    let asked = visitor
        .raw("POST", "/documents/tickets")
        .header("sec-fetch-site", "same-origin")
        .form("name=a.txt&size=1");
    let answer = asked.send().await.unwrap();
    assert_ne!(answer.status(), 200, "a visitor gets no ticket");
    let without = ada
        .raw("POST", "/documents/tickets")
        .header("sec-fetch-site", "same-origin")
        .form("name=a.txt&size=1");
    let answer = without.send().await.unwrap();
    assert_eq!(answer.status(), 403, "without its token");
}

/// Real Chromium, its own script, and the policy of the page.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_sends_the_file_to_the_bucket_and_the_form_after_it() {
    let Some(()) = bucket::or_skip() else { return };
    let portal = Portal::open().await;
    portal.member("ada").await;
    let Some(chromium) = chromium::or_skip(&[&portal.visitor()]).await else {
        return;
    };
    let page = chromium.person().await.page().await;
    let at = |path: &str| format!("{}{path}", portal.running.url());
    page.goto(&at("/sign-in")).await;
    page.fill("[name=email]", &address("ada")).await;
    page.fill("[name=password]", PASSWORD).await;
    page.submit("main form").await;
    let file = tempfile::NamedTempFile::with_suffix(".txt").unwrap();
    std::fs::write(file.path(), "What was agreed.\n").unwrap();
    page.goto(&at("/documents/new")).await;
    page.fill("[name=title]", "Sent directly").await;
    page.set_files("[name=file]", &[file.path()]).await;
    page.submit("form[action='/documents']").await;
    assert!(page.text("body").await.contains("Sent directly"));
    assert_eq!(page.troubles().await, []);
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 1);
    let used = "SELECT count(*) FROM dewar_upload_tickets WHERE state = 'used'";
    assert_eq!(portal.count(used).await, 1, "the form carried a ticket");
}
