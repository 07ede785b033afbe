//! One user adds to what others read, without end.

use std::collections::BTreeSet;
use std::time::Duration;

use dewar::testing::Browser;

use crate::company::{Portal, document, post, send};

/// Inserts so many comments without a form.
async fn comments(portal: &Portal, author: i64, number: i64) {
    let sql = "INSERT INTO comments (document_id, author_id, body, created_at)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
        SELECT 1, ?1, i || ' ' || ?3, 1 FROM n";
    let values = [author.into(), number.into(), "x".repeat(3_900).into()];
    portal.db().execute(sql, values).await.unwrap();
}

async fn waiting(portal: &Portal, owner: i64, number: i64) {
    let sql = "INSERT INTO documents (owner_id, title, file_id, kind, size, created_at, updated_at, description_html)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
        SELECT ?1, 'Junk ' || i, ?1 || '-' || i, 'PDF', 1, i, i, '' FROM n";
    let values = [owner.into(), number.into()];
    portal.db().execute(sql, values).await.unwrap();
}

/// ASVS: V2.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_comments_is_slowed_down_and_loses_no_word() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let path = format!("{}/comments", document(&ada, "Plan").await);
    let mut taken = 0;
    let refused = loop {
        let answer = post(&ada, &path, "comment=Spam+and+eggs").await;
        if answer.status() != 303 {
            break answer;
        }
        taken += 1;
        assert!(taken <= 60);
    };
    assert_eq!(refused.status(), 429, "{}", refused.text());
    assert!(taken > 50, "{taken}");
    assert_eq!(refused.headers()["retry-after"], "1");
    let form = refused.form(&path);
    assert_eq!(form.value("comment").as_deref(), Some("Spam and eggs"));
    let count = "SELECT count(*) FROM comments";
    assert_eq!(portal.count(count).await, taken);
    // A button counts as one of them, and so does every other form; other users are not slowed down.
    assert_eq!(
        send(&ada, "/account/sessions/end-others", "")
            .await
            .status(),
        429
    );
    let theirs = document(&eve, "Of eve").await;
    let eves = post(&eve, &format!("{theirs}/comments"), "comment=Mine").await;
    assert_eq!(eves.status(), 303);
    // A cross-site request in her name uses nothing of the limit up, and after a while it has room again. A request from a page
    // of the portal counts before its body is read, whatever its token is.
    // from a page of ours counts before its body is read, whatever its token is.
    portal.clock.advance(Duration::from_secs(6));
    for _ in 0..5 {
        let forged = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "cross-site");
        assert_eq!(forged.form("comment=x").send().await.unwrap().status(), 403);
        let forged = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "same-origin");
        let forged = forged.form("comment=x&csrf_token=AAAA");
        assert_eq!(forged.send().await.unwrap().status(), 403);
    }
    assert_eq!(ada.submit(form).await.status(), 303);
    let log = portal.log().await;
    assert_eq!(
        log.matches("excess_rate_limit_exceeded").count(),
        1,
        "{log}"
    );
}

/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn visitors_of_one_address_are_slowed_down_together() {
    let portal = Portal::open_with(&[("DEWAR_FORMS_VISITOR_RATE_LIMIT", "5")]).await;
    let ada = portal.member("ada").await;
    let mut last = 0;
    for _ in 0..6 {
        let visitor = portal.visitor();
        let form = visitor.get("/forgot").await.form("/forgot");
        let answer = visitor.submit(form.fill("email", "ada@example.org")).await;
        last = answer.status().as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(post(&ada, "/account/name", "name=Ada").await.status(), 303);
}

/// ASVS: V2.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn an_author_has_a_quota_and_loses_no_word() {
    let portal = Portal::open().await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    let document = document(&ada, "Plan").await;
    post(&ada, &format!("{document}/shares"), "email=ben@example.org").await;
    let path = format!("{document}/comments");
    comments(&portal, portal.id_of("ada").await, 2_000).await;
    let full = post(&ada, &path, "comment=One+more").await;
    assert_eq!(full.status(), 422, "{}", full.text());
    assert!(
        full.text().contains("You have 2000 already"),
        "{}",
        full.text()
    );
    assert_eq!(
        full.form(&path).value("comment").as_deref(),
        Some("One more")
    );
    assert_eq!(post(&ben, &path, "comment=Mine").await.status(), 303);
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 2_001);
    let ended = portal.db().execute("DELETE FROM comments WHERE id = 7", []);
    ended.await.unwrap();
    assert_eq!(post(&ada, &path, "comment=One+more").await.status(), 303);

    waiting(&portal, portal.id_of("ada").await, 999).await;
    let form = ada.get("/documents/new").await.form("/documents");
    let form = form
        .fill("title", "Too many")
        .file("file", "a.txt", "Tea.\n");
    let full = ada.submit(form).await;
    assert_eq!(full.status(), 422, "{}", full.text());
    assert_eq!(
        full.form("/documents").value("title").as_deref(),
        Some("Too many")
    );
}

