use dewar::App;
use dewar::testing::Site;
use helpdesk::Staff;

use crate::opened;

/// `helpdesk report …` beside the running application.
async fn report(site: &Site, arguments: &[&str]) -> dewar::Result {
    let app = helpdesk::app(App::in_directory(site.data())?);
    app.run([&["report"], arguments].concat()).await
}

#[tokio::test]
async fn the_report_fails_if_more_tickets_are_open_than_allowed() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    opened(&customer, "The lamp hums").await;
    report(&site, &[]).await.unwrap();
    report(&site, &["--most", "1"]).await.unwrap();
    let error = report(&site, &["--most", "0"]).await.unwrap_err();
    assert!(error.to_string().contains("1 tickets are open"), "{error}");
}
