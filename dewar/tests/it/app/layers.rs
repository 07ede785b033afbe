//! The two slots for an application's own tower layers: a layer adds and observes, and weakens nothing.

use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use dewar::App;
use dewar::https::{ClientAddress, RequestId};
use dewar::pages::RequestContext;
use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, X_FRAME_OPTIONS};

use crate::site::{self, PASSWORD, Site};

type Seen = Arc<Mutex<Vec<String>>>;

/// Records everything that a layer can see of a request and of its response.
async fn spy(seen: Seen, slot: &'static str, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let before = format!("{:?} {:?}", request.headers(), request.extensions());
    let response = next.run(request).await;
    let after = format!("{:?} {:?}", response.headers(), response.extensions());
    let line = format!("{slot} {path} {} {before} {after}", response.status());
    seen.lock().unwrap().push(line);
    response
}

fn spied(app: App, seen: &Seen) -> App {
    let (outside, inside) = (Arc::clone(seen), Arc::clone(seen));
    site::app(app)
        .layer_outside(from_fn(move |request: Request, next: Next| {
            spy(Arc::clone(&outside), "outside", request, next)
        }))
        .layer_inside(from_fn(move |request: Request, next: Next| {
            spy(Arc::clone(&inside), "inside", request, next)
        }))
}

/// A layer that logs everything it sees logs no session token.
///
/// ASVS: V3.3.4, V7.2.1
#[tokio::test(flavor = "multi_thread")]
async fn no_layer_sees_the_token_of_a_session_or_a_cookie_of_the_framework() {
    let seen = Seen::default();
    let site = Site::of(|app| spied(app, &seen)).await;
    let ada = site.member("ada", &[]).await;
    ada.plant_cookie("theme", "dark");
    let page = ada.get("/notes").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("csrf_token"));
    let secrets = ada.cookies();
    let ours: Vec<_> = secrets
        .iter()
        .filter(|cookie| cookie.name().starts_with("__Host-"))
        .collect();
    assert!(ours.iter().any(|cookie| cookie.name() == "__Host-session"));
    let seen = seen.lock().unwrap().clone();
    let of = |slot: &str, path: &str| {
        let slot = format!("{slot} {path} ");
        seen.iter().find(|line| line.starts_with(&slot)).cloned()
    };
    for slot in ["outside", "inside"] {
        assert!(of(slot, "/notes").unwrap().contains("theme=dark"), "{slot}");
        assert!(of(slot, "/sign-in").is_some(), "{slot}");
    }
    for line in &seen {
        assert!(!line.contains("__Host-"), "{line}");
        for cookie in &ours {
            assert!(!line.contains(cookie.value()), "{line}");
        }
        assert!(!line.contains(PASSWORD), "{line}");
    }
}

/// Removes the security headers from a response, and allows every site to frame it.
async fn weaken(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.remove(CONTENT_SECURITY_POLICY);
    let policy = HeaderValue::from_static("default-src *");
    headers.append(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("ALLOWALL"));
    headers.insert("x-served-by", HeaderValue::from_static("blue"));
    response
}

/// ASVS: V3.4.3, V3.4.6
#[tokio::test(flavor = "multi_thread")]
async fn a_layer_adds_a_header_and_weakens_none() {
    let layered = |app| {
        site::app(app)
            .layer_outside(from_fn(weaken))
            .layer_inside(from_fn(weaken))
    };
    let site = Site::of(layered).await;
    for path in ["/sign-in", "/nothing", "/static/dewar.css", "/notes"] {
        let answer = site.visitor.get(path).await;
        let policies = answer.headers().get_all(CONTENT_SECURITY_POLICY);
        let policies: Vec<_> = policies.iter().map(|one| one.to_str().unwrap()).collect();
        assert_eq!(policies.len(), 1, "{path}: {policies:?}");
        assert!(policies[0].contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("x-served-by"), Some("blue"), "{path}");
    }
}

/// Rewrites every request to a route that only reviewers may enter.
async fn to_the_reviews(mut request: Request, next: Next) -> Response {
    *request.uri_mut() = "/reviews".parse().unwrap();
    next.run(request).await
}

/// ASVS: V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_layer_leads_nobody_past_the_guard_of_a_route() {
    let layered = |app| site::app(app).layer_inside(from_fn(to_the_reviews));
    let site = Site::of(layered).await;
    assert_eq!(site.visitor.get("/").await.status(), 303);
}

