//! Letters that wait for the mail server: few, in three queues, so that those that strangers cause keep out no other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// So many letters of each kind may wait.
pub(super) const MOST: usize = 256;
/// So many of them from one cause.
pub(super) const SHARE: usize = 32;

/// The purpose of a letter. The first is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// News that the owner of an account has to know.
    Notice,
    /// A link that its owner waits for.
    Link,
    /// An answer to a sign-up, which anybody can cause for any address.
    SignUp,
}

/// The party that shares a part of the places of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Everybody who asks from this network.
    Network(IpAddr),
    /// The receiver, where only they can cause the letter.
    Receiver(Box<str>),
}

/// The end that letters are put into. The thread at the other end stops with it, once nothing waits.
pub(super) struct Queue<T>(Arc<Shared<T>>);

/// The end that letters are taken from.
pub(super) struct Waiting<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    notices: VecDeque<(Cause, T)>,
    links: VecDeque<(Cause, T)>,
    sign_ups: VecDeque<(Cause, T)>,
    /// They are told when nothing waits any more and nothing is under way.
    idle: Vec<oneshot::Sender<()>>,
    is_open: bool,
}

/// Makes both ends.
pub(super) fn queue<T>() -> (Queue<T>, Waiting<T>) {
    let state = State {
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
    (Queue(Arc::clone(&shared)), Waiting(shared))
}

impl<T> State<T> {
    fn of(&mut self, kind: Kind) -> &mut VecDeque<(Cause, T)> {
        match kind {
            Kind::Notice => &mut self.notices,
            Kind::Link => &mut self.links,
            Kind::SignUp => &mut self.sign_ups,
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
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Queue<T> {
    /// Puts a letter in, and says whether there was a place for it.
    pub(super) fn put(&self, kind: Kind, cause: Cause, letter: T) -> bool {
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

    /// Hears when nothing waits any more and nothing is under way.
    pub(super) fn idle(&self) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        self.0.state().idle.push(tell);
        self.0.changed.notify_one();
        told
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        self.0.state().is_open = false;
        self.0.changed.notify_one();
    }
}

impl<T> Waiting<T> {
    /// Waits for the next letter; none where nothing waits and nobody can put anything in.
    ///
    /// A caller that asks for the next one has finished the one before.
    pub(super) fn next(&self) -> Option<T> {
        let mut state = self.0.state();
        loop {
            if let Some(letter) = state.take() {
                return Some(letter);
            }
            for idle in state.idle.drain(..) {
                // An error means that nobody waits any more.
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

/// The thread is gone: nobody waits for it in vain.
impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.0.state().idle.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: usize) -> Cause {
        let number = u32::try_from(number).unwrap();
        Cause::Network(std::net::Ipv4Addr::from(0x0a00_0000 + number).into())
    }

    fn receiver(name: &str) -> Cause {
        Cause::Receiver(name.into())
    }

    /// CWE-400: the mail server takes nothing meanwhile.
    #[test]
    fn letters_that_strangers_cause_keep_out_no_notice_and_no_link() {
        let (queue, waiting) = queue();
        let taken = (0..1000).filter(|n| queue.put(Kind::SignUp, network(*n), "welcome"));
        assert_eq!(taken.count(), MOST);
        let taken = (1000..2000).filter(|n| queue.put(Kind::Link, network(*n), "link"));
        assert_eq!(taken.count(), MOST);
        assert!(queue.put(Kind::Notice, receiver("ada"), "notice"));
        assert_eq!(waiting.next(), Some("notice"), "and it is sent first");
        assert_eq!(waiting.next(), Some("link"));
        assert!(queue.put(Kind::Link, network(1), "later link"));
        assert!(!queue.put(Kind::SignUp, network(1), "welcome"));
    }

    #[test]
    fn one_cause_has_a_share_of_the_places() {
        let (queue, waiting) = queue();
        for (kind, one, other) in [
            (Kind::SignUp, network(1), network(2)),
            (Kind::Link, network(1), network(2)),
            (Kind::Notice, receiver("eve"), receiver("ada")),
        ] {
            let taken = (0..MOST).filter(|_| queue.put(kind, one.clone(), kind));
            assert_eq!(taken.count(), SHARE, "{kind:?}");
            assert!(queue.put(kind, other, kind));
        }
        assert_eq!(waiting.next(), Some(Kind::Notice));
        assert!(queue.put(Kind::Notice, receiver("eve"), Kind::Notice));
    }

    #[test]
    fn what_waits_is_taken_before_the_end_and_before_anybody_hears_of_rest() {
        let (queue, waiting) = queue();
        let mut idle = queue.idle();
        assert!(queue.put(Kind::SignUp, network(1), 1));
        assert!(queue.put(Kind::SignUp, network(1), 2));
        drop(queue);
        assert_eq!((waiting.next(), waiting.next()), (Some(1), Some(2)));
        assert!(idle.try_recv().is_err(), "the second is under way");
        assert_eq!(waiting.next(), None);
        assert!(idle.try_recv().is_ok());
    }
}
