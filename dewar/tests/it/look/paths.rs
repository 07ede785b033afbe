//! The pages at other paths.

use dewar::app::AccountPages;
use dewar::pages::AccountPage;
use dewar::testing::{PASSWORD, Site};
use dewar::{App, accounts, get, post};

use super::{hello, moved};

/// The usual paths of the pages, for a visitor and for a user.
const USUAL: [&str; 10] = [
    "/sign-in",
    "/sign-up",
    "/forgot",
    "/confirm",
    "/account",
    "/account/password",
    "/account/sessions",
    "/account/tokens",
    "/reset/l5jYe_fkPwyPakgyPtXhyHenUBmnL8hYD4yoDQEC2Eg",
    "/setup/l5jYe_fkPwyPakgyPtXhyHenUBmnL8hYD4yoDQEC2Eg",
];

/// A page that somebody forgot at its old path would be an open back door.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_at_their_new_paths_and_nowhere_else() {
    let site = Site::start(moved).await;
    site.add_user("ada@example.org", &[]).await;
    let ada = site.sign_in("ada@example.org").await;
    for path in USUAL {
        assert_eq!(site.visitor().get(path).await.status(), 404, "{path}");
        assert_eq!(ada.get(path).await.status(), 404, "{path}");
    }
    for path in [
        "/anmelden",
        "/auth/sign-up",
        "/auth/forgot",
        "/auth/account",
        "/auth/account/password",
        "/auth/account/tokens",
        "/auth/confirm",
        "/sitzungen",
    ] {
        let page = ada.get(path).await;
        assert_eq!(page.status(), 200, "{path}: {}", page.text());
        // Every link and every form of every page leads to a route.
        for usual in USUAL.iter().take(8) {
            let text = page.text();
            assert!(!text.contains(&format!("\"{usual}")), "{path}: {usual}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_forms_and_letters_follow_the_paths() {
    let site = Site::start(moved).await;
    site.add_user("ada@example.org", &[]).await;
    let visitor = site.visitor();
    let answer = visitor.get("/desk").await;
    assert_eq!(answer.location(), Some("/anmelden?next=%2Fdesk"));
    let page = visitor.get("/anmelden?next=%2Fdesk").await;
    let form = page
        .form("form[action^='/anmelden']")
        .fill("email", "ada@example.org");
    let answer = visitor.submit(form.fill("password", PASSWORD)).await;
    assert_eq!(answer.location(), Some("/desk"));
    // The page itself is no way back after a sign-in.
    let other = site.visitor();
    let page = other.get("/anmelden?next=%2Fanmelden").await;
    let form = page.form("form[action^='/anmelden']");
    let form = form
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    assert_eq!(other.submit(form).await.location(), Some("/"));
    // The letter leads to the page of its link, which works.
    let asks = site.visitor();
    let page = asks.get("/auth/forgot").await;
    let form = page.form("/auth/forgot").fill("email", "ada@example.org");
    assert_eq!(asks.submit(form).await.location(), Some("/anmelden"));
    let letters = site.letters().await;
    let letter = letters.last().unwrap();
    let links = letter.links();
    let link = links.iter().find(|link| link.contains("/neu/")).unwrap();
    let path = link.strip_prefix(site.url()).unwrap();
    let page = asks.get(path).await;
    let form = page
        .form(path)
        .fill("password", "another quiet lake in the snow");
    assert_eq!(asks.submit(form).await.location(), Some("/anmelden"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_important_action_asks_for_the_password_at_the_new_path() {
    let site = Site::start(moved).await;
    site.add_user("ada@example.org", &[]).await;
    let ada = site.sign_in("ada@example.org").await;
    let second = site.sign_in("ada@example.org").await;
    let hour = std::time::Duration::from_secs(3600);
    site.clock().advance(hour / 2);
    let page = ada.get("/sitzungen").await;
    let end = page.form("form[action^='/sitzungen/']");
    let asks = ada.submit(end).await;
    assert_eq!(asks.status(), 403, "{}", asks.text());
    let form = asks.form("/auth/confirm").fill("password", PASSWORD);
    let answer = ada.submit(form).await;
    assert_eq!(answer.location(), Some("/sitzungen"), "{}", answer.text());
    assert_eq!(second.get("/desk").await.status(), 303, "it has ended");
}

/// W3C, *A Well-Known URL for Changing Passwords*.
#[tokio::test(flavor = "multi_thread")]
async fn password_managers_find_the_page_to_change_the_password() {
    let site = Site::start(moved).await;
    let answer = site.visitor().get("/.well-known/change-password").await;
    let found = (answer.status().as_u16(), answer.location());
    assert_eq!(found, (303, Some("/auth/account/password")));
    let none = Site::start(|app: App| app.public([get("/", hello)])).await;
    let answer = none.visitor().get("/.well-known/change-password").await;
    assert_eq!(answer.status(), 404);
    let own = |app: App| moved(app).public([get("/.well-known/change-password", hello)]);
    let own = Site::start(own).await;
    let answer = own.visitor().get("/.well-known/change-password").await;
    assert_eq!(
        (answer.status().as_u16(), answer.text().as_str()),
        (200, "Hello")
    );
}

#[test]
fn a_button_that_somebody_leaves_out_is_no_route() {
    use AccountPage::{EndOtherSessions, EndSession, RevokeToken};
    let directory = tempfile::tempdir().unwrap();
    let app = || App::in_directory(&directory).unwrap();
    let paths = |pages: AccountPages| -> Vec<&'static str> {
        let table = app().account_pages(pages).route_table();
        table.entries().iter().map(|entry| entry.path).collect()
    };
    let pages = AccountPages::new().with_tokens();
    let all = paths(pages);
    for (button, path) in [
        (EndSession, "/account/sessions/{id}/end"),
        (EndOtherSessions, "/account/sessions/end-others"),
        (RevokeToken, "/account/tokens/{id}/revoke"),
    ] {
        assert!(all.contains(&path), "{path}");
        let without = paths(AccountPages::new().with_tokens().without(button));
        assert!(!without.contains(&path), "{path}");
        assert_eq!(without.len() + 1, all.len(), "{path}");
    }
}

/// A path that is another site for a browser, and a page that two routes claim, refuse the start (open redirect).
#[test]
fn a_path_that_nothing_can_lead_to_refuses_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let ids = |mount: fn(App) -> App| -> Vec<&'static str> {
        let app = mount(App::in_directory(&directory).unwrap());
        let findings = app.route_table().findings();
        let refused = findings.iter().filter(|found| found.refuses_launch);
        refused.map(|found| found.id).collect()
    };
    assert_eq!(
        ids(|app| app.public([
            get("//evil.example", accounts::sign_in_page),
            post("//evil.example", accounts::sign_in)
        ])),
        ["accounts-page-path"]
    );
    assert_eq!(
        ids(|app| app.public([
            get("/in", accounts::sign_in_page),
            post("/sign-in", accounts::sign_in)
        ])),
        ["accounts-page-apart"]
    );
    assert_eq!(
        ids(|app| app.public([
            get("/in", accounts::sign_in_page),
            get("/enter", accounts::sign_in_page)
        ])),
        ["accounts-page-twice"]
    );
    assert_eq!(
        ids(|app| moved(app).public([get("/anmelden", hello)])),
        ["roles-route-twice"]
    );
    assert_eq!(ids(moved), [""; 0]);
}
