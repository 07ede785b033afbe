use super::*;

const INSERT: &str = "INSERT INTO notes (author, title) VALUES (1, 'x')";
const COUNT: &str = "SELECT count(*) FROM notes";

#[tokio::test]
async fn others_see_it_when_it_is_committed() {
    let db = notes().await;
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    assert_eq!(
        tx.query(COUNT, []).await.unwrap()[0].get::<i64>(0).unwrap(),
        1
    );
    assert_eq!(number(&db, COUNT).await, 0);
    tx.commit().await.unwrap();
    assert_eq!(number(&db, COUNT).await, 1);
}

/// A value that was read in a transaction stays the same until its end, even before the first write; otherwise another
/// process could change it in between (CWE-367).
///
/// ASVS: V2.3.3, V15.4.2
#[tokio::test]
async fn another_process_does_not_write_while_one_is_open() {
    let (folder, db) = with(&Config::default());
    db.migrate(NOTES).await.unwrap();
    let other = rusqlite::Connection::open(folder.path().join("test.sqlite")).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    let tx = db.begin().await.unwrap();
    assert_eq!(
        tx.query(COUNT, []).await.unwrap()[0].get::<i64>(0).unwrap(),
        0
    );
    let refused = other.execute(INSERT, []).unwrap_err();
    assert_eq!(
        refused.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy)
    );
    tx.commit().await.unwrap();
    assert_eq!(other.execute(INSERT, []).unwrap(), 1);
}

/// The entry is a row of the same transaction: a program that is killed right after the commit has it, and one that
/// rolled back does not.
///
/// ASVS: V16.2.1, V2.3.3
#[tokio::test]
async fn an_entry_of_the_audit_log_is_a_row_of_its_transaction() {
    use crate::audit::{Clock, Entry, Event, Log};
    let db = notes().await;
    let migrations: Vec<_> = NOTES
        .iter()
        .chain(crate::database::MIGRATIONS)
        .copied()
        .collect();
    db.migrate(&migrations).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path().join("audit.jsonl"), [7; 32], Clock::system()).unwrap();
    let entry = || Entry::new(Event::SensitiveUpdate).subject("note 1");
    let tx = db.begin().await.unwrap();
    tx.record(&log, entry()).await.unwrap();
    tx.rollback().await.unwrap();
    assert!(db.audit_waiting(log.node()).await.unwrap().is_empty());
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    tx.record(&log, entry()).await.unwrap();
    tx.commit().await.unwrap();
    // As another process would find it, without the log.
    let waiting = db.audit_waiting(log.node()).await.unwrap();
    let [row] = waiting.as_slice() else {
        panic!("{waiting:?}");
    };
    assert!(
        row.text.contains("sensitive_update") && row.text.contains("note 1"),
        "{}",
        row.text
    );
    let written = log.latest(10, None).await.unwrap();
    assert_eq!(written.len(), 1, "the one that was committed");
    db.audit_written(&[row.row]).await.unwrap();
    assert!(db.audit_waiting(log.node()).await.unwrap().is_empty());
}

/// ASVS: V2.3.3
#[tokio::test]
async fn dropping_it_undoes_it() {
    let db = notes().await;
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    drop(tx);
    // The next statement comes after the rollback.
    db.execute("INSERT INTO notes (author, title) VALUES (2, 'y')", [])
        .await
        .unwrap();
    assert_eq!(number(&db, COUNT).await, 1);
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(number(&db, COUNT).await, 1);
}

