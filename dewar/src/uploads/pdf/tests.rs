//! Each construct alone and in disguise, beside its honest twin.

use std::io::{Cursor, Write as _};

use super::*;

fn taken(bytes: Vec<u8>) -> Result<(), &'static str> {
    look(&mut Cursor::new(bytes), None).map_err(|trouble| match trouble {
        RecognitionError::Refused(refused) => refused.word(),
        RecognitionError::Io(_) => "io",
    })
}

/// A document with these objects, numbered from 3, and a right xref table.
fn pdf(objects: &[&[u8]]) -> Vec<u8> {
    with_catalog("", objects)
}

fn with_catalog(entries: &str, objects: &[&[u8]]) -> Vec<u8> {
    let catalog = format!("<</Type/Catalog/Pages 2 0 R {entries}>>");
    let mut all: Vec<&[u8]> = vec![catalog.as_bytes(), b"<</Type/Pages/Kids[]/Count 0>>"];
    all.extend_from_slice(objects);
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", all.len() + 1);
    for (index, object) in all.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        writeln!(out, "{} 0 obj", index + 1).unwrap();
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    let at = out.len();
    write!(
        out,
        "{table}trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n",
        all.len() + 1
    )
    .unwrap();
    out
}

fn one(object: &str) -> Result<(), &'static str> {
    taken(pdf(&[object.as_bytes()]))
}

fn opening(action: &str) -> Result<(), &'static str> {
    taken(with_catalog(&format!("/OpenAction {action}"), &[]))
}

fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<<{entries}/Length {}>>stream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}>").into_bytes()
}

const SCRIPT: &str = "<</S/JavaScript/JS(app.alert(1))>>";
const ACTIVE: Result<(), &str> = Err("active_content");
const EXTERNAL: Result<(), &str> = Err("external");

#[test]
fn a_plain_document_is_taken() {
    assert_eq!(taken(pdf(&[])), Ok(()));
    assert_eq!(one("<</JavaScriptural true/LaunchPad 1>>"), Ok(()));
    assert_eq!(taken(crate::uploads::tests::made::PDF.to_vec()), Ok(()));
}

/// ASVS: V5.2.2
#[test]
fn a_script_is_refused_however_it_is_written() {
    for object in [
        SCRIPT,
        "<</S/J#61vaScript/#4aS(x)>>",
        "<</#53 /#4a#61#76#61#53#63#72#69#70#74 /JS 9 0 R>>",
        "<</S%comment\n/JavaScript/JS(x)>>",
        "<</S\0/JavaScript\0/JS<78>>>",
        "<</S/URI/S/JavaScript/JS(x)>>",
        "<</S/JavaScript/JS(x)/S/URI>>",
        "<</S/Rendition/OP 4/JS(x)>>",
        "<</S 9 0 R/JS(x)>>",
        "<<junk/S/JavaScript(more)/JS(x)>>",
        "<</S/JavaScript/JS(x)",
        "[[<</A<</B[<</S/JavaScript/JS(x)>>]>>>>]]",
        "<</Dests 3 0 R/JavaScript 6 0 R>>",
        "<</Open true/JavaScript<</Names[]>>>>",
        "<</Type/Names/JavaScript\n[6 0 R]>>",
        "<</Type/3D/OnInstantiate 5 0 R>>",
        "<</JS(app.alert\\(1\\))>>",
        "<</Type/Action/JS 5 0 R>>",
        "<</A<</S/URI/URI(javascript:alert\\(1\\))>>>>",
        "<</A<</S/URI/URI<FEFF004A006100760061007300630072006900700074003A0078>>>>>",
        "<</URI<</Base(javascript:)>>>>",
        "<</A<</S/URI/URI(file:///C:/Windows/System32/calc.exe)>>>>",
        "<</S/RichMediaExecute/TA 3 0 R/CMD<</C(play)>>>>",
    ] {
        assert_eq!(one(object), ACTIVE, "{object}");
    }
}

/// Fault D4: an address, a text or a style with the name of an action.
#[test]
fn a_name_without_its_action_means_nothing() {
    for object in [
        "<</S/URI/URI(https://developer.example/docs/Web/JavaScript)>>",
        "(<</S/JavaScript/JS(x\\)>>)",
        "<3c3c2f532f4a6176615363726970742f4a532878293e3e>",
        "<</A(/S /JavaScript /JS (x\\))>>",
        "<</Type/StructElem/S/JavaScript/P 3 0 R/K 1>>",
        "<</S/Launch/P 3 0 R/K[1 2]>>",
        "<</RoleMap<</JavaScript/Code/Launch/P>>>>",
        "<</Font<</JS 5 0 R>>>>",
        "<</S/D/St 1>>",
    ] {
        assert_eq!(one(object), Ok(()), "{object}");
    }
}

