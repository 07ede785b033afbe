//! JSON that is made to be read in two ways, to cost more than it is worth, or to set what its sender may not set.

use dewar::testing::{Cookies, TestResponse};
use serde_json::{Value, json};

use crate::attacks::csrf::everywhere::own_token;
use crate::company::{Portal, document};

/// A member's program with its token, and the path of the member's document in the API.
struct Scene {
    portal: Portal,
    path: String,
    token: String,
}

impl Scene {
    async fn set() -> Self {
        let portal = Portal::open().await;
        let ada = portal.member("ada").await;
        let path = format!("/api{}", document(&ada, "Plan").await);
        let scopes = ["documents_read", "documents_write"];
        let (token, _) = portal.api_token("ada", &scopes).await;
        Self {
            portal,
            path,
            token,
        }
    }

    async fn send(
        &self,
        kind: &str,
        token: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        let raw = match token {
            Some(token) => self.portal.program(token, "POST", &self.path),
            None => self.portal.visitor().raw("POST", &self.path),
        };
        let raw = raw.header("content-type", kind).body(body.into());
        raw.send().await.unwrap()
    }

    async fn json(&self, body: impl Into<Vec<u8>>) -> TestResponse {
        self.send("application/json", Some(&self.token), body).await
    }

    /// The document as it is now.
    async fn document(&self) -> Value {
        let raw = self.portal.program(&self.token, "GET", &self.path);
        serde_json::from_str(&raw.send().await.unwrap().text()).unwrap()
    }

    /// The attack was refused with one of these statuses, repeats no value, and changed nothing.
    async fn is_refused(&self, answer: &TestResponse, statuses: &[u16], what: &str) {
        let (status, text) = (answer.status().as_u16(), answer.text());
        assert!(statuses.contains(&status), "{what}: {status} {text}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json"),
            "{what}"
        );
        assert!(!text.contains("hunter2"), "{what}: {text}");
        let now = self.document().await;
        assert_eq!(
            (&now["title"], &now["version"]),
            (&json!("Plan"), &json!(1)),
            "{what}"
        );
    }

    /// The same request without the attack works.
    async fn honest(self) {
        let answer = self.json(r#"{"version":1,"title":"Tea"}"#).await;
        assert_eq!(answer.status(), 200, "{}", answer.text());
        assert_eq!(self.document().await["title"], "Tea");
        self.portal.running.stop().await.unwrap();
    }
}

/// Two readers of the same text would read two values (CWE-436).
///
/// ASVS: V1.5.2, V15.3.7
#[tokio::test(flavor = "multi_thread")]
async fn json_with_two_readings_is_refused() {
    let scene = Scene::set().await;
    for body in [
        r#"{"version":1,"title":"hunter2","title":"Tea"}"#,
        r#"{"version":1,"title":"hunter2","\u0074itle":"Tea"}"#,
        r#"{"version":1,"version":2,"title":"hunter2"}"#,
        r#"{"version":1,"Title":"hunter2"}"#,
        r#"{"version":1,"title":"hunter2"} {"version":1,"title":"Tea"}"#,
        r#"{"version":1,"title":"hunter2",}"#,
        r#"{"version":1,"title":"hunter2"/* } */}"#,
        r#"{"version":01,"title":"hunter2"}"#,
        r#"{"version":NaN,"title":"hunter2"}"#,
        r#"{"version":0x1,"title":"hunter2"}"#,
        r#"[{"version":1,"title":"hunter2"}]"#,
        "\u{feff}{\"version\":1,\"title\":\"hunter2\"}",
        r#"{'version':1,'title':'hunter2'}"#,
    ] {
        let answer = scene.json(body).await;
        scene.is_refused(&answer, &[400], body).await;
    }
    let utf16: Vec<u8> =
        r#"{"version":1,"title":"hunter2"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = b"{\"version\":1,\"title\":\"hunter2 \xe9\"}";
    for body in [utf16.as_slice(), latin] {
        let answer = scene.json(body).await;
        scene.is_refused(&answer, &[400], "another encoding").await;
    }
    scene.honest().await;
}

