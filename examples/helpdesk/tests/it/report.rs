use dewar::testing::Site;
use helpdesk::Staff;

use crate::opened;

#[tokio::test]
async fn the_report_fails_if_more_tickets_are_open_than_allowed() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    opened(&customer, "The lamp hums").await;
    let report = site.command(helpdesk::app, ["report", "--most", "1"]).await;
    assert_eq!((report.status(), report.output()), (0, "open: 1\n"));
    let report = site.command(helpdesk::app, ["report", "--most", "0"]).await;
    assert_eq!(report.status(), 3);
    assert!(report.error().contains("1 tickets are open"));
}