#[test]
fn a_command_that_starts_a_program_is_refused() {
    for object in [
        "<</S/Launch/F(cmd.exe)>>",
        "<</S/Launch/Win<</F(cmd.exe)/P(/c calc)>>>>",
        "<</Type/Action/S/L#61unch/Unix(x)>>",
        "<</A<</S/Launch/F 9 0 R>>>>",
        "<</S 9 0 R/F(cmd.exe)>>",
        // Readers differ in which of two values they take.
        "<</S/Launch/F(cmd.exe)/S/URI>>",
        "<</S/URI/F(cmd.exe)/S/Launch>>",
    ] {
        assert_eq!(one(object), ACTIVE, "{object}");
    }
    assert_eq!(one("<</S/ImportData/F(x.fdf)>>"), EXTERNAL);
}

/// ASVS: V5.2.2
#[test]
fn an_object_that_no_table_names_is_found() {
    let script = format!("7 0 obj{SCRIPT}endobj\n");
    let plain = pdf(&[]);
    let (body, table) = plain.split_at(plain.windows(4).position(|w| w == b"xref").unwrap());
    // The table's places are wrong from here on: a reader would rebuild it.
    let rebuilt = [body, script.as_bytes(), table].concat();
    assert_eq!(taken(rebuilt), ACTIVE);
    // An earlier revision, which the last one hides.
    let revisions = [
        &b"%PDF-1.7\n3 0 obj"[..],
        SCRIPT.as_bytes(),
        b"endobj\n%%EOF\n",
        b"3 0 obj null endobj\n",
        &plain[9..],
    ];
    assert_eq!(taken(revisions.concat()), ACTIVE);
    for header in [
        "7 0obj",
        "7\n0\tobj ",
        "7%\n0%\nobj",
        "007 00000 obj",
        "x7 0 obj",
        "obj",
    ] {
        let body = format!("{header}{SCRIPT}endobj\n");
        let bytes = [&plain[..9], body.as_bytes(), &plain[9..]].concat();
        assert_eq!(taken(bytes), ACTIVE, "{header}");
    }
    // Inside the data of a stream, where a table may point.
    let data = stream("", format!("7 0 obj{SCRIPT}endobj").as_bytes());
    assert_eq!(taken(pdf(&[&data])), ACTIVE);
    let trailer = format!("trailer <</Root<</OpenAction{SCRIPT}>>>>\n");
    let bytes = [&plain[..9], trailer.as_bytes(), &plain[9..]].concat();
    assert_eq!(taken(bytes), ACTIVE);
}

fn object_stream(entries: &str, encode: impl Fn(&[u8]) -> Vec<u8>, member: &str) -> Vec<u8> {
    let data = encode(format!("7 0 {member}").as_bytes());
    stream(&format!("/Type/ObjStm/N 1/First 4{entries}"), &data)
}

/// ASVS: V5.2.2
#[test]
fn a_script_in_an_object_stream_is_found_behind_every_filter() {
    let lzw = |bytes: &[u8]| {
        weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
            .encode(bytes)
            .unwrap()
    };
    let rows = |bytes: &[u8]| {
        let rows: Vec<u8> = bytes
            .chunks(4)
            .flat_map(|row| [&[0], row].concat())
            .collect();
        zlib(&rows)
    };
    for member in [SCRIPT, "<</S/URI/URI(https://a.example/JavaScript)>>"] {
        let expected = if member == SCRIPT { ACTIVE } else { Ok(()) };
        for (entries, data) in [
            ("", object_stream("", <[u8]>::to_vec, member)),
            ("Fl", object_stream("/Filter/FlateDecode", zlib, member)),
            ("name", object_stream("/Filter/Fl#61teDecode", zlib, member)),
            ("list", object_stream("/Filter[/FlateDecode]", zlib, member)),
            ("lzw", object_stream("/Filter/LZWDecode", lzw, member)),
            ("hex", object_stream("/Filter/ASCIIHexDecode", hex, member)),
            (
                "chain",
                object_stream("/Filter[/AHx/Fl/Fl]", |b| hex(&zlib(&zlib(b))), member),
            ),
            (
                "predictor",
                object_stream(
                    "/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 4>>",
                    rows,
                    member,
                ),
            ),
        ] {
            assert_eq!(taken(pdf(&[&data])), expected, "{entries} {member}");
        }
    }
}

