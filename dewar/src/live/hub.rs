//! The open connections of this node, by holder and by topic.

use std::borrow::Cow;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::Config;
use super::connection::{Connection, EndReason};
use super::rows::Published;
use crate::sessions::UserId;

/// Who holds a connection, for the limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// A visitor, by the network address.
    Address(Option<IpAddr>),
    /// The token of a service.
    Service(String),
    User(UserId),
}

/// Why there is no place for one more connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// In all, or of all visitors, or the program stops.
    All,
    /// For this holder.
    Holder,
}

/// Figures for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LiveCounts {
    /// Connections that are open.
    pub(crate) open: u64,
    /// Events that were put before a connection.
    pub(crate) events: u64,
    /// Connections that missed events, because their client read too slowly.
    pub(crate) missed: u64,
    /// Connections that were closed because their session, token or role ended.
    pub(crate) ended: u64,
}

#[derive(Debug)]
pub(super) struct Hub {
    config: Config,
    open: Mutex<Open>,
    events: AtomicU64,
    missed: AtomicU64,
    ended: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    stopped: bool,
    connections: HashMap<u64, Arc<Connection>>,
    /// Connections of visitors.
    visitors: usize,
    holders: HashMap<Holder, usize>,
    topics: HashMap<Cow<'static, str>, Vec<u64>>,
}

impl Hub {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            open: Mutex::default(),
            events: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        }
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// Takes a place for one more connection.
    ///
    /// # Errors
    /// The holder has as many as the settings allow, or all have.
    pub(super) fn take(self: &Arc<Self>, holder: Holder) -> Result<Place, Full> {
        let most = match holder {
            Holder::Address(_) => self.config.max_connections_per_address,
            Holder::Service(_) | Holder::User(_) => self.config.max_connections_per_user,
        };
        let mut open = self.open();
        if open.holders.get(&holder).is_some_and(|held| *held >= most) {
            return Err(Full::Holder);
        }
        // Visitors, who have as many addresses as they like, leave half to those who have signed in.
        let is_visitor = matches!(holder, Holder::Address(_));
        let is_full = open.connections.len() >= self.config.max_connections
            || is_visitor && open.visitors >= (self.config.max_connections / 2).max(1);
        if open.stopped || is_full {
            return Err(Full::All);
        }
        open.visitors += usize::from(is_visitor);
        *open.holders.entry(holder.clone()).or_default() += 1;
        let number = open.next;
        open.next += 1;
        let connection = Arc::new(Connection::new(self.config.buffer));
        open.connections.insert(number, Arc::clone(&connection));
        drop(open);
        Ok(Place {
            hub: Arc::clone(self),
            number,
            holder,
            topics: Vec::new(),
            connection,
        })
    }

    /// Puts an event before the connections that watch its topic.
    pub(super) fn deliver(&self, published: &Arc<Published>) {
        let connections: Vec<_> = {
            let open = self.open();
            let numbers = open.topics.get(&published.topic);
            let numbers = numbers.map_or(&[][..], Vec::as_slice);
            let connections = numbers
                .iter()
                .filter_map(|number| open.connections.get(number));
            connections.cloned().collect()
        };
        for connection in connections {
            self.events.fetch_add(1, Ordering::Relaxed);
            if connection.put(published) {
                self.missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn connections(&self) -> Vec<Arc<Connection>> {
        self.open().connections.values().cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open().connections.is_empty()
    }

    pub(super) fn end(&self, connection: &Connection, reason: EndReason) {
        if connection.end(reason) && reason == EndReason::Over {
            self.ended.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends all connections, and takes no further ones.
    pub(super) fn stop(&self) {
        self.open().stopped = true;
        for connection in self.connections() {
            connection.end(EndReason::Restart);
        }
    }

    pub(super) fn counts(&self) -> LiveCounts {
        let open = u64::try_from(self.open().connections.len()).unwrap_or(u64::MAX);
        LiveCounts {
            open,
            events: self.events.load(Ordering::Relaxed),
            missed: self.missed.load(Ordering::Relaxed),
            ended: self.ended.load(Ordering::Relaxed),
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's place; its end gives it back.
#[derive(Debug)]
pub(super) struct Place {
    hub: Arc<Hub>,
    number: u64,
    holder: Holder,
    topics: Vec<Cow<'static, str>>,
    pub(super) connection: Arc<Connection>,
}

impl Place {
    pub(super) const fn holder(&self) -> &Holder {
        &self.holder
    }

    /// From now on the connection gets the events of these topics.
    pub(super) fn watch(&mut self, topics: &[Cow<'static, str>]) {
        let mut open = self.hub.open();
        for topic in topics {
            let watching = open.topics.entry(topic.clone()).or_default();
            if !watching.contains(&self.number) {
                watching.push(self.number);
                self.topics.push(topic.clone());
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.hub.open();
        open.connections.remove(&self.number);
        open.visitors -= usize::from(matches!(self.holder, Holder::Address(_)));
        for topic in &self.topics {
            if let Some(watching) = open.topics.get_mut(topic) {
                watching.retain(|number| *number != self.number);
                if watching.is_empty() {
                    open.topics.remove(topic);
                }
            }
        }
        if let Some(held) = open.holders.get_mut(&self.holder) {
            *held -= 1;
            if *held == 0 {
                open.holders.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS: V15.2.2
    #[test]
    fn places_are_bounded_for_each_holder_and_in_all_and_given_back() {
        let hub = Arc::new(Hub::new(Config {
            max_connections: 6,
            max_connections_per_user: 2,
            max_connections_per_address: 3,
            ..Config::default()
        }));
        let ada = || hub.take(Holder::User(UserId::new(1)));
        let visitor = || hub.take(Holder::Address(None));
        let (mut one, two) = (ada().unwrap(), ada().unwrap());
        assert_eq!(ada().unwrap_err(), Full::Holder);
        let visitors: Vec<_> = (0..3).map(|_| visitor().unwrap()).collect();
        // From another address: visitors together have half.
        let elsewhere = Holder::Address(Some(IpAddr::from([192, 0, 2, 7])));
        assert_eq!(hub.take(elsewhere.clone()).unwrap_err(), Full::All);
        let service = || hub.take(Holder::Service("t".to_owned()));
        let of_service = service().unwrap();
        assert_eq!(service().unwrap_err(), Full::All);
        drop(visitors);
        assert!(service().is_ok() && hub.take(elsewhere).is_ok());
        drop(of_service);
        one.watch(&["a".into(), "b".into(), "a".into()]);
        assert_eq!(hub.open().topics.len(), 2);
        drop((one, two));
        assert!(hub.is_empty());
        let open = hub.open();
        assert!(open.topics.is_empty() && open.holders.is_empty() && open.visitors == 0);
        drop(open);
        hub.stop();
        assert_eq!(ada().unwrap_err(), Full::All);
    }
}
