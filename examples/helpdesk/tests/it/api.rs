use dewar::serde_json::{Value, json};
use dewar::testing::{Browser, Site};
use helpdesk::Staff;

/// Makes a token on the page, as a person does.
async fn token(person: &Browser, scopes: &[&str]) -> String {
    let mut form = person.get("/account/tokens").await.form("/account/tokens");
    form = form.fill("name", "nightly export").fill("days", "30");
    for scope in scopes {
        form = form.choose("scopes", scope);
    }
    let page = person.submit(form).await;
    page.texts("code").concat()
}

async fn call(site: &Site, token: &str, body: Option<Value>) -> (u16, Value) {
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut request = site
        .visitor()
        .raw(method, "/api/tickets")
        .header("authorization", format!("Bearer {token}"));
    if let Some(body) = body {
        let request_with_type = request.header("content-type", "application/json");
        request = request_with_type.body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    let json = dewar::serde_json::from_slice(answer.bytes()).unwrap();
    (answer.status().as_u16(), json)
}

#[tokio::test]
async fn a_program_opens_a_ticket_and_reads_the_list() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let token = token(&customer, &["tickets_read", "tickets_write"]).await;
    let new = json!({ "title": "The lamp hums", "priority": "high", "description": "Loudly." });
    let (status, ticket) = call(&site, &token, Some(new)).await;
    assert_eq!((status, &ticket["status"]), (201, &json!("open")));
    let (status, list) = call(&site, &token, None).await;
    assert_eq!(status, 200);
    assert_eq!(list[0]["title"], "The lamp hums");
    assert_eq!(list[0]["priority"], "high");
}

#[tokio::test]
async fn a_ticket_that_does_not_fit_names_its_fields() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let token = token(&customer, &["tickets_write"]).await;
    let new = json!({ "title": "", "priority": "urgent", "description": "Loudly." });
    let (status, problem) = call(&site, &token, Some(new)).await;
    assert_eq!(status, 422);
    assert_eq!(problem["errors"][0]["pointer"], "#/title");
    assert_eq!(problem["errors"][1]["pointer"], "#/priority");
}

#[tokio::test]
async fn a_token_does_no_more_than_its_scopes_and_reads_only_its_owners_tickets() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let other = site.sign_in_as(Staff::Customer).await;
    crate::opened(&other, "The lamp hums").await;
    let token = token(&customer, &["tickets_read"]).await;
    assert_eq!(call(&site, &token, None).await, (200, json!([])));
    assert_eq!(call(&site, &token, Some(json!({}))).await.0, 403);
    assert_eq!(call(&site, "helpdesk_forged", None).await.0, 401);
}

#[tokio::test]
async fn a_revoked_token_ends() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let token = token(&customer, &["tickets_read"]).await;
    let page = customer.get("/account/tokens").await;
    let answer = customer.submit(page.form("form[action$='/revoke']")).await;
    assert_eq!(answer.status(), 303);
    assert_eq!(call(&site, &token, None).await.0, 401);
}