#[test]
fn an_object_stream_hides_nothing_in_its_entries() {
    let data = format!("7 0 {SCRIPT}");
    let packed = zlib(data.as_bytes());
    // Without its type, with its entries as objects of their own.
    for entries in [
        "/N 1/First 4/Filter/FlateDecode",
        "/Type/ObjStm/N 1/First 4 0 R/Filter/FlateDecode",
        "/Type/ObjStm/N 1/First 4/Filter 5 0 R",
        "/Type/ObjStm/N 1/First 4/Filter[6 0 R]",
        "/Type/ObjStm/N 9/First 0/Filter/FlateDecode",
    ] {
        let objects: [&[u8]; 4] = [
            &stream(entries, &packed),
            b"4",
            b"/FlateDecode",
            b"/FlateDecode",
        ];
        assert_eq!(taken(pdf(&objects)), ACTIVE, "{entries}");
    }
    // A filter of pictures, or one that does not exist: no reader's objects.
    for filter in ["DCTDecode", "JBIG2Decode", "Unknown"] {
        let entries = format!("/Type/ObjStm/N 1/First 4/Filter/{filter}");
        assert_eq!(
            taken(pdf(&[&stream(&entries, &packed)])),
            ACTIVE,
            "{filter}"
        );
    }
    // A wrong length, and none.
    for length in ["1", "999999", "4 0 R"] {
        let object = [
            format!("<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length {length}>>stream\r\n")
                .as_bytes(),
            &packed,
            b"endstream",
        ]
        .concat();
        assert_eq!(taken(pdf(&[&object])), ACTIVE, "{length}");
    }
    let cut = zlib(format!("{data}{}", " ".repeat(200)).as_bytes());
    let entries = "/Type/ObjStm/N 1/First 4/Filter/FlateDecode";
    let damaged = stream(entries, &cut[..cut.len() - 6]);
    assert_eq!(taken(pdf(&[&damaged])), ACTIVE);
}

#[test]
fn what_a_reader_does_by_itself_is_harmless() {
    for action in [
        "[3 0 R/Fit]",
        "<</S/GoTo/D[3 0 R/Fit]>>",
        "<</S/Named/N/Print>>",
        "<</S/GoTo/D(a)/Next<</S/Hide/T(b)>>>>",
    ] {
        assert_eq!(opening(action), Ok(()), "{action}");
    }
    for (action, expected) in [
        ("<</S/URI/URI(https://a.example)>>", EXTERNAL),
        ("<</S/SubmitForm/F(https://a.example)>>", EXTERNAL),
        ("<</S/GoToR/F(other.pdf)/D[0/Fit]>>", EXTERNAL),
        ("<</S/GoToE/F(other.pdf)>>", EXTERNAL),
        ("<</S/Sound/Sound 5 0 R>>", ACTIVE),
        ("<</S/Movie/T(a)>>", ACTIVE),
        ("<</S/Rendition/OP 0/R 5 0 R>>", ACTIVE),
        ("<</S/Unheard>>", ACTIVE),
        ("<</S/GoTo/D(a)/Next<</S/URI/URI(https://a)>>>>", EXTERNAL),
        ("<</S/GoTo/D(a)/Next[<</S/Hide>><</S/Sound>>]>>", ACTIVE),
    ] {
        assert_eq!(opening(action), expected, "{action}");
        assert_eq!(
            taken(with_catalog("/OpenAction 3 0 R", &[action.as_bytes()])),
            expected,
            "{action}"
        );
        for triggers in ["/AA<</WC 3 0 R>>", "/AA 4 0 R"] {
            let objects = [action.as_bytes(), b"<</O 3 0 R>>"];
            assert_eq!(
                taken(with_catalog(triggers, &objects)),
                expected,
                "{triggers}"
            );
        }
    }
    // On a click, the same is a link or a button.
    for action in [
        "<</A<</S/URI/URI(https://a.example)>>>>",
        "<</A<</S/SubmitForm/F<</FS/URL/F(https://a.example)>>>>>>",
        "<</A<</S/GoToR/F(other.pdf)/D[0/Fit]>>>>",
        "<</AA<</U<</S/URI/URI(https://a.example)>>>>>>",
        "<</A<</S/Rendition/OP 0/R 5 0 R>>>>",
    ] {
        assert_eq!(one(action), Ok(()), "{action}");
    }
    assert_eq!(one("<</Activation<</Condition/PO>>>>"), ACTIVE);
    assert_eq!(one("<</Activation<</Condition/XA>>>>"), Ok(()));
}

