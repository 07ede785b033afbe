//! `audit`: an unsafe application does not start, and nobody can remove an event from the log.

mod marked;

use std::fs;

use super::site::{Site, sign_in};
use dewar::audit::{Log, Settings};
use dewar::secrets::KeyRing;

#[test]
fn every_wrong_setting_is_told_at_once_with_its_fix() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = Settings::read(
        None,
        [
            set("DEWAR_SESSIONS_IDLE", "soon"),
            set("DEWAR_SESSIONS_LIFTIME", "8h"),
        ],
    );
    // An invalid value keeps the default.
    assert_eq!(
        dewar::sessions::Config::read(&settings)
            .limits
            .idle
            .as_secs(),
        30 * 60
    );
    let findings = settings.finish();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.refuses_launch));
    assert!(
        findings
            .iter()
            .any(|finding| finding.fix.contains("DEWAR_SESSIONS_LIFETIME"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_was_changed_is_found() {
    let site = Site::open().await;
    sign_in(
        &site.visitor,
        "nobody@example.org",
        "not the right password",
    )
    .await;
    let file = site.data.path().join("audit.jsonl");
    site.running.stop().await.unwrap();
    let ring = KeyRing::open_or_create(
        &site.data.path().join("keys"),
        dewar::audit::Mode::Development,
    )
    .unwrap();
    assert!(Log::verify_file(&file, ring.chain_keys()).is_ok());
    let log = fs::read_to_string(&file).unwrap();
    assert!(log.contains("authn_login_fail"), "{log}");
    fs::write(
        &file,
        log.replace("authn_login_fail", "authn_login_success"),
    )
    .unwrap();
    assert!(Log::verify_file(&file, ring.chain_keys()).is_err());
}

/// The table states for each event whether the framework records it. The test checks both directions, so that no reader
/// takes an event of the framework's for the application's.
#[test]
fn the_framework_records_what_the_table_says_and_nothing_else() {
    use dewar::audit::{Event, EventSource};
    let mut sources = String::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src"
    ))];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with("audit/event.rs")
            {
                // Code in documentation records nothing.
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next();
                let code = code
                    .unwrap()
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                code.for_each(|line| sources.push_str(line));
            }
        }
    }
    let recorded = |event: &Event| {
        let name = format!("Event::{event:?}");
        sources.match_indices(&name).any(|(at, _)| {
            let after = sources
                .get(at + name.len()..)
                .and_then(|rest| rest.chars().next());
            !after.is_some_and(char::is_alphanumeric)
        })
    };
    let said = Event::ALL
        .iter()
        .filter(|event| event.source() == EventSource::Framework);
    let silent: Vec<&Event> = said.filter(|event| !recorded(event)).collect();
    assert!(silent.is_empty(), "nobody records {silent:?}");
    let others = Event::ALL
        .iter()
        .filter(|event| event.source() != EventSource::Framework);
    let unsaid: Vec<&Event> = others.filter(|event| recorded(event)).collect();
    assert!(
        unsaid.is_empty(),
        "the framework records {unsaid:?}, and the table says that an application does"
    );
    assert!(
        !recorded(&Event::SensitiveRead),
        "the reader of sources finds what is there only"
    );
}

/// The identifiers in a log line that hold a visitor's input, unless they name the line's own field.
fn raw_parts(line: &str) -> Vec<String> {
    const RAW: [&str; 12] = [
        "body",
        "cookie",
        "cookies",
        "headers",
        "parts",
        "password",
        "path",
        "path_and_query",
        "query",
        "request",
        "token",
        "uri",
    ];
    let mut words: Vec<(String, char)> = Vec::new();
    let (mut word, mut quoted, mut escaped) = (String::new(), false, false);
    for character in line.chars().chain([' ']) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if character.is_alphanumeric() || character == '_' => word.push(character),
            _ => {
                if !word.is_empty() {
                    words.push((std::mem::take(&mut word), character));
                }
                if let Some((_, after)) = words.last_mut()
                    && *after == ' '
                {
                    *after = character;
                }
            }
        }
    }
    words
        .into_iter()
        .filter(|(word, after)| *after != '=' && RAW.contains(&word.as_str()))
        .map(|(word, _)| word)
        .collect()
}

/// The text up to the end of an open parenthesis.
fn up_to_its_end(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (1_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(..at).unwrap_or_default();
        }
    }
    text
}

/// No line of the program's log contains a path, query, header or body of a request; a line takes a `LoggablePath`
/// instead.
///
/// ASVS: V16.2.5
#[test]
fn no_line_of_the_log_is_given_what_a_visitor_sent() {
    assert_eq!(raw_parts("%path, \"a\""), ["path"]);
    assert_eq!(raw_parts("?parts.uri.path()"), ["parts", "uri", "path"]);
    assert!(raw_parts("path = %file, request = %id, \"the path of a request\"").is_empty());
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![
        root.join("src"),
        root.join("../portal/src"),
        root.join("../docs/board/src"),
        root.join("../examples/helpdesk/src"),
    ];
    let (mut lines, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for (at, _) in text.match_indices("tracing::") {
                let rest = text.get(at + "tracing::".len()..).unwrap_or_default();
                let level = [
                    "trace!(", "debug!(", "info!(", "warn!(", "error!(", "event!(",
                ];
                let Some(level) = level.iter().find(|level| rest.starts_with(**level)) else {
                    continue;
                };
                let inside = up_to_its_end(rest.get(level.len()..).unwrap_or_default());
                lines += 1;
                let found = raw_parts(inside);
                if !found.is_empty() {
                    wrong.push(format!("{}: {found:?} in {}", path.display(), inside));
                }
            }
        }
    }
    assert!(lines > 50, "only {lines} lines were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
