//! The one task of the room: it reads events that any node published, and looks whether the connections may stay open.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::connection::{Connection, Credential, EndReason};
use super::handle::Live;
use super::rows;
use crate::database;
use crate::pages::{Error, TokenRights};
use crate::sessions::SessionWatch;

/// How often a node looks for events of other nodes. Its own it reads at once.
const POLL_EVERY: Duration = Duration::from_millis(500);
/// How often the rights of the connections are read. A connection is closed within two seconds after its right ended.
const RIGHTS_EVERY: Duration = Duration::from_secs(1);
/// How often in a row the rights may not be readable, before Dewar closes all connections.
const BLIND: u32 = 2;
/// How often Dewar looks for events that an older transaction holds back, and the age from which on it says so.
const HELD_BACK: Duration = Duration::from_secs(10);

impl Live {
    /// Runs until the program stops, and then ends all connections: their clients come back to another node, or to the next
    /// program.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<()>) {
        let mut every = interval(POLL_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rights_at = Instant::now();
        let mut held_back_at = rights_at + HELD_BACK;
        loop {
            tokio::select! {
                _ = stopped.changed() => break,
                _ = every.tick() => {}
                () = self.0.wake.notified() => {}
            }
            let work = async {
                self.read_events().await;
                if Instant::now() >= rights_at {
                    rights_at = Instant::now() + RIGHTS_EVERY;
                    self.check_rights().await;
                }
                if Instant::now() >= held_back_at {
                    held_back_at = Instant::now() + HELD_BACK;
                    self.report_held_back().await;
                }
            };
            tokio::select! {
                _ = stopped.changed() => break,
                () = work => {}
            }
        }
        self.0.hub.stop();
    }

    /// Begins to follow the events, if nobody has been connected before.
    pub(super) async fn follow(&self) -> Result<(), database::Error> {
        let mut position = self.0.position.lock().await;
        if position.is_none() {
            *position = Some(rows::end(&self.0.db).await?);
        }
        Ok(())
    }

    async fn read_events(&self) {
        let mut position = self.0.position.lock().await;
        if self.0.hub.is_empty() {
            *position = None;
            return;
        }
        while let Some(at) = *position {
            let published = match rows::after(&self.0.db, at).await {
                Ok(published) => published,
                Err(error) => {
                    tracing::warn!(%error, "live events were not read");
                    return;
                }
            };
            let (read, last) = (published.len(), published.last().map(|last| last.at));
            for published in published {
                self.0.hub.deliver(&Arc::new(published));
            }
            *position = last.or(Some(at));
            if read < rows::AT_ONCE {
                return;
            }
        }
    }

    /// Says that pages wait for events, because a transaction of the server does not end.
    async fn report_held_back(&self) {
        if self.0.hub.is_empty() {
            return;
        }
        let seconds = i64::try_from(HELD_BACK.as_secs()).unwrap_or(i64::MAX);
        let before = self.0.clock.now().saturating_sub(seconds);
        // A read that fails is reported where the events are read.
        if let Ok(events @ 1..) = rows::held_back(&self.0.db, before).await {
            tracing::warn!(
                events,
                "live events wait for a transaction of the database server that was begun before them and still runs"
            );
        }
    }

    /// Ends the connections whose right is over: one statement for each 500 sessions, and for each 500 tokens.
    pub(super) async fn check_rights(&self) {
        let connections = self.0.hub.connections();
        match self.over(&connections).await {
            Ok(over) => {
                self.0.blind.store(0, Ordering::Relaxed);
                for connection in over {
                    self.0.hub.end(connection, EndReason::Over);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the rights of live connections were not read");
                // Nobody knows any more who may see the events.
                if self.0.blind.fetch_add(1, Ordering::Relaxed) + 1 >= BLIND {
                    for connection in &connections {
                        self.0.hub.end(connection, EndReason::Renew);
                    }
                }
            }
        }
    }

    /// Whether the right of a connection still holds: read for each message that may change something.
    ///
    /// # Errors
    /// The rights cannot be read.
    pub(super) async fn still_holds(&self, connection: &Arc<Connection>) -> Result<bool, Error> {
        if connection.has_ended().is_some() {
            return Ok(false);
        }
        let over = !self
            .over(std::slice::from_ref(connection))
            .await?
            .is_empty();
        if over {
            self.0.hub.end(connection, EndReason::Over);
        }
        Ok(!over)
    }

    async fn over<'a>(
        &self,
        connections: &'a [Arc<Connection>],
    ) -> Result<Vec<&'a Connection>, Error> {
        let mut sessions: HashMap<SessionWatch, Vec<&Connection>> = HashMap::new();
        let mut tokens: HashMap<String, Vec<(&Connection, TokenRights)>> = HashMap::new();
        for connection in connections {
            match connection.credential() {
                Credential::Session(watch) => sessions.entry(watch).or_default().push(connection),
                Credential::Token { id, rights } => {
                    tokens.entry(id).or_default().push((connection, rights));
                }
                Credential::Visitor => {}
            }
        }
        let mut over = Vec::new();
        let watched: Vec<_> = sessions.keys().cloned().collect();
        let holds = self.0.sessions.still_hold(&watched).await?;
        for (watch, holds) in watched.iter().zip(holds) {
            if !holds && let Some(connections) = sessions.get(watch) {
                over.extend(connections);
            }
        }
        let ids: Vec<_> = tokens.keys().cloned().collect();
        let rights = self.0.tokens.rights_now(&ids).await?;
        for (id, connections) in &tokens {
            let now = rights.get(id);
            let ended = connections
                .iter()
                .filter(|(_, rights)| now != Some(rights))
                .map(|(connection, _)| *connection);
            over.extend(ended);
        }
        Ok(over)
    }
}
