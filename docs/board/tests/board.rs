use dewar::App;
use dewar::accounts::NewUser;
use dewar::testing::Browser;

const PASSWORD: &str = "seven green kettles sing";

#[tokio::test]
async fn an_editor_publishes_and_nobody_else_does() {
    let data = tempfile::tempdir().unwrap();
    let running = board::app(App::in_directory(&data).unwrap())
        .start()
        .await
        .unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let accounts = running.dewar().accounts();
    let ada = NewUser {
        email: "ada@example.org",
        name: "Ada",
        password: PASSWORD,
    };
    accounts.add(ada, &["editor"]).await.unwrap();

    let visitor = Browser::new(running.url(), &authority);
    assert_eq!(visitor.get("/notices/new").await.status(), 303); // to the sign-in page
    let front = visitor.get("/").await;
    assert!(front.attribute("a[href='/sign-in']", "href").is_some());

    let editor = visitor.another();
    let form = editor.get("/sign-in").await.form("/sign-in");
    editor
        .submit(
            form.fill("email", "ada@example.org")
                .fill("password", PASSWORD),
        )
        .await;
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
    running.stop().await.unwrap();
}
