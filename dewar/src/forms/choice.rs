use std::ops::Deref;

use super::{Field, FieldKind, FormValue, Offer, Problem, RawValue};
use crate::pages::Message;

/// The options of a [`Choice`]: an enum of the application, with `#[derive(Choices)]`.
///
/// ```
/// use dewar::forms::Choices;
/// #[derive(Choices, Clone, Copy, Debug, PartialEq)]
/// enum Verdict { Approve, #[choice(label = "Send back")] Reject }
/// assert_eq!(Verdict::OFFERS[1].label, "Send back");
/// assert_eq!(Verdict::OFFERS[1].value, "reject");
/// assert_eq!(Verdict::NAME, "verdict"); // the label in another language: `verdict.is-reject`
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list its choices",
    note = "write `#[derive(Choices, Clone, Copy)]` on the enum"
)]
pub trait Choices: Copy + Send + Sync + 'static {
    /// The type's name in `kebab-case`: the message of this id has the label of each value as the attribute `is-<value>`.
    const NAME: &'static str = "";

    /// The values, in the order in which the form shows them.
    const ALL: &'static [Self];

    /// The same values as options: what a form sends, and what a user reads.
    const OFFERS: &'static [Offer];

    /// The index of this value in both lists.
    fn place(self) -> usize;
}

/// One of the values of an enum. Any other value is refused and logged as a security event.
///
/// ```
/// use dewar::forms::{Choice, Choices, Field, RawValue};
/// #[derive(Choices, Clone, Copy, Debug, PartialEq)]
/// enum Sort { Newest, Title }
/// let sort = Choice::<Sort>::parse(RawValue::Text("title")).unwrap();
/// assert_eq!(*sort, Sort::Title);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Choice<E>(E);

impl<E: Choices> Choice<E> {
    /// A value as a choice, to fill a form with.
    pub const fn new(value: E) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn get(self) -> E {
        self.0
    }

    /// The value as the form sends it.
    pub fn value(self) -> &'static str {
        E::OFFERS
            .get(self.0.place())
            .map_or("", |offer| offer.value)
    }

    /// The label that a user reads.
    pub fn label(self) -> &'static str {
        E::OFFERS
            .get(self.0.place())
            .map_or("", |offer| offer.label)
    }
}

impl<E> Deref for Choice<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.0
    }
}

impl<E: Choices> Field for Choice<E> {
    const KIND: FieldKind = FieldKind::choice(E::OFFERS).of_choices(E::NAME);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let text = match raw {
            RawValue::Absent | RawValue::Text("") => {
                return Err(Problem::new(Message::new("forms-choose-one")));
            }
            RawValue::Text(text) => text,
            RawValue::File(_) | RawValue::Many(_) => return Err(Problem::not_offered()),
        };
        let place = E::OFFERS.iter().position(|offer| offer.value == text);
        place
            .and_then(|place| E::ALL.get(place))
            .map(|value| Self(*value))
            .ok_or_else(Problem::not_offered)
    }

    fn show(&self) -> FormValue {
        FormValue::text(self.value())
    }
}

impl<E: Choices> serde::Serialize for Choice<E> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(dewar_macros::Choices, Clone, Copy, Debug, PartialEq)]
    enum Size {
        Small,
        VeryLarge,
    }

    #[test]
    fn only_what_is_offered_is_taken() {
        assert_eq!(
            Choice::parse(RawValue::Text("very_large")).unwrap(),
            Choice(Size::VeryLarge)
        );
        assert_eq!(Choice(Size::VeryLarge).label(), "Very large");
        let refused = Choice::<Size>::parse(RawValue::Text("Small")).unwrap_err();
        assert!(refused.is_discrete());
        assert!(
            !Choice::<Size>::parse(RawValue::Text(""))
                .unwrap_err()
                .is_discrete()
        );
    }
}
