//! Checks the table of ASVS 5.0, `docs/asvs.csv`, against the tests that name its rows: `/// ASVS: V1.2.1`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The states of a row in the table. Only `tested` needs a tag; every other one needs a reason.
const STATES: [&str; 5] = [
    "tested",
    "by construction",
    "deployment",
    "not here",
    "not yet",
];

/// The sections that the table lists completely, with the number of their rows in ASVS 5.0.
const SECTIONS: [(&str, usize); 33] = [
    ("V1.1", 2),
    ("V1.2", 10),
    ("V1.3", 12),
    ("V1.4", 3),
    ("V1.5", 3),
    ("V2.1", 3),
    ("V2.2", 3),
    ("V2.3", 5),
    ("V2.4", 2),
    ("V3.3", 5),
    ("V3.4", 8),
    ("V3.5", 8),
    ("V4.1", 5),
    ("V4.2", 5),
    ("V4.4", 4),
    ("V6.5", 8),
    ("V7.1", 3),
    ("V7.2", 4),
    ("V7.3", 2),
    ("V7.4", 5),
    ("V7.5", 3),
    ("V7.6", 2),
    ("V11.1", 4),
    ("V11.2", 5),
    ("V11.3", 5),
    ("V11.4", 4),
    ("V11.5", 2),
    ("V11.6", 2),
    ("V11.7", 2),
    ("V12.1", 5),
    ("V12.2", 2),
    ("V12.3", 5),
    ("V13.3", 4),
];

struct Row {
    level: String,
    state: String,
    why: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The fields of a line of RFC 4180, without line breaks in them.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}

fn table() -> BTreeMap<String, Row> {
    let text = fs::read_to_string(root().join("docs/asvs.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("id,level,requirement,state,why"));
    let mut rows = BTreeMap::new();
    for line in lines {
        let [id, level, requirement, state, why] = fields(line).try_into().unwrap();
        assert!(!requirement.is_empty(), "{id}");
        let before = rows.insert(id.clone(), Row { level, state, why });
        assert!(before.is_none(), "{id} stands twice");
    }
    rows
}

/// The rows that tests name, each with one of the files.
fn tags() -> BTreeMap<String, PathBuf> {
    let mut tags = BTreeMap::new();
    let mut folders = ["portal/tests", "dewar/tests", "dewar/src"]
        .map(|folder| root().join(folder))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let lines = text.lines().map(str::trim_start);
                let named = lines.filter_map(|line| line.strip_prefix("/// ASVS: "));
                for id in named.flat_map(|ids| ids.split(", ")) {
                    tags.insert(id.trim().to_owned(), path.clone());
                }
            }
        }
    }
    tags
}

fn section(id: &str) -> &str {
    id.rsplit_once('.').map_or(id, |(section, _)| section)
}

#[test]
fn every_row_of_the_table_is_tested_or_explained() {
    let (table, tags) = (table(), tags());
    let mut wrong = Vec::new();
    for (id, Row { level, state, why }) in &table {
        if !STATES.contains(&state.as_str()) || !["L1", "L2", "L3"].contains(&level.as_str()) {
            wrong.push(format!("{id}: {level}, {state:?} is none of {STATES:?}"));
        }
        match (state == "tested", tags.get(id)) {
            (true, None) => wrong.push(format!("{id}: no test says `/// ASVS: {id}`")),
            (false, _) if why.is_empty() => wrong.push(format!("{id}: {state}, but why?")),
            (false, Some(path)) if state == "not yet" || state == "not here" => {
                wrong.push(format!("{id}: {state}, but {} tests it", path.display()));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_section_that_the_table_has_is_whole_and_its_tags_name_rows_that_there_are() {
    let table = table();
    let whole: BTreeSet<&str> = SECTIONS.iter().map(|(section, _)| *section).collect();
    for (name, rows) in SECTIONS {
        let ids: Vec<String> = (1..=rows).map(|row| format!("{name}.{row}")).collect();
        let missing: Vec<_> = ids.iter().filter(|id| !table.contains_key(*id)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    for id in table.keys() {
        assert!(
            whole.contains(section(id)),
            "{id} is of no section that is whole"
        );
    }
    for (id, path) in tags() {
        let known = !whole.contains(section(&id)) || table.contains_key(&id);
        assert!(known, "{} names {id}, which there is not", path.display());
    }
}
