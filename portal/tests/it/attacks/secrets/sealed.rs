//! Sealed columns: somebody who has the database can neither read the texts nor move them.

use std::fs;

use dewar::App;
use dewar::testing::Browser;

use super::{age_keys, program};
use crate::company::{ON_SQLITE, PASSWORD, Portal, files_below, post, sign_in};

const ADAS: &str = "+41446681800";
const BENS: &str = "+15550100123";

async fn call_me(browser: &Browser, number: &str) {
    let form = browser
        .get("/account/telephone")
        .await
        .form("/account/telephone");
    let answer = browser.submit(form.fill("telephone", number)).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
}

/// ASVS: V11.3.3, V14.2.6
#[tokio::test]
async fn a_sealed_number_that_was_moved_to_another_row_is_not_shown() {
    let portal = Portal::open().await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    call_me(&ada, "+41 44 668 18 00").await;
    call_me(&ben, BENS).await;
    assert!(ada.get("/account").await.text().contains(ADAS));
    assert!(ben.get("/account").await.text().contains(BENS));
    let grace = portal.administrator().await;
    let people = grace.get("/admin/users").await.text();
    assert!(people.contains(ADAS) && people.contains(BENS), "{people}");
    assert_eq!(ben.get("/admin/users").await.status(), 403);

    // Eve wants Ada's number on her own page, or Ada's number to appear as Ben's.
    let (a, b) = (portal.id_of("ada").await, portal.id_of("ben").await);
    let swap = format!(
        "UPDATE profiles SET telephone = (SELECT telephone FROM profiles WHERE user_id = {a}) WHERE user_id = {b}"
    );
    portal.outside(&swap).await;
    let page = ben.get("/account").await;
    assert_eq!(page.status(), 200);
    assert!(!page.text().contains(ADAS) && !page.text().contains(BENS));
    let people = grace.get("/admin/users").await.text();
    assert_eq!(people.matches(ADAS).count(), 1, "{people}");
    assert!(portal.log().await.contains("crypt_decrypt_fail"));
    // A value with a single altered character does not open either; Ada's own still does.
    let alter = format!(
        "UPDATE profiles SET telephone = substr(telephone, 1, 20) || 'x' || substr(telephone, 22) WHERE user_id = {b}"
    );
    portal.outside(&alter).await;
    assert!(!ben.get("/account").await.text().contains(BENS));
    assert!(ada.get("/account").await.text().contains(ADAS));
    call_me(&ben, BENS).await;
    assert!(ben.get("/account").await.text().contains(BENS));
}

/// ASVS: V14.2.6, V16.2.5, V11.7.2
#[tokio::test]
async fn a_sealed_number_is_in_no_file_and_no_log() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    call_me(&ada, ADAS).await;
    let refused = post(&ada, "/account/telephone", "telephone=%2B4144668180O").await;
    assert_eq!(refused.status(), 422);
    assert!(ada.get("/account").await.text().contains(ADAS));
    assert_eq!(portal.count("SELECT count(*) FROM profiles").await, 1);
    let grace = portal.administrator().await;
    assert!(!grace.get("/admin/audit").await.text().contains(ADAS));
    portal.log().await;
    for file in files_below(portal.data.path()) {
        let content = fs::read(&file).unwrap();
        for number in [ADAS, "446681800"] {
            let found = content
                .windows(number.len())
                .any(|part| part == number.as_bytes());
            assert!(!found, "{number} in {}", file.display());
        }
    }
}

/// Rows that were sealed with a revoked key are lost for ever, so a key with rows is not revoked without a reason.
///
/// ASVS: V11.2.2, V13.3.4
#[tokio::test]
async fn a_key_that_rows_hang_on_is_not_revoked_by_mistake() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    call_me(&ada, ADAS).await;
    let first = portal.running.dewar().keys().current_id();
    portal.running.stop().await.unwrap();
    let data = portal.data;
    let file = data.path().join("keys/keys.toml");
    let keys = |arguments: &[&str]| program(data.path(), &[&["keys"], arguments].concat(), &[]);
    assert!(keys(&["rotate"]).0);
    age_keys(&file);
    let (done, said) = keys(&["revoke", &first]);
    assert!(!done && said.contains("1 of profiles.telephone"), "{said}");
    assert!(said.contains("keys reencrypt"), "{said}");
    let (done, said) = keys(&["revoke", &first, "--dangerous-even-if-sealed", " "]);
    assert!(!done && said.contains("needs a reason"), "{said}");
    let (done, json) = keys(&["reencrypt", "--json"]);
    assert!(done, "{json}");
    let summary: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(summary["columns"][0]["reencrypted"], 1, "{json}");
    let (done, said) = keys(&["reencrypt"]);
    assert!(
        done && said.contains("profiles.telephone: re-encrypted 0 rows"),
        "{said}"
    );
    let (done, said) = keys(&["revoke", &first]);
    assert!(done, "{said}");

    let shown = async || {
        let running = portal::app(App::in_directory_with(&data, [ON_SQLITE]).unwrap())
            .start()
            .await
            .unwrap();
        let authority = fs::read(running.authority_file().unwrap()).unwrap();
        let ada = Browser::new(running.url(), &authority);
        assert_eq!(
            sign_in(&ada, "ada@example.org", PASSWORD).await.status(),
            303
        );
        let page = ada.get("/account").await.text();
        running.stop().await.unwrap();
        page
    };
    assert!(shown().await.contains(ADAS), "it came along");

    let second = serde_json::from_str::<serde_json::Value>(&keys(&["list", "--json"]).1).unwrap();
    let second = second[0]["id"].as_str().unwrap().to_owned();
    assert!(keys(&["rotate"]).0);
    age_keys(&file);
    let (done, said) = keys(&["revoke", &second, "--dangerous-even-if-sealed", "it leaked"]);
    assert!(done, "{said}");
    assert!(!shown().await.contains(ADAS));
    let log = fs::read_to_string(data.path().join("audit.jsonl")).unwrap();
    assert!(log.contains("1 rows lost: it leaked"));
}
