//! The fair queue of the files to examine: each owner gets a fair share of the workers, and none gets all places.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::config::Config;
use super::error::Error;
use crate::sessions::UserId;

/// The sender of a file: an account, and its network if known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UploadSender {
    pub(super) owner: UserId,
    pub(super) network: Option<IpAddr>,
}

/// How many files are in the hands of the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InHand {
    pub(crate) examined: usize,
    pub(crate) waiting: usize,
}

/// The files that are being examined or wait.
///
/// 1. An owner has at most `max_per_owner` files here, and never all workers if there are two.
/// 2. Networks take turns, and so do the owners in one network: an owner of thirty files waits behind an owner of one.
/// 3. If every place is taken, the network with the most files loses its last one to a network with fewer; within one
///    network, the owner with the most does. So many accounts behind one address cannot evade the first rule.
#[derive(Clone, Debug)]
pub(super) struct ScanQueue {
    state: Arc<Mutex<ScanQueueState>>,
    wait: Duration,
}

#[derive(Debug)]
struct ScanQueueState {
    workers: usize,
    places: usize,
    per_owner: usize,
    jobs: Vec<ScanJob>,
    next: u64,
    networks: Turns<Option<IpAddr>>,
    owners: Turns<UserId>,
}

#[derive(Debug)]
struct ScanJob {
    number: u64,
    sender: UploadSender,
    /// The channel that starts a waiting file; `None` while it is being examined.
    call: Option<oneshot::Sender<()>>,
}

/// A permit to examine a file. When it is dropped, the next file starts.
#[derive(Debug)]
pub(super) struct ScanPermit {
    state: Arc<Mutex<ScanQueueState>>,
    number: u64,
}

impl ScanQueue {
    pub(super) fn new(config: &Config) -> Self {
        let workers = config.workers.max(1);
        let places = workers.saturating_add(config.queue);
        Self::with(workers, places, config.max_per_owner, config.wait)
    }

    /// A queue of one worker, whose places any owner may take: the rules about networks are left.
    pub(super) fn of_one(places: usize, wait: Duration) -> Self {
        Self::with(1, places, places, wait)
    }

    fn with(workers: usize, places: usize, per_owner: usize, wait: Duration) -> Self {
        Self {
            wait,
            state: Arc::new(Mutex::new(ScanQueueState {
                workers,
                places,
                per_owner: per_owner.max(1),
                jobs: Vec::new(),
                next: 0,
                networks: Turns::default(),
                owners: Turns::default(),
            })),
        }
    }

    /// Waits for a worker.
    ///
    /// # Errors
    /// [`Error::Share`] if this owner has too many files here; [`Error::Busy`] if all places are taken or the wait takes
    /// too long.
    pub(super) async fn seat(&self, sender: UploadSender) -> Result<ScanPermit, Error> {
        let (seat, called) = self.enter(sender)?;
        match tokio::time::timeout(self.wait, called).await {
            Ok(Ok(())) => Ok(seat),
            // The file lost its place to another, or waited too long. The dropped permit frees what it had.
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }

    /// The files that are being examined, and those that wait.
    pub(super) fn in_hand(&self) -> InHand {
        let state = lock(&self.state);
        let waiting = state.jobs.iter().filter(|job| job.call.is_some()).count();
        InHand {
            examined: state.jobs.len() - waiting,
            waiting,
        }
    }

    fn enter(&self, sender: UploadSender) -> Result<(ScanPermit, oneshot::Receiver<()>), Error> {
        let mut state = lock(&self.state);
        state.make_room(sender)?;
        let (call, called) = oneshot::channel();
        let number = state.next;
        state.next += 1;
        state.jobs.push(ScanJob {
            number,
            sender,
            call: Some(call),
        });
        state.call();
        drop(state);
        let state = Arc::clone(&self.state);
        Ok((ScanPermit { state, number }, called))
    }
}

impl Drop for ScanPermit {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.jobs.retain(|job| job.number != self.number);
        state.call();
    }
}

