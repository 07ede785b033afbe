use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// A name for an address: 1 to `MAX` small letters from `a` to `z` and digits, with single hyphens between them.
///
/// It needs no escaping in a path, and two spellings never name one thing: no capital letter, no `%41`, no `.` or `..`. As the
/// type of a column, each row obeys the rule.
///
/// ```
/// use dewar::forms::{Path, Slug};
/// use dewar::pages::Text;
/// assert_eq!(Slug::<40>::parse("summer-party-2")?.as_str(), "summer-party-2");
/// assert!(Slug::<40>::parse("Summer Party").is_err());
/// async fn show(Path(slug): Path<Slug<40>>) -> Text { Text::new(slug.to_string()) }
/// # let route: dewar::app::Route = dewar::get("/events/{slug}", show);
/// # drop(route);
/// # Ok::<(), dewar::forms::Problem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug<const MAX: usize>(String);

impl<const MAX: usize> Slug<MAX> {
    /// Parses a slug.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let line = RawValue::Text(text).line(MAX)?;
        let is_word = |word: &str| {
            let mut bytes = word.bytes();
            !word.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if line.split('-').all(is_word) {
            Ok(Self(line))
        } else {
            Err(Problem::new(Message::new("forms-slug")))
        }
    }
}

impl<const MAX: usize> Field for Slug<MAX> {
    const KIND: FieldKind = FieldKind::line(MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

super::words!(Slug<MAX>);
