use dewar::testing::{Browser, Site};
use helpdesk::Staff;

async fn opened_with_file(customer: &Browser, name: &str, content: &'static str) -> String {
    let form = customer.get("/tickets/new").await.form("/tickets");
    let form = form
        .fill("title", "The lamp hums")
        .fill("description", "See the file.")
        .file("file", name, content);
    let answer = customer.submit(form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_comes_back_to_whoever_may_read_the_ticket() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let agent = site.sign_in_as(Staff::Agent).await;
    let other = site.sign_in_as(Staff::Customer).await;
    let ticket = opened_with_file(&customer, "hum.txt", "50 Hz").await;
    let file = agent.get(&ticket).await.attribute("li a", "href").unwrap();
    assert_eq!(agent.get(&file).await.text(), "50 Hz");
    assert_eq!(customer.get(&file).await.text(), "50 Hz");
    assert_eq!(other.get(&file).await.status(), 404);
}

#[tokio::test]
async fn a_reply_can_have_a_file() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let ticket = crate::opened(&customer, "The lamp hums").await;
    let form = customer
        .get(&ticket)
        .await
        .form(&format!("{ticket}/replies"));
    let form = form.fill("body", "Here.").file("file", "hum.txt", "50 Hz");
    let page = customer.submit(form).await.follow().await;
    assert_eq!(page.texts("li a"), ["hum.txt"]);
}

#[tokio::test]
async fn a_program_is_no_attachment() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let form = customer.get("/tickets/new").await.form("/tickets");
    let form = form
        .fill("title", "The lamp hums")
        .fill("description", "See the file.")
        .file("file", "hum.exe", "MZ\u{0}\u{0}");
    assert_eq!(customer.submit(form).await.status(), 422);
    assert!(customer.get("/tickets").await.texts("tbody a").is_empty());
}
