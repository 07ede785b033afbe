//! The rules for passwords, and how Dewar compares and stores them.

use super::sign_up;
use crate::company::{PASSWORD, Portal, post, sign_in};

/// ASVS: V6.2.1, V6.2.4, V6.2.11, V6.2.9
#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_short_common_or_about_oneself_is_refused() {
    let portal = Portal::open().await;
    let too_long = "a".repeat(1025);
    for weak in [
        "fourteen chars",
        "passwordpassword",
        "123456789012345",
        "aaaaaaaaaaaaaaa",
        "ada@example.org",
        &too_long,
    ] {
        let answer = sign_up(&portal.visitor(), "ada@example.org", weak).await;
        assert_eq!(answer.status(), 422, "{weak}");
        assert!(
            !answer.text().contains(weak) || weak == "ada@example.org",
            "shown again: {weak}"
        );
    }
    assert_eq!(portal.count("SELECT count(*) FROM dewar_users").await, 0);
    let answer = sign_up(
        &portal.visitor(),
        "ada@example.org",
        "größe 雨 und ein stiller See",
    )
    .await;
    assert_eq!(answer.status(), 303);
}

/// ASVS: V6.2.3, V7.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_only_with_the_old_one_and_ends_other_sessions() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let elsewhere = portal.visitor();
    sign_in(&elsewhere, "ada@example.org", PASSWORD).await;
    let new = "new_password=another+quiet+lake+at+dawn";
    let wrong = post(
        &ada,
        "/account/password",
        &format!("current_password=not+the+password+at+all&{new}"),
    )
    .await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(elsewhere.get("/documents").await.status(), 200);
    let old = PASSWORD.replace(' ', "+");
    let right = post(
        &ada,
        "/account/password",
        &format!("current_password={old}&{new}"),
    )
    .await;
    assert_eq!(right.status(), 303);
    assert_eq!(elsewhere.get("/documents").await.status(), 303);
}

/// ASVS: V11.4.2, V6.2.8
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_table_holds_no_password() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let rows = portal
        .db()
        .query("SELECT password_hash FROM dewar_users", [])
        .await
        .unwrap();
    let hash: String = rows[0].get(0).unwrap();
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    assert!(!portal.log().await.contains(PASSWORD));
}

/// ASVS: V6.2.8, V6.2.9
#[tokio::test(flavor = "multi_thread")]
async fn a_password_counts_whole_and_unchanged_but_for_its_composition() {
    let portal = Portal::open().await;
    let long = format!("Ünïcødé 鍵 🔑 {}", "long and ".repeat(10));
    let blanks = "  blanks At both ends  ";
    for (email, password) in [("a@example.org", long.as_str()), ("b@example.org", blanks)] {
        sign_up(&portal.visitor(), email, password).await;
        let mut cut = password.to_owned();
        cut.pop();
        for other in [cut, password.to_lowercase(), password.trim().to_owned()] {
            let answer = sign_in(&portal.visitor(), email, &other).await;
            assert_eq!(answer.status(), 422, "{other:?}");
        }
        let whole = sign_in(&portal.visitor(), email, password).await;
        assert_eq!(whole.status(), 303, "{password:?}");
    }
    sign_up(
        &portal.visitor(),
        "c@example.org",
        "caf\u{e9} at the corner by night",
    )
    .await;
    let apart = "cafe\u{301} at the corner by night";
    let same = sign_in(&portal.visitor(), "c@example.org", apart).await;
    assert_eq!(same.status(), 303);
}

/// Somebody who can write one value into the table must not stop every sign-in with it, nor open the account.
///
/// ASVS: V11.4.2, V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_hash_in_the_table_costs_one_hash_and_opens_nothing() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let accounts = portal.running.dewar().accounts();
    let genuine: String = portal
        .db()
        .query("SELECT password_hash FROM dewar_users", [])
        .await
        .unwrap()[0]
        .get(0)
        .unwrap();
    let digest = "ab".repeat(64);
    for hostile in [
        // 64 GiB, a year, and texts that mean something to other programs.
        format!("scrypt:67108864:8:1$salt${digest}"),
        format!("pbkdf2:sha512:4294967295$salt${digest}"),
        "$argon2id$v=19$m=4294967295,t=4294967295,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA"
            .to_owned(),
        "$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde".to_owned(),
        PASSWORD.to_owned(),
        format!("plaintext${PASSWORD}"),
        "!".to_owned(),
    ] {
        let set = "UPDATE dewar_users SET password_hash = ?1";
        portal
            .db()
            .execute(set, [hostile.as_str().into()])
            .await
            .unwrap();
        let before = accounts.hashes_done();
        let answer = sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
        assert_eq!(answer.status(), 422, "{hostile}");
        assert_eq!(accounts.hashes_done() - before, 1, "{hostile}");
        let ada = accounts
            .find_by_email("ada@example.org")
            .await
            .unwrap()
            .unwrap();
        accounts.unlock(None, ada.id).await.unwrap();
    }
    let log = portal.log().await;
    assert!(log.contains("authn_hash_unusable"), "{log}");
    assert!(!log.contains(&digest) && !log.contains(PASSWORD), "{log}");
    let set = "UPDATE dewar_users SET password_hash = ?1";
    portal.db().execute(set, [genuine.into()]).await.unwrap();
    let answer = sign_in(&portal.visitor(), "ada@example.org", PASSWORD).await;
    assert_eq!(answer.status(), 303);
}

/// bcrypt reads 72 bytes: a longer password must not open the account with another end, nor one with a NUL with another rest.
///
/// ASVS: V6.2.9, V11.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_never_cut_for_an_imported_hash_of_bcrypt() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    // bcrypt 5.0.0, `hashpw(b"x" * 72, gensalt(4))`, as an import stores it.
    let set = "UPDATE dewar_users SET password_hash = ?1";
    let hash = "bcrypt$$2b$04$r5T7DZvWX19iZujm/42S5.l99qqlyo.hUsX.Bv6tXj/m7GFPsRPDG";
    portal.db().execute(set, [hash.into()]).await.unwrap();
    let whole = "x".repeat(72);
    for other in [format!("{whole}y"), "x".repeat(71), format!("{whole}\0")] {
        let answer = sign_in(&portal.visitor(), "ada@example.org", &other).await;
        assert_eq!(answer.status(), 422, "{}", other.len());
    }
    let right = sign_in(&portal.visitor(), "ada@example.org", &whole).await;
    assert_eq!(right.status(), 303);
    let rows = portal
        .db()
        .query("SELECT password_hash FROM dewar_users", [])
        .await
        .unwrap();
    let now: String = rows[0].get(0).unwrap();
    assert!(now.starts_with("$argon2id$"), "{now}");
}
