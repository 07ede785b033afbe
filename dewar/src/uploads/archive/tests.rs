//! Each construct alone, beside its honest twin.

use std::io::{Cursor, Write as _};

use ::tar::{Builder, EntryType, Header};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::uploads::tests::made::{docx, zip as packed};

fn word(trouble: RecognitionError) -> &'static str {
    match trouble {
        RecognitionError::Refused(refused) => refused.word(),
        RecognitionError::Io(_) => "io",
    }
}

fn zipped(bytes: Vec<u8>) -> Result<(), &'static str> {
    look(ArchiveFormat::Zip, "a.zip", &mut Cursor::new(bytes), None).map_err(word)
}

fn tarred(bytes: Vec<u8>) -> Result<(), &'static str> {
    look(ArchiveFormat::Tar, "a.tar", &mut Cursor::new(bytes), None).map_err(word)
}

fn gzipped(name: &str, bytes: Vec<u8>) -> Result<(), &'static str> {
    look(ArchiveFormat::Gzip, name, &mut Cursor::new(bytes), None).map_err(word)
}

fn one(name: &str, bytes: &[u8]) -> Result<(), &'static str> {
    let found = zipped(packed(&[(name, bytes)]));
    assert_eq!(found, tarred(tar_of(&[(name, bytes)])), "{name}");
    found
}

fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in entries {
        add(&mut builder, name, bytes, EntryType::Regular);
    }
    builder.into_inner().unwrap()
}

fn add(builder: &mut Builder<Vec<u8>>, name: &str, bytes: &[u8], kind: EntryType) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    // `set_path` refuses what an attacker writes.
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn gzip_of(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// ASVS: V5.2.3
#[test]
fn an_old_tar_inside_a_zip_is_an_archive() {
    let old = |name: &str| {
        let mut header = Header::new_old();
        header.set_path(name).unwrap();
        header.set_size(1);
        header.set_mode(0o644);
        header.set_cksum();
        let mut builder = Builder::new(Vec::new());
        builder.append(&header, &b"x"[..]).unwrap();
        zipped(packed(&[("a.tar", &builder.into_inner().unwrap())]))
    };
    assert_eq!(old("a.txt"), Ok(()));
    assert_eq!(old("setup.exe"), Err("archive_program"));
}

/// ASVS: V5.2.3
#[test]
fn an_archive_holds_what_nothing_runs() {
    for (name, bytes) in [
        ("notes/a.txt", &b"MZ,Mozambique"[..]),
        ("a.csv", b"1,2\n"),
        ("data.xml", b"<order/>"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
        ("unknown.dat", &[0, 1, 2, 3, 255]),
        ("empty", b""),
    ] {
        assert_eq!(one(name, bytes), Ok(()), "{name}");
    }
    assert_eq!(one("a.docx", &docx(&[])), Ok(()));
    for (name, bytes, expected) in [
        ("setup.exe", &b"x"[..], "archive_program"),
        ("a/SETUP.EXE", b"x", "archive_program"),
        ("desktop.ini", b"x", "archive_program"),
        ("a.library-ms", b"x", "archive_program"),
        ("run.js", b"x", "archive_program"),
        ("m.docm", b"x", "archive_program"),
        (
            "a.txt",
            b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
            "active_content",
        ),
        (
            "a",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
            "active_content",
        ),
        ("a", b"#!/bin/sh\nrm", "page"),
        ("a.txt", b"<script>alert(1)</script>", "page"),
        (
            "a.doc",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "active_content",
        ),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "active_content"),
    ] {
        assert_eq!(one(name, bytes), Err(expected), "{name}");
    }
    let macros = docx(&[("word/vbaProject.bin", b"x")]);
    assert_eq!(one("a.docx", &macros), Err("active_content"));
    assert_eq!(one("a.png", &macros), Err("active_content"));
}

/// ASVS: V5.2.5, V5.3.3
#[test]
fn a_path_leads_nowhere_else() {
    for name in [
        "../a.txt",
        "/etc/a",
        "a/../../b",
        r"a\b",
        "c:a",
        "a\u{1}b",
        "a/./b",
    ] {
        assert_eq!(one(name, b"x"), Err("archive_path"), "{name}");
    }
    assert_eq!(one("./a/b.txt", b"x"), Ok(()));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer
        .add_symlink("a", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    let link = writer.finish().unwrap().into_inner();
    assert_eq!(zipped(link), Err("archive_path"));
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Char,
        EntryType::Block,
        EntryType::Fifo,
        EntryType::GNUSparse,
        EntryType::new(b'V'),
    ] {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "a", b"", kind);
        assert_eq!(
            tarred(builder.into_inner().unwrap()),
            Err("archive_path"),
            "{kind:?}"
        );
    }
}

