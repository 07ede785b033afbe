use crate::forms::{Email, Name};
use crate::pages::Language;

/// Who gets a letter: an address, and if it is known a name and a language.
///
/// ```
/// use dewar::forms::{Email, Name};
/// use dewar::mail::Recipient;
/// use dewar::pages::Languages;
/// # let languages = Languages::english();
/// # let (address, name) = (Email::parse("ada@example.org").unwrap(), Name::<80>::parse("Ada").unwrap());
/// let ada = Recipient::new(address).named(&name).in_language(&languages.named("de"));
/// ```
///
/// A [`User`](crate::accounts::User) is a recipient with the language in which they signed up.
#[derive(Debug, Clone)]
#[must_use = "a recipient gets nothing before `Mailer::send`"]
pub struct Recipient {
    /// None if the text that should be an address is none.
    pub(super) email: Option<Email>,
    pub(super) name: Option<String>,
    /// The tag of the language.
    pub(super) language: Option<String>,
}

impl Recipient {
    /// The recipient at an address.
    pub const fn new(email: Email) -> Self {
        Self {
            email: Some(email),
            name: None,
            language: None,
        }
    }

    /// An address that was parsed when it was stored.
    pub(crate) fn stored(address: &str) -> Self {
        Self {
            email: Email::parse(address).ok(),
            name: None,
            language: None,
        }
    }

    /// The name that stands before the address.
    pub fn named<const MAX: usize>(mut self, name: &Name<MAX>) -> Self {
        self.name = Some(name.as_str().to_owned());
        self
    }

    /// The language of the letter. Without one, it is the application's first language.
    pub fn in_language(self, language: &Language) -> Self {
        self.in_language_of(Some(language.tag()))
    }

    /// The language of a recipient who has chosen none.
    pub(crate) fn or_in_language(self, language: &Language) -> Self {
        if self.language.is_some() {
            self
        } else {
            self.in_language(language)
        }
    }

    /// The language with this tag.
    pub(crate) fn in_language_of(mut self, tag: Option<&str>) -> Self {
        self.language = tag.map(str::to_owned);
        self
    }
}

/// Whom [`Mailer::send`](super::Mailer::send) takes as a recipient: a [`Recipient`], an [`Email`], or a
/// [`User`](crate::accounts::User).
///
/// ```
/// use dewar::forms::Email;
/// use dewar::mail::IntoRecipient;
/// # let typed = "ada@example.org";
/// let ada = Email::parse(typed).map(IntoRecipient::into_recipient);
/// assert!(ada.is_ok());
/// ```
#[diagnostic::on_unimplemented(
    message = "a letter cannot go to a `{Self}`",
    label = "not a recipient",
    note = "parse a typed address first: a field `Email` of a form, or `Email::parse(text)`; a `&User` is a recipient too"
)]
pub trait IntoRecipient {
    /// The recipient.
    fn into_recipient(self) -> Recipient;
}

impl IntoRecipient for Recipient {
    fn into_recipient(self) -> Recipient {
        self
    }
}

impl IntoRecipient for Email {
    fn into_recipient(self) -> Recipient {
        Recipient::new(self)
    }
}

impl IntoRecipient for &Email {
    fn into_recipient(self) -> Recipient {
        Recipient::new(self.clone())
    }
}
