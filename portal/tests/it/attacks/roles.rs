//! `roles`: who may enter a page, and who may access a record.

mod editing;
mod gone;
mod half_sent;
mod matrix;
mod members;
mod open_pages;
mod stale;

use dewar::App;
use dewar::roles::Access;
use dewar::sessions::UserId;

use crate::company::{Portal, decide, document, post, version};

/// Whether a heading admits this kind of user.
fn admits(access: Access, kind: &str) -> bool {
    match access {
        Access::Public => true,
        Access::SignedIn => kind != "visitor",
        Access::AnyRole(_) | Access::Role(_) => access.admits_role(|role| kind == role),
        // No session counts there; `api` has its attacks.
        Access::Api(_) | Access::Webhook(_) | _ => false,
    }
}

/// Requests every route of the table as every kind of user. Each request is complete, with the sender's own token, so that only
/// the heading can refuse it; a user that it admits gets the handler's response.
///
/// ASVS: V8.2.1, V8.3.1, V8.1.1
#[tokio::test(flavor = "multi_thread")]
async fn the_route_table_holds_for_every_kind_of_person() {
    let portal = Portal::open().await;
    let data = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(&data).unwrap()).route_table();
    let path = document(&portal.member("owner").await, "Behind the headings").await;
    let id = path.rsplit('/').next().unwrap();
    let people = [
        ("visitor", portal.visitor()),
        ("nobody", portal.person("ned", &[]).await),
        ("member", portal.member("ada").await),
        ("reviewer", portal.person("rob", &["reviewer"]).await),
        ("administrator", portal.administrator().await),
    ];
    // Last, because it ends what the others need.
    let mut entries: Vec<_> = table.entries().iter().collect();
    entries.sort_by_key(|entry| entry.path == "/sign-out");
    let (mut kept_out, mut let_in) = (0, 0);
    for (kind, browser) in &people {
        for entry in &entries {
            let path = entry.path.replace("{id}", id).replace("{token}", "x");
            let path = path.replace("{user}", "1");
            let status = if entry.method == "GET" {
                let request = browser.raw("GET", &path).header("accept", "text/html");
                request.events().await.unwrap().status().as_u16()
            } else {
                post(browser, &path, "").await.status().as_u16()
            };
            let what = format!("{kind}: {} {path}: {status}", entry.method);
            if admits(entry.access, kind) {
                assert!(!matches!(status, 401 | 403 | 405) && status < 500, "{what}");
                let_in += 1;
            } else {
                let takes_token = matches!(entry.access, Access::Api(_));
                let refused = match *kind {
                    _ if takes_token => [401, 401],
                    "visitor" => [401, 303],
                    _ => [403, 403],
                };
                assert!(refused.contains(&status), "{what}");
                kept_out += 1;
            }
        }
    }
    assert!(kept_out > 40 && let_in > 60, "{kept_out}, {let_in}");
    let all = portal
        .count("SELECT count(*) FROM documents WHERE status = 'pending'")
        .await;
    assert_eq!(all, 1, "nobody changed another's document");
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
    let rob = portal.person("rob", &["member", "reviewer"]).await;
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
        decide(&other, &review, "decision=approve&reason=")
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
    let fields = [
        format!("decision=approve&reason={}", version(&rob, &path).await),
        format!("decision=reject&reason=no{}", version(&eva, &path).await),
    ];
    let (one, two) = tokio::join!(post(&rob, &path, &fields[0]), post(&eva, &path, &fields[1]));
    let recorded = [one, two]
        .iter()
        .filter(|answer| answer.status() == 303)
        .count();
    assert_eq!(recorded, 1, "of two decisions one is recorded");
    let decided =
        "SELECT count(*) FROM documents WHERE status <> 'pending' AND reviewer_id IS NOT NULL";
    assert_eq!(portal.count(decided).await, 1);
    let refused = post(&rob, &path, "decision=reject&reason=changed").await;
    assert_eq!(refused.status(), 404);
    let changed = "SELECT count(*) FROM documents WHERE review_reason = 'changed'";
    assert_eq!(portal.count(changed).await, 0);
}

