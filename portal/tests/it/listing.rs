//! The list of documents: what a search finds, in which order, and page by page.

use std::time::Duration;

use dewar::App;
use dewar::testing::Browser;
use rusqlite::Connection;

use crate::company::{PASSWORD, Portal, document, post, sign_in};

/// Hands in a text with all that is said about it.
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

/// The titles on a page of the list, from above.
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
    for markup in ["strong", "<p>", "&amp;", "amp;", "&lt;", "</em>", "noteof"] {
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

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_and_end() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let many = "INSERT INTO documents (owner_id, title, file_id, kind, size, created_at, updated_at, description_html, \
                search) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45) \
                SELECT 1, 'Note ' || i, 'file-' || i, 'TXT', i, i, i, '', fold('Note ' || i) FROM n";
    portal.db().execute(many, []).await.unwrap();
    let page = async |number: &str| {
        ada.get(&format!("/documents?sort=oldest&q=NOTE&page={number}"))
            .await
    };
    let (first, second, third) = (page("1").await, page("2").await, page("3").await);
    let rows = "tbody th a[href^='/documents/']";
    assert_eq!(first.texts("caption"), ["1–20 of 45 documents"]);
    assert_eq!(second.texts("caption"), ["21–40 of 45 documents"]);
    assert_eq!(
        (second.texts(rows)[0].as_str(), second.texts(rows).len()),
        ("Note 21", 20)
    );
    assert_eq!(
        (third.texts(rows)[0].as_str(), third.texts(rows).len()),
        ("Note 41", 5)
    );
    assert_eq!(third.texts("caption"), ["41–45 of 45 documents"]);
    // A link keeps what was asked for.
    let next = first.attribute("a[rel=next]", "href").unwrap();
    assert_eq!(ada.get(&next).await.texts(rows), second.texts(rows));
    assert!(third.attribute("a[rel=next]", "href").is_none());
    assert!(first.attribute("a[rel=prev]", "href").is_none());

    for past in ["4", "9999"] {
        let last = page(past).await;
        assert_eq!(last.texts(rows), third.texts(rows), "{past}");
        assert_eq!(last.texts(".pages [aria-current]"), ["Page 3"], "{past}");
    }
    let nothing = ada.get("/documents?q=nowhere&page=7").await;
    assert_eq!(nothing.texts("main h2"), ["Nothing found"]);
    let eve = portal.member("eve").await;
    assert_eq!(
        eve.get("/documents?page=7").await.texts("main h2"),
        ["No documents yet"]
    );
}

/// Of a long list as much is counted as a reader needs to see that it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_not_counted_to_its_end() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let many = "INSERT INTO documents (owner_id, title, file_id, kind, size, created_at, updated_at, description_html) \
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) \
                SELECT 1, 'Note ' || i, 'file-' || i, 'TXT', i, i, i, '' FROM n";
    portal.db().execute(many, []).await.unwrap();
    for (page, caption) in [
        (1, "1–20 of more than 100 documents"),
        (7, "121–140 of more than 220 documents"),
        (8, "141–160 of more than 240 documents"),
        (9, "161–180 of 250 documents"),
        (13, "241–250 of 250 documents"),
        (99, "241–250 of 250 documents"),
    ] {
        let shown = ada.get(&format!("/documents?page={page}")).await;
        assert_eq!(shown.texts("caption"), [caption], "{page}");
        let next = shown.attribute("a[rel=next]", "href");
        assert_eq!(next.is_some(), page < 13, "{page}");
    }
}

/// A database from before documents had words to be searched for, and before members were a role.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_found_as_what_is_new() {
    let data = tempfile::tempdir().unwrap();
    let portal = Portal::open_in(data).await;
    let ada = portal.member("ada").await;
    let html = "<p>Die <strong>Größe</strong> &amp; mehr</p>";
    describe(&ada, "Maße", html, "zahl, breite", 5).await;
    document(&ada, "Bare").await;
    let written = "SELECT group_concat(title_key || '|' || search, '#') FROM documents";
    let now: String = portal.db().query(written, []).await.unwrap()[0]
        .get(0)
        .unwrap();
    let data = portal.close().await;

    let file = data.path().join("database.sqlite");
    let db = Connection::open(&file).unwrap();
    db.execute_batch(
        "DROP INDEX documents_by_title;
         ALTER TABLE documents DROP COLUMN version;
         ALTER TABLE documents DROP COLUMN title_key;
         ALTER TABLE documents DROP COLUMN search;
         CREATE INDEX documents_by_title ON documents (title COLLATE NOCASE, id);
         DELETE FROM dewar_user_roles;
         DELETE FROM dewar_migrations WHERE name IN ('portal_0005_search', 'portal_0006_members');",
    )
    .unwrap();
    drop(db);

    let running = portal::app(App::in_directory(&data).unwrap())
        .start()
        .await
        .unwrap();
    let filled = running.dewar().db().query(written, []).await.unwrap();
    assert_eq!(filled[0].get::<String>(0).unwrap(), now);
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let ada = Browser::new(running.url(), &authority);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    assert_eq!(titles(&ada, &[("q", "GRÖSSE")]).await, ["Maße"]);
    running.stop().await.unwrap();
}

/// A database from before ids were kept from coming back is built anew with all that is in it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_keeps_its_ids_and_nobody_gets_them_again() {
    let portal = Portal::open().await;
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
    Connection::open(&file)
        .unwrap()
        .execute(
            "DELETE FROM dewar_migrations WHERE name IN
                 ('dewar_accounts_ids_0001', 'dewar_https_0002_ids', 'portal_0008_ids', 'portal_0009_bounds')",
            [],
        )
        .unwrap();
    let portal = Portal::open_in(data).await;
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
