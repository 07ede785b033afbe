//! The parts that only a server has: roles, TLS, lost connections, and writers side by side.

use std::time::Duration;

use super::*;
use crate::database::db::Backend;
use crate::database::{Location, PostgresServer, ServerTls};

use super::servers::{self, Server};

/// A server that has started up.
async fn running() -> Option<Server> {
    let server = servers::postgres()?;
    let db = connected(&place(&server, "dewar", "public"));
    while let Err(error) = db.query("SELECT 1", []).await {
        assert!(error.to_string().contains("starting up"), "{error}");
        tokio::task::yield_now().await;
    }
    Some(server)
}

fn place(server: &Server, user: &str, schema: &str) -> PostgresServer {
    let port = server.port;
    let url = format!("postgres://{user}@localhost:{port}/postgres?schema={schema}");
    let Some(Location::Postgres(mut place)) = Location::parse(&url) else {
        panic!("{url} is refused");
    };
    place.address.password_file = Some(server.password_file());
    *place
}

fn connected(place: &PostgresServer) -> Db {
    Db::connect(place, &Config::default())
}

/// A connection of which Dewar knows nothing.
async fn bare_client(server: &Server, user: &str) -> tokio_postgres::Client {
    let mut config = tokio_postgres::Config::new();
    config
        .host("localhost")
        .port(server.port)
        .user(user)
        .dbname("postgres")
        .password(servers::PASSWORD)
        .options("-c search_path=notes");
    let (client, io) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(io);
    client
}

/// Statements that only the owner of the server may run.
async fn as_owner(server: &Server, name: &'static str, sql: &'static str) {
    let db = connected(&place(server, "dewar", "owners"));
    db.migrate(&[Migration::new(name, "").postgres(sql)])
        .await
        .unwrap();
}

/// Anybody could run a server in between, so only a verified certificate counts.
///
/// ASVS: V12.3.2, V12.3.4, V13.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_used_only_with_its_password_and_its_certificate() {
    let Some(server) = running().await else {
        return;
    };
    let local = place(&server, "dewar", "notes");
    assert_eq!(number(&connected(&local), "SELECT 1").await, 1);

    let mut wrong = local.clone();
    let file = server.folder.path().join("wrong");
    std::fs::write(&file, "another password").unwrap();
    wrong.address.password_file = Some(file);
    let refused = connected(&wrong).query("SELECT 1", []).await.unwrap_err();
    let said = format!("{refused} {refused:?}");
    assert!(matches!(refused, Error::Unreachable { .. }), "{said}");
    assert!(!said.contains("another password"), "{said}");

    let mut over_tls = local;
    over_tls.address.tls = ServerTls::Verified;
    let refused = connected(&over_tls).query("SELECT 1", []).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("certificate"), "{said}");
    over_tls.address.ca_file = Some(server.folder.path().join("authority.pem"));
    let encrypted = "SELECT count(*) FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()";
    assert_eq!(number(&connected(&over_tls), encrypted).await, 1);
    over_tls.address.host = crate::database::Host::named("127.0.0.1");
    let refused = connected(&over_tls).query("SELECT 1", []).await;
    assert!(refused.is_err(), "the certificate has another name");
}

/// ASVS: V13.2.2
#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_run_time_changes_rows_and_no_table() {
    let Some(server) = running().await else {
        return;
    };
    as_owner(
        &server,
        "roles_0001",
        "CREATE ROLE portal_owner LOGIN PASSWORD 'only for this test';
         CREATE ROLE portal LOGIN PASSWORD 'only for this test';
         GRANT CREATE ON DATABASE postgres TO portal_owner;",
    )
    .await;
    let mut place = place(&server, "portal", "notes");
    place.migration_user = Some("portal_owner".to_owned());
    place.migration_password_file = Some(server.password_file());
    let db = connected(&place);
    db.migrate(NOTES).await.unwrap();
    db.execute("INSERT INTO notes (author, title) VALUES (1, 'Milk')", [])
        .await
        .unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 1);
    let why = refused(db.execute("DELETE FROM dewar_migrations", []).await);
    assert!(why.contains("dewar_migrations"), "{why}");
    // Even a program that bypasses Dewar's own check.
    let client = bare_client(&server, "portal").await;
    for sql in [
        "CREATE TABLE more (id bigint)",
        "DROP TABLE notes",
        "ALTER TABLE notes ADD more text",
        "TRUNCATE notes",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql RETURN 1",
    ] {
        let refused = client.batch_execute(sql).await.unwrap_err();
        assert_eq!(
            refused.code(),
            Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE),
            "{sql}: {refused}"
        );
    }
    // A second migration, with tables that the role of run time may use at once.
    let more = Migration::new("notes_0002", "CREATE TABLE tags (tag TEXT NOT NULL) STRICT");
    db.migrate(&[NOTES[0], more]).await.unwrap();
    db.execute("INSERT INTO tags (tag) VALUES ('a')", [])
        .await
        .unwrap();
}

