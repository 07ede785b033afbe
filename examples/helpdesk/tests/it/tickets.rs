use dewar::testing::Site;
use helpdesk::Staff;

use crate::{opened, status};

#[tokio::test]
async fn a_customer_opens_a_ticket_and_finds_it_again() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let ticket = opened(&customer, "The lamp hums").await;
    assert_eq!(status(&customer, &ticket).await, "Open");
    let list = customer.get("/tickets").await;
    assert_eq!(list.texts("tbody a"), ["The lamp hums"]);
    let closed = customer.get("/tickets?status=closed").await;
    assert!(closed.texts("tbody a").is_empty());
}

#[tokio::test]
async fn a_description_keeps_its_formatting_and_runs_nothing() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let form = customer.get("/tickets/new").await.form("/tickets");
    let html = "<p>It <strong>hums</strong>.</p><p onclick=\"alert(1)\">Loudly.</p>";
    let form = form.fill("title", "A lamp").fill("description", html);
    let ticket = customer.submit(form).await.follow().await;
    assert_eq!(ticket.texts("article strong"), ["hums"]);
    assert!(!ticket.text().contains("onclick"));
}

#[tokio::test]
async fn a_title_that_is_too_long_comes_back_with_what_was_typed() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let form = customer.get("/tickets/new").await.form("/tickets");
    let form = form
        .fill("title", &"x".repeat(121))
        .fill("description", "It hums.");
    let answer = customer.submit(form).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(answer.texts("textarea").concat().trim(), "It hums.");
}

#[tokio::test]
async fn a_customer_reaches_no_ticket_of_another() {
    let site = Site::start(helpdesk::app).await;
    let owner = site.sign_in_as(Staff::Customer).await;
    let other = site.sign_in_as(Staff::Customer).await;
    let ticket = opened(&owner, "The lamp hums").await;
    assert_eq!(other.get(&ticket).await.status(), 404);
    assert!(other.get("/tickets").await.texts("tbody a").is_empty());
    assert_eq!(owner.get("/queue").await.status(), 403);
    assert_eq!(site.visitor().get(&ticket).await.status(), 303); // to the sign-in page
}

#[tokio::test]
async fn an_agent_takes_a_ticket_from_the_queue_and_closes_it() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let ticket = opened(&customer, "The lamp hums").await;
    assert_eq!(
        agent.get("/queue").await.texts("tbody a"),
        ["The lamp hums"]
    );

    let edit = format!("{ticket}/edit");
    let form = agent.get(&edit).await.form(&edit);
    let form = form.choose("assignee", "2").choose("status", "closed");
    assert_eq!(agent.submit(form).await.status(), 303);
    let page = customer.get(&ticket).await;
    assert_eq!(page.texts("dd")[2], "agent2");
    assert_eq!(status(&customer, &ticket).await, "Closed");
    assert!(agent.get("/queue").await.texts("tbody a").is_empty());
    assert_eq!(customer.get(&edit).await.status(), 403);
}

#[tokio::test]
async fn nobody_is_assigned_who_is_no_agent() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let edit = format!("{}/edit", opened(&customer, "The lamp hums").await);
    let form = agent.get(&edit).await.form(&edit);
    let answer = agent.submit(form.tamper("assignee", "1")).await;
    assert_eq!(answer.status(), 422);
}

#[tokio::test]
async fn a_change_of_an_old_version_is_refused() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let edit = format!("{}/edit", opened(&customer, "The lamp hums").await);
    let first = agent.get(&edit).await.form(&edit);
    let second = agent.get(&edit).await.form(&edit);
    agent.submit(first.choose("priority", "high")).await;
    let answer = agent.submit(second.choose("priority", "low")).await;
    assert_eq!(answer.status(), 409);
}

#[tokio::test]
async fn the_eleventh_ticket_of_an_hour_has_to_wait() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    for _ in 0..10 {
        opened(&customer, "The lamp hums").await;
    }
    let form = customer.get("/tickets/new").await.form("/tickets");
    let form = form.fill("title", "Again").fill("description", "It hums.");
    let answer = customer.submit(form).await;
    assert_eq!(answer.status(), 429);
    assert!(answer.text().contains("Again"));
}

#[tokio::test]
async fn a_page_of_another_site_opens_nothing() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let forged = customer
        .as_cross_site("https://evil.example")
        .raw("POST", "/tickets")
        .form("title=Forged");
    assert_eq!(forged.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_queue_shows_a_new_ticket_by_itself() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let page = agent.get("/queue").await;
    let live = page.attribute("[data-live]", "data-live").unwrap();
    let mut queue = agent.events(&live).await;
    assert!(
        queue
            .next()
            .await
            .unwrap()
            .data
            .contains("Nobody is waiting")
    );
    opened(&customer, "The lamp hums").await;
    assert!(queue.next().await.unwrap().data.contains("The lamp hums"));
    assert_eq!(customer.get(&live).await.status(), 403);
}
