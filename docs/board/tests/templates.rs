use board::Templates;
use dewar::pages::Bundle;
use dewar::testing::wrong_templates;

#[test]
fn every_template_and_every_value_exists() {
    let templates = [Bundle::of::<Templates>()];
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let wrong = wrong_templates(&templates, sources).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
