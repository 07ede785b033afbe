use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use serde_json::{Value, json};

use super::{
    Choice, Choices, Described, Field, FromParts, HandlerInput, Int, Line, RawValue, Slug, Uuid,
};
use crate::pages::{Error, Sealed};
use crate::sessions::UserId;

/// The parameters of a path, `{id}`. A value that does not parse is 404, as if nothing were there.
///
/// It takes one, up to six in their order as a tuple, or any number by name as a struct with `#[derive(PathParams)]`. A name
/// that the path does not have is a finding at start.
///
/// ```
/// use dewar::forms::Path;
/// async fn show(Path(id): Path<i64>) -> String { format!("Document {id}") }
/// async fn version(Path((id, version)): Path<(i64, u32)>) -> String { format!("{id}, version {version}") }
/// ```
/// By name, in any order:
/// ```
/// use dewar::forms::{Path, PathParams, Slug, Uuid};
/// use dewar::pages::Text;
/// #[derive(PathParams)]
/// struct Place { upload: Uuid, project: Slug<40> }
/// async fn show(Path(place): Path<Place>) -> Text { Text::new(format!("{} of {}", place.upload, place.project)) }
/// # let route: dewar::app::Route = dewar::get("/{project}/uploads/{upload}", show);
/// # drop(route);
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
    note = "use whole numbers, `Uuid`, `Slug<80>`, `Line<80>`, `Choice<Enum>` and `Int<0, 10>`, tuples of them, or a struct \
            with `#[derive(PathParams)]`; for a type of your own, implement `dewar::forms::FromPathParam`"
)]
pub trait FromPathParam: Sized + Send {
    /// The kind of its value, in a word for the route table.
    const TAKES: &'static str = "text";

    /// The JSON schema of its value, for OpenAPI. By default a text.
    #[must_use]
    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }

    /// Parses the text.
    fn parse(text: &str) -> Option<Self>;
}

/// All parameters of a path: one, a tuple, or a struct with `#[derive(PathParams)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the parameters of a path: it has no validation rules",
    note = "use whole numbers, `Uuid`, `Slug<80>`, `Line<80>`, `Choice<Enum>` and `Int<0, 10>`, tuples of them, or a struct \
            with `#[derive(PathParams)]`; for a type of your own, implement `dewar::forms::FromPathParam`"
)]
pub trait FromPathParams: Sized + Send {
    /// The kind of each value, in a word for the route table.
    fn take() -> Vec<&'static str>;

    /// The JSON schema of each value, in the same order.
    #[must_use]
    fn schemas() -> Vec<Value> {
        Vec::new()
    }

    /// The names of the parameters, if they are found by name and not by their order.
    #[must_use]
    fn names() -> Option<&'static [&'static str]> {
        None
    }

    /// Parses the texts, in the order of [`names`](Self::names) if it has some. None if their number is wrong or one of them does not parse.
    fn parse(texts: &[&str]) -> Option<Self>;
}

impl<A: FromPathParam> FromPathParams for A {
    fn take() -> Vec<&'static str> {
        vec![A::TAKES]
    }

    fn schemas() -> Vec<Value> {
        vec![A::schema()]
    }

    fn parse(texts: &[&str]) -> Option<Self> {
        let [text] = texts else { return None };
        Self::parse(text)
    }
}

macro_rules! tuples {
    ($(($($part:ident $text:ident),*);)*) => {$(
        impl<$($part: FromPathParam),*> FromPathParams for ($($part,)*) {
            fn take() -> Vec<&'static str> {
                vec![$($part::TAKES),*]
            }

            fn schemas() -> Vec<Value> {
                vec![$($part::schema()),*]
            }

            fn parse(texts: &[&str]) -> Option<Self> {
                let [$($text),*] = texts else { return None };
                Some(($($part::parse($text)?,)*))
            }
        }
    )*};
}

tuples! {
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
    (A a, B b, C c, D d, E e);
    (A a, B b, C c, D d, E e, F f);
}

impl<T: FromPathParams> HandlerInput for Path<T> {
    fn describe(route: &mut Described, _: Sealed) {
        route.take_segments(T::take(), T::names());
        route.take_segment_schemas(T::schemas());
    }
}

impl<T: FromPathParams> FromParts for Path<T> {}