/// Writes its knowledge of the request into a header.
async fn tell(context: RequestContext, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let person = context.principal().map_or("nobody", |person| person.name());
    let told = format!("{person} at {}", context.route().unwrap_or("no route"));
    let told = HeaderValue::from_str(&told).unwrap();
    response.headers_mut().insert("x-told", told);
    response
}

async fn name(id: RequestId, _: ClientAddress, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let id = HeaderValue::from_str(id.as_str()).unwrap();
    response.headers_mut().insert("x-request-id", id);
    response
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inner_layer_knows_the_session_and_an_outer_one_sees_every_request() {
    let layered = |app| {
        site::app(app)
            .layer_outside(from_fn(name))
            .layer_inside(from_fn(tell))
    };
    let site = Site::of(layered).await;
    let told = async |path| {
        let answer = site.visitor.get(path).await;
        let told = answer.header("x-told").map(str::to_owned);
        (told, answer.header("x-request-id").map(str::len))
    };
    assert_eq!(told("/").await, (Some("nobody at /".to_owned()), Some(16)));
    let nothing = Some("nobody at no route".to_owned());
    assert_eq!(told("/nothing").await, (nothing, Some(16)));
    // A static file needs no session, so no inner layer sees it.
    assert_eq!(told("/static/dewar.css").await, (None, Some(16)));
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    assert_eq!(page.header("x-told"), Some("ada at /notes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_layers_the_first_is_the_outermost() {
    let mark = |word: &'static str| {
        tower::util::MapResponseLayer::new(move |mut response: Response| {
            let headers = response.headers_mut();
            headers.append("x-mark", HeaderValue::from_static(word));
            response
        })
    };
    let layered = |app| {
        site::app(app)
            .layer_inside(mark("inside"))
            .layer_outside(mark("first"))
            .layer_outside(mark("second"))
    };
    let site = Site::of(layered).await;
    let answer = site.visitor.get("/").await;
    let marks = answer.headers().get_all("x-mark").iter();
    let marks: Vec<_> = marks.map(|mark| mark.to_str().unwrap()).collect();
    assert_eq!(marks, ["inside", "second", "first"]);
}

/// Claims that every request comes from a page of this site.
async fn claim_our_origin(mut request: Request, next: Next) -> Response {
    let headers = request.headers_mut();
    headers.remove("origin");
    headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    next.run(request).await
}

/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_layer_does_not_speak_for_the_origin_of_a_request() {
    let site = Site::of(|app| site::app(app).layer_outside(from_fn(claim_our_origin))).await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let token = page.form("/sign-out").value("csrf_token").unwrap();
    let press = async |from: &str| {
        let request = ada.raw("POST", "/bin").header("sec-fetch-site", from);
        let answer = request.form(&format!("csrf_token={token}")).send().await;
        answer.unwrap().status().as_u16()
    };
    assert_eq!(press("cross-site").await, 403);
    assert_eq!(press("same-origin").await, 303);
}

/// Plants a session in every browser.
async fn plant(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let planted = HeaderValue::from_static("__Host-session=planted; Path=/; Secure");
    headers.append("set-cookie", planted);
    let own = HeaderValue::from_static("theme=dark; Path=/; Secure");
    headers.append("set-cookie", own);
    response
}

/// ASVS: V7.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_layer_plants_no_session() {
    let layered = |app| {
        site::app(app)
            .layer_outside(from_fn(plant))
            .layer_inside(from_fn(plant))
    };
    let site = Site::of(layered).await;
    site.visitor.get("/").await;
    let names: Vec<_> = site
        .visitor
        .cookies()
        .iter()
        .map(|one| one.name().to_owned())
        .collect();
    assert_eq!(names, ["theme"]);
    let ada = site.member("ada", &[]).await;
    assert_eq!(
        ada.get("/notes").await.status(),
        200,
        "her own session stands"
    );
}

async fn panics(request: Request, next: Next) -> Response {
    assert!(request.uri().path() != "/notes", "a layer breaks");
    next.run(request).await
}

/// ASVS: V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_layer_is_a_500_with_its_headers() {
    for outside in [true, false] {
        let layered = |app| match outside {
            true => site::app(app).layer_outside(from_fn(panics)),
            false => site::app(app).layer_inside(from_fn(panics)),
        };
        let site = Site::of(layered).await;
        let answer = site.visitor.get("/notes").await;
        assert_eq!(answer.status(), 500, "outside: {outside}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert_eq!(site.visitor.get("/").await.status(), 200);
    }
}
