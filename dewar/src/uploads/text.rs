//! Checks whether every byte of a file is text, and whether that text is a page or a script.

use std::io::{self, Read, Seek};

use encoding_rs::DecoderResult;

use super::charset::Charset;
use super::rejection::UploadRejection;

/// How many bytes of a text are searched for the start of a page. Browsers that sniff read 1,445 bytes.
const BEGINNING: usize = 4 * 1024;

/// The content of a whole file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileBytes {
    /// Text that begins as a page, a drawing or a script.
    Page,
    /// Any other text, in this encoding.
    Text(Charset),
    /// Not text, for this reason.
    NotText(UploadRejection),
}

/// Reads the whole stream. Text is UTF-8, or every byte of it is valid in the declared encoding, or in the one that its letters betray. It has no
/// control characters, except those of text files: tab, every line and page break, and the Ctrl-Z at the end of a DOS file.
///
/// # Errors
/// The stream cannot be read.
pub(crate) fn content(
    stream: &mut (impl Read + Seek),
    declared: Option<Charset>,
) -> io::Result<FileBytes> {
    let found = content_in(stream, Charset::utf_8())?;
    if found != FileBytes::NotText(UploadRejection::NotText) {
        return Ok(found);
    }
    let charset = match declared {
        Some(declared) => declared,
        None => Charset::guess(stream)?,
    };
    if charset == Charset::utf_8() {
        return Ok(found);
    }
    content_in(stream, charset)
}

fn content_in(stream: &mut (impl Read + Seek), charset: Charset) -> io::Result<FileBytes> {
    stream.rewind()?;
    let Some(encoding) = charset.encoding() else {
        return content_of_dos(stream, charset);
    };
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (mut bytes, mut decoded) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let mut text = TextReader::default();
    // Whether the decoder may hold the beginning of a letter.
    let mut is_open = charset != Charset::utf_8();
    loop {
        let read = stream.read(&mut bytes)?;
        let mut rest = bytes.get(..read).unwrap_or_default();
        if read > 0 && !is_open && text.skips(rest) {
            continue;
        }
        is_open |= rest.last().is_some_and(|last| !last.is_ascii());
        loop {
            let (result, consumed, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut decoded, read == 0);
            let piece = decoded.get(..written).unwrap_or_default();
            let piece = std::str::from_utf8(piece).unwrap_or_default();
            if let Err(refused) = text.read(piece) {
                return Ok(FileBytes::NotText(refused));
            }
            rest = rest.get(consumed..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    return Ok(FileBytes::NotText(UploadRejection::NotText));
                }
            }
        }
        if read == 0 {
            return Ok(if is_page(&text.beginning) {
                FileBytes::Page
            } else {
                FileBytes::Text(charset)
            });
        }
    }
}

/// Which letter a byte above ASCII is makes no difference to the rules of a text: none of them is a control character, and a page
/// begins in ASCII.
fn content_of_dos(stream: &mut impl Read, charset: Charset) -> io::Result<FileBytes> {
    const LETTER: char = '\u{2592}';
    let (mut bytes, mut text) = (vec![0; 64 * 1024], TextReader::default());
    loop {
        let read = stream.read(&mut bytes)?;
        let piece = bytes.get(..read).unwrap_or_default().iter();
        let piece = piece.map(|byte| match byte {
            0..=0x7f => char::from(*byte),
            0x80.. => LETTER,
        });
        if let Err(refused) = text.read(&piece.collect::<String>()) {
            return Ok(FileBytes::NotText(refused));
        }
        if read == 0 {
            return Ok(if is_page(&text.beginning) {
                FileBytes::Page
            } else {
                FileBytes::Text(charset)
            });
        }
    }
}

/// A text that is read in pieces.
struct TextReader {
    beginning: String,
    line: usize,
    ended: bool,
}

impl Default for TextReader {
    fn default() -> Self {
        Self {
            beginning: String::new(),
            line: 1,
            ended: false,
        }
    }
}

impl TextReader {
    /// Reads bytes that are plain ASCII, which need no decoder. If they are not, or the beginning is not yet read, it reads nothing.
    fn skips(&mut self, bytes: &[u8]) -> bool {
        let is_plain = self.is_past_beginning() && bytes.chunks(ASCII_PIECE).all(is_plain_ascii);
        if is_plain {
            self.line += lines(bytes);
        }
        is_plain
    }

    /// Whether only the characters are left to check.
    fn is_past_beginning(&self) -> bool {
        self.beginning.len() >= BEGINNING && !self.ended
    }

