//! The count of one limit: in the store that all nodes share, with a small part of it in memory.
//!
//! The store has the truth: a moment for each sender, at which the sender's bucket is empty again. A node may admit a twentieth of
//! the limit before it asks the store, and then it counts those requests there together with the next one. So most senders cost no
//! query, a limit below 20 is exact, and a node that was told "no" refuses by itself until the time that the store has named.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{CountedSender, MOST_SENDERS, RateLimit, Uncounted};
use crate::audit::Clock;
use crate::database;
use crate::forms::RequestSender;
use crate::pages::RateRefusal;
use crate::secrets::{KeyRing, Purpose};
use crate::sessions::{Charge, Charged, Error, Sessions};

/// How long a node counts alone after the store was lost.
const ALONE_FOR: Duration = Duration::from_secs(5);

/// The most rows of the store. A flood of new senders beyond them is counted by each node alone.
const MOST_ROWS: u64 = 200_000;

/// How long a node believes that the store is full. Then it looks again.
const FULL_FOR: Duration = Duration::from_secs(10);

/// What so many nodes owe at most is remembered beyond a full bucket.
const OWING_NODES: u32 = 16;

/// One request in so many is counted in the store at once; see the top of this file.
const UNASKED: u32 = 20;

/// The store of the counts, as one node sees it.
#[derive(Clone, Debug)]
pub(in crate::app) struct SharedCounts(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    sessions: Sessions,
    clock: Clock,
    /// Until when the node counts alone, in microseconds.
    alone_until: AtomicI64,
    /// The rows, as far as this node knows: those of the last sweep, and every count since that may have begun one.
    rows: AtomicU64,
    /// When the rows were counted last because there seemed to be too many, in microseconds.
    recounted_at: AtomicI64,
    /// For the senders' keys in the store.
    ring: KeyRing,
}

impl SharedCounts {
    pub(in crate::app) fn new(sessions: Sessions, clock: Clock, ring: KeyRing) -> Self {
        Self(Arc::new(Shared {
            sessions,
            clock,
            alone_until: AtomicI64::new(i64::MIN),
            rows: AtomicU64::new(0),
            recounted_at: AtomicI64::new(i64::MIN),
            ring,
        }))
    }

    fn now(&self) -> i64 {
        self.0.clock.milliseconds().saturating_mul(1_000)
    }

    /// Removes the counts that say nothing any more.
    ///
    /// # Errors
    /// The store does not answer.
    pub(in crate::app) async fn sweep(&self) -> Result<(), Error> {
        let left = self.0.sessions.sweep_counts(self.now()).await?;
        self.0.rows.store(left, Ordering::Relaxed);
        Ok(())
    }

    async fn charge(&self, charge: &Charge) -> Result<Charged, Error> {
        let charged = self.0.sessions.charge(charge).await;
        match charged {
            Ok(Charged::Admitted { empty_at }) if empty_at == charge.of_a_new_sender() => {
                self.0.rows.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) => {}
            // Only this request is not counted there.
            Err(ref error) if is_of_this_request(error) => {
                tracing::warn!(%error, "a request was not counted in the store of the sessions");
            }
            Err(ref error) => {
                tracing::warn!(%error, "the store of the sessions does not count for rate limits; this node counts alone");
                self.be_alone();
            }
        }
        charged
    }

    fn be_alone(&self) {
        let until = self.now().saturating_add(microseconds(ALONE_FOR));
        self.0.alone_until.store(until, Ordering::Relaxed);
    }

    fn is_alone(&self, now: i64) -> bool {
        let until = self.0.alone_until.load(Ordering::Relaxed);
        // A clock that was set back makes it no longer.
        until > now && until <= now.saturating_add(microseconds(ALONE_FOR))
    }

    fn is_full(&self) -> bool {
        self.0.rows.load(Ordering::Relaxed) >= MOST_ROWS
    }

    /// Looks whether the store is as full as this node believes, if it did not look a moment ago.
    async fn recount(&self, now: i64) {
        let last = self.0.recounted_at.load(Ordering::Relaxed);
        let is_due = !self.is_alone(now)
            && (now < last || now.saturating_sub(last) >= microseconds(FULL_FOR));
        let change =
            self.0
                .recounted_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if !is_due || change.is_err() {
            return;
        }
        if let Err(error) = self.sweep().await {
            tracing::warn!(%error, "the counts of the rate limits are not swept");
        }
    }
}

