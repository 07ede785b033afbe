//! Opening a connection: who may hold one more, before the handler runs; and the stream, after it.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;

use super::connection::Credential;
use super::handle::Live;
use super::hub::{Full, Holder, Place};
use super::outputs::{self, SourceKind};
use super::rows::{self, Position};
use super::stream::{Following, Stream};
use super::websocket::{self, Conversation, Handshake};
use crate::audit::{Entry, Event};
use crate::https::{ClientAddress, UpgradeWork};
use crate::pages::{Error, RequestContext};

/// How long a refused client waits.
const COME_BACK: Duration = Duration::from_secs(10);

/// A place for a connection whose handler is about to run.
#[derive(Debug)]
pub(crate) struct Opening {
    live: Live,
    place: Place,
    context: RequestContext,
    /// The last event that the client has seen.
    last: Option<Position>,
}

impl Opening {
    /// Takes a place for the sender of a request that has passed its heading.
    ///
    /// # Errors
    /// 429: the sender has as many connections as the settings allow. 503: all have, or the program stops.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Error> {
        let context = RequestContext::of(parts)?;
        let live = context.service::<Live>()?.clone();
        let place = live
            .0
            .hub
            .take(holder(context)?)
            .map_err(|full| match full {
                Full::All => Error::busy(COME_BACK),
                Full::Holder => {
                    let entry = Entry::new(Event::ExcessRateLimitExceeded);
                    context.record(entry.detail("live connections"));
                    Error::too_many_requests(COME_BACK)
                }
            })?;
        Ok(Self {
            live,
            place,
            context: context.clone(),
            last: last_event(&parts.headers),
        })
    }

    /// Opens the connection, if the handler's response is one.
    pub(crate) async fn begin(mut self, path: &'static str, mut response: Response) -> Response {
        let Some(source) = outputs::take(&mut response) else {
            return response;
        };
        if let Err(error) = self.follow(&source.topics).await {
            return error.into_response();
        }
        let following = match (&source.kind, self.last) {
            (SourceKind::Events(_), Some(last)) => match self.missed_since(last, &source).await {
                Ok(following) => following,
                Err(error) => return Error::from(error).into_response(),
            },
            (SourceKind::Events(_) | SourceKind::Page(_), _) => Following::default(),
        };
        let held = (self.live, self.place, self.context);
        // With the first part, so that a part that fails is an answer that says why, and no connection that begins again and again.
        let stream = match Stream::begin(held, source.kind, following, path).await {
            Ok(stream) => stream,
            Err(error) => return error.into_response(),
        };
        *response.body_mut() = Body::from_stream(stream.into_bytes());
        response
    }

    /// Opens a WebSocket, if the handler's response is one: the work begins when HTTP has ended on the connection.
    pub(crate) async fn begin_web_socket(
        mut self,
        path: &'static str,
        handshake: Handshake,
        mut response: Response,
    ) -> Response {
        let Some(messages) = websocket::take(&mut response) else {
            return response;
        };
        if let Err(error) = self.follow(&messages.topics).await {
            return error.into_response();
        }
        let held = (self.live, self.place, self.context);
        let conversation = Conversation::new(held, messages, path);
        let mut response = handshake.response();
        let work = UpgradeWork::new(move |stream| conversation.run(stream));
        response.extensions_mut().insert(work);
        response
    }

    /// From now on the connection has its topics, and ends with its right.
    async fn follow(&mut self, topics: &[Cow<'static, str>]) -> Result<(), Error> {
        let credential = self.credential()?;
        self.place.connection.set_credential(credential);
        // First the topics, then the place in the order of events, then the rows: no event falls between them.
        self.place.watch(topics);
        Ok(self.live.follow().await?)
    }

    /// The events that the client missed.
    async fn missed_since(
        &self,
        last: Position,
        source: &outputs::Source,
    ) -> Result<Following, crate::database::Error> {
        let db = &self.live.0.db;
        if !rows::is_there(db, last).await? {
            return Ok(Following::reload());
        }
        let Some(missed) = rows::missed(db, last, &source.topics).await? else {
            return Ok(Following::reload());
        };
        let end = missed.last().map_or(last, |published| published.at);
        Ok(Following::after(end, missed))
    }

    fn credential(&self) -> Result<Credential, Error> {
        if let Some(caller) = self.context.bearer() {
            return Ok(Credential::Token {
                id: caller.token.clone(),
                rights: caller.rights(),
            });
        }
        let watch = self.context.session()?.watch();
        Ok(watch.map_or(Credential::Visitor, Credential::Session))
    }
}

fn holder(context: &RequestContext) -> Result<Holder, Error> {
    if let Some(person) = context.person()? {
        return Ok(Holder::User(person.id()));
    }
    if let Some(caller) = context.bearer() {
        return Ok(Holder::Service(caller.token.clone()));
    }
    let network = context.address().map(ClientAddress::network);
    Ok(Holder::Address(network))
}

/// The id of the last event, as a client sends it that comes back. Another value counts as none.
fn last_event(headers: &HeaderMap) -> Option<Position> {
    let sent = headers.get("last-event-id")?.to_str().ok()?;
    Position::parse(sent)
}