#[test]
fn a_name_stands_once() {
    assert_eq!(
        tarred(tar_of(&[("a", b"x"), ("a", b"y")])),
        Err("archive_path")
    );
    assert_eq!(
        tarred(tar_of(&[("a", b"x"), ("./a", b"y")])),
        Err("archive_path")
    );
    assert_eq!(
        tarred(tar_of(&[("a", b"x"), ("A", b"y")])),
        Err("archive_path")
    );
    assert_eq!(
        tarred(tar_of(&[("\u{e9}", b"x"), ("e\u{301}", b"y")])),
        Err("archive_path")
    );
    assert_eq!(
        tarred(tar_of(&[("a", b"x"), ("a/b", b"y")])),
        Err("archive_path")
    );
    assert_eq!(
        tarred(tar_of(&[("a/b", b"x"), ("a", b"y")])),
        Err("archive_path")
    );
    assert_eq!(tarred(tar_of(&[("a/b", b"x"), ("a/c", b"y")])), Ok(()));
    let mut bytes = packed(&[("a.txt", b"x"), ("b.txt", b"y")]);
    for at in 0..bytes.len() - 5 {
        if &bytes[at..at + 5] == b"b.txt" {
            bytes[at] = b'a';
        }
    }
    assert_eq!(zipped(bytes), Err("damaged"));
}

/// Programs that read from the front believe the headers, others the table (CWE-436).
///
/// ASVS: V5.2.2
#[test]
fn the_headers_and_the_table_of_a_zip_agree() {
    let honest = packed(&[("a.txt", b"xxxx"), ("b.txt", b"yyyy")]);
    assert_eq!(zipped(honest.clone()), Ok(()));
    let second = honest.windows(4).rposition(|w| w == b"PK\x03\x04").unwrap();
    for (at, byte, expected) in [
        (second + 30, b'c', "damaged"),
        (second + 8, 0, "damaged"),
        (second + 6, 1, "damaged"),
        (second + 14, 0, "damaged"),
        (second + 18, 99, "damaged"),
        (second + 22, 99, "damaged"),
    ] {
        let mut bytes = honest.clone();
        bytes[at] = byte;
        assert_eq!(zipped(bytes), Err(expected), "{}", at - second);
    }
    // Something between two entries, which only one of them sees.
    let hidden = packed(&[("evil.exe", b"x")]);
    let before = zipped([hidden.as_slice(), &honest].concat());
    assert_eq!(before, Err("damaged"));
    assert_eq!(
        zipped([honest.as_slice(), b"x"].concat()),
        Err("trailing_data")
    );
    let mut commented = honest.clone();
    let end = commented.len() - 2;
    commented[end] = 6;
    assert_eq!(zipped([commented.as_slice(), b"commit"].concat()), Ok(()));
    assert_eq!(
        zipped([commented.as_slice(), b"PK\x05\x06xx"].concat()),
        Err("trailing_data")
    );
    assert_eq!(zipped(packed(&[])), Ok(()));
}

