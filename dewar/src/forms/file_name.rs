//! The one rule for the name of a visitor's file: a text to show, never a path.

use super::characters::nfc;
use super::invisible::visible;

/// The most characters of a name. A longer one loses the end of its stem, not its extension.
const MOST_CHARACTERS: usize = 120;

/// The most bytes of a name as it arrives. No file system has longer names.
const MOST_BYTES: usize = 1024;

/// The most characters of an extension.
pub(crate) const LONGEST_EXTENSION: usize = 10;

/// Names that are devices on Windows, where somebody may save the file.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// Characters that no name begins or ends with.
const EDGES: [char; 3] = [' ', '.', '-'];

/// A visitor's file name, cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CleanName {
    text: String,
    origin: Origin,
}

/// How a name came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// No honest program sends it: it has a control character (NUL included), is too long, or is empty after cleaning.
    Crafted,
    /// As a browser sends the name of a file.
    Named,
}

impl CleanName {
    /// Cleans a name. The result is the last part of a path (RFC 7578, 4.2), in NFC, of bounded length. It has no control
    /// characters and no noncharacters, no invisible ones except those that belong to their neighbours (`invisible.rs`), no
    /// character with a meaning for a file system or a shell, no dot, hyphen or space at its edges, and is not the name of a
    /// device. It is `file` if nothing is left.
    pub(crate) fn of(raw: &str) -> Self {
        let last = raw.rsplit(['/', '\\', ':']).next().unwrap_or_default();
        let text = last.chars().filter(|c| !is_no_text(*c)).take(MOST_BYTES);
        let harmless: String = nfc(&text.collect::<String>())
            .chars()
            .map(harmless)
            .collect();
        let spaced = collapse_spaces(&nfc(&visible(&harmless)));
        let trimmed = spaced.trim_matches(EDGES);
        let guard = if is_device(trimmed) { "_" } else { "" };
        let (text, is_whole) = shortened(&format!("{guard}{trimmed}"));
        let is_crafted = raw.len() > MOST_BYTES || raw.chars().any(char::is_control);
        let origin = match is_crafted || !is_whole || text.is_empty() {
            true => Origin::Crafted,
            false => Origin::Named,
        };
        match text.is_empty() {
            true => Self {
                text: "file".to_owned(),
                origin,
            },
            false => Self { text, origin },
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The stem and the extension. A crafted name has none.
    pub(crate) fn stem_and_extension(&self) -> Option<(&str, &str)> {
        match self.origin {
            Origin::Crafted => None,
            Origin::Named => self.text.rsplit_once('.'),
        }
    }

    pub(crate) fn into_string(self) -> String {
        self.text
    }
}

/// The name within the bound, with its extension; and whether the extension is whole.
fn shortened(name: &str) -> (String, bool) {
    let parts = name.rsplit_once('.');
    let short = parts.filter(|(_, extension)| extension.len() <= LONGEST_EXTENSION);
    let Some((stem, extension)) = short else {
        let is_whole = parts.is_none() || name.chars().count() <= MOST_CHARACTERS;
        let cut = cut(name, MOST_CHARACTERS);
        return (cut.trim_end_matches(EDGES).to_owned(), is_whole);
    };
    let stem = cut(stem, MOST_CHARACTERS - 1 - extension.chars().count());
    (format!("{stem}.{extension}"), true)
}

fn cut(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    // A joiner whose neighbour was cut off belongs to nothing.
    let short = visible(&short);
    short.trim_end_matches([' ', '.']).to_owned()
}

/// Control characters, line breaks, and Unicode's noncharacters.
fn is_no_text(c: char) -> bool {
    let is_none = matches!(c, '\u{fdd0}'..='\u{fdef}') || u32::from(c) & 0xfffe == 0xfffe;
    c.is_control() || is_none || matches!(c, '\u{2028}' | '\u{2029}')
}

fn harmless(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | ';' | '%' | '`' | '$' => '_',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn collapse_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    out
}

fn is_device(name: &str) -> bool {
    let first = name.split('.').next().unwrap_or_default();
    let first = first.trim_end().to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|port| {
        let rest = first.strip_prefix(port);
        rest.is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']))
    });
    numbered || DEVICES.contains(&first.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(raw: &str) -> String {
        CleanName::of(raw).into_string()
    }

    #[test]
    fn a_visitors_name_is_only_its_last_part_and_only_what_is_seen() {
        for (sent, shown) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\b.docx", "b.docx"),
            ("a.php:.png", "png"),
            ("exe\u{202e}fdp.scr", "exefdp.scr"),
            ("می\u{200c}خواهم.txt", "می\u{200c}خواهم.txt"),
            (
                "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}.txt",
                "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}.txt",
            ),
            ("ad\u{200d}min\u{2800}\u{fff9}.txt", "admin.txt"),
            ("a\0\r\nb.txt", "ab.txt"),
            ("a<b>\"c\"|d?.txt", "a_b__c__d_.txt"),
            ("\u{37e}a\u{1fef}.txt", "_a_.txt"),
            ("-rf \t  x .txt", "rf x.txt"),
            ("CON.txt", "_CON.txt"),
            ("com1", "_com1"),
            ("comet.txt", "comet.txt"),
            (".htaccess", "htaccess"),
            ("dir/", "file"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(cleaned(sent), shown);
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension_or_has_none() {
        let extension = |raw: &str| {
            let name = CleanName::of(raw);
            assert!(name.as_str().chars().count() <= MOST_CHARACTERS, "{raw}");
            name.stem_and_extension()
                .map(|(_, extension)| extension.to_owned())
        };
        let long = "ä".repeat(400);
        assert_eq!(extension(&format!("{long}.pdf")).as_deref(), Some("pdf"));
        assert_eq!(extension(&long), None);
        // A cut can turn a long extension into a known one.
        let cut = "x".repeat(MOST_CHARACTERS - 4);
        assert_eq!(extension(&format!("{cut}.pdfxxxxxxxxxxxx")), None);
        assert_eq!(
            extension("a.pdfxxxxxxxxxxxx").as_deref(),
            Some("pdfxxxxxxxxxxxx")
        );
        // The cut is between two characters of a family emoji.
        let family = format!(
            "{}\u{1f468}\u{200d}\u{1f469}.txt",
            "x".repeat(MOST_CHARACTERS - 6)
        );
        assert!(cleaned(&family).ends_with("x\u{1f468}.txt"));
    }

    #[test]
    fn a_crafted_name_is_shown_and_has_no_extension() {
        let long = format!("{}.pdf", "a".repeat(MOST_BYTES));
        for raw in [
            "a\0.pdf",
            "a\r\nSet-Cookie: x.pdf",
            "a\u{85}.pdf",
            "",
            ".",
            &long,
        ] {
            let name = CleanName::of(raw);
            assert_eq!(name.stem_and_extension(), None, "{raw:?}");
            assert!(!name.as_str().is_empty());
        }
        let most = format!("{}.pdf", "a".repeat(MOST_BYTES - 4));
        assert!(CleanName::of(&most).stem_and_extension().is_some());
    }

    #[test]
    fn what_unicode_says_is_no_character_is_no_text() {
        for c in [
            '\0', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}', '\u{fdd0}', '\u{fdef}',
        ] {
            assert!(is_no_text(c), "{c:?}");
        }
        for c in ['\u{fffe}', '\u{ffff}', '\u{1fffe}', '\u{10ffff}'] {
            assert!(is_no_text(c), "{c:?}");
        }
        for c in [
            'a',
            ' ',
            '\u{2027}',
            '\u{202a}',
            '\u{fdcf}',
            '\u{fdf0}',
            '\u{fffd}',
            '\u{1fffd}',
            '\u{feff}',
        ] {
            assert!(!is_no_text(c), "{c:?}");
        }
        assert!(!is_no_text('\u{1ff0e}'));
    }

    proptest! {
        #[test]
        fn a_clean_name_can_do_nothing_and_stays_as_it_is(raw in any::<String>(), extension in "(\\.[a-z]{1,12})?") {
            let name = cleaned(&format!("{raw}{extension}"));
            prop_assert!((1..=MOST_CHARACTERS).contains(&name.chars().count()));
            prop_assert!(!name.contains(['/', '\\', ':', '"', '<', '>', ';', '%', '\0', '\r', '\n']));
            prop_assert!(!name.starts_with(['.', '-', ' ']));
            prop_assert!(!name.chars().any(is_no_text));
            prop_assert_eq!(visible(&name), name.as_str());
            prop_assert_eq!(cleaned(&name), name);
        }
    }
}
