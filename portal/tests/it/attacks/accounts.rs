//! `accounts`: nobody learns who has an account, and nobody signs in without its password.

mod import;
mod links;
mod lock_out;
mod mail;
mod passwords;
mod providers;
mod second_factor;

use std::fs;
use std::time::Duration;

use dewar::accounts::NewUser;
use dewar::testing::{Browser, TestResponse};

use crate::company::{PASSWORD, Portal, sign_in};

/// The visible parts of a response, without those that differ each time.
fn face(answer: &TestResponse) -> (u16, Vec<String>, Vec<String>) {
    (
        answer.status().as_u16(),
        answer.texts("main p"),
        answer.texts("[role=alert]"),
    )
}

async fn sign_up(browser: &Browser, email: &str, password: &str) -> TestResponse {
    let page = browser.get("/sign-up").await;
    let form = page
        .form("/sign-up")
        .fill("name", "Ada")
        .fill("email", email)
        .tamper("password", password);
    browser.submit(form).await
}

/// ASVS: V6.3.8
#[tokio::test(flavor = "multi_thread")]
async fn unknown_wrong_and_disabled_are_one_answer_at_one_cost() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    portal.member("off").await;
    let accounts = portal.running.dewar().accounts();
    let off = accounts
        .find_by_email("off@example.org")
        .await
        .unwrap()
        .unwrap();
    accounts.disable(None, off.id).await.unwrap();
    let mut seen = Vec::new();
    for (email, password) in [
        ("ada@example.org", "not the password at all"),
        ("nobody@example.org", PASSWORD),
        ("off@example.org", PASSWORD),
    ] {
        let before = accounts.hashes_done();
        let answer = sign_in(&portal.visitor(), email, password).await;
        seen.push((face(&answer), accounts.hashes_done() - before));
    }
    assert_eq!(seen[0].1, 1);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
}

/// ASVS: V6.3.8
#[tokio::test(flavor = "multi_thread")]
async fn signing_up_does_not_tell_who_is_there() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let accounts = portal.running.dewar().accounts();
    let mut seen = Vec::new();
    for email in ["ada@example.org", "new@example.org"] {
        let before = accounts.hashes_done();
        let visitor = portal.visitor();
        let answer = sign_up(&visitor, email, "another quiet lake at dawn").await;
        let place = answer.location().map(str::to_owned);
        seen.push((face(&answer), place, accounts.hashes_done() - before));
    }
    assert_eq!(seen[0], seen[1]);
    accounts.settle().await;
    let letters = fs::read_dir(portal.data.path().join("outbox"))
        .unwrap()
        .count();
    assert_eq!(letters, 2, "the owner is told, and so is the new person");
    assert_eq!(
        sign_in(&portal.visitor(), "ada@example.org", PASSWORD)
            .await
            .status(),
        303
    );
}

/// ASVS: V6.3.1, V6.1.1
#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_for_the_account_and_known_and_unknown_alike() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    for email in ["ada@example.org", "nobody@example.org"] {
        let mut statuses = Vec::new();
        for _ in 0..8 {
            statuses.push(
                sign_in(&portal.visitor(), email, "not the password at all")
                    .await
                    .status()
                    .as_u16(),
            );
        }
        assert_eq!(statuses.last(), Some(&429), "{email}: {statuses:?}");
    }
    let waiting = sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    assert_eq!(waiting.status(), 429, "the right password has to wait too");
    assert!(waiting.header("retry-after").is_some());
    portal.clock.advance(Duration::from_secs(3600));
    assert_eq!(
        sign_in(&portal.visitor(), "ada@example.org", PASSWORD)
            .await
            .status(),
        303
    );
}

/// ASVS: V6.3.1
#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_try_many_accounts() {
    let portal = Portal::open().await;
    let mut last = 0;
    for number in 0..40 {
        let email = format!("person{number}@example.org");
        last = sign_in(&portal.visitor(), &email, "not the password at all")
            .await
            .status()
            .as_u16();
    }
    assert_eq!(last, 429);
}

/// A Cyrillic letter in a Latin name makes a name that looks like another user's (homograph).
///
/// ASVS: V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn nobody_takes_a_name_that_mixes_scripts_in_a_word() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let page = visitor.get("/sign-up").await;
    let form = page.form("/sign-up").fill("name", "Gr\u{430}ce");
    let form = form
        .fill("email", "eve@example.org")
        .fill("password", PASSWORD);
    let answer = visitor.submit(form).await;
    assert_eq!(answer.status(), 422);
    assert!(
        answer.texts(".error")[0].contains("letters of one script"),
        "{}",
        answer.text()
    );
    portal.running.dewar().accounts().settle().await;
    assert_eq!(portal.count("SELECT count(*) FROM dewar_users").await, 0);
}

