//! The few places where an invisible character belongs to its neighbours.

use unicode_script::{Script, UnicodeScript};

use crate::audit::is_invisible;

/// The text without invisible characters and without those that change its direction. A joiner or a selector that belongs to its
/// neighbours stays: without them a Persian word is another word, and a family of emoji is four people.
pub(super) fn visible(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let after = characters.peek().copied();
        if !is_invisible(c) || belongs(c, before, after) {
            seen.push(c);
            before = Some(c);
        }
    }
    seen
}

/// Whether an invisible character belongs in this place.
///
/// 1. A joiner between two letters of a script that joins them, such as Arabic or Devanagari, or between two emoji.
/// 2. A variation selector after the character that it varies: an emoji, a Han or a Mongolian letter.
pub(super) fn belongs(c: char, before: Option<char>, after: Option<char>) -> bool {
    match c {
        '\u{200c}' | '\u{200d}' => {
            before.is_some_and(joins) && after.is_some_and(|c| joins(c) && c != '\u{fe0f}')
        }
        // A keycap: the digit `1`, the selector, and the cap over both.
        '\u{fe0f}' if matches!(before, Some('0'..='9' | '#' | '*')) => after == Some('\u{20e3}'),
        '\u{fe0e}' | '\u{fe0f}' => before.is_some_and(is_emoji),
        '\u{fe00}'..='\u{fe02}' | '\u{e0100}'..='\u{e01ef}' => is_of(before, Script::Han),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => is_of(before, Script::Mongolian),
        _ => false,
    }
}

/// Whether a joiner can join this letter. In a script without joined letters, a joiner would only hide.
fn joins(c: char) -> bool {
    let apart = matches!(
        c.script(),
        Script::Armenian
            | Script::Bopomofo
            | Script::Cherokee
            | Script::Coptic
            | Script::Cyrillic
            | Script::Georgian
            | Script::Greek
            | Script::Han
            | Script::Hangul
            | Script::Hebrew
            | Script::Hiragana
            | Script::Katakana
            | Script::Latin
    );
    // Of the characters common to all scripts, only an emoji joins, with its skin tone or its selector.
    if c.script() == Script::Common {
        return is_emoji(c);
    }
    c == '\u{fe0f}' || (!apart && !is_invisible(c) && !c.is_whitespace())
}

fn is_of(c: Option<char>, script: Script) -> bool {
    c.is_some_and(|c| c.script() == script && !is_invisible(c))
}

/// The blocks of symbols that emoji come from. All of them are visible, so an extra selector changes how one looks and hides
/// nothing.
fn is_emoji(c: char) -> bool {
    matches!(c,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{24c2}'
        | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{25a0}'..='\u{27bf}'
        | '\u{2934}' | '\u{2935}' | '\u{2b00}'..='\u{2bff}' | '\u{3030}' | '\u{303d}'
        | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::super::{Line, Name, Text};
    use super::*;

    fn all() -> impl Iterator<Item = char> {
        ('\0'..=char::MAX).filter(|c| is_invisible(*c))
    }

    #[test]
    fn no_invisible_character_hides_in_a_word() {
        for c in all() {
            for text in [
                format!("adm{c}in"),
                format!("{c}admin"),
                format!("admin{c}"),
                format!("{c}"),
                format!("ж{c}ж"),
                format!("é{c}é"),
                format!("1{c}2"),
                format!("\u{1f469}{c}{c}\u{1f467}"),
            ] {
                let code = u32::from(c);
                assert!(Line::<80>::parse(&text).is_err(), "U+{code:04X}: {text:?}");
                assert!(Text::<80>::parse(&text).is_err(), "U+{code:04X}: {text:?}");
                assert!(Name::<80>::parse(&text).is_err(), "U+{code:04X}: {text:?}");
            }
        }
    }

    #[test]
    fn what_is_made_visible_stays_so() {
        for c in all() {
            for text in [
                format!("adm{c}in"),
                format!("{c}admin{c}"),
                format!("1{c}2"),
                format!("\u{1f469}{c}{c}\u{1f467}"),
                format!("\u{1f469}{c}\u{202e}\u{1f467}"),
                format!("می{c}\u{200c}خواهم"),
            ] {
                let once = visible(&text);
                assert_eq!(visible(&once), once, "{text:?}");
            }
        }
        assert_eq!(visible("exe\u{202e}fdp"), "exefdp");
        assert_eq!(visible("می\u{200c}خواهم"), "می\u{200c}خواهم");
    }

    #[test]
    fn what_belongs_to_its_neighbours_stays() {
        for text in [
            "\u{2764}\u{fe0f}",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f680}",
            "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "1\u{fe0f}\u{20e3}",
            "\u{a9}\u{fe0e} 2027",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "葛\u{e0100}城",
            "\u{1820}\u{180b}\u{1821}",
        ] {
            assert_eq!(Line::<80>::parse(text).unwrap().as_str(), text);
            assert_eq!(Text::<80>::parse(text).unwrap().as_str(), text);
        }
    }
}
