//! The re-authentication page, in a real browser.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dewar::testing::wait_until;
use serde_json::json;

use crate::chromium::{self, Chromium, Extent, Key, Kind, Page, Person, Scheme, Screen};
use crate::company::{PASSWORD, PASSWORD_ALONE, Portal};

const PAST_RECENT: Duration = Duration::from_secs(11 * 60);
const FIELD: &str = "main [name=password]";
const SAVE: &str = "form[action$='/roles'] button";

/// An administrator at the keyboard, and Ada, whose roles are changed.
struct Scene {
    portal: Portal,
    page: Page,
    site: String,
    ada: i64,
    person: Person,
    _chromium: Chromium,
}

impl Scene {
    /// With a user who has just signed in; none if Chromium is not installed.
    async fn open() -> Option<Self> {
        let portal = Portal::open_with(&[PASSWORD_ALONE]).await;
        let chromium = chromium::or_skip(&[&portal.member("ada").await]).await?;
        portal.administrator().await;
        let ada = portal.id_of("ada").await;
        let person = chromium.person().await;
        let page = person.page().await;
        let site = portal.running.url().trim_end_matches('/').to_owned();
        page.goto(&format!("{site}/sign-in")).await;
        page.fill("[name=email]", "grace@example.org").await;
        page.fill("[name=password]", PASSWORD).await;
        page.submit("main form").await;
        Some(Self {
            portal,
            page,
            site,
            ada,
            person,
            _chromium: chromium,
        })
    }

    /// Switches to a tab, because one in the background gets no keys.
    async fn turns_to(&self, page: &Page) {
        page.call("Page.bringToFront", json!({})).await;
    }

    async fn opens_people(&self, page: &Page) {
        page.goto(&format!("{}/admin/users?q=ada", self.site)).await;
    }

    /// Checks or unchecks a role with only the keyboard, and saves.
    async fn changes(&self, page: &Page, role: &str) {
        reaches(page, &format!("[name=roles][value={role}]")).await;
        page.press(Key::Space).await;
        reaches(page, SAVE).await;
        page.enter().await;
    }

    /// Types into the focused element, and presses Enter.
    async fn answers(&self, page: &Page, password: &str) {
        page.call("Input.insertText", json!({ "text": password }))
            .await;
        page.enter().await;
    }

    async fn roles(&self) -> String {
        let db = self.portal.db();
        let sql = "SELECT coalesce(string_agg(role, ' ' ORDER BY role), '') FROM dewar_user_roles WHERE user_id = ?1";
        let rows = db.query(sql, [self.ada.into()]).await.unwrap();
        rows[0].get(0).unwrap()
    }

    /// How often a user's roles were changed, according to the log.
    async fn changes_of_roles(&self) -> usize {
        let log = self.portal.log().await;
        log.lines()
            .filter(|line| line.contains("\"event\":\"authz_change"))
            .count()
    }
}

/// Presses Tab until the focus is there.
async fn reaches(page: &Page, selector: &str) {
    for _ in 0..80 {
        if has_focus(page, selector).await {
            return;
        }
        page.press(Key::Tab).await;
    }
    panic!("the Tab key does not lead to `{selector}`");
}

async fn has_focus(page: &Page, selector: &str) -> bool {
    let script = format!("document.activeElement.matches({})", json!(selector));
    page.evaluate(&script).await == true
}

/// The page asks for the password: the focus is in a labelled, empty field, and the page says that nothing is lost.
async fn asks(page: &Page, scheme: &str, name: &str) {
    assert_eq!(page.text("h1").await, "Confirm that it is you");
    let said = page.text("main").await;
    assert!(said.contains("What you entered is kept"), "{said}");
    assert!(has_focus(page, FIELD).await, "{name}");
    assert_eq!(page.value(FIELD).await, "", "{name}");
    let label = format!("document.querySelector('{FIELD}').labels[0].innerText");
    assert_eq!(page.evaluate(&label).await, "Password");
    let whole = page.evaluate("document.documentElement.outerHTML").await;
    for kept in [PASSWORD, "guessed", "reviewer"] {
        assert!(!whole.as_str().unwrap().contains(kept), "{kept}");
    }
    for (screen, width) in [(Screen::Mobile, "mobile"), (Screen::Desktop, "desktop")] {
        page.screen(screen).await;
        let barriers = page.barriers().await;
        assert!(
            barriers.is_empty(),
            "{name} {scheme} {width}: {barriers:#?}"
        );
        let shot = shots().join(format!("{name}-{width}-{scheme}.png"));
        page.screenshot(&shot, Extent::Window).await;
    }
}

/// Beside the field and bound to it, and in a summary that links to it.
async fn says_what_is_wrong(page: &Page) {
    let described = format!(
        "document.getElementById(document.querySelector('{FIELD}').getAttribute('aria-describedby')).innerText"
    );
    assert_eq!(
        page.evaluate(&described).await,
        "This is not your password."
    );
    let invalid = format!("document.querySelector('{FIELD}').getAttribute('aria-invalid')");
    assert_eq!(page.evaluate(&invalid).await, "true");
    assert_eq!(
        page.text(".errors a").await,
        "Password: This is not your password."
    );
    // From the summary back into the field.
    reaches(page, ".errors a").await;
    page.press(Key::Enter).await;
    assert!(has_focus(page, FIELD).await);
}

