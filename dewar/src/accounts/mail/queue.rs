//! Letters that wait for the mail server, in three bounded queues, so that letters that strangers cause delay no others.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The most letters of each kind that may wait.
pub(super) const MOST: usize = 256;
/// The most of them from one cause.
pub(super) const SHARE: usize = 32;

/// The purpose of a letter. The first kind is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetterKind {
    /// News that the owner of an account has to know.
    Notice,
    /// A link that its owner waits for.
    Link,
    /// A response to a sign-up, which anybody can cause for any address.
    SignUp,
}

/// The party that shares a part of the places of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailQuota {
    /// Everybody who requests from this network.
    Network(IpAddr),
    /// The receiver, if only they can cause the letter.
    Receiver(Box<str>),
}

/// The sending end. The thread at the other end stops with it, once the queue is empty.
pub(super) struct MailQueue<T>(Arc<Shared<T>>);

/// The receiving end.
pub(super) struct MailReceiver<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<QueueState<T>>,
    changed: Condvar,
}

struct QueueState<T> {
    notices: VecDeque<(MailQuota, T)>,
    links: VecDeque<(MailQuota, T)>,
    sign_ups: VecDeque<(MailQuota, T)>,
    /// Senders that are notified when no letter waits or is in progress.
    idle: Vec<oneshot::Sender<()>>,
    is_open: bool,
}

/// Makes both ends.
pub(super) fn queue<T>() -> (MailQueue<T>, MailReceiver<T>) {
    let state = QueueState {
        notices: VecDeque::new(),
        links: VecDeque::new(),
        sign_ups: VecDeque::new(),
        idle: Vec::new(),
        is_open: true,
    };
    let shared = Arc::new(Shared {
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    (MailQueue(Arc::clone(&shared)), MailReceiver(shared))
}

impl<T> QueueState<T> {
    fn of(&mut self, kind: LetterKind) -> &mut VecDeque<(MailQuota, T)> {
        match kind {
            LetterKind::Notice => &mut self.notices,
            LetterKind::Link => &mut self.links,
            LetterKind::SignUp => &mut self.sign_ups,
        }
    }

    fn take(&mut self) -> Option<T> {
        let next = self.notices.pop_front();
        let next = next.or_else(|| self.links.pop_front());
        let next = next.or_else(|| self.sign_ups.pop_front());
        next.map(|(_, letter)| letter)
    }
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, QueueState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> MailQueue<T> {
    /// Puts a letter in, and returns whether it found a place.
    pub(super) fn put(&self, kind: LetterKind, cause: MailQuota, letter: T) -> bool {
        let mut state = self.0.state();
        let places = state.of(kind);
        let share = places.iter().filter(|(other, _)| *other == cause).count();
        if places.len() >= MOST || share >= SHARE {
            return false;
        }
        places.push_back((cause, letter));
        self.0.changed.notify_one();
        true
    }

    /// Is notified when no letter waits or is in progress.
    pub(super) fn idle(&self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.0.state().idle.push(tell);
        self.0.changed.notify_one();
        told
    }
}

impl<T> Drop for MailQueue<T> {
    fn drop(&mut self) {
        self.0.state().is_open = false;
        self.0.changed.notify_one();
    }
}

impl<T> MailReceiver<T> {
    /// Waits for the next letter; none if the queue is empty and the sending end is gone.
    ///
    /// A caller that takes the next one has finished the one before.
    pub(super) fn next(&self) -> Option<T> {
        let mut state = self.0.state();
        loop {
            if let Some(letter) = state.take() {
                return Some(letter);
            }
            for idle in state.idle.drain(..) {
                // An error means that the receiver is gone.
                let _ = idle.send(());
            }
            if !state.is_open {
                return None;
            }
            state = self
                .0
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// When the thread ends, nobody waits for it in vain.
impl<T> Drop for MailReceiver<T> {
    fn drop(&mut self) {
        self.0.state().idle.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: usize) -> MailQuota {
        let number = u32::try_from(number).unwrap();
        MailQuota::Network(std::net::Ipv4Addr::from(0x0a00_0000 + number).into())
    }

    fn receiver(name: &str) -> MailQuota {
        MailQuota::Receiver(name.into())
    }

    /// CWE-400: the mail server accepts nothing meanwhile.
    #[test]
    fn letters_that_strangers_cause_keep_out_no_notice_and_no_link() {
        let (queue, waiting) = queue();
        let taken = (0..1000).filter(|n| queue.put(LetterKind::SignUp, network(*n), "welcome"));
        assert_eq!(taken.count(), MOST);
        let taken = (1000..2000).filter(|n| queue.put(LetterKind::Link, network(*n), "link"));
        assert_eq!(taken.count(), MOST);
        assert!(queue.put(LetterKind::Notice, receiver("ada"), "notice"));
        assert_eq!(waiting.next(), Some("notice"), "and it is sent first");
        assert_eq!(waiting.next(), Some("link"));
        assert!(queue.put(LetterKind::Link, network(1), "later link"));
        assert!(!queue.put(LetterKind::SignUp, network(1), "welcome"));
    }

    #[test]
    fn one_cause_has_a_share_of_the_places() {
        let (queue, waiting) = queue();
        for (kind, one, other) in [
            (LetterKind::SignUp, network(1), network(2)),
            (LetterKind::Link, network(1), network(2)),
            (LetterKind::Notice, receiver("eve"), receiver("ada")),
        ] {
            let taken = (0..MOST).filter(|_| queue.put(kind, one.clone(), kind));
            assert_eq!(taken.count(), SHARE, "{kind:?}");
            assert!(queue.put(kind, other, kind));
        }
        assert_eq!(waiting.next(), Some(LetterKind::Notice));
        assert!(queue.put(LetterKind::Notice, receiver("eve"), LetterKind::Notice));
    }

    #[test]
    fn what_waits_is_taken_before_the_end_and_before_anybody_hears_of_rest() {
        let (queue, waiting) = queue();
        let mut idle = queue.idle();
        assert!(queue.put(LetterKind::SignUp, network(1), 1));
        assert!(queue.put(LetterKind::SignUp, network(1), 2));
        drop(queue);
        assert_eq!((waiting.next(), waiting.next()), (Some(1), Some(2)));
        assert!(idle.try_recv().is_err(), "the second is under way");
        assert_eq!(waiting.next(), None);
        assert!(idle.try_recv().is_ok());
    }
}
