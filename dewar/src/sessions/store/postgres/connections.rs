use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Held, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::super::place::{Address, Host, StoreTls, password};
use super::tls;
use crate::audit::peer_text;
use crate::sessions::Error;

/// How long Dewar waits for a connection, and for a response.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 600 } else { 5 });
/// The number of connections. Requests share them, because the server answers in the order of the queries.
const CONNECTIONS: usize = 4;

/// The tables. If two nodes start at once, both would make them, so one waits for the other.
const TABLES: &str = "BEGIN;
    SELECT pg_advisory_xact_lock(7235421881);
    CREATE TABLE IF NOT EXISTS dewar_sessions (
        token_hash bytea PRIMARY KEY,
        id bytea NOT NULL UNIQUE,
        user_id bigint NOT NULL,
        generation bigint NOT NULL,
        created_at bigint NOT NULL,
        seen_at bigint NOT NULL,
        proved_at bigint NOT NULL,
        roles text NOT NULL,
        device text NOT NULL,
        address text NOT NULL
    );
    CREATE INDEX IF NOT EXISTS dewar_sessions_of_user ON dewar_sessions (user_id, created_at);
    CREATE INDEX IF NOT EXISTS dewar_sessions_by_seen ON dewar_sessions (seen_at);
    CREATE TABLE IF NOT EXISTS dewar_session_values (
        session_id bytea NOT NULL REFERENCES dewar_sessions (id) ON DELETE CASCADE,
        name text NOT NULL,
        version bigint NOT NULL,
        json text NOT NULL,
        PRIMARY KEY (session_id, name)
    );
    COMMIT;";

/// The connections that requests share, and one for changes of several statements.
pub(super) struct Connections {
    config: Config,
    tls: Option<tls::Verified>,
    connections: [Mutex<Option<Arc<Connection>>>; CONNECTIONS],
    turn: AtomicUsize,
    /// A connection for changes of several statements.
    pub(super) alone: Mutex<Option<Client>>,
}

/// A connection with its prepared statements.
struct Connection {
    client: Client,
    prepared: Held<HashMap<&'static str, Statement>>,
}

impl Connections {
    pub(super) async fn reach(address: &Address) -> Result<Self, Error> {
        let mut config = Config::new();
        match &address.host {
            Host::Named(name) => config.host(name),
            Host::Socket(path) => config.host_path(path),
        };
        config
            .port(address.port)
            .connect_timeout(PATIENCE)
            .application_name("dewar")
            // After this time Dewar gives up, so the server stops too.
            .options("-c statement_timeout=5000 -c lock_timeout=5000");
        if let Some(user) = &address.user {
            config.user(user);
        }
        if let Some(name) = &address.database {
            config.dbname(name);
        }
        if let Some(password) = password(address)? {
            config.password(password.expose());
        }
        let tls = match address.tls {
            StoreTls::Local => None,
            StoreTls::Verified => {
                config.ssl_mode(tokio_postgres::config::SslMode::Require);
                Some(tls::Verified::new(address.ca_file.as_deref())?)
            }
        };
        let store = Self {
            config,
            tls,
            connections: Default::default(),
            turn: AtomicUsize::new(0),
            alone: Mutex::default(),
        };
        store.connection().await?;
        Ok(store)
    }

    pub(super) async fn make_tables(&self) -> Result<(), Error> {
        let connection = self.connection().await?;
        patient(connection.client.batch_execute(TABLES)).await
    }

    /// One of the connections, opened again if it was lost.
    async fn connection(&self) -> Result<Arc<Connection>, Error> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let place = self.connections.get(turn);
        let place = place.ok_or_else(|| Error::Unreachable("no connection".to_owned()))?;
        let mut place = place.lock().await;
        if let Some(connection) = place.as_ref().filter(|open| !open.client.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        let connection = Arc::new(Connection {
            client: self.connect().await?,
            prepared: Held::default(),
        });
        *place = Some(Arc::clone(&connection));
        Ok(connection)
    }

    pub(super) async fn connect(&self) -> Result<Client, Error> {
        let lost = |error: tokio_postgres::Error| {
            let error = peer_text(&error);
            tracing::warn!(%error, "a connection to the session store was lost");
        };
        match &self.tls {
            None => {
                let (client, io) = patient(self.config.connect(NoTls)).await?;
                tokio::spawn(async move { io.await.unwrap_or_else(lost) });
                Ok(client)
            }
            Some(tls) => {
                let (client, io) = patient(self.config.connect(tls.clone())).await?;
                tokio::spawn(async move { io.await.unwrap_or_else(lost) });
                Ok(client)
            }
        }
    }

    pub(super) async fn query(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let connection = self.connection().await?;
        let statement = connection.statement(sql).await?;
        patient(connection.client.query(&statement, values)).await
    }

    pub(super) async fn execute(
        &self,
        sql: &'static str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        let connection = self.connection().await?;
        let statement = connection.statement(sql).await?;
        patient(connection.client.execute(&statement, values)).await
    }
}

impl Connection {
    async fn statement(&self, sql: &'static str) -> Result<Statement, Error> {
        let prepared = || self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(statement) = prepared().get(sql).cloned() {
            return Ok(statement);
        }
        let statement = patient(self.client.prepare(sql)).await?;
        prepared().insert(sql, statement.clone());
        Ok(statement)
    }
}

/// If a server does not answer in time, it counts as unreachable.
pub(super) async fn patient<T>(
    asked: impl Future<Output = Result<T, tokio_postgres::Error>> + Send,
) -> Result<T, Error> {
    match timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(told(&error)),
        Err(_) => Err(Error::Unreachable("it does not respond".to_owned())),
    }
}

fn told(error: &tokio_postgres::Error) -> Error {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        Error::Collision
    } else if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
        Error::Ended
    } else if let Some(answer) = error.as_db_error() {
        // Without the detail, which repeats values.
        let said = format_args!("{}: {}", answer.code().code(), answer.message());
        Error::Unreachable(peer_text(&said))
    } else {
        let mut text = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            text.push_str(&format!(": {cause}"));
        }
        Error::Unreachable(peer_text(&text))
    }
}
