//! The cost of a page of a list, however many records exist: counted in steps of SQLite's virtual machine, and never in time.

use std::collections::BTreeSet;

use dewar::forms::Keyset;
use dewar::pages::Position;
use dewar::testing::Browser;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::company::{Portal, document, post};

/// Fills every table that grows with so many rows. None is ada's; ben may read two of three. They share few ages, sizes and
/// titles, so that the id decides the order.
/// sizes and titles, so that an order is decided by the id.
const FILL: &str = "
    INSERT INTO dewar_users (email, email_key, name, password_hash, created_at, password_changed_at)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM dewar_users UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT i || '@example.net', i || '@example.net', iif(i % 2, 'Same', 'same'), '', 1, 1 FROM n;
    INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, status, review_reason, reviewer_id,
            reviewed_at, created_at, updated_at, description_html, search)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM documents UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT 3, 'Plan', 'plan', 'f' || i, 'PDF', i / 900, CASE i % 3 WHEN 0 THEN 'pending' WHEN 1 THEN 'rejected'
            ELSE 'approved' END, 'why', iif(i % 3, 4, NULL), iif(i % 3, 1, NULL), i / 700, 1, '', 'plan' FROM n;
    INSERT INTO shares (document_id, user_id, created_at) SELECT id, 2, 1 FROM documents WHERE owner_id = 3 AND id % 2
        ON CONFLICT DO NOTHING;
    INSERT INTO comments (document_id, author_id, body, created_at)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM comments UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT 1, 3, 'Tea.', 1 FROM n;
    INSERT INTO notices (author_id, title, body_html, published_at)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM notices UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT 3, 'Old', '', 1 FROM n;";

fn fill(portal: &Portal, number: i64) {
    let db = tables(portal);
    for statement in FILL.split_inclusive(';') {
        let statement = statement.replace("?1", &number.to_string());
        db.execute_batch(&statement).unwrap();
    }
}

fn tables(portal: &Portal) -> Connection {
    let db = Connection::open(portal.data.path().join("database.sqlite")).unwrap();
    // A query plan needs the function to exist, and does not call it.
    for name in ["fold", "words"] {
        let same = |context: &rusqlite::functions::Context<'_>| context.get::<String>(0);
        db.create_scalar_function(name, 1, FunctionFlags::SQLITE_UTF8, same)
            .unwrap();
    }
    db
}

/// The orders of the list of documents, with a key in the middle of 20,000.
fn middles(portal: &Portal) -> Vec<(&'static str, String)> {
    let keys = portal.running.dewar().keys();
    let numbers = |name, key: i64| {
        let keyset: Keyset<(i64, i64)> = Keyset::new(name);
        let place = |at: Position<_>| keyset.seal(keys, &at).unwrap();
        [
            place(Position::After((key, 500))),
            place(Position::Before((key, 500))),
        ]
    };
    let titles: Keyset<(String, i64)> = Keyset::new("documents, by title");
    let titled = |at: Position<_>| titles.seal(keys, &at).unwrap();
    let middle = || ("plan".to_owned(), 500);
    [
        ("newest", numbers("documents, the newest first", 0)),
        ("oldest", numbers("documents, the oldest first", 0)),
        ("largest", numbers("documents, the largest first", 0)),
        (
            "title",
            [
                titled(Position::After(middle())),
                titled(Position::Before(middle())),
            ],
        ),
    ]
    .into_iter()
    .flat_map(|(sort, places)| places.map(|place| (sort, place)))
    .collect()
}

