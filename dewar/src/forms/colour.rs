use std::fmt;

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// A colour as `#` and six hexadecimal digits, stored in lower case (HTML, 2.3.6).
///
/// It accepts no other CSS, so a colour may stand in a style sheet.
///
/// ```
/// use dewar::forms::Colour;
/// let colour = Colour::parse("#FF8000").unwrap();
/// assert_eq!((colour.to_string().as_str(), colour.rgb()), ("#ff8000", [255, 128, 0]));
/// assert!(Colour::parse("red;background:url(//example.org)").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Parses a colour.
    ///
    /// # Errors
    /// The text is spelled in another way.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let line = RawValue::Text(text).line(32)?;
        line.strip_prefix('#')
            .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .map(|number| {
                let [_, red, green, blue] = number.to_be_bytes();
                Self([red, green, blue])
            })
            .ok_or_else(|| Problem::new(Message::new("forms-colour")))
    }

    /// Red, green and blue, each from 0 to 255.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        self.0
    }
}

impl Field for Colour {
    const KIND: FieldKind = FieldKind::colour();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(self)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl serde::Serialize for Colour {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_one_spelling() {
        for wrong in [
            "",
            "#",
            "#fff",
            "ff8000",
            "#ff80000",
            "#gg8000",
            "#+f8000",
            "red",
            "#ff8000\u{200b}",
            "#ff80é",
        ] {
            assert!(Colour::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
