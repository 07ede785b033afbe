//! Generates `docs/proof.md`, the index of what the tests prove, from the names of the tests and their tags `/// ASVS:
//! V1.2.1`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/proof.md";
const PROGRAMS: &str = "dewar/tests/does_not_compile";

/// The headings of the index and the folders of each, the attacks first. If several folders contain a file, the longest
/// path counts, so that a file is under one heading.
const PARTS: [(&str, &[&str]); 18] = [
    (
        "dependencies",
        &[
            "portal/tests/it/attacks/dependencies",
            "dewar/tests/it/dependencies",
            "dewar/src/dependencies",
        ],
    ),
    (
        "secrets",
        &[
            "portal/tests/it/attacks/secrets",
            "dewar/tests/it/secrets",
            "dewar/src/secrets",
        ],
    ),
    (
        "sessions",
        &[
            "portal/tests/it/attacks/sessions",
            "dewar/tests/it/sessions",
            "dewar/src/sessions",
        ],
    ),
    (
        "https",
        &[
            "portal/tests/it/attacks/https",
            "dewar/tests/it/https",
            "dewar/src/https",
        ],
    ),
    (
        "forms",
        &[
            "portal/tests/it/attacks/forms",
            "dewar/tests/it/forms",
            "dewar/src/forms",
        ],
    ),
    (
        "pages",
        &[
            "portal/tests/it/attacks/pages",
            "dewar/tests/it/pages",
            "dewar/tests/it/languages",
            "dewar/tests/it/live",
            "dewar/src/pages",
        ],
    ),
    (
        "csrf",
        &[
            "portal/tests/it/attacks/csrf",
            "dewar/tests/it/csrf",
            "dewar/src/csrf",
        ],
    ),
    (
        "accounts",
        &[
            "portal/tests/it/attacks/accounts",
            "dewar/tests/it/accounts",
            "dewar/src/accounts",
        ],
    ),
    (
        "roles",
        &[
            "portal/tests/it/attacks/roles",
            "dewar/tests/it/roles",
            "dewar/src/roles",
        ],
    ),
    (
        "database",
        &[
            "portal/tests/it/attacks/database",
            "dewar/tests/it/database",
            "dewar/src/database",
        ],
    ),
    (
        "uploads",
        &[
            "portal/tests/it/attacks/uploads",
            "dewar/tests/it/uploads",
            "dewar/src/uploads",
        ],
    ),
    (
        "audit",
        &[
            "portal/tests/it/attacks/audit",
            "dewar/tests/it/audit",
            "dewar/src/audit",
        ],
    ),
    (
        "api",
        &[
            "portal/tests/it/attacks/api",
            "dewar/tests/it/api",
            "dewar/src/api",
        ],
    ),
    ("app", &["dewar/tests/it/app", "dewar/src/app"]),
    ("the portal", &["portal/tests", "portal/src"]),
    ("the auditor", &["dewar-audit/tests", "dewar-audit/src"]),
    ("the book", &["docs/board", "examples/doors"]),
    (
        "the project",
        &[
            "dewar/tests",
            "dewar/src",
            "dewar-macros/src",
            "test-servers/src",
        ],
    ),
];

struct Test {
    name: String,
    asvs: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The tests of one file, in its order.
fn tests(text: &str) -> Vec<Test> {
    let (mut found, mut asvs, mut is_test) = (Vec::new(), Vec::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(ids) = line.strip_prefix("/// ASVS: ") {
            asvs = ids.split(", ").map(str::to_owned).collect();
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line
            .split_once("fn ")
            .filter(|(before, _)| matches!(*before, "" | "async "))
        {
            let name = rest.split(['(', '<']).next().unwrap_or_default().to_owned();
            if std::mem::take(&mut is_test) {
                found.push(Test {
                    name,
                    asvs: std::mem::take(&mut asvs),
                });
            }
            asvs.clear();
        } else if line.starts_with("#[ignore") {
            is_test = false;
        }
    }
    found
}

/// Every file of the folders that has tests, by its path.
fn files() -> BTreeMap<String, Vec<Test>> {
    let mut files = BTreeMap::new();
    let roots = PARTS.iter().flat_map(|(_, folders)| folders.iter());
    let mut folders: Vec<PathBuf> = roots.map(|folder| root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        // A part may be one file without a folder.
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let tests = tests(&fs::read_to_string(&path).unwrap());
                let name = path
                    .strip_prefix(root())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                if !tests.is_empty() && !name.starts_with(PROGRAMS) {
                    files.insert(name, tests);
                }
            }
        }
    }
    files
}

