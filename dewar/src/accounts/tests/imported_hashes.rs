//! Password hashes of other frameworks in the table.

use super::super::hash_formats::{MOST_CHARACTERS, imported};
use super::*;

/// Werkzeug's `generate_password_hash("seven green kettles sing", "pbkdf2:sha256:1000")`, from `hash_formats/vectors.tsv`.
fn werkzeug() -> String {
    let vectors = include_str!("../hash_formats/vectors.tsv");
    let of = format!("werkzeug\t\"{GOOD}\"\tpbkdf2:sha256:1000");
    let line = vectors.lines().find(|line| line.starts_with(&of)).unwrap();
    line.split('\t').nth(2).unwrap().to_owned()
}

impl House {
    async fn store_hash(&self, user: UserId, hash: &str) {
        let set = "UPDATE dewar_users SET password_hash = ?1 WHERE id = ?2";
        self.db
            .execute(set, [hash.into(), user.into()])
            .await
            .unwrap();
    }

    async fn stored_hash(&self, user: UserId) -> String {
        let find = "SELECT password_hash FROM dewar_users WHERE id = ?1";
        self.db.query(find, [user.into()]).await.unwrap()[0]
            .get(0)
            .unwrap()
    }
}

/// ASVS: V11.4.2
#[tokio::test]
async fn an_imported_hash_lets_its_owner_in_and_becomes_argon2id_in_the_same_sign_in() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let hash = imported(&werkzeug()).unwrap();
    house.store_hash(user, hash.as_str()).await;
    let accounts = &house.accounts;
    let wrong = accounts.sign_in("ada@example.org", OTHER, HERE).await;
    assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
    assert_eq!(house.stored_hash(user).await, hash.as_str());
    drop(
        accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .unwrap(),
    );
    let now = house.stored_hash(user).await;
    assert!(now.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{now}");
    drop(
        accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .unwrap(),
    );
}

/// Strings that somebody who can write to the database would put there: each is a wrong password, and the log names the reason.
#[tokio::test]
async fn a_hostile_hash_is_a_wrong_password_and_a_security_event() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let hex = "ab".repeat(64);
    for hostile in [
        format!("scrypt:67108864:8:1$salt${hex}"),
        format!("pbkdf2:sha256:4294967295$salt${hex}"),
        "$argon2id$v=19$m=67108864,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde".to_owned(),
        "!".to_owned(),
        String::new(),
        "x".repeat(MOST_CHARACTERS + 1),
    ] {
        house.store_hash(user, &hostile).await;
        house.accounts.unlock(None, user).await.unwrap();
        house.accounts.0.log.flush().await;
        let (before, told) = (house.accounts.hashes_done(), house.log());
        let answer = house.accounts.sign_in("ada@example.org", GOOD, HERE).await;
        assert!(
            matches!(answer, Err(Error::Refused)),
            "{hostile}: {answer:?}"
        );
        house.hashed_once_since(before).await;
        house.accounts.0.log.flush().await;
        let log = house.log();
        let new = log.strip_prefix(&told).unwrap();
        assert!(new.contains("authn_hash_unusable"), "{hostile}: {new}");
        assert!(hostile.len() < 3 || !new.contains(&hostile), "{new}");
    }
}

/// CWE-208: the time of an address without an account is that of some account, always the same.
#[tokio::test]
async fn an_unknown_address_costs_the_hash_of_an_account() {
    let house = House::open().await;
    let nobody = super::super::email::EmailKey::new("nobody@example.org");
    assert!(house.accounts.stand_in(&nobody).await.unwrap().is_none());
    let hash = werkzeug();
    for number in 0..8 {
        let user = house.join(&format!("user{number}@example.org")).await;
        if number % 2 == 0 {
            house.store_hash(user, &hash).await;
        }
    }
    let (mut slow, all) = (0, 400);
    for number in 0..all {
        let key = super::super::email::EmailKey::new(&format!("nobody{number}@example.org"));
        let chosen = house.accounts.stand_in(&key).await.unwrap().unwrap();
        let again = house.accounts.stand_in(&key).await.unwrap().unwrap();
        assert_eq!(chosen.as_str(), again.as_str());
        slow += i32::from(chosen.as_str() == hash);
    }
    // Half of the accounts have it. The keys are random: this fails once in 10^20 runs.
    assert!((100..300).contains(&slow), "{slow} of {all}");
    let answer = house
        .accounts
        .sign_in("nobody@example.org", GOOD, HERE)
        .await;
    assert!(matches!(answer, Err(Error::Refused)), "{answer:?}");
}