/// Whether the store is well, and only one statement had to give way to others.
const fn is_of_this_request(error: &Error) -> bool {
    use database::Error::{Busy, Conflict, RolledBack, TablesChanged};
    matches!(
        error,
        Error::Database(Busy | Conflict | RolledBack | TablesChanged)
    )
}

/// The count of one limit.
#[derive(Debug)]
pub(in crate::app) struct Counter {
    limit: RateLimit,
    /// Distinguishes its senders in the store from those of other limits.
    id: String,
    counts: SharedCounts,
    senders: Mutex<Generations>,
}

/// The senders that came last, and those that came before them.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<CountedSender, Local>,
    old: HashMap<CountedSender, Local>,
}

/// What a node knows of a sender.
#[derive(Clone, Copy, Debug, Default)]
struct Local {
    /// When the bucket is empty, as the store said last.
    empty_at: i64,
    /// Requests that were admitted, and that the store does not know.
    open: u32,
    /// Those of them that are on the way to the store.
    under_way: u32,
    /// When the first of the open ones came.
    since: i64,
    /// Whether the store has a row of this sender.
    is_in_store: bool,
}

/// What a node decides about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Admit,
    /// Ask the store, and count these requests there as well.
    Ask(u32),
    Refuse(RateRefusal),
}

impl Counter {
    pub(in crate::app) fn new(limit: RateLimit, id: String, counts: SharedCounts) -> Self {
        Self {
            limit,
            id,
            counts,
            senders: Mutex::default(),
        }
    }

    pub(super) const fn limit(&self) -> RateLimit {
        self.limit
    }

    /// What one request adds, in microseconds.
    fn interval(&self) -> i64 {
        let times = i64::from(self.limit.rate.times.max(1));
        microseconds(self.limit.rate.within)
            .div_euclid(times)
            .max(1)
    }

    /// How far ahead the moment at which the bucket is empty may lie.
    fn room(&self) -> i64 {
        let others = i64::from(self.limit.rate.times.saturating_sub(1));
        self.interval().saturating_mul(others)
    }

    /// How far ahead that moment can lie at all: a full bucket, and what nodes owe.
    fn furthest(&self) -> i64 {
        let owed = i64::from(self.unasked()).saturating_mul(i64::from(OWING_NODES));
        let owed = self.interval().saturating_mul(owed.saturating_add(1));
        self.room().saturating_add(owed)
    }

    /// When the bucket is empty, as the store said last. What a wrong clock or a longer limit has written counts as a full bucket.
    fn empty_at(&self, local: &Local, now: i64) -> i64 {
        let owed = i64::from(self.unasked()).saturating_mul(self.interval());
        let furthest = self.furthest().saturating_add(owed);
        local.empty_at.min(now.saturating_add(furthest))
    }

    /// How many requests of a sender this node may admit without the store.
    fn unasked(&self) -> u32 {
        self.limit.rate.times / UNASKED
    }

    /// Counts one request of a sender.
    ///
    /// # Errors
    /// The sender has to wait.
    pub(super) async fn take(&self, sender: CountedSender) -> Result<(), RateRefusal> {
        let now = self.counts.now();
        if self.counts.is_full() {
            self.counts.recount(now).await;
        }
        let owed = match self.decide(sender, now, self.counts.is_alone(now)) {
            Decision::Admit => return Ok(()),
            Decision::Refuse(refusal) => return Err(refusal),
            Decision::Ask(owed) => owed,
        };
        let mut under_way = UnderWay {
            counter: self,
            sender,
            owed,
            now,
        };
        let charge = Charge {
            key: self.key(sender),
            now,
            interval: self.interval(),
            room: self.room(),
            furthest: self.furthest(),
            owed,
        };
        match self.counts.charge(&charge).await {
            Ok(Charged::Admitted { empty_at }) => {
                under_way.arrived(empty_at);
                Ok(())
            }
            Ok(Charged::Refused { empty_at }) => {
                under_way.arrived(empty_at);
                Err(too_many(empty_at - now - self.room()))
            }
            Err(_) => {
                drop(under_way);
                match self.decide(sender, now, true) {
                    Decision::Admit => Ok(()),
                    Decision::Refuse(refusal) => Err(refusal),
                    Decision::Ask(_) => Err(RateRefusal::NotCounted(ALONE_FOR)),
                }
            }
        }
    }

