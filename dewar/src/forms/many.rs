use std::ops::Deref;

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// From `MIN` to `MAX` different values of one kind: several choices or files, with limits that a `Vec` does not have.
///
/// ```
/// use dewar::forms::{Choice, Choices, Field, Many, RawValue};
/// #[derive(Choices, Clone, Copy, Debug, PartialEq)]
/// enum Topping { Basil, Capers, Olives }
/// type Toppings = Many<Choice<Topping>, 1, 2>;
/// let two = Toppings::parse(RawValue::Many(vec![RawValue::Text("basil"), RawValue::Text("olives")])).unwrap();
/// assert_eq!(two.len(), 2);
/// assert!(Toppings::parse(RawValue::Absent).is_err());
/// assert!(Toppings::parse(RawValue::Many(vec![RawValue::Text("basil"), RawValue::Text("basil")])).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Many<F, const MIN: usize, const MAX: usize>(Vec<F>);

impl<F: PartialEq, const MIN: usize, const MAX: usize> Many<F, MIN, MAX> {
    /// The values, to fill a form with.
    ///
    /// # Errors
    /// Too few, too many, or one of them twice.
    pub fn new(values: Vec<F>) -> Result<Self, Problem> {
        const {
            assert!(MIN <= MAX && MAX > 0, "the bounds of `Many` allow no value");
        }
        if values.len() < MIN {
            return Err(Problem::new(
                Message::new("forms-choose-at-least").with("min", MIN),
            ));
        }
        if values.len() > MAX {
            return Err(Problem::new(
                Message::new("forms-choose-at-most").with("max", MAX),
            ));
        }
        let twice = |(place, value)| values.iter().take(place).any(|before| before == value);
        // A browser never sends the same checkbox twice.
        if values.iter().enumerate().any(twice) {
            return Err(Problem::not_offered());
        }
        Ok(Self(values))
    }

    /// The values.
    #[must_use]
    pub fn into_vec(self) -> Vec<F> {
        self.0
    }
}

impl<F, const MIN: usize, const MAX: usize> Deref for Many<F, MIN, MAX> {
    type Target = [F];

    fn deref(&self) -> &[F] {
        &self.0
    }
}

impl<F: Field + PartialEq, const MIN: usize, const MAX: usize> Field for Many<F, MIN, MAX> {
    const KIND: FieldKind = F::KIND.many(MIN, MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Vec::parse(raw).and_then(Self::new)
    }

    fn show(&self) -> FormValue {
        super::field::show_all(&self.0)
    }
}

impl<F: serde::Serialize, const MIN: usize, const MAX: usize> serde::Serialize
    for Many<F, MIN, MAX>
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
