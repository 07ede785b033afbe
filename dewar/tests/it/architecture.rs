//! The architecture as a test: a room depends only on rooms before it, and every practice's word is in its five places.

use std::fs;
use std::path::{Path, PathBuf};

/// The order of the rooms. A room may use itself and the ones before it.
const ORDER: [&str; 17] = [
    "audit",
    "dependencies",
    "secrets",
    "database",
    "https",
    "sessions",
    "csrf",
    "pages",
    "forms",
    "jobs",
    "uploads",
    "mail",
    "accounts",
    "roles",
    "api",
    "live",
    "app",
];

/// The words of the ten practices.
const WORDS: [&str; 12] = [
    "dependencies",
    "secrets",
    "sessions",
    "https",
    "forms",
    "pages",
    "csrf",
    "accounts",
    "roles",
    "database",
    "uploads",
    "audit",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

/// The rooms that a line of code uses, as `crate::room` or inside `use crate::{room, …}`.
fn named(text: &str) -> Vec<&'static str> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n");
    ORDER
        .into_iter()
        .filter(|room| {
            code.match_indices("crate::").any(|(at, _)| {
                let rest = code.get(at + "crate::".len()..).unwrap_or_default();
                let direct = rest.strip_prefix(room).is_some_and(|after| {
                    !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                });
                let list = rest
                    .strip_prefix('{')
                    .and_then(|list| list.split_once(';'))
                    .is_some_and(|(list, _)| {
                        list.split([',', '{', '}'])
                            .any(|item| item.trim().split("::").next() == Some(*room))
                    });
                direct || list
            })
        })
        .collect()
}

