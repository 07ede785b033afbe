//! Only the owner changes a document's text, and no change overwrites another one unseen.

use crate::company::{Portal, decide, document, post, version};

/// ASVS: V8.2.2, V8.2.3
#[tokio::test(flavor = "multi_thread")]
async fn nobody_changes_another_s_document() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "Mine").await;
    let edit = format!("{path}/edit");
    post(&ada, &format!("{path}/shares"), "email=eve@example.org").await;
    assert_eq!(eve.get(&path).await.status(), 200, "she may read it");
    assert_eq!(eve.get(&edit).await.status(), 404);
    // Not with a version of her own page either.
    let hers = document(&eve, "Hers").await;
    let version = version(&eve, &format!("{hers}/edit")).await;
    let before = portal.everything();
    let fields = format!("title=Taken&description=&tags={version}");
    assert_eq!(post(&eve, &edit, &fields).await.status(), 404);
    assert_eq!(portal.everything(), before);
    let own = post(&eve, &format!("{hers}/edit"), &fields).await;
    assert_eq!(own.status(), 303);
}

/// ASVS: V15.3.3, V8.2.3
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_changes_nothing_but_its_fields() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let edit = format!("{}/edit", document(&ada, "Plan").await);
    let form = ada
        .get(&edit)
        .await
        .form(&edit)
        .fill("title", "Better plan");
    let before = portal.everything();
    for (name, value) in [
        ("status", "approved"),
        ("owner_id", "2"),
        ("id", "9"),
        ("file_id", "x"),
        ("kind", "PDF"),
    ] {
        let answer = ada.submit(form.clone().tamper(name, value)).await;
        assert_eq!(answer.status(), 400, "{name}");
    }
    for version in ["2", "999", ""] {
        let answer = ada.submit(form.clone().tamper("version", version)).await;
        assert_eq!(answer.status(), 400, "{version}");
    }
    assert_eq!(portal.everything(), before);
    assert_eq!(ada.submit(form).await.status(), 303);
    let changed = "SELECT count(*) FROM documents WHERE title = 'Better plan' AND status = 'pending' AND owner_id = 1";
    assert_eq!(portal.count(changed).await, 1);
}

/// ASVS: V2.3.1, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_edit_the_second_does_not_overwrite_the_first() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let edit = format!("{}/edit", document(&ada, "Plan").await);
    let forms = [ada.get(&edit).await, ada.get(&edit).await].map(|page| page.form(&edit));
    let [first, second] = forms;
    let answer = ada
        .submit(first.fill("title", "First").fill("tags", "one, two"))
        .await;
    assert_eq!(answer.status(), 303);
    let answer = ada
        .submit(second.fill("title", "Second").fill("tags", "three"))
        .await;
    assert_eq!(answer.status(), 409);
    assert!(
        answer.text().contains("changed since you opened this page"),
        "{}",
        answer.text()
    );
    assert_eq!(
        answer.form(&edit).value("title").as_deref(),
        Some("Second"),
        "what was typed stays"
    );
    let kept = "SELECT count(*) FROM documents WHERE title = 'First' AND version = 2";
    assert_eq!(portal.count(kept).await, 1);
    assert_eq!(
        portal
            .count("SELECT count(*) FROM document_tags WHERE tag = 'three'")
            .await,
        0
    );
}

/// An owner lets a reviewer approve harmless words, and then writes others.
///
/// ASVS: V2.3.1
#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_after_it_was_approved_is_reviewed_again() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&ada, "Harmless").await;
    let (edit, review) = (
        format!("{path}/edit"),
        path.replace("/documents/", "/reviews/"),
    );
    assert_eq!(
        decide(&rob, &review, "decision=approve").await.status(),
        303
    );
    assert_eq!(eve.get(&path).await.status(), 200);
    let form = ada.get(&edit).await.form(&edit);
    assert_eq!(
        ada.submit(form.fill("title", "Harmful")).await.status(),
        303
    );
    assert_eq!(
        eve.get(&path).await.status(),
        404,
        "nobody has approved that"
    );
    assert!(rob.get("/reviews").await.text().contains("Harmful"));
    assert!(portal.log().await.contains("changed, was approved"));
}

/// The page of a decision is open while the owner writes something else.
///
/// ASVS: V2.3.1, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn nobody_approves_what_they_have_not_read() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&ada, "Harmless").await;
    let (edit, review) = (
        format!("{path}/edit"),
        path.replace("/documents/", "/reviews/"),
    );
    let open = version(&rob, &review).await;
    let form = ada.get(&edit).await.form(&edit);
    assert_eq!(
        ada.submit(form.fill("title", "Harmful")).await.status(),
        303
    );
    let late = post(&rob, &review, &format!("decision=approve{open}")).await;
    assert_eq!(late.status(), 409);
    assert!(
        late.text().contains("Harmful"),
        "it shows what is there now"
    );
    assert_eq!(
        portal
            .count("SELECT count(*) FROM documents WHERE status = 'approved'")
            .await,
        0
    );
    assert_eq!(
        decide(&rob, &review, "decision=approve").await.status(),
        303
    );
    assert_eq!(
        portal
            .count("SELECT count(*) FROM documents WHERE status = 'approved'")
            .await,
        1
    );
}