/// The screenshots stay as artefacts of the run.
fn shots() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("confirm")
}

/// With only the keyboard: the change, a wrong password, the right one. The checked boxes are kept, and the change is made once.
///
/// ASVS: V7.5.1, V7.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_the_password_and_is_made_once() {
    let Some(scene) = Scene::open().await else {
        return;
    };
    let page = &scene.page;
    // Colours in a transition do not have their contrast yet.
    for (scheme, colours, role, roles) in [
        (Scheme::Light, "light", "reviewer", "member reviewer"),
        (
            Scheme::Dark,
            "dark",
            "administrator",
            "administrator member reviewer",
        ),
    ] {
        scene.portal.clock.advance(PAST_RECENT);
        page.scheme(scheme).await;
        scene.opens_people(page).await;
        let (before, changes) = (scene.roles().await, scene.changes_of_roles().await);
        scene.changes(page, role).await;
        assert_eq!(page.status(), 403);
        asks(page, colours, "asks").await;
        scene.answers(page, "guessed").await;
        assert_eq!(
            (page.status(), page.path().await),
            (422, "/confirm".to_owned())
        );
        asks(page, colours, "wrong").await;
        says_what_is_wrong(page).await;
        assert_eq!(scene.roles().await, before);
        scene.answers(page, PASSWORD).await;
        assert_eq!(
            (page.status(), page.path().await),
            (200, "/admin/users".to_owned())
        );
        assert_eq!(page.text(".flash").await, "The roles were changed.");
        assert_eq!(scene.roles().await, roles);
        assert_eq!(scene.changes_of_roles().await, changes + 1);
        // Reloading the resulting page shows it again, and changes nothing.
        page.reload().await;
        assert_eq!(scene.changes_of_roles().await, changes + 1);
    }
    let troubles = page.troubles().await;
    let refused = |text: &str| text.contains("/roles\"") || text.contains("/confirm\"");
    for trouble in troubles {
        let expected = trouble.kind == Kind::Network && refused(&trouble.text);
        assert!(expected, "{trouble:?}");
    }
}

/// Going back to the page that asked, sending it again as the browser offers, and confirming again; and another change in a
/// second tab, which waits for its own turn.
///
/// ASVS: V7.5.3, V2.3.1
#[tokio::test(flavor = "multi_thread")]
async fn going_back_and_confirming_again_does_nothing_twice() {
    let Some(scene) = Scene::open().await else {
        return;
    };
    let page = &scene.page;
    scene.portal.clock.advance(PAST_RECENT);
    let tab = scene.person.page().await;
    scene.opens_people(page).await;
    scene.opens_people(&tab).await;
    scene.changes(&tab, "administrator").await;
    scene.turns_to(page).await;
    scene.changes(page, "reviewer").await;
    scene.answers(page, "guessed").await;
    scene.answers(page, PASSWORD).await;
    assert_eq!(scene.roles().await, "member reviewer");
    // Another administrator takes the role away again; a repeated request must not give it back.
    let ada = scene.ada.into();
    let sql = "DELETE FROM dewar_user_roles WHERE user_id = ?1 AND role = 'reviewer'";
    scene.portal.db().execute(sql, [ada]).await.unwrap();
    let changes = scene.changes_of_roles().await;
    // Sends the wrong password again: that is the page before. It asks, and gets the right one.
    again(page).await;
    assert_eq!(page.status(), 422);
    scene.answers(page, PASSWORD).await;
    assert_eq!(page.status(), 409);
    let said = page.text("main").await;
    assert!(said.contains("not done a second time"), "{said}");
    let barriers = page.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    assert_eq!(scene.roles().await, "member");
    assert_eq!(scene.changes_of_roles().await, changes);
    // The tab that waited still has its typed values, and its change is made once, too.
    scene.turns_to(&tab).await;
    assert_eq!(tab.text("h1").await, "Confirm that it is you");
    assert!(has_focus(&tab, FIELD).await);
    scene.answers(&tab, PASSWORD).await;
    assert_eq!(tab.text(".flash").await, "The roles were changed.");
    assert_eq!(scene.roles().await, "administrator member");
    assert_eq!(scene.changes_of_roles().await, changes + 1);
}

/// Goes back one page. Chromium asks whether to send the form again, and the test confirms.
async fn again(page: &Page) {
    let history = page.call("Page.getNavigationHistory", json!({})).await;
    let place = history["currentIndex"].as_u64().unwrap() - 1;
    let entry = &history["entries"][usize::try_from(place).unwrap()];
    assert!(entry["url"].as_str().unwrap().ends_with("/confirm"));
    let back = json!({ "entryId": entry["id"] });
    page.call("Page.navigateToHistoryEntry", back).await;
    until(page, "/ERR_CACHE_MISS/.test(document.body.innerText)").await;
    page.call("Page.reload", json!({})).await;
    until(
        page,
        "location.pathname === '/confirm' && document.readyState === 'complete'",
    )
    .await;
}

async fn until(page: &Page, is_so: &str) {
    wait_until(is_so, async || {
        let script = format!("document.body ? {is_so} : false");
        let told = page
            .call("Runtime.evaluate", json!({ "expression": script }))
            .await;
        told["result"]["value"] == true
    })
    .await;
}
