//! A page is open, and the record that it shows is changed, deleted, or replaced by another one.

use dewar::testing::Browser;
use rusqlite::Connection;

use crate::company::{Portal, document, encoded, post, send, shown, version};

/// The sealed value of the form with this path on an open page.
async fn open(browser: &Browser, path: &str) -> String {
    format!("version={}", encoded(&shown(browser, path).await.unwrap()))
}

fn rows(portal: &Portal) -> Connection {
    let connection = Connection::open(portal.data.path().join("database.sqlite")).unwrap();
    // The words of a document, in the index, keep its id in place.
    let words = "DELETE FROM documents_search";
    connection.execute(words, []).unwrap();
    connection
}

async fn delete(owner: &Browser, path: &str) {
    let answer = post(owner, &format!("{path}/delete"), "").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
}

/// The owner hands a harmless document in; a reviewer opens its page; the owner deletes it and hands another one in.
///
/// ASVS: V2.3.1, V8.2.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_took_another_s_place_is_not_approved_unseen() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let harmless = document(&ada, "Harmless").await;
    let review = harmless.replace("/documents/", "/reviews/");
    let old = version(&rob, &review).await;
    delete(&ada, &harmless).await;
    let harmful = document(&ada, "Harmful").await;
    assert_ne!(harmless, harmful, "an id comes back");
    let approve = format!("decision=approve{old}");
    assert_eq!(send(&rob, &review, &approve).await.status(), 404);
    let another = harmful.replace("/documents/", "/reviews/");
    let answer = send(&rob, &another, &approve).await;
    assert_eq!(answer.status(), 409, "{}", answer.text());

    // Even in a database that uses the id again, like one from before this rule.
    let id: i64 = harmless.rsplit('/').next().unwrap().parse().unwrap();
    let moved = "UPDATE documents SET id = ?1";
    assert_eq!(rows(&portal).execute(moved, [id]).unwrap(), 1);
    let answer = send(&rob, &review, &approve).await;
    assert_eq!(answer.status(), 409, "{}", answer.text());
    let approved = "SELECT count(*) FROM documents WHERE status = 'approved'";
    assert_eq!(portal.count(approved).await, 0);

    let seen = format!("decision=approve{}", version(&rob, &review).await);
    assert_eq!(send(&rob, &review, &seen).await.status(), 303);
    assert_eq!(portal.count(approved).await, 1);
}

/// ASVS: V2.3.1, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn an_old_page_neither_deletes_nor_changes_what_took_the_place() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let first = document(&ada, "First").await;
    let (deletes, edits) = (format!("{first}/delete"), format!("{first}/edit"));
    let old_delete = open(&ada, &deletes).await;
    let old_edit = format!(
        "title=Overwritten&description=&tags={}",
        version(&ada, &edits).await
    );
    delete(&ada, &first).await;
    let second = document(&ada, "Second").await;
    assert_eq!(send(&ada, &deletes, &old_delete).await.status(), 404);
    assert_eq!(send(&ada, &edits, &old_edit).await.status(), 404);
    let id: i64 = first.rsplit('/').next().unwrap().parse().unwrap();
    for path in [&second, &first] {
        let before = portal.everything();
        let deleted = send(&ada, &format!("{path}/delete"), &old_delete).await;
        assert_eq!(deleted.status(), 409, "{}", deleted.text());
        let edited = send(&ada, &format!("{path}/edit"), &old_edit).await;
        assert_eq!(edited.status(), 409, "{}", edited.text());
        assert_eq!(portal.everything(), before, "{path}");
        let moved = "UPDATE documents SET id = ?1";
        rows(&portal).execute(moved, [id]).unwrap();
    }
    // If a document was changed since, its confirmation page deletes nothing either.
    let stands = open(&ada, &deletes).await;
    let edit = format!(
        "title=Better&description=&tags={}",
        version(&ada, &edits).await
    );
    assert_eq!(send(&ada, &edits, &edit).await.status(), 303);
    assert_eq!(send(&ada, &deletes, &stands).await.status(), 409);
    delete(&ada, &first).await;
}

/// Two of every record with a button: who presses it, the paths of both, and the other fields.
async fn pairs(portal: &Portal, ada: &Browser) -> Vec<(bool, String, String, &'static str)> {
    let (one, two) = (document(ada, "One").await, document(ada, "Two").await);
    let shares = format!("{one}/shares");
    for email in ["ben@example.org", "eve@example.org"] {
        post(ada, &shares, &format!("email={email}")).await;
    }
    let (ben, eve) = (portal.id_of("ben").await, portal.id_of("eve").await);
    let users = |act: &str| [ben, eve].map(|id| format!("/admin/users/{id}/{act}"));
    let notices = [1, 2].map(|id| format!("/notices/{id}/withdraw"));
    let documents = [one, two].map(|path| format!("{path}/delete"));
    let shares = [ben, eve].map(|id| format!("{shares}/{id}/end"));
    [
        (true, shares, ""),
        (true, documents, ""),
        (false, notices, ""),
        (false, users("roles"), "roles=reviewer&"),
        (false, users("sign-out"), ""),
        (false, users("disable"), ""),
    ]
    .map(|(hers, [one, other], fields)| (hers, one, other, fields))
    .into()
}

