//! The page of the auditor says what the checks and the labelled set say.

use std::fmt::Write;
use std::fs;

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/auditor.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_page_lists_every_check() {
    let mut table =
        String::from("| check | practice | severity | CWE | finds |\n|---|---|---|---|---|\n");
    for check in dewar_audit::source::checks() {
        let (id, practice, severity, cwe) = (check.id, check.practice, check.severity, check.cwe);
        writeln!(
            table,
            "| `{id}` | {} | {severity} | {cwe} | {} |",
            practice.as_str(),
            check.what
        )
        .unwrap();
    }
    assert!(
        page().contains(&table),
        "docs/auditor.md should contain:\n{table}"
    );
}

#[test]
fn the_page_has_the_rates_of_the_labelled_set() {
    let mut table =
        String::from("| class | found | missed | false | silent |\n|---|---|---|---|---|\n");
    for (class, [found, missed, wrong, silent]) in super::cases::rates() {
        writeln!(
            table,
            "| {class} | {found} | {missed} | {wrong} | {silent} |"
        )
        .unwrap();
    }
    assert!(
        page().contains(&table),
        "docs/auditor.md should contain:\n{table}"
    );
}
