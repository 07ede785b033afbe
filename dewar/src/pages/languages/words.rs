use std::borrow::Cow;
use std::fmt;

use fluent_bundle::{FluentArgs, FluentValue};

use super::english;

/// A message by its id, with its arguments. Each language has its own text for it.
///
/// The id is that of a message in the application's Fluent files, or of one of the framework's; `id.attribute` is an
/// attribute of it. An argument is a text or a whole number, and is never read as markup of a message.
///
/// ```
/// use dewar::pages::Message;
/// let message = Message::new("forms-too-long").with("max", 80).with("length", 93);
/// assert_eq!(message.to_string(), "Use at most 80 characters. There are 93.");
/// ```
///
/// `to_string` gives the framework's English text, or the id of a message that is not the framework's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    id: &'static str,
    arguments: Vec<(&'static str, MessageValue)>,
}

/// An argument of a message.
///
/// ```
/// use dewar::pages::MessageValue;
/// assert_eq!(MessageValue::from(3), MessageValue::Number(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageValue {
    /// A whole number, by which a language chooses a plural form.
    Number(i64),
    /// A text, inserted unchanged.
    Text(Cow<'static, str>),
}

impl Message {
    /// A message by its id.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self {
            id,
            arguments: Vec::new(),
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<MessageValue>) -> Self {
        self.arguments.push((name, value.into()));
        self
    }

    pub(super) fn id(&self) -> &'static str {
        self.id
    }

    pub(super) fn arguments(&self) -> FluentArgs<'_> {
        let pairs = self.arguments.iter();
        pairs
            .map(|(name, value)| (*name, FluentValue::from(value)))
            .collect()
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match english().say(self.id, &self.arguments()) {
            Some(words) => f.write_str(&words),
            None => f.write_str(self.id),
        }
    }
}

impl<'a> From<&'a MessageValue> for FluentValue<'a> {
    fn from(argument: &'a MessageValue) -> Self {
        match argument {
            MessageValue::Number(number) => Self::from(*number),
            MessageValue::Text(text) => Self::from(&**text),
        }
    }
}

impl From<&'static str> for MessageValue {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for MessageValue {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for MessageValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for MessageValue {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for MessageValue {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for MessageValue {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A text for a visitor: the same for everybody, or a [`Message`] with its own text in each language.
///
/// ```
/// use dewar::pages::{Message, Words};
/// let (said, message) = (Words::from("There is tea."), Words::from(Message::new("forms-missing")));
/// assert_eq!((said.to_string().as_str(), message.to_string().as_str()), ("There is tea.", "Fill this in."));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(pub(super) WordsSource);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WordsSource {
    Message(Message),
    Said(Cow<'static, str>),
}

impl Words {
    /// The id of its message; a text that is written out has none.
    pub(crate) fn message_id(&self) -> Option<&'static str> {
        match &self.0 {
            WordsSource::Message(message) => Some(message.id()),
            WordsSource::Said(_) => None,
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            WordsSource::Message(message) => message.fmt(f),
            WordsSource::Said(text) => f.write_str(text),
        }
    }
}

impl From<Message> for Words {
    fn from(message: Message) -> Self {
        Self(WordsSource::Message(message))
    }
}

impl From<Cow<'static, str>> for Words {
    fn from(text: Cow<'static, str>) -> Self {
        Self(WordsSource::Said(text))
    }
}

impl From<&'static str> for Words {
    fn from(text: &'static str) -> Self {
        Self(WordsSource::Said(Cow::Borrowed(text)))
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self(WordsSource::Said(Cow::Owned(text)))
    }
}
