use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, Notify, Semaphore};

use super::config::Config;
use super::error::Error;
use super::hub::{Holder, Hub, LiveCounts};
use super::outputs::{EventStream, LivePage};
use super::rows::{self, Position};
use super::topic::TopicName;
use super::websocket::WebSocket;
use crate::accounts::{Rate, RateLimiter};
use crate::api::ApiTokens;
use crate::audit::Clock;
use crate::database::{Db, Engine, Tx, refuse_while_reading};
use crate::forms::{Described, FromParts, HandlerInput, Model};
use crate::pages::{self, Page, RequestContext, Sealed};
use crate::sessions::Sessions;

/// The most bytes of an event.
const MOST_BYTES: usize = 8 * 1024;

/// How long events are kept for clients that come back, in seconds.
const KEPT: i64 = 300;

/// Senders of messages that are remembered for their rate, at least half of them.
const MOST_SENDERS: usize = 100_000;

/// Parts of pages that this node renders at once, at most: an event that everybody watches must not take all connections of the
/// database.
const RENDERED_AT_ONCE: usize = 4;

/// The rooms that this one needs.
#[derive(Debug)]
pub(crate) struct Dependencies {
    pub(crate) clock: Clock,
    pub(crate) config: Config,
    pub(crate) db: Db,
    pub(crate) sessions: Sessions,
    pub(crate) tokens: ApiTokens,
}

/// The handle of the room: an input of handlers, cheap to clone. It publishes events, and makes the outputs that pass them on.
///
/// ```
/// use dewar::live::{Live, Topic};
/// use dewar::{Db, Redirect};
/// const TICKETS: Topic<i64> = Topic::new("tickets");
/// async fn open(db: Db, live: Live) -> dewar::Result<Redirect> {
///     let tx = db.begin().await?;
///     let rows = tx.query("INSERT INTO tickets (open) VALUES (1) RETURNING id", []).await?;
///     let ticket = rows.first().map(|row| row.get(0)).transpose()?.unwrap_or(0_i64);
///     live.publish_in(&tx, &TICKETS, &ticket).await?;
///     tx.commit().await?; // now open pages hear of it, on every node
///     Ok(Redirect::to("/tickets"))
/// }
/// # fn mounted(app: dewar::App) -> dewar::App { app.signed_in([dewar::post("/tickets", open)]) }
/// ```
#[derive(Clone)]
pub struct Live(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) clock: Clock,
    pub(super) db: Db,
    pub(super) sessions: Sessions,
    pub(super) tokens: ApiTokens,
    pub(super) hub: Arc<Hub>,
    /// Where this node continues to read events; none while nobody is connected.
    pub(super) position: Mutex<Option<Position>>,
    /// Wakes the reader of events.
    pub(super) wake: Notify,
    pub(super) renders: Arc<Semaphore>,
    /// Counts the messages of WebSockets.
    pub(super) messages: RateLimiter<Holder>,
    /// How often in a row the rights of the connections could not be read.
    pub(super) blind: AtomicU32,
}

impl Live {
    pub(crate) fn new(needs: Dependencies) -> Self {
        let Dependencies {
            clock,
            config,
            db,
            sessions,
            tokens,
        } = needs;
        // Half of the connections that read: on a server half of all do.
        let (_, connections) = db.connections();
        let readers = match db.engine() {
            Engine::Postgres => connections / 2,
            Engine::Sqlite => connections,
        };
        let renders = (readers / 2).clamp(1, RENDERED_AT_ONCE);
        let rate = Rate {
            times: config.messages_per_minute,
            within: Duration::from_secs(60),
        };
        let messages = RateLimiter::new(rate, MOST_SENDERS, clock.clone());
        Self(Arc::new(Inner {
            messages,
            clock,
            db,
            sessions,
            tokens,
            hub: Arc::new(Hub::new(config)),
            position: Mutex::default(),
            wake: Notify::new(),
            renders: Arc::new(Semaphore::new(renders)),
            blind: AtomicU32::new(0),
        }))
    }

    /// A part of a page that follows these topics. Dewar renders what `part` returns when the page opens the connection, and
    /// again after each event, and the page's script puts it in place. Events that come quickly one after another render once.
    ///
    /// `part` reads what its reader may see now, as a handler does: nothing that was read before it may be shown again.
    pub fn page<E, T, I, F, W>(&self, topics: I, part: F) -> LivePage
    where
        T: Into<TopicName<E>>,
        I: IntoIterator<Item = T>,
        F: Fn() -> W + Send + Sync + 'static,
        W: Future<Output = Result<Page, pages::Error>> + Send + 'static,
    {
        LivePage::new(names(topics), part)
    }

