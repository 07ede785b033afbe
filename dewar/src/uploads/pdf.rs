//! PDF: begins and ends as one, and names no action that runs something.
//!
//! Dewar sees only uncompressed parts, and so no script inside a compressed object stream. It therefore never shows a PDF
//! and serves it only as an attachment.

use std::io::{self, Read, Seek, SeekFrom};

use super::kind::FileKind;
use super::recognise::RecognitionError;
use super::rejection::UploadRejection;
use super::scan::{self, ScanVerdict};

/// ISO 32000-1, implementation note 18: readers look for the end mark in the last 1024 bytes.
const TAIL: u64 = 1024;
const END: &[u8] = b"%%EOF";

/// The longest name with each character written as `#xx`, its slash, and the parts that must be seen of the word before
/// it and of the value after it.
const LONGEST: usize = BEFORE + 1 + 3 * "JavaScript".len() + AFTER;

/// The white space before a value, and the value's first character. More of it can hide a value between two stretches.
const AFTER: usize = 64;

/// The longest word that makes the name after it an action, `#53`, and one character before it.
const BEFORE: usize = 4;

/// # Errors
/// Bytes before the header or after the end, or an action that runs a script or a program.
pub(crate) fn look(file: &mut (impl Read + Seek)) -> Result<(), RecognitionError> {
    file.rewind()?;
    let mut header = [0; 5];
    file.read_exact(&mut header)?;
    if &header != b"%PDF-" {
        return Err(UploadRejection::Damaged {
            kind: FileKind::Pdf,
        }
        .into());
    }
    look_at_the_end(file)?;
    file.rewind()?;
    let mut what = "";
    // In a later stretch, the previous one already covered the first bytes, with the word before them.
    let mut from = 0;
    let (_, seen) = scan::stretches(file, LONGEST, |stretch| {
        let found = action_in(stretch, std::mem::replace(&mut from, BEFORE));
        found.map_or(ScanVerdict::Nothing, |found| {
            what = found;
            ScanVerdict::Found
        })
    })?;
    match seen {
        ScanVerdict::Found => Err(UploadRejection::Active { what }.into()),
        ScanVerdict::Nothing => Ok(()),
    }
}

/// Checks that only white space and NULs follow the end mark, in any number: anything else is another file (a ZIP, a
/// page).
fn look_at_the_end(file: &mut (impl Read + Seek)) -> Result<(), RecognitionError> {
    let tail = tail(file)?;
    let Some(at) = scan::last(&tail, END) else {
        return Err(UploadRejection::Damaged {
            kind: FileKind::Pdf,
        }
        .into());
    };
    let after = tail.get(at + END.len()..).unwrap_or_default();
    if after.iter().any(|byte| !is_white_space(*byte)) {
        return Err(UploadRejection::TrailingData.into());
    }
    Ok(())
}

/// Whether the end mark is where readers look for it. A text that begins with `%PDF-` has none.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn has_an_end(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    Ok(scan::holds(&tail(file)?, END))
}

/// The last bytes before the padding, and its first bytes.
fn tail(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let end = scan::end_without(file, is_white_space)?;
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

/// The action of a name in a stretch, from this position on.
fn action_in(stretch: &[u8], from: usize) -> Option<&'static str> {
    stretch
        .iter()
        .enumerate()
        .skip(from)
        .filter(|(_, byte)| **byte == b'/')
        .find_map(|(at, _)| {
            let (name, after) = decoded_name(stretch.get(at + 1..)?);
            let what = match name.as_slice() {
                b"JavaScript" => "a script",
                b"Launch" => "a command that starts a program",
                _ => return None,
            };
            (may_be_an_action(stretch.get(..at)) || has_a_value(after)).then_some(what)
        })
}

/// Whether the name before these bytes is the key of a dictionary, such as the key of a document's scripts: a reference,
/// a dictionary or a list follows it. After a part of an address none follows.
fn has_a_value(after: &[u8]) -> bool {
    let value = after.iter().find(|byte| !is_white_space(**byte));
    value.is_some_and(|byte| byte.is_ascii_digit() || b"<[".contains(byte))
}

/// Whether a name after these bytes may be an action. The key of an action is `S`, and an object may be the name alone.
/// After the letters of another word it is part of an address, as in `…/docs/Web/JavaScript`, and runs nothing. An
/// attacker who hides a script after such letters in a stream could as well compress it, and Dewar would not see it at
/// all.
fn may_be_an_action(before: Option<&[u8]>) -> bool {
    let before = before.unwrap_or_default();
    let is_letter = |byte: &u8| !is_white_space(*byte) && !b"()<>[]{}/%".contains(byte);
    let word = before.rsplit(|byte| !is_letter(byte)).next();
    match word.unwrap_or_default() {
        b"" | b"S" | b"#53" => true,
        word => word.ends_with(b"obj"),
    }
}

