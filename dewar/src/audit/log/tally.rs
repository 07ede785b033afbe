//! Refusals, counted, so that whoever sends them without end does not write the log without end.

use super::Entry;
use crate::audit::{Event, network};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long refusals are counted before the log is told how often each came: the first hundred of a kind from one address and
/// of one person are written one by one, and the others as a sum at the end.
///
/// ```
/// let refused_at = 1_800_000_000;
/// let told_by = refused_at + dewar::audit::COUNTED_WITHIN.as_secs();
/// assert_eq!(told_by, 1_800_000_600);
/// ```
pub const COUNTED_WITHIN: Duration = Duration::from_secs(600);
/// Refusals of one kind, from one address and of one person, that are written in full within a window.
pub(super) const WRITTEN: u32 = 100;
/// Kinds of all addresses and persons that are told apart within a window.
pub(super) const MOST: usize = 4096;

/// What was refused in this window.
#[derive(Debug, Default)]
pub(super) struct Tally {
    window: Mutex<Window>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Window {
    /// In milliseconds.
    began: i64,
    kinds: HashMap<Kind, Count>,
    /// Refusals of kinds that found no room, by their events, of which there are few.
    others: HashMap<Event, u64>,
}

/// Refusals that are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    event: Event,
    network: Option<IpAddr>,
    /// A hash of the actor: two that share one are only counted together.
    actor: Option<u64>,
}

#[derive(Debug, Default)]
struct Count {
    written: u32,
    more: u64,
}

/// What becomes of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Counted,
    Write,
}

impl Tally {
    /// Counts a refusal. Where the window is over, its sums come along.
    pub(super) fn take(&self, entry: &Entry, now: i64) -> (Vec<Entry>, Verdict) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sums = Vec::new();
        let over = i64::try_from(COUNTED_WITHIN.as_millis()).unwrap_or(i64::MAX);
        if now >= window.began.saturating_add(over) {
            sums = window.close(now);
        }
        let kind = Kind {
            event: entry.event,
            network: entry.fields.address.map(network),
            actor: entry
                .fields
                .actor
                .as_ref()
                .map(|actor| self.hasher.hash_one(actor)),
        };
        if window.kinds.len() >= MOST && !window.kinds.contains_key(&kind) {
            *window.others.entry(entry.event).or_default() += 1;
            return (sums, Verdict::Counted);
        }
        let count = window.kinds.entry(kind).or_default();
        if count.written < WRITTEN {
            count.written += 1;
            return (sums, Verdict::Write);
        }
        count.more += 1;
        (sums, Verdict::Counted)
    }

    /// The sums of this window, which ends.
    pub(super) fn close(&self, now: i64) -> Vec<Entry> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.close(now)
    }
}

impl Window {
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