/// The tables may come from another program of their owner, such as `database copy`.
///
/// ASVS: V13.2.2
#[tokio::test(flavor = "multi_thread")]
async fn the_role_of_run_time_gets_its_rights_at_each_start() {
    let Some(server) = running().await else {
        return;
    };
    let owner = connected(&place(&server, "dewar", "notes"));
    owner.migrate(NOTES).await.unwrap();
    owner
        .migrate(&[NOTES, super::super::MIGRATIONS].concat())
        .await
        .unwrap();
    as_owner(
        &server,
        "roles_0001",
        "CREATE ROLE portal LOGIN PASSWORD 'only for this test'",
    )
    .await;
    let mut place = place(&server, "portal", "notes");
    place.migration_user = Some("dewar".to_owned());
    place.migration_password_file = Some(server.password_file());
    let db = connected(&place);
    assert!(db.query("SELECT 1 FROM notes", []).await.is_err());
    db.give_access().await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM authors").await, 2);
    assert_eq!(
        db.audit_end(&NodeName::default()).await.unwrap(),
        Remembered::NotYet
    );
    db.remember_audit_end(&NodeName::default(), "one".to_owned())
        .await
        .unwrap();
}

/// `check` tries the migrations, changes nothing, and does not wait for a table that is in use.
#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_tried_and_rolled_back() {
    let Some(server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "notes"));
    db.migrate(NOTES).await.unwrap();
    let column = "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'";
    let good = Migration::new("notes_0002", column);
    let try_it = async |migration| db.rehearse(&[NOTES[0], migration], &[]).await;
    try_it(good).await.unwrap();
    assert_eq!(
        db.migrations_pending(&[NOTES[0], good]).await.unwrap(),
        ["notes_0002"]
    );
    assert!(db.query("SELECT colour FROM notes", []).await.is_err());
    let bad = Migration::new("notes_0002", "ALTER TABLE nothing ADD COLUMN colour TEXT");
    let failed = try_it(bad).await.unwrap_err();
    assert!(
        matches!(&failed, Error::Migration { name, .. } if name == "notes_0002"),
        "{failed}"
    );

    let tx = db.begin().await.unwrap();
    tx.query("SELECT title FROM notes", []).await.unwrap();
    let failed = try_it(good).await.unwrap_err();
    let Error::Migration { source, .. } = &failed else {
        panic!("{failed:?}");
    };
    assert!(matches!(**source, Error::Busy), "{failed:?}");
    tx.rollback().await.unwrap();
    try_it(good).await.unwrap();
}

/// The server bounds each statement of a migration, and Dewar all of them: their locks are held until the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_of_many_slow_statements_is_tried_for_a_bounded_time() {
    let Some(server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "notes"));
    db.migrate(NOTES).await.unwrap();
    let slow = "ALTER TABLE notes ADD COLUMN colour TEXT; SELECT pg_sleep(20); SELECT pg_sleep(20); SELECT pg_sleep(20)";
    let slow = Migration::new("notes_0002", "").postgres(slow);
    let Backend::Postgres(postgres) = db.backend() else {
        panic!("not PostgreSQL");
    };
    let time = Duration::from_secs(1);
    let migrations = [NOTES[0], slow];
    let tried = postgres.rehearse_within(time, &migrations, &[]);
    let failed = tried.await.unwrap_err();
    assert!(matches!(failed, Error::TimedOut), "{failed:?}");
    // Nothing holds the table any more.
    let sql = "SELECT count(*) FROM pg_locks WHERE relation = 'notes'::regclass AND mode = 'AccessExclusiveLock'";
    assert_eq!(number(&db, sql).await, 0);
}

