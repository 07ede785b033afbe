//! Several nodes on one database: each has its name alone.

use std::path::Path;

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::watch;
use tower::Service as _;

use super::app;
use crate::app::health::Health;
use crate::app::launch::LaunchPurpose;
use crate::app::{Dewar, background, commands};
use crate::audit::{Entry, Event, NodeName};
use crate::database::tests::servers::{self, Server};
use crate::database::{Config, Db, Location};

fn url(server: &Server) -> String {
    format!("postgres://dewar@localhost:{}/postgres", server.port)
}

/// The settings of a node: the server, and keys that all nodes share.
fn settings(server: &Server, node: &str) -> Vec<(&'static str, String)> {
    let keys = server.folder.path().join("keys.toml");
    let password = server.password_file();
    vec![
        ("DEWAR_DATABASE_URL", url(server)),
        (
            "DEWAR_DATABASE_PASSWORD_FILE",
            password.display().to_string(),
        ),
        ("DEWAR_SECRETS_FILE", keys.display().to_string()),
        ("DEWAR_NODE", node.to_owned()),
    ]
}

fn program(data: &Path, server: &Server, (node, line): (&str, &[&str])) -> crate::App {
    let settings = settings(server, node);
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    app(data, line, &settings)
}

fn connected(server: &Server) -> Db {
    let Some(Location::Postgres(mut place)) = Location::parse(&url(server)) else {
        panic!("the address is refused");
    };
    place.address.password_file = Some(server.password_file());
    Db::connect(&place, &Config::default())
}

/// The key that all nodes share.
async fn make_key(data: &Path, server: &Server) {
    let command = program(data, server, ("web-1", &["keys", "new"]));
    commands::run_with(command, std::io::empty()).await.unwrap();
}

/// Cuts the connections that hold names.
async fn cut(db: &Db) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(db.query(sql, []).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_with_the_name_of_a_node_does_not_start() {
    let Some(server) = servers::postgres() else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let data = |name: &str| root.path().join(name);
    let serve = |place: &str, node| program(&data(place), &server, (node, &[])).start();
    make_key(&data("one"), &server).await;
    let first = serve("one", "web-1").await.unwrap();
    let refused = format!("{:?}", serve("two", "web-1").await.unwrap_err());
    for part in ["audit-node-in-use", "`web-1`", "DEWAR_NODE"] {
        assert!(refused.contains(part), "{part} is not in: {refused}");
    }
    // A command beside the program of its node is not a second program.
    let command = program(
        &data("one"),
        &server,
        ("web-1", &["users", "sign-out", "--all"]),
    );
    commands::run_with(command, std::io::empty()).await.unwrap();
    let second = serve("two", "web-2").await.unwrap();
    let db = connected(&server);
    let running = async || {
        let nodes = db.nodes().await.unwrap();
        let told = nodes.iter().map(|node| (node.name.clone(), node.running));
        told.collect::<Vec<_>>()
    };
    let both = |one, two| {
        [
            ("web-1".to_owned(), Some(one)),
            ("web-2".to_owned(), Some(two)),
        ]
    };
    assert_eq!(running().await, both(true, true));
    let named = |name| NodeName::parse(name).unwrap();
    for (old, new) in [("web-1", "web-3"), ("web-9", "web-1")] {
        let why = db.rename_node(&named(old), &named(new)).await.unwrap_err();
        assert!(why.to_string().contains("stop it first"), "{why}");
    }
    first.stop().await.unwrap();
    assert_eq!(running().await, both(false, true));
    let rename = program(
        &data("two"),
        &server,
        ("web-2", &["nodes", "rename", "web-1", "web-3"]),
    );
    commands::run_with(rename, std::io::empty()).await.unwrap();
    // Its log continues under the new name, and the database still knows where it ended.
    let first = serve("one", "web-3").await.unwrap();
    let log = first.dewar().log().latest(100, None).await.unwrap();
    assert!(
        log.iter().all(|entry| entry.event != "audit_mismatch"),
        "{log:?}"
    );
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

async fn readyz(dewar: &Dewar) -> (StatusCode, String) {
    let (_stop, stopped) = watch::channel(());
    let request = Request::get("/readyz").body(()).unwrap();
    let response = Health::new(dewar, None, stopped)
        .call(request)
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let text = body.collect().await.unwrap().to_bytes();
    (head.status, String::from_utf8(text.to_vec()).unwrap())
}

async fn conflicts(dewar: &Dewar) -> Vec<String> {
    dewar.log().record(Entry::new(Event::SysStartup));
    let latest = dewar.log().latest(100, None).await.unwrap();
    let conflicts = latest
        .into_iter()
        .filter(|entry| entry.event == "audit_node_conflict");
    conflicts.filter_map(|entry| entry.outcome).collect()
}

/// The connection that holds the name is lost, for instance because the server was restarted.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_again_and_one_that_another_program_took_is_said() {
    let Some(server) = servers::postgres() else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    make_key(data.path(), &server).await;
    let (mut plan, ..) = program(data.path(), &server, ("web-1", &[])).plan();
    plan.purpose = LaunchPurpose::Serve;
    let dewar = plan.open().await.unwrap().dewar;
    let db = connected(&server);
    let end = async || db.audit_end(dewar.log().node()).await.unwrap();
    assert_eq!(readyz(&dewar).await, (StatusCode::OK, "ok\n".to_owned()));

    cut(&db).await;
    background::keep_name(&dewar).await;
    assert_eq!(readyz(&dewar).await.0, StatusCode::OK);
    assert_eq!(conflicts(&dewar).await, Vec::<String>::new());

    cut(&db).await;
    let other = db.take_name(dewar.log().node()).await.unwrap().unwrap();
    for _ in 0..3 {
        background::keep_name(&dewar).await;
        let not_ready = (StatusCode::SERVICE_UNAVAILABLE, "node\n".to_owned());
        assert_eq!(readyz(&dewar).await, not_ready);
    }
    assert_eq!(conflicts(&dewar).await, ["taken"]);
    let before = end().await;
    background::end_log(&dewar).await;
    assert_eq!(end().await, before, "it is the other program's record");

    other.release().await;
    background::keep_name(&dewar).await;
    assert_eq!(readyz(&dewar).await.0, StatusCode::OK);
    assert_eq!(conflicts(&dewar).await, ["given back", "taken"]);
    background::end_log(&dewar).await;
    assert_ne!(end().await, before);
    dewar.rooms().node.release().await;
}
