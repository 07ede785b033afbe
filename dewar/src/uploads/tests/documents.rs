//! PDF, DOCX, ODT, TXT and CSV.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::made::{CONTENT_TYPES, PDF, RELS, document, docx, odt, zip};
use crate::uploads::FileKind;

#[test]
fn whole_documents_are_taken_as_what_they_are() {
    assert_eq!(document(PDF, "a.pdf"), Ok(FileKind::Pdf));
    assert_eq!(document(&docx(&[]), "a.docx"), Ok(FileKind::Docx));
    assert_eq!(document(&odt(&[]), "a.odt"), Ok(FileKind::Odt));
    assert_eq!(document(b"a,b\n1,2\n", "a.csv"), Ok(FileKind::Csv));
    assert_eq!(document("Grüße\n".as_bytes(), "a.TXT"), Ok(FileKind::Txt));
}

#[test]
fn the_name_has_to_say_what_the_content_is() {
    assert_eq!(document(PDF, "a.txt"), Err("extension_disagrees"));
    assert_eq!(document(&docx(&[]), "a.pdf"), Err("extension_disagrees"));
    assert_eq!(document(b"only text", "a.pdf"), Err("unknown_kind"));
    assert_eq!(document(b"", "a.txt"), Err("empty"));
    assert_eq!(document(PDF, "a.php.pdf"), Err("active_extension"));
    assert_eq!(document(PDF, "a.pdf.html"), Err("active_extension"));
    assert_eq!(document(PDF, "a.html.pdf"), Ok(FileKind::Pdf));
}

#[test]
fn pages_and_scripts_in_disguise_are_refused() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    assert_eq!(document(svg, "a.png"), Err("unknown_kind"));
    assert!(document(svg, "a.txt").is_err());
    assert!(document(b"<!DOCTYPE html><script>alert(1)</script>", "a.txt").is_err());
    assert!(document(b"  <script>alert(1)</script>", "a.csv").is_err());
    assert!(document(b"#!/bin/sh\nrm -rf /\n", "a.txt").is_err());
    assert_eq!(
        document(b"GIF89a<?php system($_GET['c']); ?>", "a.png"),
        Err("extension_disagrees")
    );
    assert_eq!(
        document(b"\xff\xd8\xff\xe0<?php system($_GET['c']); ?>", "a.jpg"),
        Err("damaged")
    );
    assert_eq!(
        document(b"MZ\x90\0\x03\0\0\0", "a.pdf"),
        Err("unknown_kind")
    );
}

#[test]
fn a_pdf_is_nothing_else_too() {
    let junk = [b"<html>".as_slice(), PDF].concat();
    assert!(document(&junk, "a.pdf").is_err());
    let with_zip = [PDF, &docx(&[])].concat();
    assert!(matches!(
        document(&with_zip, "a.pdf"),
        Err("trailing_data" | "damaged")
    ));
    let with_script = [
        b"%PDF-1.4\n1 0 obj << /OpenAction << /S /JavaScript /JS (x) >> >> endobj\n",
        &PDF[9..],
    ]
    .concat();
    assert_eq!(document(&with_script, "a.pdf"), Err("active_content"));
}

#[test]
fn macros_are_found_whatever_the_file_is_called() {
    let docm = docx(&[("word/vbaProject.bin", b"\xd0\xcf\x11\xe0")]);
    assert_eq!(document(&docm, "a.docx"), Err("active_content"));
    let types = CONTENT_TYPES.replace(
        "wordprocessingml.document.main",
        "ms-word.document.macroEnabled.main",
    );
    assert_eq!(
        document(
            &docx(&[("[Content_Types].xml", types.as_bytes())]),
            "a.docx"
        ),
        Err("active_content")
    );
    let hidden = docx(&[("word/VBAPROJECT.BIN", b"x")]);
    assert_eq!(document(&hidden, "a.docx"), Err("active_content"));
    assert_eq!(
        document(&odt(&[("Basic/Standard/Module1.xml", b"<x/>")]), "a.odt"),
        Err("active_content")
    );
    assert_eq!(
        document(&odt(&[("Scripts/python/x.py", b"x")]), "a.odt"),
        Err("active_content")
    );
    let listener = b"<office:scripts><script:event-listener xlink:href='vnd.sun.star.script:x'/></office:scripts>";
    assert_eq!(
        document(&odt(&[("settings.xml", listener)]), "a.odt"),
        Err("active_content")
    );
}