    fn read(&mut self, mut text: &str) -> Result<(), UploadRejection> {
        while !text.is_empty() {
            let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE));
            // Nearly every piece of a text is plain, and the processor compares many bytes of it at once.
            if self.is_past_beginning() && is_plain(piece.as_bytes()) {
                self.line += lines(piece.as_bytes());
            } else {
                self.read_each(piece)?;
            }
            text = rest;
        }
        Ok(())
    }

    fn read_each(&mut self, text: &str) -> Result<(), UploadRejection> {
        for c in text.chars() {
            if self.beginning.len() < BEGINNING {
                self.beginning.push(c);
            }
            let refuse = |character| {
                Err(UploadRejection::ControlCharacter {
                    character,
                    line: self.line,
                })
            };
            match c {
                END_OF_FILE => self.ended = true,
                // DOS stops reading at Ctrl-Z; only some programs would see text after it.
                c if self.ended && !c.is_whitespace() => return refuse(END_OF_FILE),
                '\n' => self.line += 1,
                c if is_forbidden(c) => return refuse(c),
                _ => {}
            }
        }
        Ok(())
    }
}

const END_OF_FILE: char = '\u{1a}';

/// The bytes of a text that are compared at once.
const PIECE: usize = 256;

/// The bytes that are compared at once, where all are expected to be ASCII.
const ASCII_PIECE: usize = 4 * 1024;

fn lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// Whether all of these bytes are visible ASCII, blanks, tabs and breaks of lines.
fn is_plain_ascii(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| {
        let is_break = (*byte == b'\t') | (*byte == b'\n') | (*byte == b'\r');
        plain & (is_break | (byte.wrapping_sub(0x20) < 0x5f))
    })
}

/// Whether none of these bytes of UTF-8 can be a forbidden character: a control of ASCII, or the first byte of one beyond it (`C2`)
/// or of a noncharacter (`EF`).
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| {
        let is_break = matches!(byte, b'\t' | b'\n' | b'\r');
        plain & (is_break | ((*byte >= 0x20) & !matches!(byte, 0x7f | 0xc2 | 0xef)))
    })
}

/// Controls other than tab and the breaks of lines and pages, and Unicode's noncharacters (U+FFFE).
fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\u{0b}' | '\u{0c}' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    }
}

/// Elements that run or draw by themselves if a program reads the text as a page.
const ELEMENTS: &[&str] = &["html", "script", "svg", "iframe", "object", "embed"];

/// Whether a text begins as a page, a drawing or a script. One `<` is no proof: `<ada@example.org> wrote` is a letter,
/// `<title>,<author>` a template and `<?xml version="1.0"?><order/>` data. Dewar serves an accepted text as an attachment of
/// type `text/plain` or `text/csv` with `nosniff`.
pub(crate) fn is_page(text: &str) -> bool {
    let trim = |text: &str| -> usize {
        let rest = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
        text.len() - rest.len()
    };
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.get(trim(&lower)..).unwrap_or_default();
    // The kernel treats the rest of the line as an interpreter.
    if let Some(interpreter) = rest.strip_prefix("#!") {
        return interpreter.trim_start_matches([' ', '\t']).starts_with('/');
    }
    while let Some(after) = after_prologue(rest) {
        rest = after.get(trim(after)..).unwrap_or_default();
    }
    let server = ["<?php", "<?=", "<%@"];
    server.iter().any(|start| rest.starts_with(start))
        || document_type(rest).is_some_and(|root| ["html", "svg"].contains(&root))
        || ELEMENTS.iter().any(|name| starts_with_element(rest, name))
}

/// The text after an XML declaration, a comment, or a document type that is not a page's, any of which may stand before
/// the first element. A browser ends a comment in three more ways than XML does (HTML, 13.2.5.43 to 52).
fn after_prologue(text: &str) -> Option<&str> {
    if let Some(declaration) = text.strip_prefix("<?xml") {
        return Some(declaration.split_once("?>")?.1);
    }
    if let Some(comment) = text.strip_prefix("<!--") {
        let at_once = [">", "->"].into_iter();
        if let Some(after) = at_once.filter_map(|end| comment.strip_prefix(end)).next() {
            return Some(after);
        }
        let ends = ["-->", "--!>"].into_iter();
        let parts = ends.filter_map(|end| comment.split_once(end));
        return parts
            .min_by_key(|(inside, _)| inside.len())
            .map(|(_, after)| after);
    }
    let root = document_type(text)?;
    if ["html", "svg"].contains(&root) {
        return None;
    }
    let (head, after) = text.split_once('>')?;
    if head.contains('[') {
        // The declarations inside have brackets of their own.
        return Some(text.split_once(']')?.1.split_once('>')?.1);
    }
    Some(after)
}

