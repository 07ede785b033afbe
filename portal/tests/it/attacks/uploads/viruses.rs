//! A virus that a member hands in, and a scanner that is away.

use dewar::testing::Browser;

use crate::company::{Portal, hand_in};
use crate::servers;

/// The test file of the makers of virus scanners, in two parts: a whole one in this file would be a virus to them.
fn eicar() -> Vec<u8> {
    let (one, two) = (
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR",
        "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*",
    );
    format!("{one}{two}").into_bytes()
}

async fn file_of(browser: &Browser, document: &str) -> (u16, String) {
    let answer = browser.get(&format!("{document}/file")).await;
    (answer.status().as_u16(), answer.text().to_owned())
}

/// ASVS: V5.4.3
#[tokio::test(flavor = "multi_thread")]
async fn a_virus_is_refused_by_the_scanner_and_leaves_nothing() {
    let Some(clamd) = servers::clamd() else {
        return;
    };
    let address = format!("127.0.0.1:{}", clamd.port);
    let socket = clamd.folder.path().join("clamd.ctl").display().to_string();
    for place in [address, socket] {
        let portal = Portal::open_with(&[
            ("DEWAR_UPLOADS_VIRUS_SCAN", "required"),
            ("DEWAR_UPLOADS_CLAMD", &place),
        ])
        .await;
        let ada = portal.member("ada").await;
        let refused = hand_in(&ada, "A plan", "plan.txt", &eicar()).await;
        assert_eq!(refused.status(), 422, "{}", refused.text());
        assert!(refused.text().contains("Eicar-Test-Signature"));
        assert!(refused.text().contains("A plan"), "what was typed is there");
        let too_large = hand_in(&ada, "Long", "long.txt", &[b'a'; 1_100_000]).await;
        assert_eq!(too_large.status(), 422, "{}", too_large.text());
        assert_eq!(super::kept(&portal), 0);
        let honest = hand_in(&ada, "A plan", "plan.txt", b"What was agreed.").await;
        assert_eq!(honest.status(), 303, "{}", honest.text());
        let (status, _) = file_of(&ada, honest.location().unwrap()).await;
        assert_eq!(status, 200);
    }
}

/// ASVS: V5.4.3
#[tokio::test(flavor = "multi_thread")]
async fn nobody_opens_a_file_before_a_required_scanner_has_seen_it() {
    let Some(mut clamd) = servers::clamd() else {
        return;
    };
    let address = format!("127.0.0.1:{}", clamd.port);
    let portal = Portal::open_with(&[
        ("DEWAR_UPLOADS_VIRUS_SCAN", "required"),
        ("DEWAR_UPLOADS_CLAMD", &address),
    ])
    .await;
    clamd.end();
    let ada = portal.member("ada").await;
    let sent = hand_in(&ada, "A plan", "plan.txt", &eicar()).await;
    assert_eq!(sent.status(), 303, "{}", sent.text());
    let document = sent.location().unwrap().to_owned();
    let page = ada.get(&document).await.text().to_owned();
    assert!(page.contains("waits for the virus scanner"), "{page}");
    for browser in [&ada, &portal.person("rita", &["member", "reviewer"]).await] {
        let (status, text) = file_of(browser, &document).await;
        assert_eq!(status, 503, "{text}");
        assert!(text.contains("waits for the virus scanner"), "{text}");
    }
    let uploads = portal.uploads().clone();
    assert_eq!(uploads.scan_waiting().await.unwrap(), 0);
    assert_eq!(file_of(&ada, &document).await.0, 503);
}