/// A program that packs a stream writes the sizes after the data.
#[test]
fn the_record_after_the_data_of_an_entry_is_right() {
    let whole = packed(&[("a.txt", b"text"), ("b.txt", b"more")]);
    let table = whole.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let second = whole.windows(4).rposition(|w| w == b"PK\x03\x04").unwrap();
    let [checksum, packed_size, size] = [14, 18, 22].map(|at| &whole[second + at..second + at + 4]);
    let with = |record: &[&[u8]]| {
        let record = record.concat();
        let mut bytes = [&whole[..table], &record, &whole[table..]].concat();
        let end = bytes.len() - 6;
        bytes[end] += u8::try_from(record.len()).unwrap();
        zipped(bytes)
    };
    let mark = b"PK\x07\x08";
    let four = [0; 4];
    assert_eq!(with(&[mark, checksum, packed_size, size]), Ok(()));
    assert_eq!(with(&[checksum, packed_size, size]), Ok(()));
    let long = [mark, checksum, packed_size, &four, size, &four];
    assert_eq!(with(&long), Ok(()));
    assert_eq!(with(&[mark, &four, packed_size, size]), Err("damaged"));
    assert_eq!(with(&[mark, checksum, size, &four]), Err("damaged"));
    assert_eq!(with(&[checksum]), Err("damaged"));
    assert_eq!(with(&[&[0; 30]]), Err("damaged"));
}

/// A program with another ZIP library could unpack an entry that this one cannot, and nobody would have examined it.
///
/// ASVS: V5.2.2
#[test]
fn an_entry_is_stored_or_deflated() {
    for (method, expected) in [
        (8, Ok(())),
        (9, Err("damaged")),
        (12, Err("damaged")),
        (14, Err("damaged")),
        (93, Err("damaged")),
        (95, Err("damaged")),
        (98, Err("damaged")),
    ] {
        let mut bytes = packed(&[("a.txt", b"x")]);
        for (mark, at) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
            let found = bytes.windows(4).position(|window| window == mark).unwrap();
            bytes[found + at] = method;
        }
        assert_eq!(zipped(bytes), expected, "{method}");
    }
}

#[test]
fn a_large_archive_has_its_fields() {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().large_file(true);
    writer.start_file("a.txt", options).unwrap();
    writer.write_all(b"x").unwrap();
    assert_eq!(zipped(writer.finish().unwrap().into_inner()), Ok(()));
    // The record for large archives, beside the usual one.
    let honest = packed(&[("a.txt", b"x")]);
    let (body, end) = honest.split_at(honest.len() - 22);
    let (size, offset) = (&end[12..16], &end[16..20]);
    let with = |entries: u8, place: usize| {
        let mut record = b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0".to_vec();
        for field in [&[entries][..], &[entries], size, offset] {
            record.extend_from_slice(field);
            record.extend_from_slice(&vec![0; 8 - field.len()]);
        }
        record.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        record.extend_from_slice(&(place as u64).to_le_bytes());
        record.extend_from_slice(b"\x01\0\0\0");
        zipped([body, &record, end].concat())
    };
    assert_eq!(with(1, body.len()), Ok(()));
    assert_eq!(with(2, body.len()), Err("damaged"));
    assert_eq!(with(1, 0), Err("damaged"));
}

/// ASVS: V5.2.3
#[test]
fn bombs_are_refused_before_they_go_off() {
    let zeros = vec![0; 40 * 1024 * 1024];
    assert_eq!(zipped(packed(&[("a.bmp", &zeros)])), Err("bomb"));
    assert_eq!(gzipped("a.bmp.gz", gzip_of(&zeros)), Err("bomb"));
    assert_eq!(
        gzipped("a.tgz", gzip_of(&tar_of(&[("a.bmp", &zeros)]))),
        Err("bomb")
    );
    let mut nested = packed(&[("a.txt", b"x")]);
    for (depth, expected) in [(1, Ok(())), (2, Ok(())), (3, Ok(())), (4, Err("bomb"))] {
        assert_eq!(zipped(nested.clone()), expected, "{depth}");
        nested = packed(&[("a.zip", &nested)]);
    }
    // The checksum of the table's second entry and its place are those of the first.
    let mut shared = packed(&[("a.txt", b"same"), ("b.txt", b"same")]);
    let heads: Vec<usize> = (0..shared.len() - 4)
        .filter(|at| &shared[*at..at + 4] == b"PK\x01\x02")
        .collect();
    shared.copy_within(heads[0] + 42..heads[0] + 46, heads[1] + 42);
    assert!(zipped(shared).is_err());
    let many: Vec<String> = (0..20_001).map(|number| number.to_string()).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(tarred(tar_of(&many)), Err("bomb"));
}