/// ASVS: V8.2.2, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_version_of_one_record_is_none_of_another() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    for name in ["ben", "eve"] {
        portal.member(name).await;
    }
    for title in ["Old", "New"] {
        post(&grace, "/notices", &format!("title={title}&body=Tea.")).await;
    }
    for (hers, of_one, of_other, fields) in &pairs(&portal, &ada).await {
        let browser = if *hers { &ada } else { &grace };
        let other = format!("{fields}{}", open(browser, of_other).await);
        let before = portal.everything();
        let answer = send(browser, of_one, &other).await;
        assert_eq!(answer.status(), 409, "{of_one}: {}", answer.text());
        // A missing or unsealed value is an attack.
        for forged in ["version=", "version=1", fields.trim_end_matches('&')] {
            let answer = send(browser, of_one, forged).await;
            assert_eq!(answer.status(), 400, "{of_one} {forged}");
        }
        assert_eq!(portal.everything(), before, "{of_one}");
        let own = format!("{fields}{}", open(browser, of_one).await);
        assert_eq!(send(browser, of_one, &own).await.status(), 303, "{of_one}");
    }
    let enable = async |name| format!("/admin/users/{}/enable", portal.id_of(name).await);
    let (ben, eve) = (enable("ben").await, enable("eve").await);
    post(&grace, &eve.replace("enable", "disable"), "").await;
    let other = open(&grace, &eve).await;
    assert_eq!(send(&grace, &ben, &other).await.status(), 409);
    assert_eq!(post(&grace, &ben, "").await.status(), 303);
}

/// Deleted and created again between the page and the post, on every route with a button beside a record.
///
/// ASVS: V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn an_old_button_does_nothing_to_what_was_made_since() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    portal.member("ben").await;
    let path = document(&ada, "Plan").await;
    let shares = format!("{path}/shares");
    post(&ada, &shares, "email=ben@example.org").await;
    let end = format!("{shares}/{}/end", portal.id_of("ben").await);
    let old = open(&ada, &end).await;
    assert_eq!(send(&ada, &end, &old).await.status(), 303);
    portal.clock.advance(std::time::Duration::from_secs(1));
    post(&ada, &shares, "email=ben@example.org").await;
    assert_eq!(send(&ada, &end, &old).await.status(), 409);
    assert_eq!(portal.count("SELECT count(*) FROM shares").await, 1);
    assert_eq!(post(&ada, &end, "").await.status(), 303);

    post(&grace, "/notices", "title=Old&body=Tea.").await;
    let old = open(&grace, "/notices/1/withdraw").await;
    assert_eq!(post(&grace, "/notices/1/withdraw", "").await.status(), 303);
    post(&grace, "/notices", "title=New&body=Milk.").await;
    assert_eq!(
        send(&grace, "/notices/1/withdraw", &old).await.status(),
        404
    );
    assert_eq!(
        send(&grace, "/notices/2/withdraw", &old).await.status(),
        409
    );
    rows(&portal)
        .execute("UPDATE notices SET id = 1", [])
        .unwrap();
    assert_eq!(
        send(&grace, "/notices/1/withdraw", &old).await.status(),
        409
    );
    assert_eq!(post(&grace, "/notices/1/withdraw", "").await.status(), 303);

    // A page that does not show the roles that a colleague has given meanwhile does not take them away.
    let ben = portal.id_of("ben").await;
    let roles = format!("/admin/users/{ben}/roles");
    let old = open(&grace, &roles).await;
    post(&grace, &roles, "roles=member&roles=reviewer").await;
    let answer = send(&grace, &roles, &format!("roles=member&{old}")).await;
    assert_eq!(answer.status(), 409, "{}", answer.text());
    let held = "SELECT count(*) FROM dewar_user_roles WHERE role = 'reviewer'";
    assert_eq!(portal.count(held).await, 1);
}

/// Two windows send changes at the same moment: one of them gets a conflict, and the page shows the words that were not accepted.
///
/// ASVS: V2.3.1, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn of_two_windows_that_change_a_name_at_once_one_is_told() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for round in 0..5 {
        let page = ada.get("/account").await;
        let names = ["One", "Two"].map(|name| format!("{name} {round}"));
        let [one, two] = [&names[0], &names[1]];
        let form = |name: &str| page.form("/account/name").fill("name", name);
        let (first, second) = tokio::join!(ada.submit(form(one)), ada.submit(form(two)));
        let mut statuses = [first.status().as_u16(), second.status().as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 409], "{} {}", first.text(), second.text());
        let (kept, refused, lost) = match first.status().as_u16() {
            303 => (one, second, two),
            _ => (two, first, one),
        };
        assert!(refused.text().contains(lost.as_str()), "{}", refused.text());
        let name = ada
            .get("/account")
            .await
            .form("/account/name")
            .value("name");
        assert_eq!(name.as_deref(), Some(kept.as_str()));
    }
}
