//! The surroundings of the application: headers, TLS, files that are not for visitors, the debugger, other sites' scripts.

use std::sync::PoisonError;

use super::call::{Answer, Call};
use super::engine::{Engine, NOBODY, Stop};
use super::finding::LiveFinding;
use super::passive;
use super::route::Route;
use super::{crawl, inject};

/// The route of what is not found.
pub(super) const NOT_FOUND: &str = "/{}";

/// The first request: whether somebody answers, and how.
pub(super) async fn first(engine: &mut Engine) -> Result<(), Stop> {
    let start = engine.target().start.clone();
    let (answer, at) = engine.follow(NOBODY, &Call::get(&start)).await?;
    if answer.status == 0 {
        return Err(Stop::Dead("the first request was not answered".to_owned()));
    }
    passive::surroundings(engine, &Call::get(&at), &answer);
    let distrust = engine
        .client
        .distrust
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    if let Some(why) = distrust {
        let finding = LiveFinding::of("live-certificate", "*", "*").note(why);
        engine.prove(finding, &Call::get(&at), &answer, "");
    }
    Ok(())
}

/// A file and what it must contain.
struct Exposed {
    path: &'static str,
    is: fn(&Answer) -> bool,
}

const fn file(path: &'static str, is: fn(&Answer) -> bool) -> Exposed {
    Exposed { path, is }
}

fn is_settings(answer: &Answer) -> bool {
    let lines: Vec<&str> = answer
        .text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .take(30)
        .collect();
    let pairs = lines.iter().filter(|line| {
        line.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .trim()
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
    });
    !lines.is_empty() && pairs.count() * 2 > lines.len() && !answer.is_page()
}

fn is_source(answer: &Answer) -> bool {
    inject::is_source(answer)
}

fn is_archive(answer: &Answer) -> bool {
    answer.body.starts_with(b"PK\x03\x04") || answer.body.starts_with(b"\x1f\x8b")
}

fn is_sql(answer: &Answer) -> bool {
    !answer.is_page()
        && ["CREATE TABLE", "INSERT INTO"]
            .iter()
            .any(|word| answer.text.contains(word))
}

fn is_console(answer: &Answer) -> bool {
    answer.text.contains("<title>Interactive Console")
        || answer.text.contains("Console // Werkzeug Debugger")
}

const FILES: [Exposed; 26] = [
    file("/.git/HEAD", |answer| answer.text.starts_with("ref: refs/")),
    file("/.git/config", |answer| answer.text.contains("[core]")),
    file("/.svn/entries", |answer| {
        answer.text.starts_with("12") && !answer.is_page()
    }),
    file("/.hg/requires", |answer| answer.text.contains("revlogv1")),
    file("/.env", is_settings),
    file("/.env.local", is_settings),
    file("/.env.production", is_settings),
    file("/.DS_Store", |answer| {
        answer.body.starts_with(b"\0\0\0\x01Bud1")
    }),
    file("/.htpasswd", |answer| {
        answer.text.contains(":$apr1$") || answer.text.contains(":{SHA}")
    }),
    file("/.ssh/id_rsa", |answer| {
        answer.text.contains("PRIVATE KEY-----")
    }),
    file("/app.py", is_source),
    file("/app.py.bak", is_source),
    file("/main.py", is_source),
    file("/config.py", is_source),
    file("/settings.py", is_source),
    file("/config.php.bak", is_source),
    file("/config.php~", is_source),
    file("/package.json", is_source),
    file("/docker-compose.yml", |answer| {
        answer.text.contains("services:") && !answer.is_page()
    }),
    file("/db.sqlite3", |answer| {
        answer.body.starts_with(b"SQLite format 3")
    }),
    file("/database.db", |answer| {
        answer.body.starts_with(b"SQLite format 3")
    }),
    file("/backup.zip", is_archive),
    file("/backup.tar.gz", is_archive),
    file("/backup.sql", is_sql),
    file("/dump.sql", is_sql),
    file("/actuator/env", |answer| {
        answer.text.contains("\"propertySources\"")
    }),
];

