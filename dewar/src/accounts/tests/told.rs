//! Entries of the audit log about accounts.

use super::*;

#[tokio::test]
async fn the_log_tells_what_happened_and_keeps_secrets() {
    let house = House::open().await;
    house
        .accounts
        .sign_up(person("ada@example.org", GOOD), HERE)
        .await
        .unwrap();
    house
        .accounts
        .sign_in("ada@example.org", OTHER, HERE)
        .await
        .unwrap_err();
    house.begin_session("ada@example.org").await;
    house.accounts.0.log.flush().await;
    let log = house.log();
    for name in [
        "user_created",
        "authn_login_fail",
        "authn_login_success",
        "session_created",
        "192.0.2.7",
    ] {
        assert!(log.contains(name), "{name}: {log}");
    }
    for secret in [GOOD, OTHER, "ada@example.org", "argon2"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

/// ASVS: V16.3.1
#[tokio::test]
async fn a_sign_in_after_failures_is_told_apart_from_one_without() {
    for (failures, event) in [
        (0, "authn_login_success\""),
        (4, "authn_login_success\""),
        (5, "authn_login_successafterfail\""),
        (7, "authn_login_successafterfail\""),
    ] {
        let house = House::open().await;
        house.join("ada@example.org").await;
        for _ in 0..failures {
            let wrong = house.accounts.sign_in("ada@example.org", OTHER, HERE).await;
            assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
            house.clock.advance(Duration::from_secs(60));
        }
        let right = house.accounts.sign_in("ada@example.org", GOOD, HERE).await;
        assert!(right.is_ok(), "{right:?}");
        house.accounts.0.log.flush().await;
        let log = house.log();
        let last = log.lines().last().unwrap();
        assert!(last.contains(event), "{failures}: {last}");
        assert_eq!(log.matches("authn_login_fail\"").count(), failures, "{log}");
    }
}

/// ASVS: V16.3.1
#[tokio::test]
async fn what_a_password_was_asked_for_is_told() {
    let house = House::open().await;
    let ada = house.join("ada@example.org").await;
    let last = async || {
        house.accounts.0.log.flush().await;
        house.log().lines().last().unwrap().to_owned()
    };
    let accounts = &house.accounts;
    accounts
        .verify_password(ada, OTHER, HERE)
        .await
        .unwrap_err();
    assert!(last().await.contains("authn_password_change_fail\""));
    accounts
        .confirm_password(ada, OTHER, HERE)
        .await
        .unwrap_err();
    assert!(last().await.contains("authn_login_fail\""));
    let proof = accounts.verify_password(ada, GOOD, HERE).await.unwrap();
    assert_eq!(proof.user(), ada);
    assert!(last().await.contains("authn_password_confirmed\""));
    let proof = accounts.confirm_password(ada, GOOD, HERE).await.unwrap();
    assert!(last().await.contains("authn_password_confirmed\""));
    // It is the owner's, and proves nothing in the session of another user or in none.
    assert!(matches!(
        proof.confirm(&house.visitor()).await,
        Err(Error::Refused)
    ));
    let nobody = UserId::new(999);
    let refused = accounts.verify_password(nobody, GOOD, HERE).await;
    assert!(matches!(refused, Err(Error::NoSuchUser)), "{refused:?}");
}

#[tokio::test]
async fn a_right_password_after_many_wrong_ones_is_told_apart() {
    let house = House::open().await;
    for (email, wrong, is_told) in [
        ("ada@example.org", 4, false),
        ("ben@example.org", 5, true),
        ("eve@example.org", 6, true),
    ] {
        house.join(email).await;
        for n in 0..wrong {
            let from = IpAddr::from([198, 51, 100, n]);
            let refused = house.accounts.sign_in(email, OTHER, from).await;
            assert!(matches!(refused, Err(Error::Refused)), "{refused:?}");
            house.clock.advance(Duration::from_secs(60 * 60));
        }
        house.begin_session(email).await;
        house.accounts.0.log.flush().await;
        let log = house.log();
        let last = log
            .lines()
            .rfind(|line| line.contains("authn_login_success"));
        let told = last.unwrap().contains("authn_login_successafterfail");
        assert_eq!(told, is_told, "{email}");
    }
}

#[tokio::test]
async fn whether_letters_go_anywhere_and_who_has_a_role_is_said_as_it_is() {
    assert_eq!(
        House::open().await.accounts.administrator(),
        Some("administrator")
    );
    assert!(House::open().await.accounts.sends_mail());
    let house = House::without_mail().await;
    assert!(!house.accounts.sends_mail());
    let ada = house.join("ada@example.org").await;
    let ada = house.accounts.find(ada).await.unwrap().unwrap();
    assert!(ada.has_role_named("member"));
    for other in ["administrator", "memb", "members", ""] {
        assert!(!ada.has_role_named(other), "{other}");
    }
}
