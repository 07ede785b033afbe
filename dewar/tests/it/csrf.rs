//! `csrf`: a request that another site made changes nothing.

mod connection;
mod table;

use super::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn a_button_works_with_its_token_and_not_without() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    let page = ada.get("/notes").await;
    let token = page.form("/sign-out").value("csrf_token").unwrap();
    let press = |body: String, site: &str| {
        ada.raw("POST", "/bin")
            .header("sec-fetch-site", site)
            .form(&body)
    };
    let good = format!("csrf_token={token}");
    for (body, from, status) in [
        ("a=b", "same-origin", 403),
        (good.as_str(), "cross-site", 403),
        (good.as_str(), "same-site", 403),
        (good.as_str(), "same-origin", 303),
    ] {
        let answer = press(body.to_owned(), from).send().await.unwrap();
        assert_eq!(answer.status(), status, "{body} from {from}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_session_is_refused() {
    let site = Site::open().await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let token = eve
        .get("/notes")
        .await
        .form("/sign-out")
        .value("csrf_token")
        .unwrap();
    let request = ada
        .raw("POST", "/bin")
        .header("sec-fetch-site", "same-origin");
    let answer = request
        .form(&format!("csrf_token={token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 403);
}
