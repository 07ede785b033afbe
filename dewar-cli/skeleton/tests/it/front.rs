use __crate__::{Staff, Templates};
use dewar::pages::Bundle;
use dewar::testing::{Site, wrong_templates};

#[tokio::test]
async fn a_visitor_finds_the_way_in() {
    let site = Site::start(__crate__::app).await;
    let front = site.visitor().get("/").await;
    assert!(front.attribute("main a[href='/sign-in']", "href").is_some());
    let member = site.sign_in_as(Staff::Member).await;
    assert!(member.get("/").await.text().contains("Welcome"));
}

#[test]
fn every_template_and_every_value_exists() {
    let templates = [Bundle::of::<Templates>()];
    let wrong = wrong_templates(&templates, concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
