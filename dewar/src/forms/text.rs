use super::{Field, FieldKind, FormValue, Problem, RawValue};

/// Lines with 1 to `MAX` characters in all.
///
/// 1. It is in Unicode's NFC, and has no space at its ends. If only NFC makes it longer than `MAX`, it is the shortest
///    canonically equivalent spelling: a text that fitted when it was typed fits.
/// 2. Each line break of Unicode becomes one `\n`. Apart from that and the tab it has no control character.
/// 3. It has no invisible character, and none that changes the direction of text.
///
/// ```
/// use dewar::forms::Text;
/// let reason = Text::<200>::parse("Not signed.\r\nPlease sign.").unwrap();
/// assert_eq!(reason.as_str(), "Not signed.\nPlease sign.");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Parses a text.
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
