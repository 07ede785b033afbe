use std::time::Duration;

use dewar::testing::Site;
use helpdesk::Staff;

use crate::{opened, reply, status};

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[tokio::test]
async fn a_ticket_without_an_answer_for_fourteen_days_is_closed_in_the_night() {
    let site = Site::start(helpdesk::app).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let waiting = opened(&customer, "The lamp hums").await;
    let open = opened(&customer, "Another lamp hums").await;
    reply(&agent, &waiting, "Have you tried another bulb?").await;

    site.clock().advance(13 * DAY);
    site.run_jobs().await;
    let agent = site.sign_in("agent1@example.org").await; // the session is over
    assert_eq!(status(&agent, &waiting).await, "Waiting for the customer");

    site.clock().advance(2 * DAY);
    site.run_jobs().await;
    let agent = site.sign_in("agent1@example.org").await;
    assert_eq!(status(&agent, &waiting).await, "Closed");
    assert_eq!(status(&agent, &open).await, "Open");
}

#[tokio::test]
async fn the_number_of_days_is_a_setting() {
    let days = [("DEWAR_HELPDESK_CLOSE_AFTER", "3d")];
    let site = Site::start_with(days, helpdesk::app).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let ticket = opened(&customer, "The lamp hums").await;
    reply(&agent, &ticket, "Have you tried another bulb?").await;
    site.clock().advance(4 * DAY);
    site.run_jobs().await;
    let agent = site.sign_in("agent1@example.org").await;
    assert_eq!(status(&agent, &ticket).await, "Closed");
}
