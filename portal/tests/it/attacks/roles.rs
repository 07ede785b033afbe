//! `roles`: who may enter, and what is whose.

use dewar::App;
use dewar::roles::Access;
use dewar::sessions::UserId;

use crate::company::{Portal, document, post};

/// Every route of the table, as somebody of every kind: what the table does not allow is never a success.
///
/// ASVS: V8.2.1, V8.3.1, V8.1.1
#[tokio::test(flavor = "multi_thread")]
async fn the_route_table_holds_for_every_kind_of_person() {
    let portal = Portal::open().await;
    let data = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(&data).unwrap()).route_table();
    let people = [
        ("visitor", portal.visitor()),
        ("member", portal.member("ada").await),
        ("reviewer", portal.person("rob", &["reviewer"]).await),
        ("administrator", portal.administrator().await),
    ];
    let mut tried = 0;
    for entry in table.entries() {
        let path = entry
            .path
            .replace("{id}", "999")
            .replace("{user}", "999")
            .replace("{token}", "x");
        for (kind, browser) in &people {
            let allowed = match entry.access {
                Access::Public => true,
                Access::SignedIn => *kind != "visitor",
                Access::Role(role) => *kind == role,
                _ => false,
            };
            if allowed {
                continue;
            }
            let request = browser
                .raw(&entry.method, &path)
                .header("sec-fetch-site", "same-origin");
            let status = request.send().await.unwrap().status().as_u16();
            let refused = if *kind == "visitor" { 401 } else { 403 };
            assert_eq!(status, refused, "{kind}: {} {path}", entry.method);
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

/// ASVS: V8.2.2, V8.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_document_is_not_there_for_reading_or_writing() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "Private").await;
    for page in ["", "/file", "/delete"] {
        assert_eq!(
            ada.get(&format!("{path}{page}")).await.status(),
            200,
            "{page}"
        );
        assert_eq!(
            eve.get(&format!("{path}{page}")).await.status(),
            404,
            "{page}"
        );
    }
    assert_eq!(
        post(&eve, &format!("{path}/comments"), "comment=hello")
            .await
            .status(),
        404
    );
    assert_eq!(
        post(&eve, &format!("{path}/shares"), "email=eve%40example.org")
            .await
            .status(),
        404
    );
    assert_eq!(
        post(&eve, &format!("{path}/delete"), "").await.status(),
        404
    );
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 1);
    assert!(!eve.get("/documents?q=Private").await.text().contains(&path));
    assert_eq!(
        post(&ada, &format!("{path}/delete"), "").await.status(),
        303
    );
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
}

/// ASVS: V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_was_taken_away_is_gone_at_the_next_request() {
    let portal = Portal::open().await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let grace = portal.administrator().await;
    assert_eq!(rob.get("/reviews").await.status(), 200);
    assert_eq!(post(&grace, "/admin/users/1/roles", "").await.status(), 303);
    assert_eq!(rob.get("/reviews").await.status(), 403);
}

/// ASVS: V7.4.2
#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_was_disabled_is_out_at_the_next_request() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    assert_eq!(ada.get("/documents").await.status(), 200);
    assert_eq!(
        post(&grace, "/admin/users/1/disable", "").await.status(),
        303
    );
    assert_eq!(ada.get("/documents").await.status(), 303);
    assert_eq!(
        portal
            .count("SELECT count(*) FROM dewar_sessions WHERE user_id = 1")
            .await,
        0
    );
}

/// ASVS: V8.2.3
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reviews_a_document_of_their_own() {
    let portal = Portal::open().await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let path = document(&rob, "Mine").await;
    let review = path.replace("/documents/", "/reviews/");
    assert_eq!(
        post(&rob, &review, "decision=approve&reason=")
            .await
            .status(),
        404
    );
    let other = portal.person("eva", &["reviewer"]).await;
    assert_eq!(
        post(&other, &review, "decision=approve&reason=")
            .await
            .status(),
        303
    );
    assert_eq!(
        portal
            .count("SELECT count(*) FROM documents WHERE status = 'approved'")
            .await,
        1
    );
}

/// ASVS: V15.4.2, V2.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_made_once() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan")
        .await
        .replace("/documents/", "/reviews/");
    let (rob, eva) = (
        portal.person("rob", &["reviewer"]).await,
        portal.person("eva", &["reviewer"]).await,
    );
    let (one, two) = tokio::join!(
        post(&rob, &path, "decision=approve&reason="),
        post(&eva, &path, "decision=reject&reason=no")
    );
    let recorded = [one, two]
        .iter()
        .filter(|answer| answer.status() == 303)
        .count();
    assert!(recorded >= 1);
    let decided =
        "SELECT count(*) FROM documents WHERE status <> 'pending' AND reviewer_id IS NOT NULL";
    assert_eq!(portal.count(decided).await, 1);
    let refused = post(&rob, &path, "decision=reject&reason=changed").await;
    assert!(
        refused.status() == 404 || refused.status() == 303,
        "{}",
        refused.status()
    );
    let changed = "SELECT count(*) FROM documents WHERE review_reason = 'changed'";
    assert_eq!(portal.count(changed).await, 0);
}

/// ASVS: V8.3.1
#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    post(&grace, "/admin/users/1/roles", "roles=reviewer").await;
    post(&grace, "/admin/users/1/disable", "").await;
    assert_eq!(grace.get("/admin/users").await.status(), 200);
    let accounts = portal.running.dewar().accounts();
    assert!(accounts.disable(None, UserId::new(1)).await.is_err());
}

/// ASVS: V15.3.3
#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_up_with_a_role() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let page = visitor.get("/sign-up").await;
    let form = page
        .form("/sign-up")
        .fill("name", "Eve")
        .fill("email", "eve@example.org");
    let form = form.fill("password", crate::company::PASSWORD);
    assert_eq!(
        visitor
            .submit(form.tamper("roles", "administrator"))
            .await
            .status(),
        400
    );
    assert_eq!(portal.count("SELECT count(*) FROM dewar_users").await, 0);
}
