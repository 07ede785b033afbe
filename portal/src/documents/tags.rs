//! Tags: short words without blanks, so that a list of them is a line.

use std::collections::BTreeSet;

use dewar::pages::Message;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The most tags of a document.
pub(crate) const MOST: usize = 8;

/// The most characters of a tag.
pub(crate) const LONGEST: usize = 30;

/// Why a line is not a list of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A tag has other characters than letters, digits and hyphens.
    Letters(String),
    /// A tag is too long.
    Long(String),
    /// There are too many.
    Many,
}

impl From<Unfit> for Message {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Letters(tag) => Self::new("tags-letters").with("tag", tag),
            Unfit::Long(tag) => Self::new("tags-long").with("tag", tag).with("max", LONGEST),
            Unfit::Many => Self::new("tags-many").with("max", MOST),
        }
    }
}

/// Reads tags that commas or blanks separate. It converts them to lower case, and counts a repeated one once.
pub(crate) fn parse(line: &str) -> Result<BTreeSet<String>, Unfit> {
    let mut tags = BTreeSet::new();
    let words = line
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    for word in words {
        let tag = normal(word);
        if !is_word(&tag) {
            return Err(Unfit::Letters(tag));
        }
        if tag.chars().count() > LONGEST {
            return Err(Unfit::Long(tag));
        }
        tags.insert(tag);
    }
    if tags.len() > MOST {
        Err(Unfit::Many)
    } else {
        Ok(tags)
    }
}

/// A tag as it is stored and searched for: lower case, in NFC. The lower case of `İ` is an `i` with a second dot over it, which
/// nobody types: here it becomes an `i`.
pub(crate) fn normal(word: &str) -> String {
    let composed: String = word.nfc().collect();
    let small = composed.replace('İ', "i").to_lowercase();
    small.nfc().collect()
}

/// Letters, digits and hyphens, with the marks that many scripts write on their letters, and the two joiners that some put
/// between them.
fn is_word(tag: &str) -> bool {
    let stands = |c: char| c.is_alphanumeric() || c == '-';
    let belongs = |c: char| is_combining_mark(c) || matches!(c, '\u{200c}' | '\u{200d}');
    tag.starts_with(stands) && tag.chars().all(|c| stands(c) || belongs(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_small_and_stand_once() {
        let tags = parse("Policy, travel policy,,  Ägypten").unwrap();
        assert_eq!(
            tags.into_iter().collect::<Vec<_>>(),
            ["policy", "travel", "ägypten"]
        );
    }

    #[test]
    fn a_tag_is_a_word_of_any_language() {
        for (typed, kept) in [
            ("Việt", "việt"),
            ("VIE\u{302}\u{323}T", "việt"),
            ("हिन्दी", "हिन्दी"),
            ("क्‍ष", "क्‍ष"),
            ("ภาษาไทย", "ภาษาไทย"),
            ("น้ำ", "น้ำ"),
            ("İstanbul", "istanbul"),
            ("I\u{307}zmir", "izmir"),
            ("ISPARTA", "isparta"),
            ("ışık", "ışık"),
            ("العَرَبِيَّة", "العَرَبِيَّة"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("עִבְרִית", "עִבְרִית"),
            ("தமிழ்", "தமிழ்"),
            ("ΟΔΟΣ", "οδος"),
            ("Straße", "straße"),
            ("日本語", "日本語"),
        ] {
            let tags = parse(typed).unwrap_or_else(|unfit| panic!("{typed}: {unfit:?}"));
            assert_eq!(Vec::from_iter(&tags), [kept]);
            assert_eq!(parse(kept), Ok(tags), "it comes back as it was");
            assert_eq!(normal(typed), kept, "and is found");
        }
        for alone in [
            "\u{301}",
            "\u{301}a",
            "\u{200c}a",
            "a\u{200b}b",
            "a\u{300}!",
        ] {
            assert!(matches!(parse(alone), Err(Unfit::Letters(_))), "{alone:?}");
        }
    }

    #[test]
    fn a_tag_holds_no_markup_and_no_wildcard() {
        assert_eq!(parse("<b>"), Err(Unfit::Letters("<b>".into())));
        assert_eq!(parse("50%"), Err(Unfit::Letters("50%".into())));
    }

    #[test]
    fn there_are_bounds() {
        assert_eq!(parse("1 2 3 4 5 6 7 8 9"), Err(Unfit::Many));
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(parse(&long), Err(Unfit::Long(long)));
    }
}
