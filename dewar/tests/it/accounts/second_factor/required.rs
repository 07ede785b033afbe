//! A role that requires a second factor.

use super::*;

const HEAD: &str = "head@example.org";

/// ASVS: V6.3.3, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn without_the_factor_of_the_role_only_its_page_is_open() {
    let site = Site::start(app).await;
    site.add_user(HEAD, &["head"]).await;
    let head = site.visitor();
    let signed_in = give_password(&head, HEAD).await;
    assert_eq!(signed_in.status(), 303, "nothing to ask for yet");
    let page = head.get(accounts::FACTORS).await;
    assert!(page.text().contains("needs a second factor"));
    let scratch = tempfile::tempdir().unwrap();
    let table = app(App::in_directory(&scratch).unwrap()).route_table();
    let open = [accounts::FACTORS, accounts::CONFIRM, accounts::SIGN_OUT];
    let mut closed = 0;
    for entry in table.entries() {
        if !is_of_users(entry.access) || open.contains(&entry.path) {
            continue;
        }
        let path = entry.path.replace("{id}", "x");
        if entry.method == "GET" {
            let answer = head.get(&path).await;
            assert_eq!(answer.location(), Some(accounts::FACTORS), "{path}");
            let program = head.raw("GET", &path).header("accept", "application/json");
            assert_eq!(program.send().await.unwrap().status(), 403, "{path}");
        } else {
            assert_eq!(send(&head, &path, &page, "").await.status(), 403, "{path}");
        }
        closed += 1;
    }
    assert!(closed > 8, "{closed}");
    Authenticator::add(&head, accounts::FACTORS, site.clock()).await;
    assert_eq!(head.get("/rules").await.text(), "the rules");
    // A role that is given later asks at the next request.
    site.add_user(ADA, &["member"]).await;
    let ada = site.sign_in(ADA).await;
    assert_eq!(ada.get("/desk").await.status(), 200);
    let accounts = site.dewar().accounts();
    let (by, user) = (
        accounts.find_by_email(HEAD).await.unwrap().unwrap().id,
        accounts.find_by_email(ADA).await.unwrap().unwrap().id,
    );
    accounts.set_roles(by, user, &["head"]).await.unwrap();
    assert_eq!(ada.get("/desk").await.location(), Some(accounts::FACTORS));
}

/// ASVS: V7.5.3, V6.3.3
#[tokio::test(flavor = "multi_thread")]
async fn the_kit_signs_in_through_the_same_pages_and_an_act_asks_for_the_factor() {
    let site = Site::start(app).await;
    let head = site.sign_in_as(Staff::Head).await;
    let email = "head1@example.org";
    assert_eq!(head.get("/rules").await.status(), 200);
    let again = site.sign_in(email).await;
    let page = again.get(accounts::FACTORS).await;
    assert_eq!(page.status(), 200);
    let remove = "/account/second-factor/remove";
    let kept = send(&again, remove, &page, "").await;
    assert_eq!(kept.status(), 400, "the role needs it");
    let site_app = site.authenticator(email).unwrap();
    site.clock().advance(PAST_RECENT);
    let asks = send(&again, "/rules", &page, "").await;
    assert_eq!(asks.status(), 403);
    assert!(asks.attribute("[name=password]", "name").is_none());
    let done = site_app.answer(&again, &asks, site.clock()).await;
    assert_eq!(done.location(), Some("/rules"), "{}", done.text());
    // A form that was kept is sent once.
    let twice = site_app.answer(&again, &asks, site.clock()).await;
    assert_eq!(twice.status(), 409);
}

/// The settings may name other roles, or nobody.
#[tokio::test(flavor = "multi_thread")]
async fn the_settings_say_whose_role_needs_one() {
    let members = [(
        "DEWAR_ACCOUNTS_SECOND_FACTOR_ROLES",
        "administrators,member",
    )];
    let site = Site::start_with(members, app).await;
    let member = site.sign_in_as(Staff::Member).await;
    assert_eq!(member.get("/desk").await.status(), 200);
    assert!(site.authenticator("member1@example.org").is_some());
    let nobody = [("DEWAR_ACCOUNTS_SECOND_FACTOR_ROLES", "nobody")];
    let site = Site::start_with(nobody, app).await;
    let head = site.sign_in_as(Staff::Head).await;
    assert_eq!(head.get("/rules").await.status(), 200);
    assert!(site.authenticator("head1@example.org").is_none());
}
