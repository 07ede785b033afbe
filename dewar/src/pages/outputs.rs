use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{PageType, Schemas};

/// What a handler may answer, as data: the route table has it, and OpenAPI prints it.
///
/// ```
/// use dewar::{App, get, pages::Json};
/// async fn count() -> dewar::Result<Json<i64>> { Ok(Json(3)) }
/// let app = App::in_directory(std::env::temp_dir())?.public([get("/count", count)]);
/// let table = app.route_table();
/// assert_eq!(table.entries()[0].gives.answers[0].status, 200);
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Outputs {
    /// The answers of a handler that did its work.
    pub answers: Vec<OutputSpec>,
    /// Whether the handler can return an [`Error`](super::Error).
    pub fallible: bool,
    /// Further errors of the handler's own, each with its description.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<(u16, &'static str)>,
    /// The pages with typed values, for the check of their templates.
    #[serde(skip)]
    pub(crate) pages: Vec<PageType>,
}

/// One answer.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct OutputSpec {
    /// The status.
    pub status: u16,
    /// The media type of the body; none without a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<&'static str>,
    /// Whether it is JSON whose form the program does not state; see [`Untyped`](super::Untyped).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untyped: bool,
    /// The JSON schema of the messages that a WebSocket takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receives: Option<Value>,
    #[serde(skip)]
    schema: Option<fn(&mut Schemas) -> Value>,
    /// The headers that belong to the answer, each with its description.
    #[serde(skip)]
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// The media type of server-sent events.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

impl Outputs {
    /// Adds an answer with a body of this type, or without one.
    pub(crate) fn add(&mut self, status: u16, media_type: Option<&'static str>) {
        self.answers.push(OutputSpec {
            status,
            media_type,
            untyped: false,
            receives: None,
            schema: None,
            headers: &[],
        });
    }

    /// Adds an answer of JSON.
    pub(crate) fn add_json(
        &mut self,
        status: u16,
        schema: fn(&mut Schemas) -> Value,
        headers: &'static [(&'static str, &'static str)],
    ) {
        let form = schema(&mut Schemas::default());
        self.answers.push(OutputSpec {
            status,
            media_type: Some("application/json"),
            untyped: form.as_object().is_some_and(serde_json::Map::is_empty),
            receives: None,
            schema: Some(schema),
            headers,
        });
    }

    /// Adds an answer of events, each of this form where programs read them.
    pub(crate) fn add_events(&mut self, schema: Option<fn(&mut Schemas) -> Value>) {
        self.answers.push(OutputSpec {
            status: 200,
            media_type: Some(EVENT_STREAM),
            untyped: false,
            receives: None,
            schema,
            headers: &[],
        });
    }

    /// Adds a WebSocket that takes messages of one form and sends messages of another.
    pub(crate) fn add_web_socket(&mut self, receives: Value, schema: fn(&mut Schemas) -> Value) {
        self.answers.push(OutputSpec {
            status: 101,
            media_type: None,
            untyped: false,
            receives: Some(receives),
            schema: Some(schema),
            headers: &[],
        });
    }

    /// Whether it is a WebSocket.
    pub(crate) fn is_web_socket(&self) -> bool {
        self.answers.iter().any(|answer| answer.status == 101)
    }

    /// Writes the fields of the messages that a WebSocket takes.
    pub(crate) fn write_web_socket(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let takes = self
            .answers
            .iter()
            .find_map(|answer| answer.receives.as_ref());
        let Some(takes) = takes else {
            return Ok(());
        };
        let fields = takes.get("properties").and_then(Value::as_object);
        let names = fields.into_iter().flat_map(|fields| fields.keys());
        let names: Vec<_> = names.map(String::as_str).collect();
        write!(f, " websocket {{{}}}", names.join(", "))
    }

    /// Whether the connection stays open.
    pub(crate) fn stays_open(&self) -> bool {
        self.is_event_stream() || self.is_web_socket()
    }

    /// Whether it is a stream of events.
    pub(crate) fn is_event_stream(&self) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| answer.media_type == Some(EVENT_STREAM))
    }

    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.answers.is_empty() && self.also.is_empty() && !self.fallible
    }

    /// Whether programs are its readers: no page, and no redirect to one.
    pub(crate) fn is_for_programs(&self) -> bool {
        let mut answers = self.answers.iter();
        answers.any(|answer| {
            answer.status == 204
                || answer
                    .media_type
                    .is_some_and(|media_type| media_type != "text/html")
                    // Events without a schema are parts of pages.
                    && (answer.media_type != Some(EVENT_STREAM) || answer.schema.is_some())
        })
    }
}

impl OutputSpec {
    /// The schema of its body, where there is one.
    pub(crate) fn schema(&self, schemas: &mut Schemas) -> Option<Value> {
        self.schema.map(|schema| schema(schemas))
    }
}
