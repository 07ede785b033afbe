//! `pages`: typed text is text on a page, and a redirect stays on this site.

mod browser;
mod developer;
mod download;

use dewar::testing::Browser;

use crate::company::{PASSWORD, Portal, document, hand_in, post};

const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}${7*7}";

/// Whether a page has no element that the portal did not write.
fn is_clean(page: &dewar::testing::TestResponse) -> bool {
    page.texts("script:not([nonce])").is_empty()
        && page.attribute("img[src=x]", "src").is_none()
        && !page.text().contains(">49<")
}

/// ASVS: V1.2.1, V3.2.2, V1.1.2, V1.3.2, V1.3.7
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_anywhere_is_shown_as_text() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let answer = hand_in(&ada, HOSTILE, "note.txt", b"x\n").await;
    let path = answer.location().unwrap().to_owned();
    assert_eq!(
        post(
            &ada,
            &format!("{path}/comments"),
            &format!("comment={}", encode(HOSTILE))
        )
        .await
        .status(),
        303
    );
    let page = ada.get(&path).await;
    assert_eq!(page.texts("h1"), [HOSTILE]);
    assert!(page.texts(".typed").iter().any(|text| text == HOSTILE));
    for page in [
        page,
        ada.get("/documents").await,
        ada.get(&format!("/documents?q={}", encode(HOSTILE))).await,
    ] {
        assert!(is_clean(&page), "{}", page.text());
    }
}

/// ASVS: V1.2.1, V1.2.2
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_stays_in_its_attribute_and_in_its_part_of_an_address() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for typed in [
        "\" autofocus onfocus=alert(1) x=\"",
        "' onfocus='alert(1)",
        "a&page=2#b?",
    ] {
        let page = ada.get(&format!("/documents?q={}", encode(typed))).await;
        assert_eq!(page.attribute("#q", "value").as_deref(), Some(typed));
        assert!(page.attribute("[onfocus]", "onfocus").is_none());
    }
    let page = portal
        .visitor()
        .get("/sign-in?next=/a%26role%3Dx%23b%27%3F")
        .await;
    let action = page.attribute("form.sheet", "action").unwrap();
    assert_eq!(action, "/sign-in?next=/a%26role%3Dx%23b%27%3F");
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// ASVS: V1.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_description_keeps_its_markup_and_loses_what_acts() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let page = ada.get("/documents/new").await;
    let hostile = "<p><strong>Bold</strong> <a href='javascript:alert(1)'>x</a> <a href='https://example.org'>y</a></p>\
        <script>alert(1)</script><svg onload=alert(1)></svg><iframe src='https://evil.example'></iframe>\
        <p onclick='alert(1)' style='position:fixed'>z</p><form action='//evil.example'><input name=q></form>";
    let form = page
        .form("/documents")
        .fill("title", "Plan")
        .fill("description", hostile);
    let answer = ada.submit(form.file("file", "note.txt", "x\n")).await;
    let page = ada.get(answer.location().unwrap()).await;
    assert_eq!(page.texts(".prose strong"), ["Bold"]);
    assert_eq!(page.texts(".prose a"), ["y"]);
    let hrefs = page.attribute(".prose a[href]", "href");
    assert_eq!(hrefs.as_deref(), Some("https://example.org"));
    for selector in [
        "script:not([nonce])",
        "svg",
        "iframe",
        "[onclick]",
        "[style]",
        ".prose form",
    ] {
        assert!(page.texts(selector).is_empty(), "{selector}");
    }
}

async fn sign_in_with_next(browser: &Browser, next: &str) -> String {
    let page = browser
        .get(&format!("/sign-in?next={}", encode(next)))
        .await;
    if page.status() != 200 {
        return "refused".to_owned();
    }
    let form = &page.forms()[0];
    let form = form
        .clone()
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    browser
        .submit(form)
        .await
        .location()
        .unwrap_or("refused")
        .to_owned()
}

/// ASVS: V3.7.2
#[tokio::test(flavor = "multi_thread")]
async fn after_signing_in_nobody_is_sent_elsewhere() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    assert_eq!(
        sign_in_with_next(&portal.visitor(), "/account").await,
        "/account"
    );
    for next in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "/\r\nset-cookie: a=b",
        "\\\\evil",
        "/\t/evil.example",
    ] {
        let place = sign_in_with_next(&portal.visitor(), next).await;
        assert!(
            place == "refused" || (place.starts_with('/') && !place.contains("evil")),
            "{next:?} led to {place}"
        );
    }
}

/// ASVS: V16.5.1, V13.4.2
#[tokio::test(flavor = "multi_thread")]
async fn an_error_tells_nothing_of_the_program() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for path in [
        "/nothing",
        "/documents/999",
        "/documents?page=x",
        "/admin/users",
        "/static/nothing",
        "/reviews/x",
    ] {
        let page = ada.get(path).await.text();
        // Tokens and hashes are random letters, which may spell anything.
        let of_base64 = |c: char| c.is_ascii_alphanumeric() || "+/_-".contains(c);
        let is_random = |part: &&str| part.len() >= 20 && part.chars().all(of_base64);
        let parts = page.split(['"', '=', ' ']).filter(|part| !is_random(part));
        let text = parts.collect::<Vec<_>>().join(" ").to_lowercase();
        for word in [
            "panick",
            "sql",
            "/src/",
            ".rs:",
            "backtrace",
            "rusqlite",
            "minijinja",
        ] {
            assert!(!text.contains(word), "{path}: {word}");
        }
    }
}

/// ASVS: V14.3.2, V14.2.5
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_somebody_is_kept_by_no_cache_and_reached_by_no_odd_ending() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    assert!(
        ada.get(&path)
            .await
            .header("cache-control")
            .unwrap()
            .contains("no-store")
    );
    for odd in [
        "/documents.css",
        "/documents/x.css",
        "/account/a.js",
        "/documents/;a.css",
    ] {
        let status = ada.get(odd).await.status().as_u16();
        assert!([400, 404].contains(&status), "{odd}: {status}");
    }
}

/// ASVS: V1.2.10, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_no_formula_in_a_spreadsheet() {
    let portal = Portal::open().await;
    let name = "=HYPERLINK(\"https://evil.example\";\"Ada\")";
    let person = dewar::accounts::NewUser {
        email: "eve@example.org",
        name,
        password: PASSWORD,
    };
    let accounts = portal.running.dewar().accounts();
    accounts.add(person, &[]).await.unwrap();
    let grace = portal.administrator().await;
    let table = grace.get("/admin/users.csv").await;
    assert_eq!(
        table.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(
        table.header("content-disposition"),
        Some("attachment; filename=\"people.csv\"")
    );
    assert!(table.text().contains("\"'=HYPERLINK("), "{}", table.text());
    assert!(!table.text().contains("\"=HYPERLINK"), "{}", table.text());
    assert_eq!(
        portal
            .member("ada")
            .await
            .get("/admin/users.csv")
            .await
            .status(),
        403
    );
}
