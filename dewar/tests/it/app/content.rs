//! What pages load from other sites: named origins alone, and each route as narrow as it can be.

use dewar::{App, Page, Redirect, accounts, get, post};

use crate::site::{self, Site};

async fn page() -> Page {
    Page::new("errors/error.html")
        .with("title", "Page")
        .with("text", "text")
        .with("status", 200)
}

async fn pay(_: accounts::RecentlyAuthenticated) -> Redirect {
    Redirect::to("/plain")
}

fn app(app: App) -> App {
    site::app(app)
        .images_from(["https://tiles.example"])
        .public([
            get("/plain", page),
            get("/map", page)
                .connect_to(["https://api.example", "wss://live.example"])
                .dangerous_without_trusted_types("the map library writes its own controls"),
            get("/badge", page).may_be_framed_by(["https://partner.example"]),
            get("/film", page).frames_from(["https://film.example"]),
        ])
}

/// ASVS: V3.4.3, V3.4.6
#[tokio::test(flavor = "multi_thread")]
async fn a_route_loads_what_it_names_and_no_other_route_does() {
    let site = Site::of(app).await;
    let of = async |path: &str| {
        let response = site.visitor.get(path).await;
        let policy = response
            .header("content-security-policy")
            .unwrap()
            .to_owned();
        let frames = response.header("x-frame-options").map(str::to_owned);
        let embedder = response
            .header("cross-origin-embedder-policy")
            .unwrap()
            .to_owned();
        (policy, frames, embedder)
    };
    let (plain, frames, embedder) = of("/plain").await;
    assert!(
        plain.contains("img-src 'self' https://tiles.example;"),
        "{plain}"
    );
    assert!(plain.contains("connect-src 'self';") && plain.contains("frame-ancestors 'none';"));
    assert!(plain.contains("require-trusted-types-for 'script'") && !plain.contains("frame-src"));
    assert_eq!(
        (frames.as_deref(), embedder.as_str()),
        (Some("DENY"), "credentialless")
    );
    let (map, ..) = of("/map").await;
    assert!(
        map.contains("connect-src 'self' https://api.example wss://live.example;"),
        "{map}"
    );
    assert!(map.contains("img-src 'self' https://tiles.example;") && map.contains("'nonce-"));
    assert!(!map.contains("trusted-types"), "{map}");
    let (badge, frames, _) = of("/badge").await;
    assert!(
        badge.contains("frame-ancestors https://partner.example;"),
        "{badge}"
    );
    assert_eq!(frames, None);
    let (film, frames, embedder) = of("/film").await;
    assert!(film.contains("frame-src https://film.example;"), "{film}");
    assert_eq!(
        (frames.as_deref(), embedder.as_str()),
        (Some("DENY"), "unsafe-none")
    );
    // What is no page keeps the policy for files, and an error page is as narrow as the application.
    let (missing, frames, _) = of("/nothing").await;
    assert!(missing.contains("frame-ancestors 'none'") && frames.as_deref() == Some("DENY"));
    let (text, ..) = of("/").await;
    assert!(text.contains("sandbox"), "{text}");
}

/// The framework's pages that stand before the handler ask for a password, so no other site frames them.
///
/// ASVS: V3.4.6
#[tokio::test(flavor = "multi_thread")]
async fn the_pages_before_a_handler_keep_the_application_s_policy() {
    let with_pay = |served| {
        app(served).signed_in([
            get("/pay", page).may_be_framed_by(["https://partner.example"]),
            post("/pay", pay).may_be_framed_by(["https://partner.example"]),
            get("/confirm", accounts::confirm_page),
            post("/confirm", accounts::confirm),
        ])
    };
    let site = Site::of(with_pay).await;
    let ada = site.member("ada", &[]).await;
    let policy = ada.get("/pay").await;
    let policy = policy.header("content-security-policy").unwrap();
    assert!(
        policy.contains("frame-ancestors https://partner.example;"),
        "{policy}"
    );
    let token = ada
        .get("/notes")
        .await
        .form("/notes")
        .value("csrf_token")
        .unwrap();
    site.clock.advance(std::time::Duration::from_secs(11 * 60));
    for (browser, status) in [(&site.visitor, 401), (&ada, 403)] {
        let sent = browser
            .raw("POST", "/pay")
            .header("sec-fetch-site", "same-origin");
        let asked = sent
            .header("accept", "text/html")
            .form(&format!("csrf_token={token}"));
        let asked = asked.send().await.unwrap();
        assert_eq!(asked.status(), status);
        assert!(
            asked.text().contains("type=\"password\""),
            "{}",
            asked.text()
        );
        let policy = asked.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none';"), "{policy}");
        assert_eq!(asked.header("x-frame-options"), Some("DENY"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_table_tells_what_is_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let table = app(App::in_directory(&directory).unwrap()).route_table();
    let text = table.to_string();
    assert!(
        text.contains("every page: img-src https://tiles.example\n"),
        "{text}"
    );
    let badge = text.lines().find(|line| line.contains("/badge")).unwrap();
    assert!(
        badge.ends_with("(frame-ancestors https://partner.example)"),
        "{badge}"
    );
    let data = serde_json::to_value(&table).unwrap();
    let entries = data.as_array().unwrap();
    let map = entries
        .iter()
        .find(|entry| entry["path"] == "/map")
        .unwrap();
    let wanted = serde_json::json!({
        "connect-src": ["https://api.example", "wss://live.example"],
        "img-src": ["https://tiles.example"],
        "weakened": ["no trusted types"],
    });
    assert_eq!(map["content"], wanted);
    let found = table.findings();
    let told = found
        .iter()
        .find(|found| found.title.contains("dangerous_without_trusted_types"));
    assert!(told.is_some_and(|found| found.id == "audit-dangerous"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_origin_refuses_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let app = app(App::in_directory(&directory).unwrap())
        .scripts_from(["*", "http://cdn.example"])
        .dangerous_inline_styles("old pages")
        .public([get("/x", page).fonts_from(["https://fonts.example/css"])]);
    let refused = format!("{:?}", app.start().await.unwrap_err());
    for part in [
        "`*` in `App::scripts_from`",
        "`http://cdn.example`",
        "`fonts_from` of GET /x",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let weakened = App::in_directory(&directory).unwrap();
    let running = weakened
        .dangerous_inline_styles("old pages")
        .start()
        .await
        .unwrap();
    let told = running
        .findings()
        .iter()
        .find(|found| found.title.contains("old pages"));
    assert_eq!(told.map(|found| found.id), Some("audit-dangerous"));
    running.stop().await.unwrap();
}
