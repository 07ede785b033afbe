//! Each construct alone and in disguise, beside its honest twin.

use super::*;
use crate::uploads::tests::made::{CONTENT_TYPES, RELS, docx, odt, zip};

const ACTIVE: Result<(), &str> = Err("active_content");
const EXTERNAL: Result<(), &str> = Err("external");

fn taken(kind: FileKind, bytes: Vec<u8>) -> Result<(), &'static str> {
    look(kind, &mut Cursor::new(bytes), None).map_err(|trouble| match trouble {
        RecognitionError::Refused(refused) => refused.word(),
        RecognitionError::Io(_) => "io",
    })
}

fn word(more: &[(&str, &[u8])]) -> Result<(), &'static str> {
    taken(FileKind::Docx, docx(more))
}

fn text(more: &[(&str, &[u8])]) -> Result<(), &'static str> {
    taken(FileKind::Odt, odt(more))
}

fn ooxml(kind: FileKind, more: &[(&str, &[u8])]) -> Vec<u8> {
    let main = if kind == FileKind::Xlsx {
        "spreadsheetml.sheet"
    } else {
        "presentationml.presentation"
    };
    let types = CONTENT_TYPES.replace("wordprocessingml.document", main);
    let mut entries: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", RELS.as_bytes()),
        ("word/document.xml", b"<a/>"),
    ];
    entries.extend_from_slice(more);
    zip(&entries)
}

fn excel(more: &[(&str, &[u8])]) -> Result<(), &'static str> {
    taken(FileKind::Xlsx, ooxml(FileKind::Xlsx, more))
}

fn powerpoint(more: &[(&str, &[u8])]) -> Result<(), &'static str> {
    taken(FileKind::Pptx, ooxml(FileKind::Pptx, more))
}

fn utf_16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

fn relationship(kind: &str, target: &str, mode: &str) -> String {
    format!(
        "<r:Relationships xmlns:r='u'><r:Relationship Id='r1' Type='http://x/relationships/{kind}' Target='{target}' {mode}/></r:Relationships>"
    )
}

const OUTSIDE: &str = "TargetMode='&#x45;xternal'";

/// The kind of a relationship, where it leads, and its mode.
#[rustfmt::skip]
const RELATIONS: &[(&str, &str, &str, Result<(), &str>)] = &[
        ("hyperlink", "https://a.example", OUTSIDE, Ok(())),
        ("hyperlink", r"\\host\share\a.docx", OUTSIDE, Ok(())),
        ("hyperlink", "mailto:a@a.example", OUTSIDE, Ok(())),
        ("hyperlink", "javascript:alert(1)", OUTSIDE, ACTIVE),
        ("hyperlink", r"\\host\share\a.exe", OUTSIDE, ACTIVE),
        ("video", "https://a.example/film", OUTSIDE, Ok(())),
        ("video", r"\\host\share\a.mp4", OUTSIDE, EXTERNAL),
        ("image", "../media/a.png", "", Ok(())),
        ("image", "cid:image001.png@01D9", OUTSIDE, Ok(())),
        ("image", "media/a.png", "", Ok(())),
        ("image", "/word/media/a.png", "", Ok(())),
        ("image", "a.png", OUTSIDE, Ok(())),
        ("image", "https://a.example/a.png", OUTSIDE, EXTERNAL),
        ("image", "https://a.example/a.png", "", EXTERNAL),
        ("image", "//host/share/a.png", "", EXTERNAL),
        ("image", "file:///etc/passwd", OUTSIDE, EXTERNAL),
        ("image", "%5C%5Chost%5Ca.png", OUTSIDE, EXTERNAL),
        ("attachedTemplate", "Normal.dotm", OUTSIDE, Ok(())),
        ("attachedTemplate", r"file:///C:\a\b.dotx", OUTSIDE, Ok(())),
        (
            "attachedTemplate",
            "https://a.example/t.dotm",
            OUTSIDE,
            EXTERNAL,
        ),
        ("attachedTemplate", r"\\host\t.dotm", "", EXTERNAL),
        ("attachedTemplate", "file://host/t.dotm", "", EXTERNAL),
        ("ATTACHEDTEMPLATE", "HTTPS://a.example/t", OUTSIDE, EXTERNAL),
        ("frame", "https://a.example/", OUTSIDE, EXTERNAL),
        ("subDocument", "file:///etc/passwd", OUTSIDE, EXTERNAL),
        (
            "oleObject",
            "mhtml:https://a.example/x!x",
            OUTSIDE,
            EXTERNAL,
        ),
        ("oleObject", r"file:///C:\a\b.xlsx", OUTSIDE, Ok(())),
        ("oleObject", "embeddings/a.bin", "", ACTIVE),
        (
            "externalLinkPath",
            r"file:///\\host\share\b.xlsx",
            OUTSIDE,
            EXTERNAL,
        ),
        ("externalLinkPath", "b.xlsx", OUTSIDE, Ok(())),
        ("unheard", "https://a.example/", OUTSIDE, EXTERNAL),
        ("aFChunk", "afchunk.mht", "", EXTERNAL),
        ("vbaProject", "a.bin", "", ACTIVE),
        ("attachedToolbars", "a.bin", OUTSIDE, ACTIVE),
        ("control", "a.xml", "", ACTIVE),
        ("activeXControlBinary", "a.bin", "", ACTIVE),
        ("xlMacrosheet", "a.xml", "", ACTIVE),
        ("styles", "styles.xml", "", Ok(())),
];

