//! An attacker who knows an address tries to lock its owner out.

use dewar::testing::Browser;

use crate::company::{PASSWORD, Portal, encoded, post, shown, sign_in};

const ADA: &str = "ada@example.org";
const DEVICE: &str = "__Host-device";

/// Sends wrong passwords until unknown browsers have to wait.
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

/// Fault F2: in a browser in which the owner has signed in before, the owner signs in, confirms and changes the password,
/// whatever strangers do meanwhile.
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

/// Sends wrong passwords for accounts that do not exist, until the shared network has used up its visitors' rate limit.
async fn flood(portal: &Portal) {
    let mut last = 0;
    for number in 0..6 {
        let nobody = format!("nobody-{number}@example.org");
        let answer = sign_in(&portal.visitor(), &nobody, PASSWORD).await;
        last = answer.status().as_u16();
    }
    assert_eq!(last, 429);
}

const FEW: [(&str, &str); 3] = [
    ("DEWAR_ACCOUNTS_RATE_LIMIT", "1000"),
    ("DEWAR_FORMS_RATE_LIMIT", "5"),
    ("DEWAR_FORMS_VISITOR_RATE_LIMIT", "5"),
];

/// A stranger in the same network uses up its visitors' rate limit. Known browsers, links for a new password and the link of the
/// first administrator count by themselves.
///
/// ASVS: V6.3.1, V6.1.1, V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn whoever_floods_from_the_same_network_keeps_out_no_known_browser_and_no_link() {
    let portal = Portal::open_with(&FEW).await;
    let accounts = portal.running.dewar().accounts();
    let set_up = accounts.setup_path().await.unwrap().unwrap();
    let ada = portal.member("ada").await;
    assert_eq!(post(&ada, "/sign-out", "").await.status(), 303);
    let path = super::links::path_for(&portal, &portal.visitor()).await;
    flood(&portal).await;

    let unknown = sign_in(&portal.visitor(), ADA, PASSWORD).await;
    assert_eq!(unknown.status(), 429, "the network has nothing left");
    let known = sign_in(&ada, ADA, PASSWORD).await;
    assert_eq!(known.status(), 303, "{}", known.text());
    let anew = portal.visitor();
    let made_up = format!("/reset/{}", "A".repeat(43));
    let form = anew.get(&path).await.form(&path);
    let form = form.fill("password", "another quiet lake at dawn");
    let nowhere = post(&anew, &made_up, "password=another+quiet+lake+at+dawn").await;
    assert_eq!(nowhere.status(), 429, "a link that does not work");
    assert_eq!(anew.submit(form).await.status(), 303);
    let grace = portal.visitor();
    let form = grace.get(&set_up).await.form(&set_up);
    let form = form.fill("name", "Grace").fill("password", PASSWORD);
    let form = form.fill("email", "grace@example.org");
    assert_eq!(grace.submit(form).await.status(), 303);
}

/// An attacker copies the cookie of a known browser, and makes many by signing in again and again: all of them together may send
/// as often as one user.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn copies_of_a_known_browser_send_no_more_than_one() {
    let portal = Portal::open_with(&FEW).await;
    portal.member("eve").await;
    let second = portal.visitor();
    sign_in(&second, "eve@example.org", PASSWORD).await;
    assert_eq!(post(&second, "/sign-out", "").await.status(), 303);
    let first = portal.visitor();
    first.plant_cookie(DEVICE, second.cookie(DEVICE).unwrap().value());
    sign_in(&first, "eve@example.org", PASSWORD).await;
    assert_eq!(post(&first, "/sign-out", "").await.status(), 303);
    let (first, second) = (first.cookie(DEVICE), second.cookie(DEVICE));
    let cookies = [first.unwrap(), second.unwrap()];
    assert_ne!(cookies[0].value(), cookies[1].value());
    flood(&portal).await;
    let mut passed = 0;
    for number in 0..12 {
        let copy = portal.visitor();
        copy.plant_cookie(DEVICE, cookies[number % 2].value());
        let answer = sign_in(&copy, "nobody@example.org", PASSWORD).await;
        passed += usize::from(answer.status() != 429);
    }
    assert!((1..=5).contains(&passed), "{passed}");
}

/// The cookie of a known browser is for this host, over HTTPS, and not for scripts. Only this program makes it, for one account,
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

/// Fault F3: an administrator unlocks the account of a user who has no known browser and gets no letter.
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