fn lock(state: &Mutex<ScanQueueState>) -> MutexGuard<'_, ScanQueueState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ScanQueueState {
    /// # Errors
    /// The queue has no place for one more file of this sender.
    fn make_room(&mut self, sender: UploadSender) -> Result<(), Error> {
        let (networks, owners) = self.loads();
        let of_owner = owners.get(&sender.owner).copied().unwrap_or(0);
        if of_owner >= self.per_owner {
            return Err(Error::Share);
        }
        if self.jobs.len() < self.places {
            return Ok(());
        }
        let load = |job: &ScanJob| {
            let network = networks.get(&job.sender.network).copied().unwrap_or(0);
            let owner = owners.get(&job.sender.owner).copied().unwrap_or(0);
            (network, owner)
        };
        let of_network = networks.get(&sender.network).copied().unwrap_or(0);
        let has_more = |job: &ScanJob| {
            if job.sender.network == sender.network {
                load(job).1 > of_owner + 1
            } else {
                load(job).0 > of_network + 1
            }
        };
        let last = self
            .jobs
            .iter()
            .filter(|job| job.call.is_some() && has_more(job))
            .max_by_key(|job| (load(job), job.number))
            .map(|job| job.number);
        let last = last.ok_or(Error::Busy)?;
        // This drops its channel, and so its wait ends.
        self.jobs.retain(|job| job.number != last);
        Ok(())
    }

    /// The number of files of each network and of each owner.
    fn loads(&self) -> (HashMap<Option<IpAddr>, usize>, HashMap<UserId, usize>) {
        let (mut networks, mut owners) = (HashMap::new(), HashMap::new());
        for job in &self.jobs {
            *networks.entry(job.sender.network).or_insert(0) += 1;
            *owners.entry(job.sender.owner).or_insert(0) += 1;
        }
        (networks, owners)
    }

    /// Starts the next files in turn, as long as a worker is free.
    fn call(&mut self) {
        while let Some(sender) = self.call_next() {
            self.networks.served(sender.network);
            self.owners.served(sender.owner);
        }
        if self.jobs.is_empty() {
            (self.networks, self.owners) = (Turns::default(), Turns::default());
        }
    }

    fn call_next(&mut self) -> Option<UploadSender> {
        let is_at_work = |job: &&ScanJob| job.call.is_none();
        if self.jobs.iter().filter(is_at_work).count() >= self.workers {
            return None;
        }
        // If there are two workers, one stays for other owners.
        let most = self.workers.saturating_sub(1).max(1);
        let may_begin = |owner| {
            let working = self.jobs.iter().filter(is_at_work);
            working.filter(|job| job.sender.owner == owner).count() < most
        };
        let number = self
            .jobs
            .iter()
            .filter(|job| job.call.is_some() && may_begin(job.sender.owner))
            .min_by_key(|job| {
                let network = self.networks.turn_of(&job.sender.network);
                (network, self.owners.turn_of(&job.sender.owner), job.number)
            })?
            .number;
        let job = self.jobs.iter_mut().find(|job| job.number == number)?;
        // If nobody waits for it any more, its permit is dropped and starts the next.
        if let Some(call) = job.call.take() {
            let _gone = call.send(());
        }
        Some(job.sender)
    }
}

/// Start-time fair queueing: a served sender goes behind all others, and a new one gains nothing by its absence.
#[derive(Debug)]
struct Turns<K> {
    now: u64,
    next: HashMap<K, u64>,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self {
            now: 0,
            next: HashMap::new(),
        }
    }
}

impl<K: Eq + std::hash::Hash> Turns<K> {
    fn turn_of(&self, key: &K) -> u64 {
        self.next.get(key).copied().unwrap_or(0).max(self.now)
    }

