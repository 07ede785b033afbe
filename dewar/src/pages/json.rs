use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use super::handler_output::named;
use super::redirect::RedirectTarget;
use super::{
    Danger, Error, HandlerOutput, JsonSchema, LocalPath, Outputs, Schemas, Sealed, output,
};

/// JSON, `application/json`, for programs.
///
/// The type states its form too ([`JsonSchema`]), so that `routes --openapi` can print it. The response has `nosniff`, and
/// other sites cannot load it (`Cross-Origin-Resource-Policy`), so an array at the top is as safe as an object. Browsers
/// save it as `data.json`, whatever its path ends in: no link can turn it into a program (reflected file download).
///
/// ```
/// use dewar::pages::{Json, JsonSchema};
/// #[derive(serde::Serialize, JsonSchema)]
/// struct Health { ready: bool }
/// async fn health() -> Json<Health> { Json(Health { ready: true }) }
/// # let route: dewar::app::Route = dewar::get("/api/health", health);
/// # drop(route);
/// ```
#[derive(Debug, Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler builds it by its one field"
)]
pub struct Json<T>(pub T);

/// A value in a [`Json`] whose form the program does not state, such as a type of another crate. The route table marks it
/// (`untyped`), and OpenAPI says that it can be anything.
///
/// ```
/// use dewar::pages::{Json, Untyped};
/// #[derive(serde::Serialize)]
/// struct OfAnotherCrate { ready: bool }
/// async fn health() -> Json<Untyped<OfAnotherCrate>> { Json(Untyped(OfAnotherCrate { ready: true })) }
/// # let route: dewar::app::Route = dewar::get("/api/health", health);
/// # drop(route);
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler builds it by its one field"
)]
pub struct Untyped<T>(pub T);

impl<T> JsonSchema for Untyped<T> {
    fn schema(_: &mut Schemas) -> Value {
        Value::Object(serde_json::Map::new())
    }
}

impl<T: Serialize + JsonSchema> HandlerOutput for Json<T> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add_json(200, T::schema, &[]);
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        with_status(StatusCode::OK, &self.0)
    }
}

fn with_status(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let json = HeaderValue::from_static("application/json");
            let response = (status, [(header::CONTENT_TYPE, json)], body);
            named(response.into_response(), "inline; filename=\"data.json\"")
        }
        Err(error) => Error::internal(error).into_response(),
    }
}

/// `201 Created` with the path of the new record in `Location`, and the record as [`Json`].
///
/// ```
/// use dewar::forms::Line;
/// use dewar::pages::{Created, JsonSchema};
/// use dewar::{Form, post};
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
/// #[derive(serde::Serialize, JsonSchema)]
/// struct Note { id: i64, title: Line<80> }
/// async fn create(form: Form<NewNote>) -> dewar::Result<Created<Note>> {
///     let note = Note { id: 7, title: form.or_reject()?.title };
///     Created::at_path(format!("/api/notes/{}", note.id), note)
/// }
/// # let route: dewar::app::Route = post("/api/notes", create);
/// # drop(route);
/// ```
#[derive(Debug, Clone)]
#[must_use = "it does nothing until a handler returns it"]
pub struct Created<T> {
    location: LocalPath,
    record: T,
}

impl<T> Created<T> {
    /// The record is at this path, which is in the program's own text.
    pub fn at(path: impl RedirectTarget, record: T) -> Self {
        Self {
            location: path.place(),
            record,
        }
    }

    /// The record is at a path that the program put together, such as `format!("/api/notes/{id}")`.
    ///
    /// # Errors
    /// An internal error if the text is not a [`LocalPath`].
    pub fn at_path(path: String, record: T) -> Result<Self, Error> {
        Ok(Self::at(
            LocalPath::parse(path).map_err(Error::internal)?,
            record,
        ))
    }
}

impl<T: Serialize + JsonSchema> HandlerOutput for Created<T> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add_json(
            201,
            T::schema,
            &[("Location", "The path of the new record.")],
        );
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let Ok(location) = HeaderValue::from_str(self.location.as_str()) else {
            return Error::internal("the path of a new record is no header").into_response();
        };
        let mut response = with_status(StatusCode::CREATED, &self.record);
        // If the record cannot be JSON, the response is an error and names nothing.
        if response.status() == StatusCode::CREATED {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

/// `204 No Content`: it is done, and there is nothing to say.
///
/// ```
/// use dewar::pages::NoContent;
/// async fn remove() -> dewar::Result<NoContent> { Ok(NoContent) }
/// # let route: dewar::app::Route = dewar::app::delete("/api/notes", remove);
/// # drop(route);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a handler returns it by its name"
)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }
}

output! { NoContent => [204 None] }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_record_has_its_place_and_an_error_has_none() {
        let made = Created::at("/api/notes/7", 7).into_response();
        assert_eq!(made.status(), 201);
        assert_eq!(made.headers()[header::LOCATION], "/api/notes/7");
        assert!(Created::at_path("//evil.example".to_owned(), 7).is_err());
        // A map whose keys are no text is no JSON.
        let wrong = BTreeMap::from([(vec![1], 1)]);
        let failed = Created::at("/api/notes/7", wrong).into_response();
        assert_eq!(failed.status(), 500);
        assert!(failed.headers().get(header::LOCATION).is_none());
        assert_eq!(NoContent.into_response().status(), 204);
    }
}
