//! The database stores the end of the audit log, and the start detects a deleted row.

use std::path::Path;

use super::app;
use crate::app::commands;
use crate::audit::{Entry, Event};

async fn verify(data: &Path) -> Result<(), String> {
    let verified = commands::run_with(app(data, &["audit", "verify"], &[]), std::io::empty()).await;
    verified.map_err(|error| format!("{error:?}"))
}

/// The newest mismatch in the log, after another start.
async fn start(data: &Path) -> Option<String> {
    let opened = app(data, &[], &[]).plan().0.open().await.unwrap();
    let log = opened.dewar.log().clone();
    log.record(Entry::new(Event::SysStartup));
    let latest = log.latest(9, None).await.unwrap();
    let mismatch = latest
        .into_iter()
        .find(|entry| entry.event == "audit_mismatch");
    mismatch.and_then(|entry| entry.detail)
}

/// The row was deleted, and neither the start nor `audit verify` noticed.
///
/// ASVS: V16.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_the_logs_end_that_is_absent_is_found() {
    const GONE: &str = "the database does not know where it ends";
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    // A killed program has already stored the end in the database; a database that was only migrated has no end.
    let migrated = commands::run_with(app(&data, &["migrate"], &[]), std::io::empty()).await;
    migrated.unwrap();
    assert_eq!(start(&data).await, None);
    assert_eq!(start(&data).await, None);
    verify(&data).await.unwrap();
    let tables = rusqlite::Connection::open(data.join("database.sqlite")).unwrap();
    let forget = || tables.execute("DELETE FROM dewar_audit_ends", []).unwrap();
    assert_eq!(forget(), 1);
    let found = verify(&data).await.unwrap_err();
    assert!(found.contains(GONE), "{found}");
    assert_eq!(start(&data).await.as_deref(), Some(GONE));
    // Dewar reports it once, and stores the end again.
    verify(&data).await.unwrap();
    assert_eq!(forget(), 1);
    // If the whole log is gone too, the number of entries that were recorded in transactions shows it.
    let counted = "INSERT INTO dewar_audit_waiting (recorded_at, entry) VALUES (1, '')";
    tables.execute(counted, []).unwrap();
    tables
        .execute("DELETE FROM dewar_audit_waiting", [])
        .unwrap();
    std::fs::remove_file(data.join("audit.jsonl")).unwrap();
    std::fs::remove_file(data.join("audit.jsonl.head")).unwrap();
    let found = verify(&data).await.unwrap_err();
    assert!(found.contains(GONE), "{found}");
    assert_eq!(start(&data).await.as_deref(), Some(GONE));
}
