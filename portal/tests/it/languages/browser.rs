//! German words are long: in a real browser they make no page wider than its window.

use serde_json::json;

use crate::chromium::{self, Extent, Page, Screen};
use crate::company::{PASSWORD, Portal, decide, document, post};

/// Each page, with some words on it.
fn pages(mine: &str, waiting: &str, approved: &str) -> Vec<(String, &'static str)> {
    let pages = [
        ("/documents", "Dokumente"),
        (mine, "Nur Sie und die Prüfenden"),
        (waiting, "Über dieses Dokument"),
        (approved, "Angenommen"),
        ("/documents/new", "Bis zu acht kurze Wörter"),
        ("/account", "Neues Bild"),
        ("/account/telephone", "Mit der Landesvorwahl"),
        ("/account/sessions", "Zuletzt gesehen"),
        ("/account/second-factor", "Wiederherstellungscodes"),
        ("/reviews", "Von jeder Person zuerst das älteste"),
        ("/admin/users", "Geänderte Rollen gelten"),
        ("/admin/users?q=nobody", "Niemand gefunden"),
        ("/admin/audit", "mit der vorherigen verkettet"),
        ("/admin", "Zustand dieser Installation"),
        ("/notices/new", "Veröffentlichen"),
        ("/nowhere", "Hier ist nichts"),
        ("/", "Zurückziehen"),
    ];
    let mut all: Vec<_> = pages.map(|(path, told)| (path.to_owned(), told)).into();
    let review = waiting.replace("documents", "reviews");
    all.push((format!("{mine}/edit"), "Änderungen speichern"));
    all.push((format!("{mine}/delete"), "Endgültig löschen"));
    all.push((review, "Entscheidung festhalten"));
    all
}

async fn narrowest(page: &Page) {
    // A phone's window with enlarged text (WCAG 2.2, 1.4.10).
    let size = json!({ "width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": true });
    page.call("Emulation.setDeviceMetricsOverride", size).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_german_reads_the_portal_in_german_in_a_real_browser() {
    let portal = Portal::open().await;
    let roles = ["administrator", "member", "reviewer"];
    let grace = portal.person("grace", &roles).await;
    let app = portal.app_of("grace");
    let ben = portal.member("ben").await;
    portal.member("zoe").await;
    let title = "Reisekostenabrechnungsrichtlinie";
    let (mine, waiting) = (document(&grace, title).await, document(&ben, title).await);
    let approved = document(&ben, "Hausordnung").await;
    let review = approved.replace("documents", "reviews");
    decide(&grace, &review, "decision=approve&reason=").await;
    post(&grace, "/notices", "title=Betriebsferien&body=Geschlossen.").await;
    let id = portal.id_of("ben").await;
    post(&grace, &format!("/admin/users/{id}/disable"), "").await;
    let visitor = portal.visitor();
    let Some(chromium) = chromium::or_skip(&[&visitor]).await else {
        return;
    };
    let shots = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("german");
    std::fs::create_dir_all(&shots).unwrap();
    let person = chromium.person().await;
    let page = person.page().await;
    let german = json!({ "headers": { "Accept-Language": "de-DE,de;q=0.9" } });
    page.call("Network.setExtraHTTPHeaders", german).await;
    let site = portal.running.url();
    page.goto(&format!("{site}/sign-in")).await;
    page.fill("[name=email]", "grace@example.org").await;
    page.fill("[name=password]", PASSWORD).await;
    page.submit("main form").await;
    assert_eq!(page.text("h1").await, "Geben Sie Ihren Code ein");
    narrowest(&page).await;
    assert!(page.barriers().await.is_empty());
    let code = app.unused_code(portal.clock.now());
    page.fill("[name=code]", &code).await;
    page.submit("main form").await;
    for (path, told) in pages(&mine, &waiting, &approved) {
        page.goto(&format!("{site}{path}")).await;
        let lang = page.evaluate("document.documentElement.lang").await;
        assert_eq!(lang, "de", "{path}");
        let shown = page.text("body").await;
        assert!(shown.contains(told), "{path}: {shown}");
        narrowest(&page).await;
        let barriers = page.barriers().await;
        assert!(
            barriers.is_empty(),
            "{path}, at its narrowest: {barriers:#?}"
        );
        for screen in [Screen::Mobile, Screen::Desktop] {
            page.screen(screen).await;
            let name = path.replace(['/', '?', '='], "-");
            let shot = shots.join(format!("page{name}-{screen:?}.png").to_lowercase());
            page.screenshot(&shot, Extent::Full).await;
            let barriers = page.barriers().await;
            assert!(barriers.is_empty(), "{path}, {screen:?}: {barriers:#?}");
        }
    }
}
