use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::{MixedScript, skeleton};

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// A person's name: a line of 1 to `MAX` characters, each word in the letters of one script.
///
/// A Cyrillic `а` in a Latin word looks like an `a`, so one user could pass for another (homograph; CWE-1007; Unicode TS 39, 5.1
/// *Mixed-Script Detection*). Scripts that are written together count as one, such as Han with kana. Different words may be in
/// different scripts. Digits, hyphens, apostrophes and marks belong to all scripts.
///
/// ```
/// use dewar::forms::Name;
/// for name in ["Ada O’Hara-Lovelace", "Иван Müller", "宮崎あおい", "김민준", "Ngô Bảo Châu 2"] {
///     assert!(Name::<80>::parse(name).is_ok());
/// }
/// assert!(Name::<80>::parse("\u{410}da").is_err()); // a Cyrillic capital, then Latin
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name<const MAX: usize>(String);

impl<const MAX: usize> Name<MAX> {
    /// Parses a name.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let line = RawValue::Text(text).line(MAX)?;
        let mixed = line
            .split_whitespace()
            .find(|word| !word.is_single_script());
        match mixed {
            Some(word) => Err(Problem::new(
                Message::new("forms-mixed-scripts").with("word", word.to_owned()),
            )),
            None => Ok(Self(line)),
        }
    }

    /// Whether a reader could mistake it for another name, by the look of its letters in any script; case, spaces and punctuation
    /// do not count (Unicode TS 39, 4 *Confusable Detection*).
    ///
    /// A word of one script is a valid `Name` even if all of it looks like a word of another script, so call this where a name
    /// says who somebody is.
    ///
    /// ```
    /// use dewar::forms::Name;
    /// let name = Name::<80>::parse("\u{421}\u{43e}\u{441}\u{43e}").unwrap(); // Cyrillic, all of it
    /// assert!(name.looks_like("Coco"));
    /// assert!(Name::<80>::parse("S. Upp0rt").unwrap().looks_like("support"));
    /// assert!(!Name::<80>::parse("Adam").unwrap().looks_like("Ada"));
    /// ```
    #[must_use]
    pub fn looks_like(&self, other: &str) -> bool {
        self.0 == other || look_alike(&self.0, other)
    }
}

fn look_alike(a: &str, b: &str) -> bool {
    let (a, b) = (appearances(a), appearances(b));
    a.iter().any(|look| !look.is_empty() && b.contains(look))
}

/// How a name looks in lower case, as it is written, and in upper case, because some letters look alike in only one of them.
pub(crate) fn appearances(text: &str) -> [String; 3] {
    // Unicode's table of confusables has few letters that represent others by design, such as `ⓐ`, `ᵃ` and `ᴀ`.
    let text: String = text.nfkc().map(undecorated).collect();
    let letters = |text: &str| {
        let letters = text.chars().filter(|c| is_letter(*c));
        letters.collect::<String>().to_lowercase()
    };
    let alike = |text: &str| skeleton(text).collect::<String>();
    let small = alike(&text.to_lowercase());
    let written = alike(&alike(&text).to_lowercase());
    let capital = alike(&text.to_uppercase());
    [letters(&small), letters(&written), letters(&capital)]
}

/// Replaces letters in circles and squares, those of flags, and small capitals by the letters that they show.
fn undecorated(c: char) -> char {
    const SMALL_CAPITALS: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
    let disks = '\u{1f150}'..='\u{1f169}';
    let squares = '\u{1f170}'..='\u{1f189}';
    let flags = '\u{1f1e6}'..='\u{1f1ff}';
    let mut rows = [disks, squares, flags].into_iter();
    let at = rows
        .find_map(|mut row| row.position(|shown| shown == c))
        .or_else(|| SMALL_CAPITALS.chars().position(|small| small == c));
    let letter = at.and_then(|at| ('a'..='z').nth(at));
    letter.unwrap_or(c)
}

/// Whether a character counts in a comparison of names.
pub(crate) fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

impl<const MAX: usize> Field for Name<MAX> {
    const KIND: FieldKind = FieldKind::line(MAX).autocomplete("name");

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

super::words!(Name<MAX>);

#[cfg(test)]
mod tests {
    use super::*;

    /// Unicode's table of confusables shows U+02C6, which is a letter, as a sign.
    #[test]
    fn a_name_of_signs_alone_looks_like_itself() {
        let name = Name::<80>::parse("\u{2c6}").unwrap();
        assert!(name.looks_like("\u{2c6}") && !name.looks_like("\u{2c9}"));
    }

    #[test]
    fn a_word_of_two_scripts_is_refused_and_named() {
        for (name, word) in [
            ("p\u{430}ypal", "p\u{430}ypal"),
            ("Ada Lov\u{435}lace", "Lov\u{435}lace"),
            ("\u{39f}liver", "\u{39f}liver"),
            ("Admin\u{13a0}", "Admin\u{13a0}"),
        ] {
            let problem = Name::<80>::parse(name).unwrap_err().to_string();
            assert!(problem.contains(word), "{problem}");
        }
    }

    #[test]
    fn names_that_are_taken_for_each_other_look_alike() {
        for (name, other) in [
            ("Ada Lovelace", "ada-lovelace"),
            ("\u{412}\u{41e}\u{412}", "BOB"),
            ("\u{440}\u{430}\u{443}\u{440}\u{430}\u{443}", "paypay"),
            ("\u{391}\u{3a4}\u{3a4}\u{391}", "ATTA"),
            ("R00t", "Root"),
            ("ADM1N", "admin"),
            ("Acrne", "Acme"),
            ("lvan", "Ivan"),
            ("Ivan", "ivan"),
            ("\u{ff21}da", "Ada"),
        ] {
            assert!(look_alike(name, other), "{name} {other}");
            assert!(look_alike(other, name), "{name} {other}");
        }
        for (name, other) in [
            ("Ada", "Eda"),
            ("Ada", "Ada Lovelace"),
            ("Иван", "Ivan"),
            ("Ana", "Änä"),
        ] {
            assert!(!look_alike(name, other), "{name} {other}");
        }
    }

    #[test]
    fn names_of_people_pass() {
        for name in [
            "Søren Kierkegaard",
            "Łukasz D’Angelo Jr.",
            "Μαρία Κάλλας",
            "Ольга Ладыженская",
            "محمد بن موسى",
            "श्रीनिवास रामानुजन्",
            "山田 太郎",
            "ひろみ ゴー",
            "이순신 李舜臣",
            "X Æ A-12",
            "José Ñandú",
        ] {
            assert_eq!(Name::<80>::parse(name).unwrap().as_str(), name);
        }
        assert!(Name::<3>::parse("four").is_err() && Name::<3>::parse(" ").is_err());
    }
}
