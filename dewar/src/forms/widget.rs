use serde::Serialize;

/// The input element of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Widget {
    /// A checkbox.
    Checkbox,
    /// A colour.
    Colour,
    /// A day.
    Date,
    /// A day and a time, without a time zone.
    DateTime,
    /// An e-mail address.
    Email,
    /// A file.
    File,
    /// An invisible value.
    Hidden,
    /// One line of text.
    Line,
    /// Rows, each with fields of its own.
    List,
    /// Several options, in a list that is always open.
    ListBox,
    /// A number.
    Number,
    /// A password, which is never shown again.
    Password,
    /// One of several options, all of them visible.
    Radio,
    /// A number, as a slider.
    Range,
    /// One of several options, in a list that opens.
    Select,
    /// A telephone number.
    Telephone,
    /// Several lines of text.
    Text,
    /// A time of day.
    Time,
    /// A web address.
    Url,
}

/// An option of a choice.
///
/// ```
/// let offer = dewar::forms::Offer::new("en", "English");
/// assert_eq!(offer.value, "en");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Offer {
    /// The value that the form sends.
    pub value: &'static str,
    /// The label that the user reads.
    pub label: &'static str,
}

impl Offer {
    /// A value and its label.
    #[must_use]
    pub const fn new(value: &'static str, label: &'static str) -> Self {
        Self { value, label }
    }
}
