//! The list of documents: what a search finds, the order, and the pages.

use std::collections::BTreeSet;
use std::time::Duration;

use dewar::testing::Browser;
use rusqlite::Connection;

use crate::bucket::ON_DISK;
use crate::company::{
    ON_SQLITE, PASSWORD, PASSWORD_ALONE, Portal, WITHOUT_AUDIENCES, document, post, sign_in,
};

/// Hands in a text with all its fields.
async fn describe(browser: &Browser, title: &str, description: &str, tags: &str, size: usize) {
    let form = browser.get("/documents/new").await.form("/documents");
    let form = form
        .fill("title", title)
        .fill("description", description)
        .fill("tags", tags)
        .file("file", "note.txt", vec![b'a'; size]);
    let answer = browser.submit(form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
}

/// The titles on a page of the list, from top to bottom.
async fn titles(browser: &Browser, query: &[(&str, &str)]) -> Vec<String> {
    let list = "/documents?";
    let mut path = form_urlencoded::Serializer::for_suffix(list.to_owned(), list.len());
    let page = browser.get(&path.extend_pairs(query).finish()).await;
    assert_eq!(page.status(), 200, "{query:?}");
    page.texts("tbody th a[href^='/documents/']")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_words_and_no_markup() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let html = "<p>All <strong>Questions</strong> &amp; Answers: Q&amp;A about the <em>Ü</em>bergang, 5 &lt; 7</p>";
    describe(&ada, "Übersicht Straße", html, "Ägypten, travel-policy", 5).await;
    describe(
        &ada,
        "Other",
        "<p>Nothing.</p><ul><li>of</li><li>note</li></ul>",
        "",
        5,
    )
    .await;
    for words in [
        "Q&A",
        "q&a",
        "questions & ANSWERS",
        "übergang",
        "ÜBERGANG",
        "U\u{308}bersicht",
        "STRASSE",
        "strasse",
        "5 < 7",
        "ägypten",
        "policy",
    ] {
        assert_eq!(
            titles(&ada, &[("q", words)]).await,
            ["Übersicht Straße"],
            "{words}"
        );
    }
    for markup in ["strong", "<ul>", "&amp;", "amp;", "&lt;", "</em>", "noteof"] {
        assert!(titles(&ada, &[("q", markup)]).await.is_empty(), "{markup}");
    }
    assert_eq!(titles(&ada, &[("q", "of note")]).await, ["Other"]);
    assert_eq!(titles(&ada, &[("q", "nothing")]).await, ["Other"]);

    let form = ada.get("/documents/2/edit").await.form("/documents/2/edit");
    let form = form
        .fill("description", "<p>Everything.</p>")
        .fill("tags", "new");
    assert_eq!(ada.submit(form).await.status(), 303);
    for (words, found) in [("nothing", 0), ("everything", 1), ("new", 1)] {
        assert_eq!(titles(&ada, &[("q", words)]).await.len(), found, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_sorted_and_narrowed_as_asked() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (title, tags, size) in [
        ("zebra", "a", 30),
        ("Äpfel", "a, b", 10),
        ("apricot", "b", 20),
        ("Birne", "", 40),
    ] {
        describe(&ada, title, "", tags, size).await;
        portal.clock.advance(Duration::from_secs(60));
    }
    for (sort, expected) in [
        ("newest", ["Birne", "apricot", "Äpfel", "zebra"]),
        ("oldest", ["zebra", "Äpfel", "apricot", "Birne"]),
        ("largest", ["Birne", "zebra", "apricot", "Äpfel"]),
        ("title", ["apricot", "Äpfel", "Birne", "zebra"]),
    ] {
        assert_eq!(titles(&ada, &[("sort", sort)]).await, expected, "{sort}");
    }
    assert_eq!(
        titles(&ada, &[]).await,
        ["Birne", "apricot", "Äpfel", "zebra"]
    );
    assert_eq!(titles(&ada, &[("tag", "A")]).await, ["Äpfel", "zebra"]);
    assert_eq!(
        titles(&ada, &[("tag", "b"), ("q", "APRI")]).await,
        ["apricot"]
    );
    portal.person("rob", &["reviewer"]).await;
    let approve = "UPDATE documents SET status = 'approved', reviewer_id = 2, reviewed_at = 1 WHERE title = 'Birne'";
    portal.db().execute(approve, []).await.unwrap();
    assert_eq!(titles(&ada, &[("status", "approved")]).await, ["Birne"]);
    assert_eq!(
        titles(&ada, &[("status", "pending"), ("sort", "title")])
            .await
            .len(),
        3
    );
    assert!(titles(&ada, &[("status", "rejected")]).await.is_empty());
}

/// Adds documents of ada without a form.
async fn many(portal: &Portal, number: i64) {
    let many = "INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, created_at, updated_at, description_html, \
                version) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                SELECT 1, 'Note ' || i, CASE WHEN i % 3 = 0 THEN 'a note' ELSE 'note' END, 'file-' || i, 'TXT', i % 2, i % 4, i, '', \
                    1 FROM n";
    portal.db().execute(many, [number.into()]).await.unwrap();
    // The terms of the titles, as the index has them.
    let words = "INSERT INTO documents_search (id, title, body) SELECT id, 'note n' || substr(title, 6), '' FROM documents
        WHERE title LIKE 'Note %' ON CONFLICT (id) DO NOTHING";
    portal.db().execute(words, []).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_end() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    many(&portal, 45).await;
    let rows = "tbody th a[href^='/documents/']";
    // Many have the same age, size and title: each still appears once.
    for sort in ["best", "newest", "oldest", "largest", "title"] {
        let first = format!("/documents?sort={sort}&q=NOTE&status=pending");
        let mut pages = vec![ada.get(&first).await];
        while let Some(next) = pages.last().unwrap().attribute("a[rel=next]", "href") {
            pages.push(ada.get(&next).await);
        }
        let shown: Vec<Vec<String>> = pages.iter().map(|page| page.texts(rows)).collect();
        assert_eq!(
            shown.iter().map(Vec::len).collect::<Vec<_>>(),
            [20, 20, 5],
            "{sort}"
        );
        let all: BTreeSet<&String> = shown.iter().flatten().collect();
        assert_eq!(all.len(), 45, "{sort}: one is shown twice");
        assert_eq!(pages[1].texts("caption"), ["20 documents on this page"]);
        // The way back shows the same pages.
        let mut back = pages[2].attribute("a[rel=prev]", "href");
        for before in [&shown[1], &shown[0]] {
            let page = ada.get(&back.unwrap()).await;
            assert_eq!(&page.texts(rows), before, "{sort}");
            // A link keeps the filters.
            assert_eq!(page.attribute("#q", "value").as_deref(), Some("NOTE"));
            back = page.attribute("a[rel=prev]", "href");
        }
        assert_eq!(back, None, "{sort}");
    }
    let all = ada.get("/documents?q=Note+7").await;
    assert_eq!(all.texts("caption"), ["1 document"]);
    assert!(all.attribute("a[rel=next]", "href").is_none());
}

/// A document of the page is deleted while the page is open, or a new one is added.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_an_old_page_leads_to_what_is_there_now() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    many(&portal, 45).await;
    let rows = "tbody th a[href^='/documents/']";
    let first = ada.get("/documents").await;
    let second = first.attribute("a[rel=next]", "href").unwrap();
    let last = ada.get(&second).await.attribute("a[rel=next]", "href");
    let last = last.unwrap();
    let shown = ada.get(&second).await.texts(rows);
    // The last document of the first page is deleted, and a new one is added: the second page stays the same.
    let gone = first.texts(rows).pop().unwrap();
    let delete = portal
        .db()
        .execute("DELETE FROM documents WHERE title = ?", [gone.into()]);
    delete.await.unwrap();
    document(&ada, "New").await;
    assert_eq!(ada.get(&second).await.texts(rows), shown);
    let newest = ada.get("/documents").await.texts(rows);
    assert_eq!(newest[0], "New");
    // All documents after the first page are deleted: its link leads to the beginning, and not to an empty list.
    for title in shown.iter().chain(&ada.get(&last).await.texts(rows)) {
        let delete = "DELETE FROM documents WHERE title = ?";
        portal
            .db()
            .execute(delete, [title.as_str().into()])
            .await
            .unwrap();
    }
    for old in [&second, &last] {
        assert_eq!(ada.get(old).await.texts(rows), newest);
    }
}

/// ASVS: V1.2.4, V2.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_link_says_so_and_shows_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    many(&portal, 45).await;
    let next = async |browser: &Browser, path: &str| {
        let page = browser.get(path).await;
        let href = page.attribute("a[rel=next]", "href").unwrap();
        href.split_once("page=").unwrap().1.to_owned()
    };
    let cursor = next(&ada, "/documents?sort=title").await;
    assert_eq!(
        ada.get(&format!("/documents?sort=title&page={cursor}"))
            .await
            .status(),
        200
    );
    // No title is in an address.
    assert!(!cursor.contains("note"), "{cursor}");
    let mut changed = cursor.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    for (browser, path) in [
        (&ada, format!("/documents?sort=newest&page={cursor}")),
        (&ada, format!("/documents?sort=title&page={changed}")),
        (&ada, "/documents?page=2".to_owned()),
        (&ada, format!("/?page={cursor}")),
        (&grace, format!("/admin/users?page={cursor}")),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status(), 400, "{path}");
        assert!(
            answer
                .text()
                .contains("no longer leads to a page of the list"),
            "{path}: {}",
            answer.text()
        );
    }
}

