//! A portal's tables in PostgreSQL, without the framework: by `psql`, whose address `with-postgres` sets in the environment.

use std::process::Command;

use dewar::Db;
use dewar::database::Engine;

use crate::company::steady;

/// The schema of a portal's tables; none if they are in a file.
pub(crate) async fn schema(db: &Db) -> Option<String> {
    if db.engine() == Engine::Sqlite {
        return None;
    }
    let rows = db.query("SELECT CAST(current_schema() AS text)", []);
    rows.await.unwrap()[0].get(0).unwrap()
}

/// Runs statements, and returns what they print: a line for each row.
pub(crate) fn psql(schema: &str, sql: &str) -> String {
    let done = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .arg("-c")
        .arg(format!("SET search_path = {schema}"))
        .args(["-c", sql])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{sql}: {said}");
    String::from_utf8(done.stdout).unwrap()
}

/// All rows that do not change by themselves, and the ids of the files that are leaving.
pub(crate) fn rows(schema: &str) -> (Vec<String>, Vec<String>) {
    let lines = |sql: &str| -> Vec<String> {
        let printed = psql(schema, sql);
        printed.lines().map(str::to_owned).collect()
    };
    let tables = lines(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
            AND tablename NOT LIKE 'dewar_audit_%' ORDER BY 1",
    );
    let leaving = lines("SELECT id FROM dewar_files WHERE state = 'leaving'");
    let each = tables.iter().map(|table| {
        let rows = steady(table);
        format!("SELECT '{table}: ' || CAST(t AS text) FROM {rows} t ORDER BY 1;")
    });
    (lines(&each.collect::<String>()), leaving)
}
