//! `forms`: input becomes a type, or the form comes back with what was typed.

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_does_not_fit_comes_back_with_what_was_typed() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let long = "<b>much longer than twenty</b>";
    let answer = ada.submit(page.form("/notes").tamper("title", long)).await;
    assert_eq!(answer.status(), 422);
    assert_eq!(
        answer.attribute("[name=title]", "value").as_deref(),
        Some(long)
    );
    assert_eq!(
        answer.attribute("[name=title]", "aria-invalid").as_deref(),
        Some("true")
    );
    let kept = ada
        .submit(answer.form("/notes").tamper("title", "Milk"))
        .await;
    assert_eq!(kept.status(), 303, "{}", kept.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_not_part_of_the_form_is_refused() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let answer = ada
        .submit(
            page.form("/notes")
                .fill("title", "Milk")
                .tamper("owner_id", "1"),
        )
        .await;
    assert_eq!(answer.status(), 400);
}