    /// The events of these topics, as JSON, for programs and for scripts of the application. `show` says what this reader sees of
    /// an event, or that it is none of theirs.
    ///
    /// ```
    /// use dewar::live::{EventStream, Live, Topic};
    /// use dewar::pages::JsonSchema;
    /// use dewar::CurrentUser;
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Decided { document: i64, owner: i64, approved: bool }
    /// const DECIDED: Topic<Decided> = Topic::new("decided");
    /// #[derive(serde::Serialize, JsonSchema)]
    /// struct Verdict { document: i64, approved: bool }
    /// async fn verdicts(caller: CurrentUser, live: Live) -> EventStream<Verdict> {
    ///     let me = caller.id().get();
    ///     live.events([&DECIDED], move |decided: Decided| {
    ///         let Decided { document, owner, approved } = decided;
    ///         (owner == me).then_some(Verdict { document, approved })
    ///     })
    /// }
    /// # fn mounted(app: dewar::App) -> dewar::App { app.signed_in([dewar::get("/verdicts", verdicts)]) }
    /// ```
    pub fn events<E, U, T, I, F>(&self, topics: I, show: F) -> EventStream<U>
    where
        E: DeserializeOwned,
        U: Serialize,
        T: Into<TopicName<E>>,
        I: IntoIterator<Item = T>,
        F: Fn(E) -> Option<U> + Send + Sync + 'static,
    {
        EventStream::new(names(topics), show)
    }

    /// A WebSocket: the events of these topics as JSON, and messages of the client, each a form as JSON.
    ///
    /// `show` says what this reader sees of an event, or that it is none of theirs. `receive` handles one message after another and
    /// may answer it. It may change rows: the handshake has the origin and the CSRF token of a form, and for each message Dewar
    /// reads the session and its roles again. An error closes the connection.
    ///
    /// ```
    /// use dewar::forms::Line;
    /// use dewar::live::{Live, Topic, WebSocket};
    /// use dewar::pages::JsonSchema;
    /// use dewar::{CurrentUser, Form};
    /// #[derive(serde::Serialize, serde::Deserialize, JsonSchema)]
    /// struct Said { by: String, text: String }
    /// const SAID: Topic<Said> = Topic::new("said");
    /// #[derive(Form)]
    /// struct NewMessage { text: Line<200> }
    /// async fn chat(caller: CurrentUser, live: Live) -> WebSocket<NewMessage, Said> {
    ///     let publisher = live.clone();
    ///     live.web_socket([&SAID], Some, move |message: NewMessage| {
    ///         let (by, live) = (caller.name().to_owned(), publisher.clone());
    ///         async move {
    ///             live.publish(&SAID, &Said { by, text: message.text.to_string() }).await?;
    ///             Ok(None)
    ///         }
    ///     })
    /// }
    /// # fn mounted(app: dewar::App) -> dewar::App { app.signed_in([dewar::get("/chat/socket", chat)]) }
    /// ```
    pub fn web_socket<E, In, Out, T, I, F, R, W>(
        &self,
        topics: I,
        show: F,
        receive: R,
    ) -> WebSocket<In, Out>
    where
        E: DeserializeOwned,
        In: Model,
        Out: Serialize,
        T: Into<TopicName<E>>,
        I: IntoIterator<Item = T>,
        F: Fn(E) -> Option<Out> + Send + Sync + 'static,
        R: Fn(In) -> W + Send + Sync + 'static,
        W: Future<Output = Result<Option<Out>, pages::Error>> + Send + 'static,
    {
        WebSocket::new(names(topics), show, receive)
    }

    /// Publishes an event as soon as the transaction has been committed, if it is.
    ///
    /// # Errors
    /// [`Error::Event`] if the event is larger than 8 KiB; the database fails; the handler is that of a `GET`.
    pub async fn publish_in<'a, E: Serialize + 'a>(
        &self,
        tx: &Tx,
        topic: impl Into<TopicName<E>>,
        event: &'a E,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        let topic = topic.into().into_name();
        let text = json(&topic, event)?;
        rows::add(tx, &topic, text, self.0.clock.now()).await?;
        let inner = Arc::clone(&self.0);
        tx.after_commit(move || inner.wake.notify_one());
        Ok(())
    }

    /// Publishes an event of something that is in no transaction.
    ///
    /// # Errors
    /// As [`publish_in`](Self::publish_in).
    pub async fn publish<'a, E: Serialize + 'a>(
        &self,
        topic: impl Into<TopicName<E>>,
        event: &'a E,
    ) -> Result<(), Error> {
        refuse_while_reading()?;
        let tx = self.0.db.begin().await?;
        self.publish_in(&tx, topic, event).await?;
        Ok(tx.commit().await?)
    }

    /// The figures of this node, for the metrics.
    pub(crate) fn counts(&self) -> LiveCounts {
        self.0.hub.counts()
    }

    /// Removes old events.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn sweep(&self) -> Result<(), crate::database::Error> {
        let before = self.0.clock.now().saturating_sub(KEPT);
        rows::sweep(&self.0.db, before).await
    }
}

fn names<E, T: Into<TopicName<E>>>(
    topics: impl IntoIterator<Item = T>,
) -> Vec<std::borrow::Cow<'static, str>> {
    let topics = topics.into_iter();
    topics.map(|topic| topic.into().into_name()).collect()
}

fn json(topic: &str, event: &impl Serialize) -> Result<String, Error> {
    let refused = |problem| Error::Event {
        topic: topic.to_owned(),
        problem,
    };
    let text = serde_json::to_string(event).map_err(|_| refused("cannot be written as JSON"))?;
    if text.len() > MOST_BYTES {
        return Err(refused("is larger than 8 KiB: publish an id instead"));
    }
    Ok(text)
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl HandlerInput for Live {
    fn describe(_: &mut Described, _: Sealed) {}
}

impl FromParts for Live {}

impl<S: Sync> FromRequestParts<S> for Live {
    type Rejection = pages::Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, pages::Error> {
        RequestContext::of(parts)?.service().cloned()
    }
}
