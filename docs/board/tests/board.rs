use board::Staff;
use dewar::testing::Site;

#[tokio::test]
async fn an_editor_publishes_and_nobody_else_does() {
    let site = Site::start(board::app).await;
    let visitor = site.visitor();
    let editor = site.sign_in_as(Staff::Editor).await;

    assert_eq!(visitor.get("/notices/new").await.status(), 303); // to the sign-in page
    let front = visitor.get("/").await;
    assert!(front.attribute("a[href='/sign-in']", "href").is_some());

    let form = editor.get("/notices/new").await.form("/notices");
    let form = form
        .fill("title", "Tea & cake")
        .fill("body", "At four.")
        .file("paper", "invitation.txt", "Come to tea at four.");
    assert_eq!(editor.submit(form).await.status(), 303);
    assert!(visitor.get("/").await.text().contains("Tea &amp; cake"));
    assert_eq!(
        visitor.get("/notices/1/paper").await.text(),
        "Come to tea at four."
    );

    let forged = editor
        .as_cross_site("https://evil.example")
        .raw("POST", "/notices")
        .form("title=Hello");
    assert_eq!(forged.send().await.unwrap().status(), 403);
}
