use std::fmt::{self, Write};

/// Writes text so that it stays on its line and reads in its order: line breaks, control characters,
/// direction marks and invisible characters are spelled out (CWE-117, CWE-150, CVE-2021-42574).
pub(crate) fn write_plain(out: &mut impl Write, text: &str) -> fmt::Result {
    for character in text.chars() {
        write_char(out, character)?;
    }
    Ok(())
}

fn write_char(out: &mut impl Write, character: char) -> fmt::Result {
    if deceives(character) {
        write!(out, "{}", character.escape_unicode())
    } else {
        out.write_char(character)
    }
}

fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// At most `limit` characters of a value, written [plainly](write_plain); `…` marks a cut.
///
/// The value's `Display` is stopped at the limit, so that a long one costs no memory.
pub(crate) fn bounded(value: &impl fmt::Display, limit: usize) -> String {
    let mut short = Short {
        text: String::new(),
        left: limit,
    };
    // An error here is the stop at the limit, and then the mark says so.
    if write!(short, "{value}").is_err() {
        short.text.push('…');
    }
    short.text
}

/// A path as a log may keep it: without its query, and with long segments cut, for those are what travels in the links
/// that open accounts; whoever reads the log could use one (ASVS 16.2.5, CWE-532).
pub(crate) fn logged_path(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments =
        path.split('/').map(
            |segment| match segment.char_indices().nth(LONGEST_SEGMENT) {
                Some(_) => format!(
                    "{}…",
                    segment.chars().take(SHOWN_OF_LONG).collect::<String>()
                ),
                None => segment.to_owned(),
            },
        );
    segments.collect::<Vec<_>>().join("/")
}

/// A `Token` has 43 characters; a UUID has 36, and is a name and no secret.
const LONGEST_SEGMENT: usize = 36;
/// Enough to tell two links apart, too little to guess the rest.
const SHOWN_OF_LONG: usize = 6;

struct Short {
    text: String,
    left: usize,
}

impl Write for Short {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for character in part.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            write_char(&mut self.text, character)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_is_spelled_out() {
        assert_eq!(
            bounded(&"ok\r\n{\"seq\":9}", 100),
            "ok\\u{d}\\u{a}{\"seq\":9}"
        );
        assert_eq!(bounded(&"Zoë – 東京", 100), "Zoë – 東京");
    }

    #[test]
    fn a_logged_path_holds_no_query_and_no_token() {
        let token = "l5jYe_fkPwyPakgyPtXhyHenUBmnL8hYD4yoDQEC2Eg";
        assert_eq!(
            logged_path(&format!("/reset/{token}?a=b")),
            "/reset/l5jYe_…"
        );
        assert_eq!(logged_path(&format!("/a/{token}/b")), "/a/l5jYe_…/b");
        for same in [
            "/",
            "",
            "/documents/7/comments",
            "/é/0190d5a4-8f7e-7b1c-9d2e-3f4a5b6c7d8e",
        ] {
            assert_eq!(logged_path(same), same);
        }
    }

    #[test]
    fn a_long_value_is_cut_and_marked() {
        assert_eq!(bounded(&"abcdef", 6), "abcdef");
        assert_eq!(bounded(&"abcdefg", 6), "abcdef…");
        assert_eq!(bounded(&"x".repeat(1_000_000), 256).chars().count(), 257);
    }
}