#[test]
fn what_is_encrypted_is_refused() {
    let mut bytes = packed(&[("a.txt", b"x")]);
    for (mark, at) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        let found = bytes.windows(4).position(|window| window == mark).unwrap();
        bytes[found + at] |= 1;
    }
    assert_eq!(zipped(bytes), Err("encrypted"));
}

#[test]
fn a_tar_says_everything_in_one_way() {
    let facts = |facts: &[u8], kind: EntryType| {
        let mut builder = Builder::new(Vec::new());
        add(&mut builder, "facts", facts, kind);
        add(&mut builder, "a.txt", b"x", EntryType::Regular);
        tarred(builder.into_inner().unwrap())
    };
    let extended = EntryType::XHeader;
    for (bytes, kind, expected) in [
        (&b"14 path=b.txt\n"[..], extended, Ok(())),
        (b"14 path=b.exe\n", extended, Err("archive_program")),
        (b"13 path=../b\n", extended, Err("archive_path")),
        (b"12 size=999\n", extended, Err("damaged")),
        (b"14 linkpath=a\n", extended, Err("archive_path")),
        (b"nonsense", extended, Err("damaged")),
        (b"17 comment=abcde\n", EntryType::XGlobalHeader, Ok(())),
        (b"14 path=b.txt\n", EntryType::XGlobalHeader, Err("damaged")),
        (b"long/name.txt\0", EntryType::GNULongName, Ok(())),
        (
            b"long/name.exe\0",
            EntryType::GNULongName,
            Err("archive_program"),
        ),
        (b"/etc/name\0", EntryType::GNULongLink, Err("archive_path")),
    ] {
        assert_eq!(facts(bytes, kind), expected, "{}", bytes.escape_ascii());
    }
    let long = vec![b'a'; 70 * 1024];
    assert_eq!(facts(&long, EntryType::GNULongName), Err("bomb"));
    let honest = tar_of(&[("a.txt", b"x")]);
    assert_eq!(tarred([honest.as_slice(), &[0; 4096]].concat()), Ok(()));
    assert_eq!(
        tarred([honest.as_slice(), b"x"].concat()),
        Err("trailing_data")
    );
    assert_eq!(tarred(vec![0; 1024]), Err("damaged"));
    let mut wrong = honest;
    wrong[0] = b'b';
    assert_eq!(tarred(wrong), Err("damaged"));
}

#[test]
fn gzip_holds_one_file_or_one_archive() {
    assert_eq!(gzipped("a.txt.gz", gzip_of(b"text")), Ok(()));
    assert_eq!(
        gzipped("a.tar.gz", gzip_of(&tar_of(&[("a.txt", b"x")]))),
        Ok(())
    );
    let evil = gzip_of(&tar_of(&[("a.exe", b"x")]));
    assert_eq!(gzipped("a.tgz", evil.clone()), Err("archive_program"));
    assert_eq!(gzipped("a.exe.gz", gzip_of(b"x")), Err("archive_program"));
    assert_eq!(zipped(packed(&[("a.tgz", &evil)])), Err("archive_program"));
    let two = [gzip_of(b"one"), gzip_of(b"two")].concat();
    assert_eq!(gzipped("a.txt.gz", two), Ok(()));
    let mut wrong = gzip_of(b"text");
    let at = wrong.len() - 5;
    wrong[at] ^= 1;
    assert_eq!(gzipped("a.txt.gz", wrong), Err("damaged"));
    for (name, extra, expected) in [
        ("a.txt", 10, Ok(())),
        ("../a.txt", 0, Err("archive_path")),
        ("a.exe", 0, Err("archive_program")),
        ("a.txt", 60_000, Err("damaged")),
    ] {
        let builder = flate2::GzBuilder::new()
            .filename(name)
            .extra(vec![b'x'; extra]);
        let mut encoder = builder.write(Vec::new(), flate2::Compression::best());
        encoder.write_all(b"text").unwrap();
        assert_eq!(
            gzipped("a.gz", encoder.finish().unwrap()),
            expected,
            "{name} {extra}"
        );
    }
    let followed = [gzip_of(b"text"), b"PK".to_vec()].concat();
    assert_eq!(gzipped("a.txt.gz", followed), Err("damaged"));
}
