//! Hostile files are refused, for the reason that is true, and under every extension.

use super::{CorpusFile, WrongAnswer, answer, files, in_parallel, known, report};
use crate::uploads::FileKind;
use crate::uploads::kind::Look;

/// The least number of hostile files.
const LEAST: usize = 200;

/// The hostile files whose extension is one of a known kind.
pub(super) fn hostile() -> Vec<CorpusFile> {
    let (known, unknown) = files("hostile")
        .into_iter()
        .partition::<Vec<_>, _>(|file| FileKind::of_extension(file.extension()).is_some());
    for file in unknown {
        println!("no kind for {} yet", file.path);
    }
    known
}

#[test]
fn the_manifest_says_of_every_hostile_file_which_rule_it_breaks() {
    for file in files("hostile") {
        let [words, rule, what] = file.columns.as_slice() else {
            panic!("{}: {:?}", file.path, file.columns);
        };
        assert!(!words.is_empty() && !what.is_empty(), "{}", file.path);
        assert!(
            rule.contains("ASVS V") && rule.contains("CWE-"),
            "{}",
            file.path
        );
    }
}

/// ASVS: V5.2.2, V5.2.3, V5.2.5, V5.3.3, V1.5.1
#[test]
fn every_hostile_file_is_refused_for_the_reason_that_is_true() {
    let all = hostile();
    assert!(all.len() >= LEAST, "{}", all.len());
    let answers = in_parallel(&all, |file| {
        let words = &file.columns[0];
        let got = answer(&file.bytes, file.name());
        let is_right = got
            .strip_prefix("refused: ")
            .is_some_and(|word| words.split('|').any(|right| right == word));
        (!is_right).then(|| WrongAnswer {
            file: file.path.clone(),
            expected: format!("refused: {words}"),
            got,
        })
    });
    let wrong: Vec<_> = answers.into_iter().flatten().collect();
    report(&wrong, &known::list("taken"), all.len());
}

/// ASVS: V5.2.2
#[test]
fn no_hostile_file_is_taken_under_another_extension() {
    let all = hostile();
    let wrong: Vec<_> = in_parallel(&all, under_other_extensions)
        .into_iter()
        .flatten()
        .collect();
    report(&wrong, &known::list("taken_under_another_name"), all.len());
}

fn under_other_extensions(file: &CorpusFile) -> Vec<WrongAnswer> {
    let mut wrong = Vec::new();
    for extension in FileKind::all().flat_map(FileKind::extensions) {
        if *extension == file.extension() {
            continue;
        }
        let is_text = FileKind::of_extension(extension).is_some_and(is_text);
        // Markup and words are harmless as a text, and a picture under its own name.
        let may_be_right = file.columns[0].contains("extension_disagrees");
        if is_text != (file.folder() == "text") || may_be_right && file.folder() != "both" {
            continue;
        }
        let got = answer(&file.bytes, &format!("file.{extension}"));
        if !got.starts_with("refused: ") {
            wrong.push(WrongAnswer {
                file: format!("{} as .{extension}", file.path),
                expected: "refused".to_owned(),
                got,
            });
        }
    }
    wrong
}

fn is_text(kind: FileKind) -> bool {
    kind.look() == Look::Text
}

/// The file that virus scanners agree to find, in pieces so that none finds it here. Only the scanner's daemon refuses it (the
/// tests of the virus scan); without it the file is a text of 68 letters.
#[test]
fn the_test_file_of_virus_scanners_is_a_text_to_dewar_alone() {
    let start = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR";
    let eicar = [start, "STANDARD", "ANTIVIRUS", "TEST", "FILE!$H+H*"].join("-");
    assert_eq!(eicar.len(), 68);
    assert_eq!(answer(eicar.as_bytes(), "eicar.txt"), "txt");
}
