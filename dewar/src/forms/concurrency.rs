//! Limits on concurrent uploads: files that arrive, or that arrived and wait, of one sender and in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::https::ClientAddress;
use crate::pages::RequestContext;

/// The sender that something is counted for: a person wherever they are, or the network of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum RequestSender {
    Network(Option<IpAddr>),
    Person(i64),
}

impl RequestSender {
    pub(crate) fn of(context: &RequestContext) -> Self {
        match context.principal() {
            Some(person) => Self::Person(person.id().get()),
            None => Self::Network(context.address().map(ClientAddress::network)),
        }
    }
}

/// The limits of files under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MostUnderWay {
    /// Files of one sender.
    pub(crate) files: usize,
    /// Bytes of one sender, together with the bytes that the sender has stored.
    pub(crate) bytes: u64,
    /// Files of all senders together.
    pub(crate) all_files: usize,
    /// Bytes of all senders together.
    pub(crate) all: u64,
}

/// The files in quarantine, by sender.
#[derive(Clone, Debug)]
pub(super) struct UnderWay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: MostUnderWay,
    state: Mutex<UnderWayState>,
}

#[derive(Debug, Default)]
struct UnderWayState {
    bytes: u64,
    files: usize,
    senders: HashMap<RequestSender, (usize, u64)>,
}

/// The reason why there is no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The sender has stored so much that this file does not fit beside it.
    Kept,
    /// Too much of this sender, or of all senders, is under way.
    UnderWay,
}

/// A file that is under way, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    under_way: UnderWay,
    sender: RequestSender,
    bytes: u64,
    /// The bytes that the sender had stored when the file began.
    kept: u64,
}

impl UnderWay {
    pub(super) fn new(most: MostUnderWay) -> Self {
        Self(Arc::new(Shared {
            most,
            state: Mutex::default(),
        }))
    }

    /// Begins one more file of a sender with this number of stored bytes.
    pub(super) fn begin(&self, sender: RequestSender, kept: u64) -> Result<Ticket, NoRoom> {
        let most = self.0.most;
        let mut state = self.state();
        let (files, bytes) = state.senders.get(&sender).copied().unwrap_or_default();
        let is_full = state.files >= most.all_files || state.bytes >= most.all;
        if is_full || files >= most.files || bytes >= most.bytes {
            return Err(NoRoom::UnderWay);
        }
        if bytes.saturating_add(kept) >= most.bytes {
            return Err(NoRoom::Kept);
        }
        state.files += 1;
        state.senders.insert(sender, (files + 1, bytes));
        drop(state);
        Ok(Ticket {
            under_way: self.clone(),
            sender,
            bytes: 0,
            kept,
        })
    }

    /// The files and bytes of all senders.
    pub(super) fn in_all(&self) -> (usize, u64) {
        let state = self.state();
        (state.files, state.bytes)
    }

    fn state(&self) -> MutexGuard<'_, UnderWayState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Counts more bytes of the file, before they are written.
    pub(super) fn add(&mut self, more: u64) -> Result<(), NoRoom> {
        let most = self.under_way.0.most;
        let mut state = self.under_way.state();
        let all = state.bytes.saturating_add(more);
        let (_, bytes) = state.senders.entry(self.sender).or_default();
        let of_sender = bytes.saturating_add(more);
        if of_sender > most.bytes || all > most.all {
            return Err(NoRoom::UnderWay);
        }
        if of_sender.saturating_add(self.kept) > most.bytes {
            return Err(NoRoom::Kept);
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
        state.files = state.files.saturating_sub(1);
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

    const MOST: MostUnderWay = MostUnderWay {
        files: 2,
        bytes: 100,
        all_files: 4,
        all: 150,
    };

    #[test]
    fn files_under_way_are_bounded_by_sender_and_in_all() {
        let under_way = UnderWay::new(MOST);
        let (eve, ada) = (RequestSender::Person(1), RequestSender::Network(None));
        let mut first = under_way.begin(eve, 0).unwrap();
        let mut second = under_way.begin(eve, 0).unwrap();
        assert_eq!(
            under_way.begin(eve, 0).unwrap_err(),
            NoRoom::UnderWay,
            "files"
        );
        first.add(60).unwrap();
        assert_eq!(second.add(41), Err(NoRoom::UnderWay), "bytes");
        second.add(40).unwrap();
        let mut other = under_way.begin(ada, 0).unwrap();
        assert_eq!(other.add(51), Err(NoRoom::UnderWay), "all");
        other.add(50).unwrap();
        assert!(under_way.begin(RequestSender::Person(2), 0).is_err(), "all");
        drop((first, second, other));
        let state = under_way.state();
        assert!(state.bytes == 0 && state.files == 0 && state.senders.is_empty());
    }

    /// Many senders with a few files each, and a byte of each file, had no limit together.
    #[test]
    fn the_number_of_files_under_way_is_bounded_in_all() {
        let under_way = UnderWay::new(MOST);
        let mut begun: Vec<Ticket> = (0..4)
            .map(|person| under_way.begin(RequestSender::Person(person), 0).unwrap())
            .collect();
        let fifth = RequestSender::Person(9);
        assert_eq!(under_way.begin(fifth, 0).unwrap_err(), NoRoom::UnderWay);
        drop(begun.pop());
        drop(under_way.begin(fifth, 0).unwrap());
    }

    /// A person with a full quota could have as much again under way.
    #[test]
    fn what_is_under_way_counts_with_what_its_sender_keeps() {
        let under_way = UnderWay::new(MOST);
        let eve = RequestSender::Person(1);
        assert_eq!(under_way.begin(eve, 100).unwrap_err(), NoRoom::Kept);
        let mut first = under_way.begin(eve, 70).unwrap();
        first.add(20).unwrap();
        assert_eq!(first.add(11), Err(NoRoom::Kept));
        let mut second = under_way.begin(eve, 70).unwrap();
        assert_eq!(second.add(11), Err(NoRoom::Kept), "beside the first");
        second.add(10).unwrap();
        assert_eq!(
            under_way
                .begin(RequestSender::Person(2), 99)
                .unwrap()
                .add(1),
            Ok(())
        );
    }
}
