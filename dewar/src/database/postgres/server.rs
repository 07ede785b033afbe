//! How a connection to the server is made.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use data_encoding::HEXLOWER;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, config::SslMode};

use super::{connection::Connection, tls::Verified};
use crate::audit::peer_text;
use crate::database::{
    Config, Error, PostgresServer,
    address::{Host, ServerTls, read_password},
    models::Models,
};
use crate::secrets::random;

/// How long Dewar waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 600 } else { 5 });

/// How long a transaction may wait for the program, before the server ends it.
const LEFT_OPEN: Duration = Duration::from_secs(60);

/// How long a migration waits for another node's.
const OTHER_NODE: Duration = Duration::from_secs(300);

/// How long a rehearsal may take: it holds locks that the application waits for.
pub(super) const TRIED: Duration = Duration::from_secs(30);

/// How long a rehearsal waits for a table. Whoever wants the table after it waits as long.
const TRIED_LOCK: Duration = Duration::from_secs(1);

/// How long a start waits for its node's name: a program that was just stopped gives it back at its end.
const NAME: Duration = Duration::from_secs(5);

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The connection holds a lock for as long as the program runs.
    Hold,
    /// Tables are changed, by the role that may.
    Migrate,
    /// Changes of tables are tried, and rolled back, by the same role.
    Rehearse,
    /// The server itself refuses every change.
    Read,
    /// Every statement is a transaction of its own, or part of one, that runs as if it were alone.
    Write,
}

/// The server and the settings of its connections.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) place: PostgresServer,
    statement_timeout: Duration,
    acquire_timeout: Duration,
    /// The trusted CAs, which take milliseconds to load.
    tls: Mutex<Option<Verified>>,
    pub(super) models: Arc<Models>,
    /// A connection was found to have a session of the server to itself.
    has_sessions: AtomicBool,
}

impl Server {
    pub(super) fn new(place: &PostgresServer, config: &Config, models: &Arc<Models>) -> Self {
        Self {
            place: place.clone(),
            statement_timeout: config.statement_timeout,
            acquire_timeout: config.acquire_timeout,
            tls: Mutex::default(),
            models: Arc::clone(models),
            has_sessions: AtomicBool::new(false),
        }
    }

    /// How long to wait for a response: longer than the lock, the statement and the commit may take together.
    pub(super) fn patience(&self) -> Duration {
        self.acquire_timeout + 2 * self.statement_timeout + PATIENCE
    }

    pub(super) fn unreachable(&self, why: &dyn std::fmt::Display) -> Error {
        Error::Unreachable {
            server: self.place.address.to_string(),
            why: peer_text(&why),
        }
    }

    pub(super) async fn connect(&self, purpose: Purpose) -> Result<Connection, Error> {
        let config = self.config(purpose)?;
        let connecting = self.client(&config);
        let client = match timeout(PATIENCE, connecting).await {
            Ok(client) => client?,
            Err(_) => return Err(self.unreachable(&"it does not respond")),
        };
        let mut connection = Connection::new(client, &self.models);
        // Not among the first words of the connection (`options`), which a pooler refuses or drops.
        connection.batch(&self.settings(purpose)).await?;
        if !self.has_sessions.load(Ordering::Relaxed) {
            self.check_session(&config, &connection).await?;
            self.has_sessions.store(true, Ordering::Relaxed);
        }
        if purpose == Purpose::Read && !connection.only_reads().await? {
            return Err(self.unreachable(
                &"a pooler before it drops the settings of Dewar's connections: connect to the server itself",
            ));
        }
        Ok(connection)
    }

    /// Refuses a pooler that gives the statements of one connection to several sessions of the server: locks, settings and prepared
    /// statements would be those of other connections. Another connection changes a setting of its own, and that of this one
    /// must be as before.
    async fn check_session(
        &self,
        config: &tokio_postgres::Config,
        connection: &Connection,
    ) -> Result<(), Error> {
        let [own, others] = [(); 2].map(|()| HEXLOWER.encode(&random::<8>()));
        let mark = |mark: &str| format!("SET dewar.session = '{mark}'");
        let other = Connection::new(self.client(config).await?, &self.models);
        connection.batch(&mark(&own)).await?;
        other.batch(&mark(&others)).await?;
        for _ in 0..3 {
            if connection.mark().await?.as_deref() != Some(own.as_str()) {
                return Err(self.unreachable(
                    &"a pooler before it gives the statements of one connection to several sessions of the server: set PgBouncer's `pool_mode = session` for this database, or connect to the server itself",
                ));
            }
        }
        Ok(())
    }