/// Depth, length and digits cost the sender more than the portal (CWE-400, CWE-674).
///
/// ASVS: V1.5.2, V2.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn json_is_bounded_in_depth_length_and_digits() {
    let scene = Scene::set().await;
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let title = |value: &str| format!(r#"{{"version":1,"title":{value}}}"#);
    for (body, statuses) in [
        (title(&deep("[", "]")), &[400, 413][..]),
        (title(&deep("{\"a\":", "}")), &[400, 413]),
        (deep("[", "]"), &[400, 413]),
        (deep("{\"title\":", "}"), &[400, 413]),
        (
            title(&format!("[{}]", ["1"; 1_000_000].join(","))),
            &[400, 413],
        ),
        (title(&format!("\"{}\"", "a".repeat(100_000))), &[413]),
        (
            format!(r#"{{"version":{},"title":"hunter2"}}"#, "9".repeat(1_000)),
            &[422],
        ),
        (
            r#"{"version":1e999999999,"title":"hunter2"}"#.to_owned(),
            &[422],
        ),
        (
            r#"{"version":1e-999999999,"title":"hunter2"}"#.to_owned(),
            &[422],
        ),
        (
            r#"{"version":9007199254740993,"title":"hunter2"}"#.to_owned(),
            &[422],
        ),
        (r#"{"version":"1","title":"hunter2"}"#.to_owned(), &[400]),
        (r#"{"version":1.5,"title":"hunter2"}"#.to_owned(), &[422]),
    ] {
        let what: String = body.chars().take(60).collect();
        let answer = scene.json(body).await;
        scene.is_refused(&answer, statuses, &what).await;
    }
    scene.honest().await;
}

/// Characters that no page shows, and halves of characters.
///
/// ASVS: V1.3.1, V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn json_holds_no_character_that_a_form_may_not_hold() {
    let scene = Scene::set().await;
    for (value, status) in [
        (r#""hunter2\u0000""#, 422),
        (r#""hunter2\u202e""#, 422),
        (r#""hunter2\u000ab""#, 422),
        (r#""hunter2\ud800""#, 400),
        (r#""hunter2\udc00\ud800""#, 400),
        (r#""hunter2\x00""#, 400),
        ("\"hunter2\u{0}\"", 400),
        (r#""""#, 422),
        ("null", 422),
    ] {
        let body = format!(r#"{{"version":1,"title":{value}}}"#);
        let answer = scene.json(body).await;
        scene.is_refused(&answer, &[status], value).await;
    }
    scene.honest().await;
}

/// A text of another kind, whose content is JSON, is no JSON.
///
/// ASVS: V4.1.1
#[tokio::test(flavor = "multi_thread")]
async fn json_needs_its_media_type_and_the_token() {
    let scene = Scene::set().await;
    let body = r#"{"version":1,"title":"hunter2"}"#;
    let token = Some(scene.token.as_str());
    for kind in OTHER_KINDS {
        let answer = scene.send(kind, token, body).await;
        scene.is_refused(&answer, &[415], kind).await;
        let accepted = answer.header("accept-post").unwrap_or_default();
        assert!(accepted.contains("application/json"), "{kind}: {accepted}");
        // Without the token nobody learns even that.
        let answer = scene.send(kind, None, body).await;
        scene.is_refused(&answer, &[401], kind).await;
    }
    for (token, status) in [(None, 401), (Some(""), 400), (Some("hunter2"), 401)] {
        let answer = scene.send("application/json", token, body).await;
        scene
            .is_refused(&answer, &[status], "without a token")
            .await;
    }
    let token = &scene.token;
    let inside = format!(r#"{{"access_token":"{token}","version":1,"title":"hunter2"}}"#);
    let answer = scene.send("application/json", None, inside).await;
    scene
        .is_refused(&answer, &[401], "a token in the body")
        .await;
    scene.honest().await;
}

const OTHER_KINDS: [&str; 7] = [
    "text/plain",
    "text/plain; charset=application/json",
    "application/json; charset=utf-16",
    "application/json; charset=utf-8; charset=latin1",
    "application/jsonp",
    "application/x-json",
    "text/json",
];

/// A form of another site can send `text/plain` whose text is JSON, and with a slip of the server's it would be read as such, with
/// the session of the person in front of it.
///
/// ASVS: V3.5.2, V4.1.1
#[tokio::test(flavor = "multi_thread")]
async fn json_for_a_page_needs_its_media_type_and_the_csrf_token() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    let page = ada.get(path.trim_end_matches("/comments")).await;
    let sealed = page.form(&path).value("version").unwrap();
    let (own, other) = (
        own_token(&ada).await,
        own_token(&portal.member("eve").await).await,
    );
    let body = json!({ "version": sealed, "comment": "hunter2" }).to_string();
    let inside = json!({ "version": sealed, "comment": "hunter2", "csrf_token": own }).to_string();
    let send = async |kind: &str, token: &str, body: &str| {
        let raw = ada.raw("POST", &path).cookies(Cookies::All);
        let raw = raw.header("sec-fetch-site", "same-origin");
        let raw = raw
            .header("x-csrf-token", token)
            .header("content-type", kind);
        let answer = raw.body(body.to_owned()).send().await.unwrap();
        let written = portal.count("SELECT count(*) FROM comments").await;
        (answer.status().as_u16(), written)
    };
    for kind in OTHER_KINDS {
        assert_eq!(send(kind, &own, &body).await, (415, 0), "{kind}");
    }
    for (token, body) in [
        ("", &body),
        ("hunter2", &body),
        (&*other, &body),
        ("", &inside),
    ] {
        let refused = send("application/json", token, body).await;
        assert_eq!(refused, (403, 0), "{token}");
    }
    assert_eq!(send("application/json", &own, &body).await, (303, 1));
    portal.running.stop().await.unwrap();
}

/// Mass assignment (CWE-915), and names that mean something to a JavaScript object (CWE-1321).
///
/// ASVS: V15.3.3, V15.3.6
#[tokio::test(flavor = "multi_thread")]
async fn json_sets_no_member_that_the_type_does_not_have() {
    let scene = Scene::set().await;
    for (member, near) in [
        (r#""owner_id":1"#, None),
        (r#""status":"approved""#, None),
        (r#""id":2"#, None),
        (r#""__proto__":{"status":"approved"}"#, None),
        (r#""constructor":{"prototype":{"status":"approved"}}"#, None),
        (r#""titel":"Tea""#, Some("title")),
        (r#""":"Tea""#, None),
        (r#""title.x":"Tea""#, None),
        (r#""title[]":"Tea""#, None),
    ] {
        let body = format!(r#"{{"version":1,"title":"hunter2",{member}}}"#);
        let answer = scene.json(body).await;
        scene.is_refused(&answer, &[400], member).await;
        let named = near.is_none_or(|near| answer.text().contains(&format!("“{near}”")));
        assert!(named, "{member}: {}", answer.text());
    }
    scene.honest().await;
}

/// A stale version overwrites nothing.
///
/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn json_about_another_version_overwrites_nothing() {
    let scene = Scene::set().await;
    for version in [2, 7] {
        let body = format!(r#"{{"version":{version},"title":"hunter2"}}"#);
        let answer = scene.json(body).await;
        scene.is_refused(&answer, &[409], "another version").await;
    }
    let answer = scene.json(r#"{"version":1,"title":"","tags":"!"}"#).await;
    scene.is_refused(&answer, &[422], "two rules").await;
    let problem: Value = serde_json::from_str(&answer.text()).unwrap();
    let pointers: Vec<&str> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["pointer"].as_str().unwrap())
        .collect();
    assert_eq!(pointers, ["#/title", "#/tags"], "{problem}");
    assert_eq!(problem["errors"][0]["code"], "missing");
    scene.honest().await;
}