/// ASVS: V5.2.2
#[test]
fn of_what_is_elsewhere_only_what_waits_is_taken() {
    for (kind, target, mode, expected) in RELATIONS.iter().copied() {
        let part = relationship(kind, target, mode);
        for (name, bytes) in [
            ("word/_rels/settings.xml.rels", part.clone().into_bytes()),
            ("WORD/_RELS/Odd.bin.RELS", part.clone().into_bytes()),
            ("word/odd.bin", utf_16(&part)),
        ] {
            let found = word(&[(name, &bytes)]);
            assert_eq!(found, expected, "{name} {kind} {target} {mode}");
        }
    }
}

#[test]
fn a_field_that_calls_a_program_is_found_in_pieces() {
    let field = |pieces: &[&str]| {
        let pieces: String = pieces
            .iter()
            .map(|piece| format!("<x:r><x:instrText>{piece}</x:instrText></x:r>"))
            .collect();
        format!(
            "<x:p xmlns:x='{WORD}'><x:fldChar x:fldCharType='begin'/>{pieces}<x:fldChar x:fldCharType='end'/></x:p>"
        )
    };
    let nested = "<p><fldChar fldCharType='begin'/><fldChar fldCharType='begin'/><instrText>QUOTE 68 68 69</instrText>\
                  <fldChar fldCharType='end'/><instrText> c:\\\\x</instrText><fldChar fldCharType='end'/></p>";
    for (part, expected) in [
        (field(&["DDEAUTO c:\\\\cmd.exe"]), ACTIVE),
        (field(&[" DD", "EAU", "TO c:\\\\cmd.exe"]), ACTIVE),
        (field(&["&#68;<![CDATA[DE]]> x"]), ACTIVE),
        (nested.to_owned(), ACTIVE),
        ("<p><fldSimple instr=' DDE x y'/></p>".to_owned(), ACTIVE),
        (
            "<p><fldChar fldCharType='begin'/><instrText>DDE x</instrText></p>".to_owned(),
            ACTIVE,
        ),
        (field(&["PAGE"]), Ok(())),
        (
            field(&["HYPERLINK ", "\"https://a.example/DDEAUTO\""]),
            Ok(()),
        ),
        ("<p><t>DDEAUTO c:\\\\cmd.exe</t></p>".to_owned(), Ok(())),
    ] {
        for (name, bytes) in [
            ("word/document.xml", part.clone().into_bytes()),
            ("word/header1.xml", utf_16(&part)),
            ("word/odd.bin", part.clone().into_bytes()),
        ] {
            assert_eq!(word(&[(name, &bytes)]), expected, "{name} {part}");
        }
    }
}

const WORD: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";