    fn served(&mut self, key: K) {
        let turn = self.turn_of(&key);
        self.now = turn;
        // Senders with an earlier turn need no entry, so the map holds only those of one round.
        self.next.retain(|_, next| *next > turn);
        self.next.insert(key, turn + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(workers: usize, waiting: usize, per_owner: usize) -> ScanQueue {
        let mut config = Config::below("data".as_ref());
        (config.workers, config.queue) = (workers, waiting);
        config.max_per_owner = per_owner;
        ScanQueue::new(&config)
    }

    fn sender(owner: i64, network: u8) -> UploadSender {
        UploadSender {
            owner: UserId::new(owner),
            network: Some([192, 0, 2, network].into()),
        }
    }

    type Waiting = (ScanPermit, oneshot::Receiver<()>);

    fn is_called(waiting: &mut Waiting) -> bool {
        waiting.1.try_recv().is_ok()
    }

    fn is_gone(waiting: &mut Waiting) -> bool {
        waiting.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
    }

    /// One owner fills the queue with files whose examination never ends.
    #[test]
    fn one_owner_fills_neither_the_places_nor_the_workers() {
        let queue = queue(2, 8, 4);
        let mut eve: Vec<Waiting> = (0..4).map(|_| queue.enter(sender(1, 1)).unwrap()).collect();
        let called: Vec<bool> = eve.iter_mut().map(is_called).collect();
        assert_eq!(called, [true, false, false, false]);
        for _ in 0..36 {
            assert!(matches!(queue.enter(sender(1, 1)), Err(Error::Share)));
        }
        let mut ada = queue.enter(sender(2, 2)).unwrap();
        assert!(is_called(&mut ada), "one worker stays for others");
        // The rule also holds for an owner with the address of the first.
        drop(ada);
        let mut bob = queue.enter(sender(3, 1)).unwrap();
        assert!(is_called(&mut bob));
    }

    #[test]
    fn networks_take_turns_and_so_do_their_owners() {
        let queue = queue(1, 20, 5);
        let mut at_work = queue.enter(sender(1, 1)).unwrap();
        assert!(is_called(&mut at_work));
        let mut waiting: Vec<(i64, Waiting)> = Vec::new();
        for (owner, network) in [(1, 1), (1, 1), (1, 1), (2, 1), (3, 2), (3, 2)] {
            waiting.push((owner, queue.enter(sender(owner, network)).unwrap()));
        }
        let mut order = Vec::new();
        let mut seat = at_work;
        while !waiting.is_empty() {
            drop(seat);
            let next = waiting
                .iter_mut()
                .position(|(_, one)| is_called(one))
                .unwrap();
            let (owner, called) = waiting.remove(next);
            order.push(owner);
            seat = called;
        }
        assert_eq!(order, [3, 2, 3, 1, 1, 1]);
    }

    #[test]
    fn the_one_with_most_makes_room_for_one_with_less() {
        let queue = queue(1, 3, 4);
        let mut eve: Vec<Waiting> = (0..4).map(|_| queue.enter(sender(1, 1)).unwrap()).collect();
        let _ada = queue.enter(sender(2, 2)).unwrap();
        assert!(is_gone(&mut eve[3]), "the last one of the first");
        assert!(!is_gone(&mut eve[2]));
        let _bob = queue.enter(sender(3, 1)).unwrap();
        assert!(is_gone(&mut eve[2]), "an owner of the same network too");
        let _cyd = queue.enter(sender(4, 4)).unwrap();
        assert!(is_gone(&mut eve[1]));
        assert!(matches!(queue.enter(sender(5, 4)), Err(Error::Busy)));
    }

    /// One person with many accounts.
    #[test]
    fn many_accounts_of_one_network_hold_no_other_network_up() {
        let queue = queue(2, 8, 4);
        let mut many: Vec<Waiting> = (0..10)
            .map(|n| queue.enter(sender(n, 1)).unwrap())
            .collect();
        assert!(matches!(queue.enter(sender(99, 1)), Err(Error::Busy)));
        let mut ada = queue.enter(sender(100, 2)).unwrap();
        assert!(is_gone(&mut many[9]));
        many.remove(0);
        assert!(is_called(&mut ada), "the next free worker is hers");
    }

    #[test]
    fn a_visitor_who_goes_away_leaves_no_place_taken() {
        let queue = queue(1, 1, 1);
        let at_work = queue.enter(sender(1, 1)).unwrap();
        let waits = queue.enter(sender(2, 2)).unwrap();
        drop(waits);
        let mut next = queue.enter(sender(3, 3)).unwrap();
        assert!(!is_called(&mut next));
        drop(at_work);
        assert!(is_called(&mut next));
        drop(next);
        let state = lock(&queue.state);
        assert!(state.jobs.is_empty() && state.owners.next.is_empty());
    }
}