/// A writer that waited for a transaction decides by what that one wrote.
///
/// ASVS: V2.3.3, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_waited_sees_what_was_committed_meanwhile() {
    let Some(server) = running().await else {
        return;
    };
    let place = place(&server, "dewar", "notes");
    let (db, other) = (connected(&place), connected(&place));
    db.migrate(NOTES).await.unwrap();
    // The condition is about another row than the reference, which the server would check anew.
    let add = "INSERT INTO notes (author, title) SELECT 1, 'Late' FROM authors WHERE id = 2 AND name = 'Bob'";
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    for by_statement in [true, false] {
        let tx = db.begin().await.unwrap();
        assert_eq!(tx.query("SELECT 1 FROM notes", []).await.unwrap().len(), 0);
        let late = {
            let other = other.clone();
            tokio::spawn(async move {
                if by_statement {
                    return other.execute(add, []).await;
                }
                let work = |tx: std::sync::Arc<crate::database::Tx>| async move {
                    tx.execute(add, []).await
                };
                other.transaction(work).await
            })
        };
        while number(&db, waiting).await == 0 {
            tokio::task::yield_now().await;
        }
        tx.execute("UPDATE authors SET name = 'Gone' WHERE id = 2", [])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(late.await.unwrap().unwrap(), 0, "{by_statement}");
        assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 0);
        db.execute("UPDATE authors SET name = 'Bob' WHERE id = 2", [])
            .await
            .unwrap();
    }
}

/// The server rolls back, and `COMMIT` alone would not say so.
///
/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_abandoned_statement_failed_is_not_committed() {
    let Some(server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "notes"));
    db.migrate(NOTES).await.unwrap();
    // The statement waits for a lock, so that it is never done before it is abandoned.
    let taken = "INSERT INTO authors (name) SELECT ? WHERE pg_advisory_xact_lock(7) IS NOT NULL";
    db.execute(taken, ["Cleo".into()]).await.unwrap();
    let holder = bare_client(&server, "dewar").await;
    let lock = "SELECT pg_advisory_lock(7)";
    holder.batch_execute(lock).await.unwrap();
    let tx = db.begin().await.unwrap();
    let add = "INSERT INTO authors (name) VALUES (?)";
    tx.execute(add, ["Dan".into()]).await.unwrap();
    let mut abandoned = Box::pin(tx.execute(taken, ["Ada".into()]));
    let sent = std::future::poll_fn(|context| {
        std::task::Poll::Ready(abandoned.as_mut().poll(context).is_pending())
    });
    assert!(sent.await);
    drop(abandoned);
    let unlock = "SELECT pg_advisory_unlock(7)";
    let (committed, unlocked) = tokio::join!(tx.commit(), holder.batch_execute(unlock));
    unlocked.unwrap();
    assert!(committed.is_err(), "{committed:?}");
    assert_eq!(number(&db, "SELECT count(*) FROM authors").await, 3);

    // Nothing is left of a transaction for those inside it.
    let tx = db.begin().await.unwrap();
    let nested = tx.begin_nested().await.unwrap();
    tx.rollback().await.unwrap();
    let late = nested.execute(add, ["Eve".into()]).await;
    assert!(matches!(late, Err(Error::RolledBack)), "{late:?}");
    assert_eq!(number(&db, "SELECT count(*) FROM authors").await, 3);
}