/// The heading of a file, and the index of the folder that contains it.
fn part(file: &str) -> Option<(usize, usize)> {
    let holds = |folder: &str| {
        file.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    };
    let all = PARTS.iter().enumerate().flat_map(|(part, (_, folders))| {
        folders
            .iter()
            .enumerate()
            .map(move |(place, folder)| (folder.len(), part, place, *folder))
    });
    all.filter(|(.., folder)| holds(folder))
        .max()
        .map(|(_, part, place, _)| (part, place))
}

fn sentence(name: &str) -> String {
    name.replace('_', " ")
}

fn programs() -> Vec<String> {
    let entries = fs::read_dir(root().join(PROGRAMS))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let programs = entries.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut names: Vec<String> = programs
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// The whole page.
fn page() -> String {
    let files = files();
    let mut page = String::from(
        "# What the tests prove\n\n\
         This page is made from the tests; `PROOF=overwrite cargo test -p dewar --test it proof` writes it. A test is called after\n\
         what it proves: its name has underscores where this page has blanks. Behind it are the rows of OWASP ASVS 5.0 that it\n\
         covers; [the table of ASVS](asvs.csv) says of each row how it is met. The [practice pages](README.md) say what each room promises.\n",
    );
    let mut by_id: BTreeMap<(u32, u32, u32), Vec<(String, String)>> = BTreeMap::new();
    for (number, (title, _)) in PARTS.iter().enumerate() {
        let mut of_part: Vec<(usize, &String, &Vec<Test>)> = files
            .iter()
            .filter_map(|(file, tests)| {
                part(file)
                    .filter(|(part, _)| *part == number)
                    .map(|(_, place)| (place, file, tests))
            })
            .collect();
        of_part.sort_by_key(|(place, file, _)| (*place, *file));
        let count: usize = of_part.iter().map(|(.., tests)| tests.len()).sum();
        if count == 0 {
            continue;
        }
        writeln!(page, "\n## {title}\n\n{count} tests.").unwrap();
        for (_, file, tests) in of_part {
            writeln!(page, "\n[`{file}`](../{file})").unwrap();
            for Test { name, asvs } in tests {
                let ids = if asvs.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", asvs.join(", "))
                };
                writeln!(page, "- {}{ids}", sentence(name)).unwrap();
                for id in asvs {
                    by_id
                        .entry(numbers(id))
                        .or_default()
                        .push((id.clone(), format!("{} (`{file}`)", sentence(name))));
                }
            }
        }
    }
    let programs = programs();
    writeln!(page, "\n## Programs that do not compile\n\n{} programs in `{PROGRAMS}`, each with the compiler's message beside it.\n", programs.len()).unwrap();
    for name in programs {
        writeln!(page, "- [{}](../{PROGRAMS}/{name}.rs)", sentence(&name)).unwrap();
    }
    page.push_str("\n## By row of ASVS 5.0\n\n| row | tests |\n|---|---|\n");
    for tests in by_id.values() {
        let names: Vec<&str> = tests.iter().map(|(_, test)| test.as_str()).collect();
        writeln!(page, "| {} | {} |", tests[0].0, names.join("; ")).unwrap();
    }
    page
}

/// `V11.2.3` as numbers, for the order.
fn numbers(id: &str) -> (u32, u32, u32) {
    let mut parts = id
        .trim_start_matches('V')
        .split('.')
        .map(|part| part.parse().expect(id));
    (
        parts.next().expect(id),
        parts.next().expect(id),
        parts.next().expect(id),
    )
}

#[test]
fn the_index_of_the_tests_is_what_the_tests_say() {
    let page = page();
    if std::env::var_os("PROOF").is_some_and(|value| value == "overwrite") {
        fs::write(root().join(PAGE), &page).unwrap();
        return;
    }
    let kept = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    let new = page
        .lines()
        .find(|line| !kept.lines().any(|kept| kept == *line));
    let gone = kept
        .lines()
        .find(|line| !page.lines().any(|new| new == *line));
    assert!(
        kept == page,
        "{PAGE} is not what the tests say; run `PROOF=overwrite cargo test -p dewar --test it proof`. The first line that is missing: \
         {new:?}; the first that is too much: {gone:?}"
    );
}
