use super::{Field, FieldKind, FormValue, Problem, RawValue};

/// One line of 1 to `MAX` characters.
///
/// 1. It is in Unicode's NFC, and has no space at its ends. If only NFC makes it longer than `MAX`, it is the shortest
///    canonically equivalent spelling: a text that fitted when it was typed fits.
/// 2. It has no line break and no control character.
/// 3. It has no invisible character, and none that changes the direction of text.
///
/// ```
/// use dewar::forms::Line;
/// let title = Line::<80>::parse("  Minutes of May ").unwrap();
/// assert_eq!(title.as_str(), "Minutes of May");
/// assert!(Line::<3>::parse("four").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    /// Parses a line.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        RawValue::Text(text).line(MAX).map(Self)
    }
}

impl<const MAX: usize> Field for Line<MAX> {
    const KIND: FieldKind = FieldKind::line(MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        raw.line(MAX).map(Self)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

super::words!(Line<MAX>);
