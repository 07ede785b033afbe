//! `api`: what a program does with a token that it should not have, or with one that may do less.

mod cors;
mod ended;
mod kept;

use dewar::testing::{Cookies, TestResponse};
use serde_json::{Value, json};

use crate::attacks::csrf::everywhere::own_token;
use crate::company::{Portal, document, post};

const ALL: [&str; 3] = ["comments_write", "documents_read", "documents_write"];

/// The value of the header that says what was wrong with a token.
fn challenge(answer: &TestResponse) -> &str {
    answer.header("www-authenticate").unwrap_or_default()
}

async fn read(portal: &Portal, token: &str, path: &str) -> TestResponse {
    portal.program(token, "GET", path).send().await.unwrap()
}

async fn write(portal: &Portal, token: &str, path: &str, body: &Value) -> TestResponse {
    let raw = portal.program(token, "POST", path);
    let raw = raw.header("content-type", "application/json");
    raw.body(body.to_string()).send().await.unwrap()
}

fn comment() -> Value {
    json!({ "version": 1, "comment": "Tea?" })
}

fn change() -> Value {
    json!({ "version": 1, "title": "Tea" })
}

/// Logs and histories keep addresses, so a token in one is refused, under any name and beside a right header too.
///
/// ASVS: V14.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_the_address_opens_nothing() {
    let portal = Portal::open().await;
    let path = document(&portal.member("ada").await, "Plan").await;
    let (token, _) = portal.api_token("ada", &ALL).await;
    let (path, comments) = (format!("/api{path}"), format!("/api{path}/comments"));
    let before = portal.everything();
    for name in ["access_token", "token", "q", "Authorization"] {
        for route in ["/api/documents", &path] {
            let there = format!("{route}?{name}={token}");
            let bare = portal.visitor().raw("GET", &there).send().await.unwrap();
            for answer in [bare, read(&portal, &token, &there).await] {
                assert_eq!(answer.status(), 400, "{name}: {}", answer.text());
                assert!(challenge(&answer).contains("invalid_request"), "{name}");
                assert!(!answer.text().contains(&token), "{name}");
            }
        }
        let there = format!("{comments}?{name}={token}");
        let answer = write(&portal, &token, &there, &comment()).await;
        assert_eq!(answer.status(), 400, "{name}");
    }
    assert_eq!(portal.everything(), before, "nothing was changed");
    assert!(!portal.log().await.contains(&token));
    assert_eq!(read(&portal, &token, &path).await.status(), 200);
    portal.running.stop().await.unwrap();
}