/// A database from before the search of documents, and before members were a role.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_found_as_what_is_new() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.member("ada").await;
    let html = "<p>Die <strong>Größe</strong> &amp; mehr</p>";
    describe(&ada, "Maße", html, "zahl, breite", 5).await;
    document(&ada, "Bare").await;
    let written = "SELECT group_concat(title_key || '|' || s.title || '|' || s.body, '#')
        FROM documents d JOIN documents_search s ON s.id = d.id";
    let now: String = portal.db().query(written, []).await.unwrap()[0]
        .get(0)
        .unwrap();
    let data = portal.close().await;

    let file = data.path().join("database.sqlite");
    let db = Connection::open(&file).unwrap();
    db.execute_batch(WITHOUT_AUDIENCES).unwrap();
    db.execute_batch(
        "ALTER TABLE documents DROP COLUMN version;
         ALTER TABLE documents DROP COLUMN title_key;
         DROP TABLE documents_search_fts;
         DROP TABLE documents_search;
         CREATE INDEX documents_by_title ON documents (title COLLATE NOCASE, id);
         DELETE FROM dewar_user_roles;
         CREATE INDEX documents_by_age ON documents (created_at, id);
         CREATE INDEX documents_by_status ON documents (status, created_at);
         CREATE INDEX documents_by_size ON documents (size, id);
         CREATE INDEX notices_by_age ON notices (published_at);
         DELETE FROM dewar_migrations WHERE name IN
             ('portal_0005_search', 'portal_0006_members', 'portal_0010_audiences', 'documents_search_0001',
              'portal_0013_search_index');",
    )
    .unwrap();
    drop(db);

    let portal = Portal::open_in_with(data, &[ON_SQLITE]).await;
    let ada = portal.visitor();
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert!(titles(&ada, &[("q", "GRÖSSE")]).await.is_empty());
    assert_eq!(titles(&ada, &[("sort", "title")]).await, ["Bare", "Maße"]);
    // The schedule is new, and its first time is within ten minutes.
    portal.running.run_jobs().await.unwrap();
    portal.clock.advance(Duration::from_secs(600));
    assert!(portal.running.run_jobs().await.unwrap() >= 1);
    assert_eq!(titles(&ada, &[("q", "GRÖSSE")]).await, ["Maße"]);
    let filled = portal.db().query(written, []).await.unwrap();
    assert_eq!(filled[0].get::<String>(0).unwrap(), now);
}

