//! `dependencies`: the binary knows its own parts.

use dewar::App;

use super::site::{self, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_know_its_parts_says_so() {
    let site = Site::open().await;
    let ids: Vec<_> = site
        .running
        .findings()
        .iter()
        .map(|finding| finding.id)
        .collect();
    assert!(ids.contains(&"dependencies-unknown"), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_without_a_checksum_forbids_the_launch() {
    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://index.example\"";
    let data = tempfile::tempdir().unwrap();
    let app = site::app(App::in_directory(&data).unwrap()).lock_file(LOCK);
    let refused = app.start().await.unwrap_err();
    assert!(
        format!("{refused:?}").contains("dependencies-no-checksum"),
        "{refused:?}"
    );
}
