use unicode_security::MixedScript;

use super::{Field, Kind, Problem, Raw, Shown};
use crate::pages::Message;

/// What a person is called: a line of 1 to `MAX` characters, each word in the letters of one script.
///
/// By their names people tell each other apart, and a Cyrillic `а` in a Latin word cannot be told from an `a`
/// (CWE-1007; Unicode TS 39, 5.1 *Mixed-Script Detection*). Scripts that are written together count as one, such as
/// Han with kana; different words may be in different ones. Digits, hyphens, apostrophes and marks belong to all.
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
    /// Makes a name of a text.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let line = Raw::Text(text).line(MAX)?;
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
}

impl<const MAX: usize> Field for Name<MAX> {
    const KIND: Kind = Kind::line(MAX).autocomplete("name");

    fn parse(raw: Raw<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> Shown {
        Shown::text(&self.0)
    }
}

super::words!(Name<MAX>);

#[cfg(test)]
mod tests {
    use super::*;

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