#[test]
fn no_file_of_another_computer_is_named() {
    for (object, expected) in [
        (r"<</S/GoToR/F(\\\\evil\\share\\a.pdf)/D[0/Fit]>>", EXTERNAL),
        ("<</S/GoToE/F<</F(//evil/share/a.pdf)>>>>", EXTERNAL),
        (
            "<</S/GoToE/F<FEFF005C005C006500760069006C005C0061>>>",
            EXTERNAL,
        ),
        ("<</S/GoToR/F(file://evil/share/a.pdf)>>", EXTERNAL),
        ("<</S/SubmitForm/F(smb://evil/a)>>", EXTERNAL),
        ("<</Type/Filespec/UF(\\\\\\\\evil\\\\a)>>", EXTERNAL),
        ("<</S/GoToR/F 4 0 R>>", EXTERNAL),
        ("<</Ref<</F(a.pdf)/Page 1>>>>", EXTERNAL),
        ("<</S/GoToR/F(../other.pdf)>>", Ok(())),
        ("<</S/GoToR/F(/C/a.pdf)>>", Ok(())),
        ("<</S/GoToR/F(file:///C:/a.pdf)>>", Ok(())),
    ] {
        let objects = [object.as_bytes(), b"(//evil/share)"];
        assert_eq!(taken(pdf(&objects)), expected, "{object}");
    }
    let elsewhere = stream("/F(other.bin)", b"");
    assert_eq!(taken(pdf(&[&elsewhere])), EXTERNAL);
    assert_eq!(taken(pdf(&[&stream("/F/FlateDecode", b"")])), Ok(()));
}

#[test]
fn an_attached_file_is_examined() {
    let attached = |name: &str, content: &[u8]| {
        let specification = format!("<</Type/Filespec/F({name})/EF<</F 4 0 R>>>>");
        let content = stream("/Type/EmbeddedFile/Filter/FlateDecode", &zlib(content));
        taken(pdf(&[specification.as_bytes(), &content]))
    };
    let program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";
    for (name, content, expected) in [
        (
            "factur-x.xml",
            &b"<?xml version='1.0'?><rsm:Invoice/>"[..],
            Ok(()),
        ),
        ("table.csv", b"MZ,Mozambique\n", Ok(())),
        ("a.pdf", &pdf(&[]), Ok(())),
        ("setup.exe", b"x", ACTIVE),
        ("a.txt", program, ACTIVE),
        ("a.bin", b"\x7fELF\x02\x01\x01\0", ACTIVE),
        ("a.txt", b"#!/bin/sh\nrm\n", Err("page")),
        ("a.txt", b"<html><script>", Err("page")),
        ("a.pdf", &pdf(&[SCRIPT.as_bytes()]), ACTIVE),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ACTIVE),
    ] {
        assert_eq!(
            attached(name, content),
            expected,
            "{name} {}",
            content.escape_ascii()
        );
    }
    let hidden = "<</Type/Filespec/F 5 0 R/EF<</F 4 0 R>>>>";
    assert_eq!(taken(pdf(&[hidden.as_bytes()])), ACTIVE);
}

#[test]
fn a_form_without_scripts_is_taken() {
    let form = |part: &[u8], packed: bool| {
        let entries = if packed { "/Filter/FlateDecode" } else { "" };
        let part = if packed { zlib(part) } else { part.to_vec() };
        let part = stream(entries, &part);
        for field in ["/XFA 4 0 R", "/XFA[(template) 4 0 R]", "/XFA 5 0 R"] {
            let fields = format!("<</Fields[]{field}>>");
            let objects: [&[u8]; 3] = [fields.as_bytes(), &part, b"[(template) 4 0 R]"];
            taken(pdf(&objects))?;
        }
        Ok(())
    };
    for packed in [true, false] {
        let plain = b"<t:template xmlns:t='u'><t:field/><t:caption>script</t:caption></t:template>";
        assert_eq!(form(plain, packed), Ok(()));
        assert_eq!(form(b"</xdp:xdp>", packed), Ok(()));
        for part in [
            &b"<template><event><script>app.alert(1)</script></event></template>"[..],
            b"<t:template xmlns:t='u'><t:script/></t:template>",
            b"<template><submit target='https://a'/></template>",
            b"<template><scr",
            b"\xfe\xff\0<\0s\0c\0r\0i\0p\0t\0/\0>",
        ] {
            assert_eq!(form(part, packed), ACTIVE, "{}", part.escape_ascii());
        }
    }
}

