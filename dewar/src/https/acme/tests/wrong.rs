//! Certificates that are not ours, and challenge responses that no authority requested: Dewar never serves them.

use super::{Challenge, Served, Shared, fetched, nowhere, shown};
use crate::audit::Mode;
use crate::secrets::{KeyRing, KeySource, Purpose};
use std::time::Duration;
use test_servers::{AcmeMistake, AcmeServer};

const NOW: i64 = 1_800_000_000;
const TOKEN: &str = AcmeServer::TOKEN;

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_or_key_is_not_taken() {
    for mistake in [
        AcmeMistake::OtherName,
        AcmeMistake::OtherKey,
        AcmeMistake::Nonsense,
    ] {
        let shared = Shared::at(NOW).await;
        let authority = shared.authority(90 * 86_400);
        let acme = shared.ordering_from(&authority).await;
        let served = Served::start(&acme);
        acme.look().await;
        let good = shown(served.https, b"h2").await.unwrap();
        authority.books().mistake = mistake;
        shared.clock.advance(Duration::from_secs(61 * 86_400));
        acme.look().await;
        acme.look().await;
        assert_eq!(authority.books().orders.len(), 2, "{mistake:?}");
        assert_eq!(
            shown(served.https, b"h2").await.unwrap(),
            good,
            "{mistake:?}"
        );
        assert_eq!(acme.status().failures, 1, "{mistake:?}");
        // When the authority is right again, Dewar follows it again.
        authority.books().mistake = AcmeMistake::None;
        shared.clock.advance(Duration::from_secs(61));
        acme.look().await;
        assert_ne!(
            shown(served.https, b"h2").await.unwrap(),
            good,
            "{mistake:?}"
        );
        assert_eq!(acme.status().failures, 0, "{mistake:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_was_planted_in_the_database_is_not_taken() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * 86_400);
    let acme = shared.ordering_from(&authority).await;
    let served = Served::start(&acme);
    acme.look().await;
    let good = shown(served.https, b"h2").await.unwrap();
    let stranger = KeyRing::ephemeral();
    let foreign = stranger.seal(Purpose::Acme, b"certificate", b"{}").unwrap();
    // Sealed with our key, but for another place: the account in the certificate's row.
    let moved = shared.ring.seal(Purpose::Acme, b"account", b"{}").unwrap();
    for planted in [foreign, moved, "nonsense".to_owned()] {
        let sql = "UPDATE dewar_acme_kept SET sealed = ?1, kept_at = kept_at + 1 WHERE what = 'certificate'";
        shared.db.execute(sql, [planted.into()]).await.unwrap();
        acme.look().await;
        assert_eq!(shown(served.https, b"h2").await.unwrap(), good);
    }
}

/// The certificate's row exists for a renewal. Until then its key must be the one that is not revoked.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_open_keeps_the_certificate_from_no_new_key() {
    let keys = tempfile::tempdir().unwrap();
    let keys = KeySource::in_directory(&keys).settle(Duration::ZERO);
    KeyRing::create(keys.clone()).unwrap();
    let shared = Shared {
        ring: KeyRing::open_or_create(keys.clone(), Mode::Production).unwrap(),
        ..Shared::at(NOW).await
    };
    let authority = shared.authority(90 * 86_400);
    let acme = shared.ordering_from(&authority).await;
    acme.look().await;
    KeyRing::rotate(keys).unwrap();
    shared.ring.reload().unwrap();
    let sql = "UPDATE dewar_acme_kept SET sealed = 'planted' WHERE what = 'account'";
    shared.db.execute(sql, []).await.unwrap();
    acme.look().await;
    let sql = "SELECT sealed FROM dewar_acme_kept WHERE what = 'certificate'";
    let rows = shared.db.query(sql, []).await.unwrap();
    let sealed: String = rows.first().unwrap().get(0).unwrap();
    assert!(sealed.starts_with(&shared.ring.signing_id()), "{sealed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_just_now_is_answered() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * 86_400);
    let acme = shared.ordering_from(&authority).await;
    let served = Served::start(&acme);
    let at = |token: &str| format!("/.well-known/acme-challenge/{token}");
    assert!(
        fetched(served.http, &at(TOKEN))
            .await
            .starts_with("HTTP/1.1 404")
    );

    let store = &acme.0.store;
    store
        .lay_out(Challenge::Http01, TOKEN, "the answer")
        .await
        .unwrap();
    let answer = fetched(served.http, &at(TOKEN)).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("the answer"),
        "{answer}"
    );
    assert!(
        answer.contains("content-type: text/plain; charset=utf-8"),
        "{answer}"
    );
    for other in [
        "A-token-that-nobody-asked-for",
        "../../keys/keys.toml",
        "%2e%2e%2fkeys",
        "",
        "x",
    ] {
        let answer = fetched(served.http, &at(other)).await;
        assert!(
            !answer.contains("the answer") && !answer.starts_with("HTTP/1.1 200"),
            "{other}: {answer}"
        );
    }
    // A planted response is invalid, and so is an old one.
    let sql = "UPDATE dewar_acme_answers SET sealed = 'planted'";
    shared.db.execute(sql, []).await.unwrap();
    assert!(
        fetched(served.http, &at(TOKEN))
            .await
            .starts_with("HTTP/1.1 404")
    );
    store
        .lay_out(Challenge::Http01, TOKEN, "the answer")
        .await
        .unwrap();
    shared.clock.advance(Duration::from_secs(601));
    assert!(
        fetched(served.http, &at(TOKEN))
            .await
            .starts_with("HTTP/1.1 404")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_reads_the_database_holds_a_key() {
    let shared = Shared::at(NOW).await;
    let authority = shared.authority(90 * 86_400);
    let acme = shared.ordering_from(&authority).await;
    acme.look().await;
    let rows = shared
        .db
        .query("SELECT sealed FROM dewar_acme_kept", [])
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let text: String = row.get(0).unwrap();
        for hint in ["PRIVATE", "key_pkcs8", "BEGIN"] {
            assert!(!text.contains(hint), "{hint}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_of_a_question_is_shown_to_no_visitor() {
    let shared = Shared::at(NOW).await;
    let unused = nowhere(Challenge::TlsAlpn01);
    let acme = shared.node(&unused).await;
    let served = Served::start(&acme);
    assert_eq!(shown(served.https, b"acme-tls/1").await, None);
    let laid_out = acme
        .0
        .store
        .lay_out(Challenge::TlsAlpn01, super::HOST, "the answer");
    laid_out.await.unwrap();
    let question = shown(served.https, b"acme-tls/1").await.unwrap();
    assert_ne!(shown(served.https, b"h2").await.unwrap(), question);
    assert_ne!(shown(served.https, b"http/1.1").await.unwrap(), question);
    let sql = "UPDATE dewar_acme_answers SET sealed = 'planted'";
    shared.db.execute(sql, []).await.unwrap();
    assert_eq!(shown(served.https, b"acme-tls/1").await, None);
}