/// The name at this position, with `#4a` read as `J` (ISO 32000-1, 7.3.5), and the bytes after it: `/J#61vaScript` is the
/// same name.
fn decoded_name(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut name = Vec::with_capacity(12);
    let mut rest = bytes;
    while name.len() < 12 {
        rest = match rest {
            [b'#', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or_default() as u8;
                name.push(digit(*high) * 16 + digit(*low));
                after
            }
            [byte, after @ ..] if !is_white_space(*byte) && !b"()<>[]{}/%".contains(byte) => {
                name.push(*byte);
                after
            }
            _ => break,
        };
    }
    (name, rest)
}

fn is_white_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn looked(body: &str, end: &str) -> Result<(), &'static str> {
        let text = format!("%PDF-1.7\n{body}\n%%EOF{end}");
        look(&mut Cursor::new(text)).map_err(|trouble| match trouble {
            RecognitionError::Refused(refused) => refused.word(),
            RecognitionError::Io(_) => "io",
        })
    }

    #[test]
    fn a_plain_document_is_taken() {
        assert_eq!(
            looked("1 0 obj << /Type /Catalog >> endobj", "\r\n"),
            Ok(())
        );
        assert_eq!(looked("/JavaScriptural /LaunchPad /JSON", "\n"), Ok(()));
    }

    #[test]
    fn scripts_and_programs_are_refused_also_in_disguise() {
        for body in [
            "<< /S /JavaScript /JS (app.alert(1)) >>",
            "/S/J#61vaScript",
            "/#4a#61#76#61#53#63#72#69#70#74 ",
            "<</S/Launch/F(cmd.exe)>>",
            "<</#53/JavaScript>>",
            "5 0 obj/JavaScript endobj",
            "<</S%comment\n/JavaScript>>",
            "<</S\0/JavaScript>>",
            "[/JavaScript]",
            "<</Dests 3 0 R/JavaScript 6 0 R>>",
            "<</Open true/JavaScript<</Names[]>>>>",
            "<</Type/Names/JavaScript\n[6 0 R]>>",
        ] {
            assert_eq!(looked(body, ""), Err("active_content"), "{body}");
        }
    }

    /// The address of a page about JavaScript, in a link that runs nothing.
    #[test]
    fn an_address_with_the_word_is_no_script() {
        let link = "<</S/URI/URI(https://developer.example/docs/Web/JavaScript)>>";
        assert_eq!(looked(link, ""), Ok(()));
        assert_eq!(
            looked("<</S/URI/URI(https://a.example/JS/Launch)>>", ""),
            Ok(())
        );
        assert_eq!(
            looked("(https://a.example/docs/JavaScript) /F 4", ""),
            Ok(())
        );
        for shift in 0..60 {
            let body = format!("{}(x/JS/JavaScript)", " ".repeat(64 * 1024 - 50 + shift));
            assert_eq!(looked(&body, ""), Ok(()), "{shift}");
        }
    }

    #[test]
    fn a_script_across_two_stretches_is_found() {
        for shift in 0..40 {
            let before = " ".repeat(64 * 1024 - 30 + shift);
            for action in ["/#4aavaScript ", "R/JavaScript      6 0 R"] {
                let body = format!("{before}{action}");
                assert_eq!(looked(&body, ""), Err("active_content"), "{shift} {action}");
            }
        }
    }

    #[test]
    fn padding_of_any_length_may_follow_the_end() {
        for padding in [1, 1_023, 1_024, 65_536, 80_000, 300_000] {
            assert_eq!(looked("", &"\0".repeat(padding)), Ok(()), "{padding}");
            assert_eq!(looked("", &"\r\n".repeat(padding)), Ok(()), "{padding}");
        }
    }

    #[test]
    fn what_follows_the_end_is_refused() {
        assert_eq!(looked("", "\nPK\x03\x04"), Err("trailing_data"));
        assert_eq!(looked("", &"x".repeat(2000)), Err("damaged"));
        let far = format!("{}PK\x03\x04{}", "\0".repeat(500), "\0".repeat(500));
        assert_eq!(looked("", &far), Err("trailing_data"));
        let farther = format!("{}PK\x03\x04", "\0".repeat(100_000));
        assert_eq!(looked("", &farther), Err("damaged"));
    }
}