/// Another site can make a browser send its cookies, so none counts where programs call, even with the CSRF token.
///
/// ASVS: V3.5.1, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_opens_no_route_of_programs_and_changes_no_caller() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let path = document(&ada, "Plan").await;
    let (api, csrf) = (format!("/api{path}"), own_token(&ada).await);
    let comments = format!("{api}/comments");
    let (token, _) = portal.api_token("eve", &ALL).await;
    let bearer = format!("Bearer {token}");
    for (method, route, body) in [
        ("GET", "/api/documents", Value::Null),
        ("GET", &api, Value::Null),
        ("POST", &api, change()),
        ("POST", &comments, comment()),
    ] {
        let send = async |bearer: Option<&str>| {
            let raw = ada.raw(method, route).cookies(Cookies::All);
            let raw = raw
                .header("sec-fetch-site", "same-origin")
                .header("x-csrf-token", &csrf);
            let raw = raw.header("content-type", "application/json");
            let raw = match bearer {
                Some(bearer) => raw.header("authorization", bearer),
                None => raw,
            };
            let answer = raw.body(body.to_string()).send().await.unwrap();
            assert_eq!(answer.header("set-cookie"), None, "{method} {route}");
            answer
        };
        assert_eq!(send(None).await.status(), 401, "{method} {route}");
        // With eve's token it is eve who calls, whatever the cookie says.
        let answer = send(Some(&bearer)).await;
        let expected = if route == "/api/documents" { 200 } else { 404 };
        assert_eq!(answer.status(), expected, "{method} {route}");
        assert!(!answer.text().contains("Plan"), "{method} {route}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    let (own, _) = portal.api_token("ada", &ALL).await;
    assert_eq!(read(&portal, &own, &api).await.status(), 200);
    portal.running.stop().await.unwrap();
}

/// Each token tries each route, and the pages.
///
/// ASVS: V8.2.1, V8.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_no_more_than_its_scopes() {
    let portal = Portal::open().await;
    let page = document(&portal.member("ada").await, "Plan").await;
    let path = format!("/api{page}");
    let comments = format!("{path}/comments");
    for scope in ALL {
        let (token, _) = portal.api_token("ada", &[scope]).await;
        let before = portal.everything();
        let answers = [
            (
                "documents_read",
                read(&portal, &token, "/api/documents").await,
            ),
            ("documents_read", read(&portal, &token, &path).await),
            // Neither has a body that could change something.
            (
                "documents_write",
                write(&portal, &token, &path, &json!({})).await,
            ),
            (
                "comments_write",
                write(&portal, &token, &comments, &json!({})).await,
            ),
        ];
        for (needed, answer) in answers {
            let status = answer.status().as_u16();
            if needed == scope {
                assert!([200, 422].contains(&status), "{scope} {needed}: {status}");
                continue;
            }
            assert_eq!(status, 403, "{scope} {needed}");
            let told = format!("insufficient_scope\", scope=\"{needed}\"");
            assert!(challenge(&answer).contains(&told), "{scope} {needed}");
            assert!(!answer.text().contains("Plan"), "{scope} {needed}");
        }
        for page in [
            &*page,
            "/documents",
            "/account",
            "/account/tokens",
            "/admin",
        ] {
            let answer = read(&portal, &token, page).await;
            assert!([401, 303].contains(&answer.status().as_u16()), "{page}");
        }
        let of_documents = |all: String| {
            let rows = all.lines().filter(|row| !row.starts_with("dewar_api"));
            rows.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(of_documents(portal.everything()), of_documents(before));
    }
    let log = portal.log().await;
    assert!(log.contains("requires the scope documents_write"), "{log}");
    let (token, _) = portal.api_token("ada", &ALL).await;
    let done = write(&portal, &token, &comments, &comment()).await;
    assert_eq!(done.status(), 200, "{}", done.text());
    portal.running.stop().await.unwrap();
}

/// A program reaches what its owner reaches on the pages: no document of somebody else by its number, and none in the list.
///
/// ASVS: V8.2.2, V8.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_document_is_not_there_for_a_program() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let page = document(&ada, "Private").await;
    let path = format!("/api{page}");
    let comments = format!("{path}/comments");
    let (token, _) = portal.api_token("eve", &ALL).await;
    let reach = async || {
        [
            read(&portal, &token, &path).await.status().as_u16(),
            write(&portal, &token, &comments, &comment())
                .await
                .status()
                .as_u16(),
            write(&portal, &token, &path, &change())
                .await
                .status()
                .as_u16(),
        ]
    };
    let listed = async |query: &str| {
        let list = read(&portal, &token, &format!("/api/documents{query}")).await;
        assert_eq!(list.status(), 200, "{query}: {}", list.text());
        list.text().contains("Private")
    };
    assert_eq!(reach().await, [404; 3]);
    for query in ["", "?q=Private", "?status=pending", "?sort=largest"] {
        assert!(!listed(query).await, "{query}");
    }
    // Somebody it is shared with reads it and writes about it, and changes nothing; until the share ends.
    let shares = format!("{page}/shares");
    post(&ada, &shares, "email=eve@example.org").await;
    assert_eq!(reach().await, [200, 200, 404]);
    assert!(listed("?q=Private").await);
    let end = format!("{shares}/{}/end", portal.id_of("eve").await);
    assert_eq!(post(&ada, &end, "").await.status(), 303);
    assert_eq!(reach().await, [404; 3]);
    assert!(!listed("").await);
    let title = "SELECT count(*) FROM documents WHERE title = 'Private' AND version = 1";
    assert_eq!(portal.count(title).await, 1);
    portal.running.stop().await.unwrap();
}

/// Members of the JSON that the type does not have (CWE-915).
///
/// ASVS: V15.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_program_comments_for_nobody_else_and_under_no_other_text() {
    let portal = Portal::open().await;
    let path = document(&portal.member("ada").await, "Plan").await;
    portal.member("eve").await;
    let path = format!("/api{path}/comments");
    let (token, _) = portal.api_token("ada", &["comments_write"]).await;
    for (member, value) in [
        ("author_id", json!(2)),
        ("author", json!("eve")),
        ("document_id", json!(7)),
        ("id", json!(1)),
        ("created_at", json!(1)),
        ("__proto__", json!({ "author_id": 2 })),
    ] {
        let mut body = comment();
        body[member] = value;
        let answer = write(&portal, &token, &path, &body).await;
        assert_eq!(answer.status(), 400, "{member}: {}", answer.text());
    }
    for version in [2, 7] {
        let body = json!({ "version": version, "comment": "hunter2" });
        let answer = write(&portal, &token, &path, &body).await;
        assert_eq!(answer.status(), 409, "{}", answer.text());
    }
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    let done = write(&portal, &token, &path, &comment()).await;
    assert_eq!(done.status(), 200, "{}", done.text());
    let own = "SELECT count(*) FROM comments WHERE author_id = 1 AND document_id = 1";
    assert_eq!(portal.count(own).await, 1);
    portal.running.stop().await.unwrap();
}
