use dewar::pages::{Bundle, Languages};
use dewar::testing::{Site, wrong_messages};

#[tokio::test]
async fn a_reader_gets_the_language_of_the_browser() {
    let site = Site::start(helpdesk::app).await;
    let german = site
        .visitor()
        .raw("GET", "/")
        .header("accept-language", "de");
    assert!(
        german
            .send()
            .await
            .unwrap()
            .text()
            .contains("Sagen Sie uns")
    );
    let other = site
        .visitor()
        .raw("GET", "/")
        .header("accept-language", "fr");
    assert!(other.send().await.unwrap().text().contains("Tell us"));
}

#[test]
fn every_message_exists_in_both_languages() {
    let languages = Languages::load("en", &Bundle::of::<helpdesk::Languages>());
    let wrong = wrong_messages(&languages, concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
