use dewar::testing::Site;
use helpdesk::Staff;

use crate::opened;

#[tokio::test]
async fn everyone_gets_in_where_the_route_table_says_and_nowhere_else() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let ticket = opened(&customer, "The lamp hums").await;
    let id = ticket.rsplit('/').next().unwrap();
    let reached_by = ["customer1@example.org", "agent"];
    let matrix = site
        .access_matrix()
        .record("/tickets/{id}", id, &reached_by);
    matrix.run().await.assert_matches("tests/access.txt");
}