impl<S: Send + Sync, T: FromPathParams> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let found = RawPathParams::from_request_parts(parts, state).await;
        let found = found.map_err(|error| Error::not_found().because(error))?;
        let named = |name: &&str| {
            found
                .iter()
                .find(|(of, _)| of == name)
                .map(|(_, text)| text)
        };
        let texts: Option<Vec<&str>> = match T::names() {
            Some(names) => names.iter().map(named).collect(),
            None => Some(found.iter().map(|(_, text)| text).collect()),
        };
        let parsed = texts.and_then(|texts| T::parse(&texts));
        parsed.map(Self).ok_or_else(Error::not_found)
    }
}

macro_rules! numbers {
    ($($number:ty => $format:literal),*) => {$(
        impl FromPathParam for $number {
            const TAKES: &'static str = "integer";

            fn schema() -> Value {
                json!({ "type": "integer", "format": $format, "minimum": Self::MIN, "maximum": Self::MAX })
            }

            fn parse(text: &str) -> Option<Self> {
                // One number, one address: no plus and no leading zero.
                let number = Self::from_str(text).ok()?;
                (number.to_string() == text).then_some(number)
            }
        }
    )*};
}

numbers!(i32 => "int32", i64 => "int64", u32 => "int64", u64 => "uint64");

impl FromPathParam for UserId {
    const TAKES: &'static str = "integer";

    fn schema() -> Value {
        <i64 as FromPathParam>::schema()
    }

    fn parse(text: &str) -> Option<Self> {
        <i64 as FromPathParam>::parse(text).map(Self::new)
    }
}

impl<const MAX: usize> FromPathParam for Line<MAX> {
    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }
}

impl<const MAX: usize> FromPathParam for Slug<MAX> {
    const TAKES: &'static str = "slug";

    fn parse(text: &str) -> Option<Self> {
        // A form removes spaces around it; an address has one spelling.
        Self::parse(text).ok().filter(|slug| slug.as_str() == text)
    }
}

impl FromPathParam for Uuid {
    const TAKES: &'static str = "uuid";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl<const MIN: i64, const MAX: i64> FromPathParam for Int<MIN, MAX> {
    const TAKES: &'static str = "integer";

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }

    fn parse(text: &str) -> Option<Self> {
        // A form reads `5.0` as 5; an address has one spelling.
        Self::parse(text)
            .ok()
            .filter(|number| number.to_string() == text)
    }
}

impl<E: Choices> FromPathParam for Choice<E> {
    const TAKES: &'static str = "choice";

    fn schema() -> Value {
        let values: Vec<&str> = E::OFFERS.iter().map(|offer| offer.value).collect();
        json!({ "type": "string", "enum": values })
    }

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
    fn a_slug_and_a_uuid_have_one_spelling() {
        let slug = |text| <Slug<9> as FromPathParam>::parse(text).is_some();
        assert!(slug("tea-2-two"));
        for text in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a b",
            " a",
            "ten-letter",
            "é",
            "a/b",
            "..",
        ] {
            assert!(!slug(text), "{text:?}");
        }
        let uuid = |text| <Uuid as FromPathParam>::parse(text).is_some();
        assert!(uuid("67e55044-10b1-426f-9247-bb680e5fe0c8"));
        for text in [
            "67E55044-10b1-426f-9247-bb680e5fe0c8",
            "67e5504410b1426f9247bb680e5fe0c8",
            "{67e55044-10b1-426f-9247-bb680e5fe0c8}",
            "67e55044-10b1-426f-9247-bb680e5fe0c",
            "67e5504-410b1-426f-9247-bb680e5fe0c8",
            "67e55044-10b1-426f-9247-bb680e5fe0cg",
            "",
        ] {
            assert!(!uuid(text), "{text:?}");
        }
    }

    #[derive(crate::forms::PathParams, Debug, PartialEq)]
    struct Place {
        r#type: Slug<9>,
        number: u32,
    }

    #[test]
    fn a_struct_has_its_parameters_by_name() {
        assert_eq!(Place::names(), Some(&["type", "number"][..]));
        assert_eq!(Place::take(), ["slug", "integer"]);
        let place = Place::parse(&["tea", "7"]).unwrap();
        assert_eq!((place.r#type.as_str(), place.number), ("tea", 7));
        assert_eq!(Place::parse(&["7", "tea"]), None);
        assert_eq!(Place::parse(&["tea"]), None);
        let described = |path: &str| {
            let mut described = Described::default();
            Path::<Place>::describe(&mut described, Sealed(()));
            described.under(path);
            described
        };
        let read = described("/{number}/of/{type}/{rest}");
        let takes: Vec<_> = read.parameters.iter().map(|one| one.takes).collect();
        assert_eq!(takes, ["integer", "slug", "unread"]);
        assert!(!read.waits_in_vain());
        assert!(described("/{number}/of/{kind}").waits_in_vain());
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
