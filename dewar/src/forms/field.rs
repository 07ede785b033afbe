use std::borrow::Cow;
use std::fmt;

use super::characters::{self, BadCharacter};
use super::composed::shortest;
use super::{FieldKind, Incoming, Problem, Received};
use crate::pages::Message;

/// The most values of one name in a `Vec`.
const REPEATED: usize = 64;

/// A value type: the type of a form's field.
///
/// A type of your own takes about ten lines. Its HTML, its parser and its error text are then in one place:
///
/// ```
/// use dewar::forms::{Field, FieldKind, Problem, RawValue, FormValue};
///
/// #[derive(Debug)]
/// struct Postcode(String);
///
/// impl Field for Postcode {
///     const KIND: FieldKind = FieldKind::line(8).autocomplete("postal-code");
///     fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
///         let text = raw.line(8)?.to_uppercase(); // required, trimmed, NFC, nothing invisible
///         let known = text.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ');
///         if known { Ok(Self(text)) } else { Err(Problem::new("Enter a postcode, such as AB1 2CD.")) }
///     }
///     fn show(&self) -> FormValue { FormValue::text(&self.0) }
/// }
///
/// assert!(Postcode::parse(RawValue::Text(" ab1 2cd ")).is_ok_and(|code| code.0 == "AB1 2CD"));
/// assert!(Postcode::parse(RawValue::Text("<script>")).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a form: it has no validation rules",
    label = "not a `dewar::forms::Field`",
    note = "use `Line<80>`, `Text<2_000>`, `CleanHtml<2_000>`, `Email`, `Password`, `NewPassword`, `Int<0, 10>`, \
            `Decimal<2, 0, 10>`, `Date`, `Time`, `DateTime`, `Telephone`, `Url`, `Colour`, `Choice<Enum>`, \
            `Pick<Record>`, `bool`, `Hidden<F>`, `List<Row, 0, 9>` or `Upload<Kind, MAX>`; an `Option` of one may be \
            left empty, a `Vec` or `Many` of one may come more than once",
    note = "every text needs a limit: write `Line<N>` or `Text<N>` for `String`, `Int<MIN, MAX>` for a number",
    note = "implement `Field` for a type of your own in about ten lines; its documentation has an example"
)]
pub trait Field: Sized + Send + 'static {
    /// How the field looks and what it accepts.
    const KIND: FieldKind;

    /// Parses the value that a request sent.
    ///
    /// # Errors
    /// The [`Problem`] that the visitor reads beside the field.
    fn parse(raw: RawValue<'_>) -> Result<Self, Problem>;

    /// The content of a form that is filled with this value.
    fn show(&self) -> FormValue;

    /// Takes the value from a form. `#[derive(Form)]` calls this, so that the compiler names a type that is no field once and not
    /// twice.
    #[doc(hidden)]
    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        from.take(name)
    }
}

/// The unchecked input of one field.
#[derive(Debug)]
#[non_exhaustive]
pub enum RawValue<'a> {
    /// No value of this name.
    Absent,
    /// A file, in quarantine.
    File(Incoming),
    /// Several values of this name; only for a `Vec`.
    Many(Vec<Self>),
    /// A text.
    Text(&'a str),
}

impl<'a> RawValue<'a> {
    /// The unchecked text; an absent value is a problem.
    ///
    /// # Errors
    /// [`Problem::missing`], or a file where a text belongs.
    pub fn text(self) -> Result<&'a str, Problem> {
        match self {
            Self::Text(text) if !text.is_empty() => Ok(text),
            Self::Absent | Self::Text(_) => Err(Problem::missing()),
            Self::File(_) | Self::Many(_) => Err(Problem::new(Message::new("forms-text-here"))),
        }
    }

    /// One line of at most so many characters, with the rules of [`Line`](super::Line).
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn line(self, max: usize) -> Result<String, Problem> {
        self.borrowed_line(max).map(Cow::into_owned)
    }

    /// Like `line`, but copies the text only if it has to change.
    pub(super) fn borrowed_line(self, max: usize) -> Result<Cow<'a, str>, Problem> {
        bounded(characters::line(self.text()?), max)
    }

    /// Lines of at most so many characters, with the rules of [`Text`](super::Text).
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn lines(self, max: usize) -> Result<String, Problem> {
        bounded(characters::text(self.text()?), max).map(Cow::into_owned)
    }

    /// Like `lines`, but keeps the indentation of the first line that has words.
    pub(super) fn indented_lines(self, max: usize) -> Result<String, Problem> {
        bounded(characters::indented(self.text()?), max).map(Cow::into_owned)
    }

    /// The file; an absent file is a problem.
    ///
    /// # Errors
    /// [`Problem::missing`], or a text where a file belongs.
    pub fn file(self) -> Result<Incoming, Problem> {
        match self {
            Self::File(file) => Ok(file),
            Self::Absent | Self::Text("") => Err(Problem::missing_file()),
            Self::Text(_) | Self::Many(_) => Err(Problem::new(Message::new("forms-file-here"))),
        }
    }

    /// Whether the value is empty for this kind of field. A password of spaces is not empty.
    fn is_blank(&self, kind: &FieldKind) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) if kind.is_secret() => text.is_empty(),
            Self::Text(text) => text.trim().is_empty(),
            Self::File(_) => false,
            Self::Many(values) => values.is_empty(),
        }
    }
}