/// ASVS: V8.3.1
#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let is_administrator =
        "SELECT count(*) FROM dewar_user_roles WHERE user_id = 1 AND role = 'administrator'";
    let demote = async || {
        post(&grace, "/admin/users/1/roles", "roles=reviewer").await;
        portal.count(is_administrator).await
    };
    assert_eq!(demote().await, 1);
    post(&grace, "/admin/users/1/disable", "").await;
    assert_eq!(grace.get("/admin/users").await.status(), 200);
    let accounts = portal.running.dewar().accounts();
    assert!(accounts.disable(None, UserId::new(1)).await.is_err());
    // The same request is taken once there is another administrator.
    portal.person("zoe", &["administrator"]).await;
    assert_eq!(demote().await, 0);
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
    let with_role = form.clone().tamper("roles", "administrator");
    assert_eq!(visitor.submit(with_role).await.status(), 400);
    let accounts = "SELECT count(*) FROM dewar_users";
    assert_eq!(portal.count(accounts).await, 0);
    // The same form without the role is taken.
    let answer = visitor.submit(form).await;
    assert_eq!(portal.count(accounts).await, 1, "{}", answer.text());
}

/// ASVS: V8.2.2, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_share_gives_reading_and_nothing_more_and_ends_at_once() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let path = document(&ada, "For one reader").await;
    assert_eq!(eve.get(&path).await.status(), 404);
    let shares = format!("{path}/shares");
    assert_eq!(
        post(&ada, &shares, "email=eve@example.org").await.status(),
        303
    );
    let id = portal.count("SELECT user_id FROM shares").await;
    let end = format!("{shares}/{id}/end");
    for (page, expected) in [("", 200), ("/file", 200), ("/delete", 404)] {
        let answer = eve.get(&format!("{path}{page}")).await;
        assert_eq!(answer.status(), expected, "{page}");
    }
    for (path, fields) in [
        (format!("{path}/delete"), ""),
        (shares, "email=ada@example.org"),
        (end.clone(), ""),
    ] {
        assert_eq!(post(&eve, &path, fields).await.status(), 404, "{path}");
    }
    assert_eq!(post(&ada, &end, "").await.status(), 303);
    for page in ["", "/file"] {
        assert_eq!(
            eve.get(&format!("{path}{page}")).await.status(),
            404,
            "{page}"
        );
    }
}

/// ASVS: V8.3.1, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_who_demote_each_other_leave_one() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let other = portal.person("alan", &["administrator"]).await;
    let id = async |email| {
        let accounts = portal.running.dewar().accounts();
        accounts.find_by_email(email).await.unwrap().unwrap().id
    };
    let path = |id: UserId| format!("/admin/users/{id}/roles");
    let paths = [
        path(id("grace@example.org").await),
        path(id("alan@example.org").await),
    ];
    let (one, two) = tokio::join!(post(&grace, &paths[1], ""), post(&other, &paths[0], ""));
    let statuses = [one.status().as_u16(), two.status().as_u16()];
    assert!(statuses.contains(&303), "{statuses:?}");
    let left = "SELECT count(*) FROM dewar_user_roles WHERE role = 'administrator'";
    assert_eq!(portal.count(left).await, 1);
}

/// ASVS: V15.4.2, V2.3.4
#[tokio::test(flavor = "multi_thread")]
async fn of_two_decisions_at_the_same_moment_one_counts() {
    let portal = Portal::open().await;
    let path = document(&portal.member("ada").await, "Contested").await;
    let (one, two) = (
        portal.person("rob", &["reviewer"]).await,
        portal.person("ron", &["reviewer"]).await,
    );
    let path = path.replace("/documents/", "/reviews/");
    let fields = [
        format!("decision=approve{}", version(&one, &path).await),
        format!(
            "decision=reject&reason=Not+so+fast{}",
            version(&two, &path).await
        ),
    ];
    let (first, second) =
        tokio::join!(post(&one, &path, &fields[0]), post(&two, &path, &fields[1]));
    for answer in [first, second] {
        let status = answer.status().as_u16();
        assert!([303, 404, 409].contains(&status), "{status}");
    }
    let log = portal.log().await;
    assert_eq!(log.matches("\"sensitive_update\"").count(), 1, "{log}");
}

/// ASVS: V15.3.3, V8.2.3
#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_not_handed_in_as_approved_or_as_another_s() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.member("eve").await;
    let form = ada.get("/documents/new").await.form("/documents");
    let form = form.fill("title", "Forged").file("file", "a.txt", "Tea.\n");
    for (name, value) in [("status", "approved"), ("owner_id", "2"), ("id", "77")] {
        let status = ada.submit(form.clone().tamper(name, value)).await.status();
        assert_eq!(status, 400, "{name}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    assert_eq!(ada.submit(form).await.status(), 303);
    let mine = "SELECT count(*) FROM documents WHERE owner_id = 1 AND status = 'pending'";
    assert_eq!(portal.count(mine).await, 1);
}
