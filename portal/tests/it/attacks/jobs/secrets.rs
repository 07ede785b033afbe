//! Places where somebody could read the payload of a job.

use super::*;
use crate::commands::{portal as command, printed};
use crate::company::files_below;

/// Somebody who may read the page, the list, the audit log or the database reads no word of a payload.
///
/// ASVS: V16.2.5, V14.2.1, V11.3.2
#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_payload_are_on_no_page_in_no_list_and_in_no_file() {
    const WORDS: &str = "the-diagnosis-of-ada-lovelace";
    let portal = Portal::with_more(
        tempfile::tempdir().unwrap(),
        &[crate::company::ON_SQLITE],
        with_jobs,
    )
    .await;
    for (number, then) in [Then::FailWithWords, Then::Panic, Then::GiveUp, Then::Done]
        .into_iter()
        .enumerate()
    {
        enqueue(&portal, i64::try_from(number).unwrap(), then, WORDS).await;
    }
    let root = portal.administrator().await;
    for _ in 0..2 {
        let pages =
            ["failed", "running", "waiting"].map(|state| format!("{}?state={state}", jobs::PAGE));
        for path in pages.iter().map(String::as_str).chain(["/admin/audit"]) {
            let page = root.get(path).await;
            assert_eq!(page.status(), 200);
            assert!(!page.text().contains(WORDS), "{path}: {}", page.text());
        }
        for arguments in ["jobs list", "jobs list --json"] {
            let list = printed(&command(portal.data.path(), arguments));
            assert!(list.contains("act") && !list.contains(WORDS), "{list}");
        }
        assert!(!portal.log().await.contains(WORDS));
        for file in files_below(portal.data.path()) {
            let content = std::fs::read(&file).unwrap();
            let found = content
                .windows(WORDS.len())
                .any(|part| part == WORDS.as_bytes());
            assert!(!found, "{}", file.display());
        }
        run_to_the_end(&portal).await;
        // The session has ended by then.
        let signed = portal.sign_in_with_app(&root, "grace").await;
        assert_eq!(signed.status(), 303);
    }
    let problems: Vec<_> = rows(&portal).await.into_iter().map(|row| row.2).collect();
    assert_eq!(
        problems,
        ["std::io::error::Error", "it panicked", "it never works"]
    );
}