/// The name after `<!doctype`, without its prefix, with any white space between the two.
fn document_type(text: &str) -> Option<&str> {
    let name = text.strip_prefix("<!doctype")?.trim_start();
    let end = |c: char| c.is_whitespace() || matches!(c, '>' | '[');
    let name = name.split(end).next()?;
    Some(name.rsplit(':').next().unwrap_or(name))
}

/// Whether an element of this name begins here, with or without an XML prefix. In a table cell, as in `<html>,<body>`, it
/// is a word.
fn starts_with_element(text: &str, name: &str) -> bool {
    let tag = text.strip_prefix('<');
    let local = tag.and_then(|tag| {
        let (prefix, local) = tag.split_once(':')?;
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        (!prefix.is_empty() && prefix.chars().all(is_name)).then_some(local)
    });
    let all = [tag, local].into_iter().flatten();
    match all.filter_map(|tag| tag.strip_prefix(name)).next() {
        Some(after) => match after.strip_prefix('>') {
            Some(content) => !content.starts_with([',', ';', '\t', '|']),
            None => after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || c == '/'),
        },
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn looked(bytes: &[u8]) -> Result<(), &'static str> {
        match content(&mut Cursor::new(bytes), None).unwrap() {
            FileBytes::Page => Err("page"),
            FileBytes::Text(_) => Ok(()),
            FileBytes::NotText(refused) => Err(refused.word()),
        }
    }

    #[test]
    fn text_in_any_language_is_taken() {
        assert_eq!(looked("Grüße aus 東京\r\n\tend".as_bytes()), Ok(()));
        assert_eq!(looked("\u{feff}with a mark".as_bytes()), Ok(()));
        assert_eq!(looked(b"<someone@example.org> wrote"), Ok(()));
        assert_eq!(looked("ä".repeat(300_000).as_bytes()), Ok(()));
        assert_eq!(
            looked(format!("x{}", "€".repeat(100_000)).as_bytes()),
            Ok(())
        );
    }

    #[test]
    fn breaks_of_lines_and_pages_are_text() {
        for text in ["a\x0bb", "a\x0cb", "a\u{85}b", "a\u{2028}b", "a\rb"] {
            assert_eq!(looked(text.as_bytes()), Ok(()), "{text:?}");
        }
        assert_eq!(looked(b"DOS text\r\n\x1a"), Ok(()));
        assert_eq!(looked(b"CP/M text\x1a\x1a\x1a\r\n"), Ok(()));
        assert_eq!(looked(b"DOS\x1ahidden"), Err("control_character"));
    }

    /// Far behind the beginning, wherever a piece of the text ends.
    #[test]
    fn a_control_character_is_found_anywhere_with_its_line() {
        // The end of a DOS file has a test of its own.
        let forbidden = |c: &char| is_forbidden(*c) && *c != END_OF_FILE;
        let forbidden = ('\0'..'\u{ffff}').filter(forbidden);
        for c in forbidden.chain(['\u{ffff}']) {
            for before in ["x", "ä", "東", "x\n", "\u{a0}"] {
                let text = before.repeat(5_000) + &c.to_string() + &before.repeat(300);
                let refused = content(&mut Cursor::new(text.as_bytes()), None).unwrap();
                let line = 1 + before.matches('\n').count() * 5_000;
                let right = UploadRejection::ControlCharacter { character: c, line };
                assert_eq!(refused, FileBytes::NotText(right), "{c:?} {before:?}");
            }
        }
    }

    /// Plain ASCII passes the decoder by, from the second piece of the stream on.
    #[test]
    fn what_follows_plain_pieces_of_a_long_text_is_read_as_what_precedes_them() {
        let piece = "A line of sixteen\n".repeat(64 * 1024 / 18 + 1);
        let piece = &piece.as_bytes()[..64 * 1024];
        let lines = piece.iter().filter(|byte| **byte == b'\n').count();
        for c in ["\0", "\u{1f}", "\u{7f}", "\u{80}", "\u{ffff}"] {
            let text = [piece, piece, &piece[..18], c.as_bytes(), piece].concat();
            let refused = content(&mut Cursor::new(&text), None).unwrap();
            let right = UploadRejection::ControlCharacter {
                character: c.chars().next().unwrap(),
                line: 2 * lines + 2,
            };
            assert_eq!(refused, FileBytes::NotText(right), "{c:?}");
        }
        let hidden = [piece, piece, b"\x1a", piece].concat();
        assert_eq!(looked(&hidden), Err("control_character"));
        // A letter that two pieces share.
        let (before, letter) = (&piece[1..], "é".as_bytes());
        let shared = [piece, before, letter, piece, piece].concat();
        let utf_8 = FileBytes::Text(Charset::utf_8());
        assert_eq!(content(&mut Cursor::new(shared), None).unwrap(), utf_8);
        // Two halves of one, far from each other.
        let torn = [piece, before, &letter[..1], piece, &letter[1..], piece].concat();
        assert_ne!(content(&mut Cursor::new(torn), None).unwrap(), utf_8);
    }

    #[test]
    fn a_page_or_a_script_is_found_however_it_is_dressed() {
        for text in [
            "<!DOCTYPE html>",
            " \n<HTML>",
            "\u{feff}<svg onload=x>",
            "<?xml version='1.0'?>\n<!-- a --> <svg onload=x>",
            "<!-- a --><script>x</script>",
            "<script>x",
            "<iframe\nsrc=x>",
            "#!/bin/sh",
            "#! /usr/bin/env python3",
            "#!\t/bin/sh",
            "#! \t /bin/sh",
            "<!--x--!><script>x</script>",
            "<!--x--!> <!-- y --><script>x</script>-->",
            "<!--><script>x</script>",
            "<!---><script>x</script>",
            "<!--1--><!--2--><!--3--><svg onload=x>",
            "<?xml version='1.1'?>\u{85}<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'><svg>",
            "<!DOCTYPE\tsvg><svg onload=x>",
            "<!DOCTYPE\nhtml>",
            "<!doctypehtml>",
            "<!DOCTYPE s:svg><s:svg xmlns:s='http://www.w3.org/2000/svg'>",
            "<!DOCTYPE x><svg onload=x>",
            "<!DOCTYPE x [<!ENTITY y '>'>]><svg onload=x>",
            "<s:svg xmlns:s='http://www.w3.org/2000/svg' onload='x'/>",
            "<?php x",
        ] {
            assert_eq!(looked(text.as_bytes()), Err("page"), "{text}");
        }
    }

    #[test]
    fn a_text_that_begins_with_a_bracket_or_a_mark_is_no_page() {
        for text in [
            "<a@example.org> wrote",
            "<title>,<author>\r\nFaust,Goethe\r\n",
            "<html>,<body>\r\n1,2\r\n",
            "<?xml version=\"1.0\"?><a/>",
            "<scripture> for Sunday",
            "<!--x--!> a note",
            "<!DOCTYPE order><order/>",
            "<!doctype",
            "<a:b>",
            "<Ada: html",
            "#! note to self",
            "<3 from Ada",
        ] {
            assert_eq!(looked(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_text_is_said_as_it_is_wherever_it_stands() {
        // Bytes that are no letters in any encoding.
        assert_eq!(looked(b"\xff\xfea\0\0\xd8b\0"), Err("not_text"));
        let control = |bytes: &[u8], character, line| {
            let refused = UploadRejection::ControlCharacter { character, line };
            assert_eq!(
                content(&mut Cursor::new(bytes), None).unwrap(),
                FileBytes::NotText(refused),
                "{bytes:?}"
            );
        };
        control(b"nul \0", '\0', 1);
        control(b"one\r\ntwo\r\n\x1b[31m", '\x1b', 3);
        control("c1 \u{9b}31m".as_bytes(), '\u{9b}', 1);
        control("none \u{fffe}".as_bytes(), '\u{fffe}', 1);
        let lines = "line\n".repeat(100_000) + "\x07";
        control(lines.as_bytes(), '\x07', 100_001);
    }

    fn charset(bytes: &[u8]) -> Result<&'static str, &'static str> {
        match content(&mut Cursor::new(bytes), None).unwrap() {
            FileBytes::Page => Err("page"),
            FileBytes::Text(charset) => Ok(charset.as_str()),
            FileBytes::NotText(refused) => Err(refused.word()),
        }
    }

    #[test]
    fn an_old_text_is_kept_in_its_encoding() {
        use encoding_rs as known;
        for (encoding, text) in [
            (
                known::WINDOWS_1252,
                "Der Käse schmeckt den Bären größtenteils übel, sagte die Frau.\r\n",
            ),
            (
                known::WINDOWS_1250,
                "Příliš žluťoučký kůň úpěl ďábelské ódy, a proto šel domů.\r\n",
            ),
            (
                known::WINDOWS_1251,
                "Съешь же ещё этих мягких французских булок, да выпей чаю.\r\n",
            ),
            (
                known::KOI8_U,
                "Съешь же ещё этих мягких французских булок, да выпей чаю.\r\n",
            ),
            (
                known::WINDOWS_1253,
                "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία σήμερα το πρωί.\r\n",
            ),
            (
                known::SHIFT_JIS,
                "これは日本語の文章です。文字の種類を調べるために書きました。\r\n",
            ),
            (
                known::EUC_JP,
                "これは日本語の文章です。文字の種類を調べるために書きました。\r\n",
            ),
            (
                known::GBK,
                "这是一段中文文字，用来检查文字的编码是否正确。\r\n",
            ),
            (
                known::BIG5,
                "這是一段中文文字，用來檢查文字的編碼是否正確。\r\n",
            ),
            (
                known::EUC_KR,
                "이것은 한국어 문장입니다. 글자의 부호화를 확인하려고 썼습니다.\r\n",
            ),
        ] {
            let (bytes, _, has_lost) = encoding.encode(text);
            assert!(!has_lost, "{}", encoding.name());
            let found = charset(&bytes).unwrap();
            assert!(
                found.eq_ignore_ascii_case(encoding.name()),
                "{} {found}",
                encoding.name()
            );
        }
        assert_eq!(charset(b"caf\xe9 au lait"), Ok("windows-1252"));
        assert_eq!(charset("plain".as_bytes()), Ok("utf-8"));
        assert_eq!(charset("größer".as_bytes()), Ok("utf-8"));
    }

    /// Nothing in the bytes says which code page of DOS they have, so only a policy can.
    ///
    /// ASVS: V5.2.2
    #[test]
    fn a_text_of_dos_is_taken_if_its_encoding_is_declared_and_by_the_same_rules() {
        let declared = |bytes: &[u8]| {
            let found = content(&mut Cursor::new(bytes), Some(Charset::ibm437()));
            match found.unwrap() {
                FileBytes::Page => Err("page"),
                FileBytes::Text(charset) => Ok(charset.as_str()),
                FileBytes::NotText(refused) => Err(refused.word()),
            }
        };
        let table = b"Stra\xe1e;Gr\x94\xe1e\r\n\x81ber;\xc9\xcd\xbb\r\n\x1a";
        assert_eq!(charset(table), Err("control_character"));
        assert_eq!(declared(table), Ok("ibm437"));
        assert_eq!(declared("Größe".as_bytes()), Ok("utf-8"));
        assert_eq!(declared(b"<script>x</script> \x81"), Err("page"));
        assert_eq!(declared(b"\x81\x1b[31m"), Err("control_character"));
        assert_eq!(declared(b"\x81\x1ahidden"), Err("control_character"));
        assert_eq!(declared(b"\x81\0"), Err("control_character"));
    }

    fn utf_16(text: &str) -> [Vec<u8>; 2] {
        let units: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
        let little = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        [little, big]
    }

    /// Excel saves "Unicode text" so.
    #[test]
    fn utf_16_with_a_mark_is_text_and_half_a_character_is_not() {
        let [little, big] = utf_16(&"Größe\t東京\r\n".repeat(20_000));
        assert_eq!(charset(&little), Ok("utf-16le"));
        assert_eq!(charset(&big), Ok("utf-16be"));
        assert_eq!(charset(&little[..little.len() - 1]), Err("not_text"));
        assert_eq!(charset(&little[2..]), Err("control_character"), "no mark");
        let [nul, _] = utf_16("a\0b");
        assert_eq!(charset(&nul), Err("control_character"));
    }

    /// No encoding hides a page, and UTF-7 is a text of ASCII that is served with its name.
    ///
    /// ASVS: V5.2.2
    #[test]
    fn a_page_is_found_in_any_encoding() {
        for page in [
            "<html><script>alert(1)</script>",
            " <!-- a --><svg onload=x>",
            "<?php x",
        ] {
            for bytes in utf_16(page) {
                assert_eq!(charset(&bytes), Err("page"), "{page}");
            }
            let latin = [page.as_bytes(), b" caf\xe9"].concat();
            assert_eq!(charset(&latin), Err("page"), "{page}");
            let (japanese, ..) = encoding_rs::SHIFT_JIS.encode("これは日本語の文章です。");
            assert_eq!(
                charset(&[page.as_bytes(), &japanese].concat()),
                Err("page"),
                "{page}"
            );
        }
        assert_eq!(
            charset(b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
            Ok("utf-8")
        );
    }
}