#[tokio::test]
async fn a_task_that_is_cancelled_leaves_nothing_behind() {
    let db = notes().await;
    for wait in 0..40 {
        let db = db.clone();
        let task = tokio::spawn(async move {
            let tx = db.begin().await.unwrap();
            for _ in 0..1000 {
                tx.execute(INSERT, []).await.unwrap();
            }
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(std::time::Duration::from_micros(wait * 20)).await;
        task.abort();
    }
    db.execute("INSERT INTO notes (author, title) VALUES (2, 'y')", [])
        .await
        .unwrap();
    assert_eq!(number(&db, COUNT).await, 1);
}

#[tokio::test]
async fn a_nested_one_is_undone_alone() {
    let db = notes().await;
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    let nested = tx.begin_nested().await.unwrap();
    nested.execute(INSERT, []).await.unwrap();
    drop(nested);
    let nested = tx.begin_nested().await.unwrap();
    nested.execute(INSERT, []).await.unwrap();
    nested.commit().await.unwrap();
    assert_eq!(number(&db, COUNT).await, 0);
    tx.commit().await.unwrap();
    assert_eq!(number(&db, COUNT).await, 2);
}

#[tokio::test]
async fn the_outer_one_does_not_commit_over_an_open_nested_one() {
    let db = notes().await;
    let tx = db.begin().await.unwrap();
    let nested = tx.begin_nested().await.unwrap();
    nested.execute(INSERT, []).await.unwrap();
    refused(tx.commit().await);
    assert!(matches!(
        nested.execute(INSERT, []).await,
        Err(Error::RolledBack)
    ));
    assert!(nested.commit().await.is_err());
    assert_eq!(number(&db, COUNT).await, 0);
    db.execute(INSERT, []).await.unwrap();
}

#[tokio::test]
async fn after_a_failed_statement_a_transaction_takes_no_more() {
    let db = notes().await;
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    let taken = "INSERT INTO authors (name) VALUES ('Ada')";
    let failed = tx.execute(taken, []).await;
    assert!(matches!(failed, Err(Error::Unique { .. })));
    let after = tx.execute(INSERT, []).await;
    assert!(matches!(after, Err(Error::RolledBack)), "{after:?}");
    assert!(matches!(tx.commit().await, Err(Error::RolledBack)));
    assert_eq!(number(&db, COUNT).await, 0);

    // Inside a nested one it costs that one alone.
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    let nested = tx.begin_nested().await.unwrap();
    let failed = nested.execute(taken, []).await;
    assert!(matches!(failed, Err(Error::Unique { .. })));
    drop(nested);
    tx.execute(INSERT, []).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(number(&db, COUNT).await, 2);
}

#[tokio::test]
async fn after_a_stopped_write_nothing_more_is_done_in_it() {
    let config = Config {
        statement_timeout: std::time::Duration::from_millis(50),
        ..Config::default()
    };
    let (_folder, db) = with(&config);
    db.migrate(NOTES).await.unwrap();
    let tx = db.begin().await.unwrap();
    tx.execute(INSERT, []).await.unwrap();
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         INSERT INTO notes (author, title) SELECT 1, 'x' FROM n";
    assert!(matches!(
        tx.execute(endless, []).await,
        Err(Error::TimedOut)
    ));
    // SQLite has rolled back; this statement must not be committed alone.
    assert!(matches!(
        tx.execute(INSERT, []).await,
        Err(Error::RolledBack)
    ));
    assert!(matches!(tx.commit().await, Err(Error::RolledBack)));
    assert_eq!(number(&db, COUNT).await, 0);
}

#[tokio::test]
async fn a_deferred_key_that_dangles_undoes_the_commit() {
    let db = Db::temporary().unwrap();
    let sql = "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;
         CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED) STRICT;";
    db.migrate(&[Migration::new("t_0001", sql)]).await.unwrap();
    let tx = db.begin().await.unwrap();
    tx.execute("INSERT INTO b (a) VALUES (1)", [])
        .await
        .unwrap();
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = std::sync::Arc::clone(&done);
    tx.after_commit(move || told.store(true, std::sync::atomic::Ordering::SeqCst));
    assert!(matches!(tx.commit().await, Err(Error::ForeignKey)));
    let done = done.load(std::sync::atomic::Ordering::SeqCst);
    assert!(!done, "what waits for the commit is not done without one");
    db.execute("INSERT INTO a (id) VALUES (1)", [])
        .await
        .unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM b").await, 0);
}

#[tokio::test]
async fn what_waits_for_the_commit_is_done_then_or_never() {
    let db = notes().await;
    let done = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let done = std::sync::Arc::clone(&done);
        move || done.lock().unwrap().push(what)
    };
    let tx = db.begin().await.unwrap();
    tx.after_commit(note("dropped"));
    drop(tx);
    let tx = db.begin().await.unwrap();
    tx.after_commit(note("outer"));
    let nested = tx.begin_nested().await.unwrap();
    nested.after_commit(note("undone alone"));
    nested.rollback().await.unwrap();
    let nested = tx.begin_nested().await.unwrap();
    nested.after_commit(note("nested"));
    nested.commit().await.unwrap();
    // The nested transaction's work now belongs to the outer one, and is not undone with the next nested one.
    let next = tx.begin_nested().await.unwrap();
    next.rollback().await.unwrap();
    assert!(done.lock().unwrap().is_empty(), "nothing is committed yet");
    tx.commit().await.unwrap();
    assert_eq!(*done.lock().unwrap(), ["outer", "nested"]);

    let tx = db.begin().await.unwrap();
    let nested = tx.begin_nested().await.unwrap();
    nested.after_commit(note("undone with the outer one"));
    nested.commit().await.unwrap();
    drop(tx);
    assert_eq!(done.lock().unwrap().len(), 2);
}

/// After the rollback has returned, another process must be able to write at once.
#[tokio::test]
async fn when_a_rollback_is_answered_it_is_done() {
    let (folder, db) = with(&Config::default());
    db.migrate(NOTES).await.unwrap();
    let other = rusqlite::Connection::open(folder.path().join("test.sqlite")).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    for _ in 0..50 {
        let tx = db.begin().await.unwrap();
        tx.execute(INSERT, []).await.unwrap();
        tx.rollback().await.unwrap();
        other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    }
}