/// What Word forgets or does not choose may not stand between the pieces of a field.
#[test]
fn no_other_namespace_hides_a_field() {
    let begin = "<w:fldChar w:fldCharType='begin'/>";
    let end = "<w:fldChar w:fldCharType='end'/>";
    let dde = "<w:instrText>DDEAUTO c:\\x</w:instrText>";
    let page = "<w:instrText>PAGE </w:instrText>";
    for (inside, expected) in [
        (format!("{begin}{page}{end}"), Ok(())),
        (
            format!("<w:fldChar w:fldCharType='begin' z:fldCharType='end'/>{dde}{end}"),
            ACTIVE,
        ),
        (
            format!("{begin}<z:instrText>PAGE </z:instrText>{dde}{end}"),
            ACTIVE,
        ),
        (
            format!("{begin}<z:Choice Requires='z'>{page}</z:Choice>{dde}{end}"),
            ACTIVE,
        ),
        (format!("{begin}<z:a>{page}</z:a>{dde}{end}"), ACTIVE),
        (format!("<z:a>{begin}</z:a>{dde}{end}"), ACTIVE),
        (
            format!("{begin}<w:delInstrText>PAGE </w:delInstrText>{dde}{end}"),
            ACTIVE,
        ),
        (
            format!("{begin}{page}<z:a><w:r>{begin}{page}{end}</w:r></z:a>{end}"),
            Ok(()),
        ),
        (
            "<w:fldSimple w:instr='PAGE' z:instr='x'/>".to_owned(),
            ACTIVE,
        ),
    ] {
        let part = format!("<w:p xmlns:w='{WORD}' xmlns:z='u'>{inside}</w:p>");
        let found = word(&[("word/document.xml", part.as_bytes())]);
        assert_eq!(found, expected, "{inside}");
    }
}

#[test]
fn a_part_is_examined_whatever_its_name() {
    let field = b"<p><fldSimple instr='DDEAUTO x'/></p>";
    assert_eq!(word(&[("mimetype", field)]), ACTIVE);
    assert_eq!(word(&[("MimeType", field)]), ACTIVE);
}

/// Parts of a workbook.
const PARTS: &[(&str, Result<(), &str>)] = &[
    (
        "<connections><connection refreshOnLoad='1'/></connections>",
        EXTERNAL,
    ),
    ("<connections><connection name='a'/></connections>", Ok(())),
    ("<queryTable refreshOnLoad='true'/>", EXTERNAL),
    (
        "<pivotCacheDefinition refreshOnLoad='1'><cacheSource type='worksheet'/></pivotCacheDefinition>",
        Ok(()),
    ),
    (
        "<pivotCacheDefinition refreshOnLoad='1'><cacheSource type='external'/></pivotCacheDefinition>",
        EXTERNAL,
    ),
    (
        "<externalLink><ddeLink ddeService='cmd'/></externalLink>",
        ACTIVE,
    ),
    ("<c><f>cmd|'/c calc'!A0</f></c>", ACTIVE),
    ("<c><f>\"a|b\"&amp;'x|y'!A1</f></c>", Ok(())),
    (
        "<x:c xmlns:x='u'><x:f>DDE(\"a\",\"b\",\"c\")</x:f></x:c>",
        ACTIVE,
    ),
    (
        "<c><f>_xlfn.IMAGE(\"https://a.example/a.png\")</f></c>",
        EXTERNAL,
    ),
    ("<c><f>WEBSERVICE(\"https://a.example\")</f></c>", EXTERNAL),
    ("<c><f>IMAGE(A1)</f></c>", EXTERNAL),
    ("<c><f>WEBSERVICE(A1&amp;A2)</f></c>", EXTERNAL),
    ("<c><f>\"An image (\"&amp;A1&amp;\")\"</f></c>", Ok(())),
    ("<c><f>cmd|<x/>'/c calc'!A1</f></c>", ACTIVE),
    ("<c><f><x/>cmd|'/c calc'!A1</f></c>", ACTIVE),
    ("<c><f>RTD(\"a.b\",,\"c\")</f></c>", ACTIVE),
    ("<c><f>'\\\\host\\share\\[a.xlsx]S'!A1</f></c>", EXTERNAL),
    ("<c><f>'My sheet'!A1</f></c>", Ok(())),
    ("<x:FmlaMacro xmlns:x='u'>[0]!Main</x:FmlaMacro>", ACTIVE),
    ("<c><f>HYPERLINK(\"https://a.example\")</f></c>", Ok(())),
    (
        "<c><f>HYPERLINK(\"https://a.example\",\"Data: 1\")</f></c>",
        Ok(()),
    ),
    (
        "<c><f>HYPERLINK(\"file:///c:/windows/calc.exe\",\"x\")</f></c>",
        ACTIVE,
    ),
    (
        "<c><f>IF(1,Hyperlink (\"ms-\"&amp;\"msdt:/id\"))</f></c>",
        ACTIVE,
    ),
    ("<m><f><num><t>|x|</t></num></f></m>", Ok(())),
    (
        "<definedName name='_xlnm.Auto_Open'>Sheet1!A1</definedName>",
        ACTIVE,
    ),
    (
        "<definedName name='a' xlm='1'>Sheet1!A1</definedName>",
        ACTIVE,
    ),
    ("<definedName name='Total'>Sheet1!A1</definedName>", Ok(())),
    ("<customUI onLoad='https://a.example/b.xlsm!Main'/>", ACTIVE),
    (
        "<customUI><ribbon startFromScratch='false'/></customUI>",
        Ok(()),
    ),
];

