//! Honest files are taken, under every extension of their kind and under no other.

use std::collections::BTreeMap;

use super::{CorpusFile, WrongAnswer, answer, files, in_parallel, known, report};
use crate::uploads::FileKind;
use crate::uploads::kind::Look;
use crate::uploads::policy::{Picture, Policy as _};
use crate::uploads::tests::made::picture;

/// A file of more bytes is a picture of many million pixels, which takes a second. It is answered once.
const LARGE: usize = 90_000;

/// The least number of honest files.
const LEAST: usize = 250;

/// The honest files of the kinds that Dewar knows.
pub(super) fn honest() -> Vec<(CorpusFile, FileKind)> {
    let mut of_no_kind = BTreeMap::<String, usize>::new();
    let mut known = Vec::new();
    for file in files("honest") {
        match FileKind::of_word(file.folder()) {
            Some(kind) => known.push((file, kind)),
            None => *of_no_kind.entry(file.folder().to_owned()).or_default() += 1,
        }
    }
    for (folder, count) in of_no_kind {
        println!("no kind {folder} yet: {count} files");
    }
    known
}

fn wrong(file: &CorpusFile, expected: &str, got: String) -> Option<WrongAnswer> {
    (got != expected).then(|| WrongAnswer {
        file: file.path.clone(),
        expected: expected.to_owned(),
        got,
    })
}

#[test]
fn the_manifest_says_of_every_file_which_program_made_it_and_how() {
    for file in files("honest") {
        let is_said = file.columns.iter().all(|column| !column.is_empty());
        assert!(is_said && file.columns.len() == 2, "{}", file.path);
    }
}

/// ASVS: V5.2.2
#[test]
fn every_honest_file_is_taken() {
    let all = honest();
    assert!(all.len() >= LEAST, "{}", all.len());
    let answers = in_parallel(&all, |(file, kind)| {
        wrong(file, kind.as_str(), answer(&file.bytes, file.name()))
    });
    let wrong: Vec<_> = answers.into_iter().flatten().collect();
    report(&wrong, &known::list("refused"), all.len());
}

/// ASVS: V5.2.2
#[test]
fn an_honest_file_is_taken_under_every_extension_of_its_kind_and_under_no_other() {
    let all: Vec<_> = honest()
        .into_iter()
        .filter(|(file, _)| file.bytes.len() < LARGE && !known::is_refused(&file.path))
        .collect();
    let wrong: Vec<_> = in_parallel(&all, |(file, kind)| under_all_extensions(file, *kind))
        .into_iter()
        .flatten()
        .collect();
    report(&wrong, &known::list("foreign_name"), all.len());
}

fn under_all_extensions(file: &CorpusFile, kind: FileKind) -> Vec<WrongAnswer> {
    let mut wrong = Vec::new();
    for named in FileKind::all().filter(|named| *named == kind || !are_alike(*named, kind)) {
        for extension in named.extensions() {
            let got = answer(&file.bytes, &format!("file.{extension}"));
            let (expected, is_right) = match named == kind {
                true => (kind.as_str(), got == kind.as_str()),
                false => ("refused", got.starts_with("refused: ")),
            };
            if !is_right {
                wrong.push(WrongAnswer {
                    file: format!("{} as .{extension}", file.path),
                    expected: expected.to_owned(),
                    got,
                });
            }
        }
    }
    wrong
}

/// A page can show every honest picture of the policy `Picture`.
///
/// ASVS: V5.2.6
#[test]
fn every_honest_picture_can_be_encoded_again() {
    let all: Vec<_> = honest()
        .into_iter()
        .filter(|(file, kind)| Picture::KINDS.contains(kind) && !known::is_refused(&file.path))
        .collect();
    let answers = in_parallel(&all, |(file, _)| match picture(&file.bytes, file.name()) {
        Ok(_) => None,
        Err(refused) => wrong(file, "a new picture", format!("refused: {refused}")),
    });
    let wrong: Vec<_> = answers.into_iter().flatten().collect();
    report(&wrong, &known::list("not_encoded"), all.len());
}

/// Kinds that share their bytes: texts, MP4 with and without a picture, Matroska and `WebM`.
fn are_alike(one: FileKind, other: FileKind) -> bool {
    one.look() == Look::Text && other.look() == Look::Text
        || matches!(one.look(), Look::Container(_)) && one.look() == other.look()
}
