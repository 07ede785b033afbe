//! Fields of the application's own.

use dewar::testing::{Browser, PASSWORD, Site, TestResponse};

use super::moved;

const SIGN_UP: &str = "/auth/sign-up";

async fn companies(site: &Site) -> Vec<(i64, String)> {
    let rows = site
        .db()
        .query("SELECT user_id, name FROM companies ORDER BY user_id", [])
        .await
        .unwrap();
    let read = |row: &dewar::database::Row| (row.get(0).unwrap(), row.get(1).unwrap());
    rows.iter().map(read).collect()
}

async fn sign_up(browser: &Browser, email: &str, company: &str, voucher: &str) -> TestResponse {
    let page = browser.get(SIGN_UP).await;
    let form = page
        .form(SIGN_UP)
        .fill("name", "Ada Lovelace")
        .fill("email", email)
        .fill("password", "seven lamps above the harbour")
        .fill("company", company)
        .fill("voucher", voucher);
    browser.submit(form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fields_are_shown_checked_and_stored_with_the_account() {
    let site = Site::start(moved).await;
    let visitor = site.visitor();
    let page = visitor.get(SIGN_UP).await;
    let labels = page.texts("label");
    assert!(
        labels.iter().any(|label| label.starts_with("Company")),
        "{labels:?}"
    );
    // Every problem at once, and nothing that was typed is lost.
    let form = page
        .form(SIGN_UP)
        .fill("name", "Ada Lovelace")
        .fill("email", "no address")
        .fill("password", "short")
        .fill("company", "")
        .fill("voucher", "far too long a voucher");
    let answer = visitor.submit(form).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.texts(".error").len(), 4, "{}", answer.text());
    let again = answer.form(SIGN_UP);
    assert_eq!(again.value("name").as_deref(), Some("Ada Lovelace"));
    assert_eq!(
        again.value("voucher").as_deref(),
        Some("far too long a voucher")
    );
    assert!(companies(&site).await.is_empty());
    let answer = sign_up(&visitor, "ada@example.org", "Engines", "spring").await;
    assert_eq!(answer.location(), Some("/anmelden"), "{}", answer.text());
    let stored = companies(&site).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].1, "Engines");
}

/// The application's own work runs for a known address too, and is rolled back: neither its result nor its rows show
/// whether the address has an account (CWE-204).
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_with_fields_does_not_tell_whether_an_address_is_known() {
    let site = Site::start(moved).await;
    site.add_user("ada@example.org", &[]).await;
    let accounts = site.dewar().accounts().clone();
    for (company, voucher, status) in [
        ("Engines", "", 303),
        ("Engines", "autumn", 422),
        ("", "", 422),
    ] {
        let mut answers = Vec::new();
        for email in ["ada@example.org", "new@example.org"] {
            let before = accounts.hashes_done();
            let answer = sign_up(&site.visitor(), email, company, voucher).await;
            answers.push((
                answer.status().as_u16(),
                answer.location().map(str::to_owned),
                answer.texts(".error"),
                accounts.hashes_done() - before,
            ));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0].0, status, "{answers:?}");
    }
    // The address of the account is as before.
    let ada = "SELECT count(*) FROM dewar_users WHERE email = 'ada@example.org'";
    let rows = site.db().query(ada, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 1);
    site.sign_in("ada@example.org").await;
    // The new user's row alone: the one for the known address was rolled back, and ada's account has none.
    assert_eq!(companies(&site).await.len(), 1);
    let stand_ins = "SELECT count(*) FROM dewar_users WHERE email LIKE '%stand-in%'";
    let rows = site.db().query(stand_ins, []).await.unwrap();
    assert_eq!(rows[0].get::<i64>(0).unwrap(), 0);
}

/// No field of a sign-up reaches a role, another column of the account or another user's row (mass assignment, CWE-915).
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_reaches_nothing_but_its_fields() {
    let site = Site::start(moved).await;
    let honest = |email: &'static str| async {
        let browser = site.visitor();
        let page = browser.get(SIGN_UP).await;
        let form = page
            .form(SIGN_UP)
            .fill("name", "Eve")
            .fill("email", email)
            .fill("password", "seven lamps above the harbour");
        (browser, form.fill("company", "Mallory"))
    };
    for (field, value) in [
        ("role", "head"),
        ("roles", "head"),
        ("user_id", "1"),
        ("email_verified", "1"),
        ("created_at", "0"),
        ("company.name", "x"),
    ] {
        let (browser, form) = honest("eve@example.org").await;
        let answer = browser.submit(form.duplicate(field, value)).await;
        assert_eq!(answer.status(), 400, "{field}");
        assert!(companies(&site).await.is_empty(), "{field}");
    }
    let (browser, form) = honest("eve@example.org").await;
    assert_eq!(browser.submit(form).await.status(), 303);
    let roles = "SELECT role FROM dewar_user_roles";
    let rows = site.db().query(roles, []).await.unwrap();
    let roles: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(roles, ["member"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_an_account_shows_and_changes_the_fields() {
    let site = Site::start(moved).await;
    let id = site.add_user("ada@example.org", &[]).await;
    site.add_user("eve@example.org", &[]).await;
    let ada = site.sign_in("ada@example.org").await;
    let page = ada.get("/auth/account").await;
    assert!(page.text().contains("ada@example.org"), "{}", page.text());
    let form = page.form("/auth/account");
    assert_eq!(form.value("company").as_deref(), Some(""));
    let answer = ada.submit(form.fill("company", "Engines")).await;
    assert_eq!(
        answer.location(),
        Some("/auth/account"),
        "{}",
        answer.text()
    );
    assert_eq!(companies(&site).await, [(id.get(), "Engines".to_owned())]);
    let page = ada.get("/auth/account").await;
    let form = page.form("/auth/account");
    assert_eq!(form.value("company").as_deref(), Some("Engines"));
    let answer = ada.submit(form.fill("voucher", "autumn")).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.texts(".error").len(), 1);
    // The change of a password leads back here.
    let page = ada.get("/auth/account/password").await;
    let form = page
        .form("/auth/account/password")
        .fill("current_password", PASSWORD)
        .fill("new_password", "another quiet lake in the snow");
    assert_eq!(ada.submit(form).await.location(), Some("/auth/account"));
    assert_eq!(site.visitor().get("/auth/account").await.status(), 303);
}
