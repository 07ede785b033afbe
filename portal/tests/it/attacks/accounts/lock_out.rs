//! Somebody who knows an address tries to keep its owner out.

use dewar::testing::Browser;

use crate::company::{PASSWORD, Portal, encoded, post, shown, sign_in};

const ADA: &str = "ada@example.org";
const DEVICE: &str = "__Host-device";

/// Wrong passwords, until nobody unknown is let try any more.
async fn guess(portal: &Portal) {
    let mut last = 0;
    for _ in 0..8 {
        let answer = sign_in(&portal.visitor(), ADA, "not the right password").await;
        last = answer.status().as_u16();
    }
    assert_eq!(last, 429);
    let unknown = sign_in(&portal.visitor(), ADA, PASSWORD).await;
    assert_eq!(unknown.status(), 429);
}

/// Fault F2: whoever has signed in in a browser signs in there again, confirms and changes the password, whatever strangers
/// do meanwhile.
///
/// ASVS: V6.3.1, V6.1.1
#[tokio::test(flavor = "multi_thread")]
async fn whoever_guesses_does_not_keep_the_owner_out_of_a_known_browser() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    guess(&portal).await;
    let page = ada.get("/confirm?next=%2Fdocuments").await;
    let form = page.form("/confirm").fill("password", PASSWORD);
    assert_eq!(ada.submit(form).await.status(), 303);
    assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
    assert_eq!(sign_in(&ada, ADA, PASSWORD).await.status(), 303);
    let change =
        "current_password=a+quiet+lake+before+the+rain&new_password=another+quiet+lake+at+dawn";
    assert_eq!(post(&ada, "/account/password", change).await.status(), 303);
    assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
    let again = sign_in(&ada, ADA, "another quiet lake at dawn").await;
    assert_eq!(again.status(), 303, "known under the new password too");
}

/// What makes a browser known is for this host, over HTTPS, and for no script. It is made by this program, for one account,
/// and it opens nothing.
///
/// ASVS: V3.3.1, V3.3.2, V3.3.3, V3.3.4
#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_a_known_browser_opens_nothing_and_cannot_be_made() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let known = ada.cookie(DEVICE).unwrap();
    assert!(known.is_secure() && known.is_http_only(), "{known:?}");
    let thief = portal.visitor();
    thief.plant_cookie(DEVICE, known.value());
    assert_eq!(thief.get("/account").await.status(), 303, "not signed in");
    guess(&portal).await;
    let eve = portal.visitor();
    sign_in(&eve, "eve@example.org", PASSWORD).await;
    let of_eve = eve.cookie(DEVICE).unwrap().value().to_owned();
    let mut changed = known.value().to_owned();
    let last = if changed.pop() == Some('A') { 'E' } else { 'A' };
    changed.push(last);
    for forged in [of_eve.as_str(), &changed, "", "~~~", &"A".repeat(3000)] {
        let browser = portal.visitor();
        browser.plant_cookie(DEVICE, forged);
        let answer = sign_in(&browser, ADA, PASSWORD).await;
        assert_eq!(answer.status(), 429, "{forged}");
    }
    assert_eq!(sign_in(&thief, ADA, PASSWORD).await.status(), 303);
}

/// Fault F3: an administrator lets somebody in who has no known browser and gets no letter.
///
/// ASVS: V6.3.1
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_unlocks_an_account_that_others_guess_at() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let ada = portal.member("ada").await;
    let unlock = format!("/admin/users/{}/unlock", portal.id_of("ada").await);
    let shows = async |browser: &Browser| {
        let page = browser.get("/admin/users").await;
        page.forms().iter().any(|form| form.action() == unlock)
    };
    assert!(!shows(&grace).await);
    guess(&portal).await;
    assert!(shows(&grace).await);
    assert_eq!(post(&ada, &unlock, "").await.status(), 403, "no member");
    let page = grace.get("/admin/users").await;
    assert_eq!(grace.submit(page.form(&unlock)).await.status(), 303);
    assert!(!shows(&grace).await);
    assert!(portal.log().await.contains("unlocked"));
    assert_eq!(
        sign_in(&portal.visitor(), ADA, PASSWORD).await.status(),
        303
    );
    let of_ada = format!(
        "version={}",
        encoded(&shown(&grace, &unlock).await.unwrap())
    );
    let nobody = post(&grace, "/admin/users/4711/unlock", &of_ada).await;
    assert_eq!(nobody.status(), 404);
}
