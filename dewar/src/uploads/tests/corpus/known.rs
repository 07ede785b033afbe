//! Files that Dewar answers wrongly today. The tests print them, and fail when an answer becomes right.

/// A wrong answer, and why it stays for now.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) file: &'static str,
    pub(super) got: &'static str,
    pub(super) reason: &'static str,
}

const fn fault(file: &'static str, got: &'static str, reason: &'static str) -> Fault {
    Fault { file, got, reason }
}

/// Honest files that are refused.
#[rustfmt::skip]
pub(super) const REFUSED: &[Fault] = &[
    fault("csv/cp437.csv", "refused: control_character", "the encodings of DOS are in no list of the Web"),
    fault("csv/utf-32-bom.csv", "refused: control_character", "no program of today writes UTF-32"),
    fault("txt/cp850.txt", "refused: control_character", "the encodings of DOS are in no list of the Web"),
    fault("txt/iso-2022-jp.txt", "refused: control_character", "it needs escape characters"),
];

/// Honest files that are taken under the name of another kind.
pub(super) const FOREIGN_NAMES: &[Fault] = &[];

/// Honest pictures that are not encoded again.
pub(super) const NOT_ENCODED: &[Fault] = &[];

/// Whether an honest file is refused under its own name.
pub(super) fn is_refused(file: &str) -> bool {
    REFUSED.iter().any(|fault| fault.file == file)
}
