//! `uploads`: the bytes of a file decide its kind, and a download is inert.

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_back_as_it_was_and_inert() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let form = page
        .form("/notes")
        .fill("title", "Paper")
        .file("paper", "list.txt", "milk\n");
    let answer = ada.submit(form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let file = ada.get(answer.location().unwrap()).await;
    assert_eq!(file.bytes().as_ref(), b"milk\n");
    assert!(
        file.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    assert!(
        file.header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_calls_itself_a_text_is_refused() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let form = page.form("/notes").fill("title", "Paper").file(
        "paper",
        "list.txt",
        "<html><script>alert(1)</script>",
    );
    assert_eq!(ada.submit(form).await.status(), 415);
}