/// ASVS: V2.3.3, V15.4.1, V15.4.2
#[tokio::test(flavor = "multi_thread")]
async fn many_writers_lose_no_update() {
    let Some(server) = running().await else {
        return;
    };
    let config = Config {
        acquire_timeout: Duration::from_secs(60),
        statement_timeout: Duration::from_secs(60),
        ..Config::default()
    };
    let place = place(&server, "dewar", "notes");
    // Two nodes.
    let nodes = [Db::connect(&place, &config), Db::connect(&place, &config)];
    nodes[0].migrate(NOTES).await.unwrap();
    let add = "INSERT INTO notes (author, title) VALUES (1, 'Milk')";
    nodes[0].execute(add, []).await.unwrap();
    let read = "SELECT stars FROM notes WHERE id = 1";
    let write = "UPDATE notes SET stars = ? WHERE id = 1";
    let mut tasks = Vec::new();
    for round in 0..60 {
        let db = nodes[round % 2].clone();
        tasks.push(tokio::spawn(async move {
            match round % 3 {
                0 => {
                    let tx = db.begin().await.unwrap();
                    let stars: i64 = tx.query(read, []).await.unwrap()[0].get(0).unwrap();
                    tokio::task::yield_now().await;
                    tx.execute(write, [(stars + 1).into()]).await.unwrap();
                    tx.commit().await.unwrap();
                }
                1 => {
                    let work = |tx: std::sync::Arc<crate::database::Tx>| async move {
                        let stars: i64 = tx.query(read, []).await?[0].get(0)?;
                        tokio::task::yield_now().await;
                        tx.execute(write, [(stars + 1).into()]).await?;
                        Ok::<_, Error>(())
                    };
                    while let Err(error) = db.transaction(work).await {
                        assert!(matches!(error, Error::Conflict), "{error}");
                    }
                }
                _ => {
                    let one = "UPDATE notes SET stars = stars + 1 WHERE id = 1";
                    while let Err(error) = db.execute(one, []).await {
                        assert!(matches!(error, Error::Conflict), "{error}");
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(number(&nodes[1], read).await, 60);
}

/// Nobody writes beside a transaction that was begun, on any node.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_holds_back_the_writers_of_all_nodes_and_no_reader() {
    let Some(server) = running().await else {
        return;
    };
    let place = place(&server, "dewar", "notes");
    let patient = connected(&place);
    let config = Config {
        statement_timeout: Duration::from_secs(1),
        ..Config::default()
    };
    let hasty = Db::connect(&place, &config);
    patient.migrate(NOTES).await.unwrap();
    let add = "INSERT INTO notes (author, title) VALUES (1, 'Milk')";
    let tx = patient.begin().await.unwrap();
    tx.execute(add, []).await.unwrap();
    let waited = hasty.execute(add, []).await;
    assert!(matches!(waited, Err(Error::Busy)), "{waited:?}");
    let waited = hasty.begin().await;
    assert!(matches!(waited, Err(Error::Busy)), "{waited:?}");
    assert_eq!(number(&hasty, "SELECT count(*) FROM notes").await, 0);
    // Another schema of the same database is another application.
    let mut elsewhere = place.clone();
    elsewhere.schema = Some("other".to_owned());
    let other = Db::connect(&elsewhere, &config);
    other.migrate(NOTES).await.unwrap();
    other.execute(add, []).await.unwrap();
    tx.commit().await.unwrap();
    hasty.execute(add, []).await.unwrap();
    assert_eq!(number(&patient, "SELECT count(*) FROM notes").await, 2);
}

/// ASVS: V16.5.2
#[tokio::test(flavor = "multi_thread")]
async fn after_a_lost_connection_the_next_statement_works() {
    let Some(mut server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "notes"));
    db.migrate(NOTES).await.unwrap();
    let add = "INSERT INTO notes (author, title) VALUES (1, 'Milk')";
    db.execute(add, []).await.unwrap();
    let other = connected(&place(&server, "dewar", "other"));
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    assert!(number(&other, end).await >= 1);
    // A read is asked again; a write is not, because the server may have done it.
    assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 1);
    let written = db.execute(add, []).await;
    let there = if written.is_ok() { 2 } else { 1 };
    assert_eq!(number(&db, "SELECT count(*) FROM notes").await, there);
    db.execute(add, []).await.unwrap();

    let tx = db.begin().await.unwrap();
    tx.execute(add, []).await.unwrap();
    server.end();
    let lost = tx.execute(add, []).await.unwrap_err();
    assert!(lost.is_for_a_moment(), "{lost:?}");
    assert!(tx.commit().await.is_err());
    let lost = db.query("SELECT 1", []).await.unwrap_err();
    assert!(lost.is_for_a_moment(), "{lost:?}");
    assert!(!format!("{lost} {lost:?}").contains(servers::PASSWORD));
}

/// A visitor who leaves does not keep a connection, and the server stops working for nobody.
///
/// ASVS: V13.2.6, V15.1.3
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_statement_is_stopped_and_its_connection_is_used_again() {
    let Some(server) = running().await else {
        return;
    };
    let config = Config {
        max_connections: 2,
        statement_timeout: Duration::from_secs(600),
        acquire_timeout: Duration::from_secs(60),
        ..Config::default()
    };
    let place = place(&server, "dewar", "notes");
    let db = Db::connect(&place, &config);
    let watcher = connected(&place);
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(500)%'
        AND pid <> pg_backend_pid()";
    let endless = {
        let db = db.clone();
        tokio::spawn(async move { db.query("SELECT pg_sleep(500)", []).await.map(drop) })
    };
    while number(&watcher, running).await == 0 {
        tokio::task::yield_now().await;
    }
    endless.abort();
    // The only connection for reading.
    assert_eq!(number(&db, "SELECT 1").await, 1);
    assert_eq!(number(&watcher, running).await, 0);
}

/// Every letter is compared in the same form by both engines.
#[tokio::test(flavor = "multi_thread")]
async fn both_engines_fold_alike() {
    let Some(server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "notes"));
    db.migrate(NOTES).await.unwrap();
    let mut differ = Vec::new();
    let letters: Vec<char> = ('\u{20}'..'\u{3000}')
        .filter(|c| c.is_alphabetic())
        .collect();
    for letters in letters.chunks(500) {
        let text: String = letters.iter().flat_map(|c| [*c, '|']).collect();
        let rows = db
            .query("SELECT fold(?)", [text.as_str().into()])
            .await
            .unwrap();
        let theirs: String = rows[0].get(0).unwrap();
        for (letter, theirs) in letters.iter().zip(theirs.split('|')) {
            // A letter of 2024, which an older server does not know.
            if *letter != '\u{1c89}' && crate::database::fold(&letter.to_string()) != theirs {
                differ.push(*letter);
            }
        }
    }
    assert!(differ.is_empty(), "{differ:?}");
    for text in ["ΟΔΟΣ ΟΔΟΣ", "Straße", "İstanbul", "ŒUVRE"] {
        let rows = db.query("SELECT fold(?)", [text.into()]).await.unwrap();
        assert_eq!(
            rows[0].get::<String>(0).unwrap(),
            crate::database::fold(text),
            "{text}"
        );
    }
}

/// A pooler that mixes the sessions of connections would break locks and settings without a word.
///
/// ASVS: V2.3.3, V13.2.6
#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_is_used_in_the_mode_that_keeps_sessions_apart_and_in_no_other() {
    let Some(server) = running().await else {
        return;
    };
    for mode in ["transaction", "statement", "session"] {
        let Some(pooler) = servers::pgbouncer(&server, mode) else {
            return;
        };
        let mut place = place(&server, "dewar", "notes");
        place.address.port = pooler.port;
        let db = connected(&place);
        let read = db.query("SELECT 1", []).await.map(drop);
        let migrated = connected(&place).migrate(NOTES).await.map(drop);
        if mode == "session" {
            read.unwrap();
            migrated.unwrap();
            assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 0);
            let tx = db.begin().await.unwrap();
            tx.execute("INSERT INTO notes (author, title) VALUES (1, 'a')", [])
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert_eq!(number(&db, "SELECT count(*) FROM notes").await, 1);
            continue;
        }
        for refused in [read, migrated] {
            let said = refused.unwrap_err().to_string();
            assert!(said.contains("`pool_mode = session`"), "{mode}: {said}");
        }
    }
}

/// What was written before the error would stay.
///
/// ASVS: V2.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_returns_what_nobody_can_read_is_refused_before_it_runs() {
    let Some(server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "moments"));
    let table = Migration::new("moments_0001", "").postgres(
        "CREATE TABLE moments (id BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())",
    );
    db.migrate(&[table]).await.unwrap();
    let add = "INSERT INTO moments (id) VALUES (1) RETURNING at";
    let refused = db.query(add, []).await.unwrap_err().to_string();
    assert!(refused.contains("`at` is a `timestamptz`"), "{refused}");
    assert_eq!(number(&db, "SELECT count(*) FROM moments").await, 0);
    let tx = db.begin().await.unwrap();
    let refused = tx.query(add, []).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    drop(tx);
    let tx = db.begin().await.unwrap();
    let add = "INSERT INTO moments (id) VALUES (2) RETURNING CAST(at AS TEXT)";
    assert_eq!(tx.query(add, []).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(number(&db, "SELECT count(*) FROM moments").await, 1);
}

