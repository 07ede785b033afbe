//! The texts of letters. Plain text: it loads nothing, tracks nobody and needs no escaping.

use super::mail::LetterKind;
use crate::pages::{Language, Message};

/// A letter about an account, in the language of the user who caused it.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    /// The account's password was changed (ASVS 6.3.7).
    PasswordChanged { forgot: String },
    /// A link for a new password.
    Reset { link: String },
    /// Somebody signed up with an address that has an account.
    SignUpAgain { forgot: String },
    /// The account was made.
    Welcome { sign_in: String },
}

impl Letter {
    /// Its purpose: letters of a kind wait together.
    pub(crate) const fn kind(&self) -> LetterKind {
        match self {
            Self::PasswordChanged { .. } => LetterKind::Notice,
            Self::Reset { .. } => LetterKind::Link,
            Self::SignUpAgain { .. } | Self::Welcome { .. } => LetterKind::SignUp,
        }
    }

    pub(crate) fn subject(&self, language: &Language) -> String {
        let subject = match self {
            Self::PasswordChanged { .. } => Message::new("letter-password-changed"),
            Self::Reset { .. } => Message::new("letter-reset"),
            Self::SignUpAgain { .. } => Message::new("letter-sign-up-again"),
            Self::Welcome { .. } => Message::new("letter-welcome"),
        };
        language.translate(&subject.into()).into_owned()
    }

    pub(crate) fn text(&self, language: &Language) -> String {
        let (text, link) = match self {
            Self::PasswordChanged { forgot } => {
                (Message::new("letter-password-changed.text"), forgot)
            }
            Self::Reset { link } => (Message::new("letter-reset.text"), link),
            Self::SignUpAgain { forgot } => (Message::new("letter-sign-up-again.text"), forgot),
            Self::Welcome { sign_in } => (Message::new("letter-welcome.text"), sign_in),
        };
        let text = text.with("link", link.clone()).into();
        format!("{}\n", language.translate(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Languages;

    #[test]
    fn a_letter_is_in_the_language_of_its_reader_and_its_link_stands_alone_on_a_line() {
        let link = "https://portal.example.org/reset/abc".to_owned();
        let letters = || {
            [
                Letter::PasswordChanged {
                    forgot: link.clone(),
                },
                Letter::Reset { link: link.clone() },
                Letter::SignUpAgain {
                    forgot: link.clone(),
                },
                Letter::Welcome {
                    sign_in: link.clone(),
                },
            ]
        };
        for (language, subjects, words) in [
            (
                Languages::english().first(),
                [
                    "Your password was changed",
                    "Choose a new password",
                    "You have an account already",
                    "Your account",
                ],
                "If it was not you",
            ),
            (
                Languages::german().first(),
                [
                    "Ihr Passwort wurde geändert",
                    "Wählen Sie ein neues Passwort",
                    "Sie haben schon ein Konto",
                    "Ihr Konto",
                ],
                "Wenn Sie das nicht waren",
            ),
        ] {
            for (letter, subject) in letters().iter().zip(subjects) {
                assert_eq!(letter.subject(&language), subject);
                let text = letter.text(&language);
                assert_eq!(
                    text.lines().filter(|line| *line == link).count(),
                    1,
                    "{text}"
                );
                assert!(text.contains(words) && text.ends_with('\n'), "{text}");
            }
        }
    }
}
