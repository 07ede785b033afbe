use std::time::Duration;

use super::*;
use crate::testing::{PATIENCE, wait_until};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_update_is_lost() {
    let db = notes().await;
    db.execute("INSERT INTO notes (author, title) VALUES (1, 'x')", [])
        .await
        .unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    let tx = db.begin().await.unwrap();
                    let rows = tx
                        .query("SELECT stars FROM notes WHERE id = 1", [])
                        .await
                        .unwrap();
                    let stars: i64 = rows[0].get(0).unwrap();
                    tokio::task::yield_now().await;
                    tx.execute(
                        "UPDATE notes SET stars = ? WHERE id = 1",
                        [(stars + 1).into()],
                    )
                    .await
                    .unwrap();
                    tx.commit().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(number(&db, "SELECT stars FROM notes").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_see_whole_transactions_while_a_writer_writes() {
    let db = notes().await;
    let writer = tokio::spawn({
        let db = db.clone();
        async move {
            for _ in 0..100 {
                let tx = db.begin().await.unwrap();
                for _ in 0..2 {
                    tx.execute("INSERT INTO notes (author, title) VALUES (1, 'x')", [])
                        .await
                        .unwrap();
                }
                tx.commit().await.unwrap();
            }
        }
    });
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut before = 0;
                for _ in 0..200 {
                    let now = number(&db, "SELECT count(*) FROM notes").await;
                    assert_eq!(now % 2, 0, "half a transaction was seen");
                    assert!(now >= before, "time went backwards");
                    before = now;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in readers {
        task.await.unwrap();
    }
    writer.await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 200);
}

#[tokio::test]
async fn a_writer_that_does_not_end_makes_others_busy() {
    let config = Config {
        acquire_timeout: Duration::from_millis(50),
        ..Config::default()
    };
    let (_folder, db) = with(&config);
    db.migrate(NOTES).await.unwrap();
    let tx = db.begin().await.unwrap();
    let busy = db.execute("DELETE FROM notes", []).await;
    assert!(matches!(busy, Err(Error::Busy)), "{busy:?}");
    assert!(matches!(db.begin().await, Err(Error::Busy)));
    // Readers are not blocked.
    assert_eq!(number(&db, "SELECT count(*) FROM authors").await, 2);
    drop(tx);
    // Another thread rolls it back.
    wait_until("the writer is free", async || {
        db.execute("DELETE FROM notes", []).await.is_ok()
    })
    .await;
}

/// On one thread, other tasks run while it reads; on their own task, they would wait for its end.
#[tokio::test]
async fn a_long_read_ends_and_holds_nobody_up() {
    let config = Config {
        statement_timeout: PATIENCE,
        ..Config::default()
    };
    let (_folder, db) = with(&config);
    let reads = tokio::spawn({
        let db = db.clone();
        async move { db.query(ENDLESS, []).await.map(|_| ()) }
    });
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!reads.is_finished());
    reads.abort();
    assert_eq!(number(&db, LONG).await, 300_000);
}

#[tokio::test]
async fn a_read_that_does_not_end_is_stopped() {
    let config = Config {
        statement_timeout: Duration::from_millis(50),
        long_reads: 1,
        ..Config::default()
    };
    let (_folder, db) = with(&config);
    let stopped = db.query(ENDLESS, []).await;
    assert!(matches!(stopped, Err(Error::TimedOut)), "{stopped:?}");
    assert_eq!(number(&db, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_reader_who_leaves_takes_the_question_along() {
    let config = Config {
        statement_timeout: PATIENCE,
        long_reads: 1,
        acquire_timeout: PATIENCE,
        ..Config::default()
    };
    let (_folder, db) = with(&config);
    let left = tokio::time::timeout(Duration::from_millis(50), db.query(ENDLESS, [])).await;
    assert!(left.is_err());
    // The only thread for long reads is free again.
    assert_eq!(number(&db, LONG).await, 300_000);
}

#[tokio::test]
async fn many_long_reads_wait_for_each_other() {
    let config = Config {
        long_reads: 2,
        ..Config::default()
    };
    let (_folder, db) = with(&config);
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { number(&db, LONG).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 300_000);
    }
}

#[tokio::test]
async fn two_processes_may_share_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.sqlite");
    let one = Db::open(&path, &Config::default()).unwrap();
    let two = Db::open(&path, &Config::default()).unwrap();
    let (first, second) = tokio::join!(one.migrate(NOTES), two.migrate(NOTES));
    assert_eq!(
        first.unwrap().len() + second.unwrap().len(),
        1,
        "applied once"
    );
    for _ in 0..20 {
        let sql = "INSERT INTO notes (author, title) VALUES (1, 'x')";
        let (first, second) = tokio::join!(one.execute(sql, []), two.execute(sql, []));
        assert_eq!(first.unwrap() + second.unwrap(), 2);
    }
    assert_eq!(number(&one, "SELECT count(*) FROM notes").await, 40);
}
