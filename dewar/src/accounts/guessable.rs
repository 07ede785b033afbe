//! Checks whether a password is among the first that an attacker tries.
//!
//! The check looks at the whole password, never at a part of it (NIST SP 800-63B-4, 3.1.1.2): a long sentence that happens to
//! contain "password" is fine. A password has at least fifteen characters, so the lists' short entries matter through what people
//! make of them: doubled, joined, with digits after, with `@` for `a`, or a walk over the keyboard.
use std::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use crate::pages::Message;

/// `guessable.NOTICE` describes the list and its licence.
static LIST: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("guessable.txt").lines().collect());

/// A long password could not consist of any longer entry.
const LONGEST_ENTRY: usize = 24;
/// Beyond this length the check looks only for repetition and walks; nobody guesses a text this long from two words.
const LONGEST_JUDGED: usize = 64;
/// Up to so many digits or signs before and after count as decoration: a year, "1!", "2026!".
const DECORATION: usize = 5;
/// The shortest run along the alphabet or the keyboard that counts.
const SHORTEST_RUN: usize = 3;

/// Keys that lie in a line; a walk follows them in either direction.
const LINES: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
    "!@#$%^&*()",
];

/// Why a password is too easy to guess, in words for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Guessable {
    /// It contains the user's name or address, or the site's name.
    AboutYou,
    /// It is one of the most used passwords, or is made of them.
    Common,
    /// The same few characters again and again.
    Repeated,
    /// Neighbours on the keyboard or in the alphabet.
    Walk,
}

impl Guessable {
    /// The reason, in the user's language.
    #[must_use]
    pub const fn message(self) -> Message {
        match self {
            Self::AboutYou => Message::new("accounts-guessable-about-you"),
            Self::Common => Message::new("accounts-guessable-common"),
            Self::Repeated => Message::new("accounts-guessable-repeated"),
            Self::Walk => Message::new("accounts-guessable-walk"),
        }
    }
}

impl fmt::Display for Guessable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

/// Words about the user and the site.
#[derive(Clone, Debug, Default)]
pub(crate) struct PersonalWords {
    words: Vec<String>,
}

impl PersonalWords {
    /// The words of the user's address and name and of the site's name.
    pub(crate) fn new(email: &str, name: &str, site: &str) -> Self {
        let mut words = Vec::new();
        for text in [email, name, site] {
            let text = fold(text);
            let parts = text.split(|c: char| !c.is_alphanumeric());
            words.extend(
                parts
                    .filter(|part| part.chars().count() >= 3)
                    .map(str::to_owned),
            );
        }
        words.sort_unstable();
        words.dedup();
        Self { words }
    }

    fn knows(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }
}

/// Checks a password that is long enough.
///
/// # Errors
/// The reason why it is too easy to guess.
pub(crate) fn judge(password: &str, context: &PersonalWords) -> Result<(), Guessable> {
    let plain = fold(password);
    let spoken = plain.chars().map(unleet).collect::<String>();
    for spelling in [&plain, &spoken] {
        judge_spelling(spelling, context)?;
    }
    Ok(())
}

fn judge_spelling(spelling: &str, context: &PersonalWords) -> Result<(), Guessable> {
    let letters: Vec<char> = spelling.chars().collect();
    if is_common(spelling) {
        return Err(Guessable::Common);
    }
    if walks(&letters) {
        return Err(Guessable::Walk);
    }
    let unit = repeated_unit(&letters);
    if unit.len() < letters.len() && unit.len() <= DECORATION {
        return Err(Guessable::Repeated);
    }
    let joined: Vec<char> = unit
        .iter()
        .copied()
        .filter(|c| c.is_alphanumeric())
        .collect();
    for core in [joined.as_slice(), undecorated(&joined)] {
        if let Some(reason) = made_of(core, context) {
            return Err(reason);
        }
    }
    Ok(())
}

/// The text as the lists spell it: compatibility forms and case are folded away.
fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

