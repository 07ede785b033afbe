//! Letters are no signature: texts that begin like another format are texts, and other formats are no texts.

use std::io::Cursor;

use image::ImageFormat;

use super::made::{
    PDF, animated_gif, document, docx, encoded, gzip, odt, ooxml, open_document, recognised, tar,
    two_halves, zip,
};
use super::signatures::{AT_THE_START, LATER};
use crate::uploads::name::FileName;
use crate::uploads::policy::{Bytes, Document, Policy};
use crate::uploads::recognise::{RecognitionError, kind_of};
use crate::uploads::{FileKind, UploadRejection};

/// The kind of a file with these bytes and this name, without a disk.
fn kind(bytes: &[u8], name: &str) -> Result<FileKind, UploadRejection> {
    let name = FileName::parse(name).unwrap();
    match kind_of(&mut Cursor::new(bytes), &name, Document::KINDS, None) {
        Ok(recognised) => Ok(recognised.kind),
        Err(RecognitionError::Refused(refused)) => Err(refused),
        Err(RecognitionError::Io(error)) => panic!("{error}"),
    }
}

macro_rules! sent {
    ($($name:literal),+ $(,)?) => { [$(($name, include_bytes!(concat!("texts/", $name)).as_slice())),+] };
}

/// Files that Dewar once refused as another format.
#[test]
fn texts_that_people_sent_are_texts() {
    let all = sent![
        "ac10.csv",
        "ctrl-z.txt",
        "formfeed.txt",
        "free.txt",
        "html-start.txt",
        "mac.csv",
        "movie.csv",
        "mz.csv",
        "nel.txt",
        "p1.txt",
        "pem.txt",
        "percent.txt",
        "phones.csv",
        "placeholder.csv",
        "srt.txt",
        "true.csv",
        "vcal.txt",
        "wide.txt",
        "xmlfrag.txt",
    ];
    for (name, bytes) in all {
        let claimed = FileKind::of_extension(name.rsplit('.').next().unwrap());
        assert_eq!(document(bytes, name).ok(), claimed, "{name}");
    }
}

/// Numbers that are the same in every run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, most: usize) -> usize {
        // Knuth's MMIX; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// A word that is a signature, and the text before it.
    fn signature(&mut self) -> (String, &'static str) {
        let all = AT_THE_START.len() + LATER.len();
        let number = self.below(all);
        match AT_THE_START.get(number) {
            Some(word) => (String::new(), word),
            None => {
                let (place, word) = LATER[number - AT_THE_START.len()];
                let filling =
                    "Lorem ipsum dolor sit amet, consetetur sadipscing elitr, sed diam nonumy";
                (filling.split_at(place).0.to_owned(), word)
            }
        }
    }
}

const WORDS: &[&str] = &[
    "Anna",
    "Bø",
    "12.50",
    "2027-01-31",
    "",
    "Zürich",
    "0",
    "東京",
    "n/a",
];

#[test]
fn no_text_is_refused_for_the_letters_it_begins_with() {
    let mut numbers = Numbers(2027);
    let mut scripts = 0;
    for _ in 0..10_000 {
        let (before, word) = numbers.signature();
        let end = numbers.of(&["\n", "\r\n", "\r"]);
        let rows = 1 + numbers.below(30);
        let (name, text) = if numbers.below(2) == 0 {
            let separator = numbers.of(&[",", ";", "\t"]);
            let mut text = format!("{before}{word}{}", numbers.of(&["", ">", " No.", "1"]));
            for _ in 0..rows {
                for _ in 0..4 {
                    text = text + separator + numbers.of(WORDS);
                }
                text.push_str(end);
            }
            ("table.csv", text)
        } else {
            let mut text = format!("{before}{word} of last week");
            for _ in 0..rows {
                text = text + " " + numbers.of(WORDS) + numbers.of(&[" ", end]);
            }
            ("notes.txt", text)
        };
        match kind(text.as_bytes(), name) {
            Ok(kind) => assert_eq!(FileKind::of_extension(name.split_at(6).1), Some(kind)),
            // `#!/bin/sh …` and `<html …` in prose are a script or a page by their first words, and no other kind of file.
            Err(UploadRejection::Page) => {
                assert!(
                    word.starts_with("#!/") || matches!(word, "<html" | "<HTML" | "<svg" | "<SVG"),
                    "{name}: {text:?}"
                );
                scripts += 1;
            }
            Err(refused) => panic!("{name}: {refused:?}: {text:?}"),
        }
    }
    assert!(scripts < 600, "{scripts}");
}

/// A policy of the kinds that a file below has.
enum Everything {}

impl Policy for Everything {
    const NAME: &'static str = "everything";
    const KINDS: &'static [FileKind] = &[
        FileKind::Csv,
        FileKind::Docx,
        FileKind::Gif,
        FileKind::Gzip,
        FileKind::Jpeg,
        FileKind::Odp,
        FileKind::Ods,
        FileKind::Odt,
        FileKind::Pdf,
        FileKind::Png,
        FileKind::Pptx,
        FileKind::Tar,
        FileKind::Txt,
        FileKind::Webp,
        FileKind::Xlsx,
        FileKind::Zip,
    ];
    const BYTES: Bytes = Bytes::AsSent;
}

