//! Counting refusals, so that a sender of endless requests does not fill the log.

use super::Entry;
use crate::audit::{Event, network};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The window in which refusals are counted. Of one kind from one address and one user, Dewar writes the first hundred
/// one by one, and the sum of the others at the end.
///
/// ```
/// let refused_at = 1_800_000_000;
/// let told_by = refused_at + dewar::audit::COUNTED_WITHIN.as_secs();
/// assert_eq!(told_by, 1_800_000_600);
/// ```
pub const COUNTED_WITHIN: Duration = Duration::from_secs(600);
/// Refusals of one kind, from one address and one user, that are written in full within a window.
pub(super) const WRITTEN: u32 = 100;
/// Refusals by one user, or about one, that are written in full within a window, from all addresses together.
pub(super) const WRITTEN_OF_ONE: u32 = 300;
/// Refusals of all kinds, except the first of each, that are written in full within a window.
pub(super) const WRITTEN_AGAIN: u32 = 4096;
/// Kinds that are distinguished within a window, of all addresses and users.
pub(super) const MOST: usize = 4096;

/// The refusals of this window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    window: Mutex<TallyWindow>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct TallyWindow {
    /// In milliseconds.
    began: i64,
    kinds: HashMap<RefusalKey, Count>,
    /// How many were written for each user: the actor or, if no actor is known, the subject.
    persons: HashMap<u64, u32>,
    /// How many were written that were not the first of their kind.
    again: u32,
    /// Refusals of kinds that found no place, by event; there are few events.
    others: HashMap<Event, u64>,
}

/// Refusals that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RefusalKey {
    event: Event,
    network: Option<IpAddr>,
    /// A hash of the actor: two actors with one hash are only counted together.
    actor: Option<u64>,
}

#[derive(Debug, Default)]
struct Count {
    written: u32,
    more: u64,
}

/// The result for a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TallyOutcome {
    Counted,
    Write,
}

impl Tally {
    /// Counts a refusal. If the window is over, it also returns the window's sums.
    pub(super) fn take(&self, entry: &Entry, now: i64) -> (Vec<Entry>, TallyOutcome) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = Vec::new();
        let over = i64::try_from(COUNTED_WITHIN.as_millis()).unwrap_or(i64::MAX);
        if now >= window.began.saturating_add(over) {
            sums = window.close(now);
        }
        let actor = entry.fields.actor.as_ref();
        let actor = actor.map(|actor| self.hasher.hash_one(actor));
        let subject = entry.fields.subject.as_ref();
        let person = actor.or_else(|| subject.map(|subject| self.hasher.hash_one(subject)));
        let kind = RefusalKey {
            event: entry.event,
            network: entry.fields.address.map(network),
            actor,
        };
        if window.kinds.len() >= MOST && !window.kinds.contains_key(&kind) {
            *window.others.entry(entry.event).or_default() += 1;
            return (sums, TallyOutcome::Counted);
        }
        (sums, window.count(kind, person))
    }

    /// Ends this window and returns its sums.
    pub(super) fn close(&self, now: i64) -> Vec<Entry> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.close(now)
    }
}

impl TallyWindow {
    /// Counts a refusal of a kind that has a place. It is written if the limits of its kind, its user and all together allow.
    fn count(&mut self, kind: RefusalKey, person: Option<u64>) -> TallyOutcome {
        let count = self.kinds.entry(kind).or_default();
        let of_person = person.and_then(|person| self.persons.get(&person).copied());
        let is_first = count.written == 0 && count.more == 0;
        let has_room = count.written < WRITTEN
            && of_person.unwrap_or_default() < WRITTEN_OF_ONE
            && (is_first || self.again < WRITTEN_AGAIN);
        if !has_room {
            count.more += 1;
            return TallyOutcome::Counted;
        }
        count.written += 1;
        self.again += u32::from(!is_first);
        if let Some(person) = person {
            // At most as many as are written.
            *self.persons.entry(person).or_default() += 1;
        }
        TallyOutcome::Write
    }

    fn close(&mut self, now: i64) -> Vec<Entry> {
        let over = std::mem::take(self);
        self.began = now;
        let kinds = over.kinds.into_iter().filter(|(_, count)| count.more > 0);
        let mut sums: Vec<Entry> = kinds
            .map(|(kind, count)| {
                let whose = if kind.actor.is_some() {
                    " by one person"
                } else {
                    ""
                };
                let entry = Entry::new(kind.event)
                    .outcome("counted")
                    .detail(format_args!(
                        "{} times more{whose} in this window",
                        count.more
                    ));
                match kind.network {
                    Some(network) => entry.address(network),
                    None => entry,
                }
            })
            .collect();
        sums.extend(over.others.into_iter().map(|(event, times)| {
            Entry::new(event).outcome("counted").detail(format_args!(
                "{times} times more from other addresses in this window"
            ))
        }));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: u64) -> RefusalKey {
        RefusalKey {
            event: Event::AuthnLoginFail,
            network: None,
            actor: Some(number),
        }
    }

    /// In a flood from many addresses, not every address has a place; Dewar counts the others by event.
    ///
    /// ASVS: V15.2.2
    #[test]
    fn refusals_of_more_addresses_than_are_remembered_are_counted_together() {
        let tally = Tally::default();
        let refusal = |number: usize| {
            let [.., a, b, c, d] = number.to_be_bytes();
            Entry::new(Event::AuthnLoginFail).address(IpAddr::from([a, b, c, d]))
        };
        let more = 5;
        for number in 0..MOST + more {
            let (sums, _) = tally.take(&refusal(number), 0);
            assert!(sums.is_empty());
        }
        let without_a_place = {
            let window = tally.window.lock().unwrap();
            assert_eq!(window.kinds.len(), MOST);
            window.others.get(&Event::AuthnLoginFail).copied()
        };
        assert_eq!(without_a_place.map(usize::try_from), Some(Ok(more)));
        let told: Vec<String> = tally
            .close(1)
            .iter()
            .map(|sum| format!("{sum:?}"))
            .collect();
        assert!(told.iter().any(|sum| sum.contains('5')), "{told:?}");
    }

    /// A refusal beyond a bound is counted, and one just before it is written.
    #[test]
    fn each_bound_holds_by_itself() {
        let mut window = TallyWindow::default();
        let written = |window: &mut TallyWindow, kind: RefusalKey, person| {
            let most = u64::from(WRITTEN_AGAIN) * 2;
            (0..most)
                .take_while(|_| window.count(kind.clone(), person) == TallyOutcome::Write)
                .count()
        };
        assert_eq!(written(&mut window, of(1), None), WRITTEN as usize);
        let of_one: usize = (2..9)
            .map(|kind| written(&mut window, of(kind), Some(7)))
            .sum();
        assert_eq!(of_one, WRITTEN_OF_ONE as usize);
        let again: usize = (100..200)
            .map(|kind| written(&mut window, of(kind), None))
            .sum();
        assert!(again < 100 * WRITTEN as usize);
        assert_eq!(window.again, WRITTEN_AGAIN);
        // The first of a kind is still written, and no second one.
        assert_eq!(written(&mut window, of(999), None), 1);
        // A refusal that was counted before one of its kind was written is not a first one.
        let mut counted = TallyWindow::default();
        counted.persons.insert(7, WRITTEN_OF_ONE);
        counted.again = WRITTEN_AGAIN;
        assert_eq!(counted.count(of(1), Some(7)), TallyOutcome::Counted);
        assert_eq!(counted.count(of(1), None), TallyOutcome::Counted);
    }
}
