//! The list and the search have the rule of `Readable` in SQL, and `Readable` in the ORM: all must reach the same documents for
//! every user.

use std::collections::BTreeSet;

use dewar::App;
use dewar::testing::Browser;

use crate::company::{PASSWORD, PASSWORD_ALONE, add};

/// Owner, status and reader: every case that the rule distinguishes.
const DOCUMENTS: [(&str, &str, Option<&str>); 6] = [
    ("owner", "pending", None),
    ("owner", "pending", Some("reader")),
    ("owner", "approved", None),
    ("owner", "rejected", None),
    ("owner", "rejected", Some("administrator")),
    ("reader", "pending", None),
];

const PEOPLE: [(&str, &[&str]); 4] = [
    ("administrator", &["administrator", "member"]),
    ("owner", &["member"]),
    ("reader", &["member"]),
    ("reviewer", &["member", "reviewer"]),
];

#[tokio::test]
async fn the_list_and_the_search_show_what_can_be_opened_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let app = portal::app(App::in_directory_with(data.path(), [PASSWORD_ALONE]).unwrap());
    let running = app.start().await.unwrap();
    let db = running.dewar().db().clone();
    let mut ids = std::collections::HashMap::new();
    for (name, roles) in PEOPLE {
        ids.insert(name, add(&running, name, roles).await.get());
    }
    for (number, (owner, status, reader)) in (1_i64..).zip(DOCUMENTS) {
        let reviewer = (status != "pending").then_some(ids["reviewer"]);
        let sql = "INSERT INTO documents (id, owner_id, title, file_id, kind, size, status, review_reason, reviewer_id, \
                   reviewed_at, created_at, updated_at, description_html) \
                   VALUES (?1, ?2, 'T', ?1, 'PDF', 1, ?3, 'why', ?4, CASE WHEN ?4 IS NULL THEN NULL ELSE 1 END, 1, 1, '')";
        let values = [
            number.into(),
            ids[owner].into(),
            status.into(),
            reviewer.into(),
        ];
        db.execute(sql, values).await.unwrap();
        if let Some(reader) = reader {
            let sql = "INSERT INTO shares (document_id, user_id, created_at) VALUES (?, ?, 1)";
            db.execute(sql, [number.into(), ids[reader].into()])
                .await
                .unwrap();
        }
    }
    // A word that each has, and a tag.
    for sql in [
        "INSERT INTO documents_search (id, title, body) SELECT id, 'plan', '' FROM documents",
        "INSERT INTO document_tags (document_id, tag) SELECT id, 'plan' FROM documents",
    ] {
        db.execute(sql, []).await.unwrap();
    }

    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let visitor = Browser::new(running.url(), &authority);
    let reached = |who: &'static str| {
        let browser = visitor.another();
        async move { (listed(&browser, who).await, opened(&browser).await) }
    };
    let expected = [
        ("administrator", vec![3, 5]),
        ("owner", vec![1, 2, 3, 4, 5]),
        ("reader", vec![2, 3, 6]),
        ("reviewer", vec![1, 2, 3, 4, 5, 6]),
    ];
    for (who, documents) in expected {
        let documents: BTreeSet<i64> = documents.into_iter().collect();
        assert_eq!(reached(who).await, (documents.clone(), documents), "{who}");
    }
    running.stop().await.unwrap();
}

async fn listed(browser: &Browser, who: &str) -> BTreeSet<i64> {
    let form = browser.get("/sign-in").await.form("/sign-in");
    browser
        .submit(
            form.fill("email", &format!("{who}@example.org"))
                .fill("password", PASSWORD),
        )
        .await;
    let all = shown(browser, "/documents").await;
    for path in [
        "?q=plan",
        "?q=pl&sort=title",
        "?tag=plan",
        "?q=plan&tag=plan&sort=oldest",
    ] {
        let found = shown(browser, &format!("/documents{path}")).await;
        assert_eq!(found, all, "{who}: {path}");
    }
    all
}

async fn shown(browser: &Browser, path: &str) -> BTreeSet<i64> {
    let page = browser.get(path).await;
    assert_eq!(page.status(), 200, "{path}");
    (1..=6)
        .filter(|id| {
            page.attribute(
                &format!("td a[href$='documents/{id}'], th a[href$='documents/{id}']"),
                "href",
            )
            .is_some()
        })
        .collect()
}

async fn opened(browser: &Browser) -> BTreeSet<i64> {
    let mut opened = BTreeSet::new();
    for id in 1..=6 {
        match browser
            .get(&format!("/documents/{id}"))
            .await
            .status()
            .as_u16()
        {
            200 => opened.insert(id),
            404 => false,
            other => panic!("{other}"),
        };
    }
    opened
}
