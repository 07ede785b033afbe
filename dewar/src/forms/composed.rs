//! The shortest canonically equivalent spelling of a text. NFC decomposes some letters that a keyboard sends as one, such as
//! U+0958 of Devanagari (UAX 15, *Composition Exclusions*), and so makes a text longer than it was typed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class as class;

/// The letters that NFC decomposes, in order. It decomposes four marks as well, but no keyboard sends them and Unicode
/// discourages them (U+0344, U+0F73, U+0F75, U+0F81).
const TAKEN_APART: &[(u32, u32)] = &[
    (0x958, 0x95f),
    (0x9dc, 0x9dd),
    (0x9df, 0x9df),
    (0xa33, 0xa33),
    (0xa36, 0xa36),
    (0xa59, 0xa5b),
    (0xa5e, 0xa5e),
    (0xb5c, 0xb5d),
    (0xf43, 0xf43),
    (0xf4d, 0xf4d),
    (0xf52, 0xf52),
    (0xf57, 0xf57),
    (0xf5c, 0xf5c),
    (0xf69, 0xf69),
    (0xf76, 0xf76),
    (0xf78, 0xf78),
    (0xf93, 0xf93),
    (0xf9d, 0xf9d),
    (0xfa2, 0xfa2),
    (0xfa7, 0xfa7),
    (0xfac, 0xfac),
    (0xfb9, 0xfb9),
    (0x2adc, 0x2adc),
    (0xfb1d, 0xfb1d),
    (0xfb1f, 0xfb1f),
    (0xfb2a, 0xfb36),
    (0xfb38, 0xfb3c),
    (0xfb3e, 0xfb3e),
    (0xfb40, 0xfb41),
    (0xfb43, 0xfb44),
    (0xfb46, 0xfb4e),
    (0x1d15e, 0x1d164),
    (0x1d1bb, 0x1d1c0),
];

/// A character and the mark after it, and the composed character.
static PAIRS: LazyLock<HashMap<(char, char), char>> = LazyLock::new(|| {
    let all = TAKEN_APART.iter().flat_map(|(first, last)| *first..=*last);
    let mut pairs = HashMap::new();
    let mut threes = Vec::new();
    for whole in all.filter_map(char::from_u32) {
        let parts: Vec<char> = std::iter::once(whole).nfc().collect();
        match parts.as_slice() {
            [letter, mark] => drop(pairs.insert((*letter, *mark), whole)),
            [letter, mark, more] => threes.push((*letter, *mark, *more, whole)),
            _ => {}
        }
    }
    for (letter, mark, more, whole) in threes {
        if let Some(half) = pairs.get(&(letter, mark)).copied() {
            pairs.insert((half, more), whole);
        }
    }
    pairs
});

/// The shortest spelling of an NFC text: canonical composition including the pairs that NFC excludes.
pub(super) fn shortest(normal: &str) -> Cow<'_, str> {
    let mut out: Vec<char> = Vec::with_capacity(normal.len());
    // The letter that the marks combine with.
    let mut letter = None;
    let mut last = 0;
    let mut is_shorter = false;
    for c in normal.chars() {
        let own = class(c);
        let is_open = last == 0 || last < own;
        let joined = letter.filter(|_| is_open).and_then(|place: usize| {
            let letter = out.get_mut(place)?;
            *letter = *PAIRS.get(&(*letter, c))?;
            Some(())
        });
        if joined.is_some() {
            is_shorter = true;
            continue;
        }
        if own == 0 {
            letter = Some(out.len());
        }
        last = own;
        out.push(c);
    }
    if is_shorter {
        Cow::Owned(out.into_iter().collect())
    } else {
        Cow::Borrowed(normal)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Line, Text};
    use super::*;
    use proptest::prelude::*;

    fn taken_apart() -> Vec<char> {
        let all = ('\0'..=char::MAX).filter(|c| {
            let parts: Vec<char> = std::iter::once(*c).nfc().collect();
            matches!(parts.as_slice(), [letter, _, ..] if class(*letter) == 0)
        });
        all.collect()
    }

    #[test]
    fn the_table_is_what_unicode_takes_apart() {
        let ranges = TAKEN_APART.iter().flat_map(|(first, last)| *first..=*last);
        let table: Vec<char> = ranges.filter_map(char::from_u32).collect();
        assert_eq!(table, taken_apart());
        assert_eq!(PAIRS.len(), table.len());
    }

    /// HTML's `maxlength` counts the typed characters.
    #[test]
    fn a_text_that_fits_as_it_was_typed_is_taken() {
        for c in taken_apart() {
            let typed = c.to_string().repeat(200);
            let once = Text::<200>::parse(&typed);
            let once = once.unwrap_or_else(|problem| panic!("U+{:04X}: {problem}", u32::from(c)));
            assert!(once.as_str().chars().count() <= 200);
            assert_eq!(Text::<200>::parse(once.as_str()).unwrap(), once);
            assert_eq!(Line::<200>::parse(&typed).unwrap().as_str(), once.as_str());
        }
        assert!(Text::<200>::parse(&"\u{958}".repeat(201)).is_err());
        let half = Text::<200>::parse(&"\u{958}".repeat(100)).unwrap();
        assert_eq!(half.as_str(), "\u{915}\u{93c}".repeat(100), "there is room");
    }

    proptest! {
        #[test]
        fn what_maxlength_lets_through_is_not_too_long(
            typed in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(taken_apart()),
                    prop::sample::select("aश\u{915}\u{5e9}\u{301}\u{334}\u{93c}\u{5bc}\u{5c1}".chars().collect::<Vec<_>>()),
                ],
                20,
            ),
        ) {
            let typed: String = typed.into_iter().collect();
            let once = Text::<20>::parse(&typed);
            prop_assert!(once.is_ok(), "{typed:?}: {once:?}");
            let once = once.unwrap();
            prop_assert!(once.as_str().nfc().eq(typed.nfc()));
            prop_assert_eq!(Text::<20>::parse(once.as_str()).unwrap(), once);
        }
    }
}
