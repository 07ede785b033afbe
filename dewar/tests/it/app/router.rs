//! An axum router under a heading: the guard stands before it, and the token is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::routing::{any, get};
use dewar::App;
use dewar::app::dangerous_router;
use dewar::csrf::WebhookAuth;

use crate::site::{self, Site};

type Written = Arc<AtomicUsize>;

fn wiki(written: &Written) -> Router {
    let written = Arc::clone(written);
    let write = move |body: String| {
        written.fetch_add(1, Ordering::SeqCst);
        async move { body }
    };
    let page = |Path(name): Path<String>| async move {
        ([("content-type", "text/html")], format!("<p>{name}"))
    };
    Router::new()
        .route("/", get(|| async { "front" }))
        .route("/page/{name}", get(page))
        .route("/write", any(write))
}

fn app(app: App, written: &Written) -> App {
    let reason = "the wiki moves page by page";
    site::app(app).signed_in([dangerous_router(reason, "/wiki", wiki(written))])
}

/// ASVS: V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_router_is_behind_the_guard() {
    let written = Written::default();
    let site = Site::of(|served| app(served, &written)).await;
    for path in [
        "/wiki",
        "/wiki/page/tea",
        "/wiki/write",
        "/wiki/nothing",
        "/wiki/..%2fwrite",
    ] {
        let status = site.visitor.get(path).await.status().as_u16();
        assert!([303, 400].contains(&status), "{path}: {status}");
    }
    let ada = site.member("ada", &[]).await;
    assert_eq!(ada.get("/wiki").await.text(), "front");
    let page = ada.get("/wiki/page/tea").await;
    let (status, text) = (page.status().as_u16(), page.text());
    assert_eq!((status, text.as_ref()), (200, "<p>tea"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("'nonce-"), "{policy}");
    assert_eq!(page.header("x-frame-options"), Some("DENY"));
    assert_eq!(written.load(Ordering::SeqCst), 0);
}

#[derive(dewar::api::ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Read,
}

/// The stack knows what is below the prefix, beside a route for programs that would match it as well.
///
/// ASVS: V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_router_has_its_own_heading_beside_a_route_with_parameters() {
    let written = Written::default();
    let both = |served| {
        let route = dewar::get("/{a}/{b}", async || "a program's");
        app(served, &written).api(Scope::Read, [route])
    };
    let site = Site::of(both).await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(ada.get("/wiki/write").await.status(), 200);
    assert_eq!(ada.get("/other/write").await.status(), 401);
    assert_eq!(site.visitor.get("/wiki/write").await.status(), 303);
    let directory = tempfile::tempdir().unwrap();
    let twice = app(App::in_directory(&directory).unwrap(), &written);
    let twice = twice.public([dewar::get("/wiki/{*all}", async || "all")]);
    let refused = format!("{:?}", twice.start().await.unwrap_err());
    assert!(refused.contains("roles-route-path"), "{refused}");
}

/// ASVS: V3.5.1, V3.5.3
#[tokio::test(flavor = "multi_thread")]
async fn what_may_change_something_needs_the_token_before_the_router_sees_it() {
    let written = Written::default();
    let site = Site::of(|served| app(served, &written)).await;
    let ada = site.member("ada", &[]).await;
    let form = ada.get("/notes").await.form("/notes");
    let token = form.value("csrf_token").unwrap();
    let body = format!("text=tea&csrf_token={token}");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let to = || {
            let to = ada.raw(method, "/wiki/write");
            to.header("sec-fetch-site", "same-origin")
        };
        for refused in [
            to().form("text=tea"),
            to().form(&format!("{body}x")),
            to().header("content-type", "text/plain").body(body.clone()),
        ] {
            assert_eq!(refused.send().await.unwrap().status(), 403, "{method}");
        }
    }
    let cross = ada.raw("POST", "/wiki/write").form(&body);
    let cross = cross.header("sec-fetch-site", "cross-site");
    assert_eq!(cross.send().await.unwrap().status(), 403);
    assert_eq!(written.load(Ordering::SeqCst), 0);
    let sent = ada.raw("POST", "/wiki/write").form(&body);
    let sent = sent.header("sec-fetch-site", "same-origin");
    let sent = sent.send().await.unwrap();
    assert_eq!((sent.status().as_u16(), sent.text()), (200, body));
    let put = |body: Vec<u8>| {
        let put = ada.raw("PUT", "/wiki/write");
        let put = put.header("x-csrf-token", &token);
        let put = put.header("sec-fetch-site", "same-origin");
        put.header("content-type", "text/plain").body(body)
    };
    let small = put(b"tea".to_vec()).send().await.unwrap();
    assert_eq!(
        (small.status().as_u16(), small.text().as_ref()),
        (200, "tea")
    );
    assert_eq!(written.load(Ordering::SeqCst), 2);
    let large = put(vec![b'a'; 2 << 20]).send().await.unwrap();
    assert_eq!(large.status(), 413);
    assert_eq!(written.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_table_has_the_router_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let served = || App::in_directory(&directory).unwrap();
    let written = Written::default();
    let table = app(served(), &written).route_table();
    let text = table.to_string();
    let line = text.lines().find(|line| line.contains("/wiki")).unwrap();
    assert!(
        line.starts_with("ANY") && line.contains("signed_in"),
        "{line}"
    );
    assert!(
        line.ends_with("dangerous_router: the wiki moves page by page"),
        "{line}"
    );
    let found = table.findings();
    let told = found
        .iter()
        .find(|found| found.title.contains("dangerous_router"));
    assert!(told.is_some_and(|found| found.id == "audit-dangerous"));
    for prefix in ["/", "/wiki/", "/{name}", ""] {
        let wrong = served().public([dangerous_router("old", prefix, wiki(&written))]);
        let refused = format!("{:?}", wrong.start().await.unwrap_err());
        assert!(refused.contains("roles-router"), "{prefix}: {refused}");
    }
    let route = dangerous_router("old", "/hooks", wiki(&written));
    let wrong = served().webhook(WebhookAuth::hmac("billing"), [route]);
    let refused = format!("{:?}", wrong.start().await.unwrap_err());
    assert!(refused.contains("roles-router"), "{refused}");
}
