//! CPU of one statement, compared with plain rusqlite's. Run it by hand, with nothing else on the machine:
//! `cargo test --release -p dewar --lib database::tests::measured -- --ignored --nocapture`

#![expect(unreachable_pub, reason = "as SeaORM's derives want them")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, QuerySelect, Set};

use super::*;
use crate::database::Table;

mod row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "rows")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub a: String,
        pub b: String,
        pub c: i64,
        pub d: i64,
        pub e: bool,
        pub f: Option<String>,
        pub g: f64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const ROWS: &[Migration] = &[Migration::new(
    "rows_0001",
    "CREATE TABLE rows (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL,
         c INTEGER NOT NULL, d INTEGER NOT NULL, e INTEGER NOT NULL, f TEXT, g REAL NOT NULL) STRICT;
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
     INSERT INTO rows SELECT i, 'a title of usual length ' || i, hex(randomblob(40)), i, -i, i % 2,
         NULL, i / 3.0 FROM n;",
)];

const ONE: &str = "SELECT id, a, b, c, d, e, f, g FROM rows WHERE id = ?";
const TWELVE: &str = "SELECT id, a, b, c, d, e, f, g FROM rows WHERE id > ? ORDER BY id LIMIT 12";
const CHANGE: &str = "UPDATE rows SET c = c + 1 WHERE id = ?";

type Columns = (i64, String, String, i64, i64, bool, Option<String>, f64);

/// CPU of all threads of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let own: u64 = stat.split(' ').next().unwrap().parse().unwrap();
    let others = std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| {
            let task = task.unwrap();
            (task.file_name().to_str() != Some(&std::process::id().to_string()))
                .then(|| std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default())
        });
    let others: u64 = others
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(own + others)
}

/// The median of five rounds; each is long compared with the 4 ms of the system's clock ticks.
async fn measure<F: Future<Output = ()>>(name: &str, mut work: impl FnMut(i64) -> F) -> f64 {
    const TIMES: u32 = 40_000;
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let (before, started) = (cpu(), Instant::now());
        for i in 0..TIMES {
            work(i64::from(i.wrapping_mul(7919) % 9_900)).await;
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(TIMES);
        rounds.push((each(cpu() - before), each(started.elapsed())));
    }
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (cpu, wall) = rounds[2];
    println!("{name:30} {cpu:8.2} µs CPU {wall:8.2} µs");
    cpu
}

fn plain(row: &rusqlite::Row<'_>) -> rusqlite::Result<Columns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
        row.get(6)?,
        row.get(7)?,
    ))
}

fn ours(row: &crate::database::Row) -> Columns {
    (
        row.get(0).unwrap(),
        row.get(1).unwrap(),
        row.get(2).unwrap(),
        row.get(3).unwrap(),
        row.get(4).unwrap(),
        row.get(5).unwrap(),
        row.get(6).unwrap(),
        row.get(7).unwrap(),
    )
}

#[tokio::test]
#[ignore = "a measurement"]
#[expect(
    clippy::too_many_lines,
    reason = "nine measurements, one below the other"
)]
async fn beside_plain_rusqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sqlite");
    let db = Db::open(&path, &Config::default()).unwrap();
    db.migrate(ROWS).await.unwrap();
    db.register(&[Table::of::<row::Entity>()]).await.unwrap();
    let bare = rusqlite::Connection::open(&path).unwrap();
    bare.execute_batch("PRAGMA synchronous = NORMAL").unwrap();
    let bare = &bare;
    let db = &db;

    let one = measure("rusqlite, 1 row", |i| async move {
        let mut statement = bare.prepare_cached(ONE).unwrap();
        black_box(statement.query_row([i + 1], plain).unwrap());
    })
    .await;
    let twelve = measure("rusqlite, 12 rows", |i| async move {
        let mut statement = bare.prepare_cached(TWELVE).unwrap();
        let rows: Vec<_> = statement
            .query_map([i], plain)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(black_box(rows).len(), 12);
    })
    .await;
    let change = measure("rusqlite, update", |i| async move {
        bare.prepare_cached(CHANGE)
            .unwrap()
            .execute([i + 1])
            .unwrap();
    })
    .await;

    let times =
        |name: &str, ours: f64, theirs: f64| println!("{name:30} {:8.2} times", ours / theirs);
    let mine = measure("Db::query, 1 row", |i| async move {
        let rows = db.query(ONE, [(i + 1).into()]).await.unwrap();
        black_box(ours(&rows[0]));
    })
    .await;
    times("", mine, one);
    let mine = measure("Db::query, 12 rows", |i| async move {
        let rows = db.query(TWELVE, [i.into()]).await.unwrap();
        let rows: Vec<_> = rows.iter().map(ours).collect();
        assert_eq!(black_box(rows).len(), 12);
    })
    .await;
    times("", mine, twelve);
    let mine = measure("Db::execute, update", |i| async move {
        db.execute(CHANGE, [(i + 1).into()]).await.unwrap();
    })
    .await;
    times("", mine, change);
    let mine = measure("SeaORM find_by_id", |i| async move {
        black_box(
            row::Entity::find_by_id(i + 1)
                .one(db)
                .await
                .unwrap()
                .unwrap(),
        );
    })
    .await;
    times("", mine, one);
    let mine = measure("SeaORM, 12 rows", |i| async move {
        use sea_orm::{ColumnTrait, QueryFilter};
        let rows = row::Entity::find()
            .filter(row::Column::Id.gt(i))
            .order_by_asc(row::Column::Id)
            .limit(12)
            .all(db)
            .await
            .unwrap();
        assert_eq!(black_box(rows).len(), 12);
    })
    .await;
    times("", mine, twelve);
    // Another value each time: SQLite does not write a page that stays the same.
    let mut next = 0;
    let mine = measure("SeaORM, update", |i| {
        next += 1;
        let c = next;
        async move {
            let changed = row::ActiveModel {
                id: Set(i + 1),
                c: Set(c),
                ..Default::default()
            };
            black_box(changed.update(db).await.unwrap());
        }
    })
    .await;
    times("", mine, change);
}
