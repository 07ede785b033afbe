use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::forms::{FormSpec, MessageRejection, Model, read_message};
use crate::live::outputs::{Show, as_json};
use crate::pages::{Danger, Error, HandlerOutput, JsonSchema, Outputs, RequestContext, Sealed};

/// What the handler of a message returns: its answer to the client as JSON, if it has one.
type Answer = Pin<Box<dyn Future<Output = Result<Option<String>, Error>> + Send>>;

/// A message that was read, before its handler begins.
pub(super) type ReadMessage = Box<dyn FnOnce() -> Answer + Send>;

type Receive = dyn Fn(&RequestContext, &str) -> Result<ReadMessage, MessageRejection> + Send + Sync;

/// What a WebSocket passes on, and what it does with a message.
pub(in crate::live) struct Messages {
    pub(in crate::live) topics: Vec<Cow<'static, str>>,
    pub(super) show: Arc<Show>,
    pub(super) receive: Arc<Receive>,
}

/// The messages in the extensions of a response, until the guard of the route opens the connection.
#[derive(Clone)]
struct Unopened(Arc<Mutex<Option<Messages>>>);

/// Takes the messages out of a handler's response.
pub(in crate::live) fn take(response: &mut Response) -> Option<Messages> {
    let Unopened(messages) = response.extensions_mut().remove()?;
    let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
    messages.take()
}

/// A WebSocket, as the output of a handler; see [`Live::web_socket`](crate::live::Live::web_socket).
///
/// ```
/// use dewar::Form;
/// use dewar::forms::Line;
/// use dewar::live::{Live, Topic, WebSocket};
/// const SAID: Topic<String> = Topic::new("said");
/// #[derive(Form)]
/// struct Said { text: Line<200> }
/// async fn chat(live: Live) -> WebSocket<Said, String> {
///     let publisher = live.clone();
///     live.web_socket([&SAID], Some, move |said: Said| {
///         let live = publisher.clone();
///         async move {
///             live.publish(&SAID, &said.text.to_string()).await?;
///             Ok(None)
///         }
///     })
/// }
/// # let route: dewar::app::Route = dewar::get("/chat/socket", chat);
/// # drop(route);
/// ```
#[must_use = "it does nothing until a handler returns it"]
pub struct WebSocket<In, Out> {
    messages: Messages,
    types: PhantomData<fn(In) -> Out>,
}

impl<In: Model, Out: Serialize> WebSocket<In, Out> {
    pub(in crate::live) fn new<E, F, R, W>(
        topics: Vec<Cow<'static, str>>,
        show: F,
        receive: R,
    ) -> Self
    where
        E: DeserializeOwned,
        F: Fn(E) -> Option<Out> + Send + Sync + 'static,
        R: Fn(In) -> W + Send + Sync + 'static,
        W: Future<Output = Result<Option<Out>, Error>> + Send + 'static,
    {
        let receive = Arc::new(receive);
        let receive = move |context: &RequestContext, text: &str| {
            let message: In = read_message(context, text)?;
            let receive = Arc::clone(&receive);
            let read: ReadMessage = Box::new(move || {
                // The closure itself may panic too.
                Box::pin(async move {
                    let answer = receive(message).await?;
                    let answer = answer.map(|answer| serde_json::to_string(&answer));
                    answer.transpose().map_err(Error::internal)
                })
            });
            Ok(read)
        };
        Self {
            messages: Messages {
                topics,
                show: as_json(show),
                receive: Arc::new(receive),
            },
            types: PhantomData,
        }
    }
}

impl<In: Model, Out: Serialize + JsonSchema> HandlerOutput for WebSocket<In, Out> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add_web_socket(FormSpec::of::<In>().schema(), Out::schema);
    }
}

impl<In, Out> IntoResponse for WebSocket<In, Out> {
    /// The response before its connection is opened. Outside the stack nobody opens it.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let messages = Unopened(Arc::new(Mutex::new(Some(self.messages))));
        response.extensions_mut().insert(messages);
        response
    }
}

impl<In, Out> fmt::Debug for WebSocket<In, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebSocket({:?})", self.messages.topics)
    }
}