/// A migration rebuilds a database from before the rule that ids are never used again, with all its data.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_keeps_its_ids_and_nobody_gets_them_again() {
    let portal = Portal::open_with(&[ON_SQLITE, ON_DISK, PASSWORD_ALONE]).await;
    let (ada, ben) = (portal.member("ada").await, portal.member("ben").await);
    let grace = portal.administrator().await;
    let path = document(&ada, "Plan").await;
    post(&ada, &format!("{path}/shares"), "email=ben@example.org").await;
    post(&ben, &format!("{path}/comments"), "comment=Good.").await;
    post(&ada, "/account/telephone", "telephone=%2B41446681800").await;
    post(&grace, "/notices", "title=Old&body=Tea.").await;
    let before = portal.everything();
    let data = portal.close().await;

    let file = data.path().join("database.sqlite");
    let db = Connection::open(&file).unwrap();
    db.execute_batch(WITHOUT_AUDIENCES).unwrap();
    // A later migration removes the column again.
    db.execute_batch("ALTER TABLE documents ADD COLUMN search TEXT NOT NULL DEFAULT ''; ALTER TABLE dewar_users DROP COLUMN language;
             ALTER TABLE dewar_users DROP COLUMN second_factor_at; DROP TABLE dewar_factors; DROP TABLE dewar_recovery_codes")
        .unwrap();
    db.execute_batch(
            "DELETE FROM dewar_migrations WHERE name IN
                 ('dewar_accounts_ids_0001', 'dewar_accounts_ids_0002_by_name', 'dewar_accounts_ids_0003_language',
                 'dewar_accounts_ids_0005_factors', 'dewar_https_0002_ids',
                 'portal_0008_ids', 'portal_0009_bounds', 'portal_0010_audiences', 'portal_0013_search_index')",
        )
        .unwrap();
    let portal = Portal::open_in_with(data, &[ON_SQLITE]).await;
    let rows = |text: &str| {
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        let changes = ["dewar_migrations", "dewar_sessions", "sqlite_sequence"];
        rows.retain(|row| !changes.iter().any(|table| row.starts_with(table)));
        rows
    };
    assert_eq!(rows(&portal.everything()), rows(&before));
    let ada = portal.visitor();
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(ada.get(&path).await.texts(".comments p"), ["Good."]);
    let new = document(&ada, "New").await;
    post(&ada, &format!("{new}/delete"), "").await;
    let newer = document(&ada, "Newer").await;
    assert!(new != path && newer != new && newer != path, "{newer}");
    portal.member("new").await;
    assert_eq!(portal.id_of("new").await, 4);
}
