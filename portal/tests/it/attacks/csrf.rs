//! `csrf`: another site's requests change nothing.

mod browser;
pub(crate) mod everywhere;
pub(crate) mod routes;
mod sites;
mod tokens;
mod webhooks;

use dewar::testing::Browser;

use crate::company::{PASSWORD, Portal};
use everywhere::{Forged, same};
use routes::Case;

/// Proves that the attacks below fail because they are forged: the honest requests do what they should.
#[tokio::test]
async fn the_same_requests_from_our_own_page_change_something() {
    let portal = Portal::open().await;
    let mut routes = Vec::new();
    let first = routes::set_up(&portal).await;
    changes(&portal, &first).await;
    routes.push(first.route);
    for case in routes::all_but_set_up(&portal).await {
        changes(&portal, &case).await;
        routes.push(case.route);
    }
    // A route that is new in the table must be attacked too.
    routes.sort_unstable();
    assert_eq!(routes, routes::that_change_something());
    portal.running.stop().await.unwrap();
}

async fn changes(portal: &Portal, case: &Case) {
    let forged = Forged::from_own_page(case).await;
    let before = portal.everything();
    let answer = forged.send().await;
    portal.running.dewar().accounts().settle().await;
    assert_eq!(
        answer.status(),
        case.done(),
        "{}: {}",
        case.route,
        answer.text()
    );
    assert!(
        before != portal.everything(),
        "{} changed nothing",
        case.route
    );
}

/// ASVS: V3.5.3, V4.1.4
#[tokio::test]
async fn a_get_changes_nothing_however_it_is_dressed() {
    let portal = Portal::open().await;
    let cases = routes::all_but_set_up(&portal).await;
    for case in &cases {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let mut forged = Forged::from_own_page(case).await;
            let token = forged.token.clone().unwrap();
            forged.method = method;
            forged.path = format!("{}?_method=POST&csrf_token={token}", case.path);
            for name in [
                "x-http-method-override",
                "x-http-method",
                "x-method-override",
            ] {
                forged.headers.push((name, "POST".to_owned()));
            }
            forged.more.push(("_method", "POST".to_owned()));
            let before = portal.everything();
            let answer = forged.send().await;
            same(&before, &portal.everything(), (method, case.route));
            assert!(answer.status() != 303 || answer.location().unwrap().starts_with("/sign-in"));
        }
    }
}

/// ASVS: V3.5.3
#[tokio::test]
async fn no_page_that_is_read_changes_anything() {
    let portal = Portal::open().await;
    let cases = routes::all_but_set_up(&portal).await;
    let victim = &cases
        .iter()
        .find(|case| case.route == "POST /sign-out")
        .unwrap()
        .browser;
    let paths = routes::that_are_read(&cases);
    let before = portal.everything();
    for path in &paths {
        for method in ["GET", "HEAD"] {
            let answer = victim.raw(method, path).send().await.unwrap();
            // 404: no picture; 410: the link was used; 303: nothing waits for a code.
            let status = answer.status().as_u16();
            let leads = path == "/second-factor" && status == 303;
            assert!(
                leads || [200, 404, 410].contains(&status),
                "{path}: {status}"
            );
        }
    }
    same(&before, &portal.everything(), paths);
}

/// ASVS: V14.2.1
#[tokio::test]
async fn no_address_on_any_page_holds_a_token() {
    let portal = Portal::open().await;
    let cases = routes::all_but_set_up(&portal).await;
    let victim = &cases
        .iter()
        .find(|case| case.route == "POST /sign-out")
        .unwrap()
        .browser;
    let mut tokens = 0;
    for path in routes::that_are_read(&cases) {
        let page = victim.get(&path).await;
        for form in page.forms() {
            let has_token = form.value("csrf_token").is_some();
            assert_eq!(
                has_token,
                form.method() == "POST",
                "{path}: {} {}",
                form.method(),
                form.action()
            );
            tokens += usize::from(has_token);
            assert!(form.action().starts_with('/'), "{path}: {}", form.action());
        }
        assert!(
            page.attribute("[href*=csrf], [src*=csrf], [action*=csrf]", "class")
                .is_none()
        );
        assert!(
            !page
                .headers()
                .values()
                .any(|value| value.as_bytes().windows(4).any(|part| part == b"csrf"))
        );
    }
    assert!(tokens > 30, "{tokens}");
}

/// Login CSRF: the attacker signs a victim in to the attacker's own account, with a token from the attacker's browser, in a
/// browser without any cookie of the portal.
///
/// ASVS: V3.5.1
#[tokio::test]
async fn nobody_is_signed_in_by_another_site() {
    let portal = Portal::open().await;
    portal.member("eve").await;
    let (attacker, victim) = (portal.visitor(), portal.visitor());
    let form = attacker.get("/sign-in").await.form("/sign-in");
    let form = form
        .fill("email", "eve@example.org")
        .fill("password", PASSWORD);
    let (kind, body) = form.encoded();
    let sign_in = async |browser: &Browser| {
        let request = browser.raw("POST", "/sign-in");
        let request = request.header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", &kind).body(body.clone());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(sign_in(&victim).await, 403);
    assert!(victim.cookie("__Host-session").is_none());
    assert_eq!(sign_in(&attacker).await, 303);
}
