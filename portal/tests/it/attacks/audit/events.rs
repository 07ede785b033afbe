//! Each attack is logged once, under its own name: by real requests, one after the other.

use std::time::Duration;

use dewar::testing::Browser;

use crate::company::{PASSWORD, Portal, document, hand_in, post, sign_in};
use crate::files::crafted::picture;

/// Reads what was logged since the last call.
struct Reading<'a> {
    portal: &'a Portal,
    lines: usize,
}

impl<'a> Reading<'a> {
    async fn from(portal: &'a Portal) -> Self {
        let lines = portal.log().await.lines().count();
        Self { portal, lines }
    }

    /// The names of the new events, in order.
    async fn since(&mut self) -> Vec<String> {
        let log = self.portal.log().await;
        let new = log.lines().skip(self.lines);
        let names = new.map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["event"].as_str().unwrap().to_owned()
        });
        let names: Vec<String> = names.collect();
        self.lines += names.len();
        names
    }
}

/// ASVS: V16.3.1
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_an_account_is_told_by_its_own_name() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let ada = portal.member("ada").await;
    let id = portal.id_of("ada").await;
    let mut log = Reading::from(&portal).await;

    let wrong = sign_in(&portal.visitor(), "ada@example.org", "not the password").await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(log.since().await, ["authn_login_fail"]);
    sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    assert_eq!(
        log.since().await,
        ["authn_login_success", "session_created"]
    );

    // Re-authentication is not a sign-in: whoever counts sign-ins must not count it.
    let change = async |old: &str, new: &str| {
        let page = ada.get("/account/password").await;
        let form = page.form("/account/password").fill("current_password", old);
        ada.submit(form.fill("new_password", new)).await
    };
    let new = "another quiet lake at dawn";
    assert_eq!(change("not the password", new).await.status(), 422);
    assert_eq!(log.since().await, ["authn_password_change_fail"]);
    assert_eq!(change(PASSWORD, new).await.status(), 303);
    let told = log.since().await;
    assert_eq!(
        told.first().map(String::as_str),
        Some("authn_password_confirmed")
    );
    assert!(
        told.contains(&"authn_password_change".to_owned()),
        "{told:?}"
    );
    assert!(
        !told.contains(&"authn_login_success".to_owned()),
        "{told:?}"
    );

    let form = ada.get("/documents").await.form("/sign-out");
    ada.submit(form).await;
    assert_eq!(log.since().await, ["session_logout"]);

    // A change by an administrator is logged twice: as what it was, and as an administrator's action.
    let roles = format!("/admin/users/{id}/roles");
    let changed = post(&grace, &roles, "roles=reviewer").await;
    assert_eq!(changed.status(), 303, "{}", changed.text());
    assert_eq!(log.since().await, ["authz_change", "authz_admin"]);
    let disabled = post(&grace, &format!("/admin/users/{id}/disable"), "").await;
    assert_eq!(disabled.status(), 303);
    assert_eq!(log.since().await, ["user_archived", "authz_admin"]);
    for (deed, event) in [
        ("enable", "user_updated"),
        ("unlock", "authz_admin"),
        ("sign-out", "authz_admin"),
    ] {
        let done = post(&grace, &format!("/admin/users/{id}/{deed}"), "").await;
        assert_eq!(done.status(), 303, "{deed}: {}", done.text());
        assert_eq!(log.since().await, [event, "authz_admin"], "{deed}");
    }
    assert_eq!(grace.get("/admin/users").await.status(), 200);
    assert_eq!(
        log.since().await,
        Vec::<String>::new(),
        "to look is not to change"
    );
}

/// ASVS: V16.3.2, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_tries_is_told_by_its_own_name() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "Plan").await;
    let mut log = Reading::from(&portal).await;

    // Another user's record, and one that does not exist: the response is the same, and only the first is an attack.
    assert_eq!(eve.get(&path).await.status(), 404);
    assert_eq!(log.since().await, ["malicious_direct_reference"]);
    assert_eq!(eve.get("/documents/999999").await.status(), 404);
    assert_eq!(log.since().await, Vec::<String>::new());
    assert_eq!(ada.get(&path).await.status(), 200);
    assert_eq!(log.since().await, Vec::<String>::new());

    assert_eq!(eve.get("/reviews").await.status(), 403);
    assert_eq!(log.since().await, ["authz_fail"]);
    let cross = eve.as_cross_site("https://evil.example");
    let sent = cross.raw("POST", "/documents").form("title=x").send().await;
    assert_eq!(sent.unwrap().status(), 403);
    assert_eq!(log.since().await, ["malicious_csrf"]);
    let comment = format!("{path}/comments");
    assert_eq!(
        post(&ada, &comment, "comment=Good&admin=1").await.status(),
        400
    );
    assert_eq!(log.since().await, ["malicious_extraneous"]);

    // A flash message that Dewar did not seal.
    let visitor = portal.visitor();
    visitor.plant_cookie(
        "__Host-flash",
        "k1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );
    assert_eq!(visitor.get("/").await.status(), 200);
    assert_eq!(log.since().await, ["crypt_decrypt_fail"]);
}

/// ASVS: V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn who_searches_for_pages_is_told_of_once() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let mut log = Reading::from(&portal).await;
    let miss = async |browser: &Browser, times: usize| {
        for number in 0..times {
            assert_eq!(
                browser.get(&format!("/wp-admin/{number}")).await.status(),
                404
            );
        }
    };
    miss(&visitor, 15).await;
    assert_eq!(
        log.since().await,
        Vec::<String>::new(),
        "a person takes a wrong turn"
    );
    miss(&visitor, 30).await;
    assert_eq!(log.since().await, ["malicious_excess_404"]);
    portal.clock.advance(Duration::from_secs(700));
    miss(&visitor, 30).await;
    assert_eq!(log.since().await, ["malicious_excess_404"]);
    assert_eq!(
        visitor.get("/").await.status(),
        200,
        "and nobody is shut out"
    );
}

/// ASVS: V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_file_is_told_by_its_own_name() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let mut log = Reading::from(&portal).await;
    let path = document(&ada, "Plan").await;
    assert_eq!(log.since().await, ["upload_complete", "upload_stored"]);
    let refused = hand_in(&ada, "Plan", "plan.pdf", b"<script>alert(1)</script>").await;
    assert_eq!(refused.status(), 422);
    assert_eq!(log.since().await, ["upload_complete", "upload_validation"]);
    let delete = format!("{path}/delete");
    let form = ada.get(&delete).await.form(&delete);
    assert_eq!(ada.submit(form).await.status(), 303);
    assert_eq!(log.since().await, ["upload_delete"]);

    let change = async || {
        let form = ada.get("/account").await.form("/account/picture");
        let picture = picture(90, 45, image::ImageFormat::Png);
        ada.submit(form.file("picture", "me.png", picture)).await
    };
    assert_eq!(change().await.status(), 303);
    assert_eq!(
        log.since().await,
        ["upload_complete", "upload_stored", "user_updated"]
    );
    assert_eq!(change().await.status(), 303);
    let told = log.since().await;
    assert_eq!(
        told,
        [
            "upload_complete",
            "upload_stored",
            "user_updated",
            "upload_delete"
        ]
    );
}
