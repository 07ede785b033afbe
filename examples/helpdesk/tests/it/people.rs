use dewar::testing::Site;
use helpdesk::Staff;

#[tokio::test]
async fn an_administrator_makes_a_customer_an_agent() {
    let site = Site::start(helpdesk::app).await;
    let customer = site.sign_in_as(Staff::Customer).await;
    let administrator = site.sign_in_as(Staff::Administrator).await;
    assert_eq!(customer.get("/queue").await.status(), 403);
    let form = administrator.get("/people").await.form("/people");
    let form = form
        .fill("email", "customer1@example.org")
        .choose("roles", "agent");
    assert_eq!(administrator.submit(form).await.status(), 303);
    assert_eq!(customer.get("/queue").await.status(), 200);
    assert_eq!(customer.get("/people").await.status(), 403);
}

#[tokio::test]
async fn an_unknown_address_is_a_problem_of_its_field() {
    let site = Site::start(helpdesk::app).await;
    let administrator = site.sign_in_as(Staff::Administrator).await;
    let form = administrator.get("/people").await.form("/people");
    let answer = administrator
        .submit(form.fill("email", "nobody@example.org"))
        .await;
    assert_eq!(answer.status(), 422);
    assert!(answer.text().contains("Nobody has an account"));
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    let site = Site::start(helpdesk::app).await;
    let administrator = site.sign_in_as(Staff::Administrator).await;
    let form = administrator.get("/people").await.form("/people");
    let form = form
        .fill("email", "administrator1@example.org")
        .choose("roles", "agent");
    let answer = administrator.submit(form).await;
    assert!(answer.status().is_client_error(), "{}", answer.status());
    assert_eq!(administrator.get("/people").await.status(), 200);
}

#[tokio::test]
async fn whoever_signs_up_is_a_customer() {
    let site = Site::start(helpdesk::app).await;
    let visitor = site.visitor();
    let form = visitor.get("/sign-up").await.form("/sign-up");
    let form = form
        .fill("name", "Ada")
        .fill("email", "ada@example.org")
        .fill("password", "nine lamps above the door");
    visitor.submit(form).await;
    let user = site
        .dewar()
        .accounts()
        .find_by_email("ada@example.org")
        .await;
    assert_eq!(user.unwrap().unwrap().roles, ["customer"]);
}