/// Every page of a list that can grow, and its reader.
fn pages<'a>(portal: &Portal, people: &'a [(&'static str, Browser)]) -> Vec<(&'a Browser, String)> {
    let by = |who: &str| &people.iter().find(|(name, _)| *name == who).unwrap().1;
    let mut pages = Vec::new();
    for who in ["ada", "ben", "cleo", "rob"] {
        pages.push((by(who), "/documents".to_owned()));
        for status in ["pending", "approved", "rejected"] {
            pages.push((by(who), format!("/documents?status={status}")));
        }
        for (sort, place) in middles(portal) {
            pages.push((by(who), format!("/documents?sort={sort}")));
            pages.push((by(who), format!("/documents?sort={sort}&page={place}")));
        }
    }
    let keys = portal.running.dewar().keys();
    let notices: Keyset<i64> = Keyset::new("notices, the newest first");
    let names = dewar::accounts::Accounts::BY_NAME;
    for at in [Position::After(500), Position::Before(500)] {
        let place = notices.seal(keys, &at).unwrap();
        pages.push((by("ada"), format!("/?page={place}")));
    }
    let queue: Keyset<(i64, i64)> = Keyset::new("documents that wait, by turn");
    for at in [Position::After((100, 500)), Position::Before((300, 500))] {
        let place = queue.seal(keys, &at).unwrap();
        pages.push((by("rob"), format!("/reviews?page={place}")));
    }
    let middle = || ("same".to_owned(), 500);
    for at in [Position::After(middle()), Position::Before(middle())] {
        let place = names.seal(keys, &at).unwrap();
        pages.push((by("grace"), format!("/admin/users?page={place}")));
    }
    for (who, path) in [
        ("ada", "/"),
        ("grace", "/"),
        ("grace", "/admin/users"),
        ("ada", "/documents/1"),
        ("ada", "/documents/1?before=500"),
        ("rob", "/reviews"),
        ("rob", "/documents/1"),
        ("ada", "/account/sessions"),
    ] {
        pages.push((by(who), path.to_owned()));
    }
    pages
}

/// Whether a statement may sort its rows, because they are bounded.
fn is_bounded(sql: &str) -> bool {
    // A document has at most a hundred readers, and an account fifty sessions.
    sql.contains("FROM shares s JOIN dewar_users u") || sql.contains("FROM dewar_sessions")
}

/// A list cost 1,069 microseconds with 500 documents and 509 with 12: the queries read each row that the caller may read twice,
/// once to count and once to page.
///
/// ASVS: V13.1.2, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_page_costs_the_same_with_a_thousand_records_and_with_twenty_thousand() {
    let portal = Portal::on_sqlite().await;
    let mut people = Vec::new();
    for (name, roles) in [
        ("ada", &["member"][..]),
        ("ben", &["member"]),
        ("cleo", &["member"]),
        ("rob", &["member", "reviewer"]),
        ("grace", &["administrator"]),
    ] {
        people.push((name, portal.person(name, roles).await));
    }
    document(&people[0].1, "Mine").await;
    post(&people[0].1, "/documents/1/shares", "email=ben@example.org").await;
    fill(&portal, 1_000);
    let pages = pages(&portal, &people);
    let cost = async || {
        let mut steps = Vec::new();
        for (browser, path) in &pages {
            // One request to prepare the statements, and one to count.
            assert_eq!(browser.get(path).await.status(), 200, "{path}");
            let mut least = u64::MAX;
            // Dewar itself may write meanwhile, and then the request also reads the session.
            for _ in 0..3 {
                let before = portal.db().steps();
                assert_eq!(browser.get(path).await.status(), 200, "{path}");
                least = least.min(portal.db().steps() - before);
            }
            steps.push(least);
        }
        steps
    };
    let few = cost().await;
    fill(&portal, 20_000);
    drop(portal.db().queries_seen());
    let many = cost().await;
    for (((_, path), few), many) in pages.iter().zip(few).zip(many) {
        assert!(few > 20, "{path}: {few}");
        assert!(
            many <= few + few / 10,
            "{path}: {few} with 1,000, {many} with 20,000"
        );
    }

    let db = tables(&portal);
    let seen: BTreeSet<String> = portal.db().queries_seen();
    assert!(
        seen.iter().any(|sql| sql.contains("document_audiences")),
        "{seen:#?}"
    );
    let mut wrong = Vec::new();
    for sql in &seen {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = plan.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            // The ids of one page are a list.
            let scans = step.starts_with("SCAN ") && !step.starts_with("SCAN json_each ");
            if scans || (step.contains("TEMP B-TREE") && !is_bounded(sql)) {
                wrong.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A search without results read every document.
///
/// ASVS: V13.1.2, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_search_looks_at_so_many_documents_for_a_page_and_goes_on_at_the_next() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.person("ada", &["member"]).await;
    let ben = portal.person("ben", &["member"]).await;
    portal.person("cleo", &["member"]).await;
    portal.person("rob", &["member", "reviewer"]).await;
    document(&ada, "Needle").await;
    let sorts = ["newest", "oldest", "largest", "title"];
    let cost = async || {
        let mut steps = Vec::new();
        for sort in sorts {
            for wanted in ["q=nothing", "tag=nothing", "q=nothing&status=approved"] {
                let path = format!("/documents?sort={sort}&{wanted}");
                assert_eq!(ben.get(&path).await.status(), 200, "{path}");
                let mut least = u64::MAX;
                for _ in 0..3 {
                    let before = portal.db().steps();
                    assert_eq!(ben.get(&path).await.status(), 200, "{path}");
                    least = least.min(portal.db().steps() - before);
                }
                steps.push((path, least));
            }
        }
        steps
    };
    fill(&portal, 8_000);
    let few = cost().await;
    fill(&portal, 20_000);
    drop(portal.db().queries_seen());
    let many = cost().await;
    for ((path, few), (_, many)) in few.iter().zip(&many) {
        assert!(*few > 2_000, "{path}: {few}");
        assert!(*many <= few + few / 10, "{path}: {few} and {many}");
    }
    for sql in portal.db().queries_seen() {
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let db = tables(&portal);
        let mut plan = db.prepare(&plan).unwrap();
        let mut rows = plan.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            let is_bad = step.starts_with("SCAN ") || step.contains("TEMP B-TREE");
            assert!(!is_bad || is_bounded(&sql), "{step}: {sql}");
        }
    }
    for sort in sorts {
        finds_the_needle_there_and_back(&ada, sort).await;
    }
}

/// The pages of a search lead to its only result, in every order, and back to the first page.
async fn finds_the_needle_there_and_back(ada: &Browser, sort: &str) {
    let shown = async |path: &str| {
        let page = ada.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        let found = page.texts("tbody th a[href^='/documents/']").len();
        let beside = |rel| page.attribute(&format!("nav.pages a[rel={rel}]"), "href");
        (found, beside("prev"), beside("next"))
    };
    let mut path = format!("/documents?q=needle&sort={sort}");
    let (mut all, mut pages) = (0, 1);
    loop {
        let (found, _, next) = shown(&path).await;
        all += found;
        let Some(next) = next else { break };
        path = next;
        pages += 1;
    }
    assert_eq!(all, 1, "{sort}");
    assert!((3..10).contains(&pages), "{sort}: {pages}");
    let mut all = 0;
    for _ in 0..10 {
        let (found, previous, _) = shown(&path).await;
        all += found;
        let Some(previous) = previous else { break };
        path = previous;
    }
    assert!(all >= 1, "{sort}");
}

/// Every reader of a document is in the audience table that lists read, whatever happened to the document and its shares.
///
/// ASVS: V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_audiences_is_what_documents_and_shares_say() {
    let portal = Portal::on_sqlite().await;
    for name in ["ada", "ben", "cleo"] {
        portal.member(name).await;
    }
    let db = tables(&portal);
    let new = |owner: i64| {
        format!(
            "INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, created_at, updated_at,
                description_html) VALUES ({owner}, 'T', 't', hex(randomblob(9)), 'PDF', 1, 1, 1, '')"
        )
    };
    let share = "INSERT INTO shares (document_id, user_id, created_at) VALUES";
    let decided = "reviewer_id = 3, reviewed_at = 1, review_reason = 'why'";
    let steps = [
        new(1),
        new(1),
        new(2),
        format!("{share} (1, 2, 1), (1, 3, 1), (3, 1, 1), (3, 2, 1)"),
        format!("{share} (1, 2, 9) ON CONFLICT DO NOTHING"),
        format!("UPDATE documents SET status = 'approved', {decided} WHERE id = 1"),
        format!("{share} (1, 1, 1)"),
        format!("UPDATE documents SET status = 'rejected', {decided} WHERE id <> 2"),
        "UPDATE documents SET title = 'U', title_key = 'u', size = 2, created_at = 7".to_owned(),
        "DELETE FROM shares WHERE user_id = 2".to_owned(),
        "UPDATE shares SET user_id = 2 WHERE user_id = 3".to_owned(),
        "UPDATE documents SET owner_id = 3 WHERE id = 2".to_owned(),
        "UPDATE documents SET status = 'pending', reviewer_id = NULL, reviewed_at = NULL WHERE id = 1".to_owned(),
        "UPDATE documents SET id = 9 WHERE id = 2".to_owned(),
        "DELETE FROM documents WHERE id = 1".to_owned(),
        "INSERT OR REPLACE INTO shares (document_id, user_id, created_at) VALUES (3, 1, 5)".to_owned(),
    ];
    // The rule again, written in another way than in the migration.
    let rule = "SELECT d.id, a.audience, d.status, d.created_at, d.size, d.title_key FROM documents d,
        (SELECT -1 AS audience UNION SELECT 0 UNION SELECT id FROM dewar_users) a
        WHERE CASE WHEN d.status = 'approved' THEN a.audience = 0
            ELSE a.audience IN (-1, d.owner_id)
                OR EXISTS (SELECT 1 FROM shares s WHERE s.document_id = d.id AND s.user_id = a.audience) END
        ORDER BY 1, 2";
    let kept = "SELECT * FROM document_audiences ORDER BY 1, 2";
    type Audience = (i64, i64, String, i64, i64, String);
    let read = |sql: &str| -> Vec<Audience> {
        let mut rows = db.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
                row.get(5)?,
            ))
        });
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    };
    for step in steps {
        db.execute_batch(&step).unwrap();
        assert_eq!(read(kept), read(rule), "{step}");
    }
    assert!(!read(kept).is_empty());
}
