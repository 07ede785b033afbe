//! The lock on the name of a node: one program at a time holds it, as long as its connection lives.
//!
//! It is an advisory lock of the session, so the server itself releases it when a program ends, however it ends.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    Postgres,
    connection::{Connection, Scope},
    server::Purpose,
};
use crate::database::{Error, Row};
use crate::secrets::sha256;

/// How long the server may take to say that the connection lives.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 600 } else { 5 });

/// How a name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// It is free now, or it is not.
    Once,
    /// The program before it may just be ending.
    Patiently,
}

/// A name that this program holds.
#[derive(Debug)]
pub(crate) struct HeldName {
    connection: Connection,
    session: Session,
}

/// A session of the server. If its connection was cut, the server may not have noticed yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    process: i64,
    began: i64,
}

impl HeldName {
    /// Whether the session is still there, and with it the lock.
    pub(crate) async fn is_alive(&self) -> bool {
        !self.connection.is_closed()
            && matches!(
                timeout(PATIENCE, self.connection.batch("SELECT 1")).await,
                Ok(Ok(()))
            )
    }

    pub(crate) const fn session(&self) -> Session {
        self.session
    }

    /// Gives the name back.
    pub(crate) async fn release(self) {
        let released = self.connection.batch("SELECT pg_advisory_unlock_all()");
        // The server releases it with the connection in any case.
        drop(timeout(PATIENCE, released).await);
    }
}

impl Postgres {
    /// Takes the name of a node. None if another program has it.
    pub(crate) async fn take_name(
        &self,
        name: &str,
        asking: Asking,
    ) -> Result<Option<HeldName>, Error> {
        let mut connection = self.server.connect(Purpose::Hold).await?;
        let key = self.key(&schema(&mut connection).await?, name);
        // It waits as long as `lock_timeout` of this connection says.
        let wait = match asking {
            Asking::Once => "SET lock_timeout = '1ms'; ",
            Asking::Patiently => "",
        };
        let lock = format!("{wait}SELECT pg_advisory_lock({key})");
        match connection.batch(&lock).await {
            Ok(()) => {}
            Err(Error::Busy) => return Ok(None),
            Err(error) => return Err(error),
        }
        let session = session(&mut connection).await?;
        Ok(Some(HeldName {
            connection,
            session,
        }))
    }

    /// Ends a session of this program whose connection was lost, if the server still keeps it.
    pub(crate) async fn end_session(&self, session: Session) -> Result<(), Error> {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE pid = ? AND CAST(extract(epoch FROM backend_start) * 1000000 AS bigint) = ?";
        let values = [session.process.into(), session.began.into()];
        self.read::<Row>(sql, &values).await.map(drop)
    }

    /// Those of these names that a program holds.
    pub(crate) async fn names_held(&self, names: Vec<String>) -> Result<Vec<String>, Error> {
        let rows = self
            .read::<Row>("SELECT coalesce(CAST(current_schema() AS text), '')", &[])
            .await?;
        let schema: String = rows.first().map_or(Ok(String::new()), |row| row.get(0))?;
        let find = "SELECT CAST(CAST(classid AS bigint) << 32 | CAST(objid AS bigint) AS bigint) FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 1 AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let rows = self.read::<Row>(find, &[]).await?;
        let held: Vec<i64> = rows
            .iter()
            .map(|row| row.get(0))
            .collect::<Result<_, _>>()?;
        let mut names = names;
        names.retain(|name| held.contains(&self.key(&schema, name)));
        Ok(names)
    }

    /// The key of a name. A database may have several applications, each in its schema.
    fn key(&self, current: &str, name: &str) -> i64 {
        // Before the first start, the schema of the address does not exist and is not current.
        let schema = self.server.place.schema.as_deref().unwrap_or(current);
        let hash = sha256(format!("dewar node\0{schema}\0{name}").as_bytes());
        let (first, _) = hash.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        i64::from_be_bytes(*first)
    }
}

async fn schema(connection: &mut Connection) -> Result<String, Error> {
    let sql = "SELECT coalesce(CAST(current_schema() AS text), '')";
    let rows = connection.query::<Row>(Scope::Alone, (sql, &[])).await?;
    rows.first().map_or(Ok(String::new()), |row| row.get(0))
}

async fn session(connection: &mut Connection) -> Result<Session, Error> {
    let sql =
        "SELECT CAST(pid AS bigint), CAST(extract(epoch FROM backend_start) * 1000000 AS bigint)
        FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let rows = connection.query::<Row>(Scope::Alone, (sql, &[])).await?;
    let row = rows.first().ok_or(Error::NotFound)?;
    Ok(Session {
        process: row.get(0)?,
        began: row.get(1)?,
    })
}