    fn decide(&self, sender: CountedSender, now: i64, is_alone: bool) -> Decision {
        let interval = self.interval();
        let must_ask = self.limit.uncounted == Uncounted::Refuse;
        let is_full = !must_ask && self.counts.is_full();
        let mut senders = self.senders();
        let mut local = senders.find(&sender).unwrap_or_default();
        local.empty_at = self.empty_at(&local, now);
        if local.open > 0 && now.saturating_sub(local.since) >= microseconds(self.limit.rate.within)
        {
            // Their time is over.
            local.open = 0;
        }
        let unknown = i64::from(local.open.saturating_add(local.under_way));
        let empty_at = local.empty_at.max(now) + interval.saturating_mul(unknown);
        let too_early = empty_at - now - self.room();
        let decision = if too_early > 0 {
            Decision::Refuse(too_many(too_early))
        } else if is_alone && must_ask {
            Decision::Refuse(RateRefusal::NotCounted(ALONE_FOR))
        } else if is_alone || (is_full && !local.is_in_store) {
            local.empty_at = local.empty_at.max(now) + interval;
            Decision::Admit
        } else if local.open + local.under_way < self.unasked() {
            if local.open == 0 {
                local.since = now;
            }
            local.open += 1;
            Decision::Admit
        } else {
            let owed = std::mem::take(&mut local.open);
            local.under_way += owed;
            Decision::Ask(owed)
        };
        senders.put(sender, local);
        decision
    }

    /// How many requests of a sender are allowed now, and how long until all are, as far as this node knows.
    pub(super) fn left(&self, sender: &CountedSender) -> (u32, Duration) {
        let now = self.counts.now();
        let local = self.senders().find(sender).unwrap_or_default();
        let unknown = i64::from(local.open.saturating_add(local.under_way));
        let used =
            (self.empty_at(&local, now) - now).max(0) + self.interval().saturating_mul(unknown);
        let free = (self.room() + self.interval() - used).max(0) / self.interval();
        let left = u32::try_from(free).unwrap_or(u32::MAX);
        (left, Duration::from_micros(used.unsigned_abs()))
    }

    /// The sender in the store. It is a MAC, because there are so few addresses that a plain digest of each could be tried. After a
    /// rotation of the keys each sender begins anew.
    fn key(&self, sender: CountedSender) -> [u8; 32] {
        let id = self.id.as_bytes();
        let of = |kind: &[u8], who: &[u8]| {
            let parts = [b"rate-limit".as_slice(), id, kind, who];
            self.counts.0.ring.mac(Purpose::Session, &parts)
        };
        match sender {
            CountedSender::Known(key) => of(b"known", key.bytes()),
            CountedSender::Token(token) => of(b"token", &token),
            CountedSender::Usual(RequestSender::Person(person)) => {
                of(b"person", &person.to_be_bytes())
            }
            CountedSender::Usual(RequestSender::Network(network)) => {
                let network = network.map(|at| at.to_string());
                of(b"network", network.unwrap_or_default().as_bytes())
            }
        }
    }

    fn senders(&self) -> MutexGuard<'_, Generations> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn find(&self, sender: &CountedSender) -> Option<Local> {
        let known = self.young.get(sender);
        known.or_else(|| self.old.get(sender)).copied()
    }

    /// Puts a sender among the young. A sender that keeps coming is so never forgotten for the senders of others.
    fn put(&mut self, sender: CountedSender, local: Local) {
        if self.young.len() >= MOST_SENDERS / 2 && !self.young.contains_key(&sender) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(sender, local);
    }
}

/// Requests on the way to the store. If nobody learns whether they arrived, they are open again: they count twice rather than never.
struct UnderWay<'a> {
    counter: &'a Counter,
    sender: CountedSender,
    owed: u32,
    now: i64,
}

impl UnderWay<'_> {
    fn arrived(&mut self, empty_at: i64) {
        let owed = std::mem::take(&mut self.owed);
        self.change(|local| {
            local.under_way = local.under_way.saturating_sub(owed);
            local.empty_at = local.empty_at.max(empty_at);
            local.is_in_store = true;
        });
    }

    fn change(&self, change: impl FnOnce(&mut Local)) {
        let mut senders = self.counter.senders();
        if let Some(mut local) = senders.find(&self.sender) {
            change(&mut local);
            senders.put(self.sender, local);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.owed == 0 {
            return;
        }
        let (owed, now) = (self.owed, self.now);
        self.change(|local| {
            local.under_way = local.under_way.saturating_sub(owed);
            if local.open == 0 {
                local.since = now;
            }
            local.open = local.open.saturating_add(owed);
        });
    }
}

fn too_many(microseconds: i64) -> RateRefusal {
    RateRefusal::TooMany(Duration::from_micros(microseconds.max(1).unsigned_abs()))
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