/// ASVS: V5.2.3
#[test]
fn bombs_are_refused_before_they_go_off() {
    let spaces = vec![b' '; 70 * 1024 * 1024];
    let bomb = object_stream("/Filter/FlateDecode", |_| zlib(&spaces), "");
    assert_eq!(taken(pdf(&[&bomb])), Err("bomb"));
    let chain = object_stream("/Filter[/Fl/Fl]", |_| zlib(&zlib(&spaces)), "");
    assert_eq!(taken(pdf(&[&chain])), Err("bomb"));
    let filters = "/Fl".repeat(9);
    let chain = object_stream(&format!("/Filter[{filters}]"), <[u8]>::to_vec, "");
    assert_eq!(taken(pdf(&[&chain])), Err("bomb"));
    assert_eq!(one(&"[".repeat(200)), Err("bomb"));
    assert_eq!(one(&"<</A".repeat(200)), Err("bomb"));
    // Each text goes on to the end of the file.
    let open = "1 0 obj(".repeat(60_000);
    assert_eq!(one(&open), Err("bomb"));
}

/// Each object is found inside the comment that the one before it skips.
#[test]
fn a_comment_that_many_objects_skip_is_counted() {
    for object in ["obj<<>>%", "obj 1%", "obj 1 0%"] {
        let bytes = format!("%PDF-1.4\n%{}\n%%EOF", object.repeat(20_000));
        assert_eq!(taken(bytes.into_bytes()), Err("bomb"), "{object}");
    }
}

#[test]
fn an_object_of_a_million_values_is_a_bomb() {
    for member in [
        format!("[{}", "/a".repeat(1_100_000)),
        format!("<<{}", "/a/a".repeat(600_000)),
    ] {
        let bomb = object_stream("/Filter/FlateDecode", zlib, &member);
        assert_eq!(taken(pdf(&[&bomb])), Err("bomb"));
    }
    let many = format!("[{}]", "/a".repeat(400_000));
    let plain = object_stream("/Filter/FlateDecode", zlib, &many);
    assert_eq!(taken(pdf(&[&plain])), Ok(()));
    // Three lists of that length are kept, each one of a trailer.
    let trailer = format!("trailer<</Encrypt{many}>>");
    assert_eq!(one(&trailer.repeat(3)), Err("bomb"));
}

/// The last filter drops what the one before it unpacked.
#[test]
fn what_inner_filters_unpack_is_counted() {
    let ended = vec![b'>'; 50 * 1024 * 1024];
    let stream = object_stream("/Filter[/Fl/AHx]", |_| zlib(&ended), "");
    assert_eq!(taken(pdf(&[&stream])), Ok(()));
    assert_eq!(taken(pdf(&[&stream, &stream, &stream])), Err("bomb"));
}

/// The filter is in an object stream that Dewar unpacks later.
#[test]
fn an_object_stream_says_itself_how_it_is_unpacked() {
    let script = zlib(format!("7 0 {SCRIPT}").as_bytes());
    let member = |value: &str| {
        stream(
            "/Type/ObjStm/N 1/First 4",
            format!("9 0 {value}").as_bytes(),
        )
    };
    for (entries, value) in [
        ("/N 1/First 4/Filter 9 0 R", "/FlateDecode"),
        ("/N 1/First 4/Filter[9 0 R]", "/FlateDecode"),
        ("/N 1/First 4/F 9 0 R/Filter/FlateDecode", "/FlateDecode"),
        ("/N 1/First 9 0 R/Filter/FlateDecode", "4"),
        ("/N 9 0 R/First 4/Filter/FlateDecode", "1"),
        ("/N 1/First 4/Filter/FlateDecode/DecodeParms 9 0 R", "null"),
        (
            "/N 1/First 4/Filter/FlateDecode/DP[<</Columns 9 0 R>>]",
            "1",
        ),
        ("/N 1/Filter/FlateDecode", "4"),
        ("/N 1/First 4/Filter/FlateDecode/Length 9 0 R", "4"),
    ] {
        let hidden = stream(&format!("/Type/ObjStm{entries}"), &script);
        let found = taken(pdf(&[&hidden, &member(value)]));
        assert!(matches!(found, ACTIVE | EXTERNAL), "{entries}: {found:?}");
        // Without a script too: Dewar does not guess.
        let plain = stream(&format!("/Type/ObjStm{entries}"), &zlib(b"7 0 null"));
        let found = taken(pdf(&[&plain, &member(value)]));
        assert!(matches!(found, ACTIVE | EXTERNAL), "{entries}: {found:?}");
    }
}