    async fn client(&self, config: &tokio_postgres::Config) -> Result<Client, Error> {
        let refused = |error: tokio_postgres::Error| self.unreachable(&told(&error));
        let lost = |error: tokio_postgres::Error| {
            let error = peer_text(&error);
            tracing::warn!(%error, "a connection to the database was lost");
        };
        match self.tls()? {
            None => {
                let (client, io) = config.connect(NoTls).await.map_err(refused)?;
                tokio::spawn(async move { io.await.unwrap_or_else(lost) });
                Ok(client)
            }
            Some(tls) => {
                let (client, io) = config.connect(tls).await.map_err(refused)?;
                tokio::spawn(async move { io.await.unwrap_or_else(lost) });
                Ok(client)
            }
        }
    }

    /// Stops the statement that this connection runs.
    pub(super) async fn cancel(&self, token: tokio_postgres::CancelToken) {
        let stopping = async {
            match self.tls() {
                Ok(Some(tls)) => token.cancel_query(tls).await.map_err(Error::from),
                Ok(None) => token.cancel_query(NoTls).await.map_err(Error::from),
                Err(error) => Err(error),
            }
        };
        if !matches!(timeout(PATIENCE, stopping).await, Ok(Ok(()))) {
            tracing::debug!("a statement was not stopped");
        }
    }

    fn tls(&self) -> Result<Option<Verified>, Error> {
        let address = &self.place.address;
        if address.tls == ServerTls::Local {
            return Ok(None);
        }
        let mut kept = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            let read = Verified::new(address.ca_file.as_deref());
            *kept = Some(read.map_err(|why| self.unreachable(&why))?);
        }
        Ok(kept.clone())
    }

    fn config(&self, purpose: Purpose) -> Result<tokio_postgres::Config, Error> {
        let (place, address) = (&self.place, &self.place.address);
        let mut config = tokio_postgres::Config::new();
        match &address.host {
            Host::Named(name) => config.host(name),
            Host::Socket(path) => config.host_path(path),
        };
        config
            .port(address.port)
            .connect_timeout(PATIENCE)
            .application_name("dewar");
        if address.tls == ServerTls::Verified {
            config.ssl_mode(SslMode::Require);
        }
        let (user, password_file) = match &place.migration_user {
            Some(user) if matches!(purpose, Purpose::Migrate | Purpose::Rehearse) => {
                (Some(user), place.migration_password_file.as_deref())
            }
            _ => (address.user.as_ref(), address.password_file.as_deref()),
        };
        if let Some(user) = user {
            config.user(user);
        }
        if let Some(name) = &address.database {
            config.dbname(name);
        }
        if let Some(file) = password_file {
            let password = read_password(file).map_err(|error| self.unreachable(&error))?;
            config.password(password.expose());
        }
        Ok(config)
    }

    /// The settings of a session. The values are numbers, and a name that was checked.
    fn settings(&self, purpose: Purpose) -> String {
        let (timeout, lock) = match purpose {
            Purpose::Hold => (Duration::ZERO, NAME),
            Purpose::Migrate => (Duration::ZERO, OTHER_NODE),
            Purpose::Rehearse => (TRIED, TRIED_LOCK),
            Purpose::Read | Purpose::Write => (self.statement_timeout, self.acquire_timeout),
        };
        let mut settings = format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET TimeZone = 'UTC'",
            timeout.as_millis(),
            lock.as_millis(),
            LEFT_OPEN.as_millis()
        );
        settings.push_str(match purpose {
            // If the machine of the program is cut off, the server notices after 25 seconds and not after two hours.
            Purpose::Hold => {
                "; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
            }
            Purpose::Migrate | Purpose::Rehearse | Purpose::Write => "",
            Purpose::Read => "; SET default_transaction_read_only = on",
        });
        if let Some(schema) = &self.place.schema {
            settings.push_str("; SET search_path = \"");
            settings.push_str(schema);
            settings.push('"');
        }
        settings
    }
}

/// An error of the server without its detail, which repeats values.
fn told(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        return format!("{}: {}", answer.code().code(), answer.message());
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
