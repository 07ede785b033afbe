//! Files that arrive, or arrived and wait: how many there may be of one sender, and in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::request::Parts;

use crate::https::ClientAddress;
use crate::sessions::Session;

/// The sender of a file: a person wherever they are, or a network where nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sender {
    Network(Option<IpAddr>),
    Person(i64),
}

impl Sender {
    pub(super) fn of(parts: &Parts) -> Self {
        let session = parts.extensions.get::<Session>();
        if let Some(person) = session.and_then(Session::principal) {
            return Self::Person(person.id().get());
        }
        let address = parts.extensions.get::<ClientAddress>();
        Self::Network(address.map(|address| address.network()))
    }
}

/// How much may be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MostUnderWay {
    /// Files of one sender.
    pub(crate) files: usize,
    /// Bytes of one sender.
    pub(crate) bytes: u64,
    /// Bytes of everybody together.
    pub(crate) all: u64,
}

/// The files in quarantine, by sender.
#[derive(Clone, Debug)]
pub(super) struct UnderWay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: MostUnderWay,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: u64,
    senders: HashMap<Sender, (usize, u64)>,
}

/// There is no room for more of this sender, or of anybody.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// A file that is under way, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    under_way: UnderWay,
    sender: Sender,
    bytes: u64,
}

impl UnderWay {
    pub(super) fn new(most: MostUnderWay) -> Self {
        Self(Arc::new(Shared {
            most,
            state: Mutex::default(),
        }))
    }

    /// One more file.
    pub(super) fn begin(&self, sender: Sender) -> Result<Ticket, NoRoom> {
        let most = self.0.most;
        let mut state = self.state();
        let all = state.bytes;
        let (files, bytes) = state.senders.entry(sender).or_default();
        if *files >= most.files || *bytes >= most.bytes || all >= most.all {
            if *files == 0 {
                state.senders.remove(&sender);
            }
            return Err(NoRoom);
        }
        *files += 1;
        drop(state);
        Ok(Ticket {
            under_way: self.clone(),
            sender,
            bytes: 0,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// So many bytes of it more, before they are written.
    pub(super) fn add(&mut self, more: u64) -> Result<(), NoRoom> {
        let most = self.under_way.0.most;
        let mut state = self.under_way.state();
        let all = state.bytes.saturating_add(more);
        let (_, bytes) = state.senders.entry(self.sender).or_default();
        let of_sender = bytes.saturating_add(more);
        if of_sender > most.bytes || all > most.all {
            return Err(NoRoom);
        }
        *bytes = of_sender;
        state.bytes = all;
        drop(state);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.under_way.state();
        state.bytes = state.bytes.saturating_sub(self.bytes);
        if let Some((files, bytes)) = state.senders.get_mut(&self.sender) {
            *files = files.saturating_sub(1);
            *bytes = bytes.saturating_sub(self.bytes);
            if *files == 0 {
                state.senders.remove(&self.sender);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_under_way_are_bounded_by_sender_and_in_all() {
        let under_way = UnderWay::new(MostUnderWay {
            files: 2,
            bytes: 100,
            all: 150,
        });
        let (eve, ada) = (Sender::Person(1), Sender::Network(None));
        let mut first = under_way.begin(eve).unwrap();
        let mut second = under_way.begin(eve).unwrap();
        assert_eq!(under_way.begin(eve).unwrap_err(), NoRoom, "files");
        first.add(60).unwrap();
        assert_eq!(second.add(41), Err(NoRoom), "bytes");
        second.add(40).unwrap();
        let mut other = under_way.begin(ada).unwrap();
        assert_eq!(other.add(51), Err(NoRoom), "all");
        other.add(50).unwrap();
        assert!(under_way.begin(Sender::Person(2)).is_err(), "all");
        drop((first, second, other));
        let state = under_way.state();
        assert!(state.bytes == 0 && state.senders.is_empty());
    }
}
