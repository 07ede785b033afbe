//! One open WebSocket. Nothing is read while a message is handled or something is written, so a client that sends faster than
//! it is served waits, and one that reads nothing is closed.

use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until, timeout};

use super::frames::{self, Fault, FrameReader, Heard};
use super::output::{Messages, ReadMessage};
use crate::audit::{Entry, Event};
use crate::forms::{Intake, MessageRejection};
use crate::live::connection::{EndReason, News};
use crate::live::handle::Live;
use crate::live::hub::Place;
use crate::live::stream::{LASTS, up_to};
use crate::pages::{Error, ErrorKind, RequestContext};

/// How long a client may take to read what was sent.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may take for one message, from its first byte on.
const READ_WITHIN: Duration = Duration::from_secs(10);
/// How long the handler of a message may take.
const HANDLED_WITHIN: Duration = Duration::from_secs(30);
/// Heartbeats without a sign of the client, before the connection is closed.
const SILENT_BEATS: u32 = 3;
/// Frames between two heartbeats, beside the messages.
const MOST_FRAMES: u32 = 256;
/// The parts of a close: the frame is written, the client answers it, the bytes are on their way.
const CLOSE_WRITTEN_WITHIN: Duration = Duration::from_millis(250);
const CLOSE_ANSWERED_WITHIN: Duration = Duration::from_millis(500);

/// Why a conversation is over.
#[derive(Debug, PartialEq, Eq)]
enum Closing {
    /// The client has said goodbye.
    Answer,
    /// With this status and reason.
    Because(u16, String),
    /// Nobody is there, or a frame is half written: nothing more can be said.
    Cut,
}

impl Closing {
    fn because(status: u16, reason: &str) -> Self {
        Self::Because(status, reason.to_owned())
    }
}

impl From<EndReason> for Closing {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::Over => Self::because(1008, "over"),
            EndReason::Renew => Self::because(1001, "renew"),
            EndReason::Restart => Self::because(1001, "restart"),
        }
    }
}

impl From<Fault> for Closing {
    fn from(fault: Fault) -> Self {
        let told = fault.close();
        told.map_or(Self::Cut, |(status, reason)| Self::because(status, reason))
    }
}

/// The handler of a message, under way.
type Handling = Pin<Box<dyn Future<Output = Result<Option<String>, Closing>> + Send>>;

/// One connection.
pub(in crate::live) struct Conversation {
    live: Live,
    place: Place,
    context: RequestContext,
    messages: Messages,
    /// The route's path, for the log.
    route: &'static str,
}

/// The times at which something is due.
struct Due {
    beat: Instant,
    /// The client must have been heard by then.
    silent: Instant,
    /// The message that has begun must be complete by then.
    whole: Option<Instant>,
    until: Instant,
    /// Frames since the last heartbeat.
    frames: u32,
}

/// What the conversation waited for.
enum Step {
    Beat,
    Close(Closing),
    Done(Result<Option<String>, Closing>),
    Heard(Result<Heard, Fault>),
    News(News),
}

impl Conversation {
    pub(in crate::live) fn new(
        (live, place, context): (Live, Place, RequestContext),
        messages: Messages,
        route: &'static str,
    ) -> Self {
        Self {
            live,
            place,
            context,
            messages,
            route,
        }
    }

    /// Talks to the client until the connection is closed.
    pub(in crate::live) async fn run(self, stream: impl AsyncRead + AsyncWrite + Send) {
        let (mut reading, mut writing) = split(stream);
        let mut frames = FrameReader::new(self.live.0.hub.config().message_bytes);
        let closing = self.talk(&mut reading, &mut writing, &mut frames).await;
        tracing::debug!(?closing, route = self.route, "a WebSocket is closed");
        let told = match closing {
            Closing::Answer => Some(frames::closing(1000, "")),
            Closing::Because(status, reason) => {
                let closing = frames::closing(status, &reason);
                if say(&mut writing, &closing).await {
                    let answered = goodbye(&mut reading, &mut frames);
                    drop(timeout(CLOSE_ANSWERED_WITHIN, answered).await);
                }
                None
            }
            Closing::Cut => return,
        };
        if let Some(told) = told {
            say(&mut writing, &told).await;
        }
        drop(timeout(CLOSE_WRITTEN_WITHIN, writing.shutdown()).await);
    }

