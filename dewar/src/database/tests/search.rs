//! Full-text search finds the same on both engines.

use crate::database::{Db, Error, Migration, SearchQuery};

crate::search_index! {
    const PAPERS: "papers";
}

const TABLE: &str = "CREATE TABLE papers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL
) STRICT;";

/// A database with these papers, whose ids count from 1; odd ones are owner 1's.
async fn papers(all: &[(&str, &str)]) -> Db {
    let db = Db::temporary().unwrap();
    let table = Migration::new("papers_0001", TABLE);
    db.migrate(&[table, PAPERS.migration()]).await.unwrap();
    let tx = db.begin().await.unwrap();
    for (id, (title, body)) in (1..).zip(all) {
        let insert = "INSERT INTO papers (id, owner) VALUES (?, ?)";
        tx.execute(insert, [id.into(), (id % 2).into()])
            .await
            .unwrap();
        PAPERS.put(&tx, id, title, body).await.unwrap();
    }
    tx.commit().await.unwrap();
    db
}

async fn found(db: &Db, typed: &str) -> Vec<i64> {
    let mut found = PAPERS
        .find(db, &SearchQuery::parse(typed), 100)
        .await
        .unwrap();
    found.sort_unstable();
    found
}

/// ASVS: V1.2.4
#[tokio::test]
async fn words_are_found_in_any_language_by_their_beginning() {
    let db = papers(&[
        ("Straße und Größe", "Übergrößen, naïve café"),
        ("Отчёт за год", "Москва и Санкт-Петербург"),
        ("東京タワー", "ガイドブック、第2版"),
        ("รายงานประจำปี", "กรุงเทพมหานคร"),
        ("한국어 문서", "서울특별시"),
        ("दस्तावेज़", "हिन्दी में लिखा"),
        ("تقرير سنوي", "القاهرة"),
        ("Plan 2027", "version 1e5 0x1f q4e00 12.5"),
        ("ΟΔΟΣ", "\u{1d49c} \u{10400} \u{ff21}\u{ff22}\u{ff23}"),
    ])
    .await;
    for (typed, ids) in [
        ("strasse", &[1][..]),
        ("STRASSE GRÖSS", &[1]),
        ("überg", &[1]),
        ("u\u{308}berg", &[1]),
        ("größen", &[]),
        ("отчет", &[]),
        ("ОТЧЁТ моск", &[2]),
        ("петербург", &[2]),
        ("東京", &[3]),
        ("京タ", &[3]),
        ("京東", &[]),
        ("京", &[3]),
        ("ー", &[3]),
        ("ｶﾞｲﾄﾞ", &[3]),
        ("第2版", &[3]),
        ("กรุงเทพ", &[4]),
        ("한국", &[5]),
        ("서울", &[5]),
        ("हिन्दी", &[6]),
        ("القاهر", &[7]),
        ("202", &[8]),
        ("1e5", &[8]),
        ("0x1", &[8]),
        ("12.5", &[8]),
        ("οδος", &[9]),
        ("𐐨", &[9]),
        ("abc", &[9]),
        ("plan strasse", &[]),
        ("", &[]),
        ("!?", &[]),
    ] {
        assert_eq!(found(&db, typed).await, ids, "{typed}");
    }
}

/// Nothing that is typed is an operator of FTS5 or of `tsquery`.
///
/// ASVS: V1.2.4
#[tokio::test]
async fn a_query_is_words_and_nothing_else() {
    let db = papers(&[("alpha", "beta"), ("near or not", "and")]).await;
    for typed in [
        "alpha\" OR \"near",
        "alpha' | 'near",
        "alpha OR near",
        "NOT near",
        "alpha NEAR beta",
        "title: near",
        "alpha*) OR (near",
        "'); DROP TABLE papers; --",
        "\\' & 'x",
        "^near",
        "\0alpha",
        "-alpha",
    ] {
        let all = found(&db, typed).await;
        assert!(all.len() < 2, "{typed}: {all:?}");
    }
    assert_eq!(found(&db, "alpha beta").await, [1]);
    assert_eq!(found(&db, "or not and").await, [2]);
    let long = "alpha ".repeat(50_000);
    assert_eq!(found(&db, &long).await, [1]);
    assert_eq!(found(&db, &"a".repeat(100_000)).await, [0; 0]);
}

/// ASVS: V8.2.2
#[tokio::test]
async fn a_search_among_some_rows_finds_no_others() {
    let db = papers(&[("alpha one", ""), ("alpha two", ""), ("beta", "alpha")]).await;
    let query = SearchQuery::parse("alpha");
    let mine = "SELECT id FROM papers WHERE owner = ?1 AND owner <> ?2";
    let odd = PAPERS
        .find_among(&db, &query, mine, [1.into(), 5.into()], 9)
        .await;
    assert_eq!(odd.unwrap(), [1, 3], "a word of the title counts more");
    let all = PAPERS.find(&db, &query, 9).await.unwrap();
    assert_eq!(all.last(), Some(&3));
    let mine = "SELECT id FROM papers WHERE owner = ? AND owner < ?";
    let even = PAPERS
        .find_among(&db, &query, mine, [0.into(), 5.into()], 9)
        .await;
    assert_eq!(even.unwrap(), [2]);
    let best = PAPERS
        .find_among(&db, &query, mine, [1.into(), 5.into()], 1)
        .await;
    assert_eq!(best.unwrap(), [1]);
}

#[tokio::test]
async fn the_index_follows_the_rows() {
    let db = papers(&[("alpha", "one"), ("alpha", "two")]).await;
    let tx = db.begin().await.unwrap();
    PAPERS.put(&tx, 1, "gamma", "one").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(found(&db, "alpha").await, [2]);
    assert_eq!(found(&db, "gamma one").await, [1]);
    db.execute("DELETE FROM papers WHERE id = 2", [])
        .await
        .unwrap();
    assert_eq!(found(&db, "alpha").await, [0; 0]);
    db.execute("INSERT INTO papers (id, owner) VALUES (9, 1)", [])
        .await
        .unwrap();
    assert_eq!(PAPERS.missing(&db, 5).await.unwrap(), [9]);
    let tx = db.begin().await.unwrap();
    PAPERS.remove(&tx, 1).await.unwrap();
    let absent = PAPERS.put(&tx, 77, "delta", "").await.unwrap_err();
    assert!(matches!(absent, Error::ForeignKey), "{absent:?}");
    tx.rollback().await.unwrap();
    assert_eq!(found(&db, "gamma").await, [1]);
}

/// A text of any size is stored, and found by its first words.
#[tokio::test]
async fn a_long_text_has_a_bound() {
    let body: String = (0..200_000).map(|n| format!("w{n}ö ")).collect();
    let db = papers(&[("long", &body), ("東".repeat(500_000).as_str(), "x")]).await;
    assert_eq!(found(&db, "w0ö w100ö long").await, [1]);
    assert_eq!(found(&db, "w199999ö").await, [0; 0]);
    assert_eq!(found(&db, "東東東").await, [2]);
}
