//! A file of no known kind: Dewar stores it if it is neither a program nor a page.

use std::io::{Read, Seek};

use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::text;

/// The first bytes of programs: ELF, Windows and DOS, Mach-O, Java and Mach-O of several processors, WebAssembly, Android, a
/// Windows shortcut, a compiled help file, an encoded script.
const PROGRAMS: [&[u8]; 12] = [
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"\0asm",
    b"dex\n",
    b"L\0\0\0\x01\x14\x02\0",
    b"ITSF",
    b"#@~^",
];

/// The tags by which a browser takes a file without a type for a page (MIME Sniffing, section 7.1), and XML.
const PAGES: [&str; 18] = [
    "<!doctype html",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a",
    "<style",
    "<title",
    "<b",
    "<body",
    "<br",
    "<p",
    "<!--",
    "<?xml",
];

/// # Errors
/// The file is a program, a script or a page, or cannot be read.
pub(crate) fn look(file: &mut (impl Read + Seek)) -> Result<(), RecognitionError> {
    file.rewind()?;
    let mut head = Vec::new();
    file.take(8 * 1024).read_to_end(&mut head)?;
    if PROGRAMS.iter().any(|start| head.starts_with(start)) {
        return Err(UploadRejection::Active { what: "a program" }.into());
    }
    if is_page(&beginning(&head)) {
        return Err(UploadRejection::Page.into());
    }
    Ok(file.rewind()?)
}

/// The first bytes as text, in the encoding of their byte order mark or of their NULs.
fn beginning(head: &[u8]) -> String {
    let wide = |decode: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = head
            .as_chunks()
            .0
            .iter()
            .map(|pair| decode(*pair))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match head {
        [0xff, 0xfe, ..] | [b'<' | b'#' | b' ' | b'\n', 0, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, b'<' | b'#' | b' ' | b'\n', ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8_lossy(head).into_owned(),
    }
}

fn is_page(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    let ends = |after: &str| {
        after.is_empty() || after.starts_with([' ', '>', '\t', '\n', '\r', '\u{c}', '/'])
    };
    text::is_page(text)
        || PAGES.iter().any(|tag| {
            let after = lower.strip_prefix(tag);
            after.is_some_and(|after| matches!(*tag, "<!--" | "<?xml") || ends(after))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(bytes: &[u8]) -> Result<(), &'static str> {
        match look(&mut std::io::Cursor::new(bytes)) {
            Ok(()) => Ok(()),
            Err(RecognitionError::Refused(refused)) => Err(refused.word()),
            Err(RecognitionError::Io(_)) => Err("io"),
        }
    }

    /// ASVS: V5.2.2
    #[test]
    fn programs_and_pages_are_refused_in_any_dress() {
        for program in PROGRAMS {
            assert_eq!(
                looked(&[program, &[7; 40]].concat()),
                Err("active_content"),
                "{program:?}"
            );
        }
        for page in PAGES {
            let page = format!("\u{feff}\n {} x", page.to_ascii_uppercase());
            assert_eq!(looked(page.as_bytes()), Err("page"), "{page}");
            let units: Vec<u16> = page.encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            assert_eq!(looked(&little), Err("page"), "{page}");
            assert_eq!(looked(&big), Err("page"), "{page}");
            assert_eq!(
                looked(little.get(4..).unwrap()),
                Err("page"),
                "no mark: {page}"
            );
        }
        for page in [
            "#!/bin/sh",
            "<?php x",
            "<svg onload=x>",
            "<s:svg xmlns:s='x'/>",
        ] {
            assert_eq!(looked(page.as_bytes()), Err("page"), "{page}");
        }
    }

    #[test]
    fn data_of_any_kind_are_taken() {
        for data in [
            b"key: value\n".as_slice(),
            b"\0\x01\x02\xff",
            b"<ada@example.org>",
            b"<3",
            b"SQLite format 3\0",
            b"%!PS",
        ] {
            assert_eq!(looked(data), Ok(()), "{data:?}");
        }
    }
}