/// The page of a document with 3,000 comments was 59 MiB.
///
/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_comments_is_bounded_and_all_are_reached() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    comments(&portal, portal.id_of("ada").await, 120).await;
    let mut seen = BTreeSet::new();
    let mut next = Some(path.clone());
    let mut pages = 0;
    while let Some(address) = next {
        let page = ada.get(&address).await;
        assert_eq!(page.status(), 200, "{address}");
        assert!(page.text().len() < 512 * 1024, "{}", page.text().len());
        let bodies = page.texts(".comments p");
        assert!(bodies.len() <= 50);
        for body in bodies {
            let number: u32 = body.split(' ').next().unwrap().parse().unwrap();
            assert!(seen.insert(number), "{number} is shown twice");
        }
        next = page.attribute("a[href*='before=']", "href");
        pages += 1;
    }
    assert_eq!((seen.len(), pages), (120, 3));
    let beyond = ada.get(&format!("{path}?before=1")).await;
    assert!(beyond.text().contains("The newest comments"));
}

/// Sixty documents of one member hid those of others.
///
/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn one_who_hands_in_much_does_not_hold_up_the_others() {
    let portal = Portal::open().await;
    for name in ["eve", "ada", "ben"] {
        portal.member(name).await;
    }
    let rob = portal.person("rob", &["reviewer"]).await;
    waiting(&portal, portal.id_of("eve").await, 120).await;
    waiting(&portal, portal.id_of("ada").await, 2).await;
    waiting(&portal, portal.id_of("ben").await, 1).await;
    let owners = async |browser: &Browser, path: &str| {
        let page = browser.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        let next = page.attribute("a[rel=next]", "href");
        (page.texts("tbody td[data-label=Owner]"), next)
    };
    let (first, mut next) = owners(&rob, "/reviews").await;
    assert_eq!(first.len(), 50);
    assert_eq!(first[..5], ["eve", "ada", "ben", "eve", "ada"]);
    let mut all = first.len();
    while let Some(path) = next {
        let (more, further) = owners(&rob, &path).await;
        all += more.len();
        next = further;
    }
    assert_eq!(all, 123);
    // A document that needs another review comes after its owner's other ones, and not after all documents.
    let again = "UPDATE documents SET status = 'approved', reviewer_id = ?1, reviewed_at = 1 WHERE title = 'Junk 1'
        AND owner_id = ?2";
    let values = [
        portal.id_of("rob").await.into(),
        portal.id_of("ben").await.into(),
    ];
    portal.db().execute(again, values).await.unwrap();
    let back = "UPDATE documents SET status = 'pending', reviewer_id = NULL, reviewed_at = NULL WHERE status = 'approved'";
    portal.db().execute(back, []).await.unwrap();
    let (first, _) = owners(&rob, "/reviews").await;
    assert!(first[..5].contains(&"ben".to_owned()), "{first:?}");
}

/// An export reads every row. Its limit is that of the person, whichever browser and address they use, and other pages go on.
///
/// ASVS: V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_a_limit_for_each_person_over_all_browsers_and_addresses() {
    let portal = Portal::open_with(&[
        ("DEWAR_HTTPS_TRUSTED_PROXIES", "127.0.0.1"),
        ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for"),
    ])
    .await;
    let grace = portal.administrator().await;
    let again = portal.visitor();
    let signed_in = portal.sign_in_with_app(&again, "grace").await;
    assert_eq!(signed_in.status(), 303);
    let root = portal.person("root", &["administrator"]).await;
    let export = async |browser: &Browser, number: usize| {
        let request = browser.raw("GET", "/admin/users.csv");
        let request = request.header("x-forwarded-for", format!("192.0.2.{number}"));
        request.header("accept", "text/html").send().await.unwrap()
    };
    for number in 0..30 {
        let browser = [&grace, &again][number % 2];
        assert_eq!(export(browser, number).await.status(), 200, "{number}");
    }
    for (number, browser) in [&grace, &again].into_iter().enumerate() {
        let refused = export(browser, 100 + number).await;
        assert_eq!(refused.status(), 429);
        assert_eq!(refused.header("retry-after"), Some("120"));
        assert_eq!(refused.header("ratelimit"), Some("\"route\";r=0;t=3600"));
        assert!(refused.text().contains("<h1"), "{}", refused.text());
    }
    assert_eq!(export(&root, 1).await.status(), 200);
    assert_eq!(grace.get("/admin/users").await.status(), 200);
}