    async fn talk<S: AsyncRead + AsyncWrite + Send>(
        &self,
        reading: &mut ReadHalf<S>,
        writing: &mut WriteHalf<S>,
        frames: &mut FrameReader,
    ) -> Closing {
        let mut due = self.due();
        let mut handling: Option<Handling> = None;
        loop {
            due.whole = match (frames.is_unfinished(), due.whole) {
                (true, None) => Some(Instant::now() + READ_WITHIN),
                (true, whole) => whole,
                (false, _) => None,
            };
            let step = self.step(&due, &mut handling, reading, frames).await;
            let said = match step {
                Step::Close(closing) => return closing,
                Step::Beat => {
                    due.frames = 0;
                    due.beat = Instant::now() + self.live.0.hub.config().heartbeat;
                    // The empty message tells a script, which sees no ping, that the server is there.
                    Some([frames::ping(), frames::text("")].concat())
                }
                Step::News(News::Missed) => return Closing::because(1013, "slow"),
                Step::News(News::Event(event)) => {
                    let shown = (self.messages.show)(&event.event);
                    shown.map(|shown| frames::text(&shown))
                }
                Step::Done(Ok(answer)) => {
                    handling = None;
                    // The time in which nothing was read is not the client's.
                    due.silent = self.silent_at();
                    answer.map(|answer| frames::text(&answer))
                }
                Step::Done(Err(closing)) => return closing,
                Step::Heard(heard) => match self.hear(heard, &mut due) {
                    Ok(Reaction::Nothing) => None,
                    Ok(Reaction::Pong(payload)) => Some(frames::pong(&payload)),
                    Ok(Reaction::Handle(read)) => {
                        handling = Some(Box::pin(self.handle(read)));
                        None
                    }
                    Err(closing) => return closing,
                },
            };
            if let Some(said) = said
                && let Err(closing) = self.send(writing, &said, WRITTEN_WITHIN).await
            {
                return closing;
            }
        }
    }

    fn due(&self) -> Due {
        let now = Instant::now();
        Due {
            beat: now + self.live.0.hub.config().heartbeat,
            silent: self.silent_at(),
            whole: None,
            until: now + up_to(LASTS, 1.5),
            frames: 0,
        }
    }

    fn silent_at(&self) -> Instant {
        Instant::now() + self.live.0.hub.config().heartbeat * SILENT_BEATS
    }

    /// Waits for the next step. The end comes first: after it, nothing is sent and no message is handled.
    async fn step<S: AsyncRead>(
        &self,
        due: &Due,
        handling: &mut Option<Handling>,
        reading: &mut ReadHalf<S>,
        frames: &mut FrameReader,
    ) -> Step {
        let connection = &self.place.connection;
        let is_free = handling.is_none();
        tokio::select! {
            biased;
            reason = connection.ended() => Step::Close(reason.into()),
            () = sleep_until(due.until) => Step::Close(EndReason::Renew.into()),
            () = sleep_until(due.silent), if is_free => Step::Close(Closing::because(1008, "silent")),
            () = at(due.whole), if is_free => Step::Close(Closing::because(1008, "too slow")),
            () = sleep_until(due.beat) => Step::Beat,
            done = handled(handling) => Step::Done(done),
            news = connection.news() => Step::News(news),
            heard = frames.next(reading), if is_free => Step::Heard(heard),
        }
    }

    /// What to do about a frame of the client's.
    fn hear(&self, heard: Result<Heard, Fault>, due: &mut Due) -> Result<Reaction, Closing> {
        let heard = heard?;
        due.silent = self.silent_at();
        if let Heard::Text(text) = heard {
            due.whole = None;
            return self.read(&text).map(Reaction::Handle);
        }
        due.frames += 1;
        if due.frames > MOST_FRAMES {
            return Err(Closing::because(1008, "too many frames"));
        }
        match heard {
            Heard::Close => Err(Closing::Answer),
            Heard::Ping(payload) => Ok(Reaction::Pong(payload)),
            Heard::Part | Heard::Pong | Heard::Text(_) => Ok(Reaction::Nothing),
        }
    }

    /// Reads a message, after it was counted.
    fn read(&self, text: &str) -> Result<ReadMessage, Closing> {
        if self
            .live
            .0
            .messages
            .take(self.place.holder().clone())
            .is_err()
        {
            let entry = Entry::new(Event::ExcessRateLimitExceeded);
            self.context.record(entry.detail("messages of a WebSocket"));
            return Err(Closing::because(1008, "too many messages"));
        }
        let read = (self.messages.receive)(&self.context, text);
        read.map_err(|rejection| match rejection {
            MessageRejection::Internal(error) => self.failed(&error),
            MessageRejection::Wrong(reason) => Closing::Because(1007, reason),
        })
    }