#[test]
fn the_pdfs_of_one_upload_unpack_from_one_budget() {
    let file = pdf(&[&object_stream(
        "/Filter/FlateDecode",
        zlib,
        &" ".repeat(596),
    )]);
    let mut nesting = Nesting::of(LEVELS, MAX_UNPACKED, MAX_ENTRIES);
    nesting.pdfs.unpacked = 1_000;
    examine(&file, &mut nesting).unwrap();
    assert_eq!(nesting.pdfs.unpacked, 400);
    assert!(matches!(
        examine(&file, &mut nesting),
        Err(RecognitionError::Refused(UploadRejection::Bomb))
    ));
}

#[test]
fn references_in_a_circle_cost_nothing() {
    let catalog = "/OpenAction 3 0 R/AA 3 0 R";
    let objects: [&[u8]; 2] = [
        b"<</S/GoTo/D(a)/Next 4 0 R/AA 3 0 R>>",
        b"<</S/GoTo/D(a)/Next[3 0 R 4 0 R]>>",
    ];
    assert_eq!(taken(with_catalog(catalog, &objects)), Ok(()));
    let length = stream("/Type/ObjStm/N 3 0 R/First 3 0 R/Filter 3 0 R", b"");
    assert!(taken(pdf(&[&length])).is_err());
}

#[test]
fn padding_of_any_length_may_follow_the_end_and_nothing_else() {
    let with = |after: &[u8]| taken([pdf(&[]).as_slice(), after].concat());
    for padding in [1, 1_023, 1_024, 65_536, 80_000, 300_000] {
        assert_eq!(with(&vec![0; padding]), Ok(()), "{padding}");
        assert_eq!(with(&b"\r\n".repeat(padding)), Ok(()), "{padding}");
    }
    // A second file between two ends.
    assert_eq!(
        with(b"PK\x03\x04 1 0 obj endobj\n%%EOF\n"),
        Err("trailing_data")
    );
    assert_eq!(with(b"9 0 obj null endobj\nstartxref\n0\n%%EOF\n"), Ok(()));
    assert_eq!(with(b"PK\x03\x04"), Err("trailing_data"));
    assert_eq!(with(&[b'x'; 2_000]), Err("damaged"));
    let far = [vec![0; 500], b"PK\x03\x04".to_vec(), vec![0; 500]].concat();
    assert_eq!(with(&far), Err("trailing_data"));
    assert_eq!(
        taken([b"\n".as_slice(), &pdf(&[])].concat()),
        Err("damaged")
    );
}

/// Made by qpdf 11 with `--object-streams=generate --static-id --encrypt "" owner 256` (or 40 for RC4): they open without a
/// password. `locked.pdf` has one.
///
/// ASVS: V5.2.2
#[test]
fn an_encrypted_file_is_decrypted_or_refused() {
    for (bytes, expected) in [
        (&include_bytes!("encrypted/aes-plain.pdf")[..], Ok(())),
        (include_bytes!("encrypted/aes-script.pdf"), ACTIVE),
        (include_bytes!("encrypted/aes-unc.pdf"), EXTERNAL),
        (include_bytes!("encrypted/aes-loose-unc.pdf"), EXTERNAL),
        (include_bytes!("encrypted/rc4-plain.pdf"), Ok(())),
        (include_bytes!("encrypted/rc4-script.pdf"), ACTIVE),
        (include_bytes!("encrypted/rc4-unc.pdf"), EXTERNAL),
        (include_bytes!("encrypted/locked.pdf"), Err("encrypted")),
    ] {
        assert_eq!(taken(bytes.to_vec()), expected);
    }
}

/// A file may pretend to be encrypted: a reader that does not see the dictionary takes the objects as they are.
#[test]
fn a_pretended_encryption_hides_nothing() {
    let plain = include_bytes!("encrypted/aes-plain.pdf");
    let data = object_stream("/Filter/FlateDecode", zlib, SCRIPT);
    let more = [b"\n90 0 obj", data.as_slice(), b"endobj\n%%EOF\n"].concat();
    assert_eq!(taken([plain.as_slice(), &more].concat()), ACTIVE);
    let other = b"\ntrailer <</Root 1 0 R/Encrypt 90 0 R>>\n%%EOF\n";
    assert_eq!(taken([plain.as_slice(), other].concat()), Err("encrypted"));
}
