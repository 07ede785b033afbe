//! Passwords: how they are changed, reset and hashed.

use super::*;

#[tokio::test]
async fn guessable_passwords_are_refused_with_the_reason() {
    let house = House::open().await;
    for password in [
        "passwordpassword",
        "123456789012345",
        "AdaLovelace2026!",
        "paperhouse-ada-lovelace",
    ] {
        let answer = house
            .accounts
            .sign_up(person("ada@example.org", password), HERE)
            .await;
        assert!(
            matches!(answer, Err(Error::Guessable(_))),
            "{password}: {answer:?}"
        );
    }
    let short = house
        .accounts
        .sign_up(person("ada@example.org", "short but odd"), HERE)
        .await;
    assert!(matches!(short, Err(Error::TooShort(15))), "{short:?}");
    let long = house
        .accounts
        .sign_up(person("ada@example.org", &"long ".repeat(300)), HERE)
        .await;
    assert!(matches!(long, Err(Error::TooLong(1_024))), "{long:?}");
    assert_eq!(house.accounts.hashes_done(), 0);
}

/// The old password was right when it was typed, but the owner changed it first.
#[tokio::test]
async fn a_sign_in_that_was_under_way_does_not_outlive_a_change_of_the_password() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let accounts = &house.accounts;
    let sign_in = || accounts.sign_in("ada@example.org", GOOD, HERE);
    let (late, other) = (sign_in().await.unwrap(), sign_in().await.unwrap());
    assert!(house.lets_in(sign_in().await.unwrap()).await);
    let proof = accounts.verify_password(user, GOOD, HERE).await.unwrap();
    let here = house.visitor();
    let changed = accounts.change_password(proof, OTHER, &here);
    changed.await.unwrap();
    assert!(!house.lets_in(late).await);
    let again = accounts
        .change_password(other, GOOD, &house.visitor())
        .await;
    assert!(matches!(again, Err(Error::Refused)), "{again:?}");
    let new = accounts
        .sign_in("ada@example.org", OTHER, HERE)
        .await
        .unwrap();
    assert!(house.lets_in(new).await);
}

#[tokio::test]
async fn changing_the_password_ends_every_other_session() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    for _ in 0..3 {
        house.begin_session("ada@example.org").await;
    }
    assert_eq!(house.live_sessions().await, 3);
    assert!(
        house
            .accounts
            .verify_password(user, OTHER, HERE)
            .await
            .is_err()
    );
    let proof = house
        .accounts
        .verify_password(user, GOOD, HERE)
        .await
        .unwrap();
    let session = house.visitor();
    house
        .accounts
        .change_password(proof, OTHER, &session)
        .await
        .unwrap();
    assert_eq!(
        house.live_sessions().await,
        1,
        "the one that changed it, under a new token"
    );
    let mut headers = HeaderMap::new();
    session.write(&mut headers);
    assert_eq!(headers.len(), 1);
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .is_err()
    );
    assert!(house.letters().await[0].contains("Your password was changed"));
}

#[tokio::test]
async fn a_reset_works_once_ends_every_session_and_signs_nobody_in() {
    let house = House::open().await;
    house.join("ada@example.org").await;
    house.begin_session("ada@example.org").await;
    house
        .accounts
        .request_reset("ADA@example.org", HERE)
        .unwrap();
    let token = house.token("/reset").await;
    assert!(house.accounts.look_at_reset(&token).await.is_ok());
    let weak = house.accounts.reset(&token, "passwordpassword", HERE).await;
    assert!(
        matches!(weak, Err(Error::Guessable(_))),
        "a bad choice does not spend the link"
    );
    house.accounts.reset(&token, OTHER, HERE).await.unwrap();
    assert_eq!(house.live_sessions().await, 0);
    let again = house.accounts.reset(&token, GOOD, HERE).await;
    assert!(matches!(again, Err(Error::LinkSpent)), "{again:?}");
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", OTHER, HERE)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_reset_link_expires_and_strangers_get_no_letter() {
    let house = House::open().await;
    house.join("ada@example.org").await;
    assert!(
        house
            .accounts
            .request_reset("nobody@example.org", HERE)
            .is_ok()
    );
    assert!(house.letters().await.is_empty());
    assert!(
        house
            .accounts
            .request_reset("ada@example.org", HERE)
            .is_ok()
    );
    let token = house.token("/reset").await;
    house.clock.advance(Duration::from_secs(3600));
    let late = house.accounts.reset(&token, OTHER, HERE).await;
    assert!(matches!(late, Err(Error::LinkSpent)), "{late:?}");
    for _ in 0..9 {
        house
            .accounts
            .request_reset("ada@example.org", HERE)
            .unwrap();
        house.accounts.settle().await;
    }
    assert!(house.letters().await.len() <= 5, "nobody is pestered");
}

#[tokio::test]
async fn a_weaker_hash_is_replaced_at_the_next_sign_in() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let weak = argon2_with_less_memory(GOOD);
    let set = "UPDATE dewar_users SET password_hash = ?1 WHERE id = ?2";
    house
        .db
        .execute(set, [weak.into(), user.into()])
        .await
        .unwrap();
    drop(
        house
            .accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .unwrap(),
    );
    let rows = house
        .db
        .query("SELECT password_hash FROM dewar_users", [])
        .await
        .unwrap();
    let now: String = rows[0].get(0).unwrap();
    assert!(now.contains("m=19456"), "{now}");
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .is_ok()
    );
}

fn argon2_with_less_memory(password: &str) -> String {
    use password_hash::PasswordHasher as _;
    let params = argon2::Params::new(1024, 1, 1, None).unwrap();
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let hash: password_hash::phc::PasswordHash = argon2
        .hash_password_with_salt(password.as_bytes(), b"sixteen salt byt")
        .unwrap();
    hash.to_string()
}

/// ASVS: V6.2.9, V11.4.2
#[tokio::test]
async fn with_bcrypt_a_password_that_it_would_cut_is_refused_beside_its_field() {
    let house = House::with(|config| config.password_hash = PasswordHashing::Bcrypt).await;
    let fits = "nine blue lanterns drift ".repeat(3);
    let fits = fits.get(..72).unwrap();
    for cut in [&format!("{fits}s"), "nine blue lanterns\0drift"] {
        let answer = house
            .accounts
            .sign_up(person("ada@example.org", cut), HERE)
            .await;
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::TooLong(72)), "{error:?}");
        assert!(error.about_password().is_some());
    }
    let made = house
        .accounts
        .sign_up(person("ada@example.org", fits), HERE)
        .await;
    made.unwrap();
    let rows = house
        .db
        .query("SELECT password_hash FROM dewar_users", [])
        .await
        .unwrap();
    let stored: String = rows[0].get(0).unwrap();
    assert!(stored.starts_with("$2b$12$"), "{stored}");
    let sign_in = |password: String| {
        let accounts = house.accounts.clone();
        async move { accounts.sign_in("ada@example.org", &password, HERE).await }
    };
    drop(sign_in(fits.to_owned()).await.unwrap());
    let longer = sign_in(format!("{fits}x")).await;
    assert!(matches!(longer, Err(Error::Refused)), "{longer:?}");
}
