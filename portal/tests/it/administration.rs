//! The pages of administrators and members about themselves.

use std::time::Duration;

use crate::company::{Portal, document, encoded, post, send, shown};

#[tokio::test(flavor = "multi_thread")]
async fn every_notice_can_be_read_and_withdrawn() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    for number in 1..=23 {
        let fields = format!("title=Notice+{number}&body=Tea.");
        assert_eq!(post(&grace, "/notices", &fields).await.status(), 303);
        portal.clock.advance(Duration::from_secs(60));
    }
    let visitor = portal.visitor();
    let newest = visitor.get("/").await;
    assert_eq!(newest.texts("h3").len(), 10);
    assert_eq!(newest.texts("h3")[0], "Notice 23");
    let mut page = visitor
        .get(&newest.attribute("a[rel=next]", "href").unwrap())
        .await;
    assert_eq!(page.texts("h3")[0], "Notice 13");
    page = visitor
        .get(&page.attribute("a[rel=next]", "href").unwrap())
        .await;
    assert_eq!(page.texts("h3"), ["Notice 3", "Notice 2", "Notice 1"]);
    assert!(page.attribute("a[rel=next]", "href").is_none());
    let back = visitor
        .get(&page.attribute("a[rel=prev]", "href").unwrap())
        .await;
    assert_eq!(back.texts("h3")[0], "Notice 13");
    let back = visitor
        .get(&back.attribute("a[rel=prev]", "href").unwrap())
        .await;
    assert_eq!(back.texts("h3"), newest.texts("h3"));
    assert!(back.attribute("a[rel=prev]", "href").is_none());
    assert_eq!(visitor.get("/?page=0").await.status(), 400);

    let last = back.attribute("a[rel=next]", "href").unwrap();
    let last = grace.get(&last).await.attribute("a[rel=next]", "href");
    let last = last.unwrap();
    for number in [1, 2, 3] {
        let page = grace.get(&last).await;
        assert_eq!(page.texts("article").len(), 4 - number);
        let form = page.attribute("article:last-child form", "action").unwrap();
        assert_eq!(grace.submit(page.form(&form)).await.status(), 303);
    }
    // No document is left after the link's key, so the list begins again.
    assert_eq!(grace.get(&last).await.texts("h3"), newest.texts("h3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_page_names_people() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let grace = portal.administrator().await;
    post(
        &grace,
        "/admin/users/1/roles",
        "roles=member&roles=reviewer",
    )
    .await;
    portal.log().await;
    let page = grace.get("/admin/audit").await;
    let row = page.texts("tbody tr");
    let row = row.iter().find(|row| row.contains("authz_change")).unwrap();
    assert!(
        row.contains("grace (2)") && row.contains("ada (1)"),
        "{row}"
    );
    assert!(
        portal.log().await.contains("\"actor\":\"2\""),
        "the log itself has numbers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_in_any_spelling() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let ada = portal.member("ada").await;
    assert_eq!(
        post(&ada, "/account/name", "name=J%C3%B6rg+%C3%96zdemir")
            .await
            .status(),
        303
    );
    for spelling in ["j%C3%B6rg", "J%C3%96RG", "%C3%B6ZDEMIR", "Jo%CC%88rg"] {
        let page = grace.get(&format!("/admin/users?q={spelling}")).await;
        assert_eq!(page.texts("tbody th").len(), 1, "{spelling}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_changes_their_name_and_a_wrong_one_comes_back() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let form = ada.get("/account").await.form("/account/name");
    assert_eq!(form.value("name").as_deref(), Some("ada"));
    let wrong = ada.submit(form.clone().fill("name", "p\u{430}ypal")).await;
    assert_eq!(wrong.status(), 422);
    assert_eq!(
        wrong.form("/account/name").value("name").as_deref(),
        Some("p\u{430}ypal")
    );
    assert!(
        wrong
            .forms()
            .iter()
            .any(|form| form.action() == "/account/picture")
    );
    let changed = ada.submit(form.fill("name", "Ada Lovelace")).await;
    assert_eq!(
        changed.follow().await.texts(".flash p"),
        ["Your name was changed."]
    );
    assert!(
        ada.get(&path)
            .await
            .texts("dd")
            .contains(&"Ada Lovelace".to_owned())
    );
    let picture = ada.get("/account").await.form("/account/picture");
    let refused = ada
        .submit(picture.file("picture", "no.png", "no picture"))
        .await;
    assert!([415, 422].contains(&refused.status().as_u16()));
    assert_eq!(
        refused.form("/account/name").value("name").as_deref(),
        Some("Ada Lovelace")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_share_is_in_the_log() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let shares = format!("{}/shares", document(&ada, "Plan").await);
    post(&ada, &shares, "email=eve@example.org").await;
    let said = "user 2 may no longer read it by sharing";
    assert!(!portal.log().await.contains(said));
    // The button of one page, pressed twice.
    let end = format!("{shares}/2/end");
    let version = shown(&ada, &end).await.unwrap();
    for _ in 0..2 {
        let version = format!("version={}", encoded(&version));
        assert_eq!(send(&ada, &end, &version).await.status(), 303);
    }
    let log = portal.log().await;
    assert_eq!(
        log.matches(said).count(),
        1,
        "what was not shared did not end: {log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_the_installation_is_told_to_administrators() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    assert_eq!(ada.get("/admin").await.status(), 403);
    let grace = portal.administrator().await;
    let page = grace.get("/admin").await;
    assert_eq!(page.status(), 200);
    let found = portal.running.dewar().findings_now();
    // A new installation reports that it created its key.
    assert!(found.iter().any(|finding| finding.id == "secrets-created"));
    let titles: Vec<String> = found.into_iter().map(|finding| finding.title).collect();
    assert_eq!(page.texts("h2"), titles);
}
