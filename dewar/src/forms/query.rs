use axum::extract::FromRequestParts;
use http::request::Parts;

use super::error::FormRejection;
use super::form::turn_away;
use super::list::array;
use super::reader::too_large;
use super::received::Arrived;
use super::{
    Described, FormSpec, FromParts, HandlerInput, Model, Received, events, rows, urlencoded,
};
use crate::pages::{Error, Message, RequestContext, Sealed};

/// The most bytes of a query.
const MOST: usize = 8 * 1024;

/// The most fields of a query, without ignored parameters.
const FIELDS: usize = 64;

/// The query of a link or of a search, validated like a form: a `#[derive(Form)]` of its own.
///
/// Dewar ignores a parameter that has no field, and an empty one. Mail programs, search engines and social networks append
/// parameters to links (`utm_source`, `fbclid`), and must not break a page. [`StrictQuery`] refuses such a parameter.
///
/// The response is 400 if a field cannot be decoded, comes twice or breaks its rule. A query needs no CSRF token: a `GET`
/// changes nothing.
///
/// ```
/// use dewar::Form;
/// use dewar::forms::{Int, Line, Query};
/// #[derive(Form)]
/// struct Search { q: Option<Line<80>>, page: Option<Int<1, 10_000>> }
/// async fn search(Query(search): Query<Search>) -> String {
///     search.q.map_or_else(|| "Everything".to_owned(), |q| format!("Everything with {q}"))
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler destructures it in its arguments"
)]
pub struct Query<T: Model>(pub T);

/// A query for programs, which need to learn that they misspelled a name. A parameter that has no field is 400 and a
/// security event, as in a form that is posted.
///
/// ```
/// use dewar::forms::{Int, StrictQuery};
/// use dewar::pages::Json;
/// use dewar::{App, Form, get};
/// #[derive(Form)]
/// struct Since { since: Option<Int<0, 4_000_000_000>> }
/// async fn changes(StrictQuery(asked): StrictQuery<Since>) -> Json<i64> {
///     Json(asked.since.map_or(0, Int::get))
/// }
/// fn changes_of(app: App) -> App { app.public([get("/changes", changes)]) }
/// ```
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler destructures it in its arguments"
)]
pub struct StrictQuery<T: Model>(pub T);

impl<T: Model> HandlerInput for Query<T> {
    fn describe(route: &mut Described, _: Sealed) {
        const {
            assert!(
                array(T::FIELDS).is_none(),
                "a query has named values: an array is the body of a `Form<List<…>>`"
            );
        }
        route.query = Some(FormSpec::new(T::FIELDS));
        route.label(T::NAME, T::FIELDS);
    }
}

impl<T: Model> HandlerInput for StrictQuery<T> {
    fn describe(route: &mut Described, _: Sealed) {
        const {
            assert!(
                array(T::FIELDS).is_none(),
                "a query has named values: an array is the body of a `Form<List<…>>`"
            );
        }
        route.query = Some(FormSpec::new(T::FIELDS));
    }
}

impl<T: Model> FromParts for Query<T> {}

impl<T: Model> FromParts for StrictQuery<T> {}

impl<S: Send + Sync, T: Model> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        read(parts, Unknown::Ignored).map(Self)
    }
}

impl<S: Send + Sync, T: Model> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Error> {
        read(parts, Unknown::Refused).map(Self)
    }
}

/// The treatment of a parameter that has no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Ignored,
    Refused,
}

fn read<T: Model>(parts: &Parts, unknown: Unknown) -> Result<T, Error> {
    let context = RequestContext::of(parts)?;
    let turn_away = |rejection| turn_away(context, rejection);
    let received = receive::<T>(parts, unknown).map_err(turn_away)?;
    let (model, received) = received.read::<T>().map_err(turn_away)?;
    model.ok_or_else(|| {
        let problems = &received.problems;
        events::problems(context, problems);
        let names: Vec<&str> = problems.iter().map(|(name, _)| name).collect();
        let text = Message::new("forms-query").with("names", names.join(", "));
        let fields = problems.iter();
        Error::bad_request(text)
            .fields(fields.map(|(name, problem)| (name, problem.words().clone())))
    })
}

fn receive<T: Model>(parts: &Parts, unknown: Unknown) -> Result<Received, FormRejection> {
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > MOST {
        return Err(too_large("forms-query-too-long", MOST));
    }
    let mut received = Received::query::<T>();
    let pairs = match unknown {
        Unknown::Ignored => urlencoded::known_pairs(query.as_bytes(), FIELDS, |name| {
            rows::find(T::FIELDS, name).is_some()
        }),
        Unknown::Refused => urlencoded::pairs(query.as_bytes(), FIELDS),
    };
    for (name, value) in pairs? {
        received.add(&name, Arrived::Text(value))?;
    }
    Ok(received)
}