    /// Handles a message as a request that may change something: its sender's session and roles are read again, and the disk has
    /// room. The future holds what it needs, because the conversation goes on beside it.
    fn handle(
        &self,
        read: ReadMessage,
    ) -> impl Future<Output = Result<Option<String>, Closing>> + Send + use<> {
        let (live, context, route) = (self.live.clone(), self.context.clone(), self.route);
        let connection = std::sync::Arc::clone(&self.place.connection);
        async move {
            match live.still_holds(&connection).await {
                Ok(true) => {}
                Ok(false) => return Err(EndReason::Over.into()),
                Err(error) => return Err(failed(&error, route)),
            }
            let intake = context.service::<Intake>();
            if intake.is_ok_and(Intake::is_disk_full) {
                return Err(Closing::because(1013, "no room"));
            }
            let answer = AssertUnwindSafe(read()).catch_unwind();
            match timeout(HANDLED_WITHIN, answer).await {
                Ok(Ok(Ok(answer))) => Ok(answer),
                Ok(Ok(Err(error))) => Err(failed(&error, route)),
                Ok(Err(_panic)) => Err(Closing::because(1011, "failed")),
                Err(_late) => Err(Closing::because(1013, "busy")),
            }
        }
    }

    fn failed(&self, error: &Error) -> Closing {
        failed(error, self.route)
    }

    /// Sends a frame. The end of the connection cuts it off.
    async fn send<W: AsyncWrite + Unpin>(
        &self,
        writing: &mut W,
        bytes: &[u8],
        within: Duration,
    ) -> Result<(), Closing> {
        let connection = &self.place.connection;
        let sent = async {
            writing.write_all(bytes).await?;
            writing.flush().await
        };
        tokio::select! {
            biased;
            sent = timeout(within, sent) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Closing::Cut),
                Err(_late) => {
                    tracing::debug!(route = self.route, "a WebSocket's client reads too slowly");
                    Err(Closing::Cut)
                }
            },
            _ = connection.ended() => Err(Closing::Cut),
        }
    }
}

/// What follows a frame.
enum Reaction {
    Handle(ReadMessage),
    Nothing,
    Pong(Vec<u8>),
}

/// The close of a connection whose message failed. The visitor's text of an error is in the language of a page, so the reason is a
/// word for a script.
fn failed(error: &Error, route: &'static str) -> Closing {
    match error.kind() {
        ErrorKind::Internal | ErrorKind::Launch => {
            tracing::error!(?error, route, "the handler of a message failed");
            Closing::because(1011, "failed")
        }
        ErrorKind::Busy => Closing::because(1013, "busy"),
        ErrorKind::InsufficientStorage => Closing::because(1013, "no room"),
        ErrorKind::TooManyRequests => Closing::because(1008, "too many messages"),
        ErrorKind::AddressTooLong
        | ErrorKind::BadRequest
        | ErrorKind::Conflict
        | ErrorKind::ExpectationFailed
        | ErrorKind::Forbidden
        | ErrorKind::HeadersTooLarge
        | ErrorKind::LengthRequired
        | ErrorKind::MethodNotAllowed
        | ErrorKind::MethodUnknown
        | ErrorKind::Misdirected
        | ErrorKind::NotFound
        | ErrorKind::TooLarge
        | ErrorKind::TooSlow
        | ErrorKind::Unauthenticated
        | ErrorKind::Unprocessable
        | ErrorKind::UnsupportedMediaType => Closing::because(1008, "refused"),
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// The answer of the handler under way; never without one.
async fn handled(handling: &mut Option<Handling>) -> Result<Option<String>, Closing> {
    match handling {
        Some(handling) => handling.await,
        None => pending().await,
    }
}

/// Writes the last frame, if the client takes it at once.
async fn say<W: AsyncWrite + Unpin>(writing: &mut W, bytes: &[u8]) -> bool {
    let said = async {
        writing.write_all(bytes).await?;
        writing.flush().await
    };
    matches!(timeout(CLOSE_WRITTEN_WITHIN, said).await, Ok(Ok(())))
}

/// Reads until the client has closed. A connection with unread bytes would be reset, and the reason lost on its way.
async fn goodbye<R: AsyncRead + Unpin>(reading: &mut R, frames: &mut FrameReader) {
    loop {
        match frames.next(reading).await {
            Ok(Heard::Close) | Err(Fault::Gone) => return,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    let mut rest = [0; 4 * 1024];
    while matches!(
        tokio::io::AsyncReadExt::read(reading, &mut rest).await,
        Ok(1..)
    ) {}
}