pub(super) async fn run(engine: &mut Engine) -> Result<(), Stop> {
    files(engine).await?;
    console(engine).await?;
    listings(engine).await?;
    cors(engine).await?;
    log(engine).await?;
    let mut missing = Route::new(Call::get(&format!("/{}", engine.marker())), engine.me);
    NOT_FOUND.clone_into(&mut missing.pattern);
    missing.segments = vec![1];
    crawl::add_route(engine, missing);
    Ok(())
}

async fn files(engine: &mut Engine) -> Result<(), Stop> {
    for exposed in FILES {
        let call = Call::get(exposed.path);
        let answer = engine.send(NOBODY, &call).await?;
        if !answer.is_success() || !(exposed.is)(&answer) {
            continue;
        }
        // The same answer to a name that cannot exist says nothing about this one.
        let (folder, name) = exposed.path.rsplit_once('/').unwrap_or_default();
        let other = engine
            .send(NOBODY, &Call::get(&format!("{folder}/zq{name}")))
            .await?;
        if !(other.is_success() && (exposed.is)(&other)) {
            let finding = LiveFinding::of("live-exposed-file", "GET", exposed.path);
            engine.prove(finding, &call, &answer, "");
        }
    }
    Ok(())
}

async fn console(engine: &mut Engine) -> Result<(), Stop> {
    for path in ["/console", "/_debug_toolbar/", "/debug/default/view"] {
        let call = Call::get(path);
        let answer = engine.send(NOBODY, &call).await?;
        if answer.is_success() && is_console(&answer) {
            let finding = LiveFinding::of("live-debugger", "GET", path);
            engine.prove(finding, &call, &answer, "Console");
        }
    }
    Ok(())
}

/// The folders of everything that is served.
async fn listings(engine: &mut Engine) -> Result<(), Stop> {
    let mut folders: Vec<String> = vec![
        "/static/".to_owned(),
        "/uploads/".to_owned(),
        "/files/".to_owned(),
        "/backup/".to_owned(),
    ];
    for route in &engine.routes {
        if let Some((folder, _)) = route
            .call
            .path
            .rsplit_once('/')
            .filter(|(folder, _)| !folder.is_empty())
        {
            folders.push(format!("{folder}/"));
        }
    }
    folders.sort();
    folders.dedup();
    for folder in folders.into_iter().take(40) {
        let call = Call::get(&folder);
        let answer = engine.send(NOBODY, &call).await?;
        let signs = [
            "<title>Index of /",
            "<title>Directory listing for",
            "<h1>Index of",
            "<title>listing directory",
        ];
        if answer.is_success()
            && let Some(sign) = signs.iter().find(|sign| answer.text.contains(**sign))
        {
            let finding = LiveFinding::of("live-directory-listing", "GET", &folder);
            engine.prove(finding, &call, &answer, sign);
        }
    }
    Ok(())
}

/// A page that shows the requests of others.
async fn log(engine: &mut Engine) -> Result<(), Stop> {
    let marker = engine.marker();
    engine
        .send(NOBODY, &Call::get(&format!("/{marker}")))
        .await?;
    let targets: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| route.call.method == "GET" && route.danger.is_none())
        .take(100)
        .cloned()
        .collect();
    for route in targets {
        let answer = engine.send(NOBODY, &route.call).await?;
        if answer.is_success() && answer.text.contains(&marker) {
            let finding = LiveFinding::of("live-exposed-log", "GET", &route.pattern);
            engine.prove(finding, &route.call, &answer, &marker);
        }
    }
    Ok(())
}

/// Another site's script reads answers with the cookies of the user.
async fn cors(engine: &mut Engine) -> Result<(), Stop> {
    let targets: Vec<String> = engine
        .routes
        .iter()
        .filter(|route| route.call.method == "GET" && route.danger.is_none())
        .map(|route| route.call.target())
        .take(20)
        .collect();
    for target in targets {
        for origin in ["https://zqother.example", "null"] {
            let call = Call::get(&target).with_header("Origin", origin);
            let answer = engine.send(engine.me, &call).await?;
            let permits = answer.header("access-control-allow-origin") == origin
                && answer
                    .header("access-control-allow-credentials")
                    .eq_ignore_ascii_case("true");
            if permits {
                let finding = LiveFinding::of("live-cors", "*", "*").at("header", "Origin");
                engine.prove(finding, &call, &answer, "");
                return Ok(());
            }
        }
    }
    Ok(())
}
