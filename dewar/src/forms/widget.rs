use serde::Serialize;

/// The element that takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Widget {
    /// A box to tick.
    Checkbox,
    /// A colour.
    Colour,
    /// A day.
    Date,
    /// A day and a time on it, without a zone.
    DateTime,
    /// An e-mail address.
    Email,
    /// A file.
    File,
    /// Nothing that can be seen.
    Hidden,
    /// One line of text.
    Line,
    /// Rows, each with fields of its own.
    List,
    /// Several of many, in a list that is always open.
    ListBox,
    /// A number.
    Number,
    /// A password: never shown again.
    Password,
    /// One of several, all of them in view.
    Radio,
    /// A number, by a handle on a scale.
    Range,
    /// One of several, in a list that opens.
    Select,
    /// A telephone number.
    Telephone,
    /// Several lines of text.
    Text,
    /// A time of day.
    Time,
    /// An address on the web.
    Url,
}

/// One of the values that a choice offers.
///
/// ```
/// let offer = dewar::forms::Offer::new("en", "English");
/// assert_eq!(offer.value, "en");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offer {
    /// What is sent.
    pub value: &'static str,
    /// What is read.
    pub label: &'static str,
}

impl Offer {
    /// A value and the words for it.
    #[must_use]
    pub const fn new(value: &'static str, label: &'static str) -> Self {
        Self { value, label }
    }
}
