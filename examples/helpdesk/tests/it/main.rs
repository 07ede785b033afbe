//! The help desk, tried from outside as its visitors do.

mod access;
mod api;
mod attachments;
mod closing;
mod export;
mod front;
mod languages;
mod mail_gateway;
mod people;
mod replies;
mod report;
mod tickets;
mod version;

use dewar::testing::Browser;

/// Opens a ticket through the form, and gives its address.
async fn opened(customer: &Browser, title: &str) -> String {
    let form = customer.get("/tickets/new").await.form("/tickets");
    let form = form.fill("title", title).fill("description", "It hums.");
    let answer = customer.submit(form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

/// Writes a reply below a ticket.
async fn reply(person: &Browser, ticket: &str, text: &str) {
    let form = person.get(ticket).await.form(&format!("{ticket}/replies"));
    let answer = person.submit(form.fill("body", text)).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
}

/// The state of a ticket, as its page shows it.
async fn status(person: &Browser, ticket: &str) -> String {
    person.get(ticket).await.texts("dd .status").concat()
}
