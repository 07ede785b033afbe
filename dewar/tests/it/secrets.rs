//! `secrets`: Dewar makes, keeps and rotates keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dewar::secrets::{KeyRing, KeySource, Purpose};
use dewar::testing::{Browser, FormOnPage, wait_until};
use dewar::{App, accounts, get, post};

use super::site::{self, PASSWORD, Site, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_forbids_the_launch() {
    let site = Site::open().await;
    let file = site.data.path().join("keys/keys.toml");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    site.running.stop().await.unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = site::app(App::in_directory(&site.data).unwrap())
        .start()
        .await
        .unwrap_err();
    assert!(format!("{refused:?}").contains("chmod 0600"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_before_a_rotation_stays_good() {
    let site = Site::open().await;
    let purpose = Purpose::Application("test");
    let token = site.running.dewar().keys().sign(purpose, b"yes", i64::MAX);
    let keys = site.data.path().join("keys");
    let before = site.running.dewar().keys().current_id();
    let rotated = KeyRing::rotate(&keys).unwrap();
    assert_ne!(rotated.id, before);
    let ring = KeyRing::open_or_create(&keys, dewar::audit::Mode::Production).unwrap();
    assert_eq!(ring.verify(purpose, &token, 0).unwrap(), b"yes");
    assert!(
        ring.verify(Purpose::Application("other"), &token, 0)
            .is_err()
    );
}

const NEW_PASSWORD: &str = "nine lanterns over a wet harbour";

/// A form with a hidden value, filled in.
fn filled(form: FormOnPage) -> FormOnPage {
    form.choose("shop", "south")
        .fill("items.0.title", "Milk")
        .fill("items.0.count", "2")
}

/// The link in the letter of a password reset.
async fn reset_link(site: &Site, email: &str) -> String {
    let form = site.visitor.get("/forgot").await.form("/forgot");
    let asked = site.visitor.submit(form.fill("email", email)).await;
    assert_eq!(asked.status(), 303);
    site.running.dewar().accounts().settle().await;
    let letters = fs::read_dir(site.data.path().join("outbox")).unwrap();
    let letter = letters.last().unwrap().unwrap().path();
    let text = fs::read_to_string(letter).unwrap().replace("=\r\n", "");
    let (_, link) = text.split_once("/reset/").unwrap();
    format!("/reset/{}", link.split_whitespace().next().unwrap())
}

/// A busy person: loads a form, sends it, reads the message, again and again.
async fn never_rests(hal: Browser, done: Arc<AtomicBool>) -> u32 {
    let mut rounds = 0;
    while !done.load(Ordering::Relaxed) {
        let page = hal.get("/orders").await;
        assert_eq!(page.status(), 200);
        let sent = hal.submit(filled(page.form("/orders"))).await;
        if sent.status() == 429 {
            // The site's clock limits one person's rate, and it stands still while the machine is slow. The form comes
            // again, with the typed values.
            assert!(sent.text().contains("value=\"Milk\""), "{}", sent.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        assert_eq!(sent.status(), 303, "{}", sent.text());
        assert!(sent.follow().await.text().contains("2 Milk of version 777"));
        rounds += 1;
    }
    rounds
}

/// The form behind a link in a letter.
async fn new_password(site: &Site, email: &str) -> FormOnPage {
    let link = reset_link(site, email).await;
    site.visitor.get(&link).await.form(&link)
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_rotations_under_traffic_lose_nothing() {
    let site = Site::of(|app| {
        site::app(app).public([
            get("/forgot", accounts::forgot_page),
            post("/forgot", accounts::forgot),
            get("/reset/{token}", accounts::reset_page),
            post("/reset/{token}", accounts::reset),
        ])
    })
    .await;
    let source = KeySource::in_directory(site.data.path().join("keys")).clock(site.clock.clone());
    let keys = site.running.dewar().keys();
    let ada = site.member("ada", &[]).await;
    site.member("cleo", &[]).await;
    site.member("ines", &[]).await;
    let new_password = new_password(&site, "cleo@example.org").await;
    let done = Arc::new(AtomicBool::new(false));
    let hal = site.member("hal", &[]).await;
    let traffic = tokio::spawn(never_rests(hal, Arc::clone(&done)));

    let mut signed_by = vec![keys.signing_id()];
    // A flash message under way at each rotation, sealed in Mia's cookie.
    let mia = site.member("mia", &[]).await;
    let note = mia.get("/notes").await.form("/notes").fill("title", "tea");
    let mut message = mia.submit(note).await;
    for round in 0..20 {
        let visitor = site.visitor.another();
        let (order, entrance) = (ada.get("/orders").await, visitor.get("/sign-in").await);
        KeyRing::rotate(&source).unwrap();
        keys.reload().unwrap();
        // Half of the values come back before the new key signs, half after it.
        site.clock.advance(Duration::from_secs([5, 16][round % 2]));
        signed_by.push(keys.signing_id());
        let shown = message.follow().await;
        assert!(shown.text().contains("Kept tea."), "{round}");
        let note = shown.form("/notes").fill("title", "tea");
        message = mia.submit(note).await;
        assert_eq!(message.status(), 303, "{round}");
        let sent = ada.submit(filled(order.form("/orders"))).await;
        assert_eq!(sent.status(), 303, "{round}: {}", sent.text());
        let shown = sent.follow().await.text();
        assert!(shown.contains("2 Milk of version 777"), "{round}: {shown}");
        let form = entrance
            .form("/sign-in")
            .fill("email", "ines@example.org")
            .fill("password", PASSWORD);
        let entered = visitor.submit(form).await;
        assert_eq!(entered.status(), 303, "{round}: {}", entered.text());
        assert_eq!(visitor.get("/notes").await.status(), 200, "{round}");
    }
    let sent = site
        .visitor
        .submit(new_password.fill("password", NEW_PASSWORD))
        .await;
    assert_eq!(sent.status(), 303, "{}", sent.text());
    let cleo = site.visitor.another();
    let entered = sign_in(&cleo, "cleo@example.org", NEW_PASSWORD).await;
    assert_eq!(entered.status(), 303);

    done.store(true, Ordering::Relaxed);
    assert!(traffic.await.unwrap() > 5);
    signed_by.dedup();
    assert!(signed_by.len() > 10, "{signed_by:?}");
    assert_eq!(KeyRing::list(&source).unwrap().len(), 21);
    site.running.stop().await.unwrap();
}

/// No signal tells the program about the key: it looks every five seconds, and the test expects no faster reaction.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_application_takes_changed_keys_by_itself_and_writes_it_down() {
    let site = Site::open().await;
    let file = site.data.path().join("keys/keys.toml");
    let keys = site.running.dewar().keys();
    let before = keys.current_id();
    let new = KeyRing::rotate(&site.data.path().join("keys")).unwrap();
    KeyRing::revoke(&site.data.path().join("keys"), &before).unwrap();
    let log = || {
        let site = &site;
        async move {
            site.running.dewar().log().flush().await;
            fs::read_to_string(site.data.path().join("audit.jsonl")).unwrap()
        }
    };
    let until = async |wanted: &str| {
        wait_until(wanted, async || log().await.contains(wanted)).await;
    };
    until(&format!(
        "\"subject\":\"key {before}\",\"outcome\":\"taken\",\"detail\":\"is revoked\""
    ))
    .await;
    assert_eq!(keys.signing_id(), new.id);
    assert!(log().await.contains("crypt_key_changed"));
    // The log continues under the new key, and stays complete.
    assert!(site.running.dewar().log().verify().await.is_ok());

    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, good.replace("current", "curent")).unwrap();
    until("a changed key file cannot be used: secrets-unusable").await;
    assert_eq!(keys.signing_id(), new.id, "what is in use stays in use");
    assert_eq!(keys.findings()[0].id, "secrets-unusable");
    assert_eq!(
        site.member("ada", &[]).await.get("/notes").await.status(),
        200
    );
    site.running.stop().await.unwrap();
}
