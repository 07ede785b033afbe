use std::path::Path;

use crate::app::Running;
use crate::mail::{OutboxAttachment, OutboxLetter, letters_in};

/// A letter that an application has sent, from [`Running::letters`](crate::app::Running::letters).
///
/// ```
/// use dewar::testing::SentLetter;
/// fn reset_link(letters: &[SentLetter]) -> Option<&str> {
///     let letter = letters.iter().rev().find(|letter| letter.is_to("ada@example.org"))?;
///     letter.links().into_iter().find(|link| link.contains("/reset/"))
/// }
/// # assert_eq!(reset_link(&[]), None);
/// ```
#[derive(Debug, Clone)]
pub struct SentLetter(OutboxLetter);

impl Running {
    /// The letters that the application has sent so far, the oldest first: those in its outbox.
    ///
    /// ```
    /// # async fn check(running: dewar::app::Running) {
    /// let letters = running.letters().await;
    /// assert!(letters.iter().any(|letter| letter.subject() == "Choose a new password"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// The application has no outbox (`mail.transport`), or it cannot be read.
    pub async fn letters(&self) -> Vec<SentLetter> {
        self.dewar().accounts().settle().await;
        SentLetter::all(self.dewar().mailer().outbox())
    }
}

impl SentLetter {
    fn all(outbox: Option<&Path>) -> Vec<Self> {
        let Some(outbox) = outbox else {
            panic!("the application has no outbox: `mail.transport` names another destination");
        };
        let letters = letters_in(outbox);
        let letters = letters.unwrap_or_else(|error| panic!("cannot read the outbox: {error}"));
        letters.into_iter().map(Self).collect()
    }

    /// Whether it goes to this address.
    #[must_use]
    pub fn is_to(&self, address: &str) -> bool {
        let to = &self.0.to;
        to == address || to.ends_with(&format!("<{address}>"))
    }

    /// The recipient, as the letter names them.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.0.to
    }

    /// The subject.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The HTML, if it has some.
    #[must_use]
    pub fn html(&self) -> Option<&str> {
        self.0.html.as_deref()
    }

    /// The addresses in its text.
    #[must_use]
    pub fn links(&self) -> Vec<&str> {
        let words = self
            .0
            .text
            .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>'));
        words.filter(|word| word.starts_with("https://")).collect()
    }

    /// Its attachments.
    ///
    /// ```
    /// # async fn check(running: dewar::app::Running) {
    /// let letters = running.letters().await;
    /// let invoice = letters.first().and_then(|letter| letter.attachments().next());
    /// assert!(invoice.is_some_and(|file| file.name() == "Invoice 7.pdf" && file.kind() == "application/pdf"));
    /// # }
    /// ```
    pub fn attachments(&self) -> impl Iterator<Item = SentAttachment<'_>> {
        self.0.attachments.iter().map(SentAttachment)
    }
}

/// An attachment of a letter that the application has sent.
///
/// ```
/// # use dewar::testing::SentAttachment;
/// fn is_empty(file: SentAttachment<'_>) -> bool { file.bytes().is_empty() }
/// # let _ = is_empty;
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SentAttachment<'a>(&'a OutboxAttachment);

impl SentAttachment<'_> {
    /// The name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The media type, with the encoding of a text: `text/csv; charset=utf-8`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}