#[test]
fn a_workbook_runs_and_fetches_nothing() {
    assert_eq!(excel(&[("xl/workbook.xml", b"<workbook/>")]), Ok(()));
    for &(part, expected) in PARTS {
        assert_eq!(excel(&[("xl/a.xml", part.as_bytes())]), expected, "{part}");
        assert_eq!(excel(&[("xl/b.bin", &utf_16(part))]), expected, "{part}");
    }
    assert_eq!(excel(&[("xl/macrosheets/sheet1.xml", b"<a/>")]), ACTIVE);
}

#[test]
fn a_presentation_runs_nothing() {
    for (part, expected) in [
        (
            "<a:hlinkClick xmlns:a='u' action='ppaction://program' id='r1'/>",
            ACTIVE,
        ),
        ("<hlinkClick action='ppaction://macro?name=Main'/>", ACTIVE),
        ("<hlinkHover action='PPACTION://PROGRAM'/>", ACTIVE),
        (
            "<hlinkClick action='ppaction://hlinkshowjump?jump=nextslide' id=''/>",
            Ok(()),
        ),
        ("<hlinkClick id='r1'/>", Ok(())),
        ("<hlinkMouseOver id='r1'/>", EXTERNAL),
        (
            "<hlinkMouseOver id='r1' action='ppaction://hlinksldjump'/>",
            Ok(()),
        ),
        ("<imagedata src='https://a.example/a.png'/>", EXTERNAL),
    ] {
        assert_eq!(
            powerpoint(&[("ppt/a.xml", part.as_bytes())]),
            expected,
            "{part}"
        );
    }
}

#[rustfmt::skip]
const OPEN_DOCUMENT: &[(&str, Result<(), &str>)] = &[
        (
            "<d:image xmlns:d='u' l:href='https://a.example/a.png' xmlns:l='v'/>",
            EXTERNAL,
        ),
        ("<draw:image xlink:href='file:///etc/passwd'/>", EXTERNAL),
        ("<draw:image xlink:href='Pictures/a.png'/>", Ok(())),
        ("<draw:image xlink:href='../linked.png'/>", Ok(())),
        (
            "<text:section-source xlink:href='file:///etc/passwd'/>",
            EXTERNAL,
        ),
        (
            "<text:section-source xlink:href='http://a.example/a.odt'/>",
            EXTERNAL,
        ),
        ("<draw:object xlink:href='./Object 1'/>", Ok(())),
        ("<v:rect href='https://a.example/' o:button='t'/>", Ok(())),
        ("<v:rect href='javascript:alert(1)' o:button='t'/>", ACTIVE),
        ("<v:imagedata o:href='https://a.example/a.png'/>", EXTERNAL),
        (
            "<draw:floating-frame xlink:href='https://a.example/'/>",
            EXTERNAL,
        ),
        ("<draw:plugin xlink:href='//host/a.mp4'/>", EXTERNAL),
        (
            "<table:table-source xlink:href='file:///home/a/b.ods'/>",
            Ok(()),
        ),
        (
            "<table:table-source xlink:href='https://a.example/b.ods'/>",
            EXTERNAL,
        ),
        ("<meta:template xlink:href='file:///home/a/t.ott'/>", Ok(())),
        (
            "<meta:template xlink:href='https://a.example/t.ott'/>",
            EXTERNAL,
        ),
        (
            "<meta:auto-reload xlink:href='https://a.example/'/>",
            EXTERNAL,
        ),
        (
            "<form:button form:image-data='https://a.example/a.png'/>",
            EXTERNAL,
        ),
        (
            "<text:a xlink:href='https://a.example/JavaScript'/>",
            Ok(()),
        ),
        ("<text:a xlink:href='file:///home/a/b.pdf'/>", Ok(())),
        (
            "<text:a xlink:href='vnd.sun.star.script:a?language=Basic'/>",
            ACTIVE,
        ),
        ("<text:a xlink:href='macro:///a.b.c'/>", ACTIVE),
        ("<a b='vnd.sun.star.expand:x'/>", ACTIVE),
        ("<office:script script:language='ooo:Basic'/>", ACTIVE),
        ("<office:scripts/>", Ok(())),
        (
            "<script:event-listener script:event-name='dom:load'/>",
            ACTIVE,
        ),
        (
            "<presentation:event-listener presentation:action='execute'/>",
            ACTIVE,
        ),
        (
            "<presentation:event-listener presentation:action='next-page'/>",
            Ok(()),
        ),
        ("<text:dde-connection-decl/>", ACTIVE),
        ("<table:dde-link/>", ACTIVE),
        (
            "<c table:formula='of:=DDE(\"soffice\";\"a\";\"b\")'/>",
            ACTIVE,
        ),
        ("<c table:formula='of:=SUM([.A1:.B2])'/>", Ok(())),
        (
            "<c table:formula='of:=\"&apos;\"&amp;[&apos;http://evil/a.ods&apos;#$S.A1]'/>",
            EXTERNAL,
        ),
        ("<draw:applet/>", ACTIVE),
        (
            "<w:t>DOCTYPE ENTITY script vnd.sun.star.script</w:t>",
            Ok(()),
        ),
];

