use dewar::pages::Bundle;
use dewar::testing::{Site, wrong_templates};
use helpdesk::{Staff, Templates};

#[tokio::test]
async fn the_front_page_has_the_name_of_the_desk_and_the_way_in() {
    let name = [("DEWAR_HELPDESK_NAME", "Lamps & Co.")];
    let site = Site::start_with(name, helpdesk::app).await;
    let front = site.visitor().get("/").await;
    assert_eq!(front.texts("h1"), ["Lamps & Co."]);
    assert!(front.attribute("main a[href='/sign-in']", "href").is_some());
    let customer = site.sign_in_as(Staff::Customer).await;
    assert!(customer.get("/").await.text().contains("Welcome"));
}

#[tokio::test]
async fn the_layout_has_a_style_sheet_of_its_own() {
    let site = Site::start(helpdesk::app).await;
    let visitor = site.visitor();
    let front = visitor.get("/").await;
    let sheet = front.attribute("link[href*='helpdesk']", "href").unwrap();
    let sheet = visitor.get(&sheet).await;
    assert_eq!(
        sheet.header("content-type").unwrap(),
        "text/css; charset=utf-8"
    );
    assert!(sheet.text().contains(".brand"));
}

#[tokio::test]
async fn each_page_has_security_headers() {
    let site = Site::start(helpdesk::app).await;
    let front = site.visitor().get("/").await;
    let policy = front.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert_eq!(front.header("x-content-type-options").unwrap(), "nosniff");
}

#[test]
fn every_template_and_every_value_exists() {
    let templates = [Bundle::of::<Templates>()];
    let wrong = wrong_templates(&templates, concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