/// One complete file of each of these kinds.
fn every_kind() -> Vec<(FileKind, Vec<u8>)> {
    let picture = |format| encoded(&two_halves(), format);
    vec![
        (FileKind::Csv, b"Name,City\r\nAda,London\r\n".to_vec()),
        (FileKind::Docx, docx(&[])),
        (FileKind::Gif, animated_gif(2)),
        (FileKind::Gzip, gzip(b"text")),
        (FileKind::Jpeg, picture(ImageFormat::Jpeg)),
        (FileKind::Odp, open_document("presentation", &[])),
        (FileKind::Ods, open_document("spreadsheet", &[])),
        (FileKind::Odt, odt(&[])),
        (FileKind::Pdf, PDF.to_vec()),
        (FileKind::Png, picture(ImageFormat::Png)),
        (
            FileKind::Pptx,
            ooxml("presentationml.presentation", "ppt/presentation.xml"),
        ),
        (FileKind::Tar, tar()),
        (FileKind::Txt, b"Dear Ada\n".to_vec()),
        (FileKind::Webp, picture(ImageFormat::WebP)),
        (
            FileKind::Xlsx,
            ooxml("spreadsheetml.sheet", "xl/workbook.xml"),
        ),
        (FileKind::Zip, zip(&[("a.txt", b"text")])),
    ]
}

/// ASVS: V5.2.2
#[test]
fn every_kind_is_taken_under_its_own_names_and_under_no_other() {
    for (kind, bytes) in &every_kind() {
        for named in Everything::KINDS.iter().copied() {
            for extension in named.extensions() {
                let name = format!("file.{extension}");
                let taken = recognised::<Everything>(bytes, &name).map(|(kind, _)| kind);
                let expected = if named == *kind || named.is_text() && kind.is_text() {
                    Ok(named)
                } else if kind.is_text() {
                    Err("unknown_kind")
                } else {
                    Err("extension_disagrees")
                };
                assert_eq!(taken, expected, "{kind} as .{extension}");
            }
        }
    }
}

/// ASVS: V5.2.2
#[test]
fn no_other_format_is_a_text() {
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let whole = [
        ("a program", &program[..100_000]),
        (
            "a gzip",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x01\0\0\xff\xff\0\0\0\0\0\0\0\0",
        ),
        (
            "a Windows program",
            b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0",
        ),
        (
            "an OLE file",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0",
        ),
        ("a Java class", b"\xca\xfe\xba\xbe\0\0\x004"),
        ("WebAssembly", b"\0asm\x01\0\0\0"),
        ("an MP3", b"ID3\x03\0\0\0\0\0\x0f"),
        ("a RAR", b"Rar!\x1a\x07\x01\0"),
    ];
    for (what, bytes) in whole {
        for name in ["a.txt", "a.csv"] {
            assert_eq!(
                kind(bytes, name),
                Err(UploadRejection::UnknownKind),
                "{what}"
            );
        }
    }
}

/// ASVS: V5.2.2
#[test]
fn a_text_that_is_a_pdf_too_is_none() {
    let begins = b"%PDF-1.7, what is new\nNothing.\n";
    assert_eq!(document(begins, "a.txt"), Ok(FileKind::Txt));
    let polyglot = [begins.as_slice(), &PDF[9..]].concat();
    assert_eq!(document(&polyglot, "a.txt"), Err("extension_disagrees"));
    let padded = [polyglot.as_slice(), &[b'\n'; 70_000]].concat();
    assert_eq!(document(&padded, "a.csv"), Err("extension_disagrees"));
}

#[test]
fn a_refusal_names_the_reason_that_is_true() {
    let latin_1 = b"MZ,Mozambique\r\nCI,C\xf4te d'Ivoire\r\n";
    assert_eq!(kind(latin_1, "a.csv"), Ok(FileKind::Csv));
    let utf_16 = b"\xff\xfeA\0d\0a\0\r\0\n\0";
    assert_eq!(kind(utf_16, "a.txt"), Ok(FileKind::Txt));
    let half = b"\xff\xfeA\0d";
    assert_eq!(kind(half, "a.txt"), Err(UploadRejection::NotText));
    // JSON has no other encoding than UTF-8.
    assert_eq!(
        kind(b"{\"city\":\"Z\xfcrich\"}", "a.json"),
        Err(UploadRejection::NotText)
    );
    assert_eq!(
        kind("{\"city\":\"Zürich\"}".as_bytes(), "a.json"),
        Ok(FileKind::Json)
    );
    let bell = b"true,Anna\r\nfalse,\x07Bo\r\n";
    let control = UploadRejection::ControlCharacter {
        character: '\x07',
        line: 2,
    };
    assert_eq!(kind(bell, "a.csv"), Err(control.clone()));
    let text = control.to_string();
    assert!(text.contains("U+0007") && text.contains("line 2"), "{text}");
    assert!(!text.contains("UTF-8"), "{text}");
}

#[test]
fn a_pdf_that_a_device_padded_is_taken() {
    let padded = [PDF, &[0; 80_000]].concat();
    assert_eq!(document(&padded, "scan.pdf"), Ok(FileKind::Pdf));
}