#[test]
fn a_room_leans_only_on_rooms_before_it() {
    let mut wrong = Vec::new();
    for (place, room) in ORDER.iter().enumerate() {
        for file in sources(&root().join("dewar/src").join(room)) {
            let text = fs::read_to_string(&file).unwrap();
            for other in named(&text) {
                if ORDER.iter().position(|room| *room == other).unwrap() > place {
                    wrong.push(format!(
                        "{} leans on `{other}`, which comes after `{room}`",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_arrows_sees_an_arrow() {
    assert_eq!(named("use crate::app::App;"), ["app"]);
    assert_eq!(named("use crate::{audit::Log, forms};"), ["audit", "forms"]);
    assert_eq!(
        named("// crate::app\nuse crate::application;"),
        Vec::<&str>::new()
    );
}

/// The code of a file as the program has it: without comments, and without its tests.
fn program_of(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let program = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = program.lines();
    let code = lines.filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// The files of the rooms, each with its room, without those that are tests.
fn programs() -> Vec<(&'static str, PathBuf, String)> {
    let mut programs = Vec::new();
    for room in ORDER {
        for file in sources(&root().join("dewar/src").join(room)) {
            let is_test = file.components().any(|part| {
                let part = part.as_os_str();
                part == "tests" || part == "tests.rs"
            });
            if !is_test {
                let program = program_of(&file);
                programs.push((room, file, program));
            }
        }
    }
    programs
}

/// Every word of a text that begins with a prefix.
fn words<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(move |c| !is_word(c));
    words.filter(move |word| word.starts_with(prefix) && word.len() > prefix.len())
}

fn place(room: &str) -> usize {
    ORDER.iter().position(|one| *one == room).unwrap()
}

/// Tables that an earlier room reads or writes, each with the reason.
const TABLES_OF_LATER_ROOMS: [(&str, &str); 2] = [
    // One read for each request joins the session with its person and roles; the end of all sessions of a person counts up.
    ("sessions", "dewar_users"),
    ("sessions", "dewar_user_roles"),
];

/// A statement is an arrow too: it names a table of another room.
#[test]
fn a_room_reads_and_writes_tables_of_rooms_before_it() {
    let programs = programs();
    let mut owners = std::collections::BTreeMap::new();
    for (room, _, program) in &programs {
        for made in program.split("CREATE TABLE ").skip(1) {
            let table = made.split(|c: char| c.is_whitespace() || c == '(').next();
            owners.insert(table.unwrap_or_default().to_owned(), *room);
        }
    }
    assert_eq!(owners.get("dewar_users"), Some(&"accounts"), "{owners:?}");
    let mut wrong = Vec::new();
    let mut used = std::collections::BTreeSet::new();
    for (room, file, program) in &programs {
        for table in words(program, "dewar_") {
            let Some(owner) = owners.get(table) else {
                continue;
            };
            if place(owner) <= place(room) {
                continue;
            }
            if TABLES_OF_LATER_ROOMS.contains(&(*room, table)) {
                used.insert((*room, table));
            } else {
                wrong.push(format!("{}: {table} is a table of {owner}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        used.len(),
        TABLES_OF_LATER_ROOMS.len(),
        "one is used no more"
    );
}

/// A path of `super::` that leaves the room is an arrow too.
#[test]
fn no_path_of_super_leaves_its_room() {
    let mut wrong = Vec::new();
    for (room, file, program) in programs() {
        let folder = root().join("dewar/src").join(room);
        let inside = file.strip_prefix(&folder).unwrap();
        let is_page = inside.file_name().is_some_and(|name| name == "mod.rs");
        // The modules between the file and the crate: its room, its folders, and itself.
        let depth = inside.components().count() + usize::from(!is_page);
        let leaves = "super::".repeat(depth);
        let mut rest = program.as_str();
        while let Some(at) = rest.find(&leaves) {
            let named = rest.get(at + leaves.len()..).unwrap_or_default();
            if ORDER
                .iter()
                .any(|other| named.starts_with(&format!("{other}::")))
            {
                wrong.push(format!("{}: {leaves}", file.display()));
            }
            rest = named;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The tools for tests are no part of a program that serves.
#[test]
fn no_room_leans_on_testing() {
    for (_, file, program) in programs() {
        let leans = program.contains("crate::testing") || program.contains("super::testing");
        assert!(!leans, "{} leans on `testing`", file.display());
    }
}

#[test]
fn every_room_is_in_the_order() {
    for entry in fs::read_dir(root().join("dewar/src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // `testing` is for the tests of an application; no room may use it.
        assert!(
            !path.is_dir() || name == "testing" || ORDER.contains(&name.as_str()),
            "{name} is no room"
        );
    }
}

#[test]
fn every_word_is_found_in_its_five_places() {
    let mut missing = Vec::new();
    for word in WORDS {
        let places = [
            format!("dewar/src/{word}/mod.rs"),
            format!("dewar-audit/src/checks/{word}.rs"),
            format!("docs/practices/{word}.md"),
            format!("dewar/tests/it/{word}.rs"),
            format!("portal/tests/it/attacks/{word}.rs"),
        ];
        missing.extend(
            places
                .into_iter()
                .filter(|place| !root().join(place).is_file()),
        );
    }
    assert!(missing.is_empty(), "missing: {missing:#?}");
}

/// All rooms' pages have the same parts: promise, example, and these three headings.
#[test]
fn the_page_of_every_room_has_the_same_parts_in_the_same_order() {
    const HEADINGS: [&str; 3] = [
        "# What it refuses",
        "# How to loosen it",
        "# What the audit asks",
    ];
    for word in WORDS.into_iter().chain(["app", "jobs", "live"]) {
        let text = fs::read_to_string(root().join(format!("dewar/src/{word}/mod.rs"))).unwrap();
        let page: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("//!").map(str::trim))
            .collect();
        let promise = page.first().unwrap();
        assert!(
            promise.starts_with(&format!("**{word}: "))
                && (promise.ends_with(".**") || promise.ends_with("?**")),
            "{word}: {promise}"
        );
        let place = |part: &str| page.iter().position(|line| *line == part);
        let mut before = place("```").unwrap_or_else(|| panic!("{word} has no example"));
        for heading in HEADINGS {
            let at = place(heading).unwrap_or_else(|| panic!("{word} has no `{heading}`"));
            assert!(before < at, "{word}: `{heading}` stands too early");
            before = at;
        }
        let mut in_code = false;
        for line in &page {
            in_code ^= line.starts_with("```");
            let is_heading = !in_code && line.starts_with("# ");
            assert!(!is_heading || HEADINGS.contains(line), "{word}: {line}");
        }
    }
}

#[test]
fn no_source_file_is_over_eight_hundred_lines() {
    for package in [
        "dewar",
        "dewar-macros",
        "dewar-audit",
        "portal",
        "bench",
        "test-servers",
    ] {
        for file in sources(&root().join(package).join("src")) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= 800, "{} has {lines} lines", file.display());
        }
    }
}

/// The documentation promised Windows, where Dewar did not compile.
#[test]
fn the_systems_that_are_promised_are_those_that_it_compiles_for() {
    const SYSTEMS: [(&str, &str); 2] = [("linux", "Linux"), ("macos", "macOS")];
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let library = read("dewar/src/lib.rs");
    let named = SYSTEMS.map(|(name, _)| format!("target_os = \"{name}\""));
    let condition = format!("#[cfg(not(any({})))]\ncompile_error!(", named.join(", "));
    assert!(library.contains(&condition), "{condition}");
    let promise = format!(
        "Dewar runs on {}",
        SYSTEMS.map(|(_, name)| name).join(" and ")
    );
    for file in ["README.md", "dewar/README.md", "dewar/src/lib.rs"] {
        let text = read(file);
        assert!(text.contains(&promise), "{file}");
        for other in ["Windows", "FreeBSD", "OpenBSD"] {
            assert!(!text.contains(other), "{file} speaks of {other}");
        }
    }
}

/// Tests with a timeout of their own. None of them fails because the machine is busy: they give something up after a
/// moment, to see the consequence.
const GIVE_UP: [&str; 4] = [
    "dewar/src/database/tests/concurrency.rs",
    "dewar/src/testing/tests.rs",
    "dewar/src/uploads/tests/stored.rs",
    "portal/tests/it/attacks/https/floods.rs",
];

/// A test that fails on a busy machine teaches people to run it again. `dewar::testing::wait_until` ends early on
/// success, and otherwise waits without a limit.
#[test]
fn no_test_has_a_deadline_of_its_own() {
    let signs = [
        ".elapsed() <",
        "hear(Duration",
        "recv_timeout(",
        "time::timeout(",
    ];
    let mut wrong = Vec::new();
    for package in [
        "dewar",
        "dewar-audit",
        "portal",
        "docs/board",
        "examples/doors",
        "examples/helpdesk",
        "test-servers",
    ] {
        for file in sources(&root().join(package)) {
            let place = file
                .strip_prefix(root())
                .unwrap()
                .to_string_lossy()
                .into_owned();
            let is_test = place.contains("/tests/") || place.ends_with("tests.rs");
            if !is_test || GIVE_UP.contains(&&*place) || place.ends_with("it/architecture.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            let text = text.replace("time::timeout(PATIENCE,", "");
            let found = signs.iter().filter(|sign| text.contains(**sign));
            wrong.extend(found.map(|sign| format!("{place}: `{sign}`")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
