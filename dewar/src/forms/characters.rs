//! The characters that a text may have, and its normal form.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::invisible::belongs;
use crate::audit::is_invisible;
use crate::pages::Message;

/// A character that a text may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadCharacter {
    Control(char),
    Direction(char),
    Invisible(char),
    NewLine,
}

impl BadCharacter {
    /// The message that says how to correct it.
    pub(super) fn message(self) -> Message {
        let with = |id, c| {
            let code = format!("U+{:04X}", u32::from(c));
            Message::new(id).with("code", code)
        };
        match self {
            Self::Control(c) => with("forms-control", c),
            Self::Direction(c) => with("forms-direction", c),
            Self::Invisible(c) => with("forms-invisible", c),
            Self::NewLine => Message::new("forms-one-line"),
        }
    }
}

/// The line breaks of Unicode beside `\n` (5.8, *Newline Guidelines*). A word processor sends U+000B for a line break within a
/// paragraph.
const LINE_BREAKS: [char; 6] = ['\r', '\u{0b}', '\u{0c}', '\u{85}', '\u{2028}', '\u{2029}'];

/// One line: NFC, trimmed.
pub(super) fn line(text: &str) -> Result<Cow<'_, str>, BadCharacter> {
    let trimmed = text.trim();
    // Most lines are ASCII, and every printable ASCII character is allowed and in normal form.
    if all(trimmed, |byte| (b' '..=b'~').contains(&byte)) {
        return Ok(Cow::Borrowed(trimmed));
    }
    let normal = nfc(trimmed);
    each(&normal, |c| match c {
        c if c == '\n' || LINE_BREAKS.contains(&c) => Err(BadCharacter::NewLine),
        other => seen(other),
    })?;
    Ok(Cow::Owned(normal))
}

/// Several lines: NFC, every line break as `\n`, trimmed.
pub(super) fn text(text: &str) -> Result<Cow<'_, str>, BadCharacter> {
    lines(text, str::trim)
}

/// Like `text`, but keeps the indentation of the first line that has words.
pub(super) fn indented(text: &str) -> Result<Cow<'_, str>, BadCharacter> {
    lines(text, |text| {
        let text = text.trim_end();
        let words = text.len() - text.trim_start().len();
        let blank = text.get(..words).unwrap_or_default();
        let line = blank.rfind('\n').map_or(0, |end| end + 1);
        text.get(line..).unwrap_or(text)
    })
}

fn lines(text: &str, trimmed: impl Fn(&str) -> &str) -> Result<Cow<'_, str>, BadCharacter> {
    // A carriage return alone is a line break that has to become `\n`.
    if all(text, |byte| {
        (b' '..=b'~').contains(&byte) | (byte == b'\n') | (byte == b'\t')
    }) {
        return Ok(Cow::Borrowed(trimmed(text)));
    }
    let broken = text.replace("\r\n", "\n").replace(LINE_BREAKS, "\n");
    let normal = nfc(trimmed(&broken));
    each(&normal, |c| match c {
        '\n' | '\t' => Ok(()),
        other => seen(other),
    })?;
    Ok(Cow::Owned(normal))
}

/// Whether every byte is good. It does not stop at the first bad byte, so that the compiler can vectorize the loop.
fn all(text: &str, is_good: impl Fn(u8) -> bool) -> bool {
    text.bytes()
        .fold(true, |so_far, byte| so_far & is_good(byte))
}

pub(super) fn nfc(text: &str) -> String {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

fn each(text: &str, rule: impl Fn(char) -> Result<(), BadCharacter>) -> Result<(), BadCharacter> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if !belongs(c, before, characters.peek().copied()) {
            rule(c)?;
        }
        before = Some(c);
    }
    Ok(())
}

/// Refuses invisible characters and those that change how their neighbours appear (CVE-2021-42574; Unicode TR 36 and 39).
fn seen(c: char) -> Result<(), BadCharacter> {
    match c {
        c if c.is_control() => Err(BadCharacter::Control(c)),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => {
            Err(BadCharacter::Direction(c))
        }
        c if is_invisible(c) => Err(BadCharacter::Invisible(c)),
        // Noncharacters: never text (Unicode 23.7).
        '\u{fdd0}'..='\u{fdef}' => Err(BadCharacter::Control(c)),
        c if u32::from(c) & 0xfffe == 0xfffe => Err(BadCharacter::Control(c)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_trimmed_and_composed() {
        assert_eq!(line("  Cafe\u{301} ").unwrap(), "Caf\u{e9}");
    }

    #[test]
    fn a_new_line_does_not_fit_on_a_line() {
        for text in ["a\nb", "a\r\nb", "a\u{2028}b", "a\u{85}b"] {
            assert_eq!(line(text), Err(BadCharacter::NewLine));
        }
    }

    #[test]
    fn a_direction_override_is_refused_everywhere() {
        for c in ['\u{202e}', '\u{2066}', '\u{200f}'] {
            assert_eq!(line(&format!("exe{c}gpj")), Err(BadCharacter::Direction(c)));
            assert_eq!(text(&format!("exe{c}gpj")), Err(BadCharacter::Direction(c)));
        }
    }

    #[test]
    fn a_joiner_stays_between_emoji_and_not_between_letters() {
        let family = "\u{1f469}\u{200d}\u{1f467}";
        assert_eq!(line(family).unwrap(), family);
        assert_eq!(
            line("ad\u{200d}min"),
            Err(BadCharacter::Invisible('\u{200d}'))
        );
    }

    #[test]
    fn every_line_break_becomes_one() {
        assert_eq!(text("a\r\nb\rc\u{2028}d\n").unwrap(), "a\nb\nc\nd");
        for c in LINE_BREAKS {
            assert_eq!(text(&format!("a{c}b")).unwrap(), "a\nb", "{c:?}");
            assert_eq!(line(&format!("a{c}b")), Err(BadCharacter::NewLine), "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn a_line_that_passed_passes_again_unchanged(typed in any::<String>()) {
            if let Ok(once) = line(&typed) {
                prop_assert!(once.chars().all(|c| !c.is_control()));
                prop_assert_eq!(line(&once).unwrap(), &*once);
            }
        }

        #[test]
        fn a_text_that_passed_passes_again_unchanged(typed in any::<String>()) {
            if let Ok(once) = text(&typed) {
                prop_assert_eq!(text(&once).unwrap(), &*once);
            }
        }
    }
}