#[test]
fn embedded_programs_are_refused() {
    for entry in [
        "word/embeddings/oleObject1.bin",
        "word/activeX/activeX1.xml",
        "word/media/setup.exe",
    ] {
        assert_eq!(
            document(&docx(&[(entry, b"x")]), "a.docx"),
            Err("active_content"),
            "{entry}"
        );
    }
    assert_eq!(
        document(&docx(&[("word/embeddings/Sheet1.xlsx", b"x")]), "a.docx"),
        Ok(FileKind::Docx)
    );
}

fn relationship(kind: &str, target: &str) -> Vec<u8> {
    format!(
        "<Relationships><Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}' \
         Target='{target}' TargetMode='&#x45;xternal'/></Relationships>"
    )
    .into_bytes()
}

#[test]
fn a_document_loads_nothing_from_elsewhere() {
    for (kind, target) in [
        ("attachedTemplate", "https://evil.example/t.dotm"),
        ("attachedTemplate", "file://evil.example/share/t.dotx"),
        ("oleObject", "mhtml:https://evil.example/x!x"),
        ("frame", "https://evil.example/"),
        ("image", "file://evil.example/share/a.png"),
    ] {
        let file = docx(&[("word/_rels/settings.xml.rels", &relationship(kind, target))]);
        assert_eq!(
            document(&file, "a.docx"),
            Err("external"),
            "{kind} {target}"
        );
    }
    let link = docx(&[(
        "word/_rels/document.xml.rels",
        &relationship("hyperlink", "https://example.org/"),
    )]);
    assert_eq!(document(&link, "a.docx"), Ok(FileKind::Docx));
    let dtd = docx(&[(
        "word/styles.xml",
        b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
    )]);
    assert_eq!(document(&dtd, "a.docx"), Err("external"));
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let zeros = vec![b' '; 64 * 1024 * 1024];
    let bomb = docx(&[("word/media/a.bin", &zeros)]);
    assert!(bomb.len() < 200_000);
    assert_eq!(document(&bomb, "a.docx"), Err("bomb"));
    let names: Vec<String> = (0..5_000).map(|n| format!("word/media/{n}.png")).collect();
    let many: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), b"".as_slice()))
        .collect();
    assert_eq!(document(&docx(&many), "a.docx"), Err("bomb"));
}

#[test]
fn an_archive_holds_no_paths_and_no_second_file() {
    for entry in [
        "../../etc/cron.d/x",
        "/etc/passwd",
        r"word\..\..\x",
        "c:/x",
        "word/./x",
    ] {
        assert_eq!(
            document(&docx(&[(entry, b"x")]), "a.docx"),
            Err("damaged"),
            "{entry}"
        );
    }
    let before = [b"<html><script>alert(1)</script>".as_slice(), &docx(&[])].concat();
    assert!(document(&before, "a.docx").is_err());
    let after = [docx(&[]).as_slice(), b"<script>alert(1)</script>"].concat();
    assert_eq!(document(&after, "a.docx"), Err("trailing_data"));
    let case = docx(&[("word/DOCUMENT.xml", b"<x/>")]);
    assert_eq!(document(&case, "a.docx"), Err("damaged"));
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let mut bytes = docx(&[("word/document.xmx", b"<other/>")]);
    // The ZIP writer refuses a second entry of one name; an attacker does not.
    let needle = b"word/document.xmx";
    while let Some(at) = bytes
        .windows(needle.len())
        .position(|window| window == needle)
    {
        bytes[at + needle.len() - 1] = b'l';
    }
    assert_eq!(document(&bytes, "a.docx"), Err("damaged"));
}

#[test]
fn what_is_encrypted_is_refused() {
    let mut bytes = docx(&[]);
    // The "encrypted" bit of every local header and central entry.
    for (mark, at) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        for found in 0..bytes.len() - 4 {
            if &bytes[found..found + 4] == mark {
                bytes[found + at] |= 1;
            }
        }
    }
    assert!(matches!(
        document(&bytes, "a.docx"),
        Err("encrypted" | "unknown_kind")
    ));
    let manifest = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
    let file = zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("META-INF/manifest.xml", manifest),
    ]);
    assert_eq!(document(&file, "a.odt"), Err("encrypted"));
}

