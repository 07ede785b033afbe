//! One open connection, as the hub sees it: the events that wait for it, and the reason why it ends.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::rows::Published;
use crate::pages::TokenRights;
use crate::sessions::SessionWatch;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    /// Its session, its token or a role is over, or changed.
    Over,
    /// It is old, or something failed.
    Renew,
    /// The program stops.
    Restart,
}

/// The right by which a connection is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Credential {
    Session(SessionWatch),
    Token {
        id: String,
        rights: TokenRights,
    },
    /// A visitor's: there is nothing that could end.
    #[default]
    Visitor,
}

#[derive(Debug)]
pub(super) struct Connection {
    credential: Mutex<Credential>,
    most: usize,
    waiting: Mutex<Waiting>,
    news: Notify,
    end: watch::Sender<Option<EndReason>>,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Arc<Published>>,
    missed: bool,
}

/// Something new for a connection.
#[derive(Debug)]
pub(super) enum News {
    Event(Arc<Published>),
    /// Events were dropped.
    Missed,
}

impl Connection {
    pub(super) fn new(most: usize) -> Self {
        Self {
            credential: Mutex::default(),
            most,
            waiting: Mutex::default(),
            news: Notify::new(),
            end: watch::Sender::new(None),
        }
    }

    /// Puts an event before it. Returns true if there was no room: then all of them are dropped, and the client reads everything
    /// again.
    pub(super) fn put(&self, published: &Arc<Published>) -> bool {
        let mut waiting = self.waiting();
        if waiting.missed {
            return false;
        }
        let is_full = waiting.events.len() >= self.most;
        if is_full {
            waiting.events = VecDeque::new();
            waiting.missed = true;
        } else {
            waiting.events.push_back(Arc::clone(published));
        }
        drop(waiting);
        self.news.notify_one();
        is_full
    }

    /// The next of what is new. Nothing is lost if the future is dropped.
    pub(super) async fn news(&self) -> News {
        loop {
            if let Some(news) = self.take() {
                return news;
            }
            self.news.notified().await;
        }
    }

    /// Forgets all events that wait, for a reader that reads everything again.
    pub(super) fn forget(&self) {
        *self.waiting() = Waiting::default();
    }

    fn take(&self) -> Option<News> {
        let mut waiting = self.waiting();
        if std::mem::take(&mut waiting.missed) {
            return Some(News::Missed);
        }
        waiting.events.pop_front().map(News::Event)
    }

    /// Ends it; the first reason stays. Returns whether this was the first.
    pub(super) fn end(&self, reason: EndReason) -> bool {
        self.end.send_if_modified(|end| {
            let is_first = end.is_none();
            if is_first {
                *end = Some(reason);
            }
            is_first
        })
    }

    /// The end that it has come to, if any.
    pub(super) fn has_ended(&self) -> Option<EndReason> {
        *self.end.borrow()
    }

    /// Waits for the end.
    pub(super) async fn ended(&self) -> EndReason {
        let mut end = self.end.subscribe();
        let ended = end.wait_for(Option::is_some).await;
        ended.ok().and_then(|end| *end).unwrap_or(EndReason::Renew)
    }

    pub(super) fn set_credential(&self, credential: Credential) {
        *self.credential_guard() = credential;
    }

    pub(super) fn credential(&self) -> Credential {
        self.credential_guard().clone()
    }

    fn credential_guard(&self) -> MutexGuard<'_, Credential> {
        self.credential
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Position;
    use super::*;

    fn event() -> Arc<Published> {
        Arc::new(Published {
            at: Position::default(),
            topic: "t".into(),
            event: "1".to_owned(),
        })
    }

    /// A client that never reads holds no more than the buffer, however much is published.
    ///
    /// ASVS: V15.2.2
    #[tokio::test]
    async fn what_waits_for_a_slow_reader_is_bounded() {
        let connection = Connection::new(3);
        for _ in 0..3 {
            assert!(!connection.put(&event()));
        }
        assert!(connection.put(&event()), "the first that finds no room");
        for _ in 0..10_000 {
            assert!(!connection.put(&event()));
        }
        assert!(connection.waiting().events.is_empty());
        assert!(matches!(connection.news().await, News::Missed));
        connection.put(&event());
        assert!(matches!(connection.news().await, News::Event(_)));
    }

    #[tokio::test]
    async fn the_first_reason_of_an_end_stays() {
        let connection = Connection::new(1);
        assert!(connection.end(EndReason::Over));
        assert!(!connection.end(EndReason::Restart));
        assert_eq!(connection.ended().await, EndReason::Over);
    }
}
