use super::{Field, FieldKind, FormValue, Problem, RawValue};

/// Lines of 1 to `MAX` characters in all.
///
/// 1. It is in Unicode's normal form C, and has no space at its ends. Where only that form is longer than `MAX`, it is the
///    shortest spelling that is canonically equal: what fitted as it was typed fits.
/// 2. Each line break is one `\n`, whichever of Unicode's it was; beside it and the tab there is no control character.
/// 3. It has no character that changes the direction of text, and none that cannot be seen.
///
/// ```
/// use dewar::forms::Text;
/// let reason = Text::<200>::parse("Not signed.\r\nPlease sign.").unwrap();
/// assert_eq!(reason.as_str(), "Not signed.\nPlease sign.");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Makes a text of a text.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        RawValue::Text(text).lines(MAX).map(Self)
    }
}

impl<const MAX: usize> Field for Text<MAX> {
    const KIND: FieldKind = FieldKind::text(MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        raw.lines(MAX).map(Self)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

super::words!(Text<MAX>);
