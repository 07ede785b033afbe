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
