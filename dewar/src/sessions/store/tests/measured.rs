//! CPU of the session check alone, on each store, compared with the same read in plain rusqlite. Run it by hand, with
//! nothing else on the machine: `cargo test --release -p dewar --lib --features redis
//! sessions::store::tests::measured -- --ignored --nocapture`
//!
//! These are the microseconds of the application; the CPU of a server is not included.

use std::hint::black_box;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, header};

use super::super::{StorePlace, open};
use super::PEOPLE;
use crate::audit::{Clock, Log};
use crate::database::{Config as Database, Db, Migration};
use crate::secrets::Token;
use crate::sessions::record::ClientInfo;
use crate::sessions::{Config, MIGRATIONS, Sessions, UserId, read_cookie};

/// CPU of all threads of this process so far.
fn cpu() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let spent = tasks.filter_map(|task| {
        let stat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(spent.sum())
}

/// The median of five rounds.
async fn measure<F: Future<Output = ()>>(name: &str, mut work: impl FnMut(usize) -> F) -> f64 {
    const TIMES: usize = 10_000;
    let mut rounds = Vec::new();
    for _ in 0..5 {
        let (before, started) = (cpu(), Instant::now());
        for turn in 0..TIMES {
            work(turn * 7919 % SESSIONS).await;
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / 10_000.0;
        rounds.push((each(cpu() - before), each(started.elapsed())));
    }
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (cpu, wall) = rounds[2];
    println!("{name:42} {cpu:8.2} µs CPU {wall:8.2} µs");
    cpu
}

const SESSIONS: usize = 1_000;

async fn checked(name: &str, db: &Db, place: &StorePlace, folder: &std::path::Path) -> f64 {
    let clock = Clock::system();
    let log = Log::open(folder.join(format!("{name}.log")), [7; 32], clock.clone()).unwrap();
    let config = Config {
        max_per_user: 100,
        ..Config::default()
    };
    let store = open(place, db).await.unwrap();
    let sessions = Sessions::on(store, db.clone(), config, clock, log);
    let mut requests = Vec::new();
    for number in 0..SESSIONS {
        let user = UserId::new(i64::try_from(number % 20).unwrap() + 1);
        let token = sessions
            .begin(user, 0, &ClientInfo::default())
            .await
            .unwrap();
        let mut headers = HeaderMap::new();
        let cookie = format!("__Host-session={}", token.reveal());
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
        requests.push(headers);
    }
    measure(name, |turn| {
        let asked = sessions.of_request(&requests[turn], None);
        async move {
            assert!(black_box(asked.await.unwrap()).principal().is_some());
        }
    })
    .await
}

/// The same cookie, hash and read without the framework.
async fn bare(path: &std::path::Path) -> f64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut all = connection
        .prepare("SELECT token_hash FROM dewar_sessions")
        .unwrap();
    let hashes: Vec<[u8; 32]> = all
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut headers = HeaderMap::new();
    let cookie = format!("__Host-session={}", Token::new().reveal());
    headers.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
    measure("plain rusqlite, no check", |turn| {
        let token = read_cookie(&headers, "__Host-session").and_then(Token::parse);
        black_box(token.unwrap().hash());
        let mut find = connection
            .prepare_cached(super::super::database::FIND)
            .unwrap();
        let person: (i64, String, String, String) = find
            .query_row([hashes[turn]], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(12)?))
            })
            .unwrap();
        black_box(person);
        async {}
    })
    .await
}

#[tokio::test]
#[ignore = "a measurement"]
async fn the_session_check_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("database.sqlite");
    let db = Db::open(&path, &Database::default()).unwrap();
    let all: Vec<Migration> = [PEOPLE].iter().chain(MIGRATIONS).copied().collect();
    db.migrate(&all).await.unwrap();
    let add = "INSERT INTO dewar_users (id, email, name) VALUES (?1, 'ada@example.org', 'Ada')";
    for id in 1_i64..=20 {
        db.execute(add, [id.into()]).await.unwrap();
    }
    let own = checked("database", &db, &StorePlace::Database, folder.path()).await;
    let bare = bare(&path).await;
    println!("the database beside the bare read: {:.2}", own / bare);
    #[cfg(feature = "redis")]
    for (name, server) in servers() {
        let Some((server, place)) = server else {
            continue;
        };
        let there = checked(name, &db, &place, folder.path()).await;
        println!("{name} beside the database: {:.2}", there / own);
        drop(server);
    }
}

#[cfg(feature = "redis")]
fn servers() -> Vec<(&'static str, Option<(super::servers::Server, StorePlace)>)> {
    vec![("redis", super::elsewhere::own_redis())]
}
