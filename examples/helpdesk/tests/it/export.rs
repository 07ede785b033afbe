use dewar::testing::Site;
use helpdesk::Staff;

use crate::opened;

#[tokio::test]
async fn an_agent_downloads_all_tickets_as_a_table() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    opened(&customer, "=HYPERLINK(\"https://evil.example\")").await;
    let table = agent.get("/tickets.csv").await.text();
    assert!(table.contains("\"Number\",\"Title\",\"Status\""));
    assert!(table.contains("1,\"'=HYPERLINK(")); // no formula
    assert!(table.contains("\"customer1@example.org\""));
    let administrator = site.sign_in_as(Staff::Administrator).await;
    assert_eq!(administrator.get("/tickets.csv").await.text(), table);
    assert_eq!(customer.get("/tickets.csv").await.status(), 403);
}
