//! `forms`: input fits its type or is refused.

mod again;
mod encoding;
mod json;

use dewar::testing::{Browser, TestResponse};

use crate::company::{PASSWORD, Portal, document, encoded, hand_in, post, shown, token, version};

/// ASVS: V15.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_the_form_does_not_have_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for extra in ["owner_id", "status", "reviewer_id", "id"] {
        let page = ada.get("/documents/new").await;
        let form = page
            .form("/documents")
            .fill("title", "Plan")
            .file("file", "note.txt", "x\n");
        assert_eq!(
            ada.submit(form.tamper(extra, "1")).await.status(),
            400,
            "{extra}"
        );
    }
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    document(&ada, "Plan").await;
}

/// ASVS: V15.3.7
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_comes_twice_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    assert_eq!(post(&ada, &path, "comment=a&comment=b").await.status(), 400);
    assert_eq!(ada.get("/documents?q=a&q=b").await.status(), 400);
    assert_eq!(post(&ada, &path, "comment=a").await.status(), 303);
}

/// Mail programs, search engines and social networks append parameters to links: no page breaks because of them, and Dewar logs
/// no attack.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_append_to_a_link_is_passed_over() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plan").await;
    let before = portal.log().await;
    for path in [
        "/?fbclid=x",
        "/documents?q=a&",
        "/documents?utm_source=mail&q=plan&gclid=%ff%zz&",
        "/documents?fbclid=1&fbclid=2",
        "/documents?owner_id=1&q=Plan",
    ] {
        let answer = ada.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert!(
            !path.contains("lan") || answer.text().contains("Plan"),
            "{path}"
        );
    }
    let visitor = portal.visitor();
    let answer = visitor
        .get("/sign-in?utm_source=mail&next=%2Fdocuments")
        .await;
    assert_eq!(answer.status(), 200);
    let answer = sign_in_on(&visitor, &answer).await;
    assert_eq!(answer.location(), Some("/documents"));
    let events = portal.log().await.replacen(&before, "", 1);
    assert!(
        !events.contains("malicious") && !events.contains("input_validation"),
        "{events}"
    );
}

async fn sign_in_on(browser: &Browser, page: &TestResponse) -> TestResponse {
    let form = page.form("form[action^='/sign-in']");
    let form = form.fill("email", "ada@example.org");
    browser.submit(form.fill("password", PASSWORD)).await
}

/// ASVS: V1.3.3, V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn text_that_deceives_the_eye_or_breaks_the_line_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let over = "a".repeat(121);
    for title in [
        "a\r\nb",
        "a\0b",
        "exe.\u{202e}fdp",
        "\u{200b}",
        "",
        "   ",
        &over,
        "a\u{7}b",
    ] {
        let page = ada.get("/documents/new").await;
        let form = page
            .form("/documents")
            .tamper("title", title)
            .file("file", "note.txt", "x\n");
        let answer = ada.submit(form).await;
        assert_eq!(answer.status(), 422, "{title:?}");
        assert_eq!(
            answer.attribute("[name=title]", "aria-invalid").as_deref(),
            Some("true"),
            "{title:?}"
        );
    }
    let answer = hand_in(&ada, "Größe, 雨 and café", "note.txt", b"x\n").await;
    assert_eq!(answer.status(), 303);
}

/// ASVS: V15.2.2, V4.3.1
#[tokio::test(flavor = "multi_thread")]
async fn more_fields_or_bytes_than_a_form_has_are_refused_early() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    let many: String = (0..10_000).map(|number| format!("f{number}=1&")).collect();
    let answer = post(&ada, &path, &format!("{many}comment=a")).await;
    assert_eq!(answer.status(), 413);
    // Slightly more than allowed: the response says so.
    let token = token(&ada).await;
    let version = encoded(&shown(&ada, &path).await.unwrap());
    let large = |size: usize| {
        let comment = "a".repeat(size);
        format!("csrf_token={token}&version={version}&comment={comment}")
    };
    let send = async |body: String| {
        let request = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "same-origin");
        request.form(&body).send().await
    };
    let answer = send(large(1024 * 1024)).await.unwrap();
    assert_eq!(answer.status(), 413);
    // Much more: Dewar answers before the whole body was sent, and then closes the connection, which a sender may see first.
    if let Ok(answer) = send(large(16 * 1024 * 1024)).await {
        assert_eq!(answer.status(), 413);
    }
    let name = "n".repeat(500);
    let answer = post(&ada, &path, &format!("{name}=1")).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    assert_eq!(send(large(10)).await.unwrap().status(), 303);
}

/// ASVS: V1.1.1, V1.5.3
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    for body in ["comment=%ff", "comment=%", "comment=%zz", "comment=%c3%28"] {
        assert_eq!(post(&ada, &path, body).await.status(), 400, "{body}");
    }
    assert_eq!(ada.get("/documents?q=%ff").await.status(), 400);
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
}

/// A value that the page did not offer.
///
/// ASVS: V2.2.1, V2.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_was_not_offered_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&ada, "Plan")
        .await
        .replace("/documents/", "/reviews/");
    let version = version(&rob, &path).await;
    for decision in ["pending", "APPROVE", "approve ", "1", ""] {
        let answer = post(
            &rob,
            &path,
            &format!("decision={}&reason={version}", decision.replace(' ', "%00")),
        )
        .await;
        assert_eq!(answer.status(), 422, "{decision:?}");
    }
    assert_eq!(
        portal
            .count("SELECT count(*) FROM documents WHERE status = 'pending'")
            .await,
        1
    );
    assert!(
        portal
            .log()
            .await
            .contains("input_validation_discrete_fail")
    );
}

/// ASVS: V1.5.3, V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_another_kind_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    for kind in ["application/ld+json", "text/plain", "application/xml"] {
        let request = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", kind);
        let request = request
            .header("x-csrf-token", token(&ada).await)
            .body("comment=a");
        assert_eq!(request.send().await.unwrap().status(), 415, "{kind}");
    }
}

/// ASVS: V1.5.2, V15.3.3, V15.3.7
#[tokio::test(flavor = "multi_thread")]
async fn json_is_held_to_the_rules_of_the_form() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    let token = token(&ada).await;
    let send = async |body: &str, token: &str| {
        let request = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/json")
            .header("accept", "application/problem+json")
            .header("x-csrf-token", token);
        request.body(body.to_owned()).send().await.unwrap()
    };
    assert_eq!(send(r#"{"comment":"hi"}"#, "").await.status(), 403);
    for wrong in [
        r#"{"comment":"hi","author_id":1}"#,
        r#"{"comment":"hi","comment":"ho"}"#,
        r#"{"comment":["hi"]}"#,
        r#"{"comment":{"$gt":""}}"#,
        r#"{"comment":1}"#,
        "comment=hi",
        "[[[[[[[[",
    ] {
        assert_eq!(send(wrong, &token).await.status(), 400, "{wrong}");
    }
    let version = shown(&ada, &path).await.unwrap();
    let blank = format!(r#"{{"comment":" ","version":"{version}"}}"#);
    let answer = send(&blank, &token).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert!(
        answer.text().contains(r##""pointer":"#/comment""##),
        "{}",
        answer.text()
    );
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    let good = format!(r#"{{"comment":"hi","version":"{version}"}}"#);
    assert_eq!(send(&good, &token).await.status(), 303);
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 1);
}