/// Fault F10.
///
/// ASVS: V5.2.2
#[test]
fn an_open_document_runs_and_fetches_nothing() {
    for (part, expected) in OPEN_DOCUMENT.iter().copied() {
        for (name, bytes) in [
            ("styles.xml", part.as_bytes().to_vec()),
            ("Object 1/content.xml", utf_16(part)),
            ("odd", part.as_bytes().to_vec()),
        ] {
            assert_eq!(text(&[(name, &bytes)]), expected, "{name} {part}");
        }
    }
}

/// Bibliographies, forms and records of other programs: Office shows nothing of them.
#[test]
fn data_of_other_programs_may_name_addresses() {
    let data = b"<links><img href='https://a.example/a.png'/></links>";
    let page = b"<html><img href='https://a.example/a.png'/></html>";
    assert_eq!(word(&[("customXml/item1.xml", data)]), Ok(()));
    assert_eq!(word(&[("customXml/item1.xml", page)]), Ok(()));
    assert_eq!(word(&[("customXml/item1/content.xml", data)]), EXTERNAL);
    assert_eq!(word(&[("word/a.xml", data)]), EXTERNAL);
    let field = b"<fldSimple instr='DDEAUTO x'/>";
    assert_eq!(word(&[("customXml/item1.xml", field)]), ACTIVE);
}

/// ASVS: V1.5.1
#[test]
fn a_part_is_xml_that_every_program_reads_alike() {
    let damaged = Err("damaged");
    let utf_7 = "<?xml version='1.0' encoding='UTF-7'?><a>+ADw-script+AD4-</a>";
    let deep = "<a>".repeat(2_000) + &"</a>".repeat(2_000);
    let many: String = (0..2_000).map(|number| format!(" a{number}=''")).collect();
    let manifest =
        "<!DOCTYPE m PUBLIC '-//OpenOffice.org//DTD Manifest 1.0//EN' 'Manifest.dtd'><m/>";
    for (part, expected) in [
        ("<a>&lt;&#65;&#x42;</a>", Ok(())),
        ("<?xml version='1.0' encoding='UTF-8'?><a/>", Ok(())),
        (manifest, Ok(())),
        (
            "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
            EXTERNAL,
        ),
        (
            "<!DOCTYPE x SYSTEM 'https://a.example/x.dtd'><x/>",
            EXTERNAL,
        ),
        ("<html><img src='https://a.example'/></html>", EXTERNAL),
        ("<a b='1' b='2'/>", damaged),
        ("<a b=c/>", damaged),
        ("<a b='&e;'/>", damaged),
        ("<a>&e;</a>", damaged),
        ("<a><b></a></b>", damaged),
        ("<a>", damaged),
        ("<a", damaged),
        ("<a>\0</a>", damaged),
        ("<a b='&#0;'/>", damaged),
        (utf_7, damaged),
        (&deep, Err("bomb")),
        (&format!("<a{many}/>"), damaged),
    ] {
        assert_eq!(word(&[("word/a.xml", part.as_bytes())]), expected, "{part}");
    }
    assert_eq!(word(&[("word/a.xml", b"<a>\xff</a>")]), damaged);
    assert_eq!(word(&[("word/a.xml", &utf_16("<a b='&e;'/>"))]), damaged);
    let long = format!("<a>{}</a>", "x".repeat(17 * 1024 * 1024));
    assert_eq!(word(&[("word/a.xml", long.as_bytes())]), Err("bomb"));
}