/// Names that claim to look after the site, and the names of two users who do.
const IN_CHARGE: [&str; 20] = [
    "Administrator",
    "The  Admin",
    "ADM1N",
    "S. Upp0rt",
    "reviewer",
    "COCO",
    "C0c0",
    "\u{421}\u{43e}\u{441}\u{43e}", // Cyrillic, all of it
    "\u{39f}\u{39f}\u{39f} Admin",
    "Rob-Roy",
    "rob roy",
    "adm\u{34f}in",
    "Verwaltung",
    "Administratorin",
    "Systemadministrator",
    "Moderation",
    "Support Team",
    "Owner",
    "Hilfe",
    "\u{24b6}dmin", // a letter in a circle
];

/// Users trust the name of somebody in charge, so nobody else may take one that looks like it.
///
/// ASVS: V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn nobody_names_themselves_like_somebody_in_charge() {
    let portal = Portal::open().await;
    for (email, name, roles) in [
        ("coco@example.org", "Coco", ["administrator"].as_slice()),
        ("rob@example.org", "Rob Roy", &["reviewer"]),
        ("adam@example.org", "Adam Root", &[]),
    ] {
        let person = NewUser {
            email,
            name,
            password: PASSWORD,
        };
        let accounts = portal.running.dewar().accounts();
        accounts.add(person, roles).await.unwrap();
    }
    let visitor = portal.visitor();
    let call = async |name: &str| {
        let page = visitor.get("/sign-up").await;
        let form = page.form("/sign-up").tamper("name", name);
        let form = form.fill("email", "new@example.org");
        visitor.submit(form.fill("password", PASSWORD)).await
    };
    let before = portal.everything();
    for name in IN_CHARGE {
        let answer = call(name).await;
        assert_eq!(answer.status(), 422, "{name}");
        let wrong = answer.attribute("[name=name]", "aria-invalid");
        assert_eq!(wrong.as_deref(), Some("true"), "{name}");
    }
    assert_eq!(portal.everything(), before);
    // Users may share names, because most of them are in charge of nothing.
    assert_eq!(call("Adam Root").await.status(), 303);
    assert_eq!(call("Tommy Hilfiger").await.status(), 303);
    // Nor may anybody choose it later; the page comes back with the typed values and with its other form.
    let eve = portal.member("eve").await;
    let rename = async |name: &str| {
        let page = eve.get("/account").await;
        eve.submit(page.form("/account/name").fill("name", name))
            .await
    };
    let answer = rename("Administrator").await;
    assert_eq!(answer.status(), 422);
    let typed = answer.attribute("[name=name]", "value");
    assert_eq!(typed.as_deref(), Some("Administrator"));
    let wrong = answer.attribute("[name=name]", "aria-invalid");
    assert_eq!(wrong.as_deref(), Some("true"));
    let other = answer.attribute("[name=picture]", "type");
    assert_eq!(other.as_deref(), Some("file"));
    assert_eq!(rename("Eve Adams").await.status(), 303);
}

/// If a stranger floods from the same network, a user loses no typed word, and reads how long to wait.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_has_to_wait_gets_the_form_again_with_what_they_typed() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let send = async |path: &str| {
        let page = visitor.get(path).await;
        let mut form = page.form(&format!("form[action^='{path}']"));
        for (field, value) in [
            ("name", "Ada"),
            ("email", "ada@example.org"),
            ("password", PASSWORD),
        ] {
            let input = format!("form[action^='{path}'] [name={field}]");
            if page.attribute(&input, "name").is_some() {
                form = form.fill(field, value);
            }
        }
        visitor.submit(form).await
    };
    // The requests of one network count together, whatever page they are for.
    let mut sent = 0;
    while send("/forgot").await.status() != 429 {
        sent += 1;
        assert!(sent < 100, "nothing is counted");
    }
    for path in ["/forgot", "/sign-in", "/sign-up"] {
        let answer = send(path).await;
        assert_eq!(answer.status(), 429, "{path}");
        assert!(answer.header("retry-after").is_some(), "{path}");
        let typed = answer.attribute("main [name=email]", "value");
        assert_eq!(typed.as_deref(), Some("ada@example.org"), "{path}");
        let why = answer.texts("[role=alert]").concat();
        assert!(why.contains("too many attempts"), "{path}: {why}");
        let password = answer.attribute("[name=password]", "value");
        assert_eq!(password.unwrap_or_default(), "", "{path}");
    }
}
