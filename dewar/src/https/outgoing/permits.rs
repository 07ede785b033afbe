//! How many requests and look-ups are under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use url::Url;

use super::error::Error;
use super::spelled_once;

/// The most look-ups of names at the same moment. Each blocks a thread, of which the program has a limited number.
const MOST_LOOKUPS: usize = 32;

/// The limits of one reach: in all, for each host, and for look-ups.
#[derive(Debug)]
pub(super) struct Permits {
    all: Semaphore,
    per_host: usize,
    /// A host is here as long as a request to it waits or runs.
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
    lookups: Arc<Semaphore>,
}

/// Held while a request to a host is under way.
#[derive(Debug)]
pub(super) struct HostPermit<'a> {
    _all: SemaphorePermit<'a>,
    _host: OwnedSemaphorePermit,
}

impl Permits {
    pub(super) fn new(all: u64, per_host: u64) -> Self {
        let number = |count: u64| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            count.min(Semaphore::MAX_PERMITS)
        };
        Self {
            all: Semaphore::new(number(all)),
            per_host: number(per_host),
            hosts: Mutex::default(),
            lookups: Arc::new(Semaphore::new(number(all).min(MOST_LOOKUPS))),
        }
    }

    pub(super) const fn lookups(&self) -> &Arc<Semaphore> {
        &self.lookups
    }

    /// Waits until one more request to the host of this address may run.
    ///
    /// The host comes first: requests that wait for a slow host take no place from requests to others.
    pub(super) async fn of_host(&self, url: &Url) -> Result<HostPermit<'_>, Error> {
        let host = url.host().map(|host| spelled_once(host.to_owned()));
        let host = host.map(|host| host.to_string()).unwrap_or_default();
        let host = self.semaphore(host).acquire_owned().await;
        let all = self.all.acquire().await;
        Ok(HostPermit {
            _all: all.map_err(|_| Error::Busy)?,
            _host: host.map_err(|_| Error::Busy)?,
        })
    }

    fn semaphore(&self, host: String) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.retain(|_, semaphore| semaphore.strong_count() > 0);
        let known = hosts.get(&host).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let new = Arc::new(Semaphore::new(self.per_host));
            hosts.insert(host, Arc::downgrade(&new));
            new
        })
    }
}
