//! The cost of a page of a list, however many records exist: counted in steps of SQLite's virtual machine, and never in time.

use std::collections::BTreeSet;

use dewar::database::Engine;
use dewar::forms::Keyset;
use dewar::pages::Position;
use dewar::testing::Browser;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::company::{Portal, document, post};
use crate::outside;

/// Fills every table that grows with so many rows. None is ada's; ben may read two of three. They share few ages, sizes and
/// titles, so that the id decides the order.
const FILL: &str = "
    INSERT INTO dewar_users (email, email_key, name, password_hash, created_at, password_changed_at)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM dewar_users UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT i || '@example.net', i || '@example.net', iif(i % 2, 'Same', 'same'), '', 1, 1 FROM n;
    INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, status, review_reason, reviewer_id,
            reviewed_at, created_at, updated_at, description_html)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM documents UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT 3, 'Plan', 'plan', 'f' || i, 'PDF', i / 900, CASE i % 3 WHEN 0 THEN 'pending' WHEN 1 THEN 'rejected'
            ELSE 'approved' END, 'why', iif(i % 3, 4, NULL), iif(i % 3, 1, NULL), i / 700, 1, '' FROM n;
    INSERT INTO documents_search (id, title, body) SELECT id, iif(id % 7, 'plan', 'paper'), 'plan' FROM documents
        WHERE title = 'Plan' ON CONFLICT DO NOTHING;
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
            let sorts = step.contains("TEMP B-TREE");
            if scans || (sorts && !is_bounded(sql)) {
                wrong.push(format!("{step}: {sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What these pages cost, in steps of SQLite.
async fn costs(portal: &Portal, browser: &Browser, paths: &[String]) -> Vec<u64> {
    let mut steps = Vec::new();
    for path in paths {
        assert_eq!(browser.get(path).await.status(), 200, "{path}");
        let mut least = u64::MAX;
        for _ in 0..3 {
            let before = portal.db().steps();
            assert_eq!(browser.get(path).await.status(), 200, "{path}");
            least = least.min(portal.db().steps() - before);
        }
        steps.push(least);
    }
    steps
}

/// The steps of the plans of all queries so far that read a whole table, or sort what has no bound.
fn bad_plans(portal: &Portal) -> Vec<String> {
    let db = tables(portal);
    let mut bad = Vec::new();
    for sql in portal.db().queries_seen() {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = plan.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get(3).unwrap();
            // The index of words is a virtual table; the ids of a page, and the ranked documents, have a bound.
            let is_small = [
                "json_each",
                "newest",
                "documents_search_fts VIRTUAL TABLE INDEX",
            ];
            let is_small = is_small
                .iter()
                .any(|of| step.starts_with(&format!("SCAN {of}")));
            let is_ranked = sql.contains("AS newest") && step.contains("ORDER BY");
            let scans = step.starts_with("SCAN ") && !is_small;
            if (scans || step.contains("TEMP B-TREE")) && !is_bounded(&sql) && !is_ranked {
                bad.push(format!("{step}: {sql}"));
            }
        }
    }
    bad
}

const SORTS: [&str; 5] = ["best", "newest", "oldest", "largest", "title"];

/// A search for a tag without results read every document.
///
/// ASVS: V13.1.2, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_a_tag_looks_at_so_many_documents_for_a_page_and_goes_on_at_the_next() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.person("ada", &["member"]).await;
    let ben = portal.person("ben", &["member"]).await;
    portal.person("cleo", &["member"]).await;
    portal.person("rob", &["member", "reviewer"]).await;
    document(&ada, "Needle").await;
    let tag = "INSERT INTO document_tags (document_id, tag) VALUES (1, 'needle')";
    portal.db().execute(tag, []).await.unwrap();
    let paths: Vec<String> = SORTS
        .iter()
        .flat_map(|sort| ["tag=nothing", "tag=nothing&status=approved"].map(|of| (sort, of)))
        .map(|(sort, wanted)| format!("/documents?sort={sort}&{wanted}"))
        .collect();
    fill(&portal, 8_000);
    let few = costs(&portal, &ben, &paths).await;
    fill(&portal, 20_000);
    drop(portal.db().queries_seen());
    let many = costs(&portal, &ben, &paths).await;
    for ((path, few), many) in paths.iter().zip(few).zip(many) {
        assert!(few > 2_000, "{path}: {few}");
        assert!(many <= few + few / 10, "{path}: {few} and {many}");
    }
    assert_eq!(bad_plans(&portal), [""; 0]);
    for sort in SORTS {
        finds_the_needle_there_and_back(&ada, sort).await;
    }
}

/// A search for a word that every document has ranked all of them.
///
/// ASVS: V13.1.2, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_search_for_words_costs_the_same_however_many_documents_have_them() {
    let portal = Portal::on_sqlite().await;
    let ada = portal.person("ada", &["member"]).await;
    let ben = portal.person("ben", &["member"]).await;
    portal.person("cleo", &["member"]).await;
    portal.person("rob", &["member", "reviewer"]).await;
    document(&ada, "Needle").await;
    let words = ["q=plan", "q=plan&status=approved", "q=nothing", "q=p+p"];
    let paths: Vec<String> = SORTS
        .iter()
        .flat_map(|sort| words.map(|words| format!("/documents?sort={sort}&{words}")))
        .collect();
    fill(&portal, 8_000);
    let few = costs(&portal, &ben, &paths).await;
    fill(&portal, 20_000);
    drop(portal.db().queries_seen());
    let many = costs(&portal, &ben, &paths).await;
    for ((path, few), many) in paths.iter().zip(few).zip(many) {
        assert!(many <= few + few / 10, "{path}: {few} and {many}");
    }
    assert_eq!(bad_plans(&portal), [""; 0]);
    // The bound of a result, and the last of its pages.
    let mut page = ben.get("/documents?q=plan").await;
    let mut pages = 1;
    while let Some(next) = page.attribute("nav.pages a[rel=next]", "href") {
        page = ben.get(&next).await;
        pages += 1;
    }
    assert_eq!(pages, 50);
    // A rare word is found among all.
    let found = ada.get("/documents?q=needle").await;
    assert_eq!(found.texts("tbody th a[href^='/documents/']"), ["Needle"]);
    assert!(
        ben.get("/documents?q=needle")
            .await
            .texts("tbody tr")
            .is_empty()
    );
}

