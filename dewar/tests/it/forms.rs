//! `forms`: input becomes a type, or the form comes back with the typed values.

mod records;
mod too_large;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_form_with_rows_a_pick_and_a_hidden_value_goes_out_and_comes_back() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/orders").await;
    assert!(!page.text().contains("777"), "{}", page.text());
    let form = page
        .form("/orders")
        .choose("shop", "south")
        .fill("items.0.title", "Milk")
        .fill("items.0.count", "12");
    let again = ada.submit(form).await;
    assert_eq!(again.status(), 422, "{}", again.text());
    assert_eq!(
        again
            .attribute("[name=\"items.0.count\"]", "autofocus")
            .as_deref(),
        Some("")
    );
    let form = again
        .form("/orders")
        .fill("items.0.count", "2")
        .fill("items.1.title", "Tea")
        .fill("items.1.count", "1");
    let answer = ada.submit(form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let shown = ada.get("/notes").await.text();
    assert!(
        shown.contains("2 Milk, 1 Tea of version 777 from South"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_value_of_another_person_is_refused() {
    let site = Site::open().await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let of = async |browser: &dewar::testing::Browser| browser.get("/orders").await.form("/orders");
    let sealed = of(&ada).await.value("version").unwrap();
    let filled = async |browser: &dewar::testing::Browser| {
        let form = of(browser).await.choose("shop", "north");
        form.fill("items.0.title", "Milk")
            .fill("items.0.count", "1")
    };
    let stolen = filled(&eve).await.tamper("version", &sealed);
    assert_eq!(eve.submit(stolen).await.status(), 400);
    let plain = filled(&eve).await.tamper("version", "777");
    assert_eq!(eve.submit(plain).await.status(), 400);
    let other_shop = filled(&eve).await.tamper("shop", "west");
    assert_eq!(eve.submit(other_shop).await.status(), 422);
    let own = filled(&eve).await;
    assert_eq!(eve.submit(own).await.status(), 303);
}
