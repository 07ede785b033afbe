use dewar::serde_json::json;
use dewar::testing::Site;
use helpdesk::Staff;

const PATH: &str = "/hooks/mail";

fn mail(from: &str) -> String {
    let mail = json!({
        "from": from, "name": "Ada", "subject": "The lamp hums", "text": "Loudly.\n\nSince Monday.",
    });
    mail.to_string()
}

#[tokio::test]
async fn a_mail_opens_a_ticket_of_its_sender() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let mail = site.delivery("mail", PATH, &mail("customer1@example.org"));
    assert_eq!(mail.send().await.unwrap().status(), 204);
    let ticket = customer.get("/tickets/1").await;
    assert_eq!(ticket.texts("h1"), ["The lamp hums"]);
    assert_eq!(ticket.texts("article p"), ["Loudly.", "Since Monday."]);
}

#[tokio::test]
async fn an_unknown_sender_gets_an_account() {
    let site = Site::start(helpdesk::app).await;
    let mail = site.delivery("mail", PATH, &mail("ada@example.org"));
    assert_eq!(mail.send().await.unwrap().status(), 204);
    let user = site
        .dewar()
        .accounts()
        .find_by_email("ada@example.org")
        .await;
    assert_eq!(user.unwrap().unwrap().roles, ["customer"]);
}

#[tokio::test]
async fn a_mail_that_the_gateway_did_not_sign_opens_nothing() {
    let site = Site::start(helpdesk::app).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let forged = site
        .visitor()
        .raw("POST", PATH)
        .body(mail("ada@example.org"));
    assert_eq!(forged.send().await.unwrap().status(), 401);
    let wrong = site.delivery("mail", PATH, &mail("no address"));
    assert_eq!(wrong.send().await.unwrap().status(), 422);
    assert!(agent.get("/queue").await.texts("tbody a").is_empty());
}

#[tokio::test]
async fn a_delivery_is_taken_once() {
    let site = Site::start(helpdesk::app).await;
    let body = mail("ada@example.org");
    let first = site.delivery("mail", PATH, &body).send().await.unwrap();
    let again = site.delivery("mail", PATH, &body).send().await.unwrap(); // the clock stands still
    assert_eq!(first.status(), 204);
    assert_eq!(again.status(), 409);
}
