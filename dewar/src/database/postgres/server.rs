//! How a connection to the server is made.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::timeout;
use tokio_postgres::{Client, NoTls, config::SslMode};

use super::{connection::Connection, tls::Verified};
use crate::audit::peer_text;
use crate::database::{
    Config, Error, PostgresServer,
    address::{Host, ServerTls, read_password},
    models::Models,
};

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
}

impl Server {
    pub(super) fn new(place: &PostgresServer, config: &Config, models: &Arc<Models>) -> Self {
        Self {
            place: place.clone(),
            statement_timeout: config.statement_timeout,
            acquire_timeout: config.acquire_timeout,
            tls: Mutex::default(),
            models: Arc::clone(models),
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
        if purpose == Purpose::Read && !connection.only_reads().await? {
            return Err(self.unreachable(
                &"a pooler before it drops the settings of Dewar's connections: connect to the server itself",
            ));
        }
        Ok(connection)
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
            .application_name("dewar")
            .options(self.options(purpose));
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
    fn options(&self, purpose: Purpose) -> String {
        let (timeout, lock) = match purpose {
            Purpose::Hold => (Duration::ZERO, NAME),
            Purpose::Migrate => (Duration::ZERO, OTHER_NODE),
            Purpose::Rehearse => (TRIED, TRIED_LOCK),
            Purpose::Read | Purpose::Write => (self.statement_timeout, self.acquire_timeout),
        };
        let mut options = format!(
            "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={} -c TimeZone=UTC",
            timeout.as_millis(),
            lock.as_millis(),
            LEFT_OPEN.as_millis()
        );
        options.push_str(match purpose {
            // If the machine of the program is cut off, the server notices after 25 seconds and not after two hours.
            Purpose::Hold => {
                " -c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
            }
            Purpose::Migrate | Purpose::Rehearse | Purpose::Write => "",
            Purpose::Read => " -c default_transaction_read_only=on",
        });
        if let Some(schema) = &self.place.schema {
            options.push_str(" -c search_path=");
            options.push('"');
            options.push_str(schema);
            options.push('"');
        }
        options
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
