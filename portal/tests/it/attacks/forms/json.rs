//! JSON that is made to be read in two ways, to cost more than it is worth, or to set what its sender may not set.

use dewar::testing::{Browser, Cookies, TestResponse};
use serde_json::{Value, json};

use crate::attacks::csrf::everywhere::own_token;
use crate::company::{Portal, document};

/// A member, the path of their document in the API, and the token of their session.
struct Scene {
    portal: Portal,
    ada: Browser,
    path: String,
    token: String,
}

impl Scene {
    async fn set() -> Self {
        let portal = Portal::open().await;
        let ada = portal.member("ada").await;
        let path = format!("/api{}", document(&ada, "Plan").await);
        let token = own_token(&ada).await;
        Self {
            portal,
            ada,
            path,
            token,
        }
    }

    /// Posts a body as a script of the portal's own page would.
    async fn send(
        &self,
        kind: &str,
        token: Option<&str>,
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        let mut raw = self
            .ada
            .raw("POST", &self.path)
            .cookies(Cookies::All)
            .header("sec-fetch-site", "same-origin")
            .header("accept", "application/json")
            .header("content-type", kind);
        if let Some(token) = token {
            raw = raw.header("x-csrf-token", token);
        }
        raw.body(body.into()).send().await.unwrap()
    }

    async fn json(&self, body: impl Into<Vec<u8>>) -> TestResponse {
        self.send("application/json", Some(&self.token), body).await
    }

    /// The document as it is now.
    async fn document(&self) -> Value {
        serde_json::from_str(&self.ada.get(&self.path).await.text()).unwrap()
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

/// A form of another site can send `text/plain` whose text is JSON, and with a slip of the server's it would be read as such.
///
/// ASVS: V3.5.2, V4.1.1
#[tokio::test(flavor = "multi_thread")]
async fn json_needs_its_media_type_and_the_token() {
    let scene = Scene::set().await;
    let body = r#"{"version":1,"title":"hunter2"}"#;
    let token = Some(scene.token.as_str());
    for kind in [
        "text/plain",
        "text/plain; charset=application/json",
        "application/json; charset=utf-16",
        "application/json; charset=utf-8; charset=latin1",
        "application/jsonp",
        "application/x-json",
        "text/json",
    ] {
        let answer = scene.send(kind, token, body).await;
        scene.is_refused(&answer, &[415], kind).await;
        let accepted = answer.header("accept-post").unwrap_or_default();
        assert!(accepted.contains("application/json"), "{kind}: {accepted}");
        // Without the token nobody learns even that.
        let answer = scene.send(kind, None, body).await;
        scene.is_refused(&answer, &[403, 415], kind).await;
    }
    let other = own_token(&scene.portal.member("eve").await).await;
    for token in [None, Some(""), Some("hunter2"), Some(&*other)] {
        let answer = scene.send("application/json", token, body).await;
        scene.is_refused(&answer, &[403], "without its token").await;
    }
    let with_token = format!(
        r#"{{"csrf_token":"{}","version":1,"title":"hunter2"}}"#,
        scene.token
    );
    let answer = scene.send("application/json", None, with_token).await;
    scene
        .is_refused(&answer, &[403], "a token in the body")
        .await;
    scene.honest().await;
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

/// The same person has no more rights by the API, and a stale version overwrites nothing.
///
/// ASVS: V8.2.2, V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn the_api_opens_nothing_that_the_pages_do_not_open() {
    let scene = Scene::set().await;
    let eve = scene.portal.member("eve").await;
    assert_eq!(eve.get(&scene.path).await.status(), 404);
    let list = eve.get("/api/documents").await;
    assert_eq!(list.status(), 200);
    assert!(!list.text().contains("Plan"), "{}", list.text());
    let visitor = scene.portal.visitor();
    for path in ["/api/documents", &scene.path] {
        let answer = visitor.raw("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
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