fn bounded(
    normal: Result<Cow<'_, str>, BadCharacter>,
    max: usize,
) -> Result<Cow<'_, str>, Problem> {
    let text = normal.map_err(|trouble| Problem::new(trouble.message()))?;
    if text.is_empty() {
        return Err(Problem::missing());
    }
    // A text never has more characters than bytes.
    if text.len() <= max {
        return Ok(text);
    }
    match text.chars().count() {
        length if length > max => short_enough(&text, max).ok_or(Problem::too_long(max, length)),
        _ => Ok(text),
    }
}

/// NFC can be longer than the typed text, and a browser counts the typed text. If it is too long, this returns the shortest
/// canonically equivalent spelling, if that fits.
fn short_enough<'a>(text: &str, max: usize) -> Option<Cow<'a, str>> {
    let shortest = shortest(text);
    (shortest.chars().count() <= max).then(|| Cow::Owned(shortest.into_owned()))
}

/// The content of a field, in a filled form and in one that comes back.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormValue {
    /// Nothing: passwords and files.
    Nothing,
    /// The rows of a list, each with the values of its fields.
    Rows(Vec<Vec<Self>>),
    /// A text that the page carries sealed; see [`Hidden`](super::Hidden).
    ToSeal(String),
    /// A text, or the value of a choice; `on` for a checked box.
    Text(String),
    /// The values of several choices.
    Texts(Vec<String>),
}

impl FormValue {
    /// A text.
    pub fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string())
    }

    pub(super) fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Nothing | Self::Rows(_) | Self::Texts(_) | Self::ToSeal(_) => "",
        }
    }

    pub(super) fn holds(&self, value: &str) -> bool {
        match self {
            Self::Text(text) => text == value,
            Self::Texts(texts) => texts.iter().any(|text| text == value),
            Self::Nothing | Self::Rows(_) | Self::ToSeal(_) => false,
        }
    }
}

/// Prints only the length, because the typed text does not belong in a log.
impl fmt::Debug for FormValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Rows(rows) => write!(f, "Rows({})", rows.len()),
            Self::ToSeal(text) => write!(f, "ToSeal({} bytes)", text.len()),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Texts(texts) => write!(f, "Texts({})", texts.len()),
        }
    }
}

/// The field may be empty.
impl<F: Field> Field for Option<F> {
    const KIND: FieldKind = F::KIND.optional();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        if raw.is_blank(&F::KIND) {
            Ok(None)
        } else {
            F::parse(raw).map(Some)
        }
    }

    fn show(&self) -> FormValue {
        self.as_ref().map_or(FormValue::Nothing, F::show)
    }
}

/// The field may come more than once, or not at all; at most 64 times.
impl<F: Field> Field for Vec<F> {
    const KIND: FieldKind = F::KIND.repeated();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let values = match raw {
            RawValue::Absent => Vec::new(),
            RawValue::Many(values) => values,
            one @ (RawValue::File(_) | RawValue::Text(_)) => vec![one],
        };
        if values.len() > REPEATED {
            return Err(Problem::new(
                Message::new("forms-choose-at-most").with("max", REPEATED),
            ));
        }
        values
            .into_iter()
            .filter(|value| !value.is_blank(&F::KIND))
            .map(F::parse)
            .collect()
    }

    fn show(&self) -> FormValue {
        show_all(self)
    }
}

pub(super) fn show_all<F: Field>(values: &[F]) -> FormValue {
    let texts = values.iter().filter_map(|value| match value.show() {
        FormValue::Text(text) => Some(text),
        FormValue::Nothing | FormValue::Rows(_) | FormValue::Texts(_) | FormValue::ToSeal(_) => {
            None
        }
    });
    FormValue::Texts(texts.collect())
}

/// A checkbox: absent means no, `on` means yes.
impl Field for bool {
    const KIND: FieldKind = FieldKind::checkbox();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        match raw {
            RawValue::Absent => Ok(false),
            RawValue::Text("on") => Ok(true),
            RawValue::Text(_) | RawValue::File(_) | RawValue::Many(_) => {
                Err(Problem::not_offered())
            }
        }
    }

    fn show(&self) -> FormValue {
        if *self {
            FormValue::text("on")
        } else {
            FormValue::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::{Line, NewPassword};

    #[test]
    fn an_optional_field_of_spaces_is_none() {
        assert!(
            Option::<Line<5>>::parse(RawValue::Text("  "))
                .unwrap()
                .is_none()
        );
        assert!(
            Option::<Line<5>>::parse(RawValue::Absent)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn an_optional_password_of_spaces_is_a_password() {
        assert!(
            Option::<NewPassword>::parse(RawValue::Text("                "))
                .unwrap()
                .is_some()
        );
    }

    #[test]
    fn a_box_takes_on_and_nothing_else() {
        assert!(bool::parse(RawValue::Text("on")).unwrap());
        assert!(!bool::parse(RawValue::Absent).unwrap());
        assert!(
            bool::parse(RawValue::Text("maybe"))
                .unwrap_err()
                .is_discrete()
        );
    }

    #[test]
    fn a_list_is_bounded() {
        let many = (0..65).map(|_| RawValue::Text("x")).collect();
        assert!(Vec::<Line<5>>::parse(RawValue::Many(many)).is_err());
    }

    #[test]
    fn what_was_typed_is_not_in_debug() {
        assert_eq!(
            format!("{:?}", FormValue::text("my diary")),
            "Text(8 bytes)"
        );
    }
}
