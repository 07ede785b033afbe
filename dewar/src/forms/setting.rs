//! The types of forms that a setting of an application can have too: with the same rules, read by the same parsers.

use super::{Choices, Email, Line, Schemes, Url};
use crate::audit::SettingValue;

impl SettingValue for Email {
    fn right() -> String {
        "an email address".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl<S: Schemes> SettingValue for Url<S> {
    fn right() -> String {
        let schemes: Vec<String> = S::ALLOWED
            .iter()
            .map(|scheme| format!("{scheme}://"))
            .collect();
        format!(
            "an address that begins with {}, without a user name and a password",
            schemes.join(" or ")
        )
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl<const MAX: usize> SettingValue for Line<MAX> {
    fn right() -> String {
        format!("one line of 1 to {MAX} characters")
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

/// One of the values of an enum, by its name in `snake_case`.
impl<E: Choices> SettingValue for E {
    fn right() -> String {
        let names: Vec<String> = E::OFFERS
            .iter()
            .map(|offer| format!("\"{}\"", offer.value))
            .collect();
        format!("one of {}", names.join(", "))
    }

    fn parse(text: &str) -> Option<Self> {
        let place = E::OFFERS.iter().position(|offer| offer.value == text)?;
        E::ALL.get(place).copied()
    }
}