/// The pages of a tag lead to its only document, in every order, and back to the first page.
async fn finds_the_needle_there_and_back(ada: &Browser, sort: &str) {
    let shown = async |path: &str| {
        let page = ada.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        let found = page.texts("tbody th a[href^='/documents/']").len();
        let beside = |rel| page.attribute(&format!("nav.pages a[rel={rel}]"), "href");
        (found, beside("prev"), beside("next"))
    };
    let mut path = format!("/documents?tag=needle&sort={sort}");
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

/// On PostgreSQL, a page of the list read and sorted all documents: 0.9 s with 100,000 of them.
///
/// ASVS: V13.1.2, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn on_a_server_too_a_page_reads_no_whole_table() {
    let portal = Portal::open().await;
    if portal.db().engine() != Engine::Postgres {
        return;
    }
    portal.person("ada", &["member"]).await;
    portal.person("rob", &["member", "reviewer"]).await;
    let ben = portal.person("ben", &["member"]).await;
    let fill = "INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, status, reviewer_id, reviewed_at,
            created_at, updated_at, description_html)
        SELECT 1, 'Plan', 'plan', 'f' || i, 'PDF', i / 900, 'approved', 2, 1, i / 700, 1, '' FROM generate_series(1, 20000) n (i)";
    portal.db().execute(fill, []).await.unwrap();
    let schema = outside::schema(portal.db()).await.unwrap();
    outside::psql(&schema, "ANALYZE");
    for sort in SORTS {
        for tag in ["", "&tag=nothing"] {
            let page = ben.get(&format!("/documents?sort={sort}{tag}")).await;
            assert_eq!(page.status(), 200);
        }
    }
    let lists = portal.db().queries_seen();
    let lists: Vec<_> = lists
        .iter()
        .filter(|sql| sql.contains("FROM document_audiences a"))
        .collect();
    // Four orders, each with its page and the end of a search.
    assert_eq!(lists.len(), 8, "{lists:#?}");
    for sql in lists {
        let values = if sql.contains("?7") {
            "'', '', '3', '900', '900', '0', '0'"
        } else {
            "'', '3', '900', '900', '1999'"
        };
        let numbered = sql.replace('?', "$");
        // Whatever the values are.
        let plan = outside::psql(
            &schema,
            &format!(
                "SET plan_cache_mode = force_generic_plan; PREPARE list AS {numbered}; EXPLAIN EXECUTE list ({values})"
            ),
        );
        for table in ["documents", "document_audiences"] {
            let scan = format!("Seq Scan on {table} ");
            assert!(!plan.contains(&scan), "{sql}:\n{plan}");
        }
    }
}
