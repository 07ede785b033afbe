//! Files that Dewar answers wrongly today, from `dewar/tests/corpus/known.tsv`. The tests print them.

/// A wrong answer, and why it stays for now.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) file: String,
    pub(super) got: String,
    pub(super) reason: String,
}

/// The known faults of a list.
pub(super) fn list(name: &str) -> Vec<Fault> {
    let table = std::fs::read_to_string(super::folder("known.tsv")).unwrap();
    let columns = table
        .lines()
        .skip(1)
        .map(|row| row.split('\t').collect::<Vec<_>>());
    columns
        .filter_map(|columns| match columns.as_slice() {
            [list, file, got, reason] => (*list == name).then(|| Fault {
                file: (*file).to_owned(),
                got: (*got).to_owned(),
                reason: (*reason).to_owned(),
            }),
            _ => panic!("{columns:?}"),
        })
        .collect()
}

/// Whether an honest file is refused under its own name.
pub(super) fn is_refused(file: &str) -> bool {
    list("refused").iter().any(|fault| fault.file == file)
}
