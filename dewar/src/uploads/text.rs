//! Plain text and CSV: every byte is text, and none of it is markup at the beginning.

use std::io::Read;

use super::recognise::Trouble;
use super::refused::Refused;

/// What makes a browser or a kernel take text for something else: the patterns of the WHATWG MIME Sniffing Standard,
/// section 7.1, and the beginnings of SVG, PHP and other server pages.
const MARKUP: &[&str] = &[
    "<!doctype",
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
    "<svg",
    "<math",
    "<img",
    "<link",
    "<meta",
    "<object",
    "<embed",
    "<form",
    "<?php",
    "<?=",
    "<%",
    "#!",
];

/// Reads the whole stream.
///
/// # Errors
/// It is not UTF-8, holds a control character other than tab and line ends, or begins as markup or a script.
pub(crate) fn look(stream: &mut impl Read) -> Result<(), Trouble> {
    let mut buffer = vec![0; 64 * 1024];
    let mut kept = 0;
    let mut at_start = true;
    loop {
        let free = buffer.get_mut(kept..).unwrap_or_default();
        let read = stream.read(free)?;
        let bytes = buffer.get(..kept + read).unwrap_or_default();
        let (text, rest) = decode(bytes)?;
        if text.chars().any(is_forbidden) {
            return Err(Refused::NotText.into());
        }
        // A short first read must not hide the markup behind it.
        if at_start && (bytes.len() >= 1024 || read == 0) {
            refuse_markup(text)?;
            at_start = false;
        }
        if read == 0 {
            return if rest == 0 {
                Ok(())
            } else {
                Err(Refused::NotText.into())
            };
        }
        let done = if at_start { 0 } else { text.len() };
        let end = bytes.len();
        kept = end - done;
        buffer.copy_within(done..end, 0);
    }
}

/// The text as far as it is whole, and how many bytes of an unfinished character follow (three at most).
fn decode(bytes: &[u8]) -> Result<(&str, usize), Refused> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((text, 0)),
        Err(error) if error.error_len().is_none() => {
            let (whole, rest) = bytes.split_at(error.valid_up_to());
            Ok((
                std::str::from_utf8(whole).map_err(|_| Refused::NotText)?,
                rest.len(),
            ))
        }
        Err(_) => Err(Refused::NotText),
    }
}

/// Controls other than tab, line feed, carriage return; and the characters Unicode says are none (U+FFFE).
fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\r' | '\n')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn refuse_markup(text: &str) -> Result<(), Refused> {
    let beginning = text.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
    let beginning: String = beginning
        .chars()
        .take(16)
        .collect::<String>()
        .to_ascii_lowercase();
    let is_markup = MARKUP.iter().any(|pattern| {
        beginning.strip_prefix(pattern).is_some_and(|rest| {
            let word = pattern.ends_with(|c: char| c.is_ascii_alphanumeric());
            !(word && rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        })
    });
    if is_markup {
        return Err(Refused::Active {
            what: "markup or a script where text was expected",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(bytes: &[u8]) -> Result<(), &'static str> {
        look(&mut &*bytes).map_err(|trouble| match trouble {
            Trouble::Refused(refused) => refused.word(),
            Trouble::Io(_) => "io",
        })
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
    fn markup_at_the_beginning_is_refused_however_it_is_dressed() {
        for text in [
            "<!DOCTYPE html>",
            " \n<HTML>",
            "\u{feff}<svg onload=x>",
            "<?xml version='1.0'?>",
            "<script>x",
            "#!/bin/sh",
            "<?php x",
        ] {
            assert_eq!(looked(text.as_bytes()), Err("active_content"), "{text}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused_wherever_it_stands() {
        assert_eq!(looked(b"caf\xe9 au lait"), Err("not_text"));
        assert_eq!(looked(b"cut \xe2\x82"), Err("not_text"));
        assert_eq!(looked(b"nul \0"), Err("not_text"));
        assert_eq!(looked(b"escape \x1b[31m"), Err("not_text"));
        let mut long = vec![b'a'; 500_000];
        long.push(0xff);
        assert_eq!(looked(&long), Err("not_text"));
    }
}