/// ASVS: V5.2.2
#[test]
fn what_is_embedded_is_examined_by_the_same_rule() {
    let honest = ooxml(FileKind::Xlsx, &[("xl/a.xml", b"<a/>")]);
    let macros = ooxml(FileKind::Xlsx, &[("xl/vbaProject.bin", b"x")]);
    let deeper = ooxml(FileKind::Xlsx, &[("xl/embeddings/a.docx", &docx(&[]))]);
    let program = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";
    let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0\0\0\0\0";
    for (name, part, expected) in [
        ("word/embeddings/a.xlsx", honest.as_slice(), Ok(())),
        ("word/embeddings/a.xlsx", &macros, ACTIVE),
        ("word/media/a.png", &macros, ACTIVE),
        ("word/embeddings/a.xlsx", &deeper, Err("bomb")),
        ("word/embeddings/a.zip", &zip(&[("a.txt", b"x")]), Ok(())),
        ("word/embeddings/a.bin", b"x", ACTIVE),
        ("word/embeddings/a.xls", ole, ACTIVE),
        ("word/media/a.png", program, ACTIVE),
        ("word/media/a.rtf", b"{\\rtf1 x}", ACTIVE),
        ("word/media/a.emz", b"\x1f\x8b\x08\0\0\0\0\0\0\0", Ok(())),
        ("word/media/a.exe", b"x", ACTIVE),
        ("word/media/a.svg", b"<svg><path d=''/></svg>", Ok(())),
        (
            "word/media/a.svg",
            b"<!DOCTYPE svg PUBLIC 'x' 'http://www.w3.org/svg11.dtd'><svg/>",
            Ok(()),
        ),
        ("word/icon.svg", b"<svg/>", ACTIVE),
        ("word/vbaData.xml", b"<a/>", ACTIVE),
        ("word/editdata.mso", b"x", ACTIVE),
        ("word/activeX/a.xml", b"<a/>", ACTIVE),
    ] {
        assert_eq!(word(&[(name, part)]), expected, "{name}");
    }
}

#[test]
fn the_content_types_say_what_a_document_is() {
    let typed = |wanted: FileKind, rows: &str| {
        let types = format!("<Types>{rows}</Types>");
        taken(
            wanted,
            zip(&[("[Content_Types].xml", types.as_bytes()), ("a.bin", b"x")]),
        )
    };
    let word = "application/vnd.openxmlformats-officedocument.wordprocessingml";
    let main = format!("<Override PartName='/a.bin' ContentType='{word}.document.main+xml'/>");
    let with = |row: &str| format!("{main}{row}");
    let macros = "application/vnd.ms-word.document.macroEnabled.main+xml";
    let binary = "application/vnd.ms-excel.sheet.binary.macroEnabled.main";
    for (rows, expected) in [
        (main.clone(), Ok(())),
        (with(&main), Err("damaged")),
        (
            format!("<Override ContentType='{word}.template.main+xml'/>"),
            Err("unknown_kind"),
        ),
        (
            format!("<Override ContentType='{word}.document+xml'/>"),
            Err("damaged"),
        ),
        (format!("<Override ContentType='{macros}'/>"), ACTIVE),
        (
            with(&format!(
                "<Default Extension='bin' ContentType='{binary}'/>"
            )),
            ACTIVE,
        ),
        (
            with(&format!(
                "<Default Extension='xlsb' ContentType='{binary}'/>"
            )),
            Ok(()),
        ),
        (
            with("<Default Extension='x' ContentType='application/vnd.ms-office.vbaProject'/>"),
            ACTIVE,
        ),
        (
            with("<Default Extension='x' ContentType='application/vnd.ms-office.activeX+xml'/>"),
            ACTIVE,
        ),
        (String::new(), Err("damaged")),
    ] {
        assert_eq!(typed(FileKind::Docx, &rows), expected, "{rows}");
    }
    assert_eq!(typed(FileKind::Xlsx, &main), Err("damaged"));
    let kind = |kind: &str| {
        let mimetype = format!("application/vnd.oasis.opendocument.{kind}");
        let parts = [("mimetype", mimetype.as_bytes()), ("content.xml", b"<a/>")];
        taken(FileKind::Ods, zip(&parts))
    };
    assert_eq!(kind("spreadsheet"), Ok(()));
    assert_eq!(kind("spreadsheet "), Err("damaged"));
    assert_eq!(kind("text"), Err("damaged"));
    assert_eq!(kind("spreadsheet-template"), Err("unknown_kind"));
    let encrypted = b"<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
    assert_eq!(text(&[("META-INF/other.xml", encrypted)]), Err("encrypted"));
}