#[test]
fn a_zip_or_a_spreadsheet_is_no_document() {
    assert_eq!(
        document(&zip(&[("a.txt", b"x")]), "a.docx"),
        Err("unknown_kind")
    );
    let types = CONTENT_TYPES.replace("wordprocessingml.document", "spreadsheetml.sheet");
    assert_eq!(
        document(
            &docx(&[("[Content_Types].xml", types.as_bytes())]),
            "a.docx"
        ),
        Err("damaged")
    );
}

#[test]
fn a_symbolic_link_in_an_archive_is_refused() {
    let mut writer = ZipWriter::new_append(Cursor::new(docx(&[]))).unwrap();
    writer
        .add_symlink("word/media/l", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    writer.flush().unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    assert_eq!(document(&bytes, "a.docx"), Err("damaged"));
}

/// ASVS: V5.2.3
#[test]
fn entries_that_share_their_bytes_are_refused() {
    let mut bytes = docx(&[("word/media/a.bin", b"same"), ("word/media/b.bin", b"same")]);
    let heads: Vec<usize> = (0..bytes.len() - 4)
        .filter(|at| &bytes[*at..at + 4] == b"PK\x01\x02")
        .collect();
    // The last entry begins where the one before it begins, as in bombs that use one body many times.
    let [.., before, last] = heads[..] else {
        panic!("{heads:?}")
    };
    bytes.copy_within(before + 42..before + 46, last + 42);
    assert_eq!(document(&bytes, "a.docx"), Err("bomb"));
}

/// Word requires neither `TargetMode` nor UTF-8.
#[test]
fn what_is_elsewhere_is_found_however_it_is_written() {
    for target in [
        "https://evil.example/t.dotm",
        "file://evil.example/t.dotm",
        r"\\evil.example\share\t.dotm",
    ] {
        let rels = format!(
            "<Relationships><Relationship Id='r1' Type='http://x/attachedTemplate' Target='{target}'/></Relationships>"
        );
        let file = docx(&[("word/_rels/settings.xml.rels", rels.as_bytes())]);
        assert_eq!(document(&file, "a.docx"), Err("external"), "{target}");
    }
    let dtd = "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>";
    let utf_16: Vec<u8> = dtd.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let file = docx(&[("word/styles.xml", &utf_16)]);
    assert_eq!(document(&file, "a.docx"), Err("external"));
}

/// Each file has one sign alone, as a program that hides the others would leave it.
#[test]
fn one_sign_of_a_macro_or_a_control_is_enough() {
    for entry in ["word/vbaData.xml", "word/editdata.mso"] {
        let file = docx(&[(entry, b"<x/>")]);
        assert_eq!(document(&file, "a.docx"), Err("active_content"), "{entry}");
    }
    for kind in [
        "vbaProject",
        "attachedToolbars",
        "control",
        "oleObject",
        "activeXControlBinary",
    ] {
        let rels = format!(
            "<Relationships><Relationship Id='r1' Type='http://x/{kind}' Target='part.xml'/></Relationships>"
        );
        let file = docx(&[("word/_rels/document.xml.rels", rels.as_bytes())]);
        assert_eq!(document(&file, "a.docx"), Err("active_content"), "{kind}");
    }
    for kind in ["activeX+xml", "oleObject", "vbaProject", "vbaData+xml"] {
        let part = format!(
            "<Default Extension='x' ContentType='application/vnd.ms-office.{kind}'/></Types>"
        );
        let types = CONTENT_TYPES.replace("</Types>", &part);
        let file = docx(&[("[Content_Types].xml", types.as_bytes())]);
        assert_eq!(document(&file, "a.docx"), Err("active_content"), "{kind}");
    }
}

#[test]
fn an_archive_has_so_many_entries_and_no_more() {
    let with = |entries: usize| {
        let names: Vec<_> = (2..entries)
            .map(|number| format!("word/{number}.xml"))
            .collect();
        let parts: Vec<_> = names
            .iter()
            .map(|name| (name.as_str(), b"<x/>".as_slice()))
            .collect();
        document(&docx(&parts), "a.docx")
    };
    let usual = zip::ZipArchive::new(Cursor::new(docx(&[]))).unwrap().len();
    assert_eq!(with(4_096 + 2 - usual), Ok(FileKind::Docx));
    assert_eq!(with(4_096 + 2 - usual + 1), Err("bomb"));
}

/// ASVS: V5.2.3
#[test]
fn an_archive_unpacks_to_its_bound_and_no_further() {
    const FREE: usize = 16 * 1024 * 1024;
    let mut usual = zip::ZipArchive::new(Cursor::new(docx(&[]))).unwrap();
    let sizes = (0..usual.len()).map(|index| usual.by_index(index).unwrap().size());
    let usual = usize::try_from(sizes.sum::<u64>()).unwrap();
    for (bytes, found) in [(FREE, Ok(FileKind::Docx)), (FREE + 1, Err("bomb"))] {
        let zeros = vec![0; bytes - usual];
        let file = docx(&[("word/media/a.bmp", &zeros)]);
        assert_eq!(document(&file, "a.docx"), found, "{bytes}");
    }
}

/// One reader ends a text there, another does not.
#[test]
fn a_part_with_a_nul_in_it_is_refused() {
    assert_eq!(
        document(&docx(&[("_rels/.rels", RELS.as_bytes())]), "a.docx"),
        Ok(FileKind::Docx)
    );
    let nul = format!("{RELS}\0");
    assert_eq!(
        document(&docx(&[("_rels/.rels", nul.as_bytes())]), "a.docx"),
        Err("damaged")
    );
}

/// Dewar holds such a part in memory as a whole.
#[test]
fn a_part_that_is_read_as_a_whole_has_a_bound_of_its_own() {
    let types = CONTENT_TYPES.to_owned() + &" ".repeat(5 * 1024 * 1024);
    let file = docx(&[("[Content_Types].xml", types.as_bytes())]);
    assert_eq!(document(&file, "a.docx"), Err("bomb"));
}

/// A reader that searches for the last record of matching length finds the real one, with a comment; the record that
/// Dewar examined is the comment.
///
/// ASVS: V5.2.2
#[test]
fn an_archive_whose_last_record_is_the_comment_of_another_is_refused() {
    let plain = docx(&[]);
    assert_eq!(document(&plain, "a.docx"), Ok(FileKind::Docx));
    let (entries, record) = plain.split_at(plain.len() - 22);
    let with_comment = |length: u8, comment: &[u8]| {
        let mut real = record.to_vec();
        real[20] = length;
        [entries, &real, comment].concat()
    };
    let mut pretended = record.to_vec();
    pretended[20] = 1;
    let file = with_comment(22, &pretended);
    assert_eq!(document(&file, "a.docx"), Err("trailing_data"));
    let file = with_comment(1, b"x");
    assert_eq!(document(&file, "a.docx"), Err("trailing_data"));
}

/// Readers differ in which of two archives they open, and in where they begin to read (CWE-436).
///
/// ASVS: V5.2.2
#[test]
fn an_archive_begins_with_its_own_first_entry() {
    // The record of the second archive points to the place where the first has its central directory.
    let harmless = docx(&[("word/media/a.bin", b"same")]);
    let macros = docx(&[("word/media/b.bin", b"also")]);
    assert_eq!(harmless.len(), macros.len());
    assert_eq!(document(&harmless, "a.docx"), Ok(FileKind::Docx));
    let two = [harmless.as_slice(), &macros].concat();
    assert_eq!(document(&two, "a.docx"), Err("damaged"));
    // Its offsets are right, and still something stands before it.
    let hidden = zip(&[("word/vbaProject.bin", b"x")]);
    let behind = |before: &[u8]| {
        let mut file = Cursor::new(before.to_vec());
        file.set_position(before.len() as u64);
        let mut writer = ZipWriter::new(file);
        for (name, text) in [
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELS),
            ("word/document.xml", "<x/>"),
        ] {
            writer
                .start_file(name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    assert_eq!(document(&behind(b""), "a.docx"), Ok(FileKind::Docx));
    assert!(behind(&hidden).starts_with(&hidden));
    assert_eq!(document(&behind(&hidden), "a.docx"), Err("damaged"));
}