/// The server does not tell what a statement read, and its plan does.
///
/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_would_read_a_growing_table_is_a_finding_here_too() {
    let Some(server) = running().await else {
        return;
    };
    let db = connected(&place(&server, "dewar", "searched"));
    let table = Migration::new(
        "searched_0001",
        "CREATE TABLE searched (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, owner INTEGER NOT NULL) STRICT;
         CREATE INDEX searched_by_owner ON searched (owner, title);",
    );
    let counted = |name| Migration::new(name, "").postgres("ANALYZE searched");
    db.migrate(&[table]).await.unwrap();
    let all = "SELECT id FROM searched WHERE title LIKE ? ORDER BY id LIMIT 20";
    let ask = async || {
        for sql in [
            all,
            "SELECT id FROM searched WHERE owner = 7 AND title LIKE ?",
            "SELECT id FROM (SELECT id, title FROM searched ORDER BY id LIMIT 200) AS few WHERE title LIKE ?",
            "SELECT id FROM searched WHERE title <> ?",
        ] {
            db.query(sql, ["%9%".into()]).await.unwrap();
        }
        db.explain_searches().await.unwrap();
        db.search_findings()
    };
    assert_eq!(ask().await, [], "it is small");
    let fill = "INSERT INTO searched (title, owner) SELECT 'note ' || i, i % 100 FROM generate_series(1, 20000) n (i)";
    db.execute(fill, []).await.unwrap();
    db.migrate(&[table, counted("searched_0002")])
        .await
        .unwrap();
    for _ in 0..2 {
        let found = ask().await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].id, "database-search-unindexed");
        assert!(found[0].title.contains(all) && found[0].why.contains("20000"));
    }
}
