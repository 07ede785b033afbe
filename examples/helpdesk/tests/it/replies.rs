use dewar::testing::Site;
use helpdesk::Staff;

use crate::{opened, reply, status};

#[tokio::test]
async fn a_reply_of_an_agent_reaches_the_customer_by_letter() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let ticket = opened(&customer, "The lamp hums").await;
    reply(&agent, &ticket, "Have you tried another bulb?").await;

    assert_eq!(status(&customer, &ticket).await, "Waiting for the customer");
    let page = customer.get(&ticket).await;
    assert!(page.text().contains("Have you tried another bulb?"));
    let letters = site.letters().await;
    assert!(letters[0].is_to("customer1@example.org"));
    assert_eq!(letters[0].subject(), "Re: The lamp hums");
    assert!(letters[0].text().contains("> Have you tried another bulb?"));
    assert!(
        letters[0]
            .text()
            .contains(&format!("{}{ticket}", site.url()))
    );
}

#[tokio::test]
async fn a_reply_of_the_customer_opens_the_ticket_again_without_a_letter() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let ticket = opened(&customer, "The lamp hums").await;
    reply(&agent, &ticket, "Have you tried another bulb?").await;
    reply(&customer, &ticket, "Yes. It hums too.").await;
    assert_eq!(status(&agent, &ticket).await, "Open");
    assert_eq!(site.letters().await.len(), 1);
}

#[tokio::test]
async fn nobody_replies_to_a_ticket_of_another() {
    let site = Site::start(helpdesk::app).await;
    let owner = site.sign_in_as(Staff::Customer).await;
    let other = site.sign_in_as(Staff::Customer).await;
    opened(&owner, "The lamp hums").await;
    let own = opened(&other, "My lamp hums").await;
    let form = other
        .get(&own)
        .await
        .form(&format!("{own}/replies"))
        .fill("body", "Hello");
    let (kind, body) = form.encoded();
    let forged = other
        .raw("POST", "/tickets/1/replies")
        .header("origin", site.url())
        .header("content-type", kind)
        .body(body);
    assert_eq!(forged.send().await.unwrap().status(), 404);
}