fn unleet(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

fn is_common(word: &str) -> bool {
    LIST.binary_search(&word).is_ok()
}

/// The shortest beginning that, repeated, gives the whole text (the last time perhaps not to its end).
fn repeated_unit(letters: &[char]) -> &[char] {
    (1..=letters.len() / 2)
        .filter_map(|period| letters.get(..period))
        .find(|unit| letters.iter().zip(unit.iter().cycle()).all(|(a, b)| a == b))
        .unwrap_or(letters)
}

/// The text without digits and signs before and after, if they are few.
fn undecorated(letters: &[char]) -> &[char] {
    let before = letters.iter().take_while(|c| !c.is_alphabetic()).count();
    let behind = letters
        .iter()
        .rev()
        .take_while(|c| !c.is_alphabetic())
        .count();
    let end = letters.len().saturating_sub(behind.min(DECORATION));
    letters.get(before.min(DECORATION)..end).unwrap_or_default()
}

/// Whether all of it is a walk, or two alternating walks, as in `1q2w3e4r`.
fn walks(letters: &[char]) -> bool {
    let odd: Vec<char> = letters.iter().copied().step_by(2).collect();
    let even: Vec<char> = letters.iter().copied().skip(1).step_by(2).collect();
    is_walk(letters, SHORTEST_RUN)
        || (is_walk(&odd, SHORTEST_RUN + 1) && is_walk(&even, SHORTEST_RUN + 1))
}

fn is_walk(mut letters: &[char], shortest: usize) -> bool {
    while !letters.is_empty() {
        let run = run_at_start(letters);
        // The length of the password may cut the last run short: `qwertyuiopasdfgh1`.
        if run < shortest && run < letters.len() {
            return false;
        }
        letters = letters.get(run..).unwrap_or_default();
    }
    true
}

/// How many letters from the start follow one line, follow it backwards, or are all the same.
fn run_at_start(letters: &[char]) -> usize {
    let Some(first) = letters.first() else {
        return 0;
    };
    let same = letters.iter().take_while(|c| *c == first).count();
    let along = LINES.iter().flat_map(|line| {
        [
            common_run(line.chars(), letters),
            common_run(line.chars().rev(), letters),
        ]
    });
    along.chain([same]).max().unwrap_or(1).max(1)
}

fn common_run(line: impl Iterator<Item = char> + Clone, letters: &[char]) -> usize {
    let from = letters.first().copied();
    let line = line.skip_while(move |c| Some(*c) != from);
    line.zip(letters).take_while(|(a, b)| a == *b).count()
}

/// Whether the text consists only of words about the user, walks, and at most two common passwords. A third common word, chosen
/// without a thought of the others, makes a passphrase.
fn made_of(letters: &[char], context: &PersonalWords) -> Option<Guessable> {
    let length = letters.len();
    if length == 0 || length > LONGEST_JUDGED {
        return None;
    }
    // cheapest[i]: the fewest common words for the first i letters, and whether a word about the user is among them.
    let mut cheapest: Vec<Option<(u32, bool)>> = vec![None; length + 1];
    if let Some(start) = cheapest.first_mut() {
        *start = Some((0, false));
    }
    for from in 0..length {
        let Some(Some((words, personal))) = cheapest.get(from).copied() else {
            continue;
        };
        let rest = letters.get(from..).unwrap_or_default();
        let run = run_at_start(rest);
        let mut piece = String::new();
        for (index, letter) in rest.iter().take(LONGEST_ENTRY).enumerate() {
            piece.push(*letter);
            let size = index + 1;
            let cost = if context.knows(&piece) {
                (words, true)
            } else if (SHORTEST_RUN..=run).contains(&size) {
                (words, personal)
            } else if size > SHORTEST_RUN && words < 2 && is_common(&piece) {
                (words + 1, personal)
            } else {
                continue;
            };
            if let Some(there) = cheapest.get_mut(from + size)
                && there.is_none_or(|before| cost.0 < before.0)
            {
                *there = Some(cost);
            }
        }
    }
    let (_, personal) = cheapest.last().copied().flatten()?;
    Some(if personal {
        Guessable::AboutYou
    } else {
        Guessable::Common
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(password: &str) -> Result<(), Guessable> {
        let context = PersonalWords::new("ada.lovelace@example.org", "Ada Lovelace", "Paperhouse");
        judge(password, &context)
    }

    #[test]
    fn the_list_is_sorted_and_whole() {
        assert!(LIST.is_sorted(), "a binary search needs it");
        assert_eq!(LIST.len(), 19_313);
        assert!(is_common("password") && is_common("iloveyou") && !is_common("correct horse"));
    }

    #[test]
    fn what_people_make_of_common_passwords_is_refused() {
        for password in [
            "passwordpassword",
            "PasswordPassword1!",
            "P@ssw0rdP@ssw0rd",
            "password-password-password",
            "iloveyouprincess",
            "dragonmonkey2024",
            "password12345678",
            "letmeinletmein99",
            "polniypizdec0211",
        ] {
            assert_eq!(judged(password), Err(Guessable::Common), "{password}");
        }
    }

    #[test]
    fn walks_and_repetitions_are_refused() {
        for password in [
            "123456789012345",
            "987654321098765",
            "12345678876543210",
            "qwertyuiopasdfgh",
            "qwertyuiop[]asdfghjkl",
            "qwertyuiopasdfghz",
            "abcdefghijklmnop",
            "2wsx3edc4rfv5tgb",
            "3e4r5t6y7u8i9o0p",
            "йцукенгшщзхъфыва",
            "aaaaaaaaaaaaaaa",
            "abcxyzmno456qwe",
        ] {
            assert_eq!(judged(password), Err(Guessable::Walk), "{password}");
        }
        for password in ["k9#k9#k9#k9#k9#", "x7q!x7q!x7q!x7q!", "ab!!ab!!ab!!ab!!ab"] {
            assert_eq!(judged(password), Err(Guessable::Repeated), "{password}");
        }
    }

    #[test]
    fn words_about_the_person_and_the_site_are_refused() {
        for password in [
            "lovelacelovelace",
            "ada.lovelace@example.org",
            "AdaLovelace1815!",
            "paperhousepassword",
            "L0velacePaperh0use",
        ] {
            assert_eq!(judged(password), Err(Guessable::AboutYou), "{password}");
        }
    }

    #[test]
    fn good_passwords_pass_even_with_a_common_word_inside() {
        for password in [
            "correct horse battery staple",
            "my password is long enough, thanks",
            "582917304619385",
            "tr0ub4dor&3 and then some",
            "Lovelace wrote the first program",
            "жёлтая подводная лодка",
            "xk4TqLw90vbZr2m",
            // Three common words, and two alternating walks that are too short for one.
            "dragonmonkeyshadow",
            "a1b2c3x7y8z9m4n5o6",
            "a1b2c3x4y5z6m7n8o9",
            "a1b2c3d7e8f9g4h5i6",
        ] {
            assert_eq!(judged(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn the_longest_password_is_judged_quickly() {
        let long = "aB3$".repeat(256);
        assert_eq!(judged(&long), Err(Guessable::Repeated));
        let long: String = (0..1024_u32)
            .filter_map(|n| char::from_u32(0x4e00 + n * 7 % 4001))
            .collect();
        assert_eq!(judged(&long), Ok(()));
    }
}
