use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::{Choice, Choices, Described, Field, FromParts, HandlerInput, Int, Line, RawValue};
use crate::pages::{Error, Sealed};
use crate::sessions::UserId;

/// The parameters of a path, `{id}`, in their order. A value that does not parse is 404, as if nothing were there.
///
/// ```
/// use dewar::forms::Path;
/// async fn show(Path(id): Path<i64>) -> String { format!("Document {id}") }
/// async fn version(Path((id, version)): Path<(i64, u32)>) -> String { format!("{id}, version {version}") }
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler destructures it in its arguments"
)]
pub struct Path<T: FromPathParams>(pub T);

/// One parameter of a path. A type of your own takes three lines.
///
/// ```
/// use dewar::forms::FromPathParam;
/// struct Isbn(u64);
/// impl FromPathParam for Isbn {
///     fn parse(text: &str) -> Option<Self> { (text.len() == 13).then(|| text.parse().ok().map(Self))? }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a path: it has no validation rules",
    note = "use whole numbers, `Line<80>`, `Choice<Enum>` and `Int<0, 10>`, or tuples of two or three; for a type of \
            your own, implement `dewar::forms::FromPathParam`"
)]
pub trait FromPathParam: Sized + Send {
    /// The kind of its value, in a word for the route table.
    const TAKES: &'static str = "text";

    /// Parses the text.
    fn parse(text: &str) -> Option<Self>;
}

/// All parameters of a path: one, or a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parameters of a path: it has no validation rules",
    note = "use whole numbers, `Line<80>`, `Choice<Enum>` and `Int<0, 10>`, or tuples of two or three; for a type of \
            your own, implement `dewar::forms::FromPathParam`"
)]
pub trait FromPathParams: Sized + Send {
    /// The kind of each value, in a word for the route table.
    fn take() -> Vec<&'static str>;

    /// Parses the texts. None if their number is wrong or one of them does not parse.
    fn parse(texts: &[&str]) -> Option<Self>;
}

impl<A: FromPathParam> FromPathParams for A {
    fn take() -> Vec<&'static str> {
        vec![A::TAKES]
    }

    fn parse(texts: &[&str]) -> Option<Self> {
        let [text] = texts else { return None };
        Self::parse(text)
    }
}

impl<A: FromPathParam, B: FromPathParam> FromPathParams for (A, B) {
    fn take() -> Vec<&'static str> {
        vec![A::TAKES, B::TAKES]
    }

    fn parse(texts: &[&str]) -> Option<Self> {
        let [a, b] = texts else { return None };
        Some((A::parse(a)?, B::parse(b)?))
    }
}

impl<A: FromPathParam, B: FromPathParam, C: FromPathParam> FromPathParams for (A, B, C) {
    fn take() -> Vec<&'static str> {
        vec![A::TAKES, B::TAKES, C::TAKES]
    }

    fn parse(texts: &[&str]) -> Option<Self> {
        let [a, b, c] = texts else { return None };
        Some((A::parse(a)?, B::parse(b)?, C::parse(c)?))
    }
}

impl<T: FromPathParams> HandlerInput for Path<T> {
    fn describe(route: &mut Described, _: Sealed) {
        route.take_segments(T::take());
    }
}

impl<T: FromPathParams> FromParts for Path<T> {}

impl<S: Send + Sync, T: FromPathParams> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let found = RawPathParams::from_request_parts(parts, state).await;
        let found = found.map_err(|error| Error::not_found().because(error))?;
        let texts: Vec<&str> = found.iter().map(|(_, text)| text).collect();
        T::parse(&texts).map(Self).ok_or_else(Error::not_found)
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl FromPathParam for $number {
            const TAKES: &'static str = "integer";

            fn parse(text: &str) -> Option<Self> {
                // One number, one address: no plus and no leading zero.
                let number = Self::from_str(text).ok()?;
                (number.to_string() == text).then_some(number)
            }
        }
    )*};
}

numbers!(i32 i64 u32 u64);

impl FromPathParam for UserId {
    const TAKES: &'static str = "integer";

    fn parse(text: &str) -> Option<Self> {
        <i64 as FromPathParam>::parse(text).map(Self::new)
    }
}

impl<const MAX: usize> FromPathParam for Line<MAX> {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl<const MIN: i64, const MAX: i64> FromPathParam for Int<MIN, MAX> {
    const TAKES: &'static str = "integer";

    fn parse(text: &str) -> Option<Self> {
        // A form reads `5.0` as 5; an address has one spelling.
        Self::parse(text)
            .ok()
            .filter(|number| number.to_string() == text)
    }
}

impl<E: Choices> FromPathParam for Choice<E> {
    const TAKES: &'static str = "choice";

    fn parse(text: &str) -> Option<Self> {
        <Self as Field>::parse(RawValue::Text(text)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(<i64 as FromPathParam>::parse("7"), Some(7));
        for text in ["", "+7", "07", "7.0", "7 ", "9223372036854775808", "٧"] {
            assert_eq!(<i64 as FromPathParam>::parse(text), None, "{text:?}");
            assert_eq!(<Int<0, 9> as FromPathParam>::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn there_are_as_many_parameters_as_are_asked_for() {
        assert_eq!(
            <(i64, u32) as FromPathParams>::parse(&["1", "2"]),
            Some((1, 2))
        );
        assert_eq!(<(i64, u32) as FromPathParams>::parse(&["1"]), None);
    }
}
