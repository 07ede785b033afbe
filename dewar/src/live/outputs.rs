//! The outputs of handlers that keep a connection open.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::pages::{Danger, EVENT_STREAM, Error, HandlerOutput, JsonSchema, Outputs, Page, Sealed};

pub(super) type Rendering = Pin<Box<dyn Future<Output = Result<Page, Error>> + Send>>;

pub(super) type Show = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What a connection passes on.
pub(super) struct Source {
    pub(super) topics: Vec<Cow<'static, str>>,
    pub(super) kind: SourceKind,
}

#[derive(Clone)]
pub(super) enum SourceKind {
    /// Shows an event's JSON to the reader: none if it is none of theirs.
    Events(Arc<Show>),
    Page(Arc<dyn Fn() -> Rendering + Send + Sync>),
}

/// A source in the extensions of a response, until the guard of the route opens the connection.
#[derive(Clone)]
struct Unopened(Arc<Mutex<Option<Source>>>);

/// Takes the source out of a handler's response.
pub(super) fn take(response: &mut Response) -> Option<Source> {
    let Unopened(source) = response.extensions_mut().remove()?;
    let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
    source.take()
}

/// A part of a page that stays up to date, as the output of a handler; see [`Live::page`](super::Live::page).
///
/// ```
/// use dewar::live::{Live, LivePage, Topic};
/// use dewar::{Db, Page};
/// const TICKETS: Topic<i64> = Topic::new("tickets");
/// async fn count(db: Db, live: Live) -> LivePage {
///     live.page([&TICKETS], move || {
///         let db = db.clone();
///         async move {
///             let rows = db.query("SELECT count(*) FROM tickets", []).await?;
///             let count: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
///             Ok(Page::new("tickets/count.html").with("count", count))
///         }
///     })
/// }
/// # let route: dewar::app::Route = dewar::get("/tickets/live", count);
/// # drop(route);
/// ```
#[must_use = "it does nothing until a handler returns it"]
pub struct LivePage(Source);

impl LivePage {
    pub(super) fn new<F, W>(topics: Vec<Cow<'static, str>>, part: F) -> Self
    where
        F: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = Result<Page, Error>> + Send + 'static,
    {
        let part = move || -> Rendering { Box::pin(part()) };
        Self(Source {
            topics,
            kind: SourceKind::Page(Arc::new(part)),
        })
    }
}

impl HandlerOutput for LivePage {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add_events(None);
    }
}

impl IntoResponse for LivePage {
    fn into_response(self) -> Response {
        unopened(self.0)
    }
}

impl fmt::Debug for LivePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LivePage({:?})", self.0.topics)
    }
}

/// Events as JSON, as the output of a handler; see [`Live::events`](super::Live::events).
///
/// ```
/// use dewar::live::{EventStream, Live, Topic};
/// const TICKETS: Topic<i64> = Topic::new("tickets");
/// async fn opened(live: Live) -> EventStream<i64> { live.events([&TICKETS], Some) }
/// # let route: dewar::app::Route = dewar::get("/api/tickets/live", opened);
/// # drop(route);
/// ```
#[must_use = "it does nothing until a handler returns it"]
pub struct EventStream<U> {
    source: Source,
    shown: PhantomData<fn() -> U>,
}

impl<U: Serialize> EventStream<U> {
    pub(super) fn new<E: DeserializeOwned>(
        topics: Vec<Cow<'static, str>>,
        show: impl Fn(E) -> Option<U> + Send + Sync + 'static,
    ) -> Self {
        Self {
            source: Source {
                topics,
                kind: SourceKind::Events(as_json(show)),
            },
            shown: PhantomData,
        }
    }
}

impl<U: Serialize + JsonSchema> HandlerOutput for EventStream<U> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add_events(Some(U::schema));
    }
}

impl<U> IntoResponse for EventStream<U> {
    fn into_response(self) -> Response {
        unopened(self.source)
    }
}

impl<U> fmt::Debug for EventStream<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventStream({:?})", self.source.topics)
    }
}

/// Shows the JSON of an event as JSON.
pub(super) fn as_json<E: DeserializeOwned, U: Serialize>(
    show: impl Fn(E) -> Option<U> + Send + Sync + 'static,
) -> Arc<Show> {
    Arc::new(move |text: &str| {
        // A program of another version may have published it.
        let event = serde_json::from_str(text).inspect_err(|error| {
            tracing::warn!(%error, "an event is not of the type of its topic, and is left out");
        });
        let shown = show(event.ok()?)?;
        let shown = serde_json::to_string(&shown).inspect_err(|error| {
            tracing::warn!(%error, "an event cannot be written as JSON, and is left out");
        });
        shown.ok()
    })
}

/// The response before its connection is opened. Outside the stack nobody opens it, and it has no event.
fn unopened(source: Source) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static(EVENT_STREAM);
    headers.insert(header::CONTENT_TYPE, kind);
    // nginx passes each event on at once.
    let name = HeaderName::from_static("x-accel-buffering");
    headers.insert(name, HeaderValue::from_static("no"));
    *response.status_mut() = StatusCode::OK;
    let source = Unopened(Arc::new(Mutex::new(Some(source))));
    response.extensions_mut().insert(source);
    response
}
