use std::collections::HashMap;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use sea_orm::Value;

use super::cache::SessionCache;
use super::counts::{self, Charge, Charged};
use super::roles::{in_order, person_columns};
use super::{SessionStore, StoredValue, ValueWrite, WriteOutcome};
use crate::database::{self, Db, Migration, Row, Sql, Tx};
use crate::sessions::record::{
    Hash, Live, New, Person, Renewal, SessionId, SessionInfo, SessionLookup,
};
use crate::sessions::{Error, Principal, UserId};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new(
        "dewar_sessions_0001",
        "CREATE TABLE dewar_sessions (
        token_hash BLOB NOT NULL PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES dewar_users (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        seen_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dewar_sessions_of_user ON dewar_sessions (user_id);
    CREATE INDEX dewar_sessions_by_seen ON dewar_sessions (seen_at);",
    ),
    // All users sign in again, because the old rows do not record where they were begun.
    Migration::new(
        "dewar_sessions_0002",
        "DROP TABLE dewar_sessions;
        CREATE TABLE dewar_sessions (
            token_hash BLOB NOT NULL PRIMARY KEY,
            id BLOB NOT NULL UNIQUE,
            user_id INTEGER NOT NULL REFERENCES dewar_users (id) ON DELETE CASCADE,
            generation INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            proved_at INTEGER NOT NULL,
            roles TEXT NOT NULL,
            device TEXT NOT NULL,
            address TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dewar_sessions_of_user ON dewar_sessions (user_id, created_at);
        CREATE INDEX dewar_sessions_by_seen ON dewar_sessions (seen_at);
        CREATE TABLE dewar_session_values (
            session_id BLOB NOT NULL REFERENCES dewar_sessions (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            version INTEGER NOT NULL,
            json TEXT NOT NULL,
            PRIMARY KEY (session_id, name)
        ) STRICT, WITHOUT ROWID;
        ALTER TABLE dewar_users ADD COLUMN session_generation INTEGER NOT NULL DEFAULT 0;",
    ),
    counts::COUNTS,
];

/// What [`read_session`] reads, and from where.
macro_rules! session_columns {
    ($($more:literal)?) => {
        concat!(
            person_columns!(),
            ", s.id, s.generation, s.created_at, s.seen_at, s.proved_at, s.roles",
            $($more,)?
            " FROM dewar_sessions s JOIN dewar_users u ON u.id = s.user_id"
        )
    };
}

/// The only read of the framework for a signed-in request: session, user and roles together. Most requests find its result in
/// the cache.
pub(super) const FIND: &str = concat!("SELECT ", session_columns!(), " WHERE s.token_hash = ?1");

/// The user alone, if sessions are in another store.
const PERSON: &str = concat!(
    "SELECT ",
    person_columns!(),
    " FROM dewar_users u WHERE u.id = ?1"
);

/// The most sessions or users of one statement.
const AT_ONCE: usize = 500;

/// Several users.
const PERSONS: Sql = Sql::new(
    concat!(
        "SELECT ",
        person_columns!(),
        " FROM dewar_users u WHERE u.id IN (SELECT value FROM json_each(?))"
    ),
    concat!(
        "SELECT ",
        person_columns!(),
        " FROM dewar_users u WHERE u.id IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))"
    ),
);

/// [`FIND`] for several sessions, each with its token's hash.
const FIND_ALL: Sql = Sql::new(
    concat!(
        "SELECT ",
        session_columns!(", s.token_hash"),
        " WHERE s.token_hash IN (SELECT unhex(value) FROM json_each(?))"
    ),
    concat!(
        "SELECT ",
        session_columns!(", s.token_hash"),
        " WHERE s.token_hash IN (SELECT decode(value, 'hex') FROM json_array_elements_text(CAST(? AS json)))"
    ),
);

/// Sessions as rows of the application's database: the default.
#[derive(Debug)]
pub(in crate::sessions) struct InDatabase {
    db: Db,
    cache: SessionCache,
}

impl InDatabase {
    pub(in crate::sessions) fn new(db: Db) -> Self {
        Self {
            db,
            cache: SessionCache::default(),
        }
    }

    async fn read(&self, token: &Hash) -> Result<Option<SessionLookup>, Error> {
        let rows = self.db.query(FIND, [blob(token)]).await?;
        Ok(rows.first().map(read_session).transpose()?)
    }
}

/// A session with its user, in the order of [`FIND`].
fn read_session(row: &Row) -> Result<SessionLookup, database::Error> {
    let person = read_person(row)?;
    let live = Live {
        id: SessionId::of(row.get(8)?),
        user: person.principal.id(),
        generation: row.get(9)?,
        created_at: row.get(10)?,
        seen_at: row.get(11)?,
        proved_at: row.get(12)?,
        roles: row.get(13)?,
    };
    Ok(SessionLookup {
        live,
        person: Some(person),
    })
}

/// A user as the database has them now.
pub(in crate::sessions) async fn person(db: &Db, user: UserId) -> Result<Option<Person>, Error> {
    let rows = db.query(PERSON, [user.into()]).await?;
    Ok(rows.first().map(read_person).transpose()?)
}

/// Several users as the database has them now.
pub(in crate::sessions) async fn persons(
    db: &Db,
    users: &[UserId],
) -> Result<HashMap<UserId, Person>, Error> {
    let mut people = HashMap::new();
    for users in users.chunks(AT_ONCE) {
        let ids: Vec<String> = users.iter().map(|user| user.get().to_string()).collect();
        let ids = format!("[{}]", ids.join(","));
        for row in db.query(PERSONS, [ids.into()]).await? {
            let person = read_person(&row)?;
            people.insert(person.principal.id(), person);
        }
    }
    Ok(people)
}

/// The user in the first eight columns of a row, in the order of [`PERSON`].
pub(crate) fn read_person(row: &Row) -> Result<Person, database::Error> {
    Ok(Person {
        principal: Principal {
            id: UserId::new(row.get(0)?),
            email: row.get(1)?,
            name: row.get(2)?,
            picture: row.get(3)?,
            roles: in_order(row.get(6)?),
            has_second_factor: row.get::<Option<i64>>(7)?.is_some(),
        },
        disabled: row.get::<Option<i64>>(4)?.is_some(),
        generation: row.get(5)?,
    })
}

fn blob(bytes: &[u8; 32]) -> Value {
    Value::from(bytes.to_vec())
}

#[async_trait]
impl SessionStore for InDatabase {
    async fn begin(&self, new: &New, most: u32) -> Result<u64, Error> {
        let add = "INSERT INTO dewar_sessions (token_hash, id, user_id, generation, created_at, seen_at, proved_at,
            roles, device, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let live = &new.live;
        let values = [
            blob(&new.token_hash),
            blob(live.id.bytes()),
            live.user.into(),
            live.generation.into(),
            live.created_at.into(),
            live.seen_at.into(),
            live.proved_at.into(),
            live.roles.as_str().into(),
            new.device.as_str().into(),
            new.address.as_str().into(),
        ];
        let trim = "DELETE FROM dewar_sessions WHERE user_id = ?1 AND id <> ?2 AND id NOT IN (
            SELECT id FROM dewar_sessions WHERE user_id = ?1 AND id <> ?2
            ORDER BY created_at DESC, seen_at DESC LIMIT ?3)";
        let others = i64::from(most.saturating_sub(1));
        let (values, user) = (&values, live.user);
        self.db
            .transaction(|tx| async move {
                match tx.execute(add, values.clone()).await {
                    Ok(_) => {}
                    Err(database::Error::Unique { .. }) => return Err(Error::Collision),
                    Err(error) => return Err(error.into()),
                }
                let others = [user.into(), blob(live.id.bytes()), others.into()];
                Ok(tx.execute(trim, others).await?)
            })
            .await
    }

    async fn find(&self, token: &Hash) -> Result<Option<SessionLookup>, Error> {
        // Before the rows: a commit between the two makes the rows newer than their version, which is never found again.
        let version = self.db.version();
        if let Some(found) = version.and_then(|version| self.cache.get(version, token)) {
            return Ok(Some(found));
        }
        let found = self.read(token).await?;
        if let (Some(version), Some(found)) = (version, &found) {
            self.cache.put(version, *token, found.clone());
        }
        Ok(found)
    }

    /// One statement for those that are not in memory, whatever their number is up to its bound.
    async fn find_all(&self, tokens: &[Hash]) -> Result<HashMap<Hash, SessionLookup>, Error> {
        let version = self.db.version();
        let mut all = HashMap::new();
        let mut missing = Vec::new();
        for token in tokens {
            match version.and_then(|version| self.cache.get(version, token)) {
                Some(found) => drop(all.insert(*token, found)),
                None => missing.push(*token),
            }
        }
        for tokens in missing.chunks(AT_ONCE) {
            let list: Vec<String> = tokens.iter().map(|token| HEXLOWER.encode(token)).collect();
            let list = format!("[\"{}\"]", list.join("\",\""));
            for row in self.db.query(FIND_ALL, [list.into()]).await? {
                let (token, found): (Hash, _) = (row.get(14)?, read_session(&row)?);
                if let Some(version) = version {
                    self.cache.put(version, token, found.clone());
                }
                all.insert(token, found);
            }
        }
        Ok(all)
    }

    async fn touch(&self, token: &Hash, now: i64) -> Result<(), Error> {
        let set = "UPDATE dewar_sessions SET seen_at = ?1 WHERE token_hash = ?2 AND seen_at < ?1";
        self.db.execute(set, [now.into(), blob(token)]).await?;
        Ok(())
    }

    async fn renew(&self, token: &Hash, renewal: &Renewal) -> Result<bool, Error> {
        let set = "UPDATE dewar_sessions SET token_hash = ?1, generation = ?2, seen_at = ?3, proved_at = ?4,
            roles = ?5 WHERE token_hash = ?6";
        let values = [
            blob(&renewal.token_hash),
            renewal.generation.into(),
            renewal.seen_at.into(),
            renewal.proved_at.into(),
            renewal.roles.as_str().into(),
            blob(token),
        ];
        match self.db.execute(set, values).await {
            Ok(rows) => Ok(rows == 1),
            Err(database::Error::Unique { .. }) => Err(Error::Collision),
            Err(error) => Err(error.into()),
        }
    }

    async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error> {
        let end = "DELETE FROM dewar_sessions WHERE id = ?1 AND user_id = ?2";
        let rows = self
            .db
            .execute(end, [blob(id.bytes()), user.into()])
            .await?;
        Ok(rows == 1)
    }

    async fn end_all_of(&self, user: UserId, but: Option<&SessionId>) -> Result<u64, Error> {
        let end = "DELETE FROM dewar_sessions WHERE user_id = ?1 AND id IS DISTINCT FROM ?2";
        let but = but.map(|id| id.bytes().to_vec());
        Ok(self.db.execute(end, [user.into(), but.into()]).await?)
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        Ok(self.db.execute("DELETE FROM dewar_sessions", []).await?)
    }

    async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error> {
        let list =
            "SELECT id, device, address, created_at, seen_at FROM dewar_sessions WHERE user_id = ?1
            ORDER BY seen_at DESC, created_at DESC";
        let rows = self.db.query(list, [user.into()]).await?;
        let listed = |row: &Row| {
            Ok(SessionInfo {
                id: SessionId::of(row.get(0)?),
                device: row.get(1)?,
                address: row.get(2)?,
                created_at: row.get(3)?,
                seen_at: row.get(4)?,
            })
        };
        rows.iter().map(listed).collect()
    }

    async fn value(&self, id: &SessionId, name: &str) -> Result<Option<StoredValue>, Error> {
        let find =
            "SELECT version, json FROM dewar_session_values WHERE session_id = ?1 AND name = ?2";
        let rows = self.db.query(find, [blob(id.bytes()), name.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(StoredValue {
            version: row.get(0)?,
            json: row.get(1)?,
        }))
    }

    async fn keep(
        &self,
        id: &SessionId,
        name: &str,
        change: &ValueWrite,
    ) -> Result<WriteOutcome, Error> {
        self.db
            .transaction(|tx| async move { keep(&tx, id, name, change).await })
            .await
    }

    async fn sweep(&self, seen_before: i64, created_before: i64) -> Result<u64, Error> {
        let sweep = "DELETE FROM dewar_sessions WHERE seen_at < ?1 OR created_at < ?2";
        let values = [seen_before.into(), created_before.into()];
        Ok(self.db.execute(sweep, values).await?)
    }

    async fn charge(&self, charge: &Charge) -> Result<Charged, Error> {
        counts::charge(&self.db, charge).await
    }

    async fn sweep_counts(&self, now: i64) -> Result<u64, Error> {
        counts::sweep(&self.db, now).await
    }
}

/// Writes a value in place of the version that was read, or removes it.
async fn keep(
    tx: &Tx,
    id: &SessionId,
    name: &str,
    change: &ValueWrite,
) -> Result<WriteOutcome, Error> {
    let look = "SELECT (SELECT count(*) FROM dewar_session_values v WHERE v.session_id = s.id),
            (SELECT v.version FROM dewar_session_values v WHERE v.session_id = s.id AND v.name = ?2)
            FROM dewar_sessions s WHERE s.id = ?1";
    let rows = tx.query(look, [blob(id.bytes()), name.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(WriteOutcome::Ended);
    };
    let (values, version): (i64, Option<i64>) = (row.get(0)?, row.get(1)?);
    if version != change.before {
        return Ok(WriteOutcome::Changed);
    }
    match &change.after {
        Some(_) if version.is_none() && values >= count(change.most) => {
            return Ok(WriteOutcome::Full);
        }
        Some(after) => {
            let set = "INSERT INTO dewar_session_values (session_id, name, version, json) VALUES (?1, ?2, ?3, ?4)
                    ON CONFLICT (session_id, name) DO UPDATE SET version = ?3, json = ?4";
            let values = [
                blob(id.bytes()),
                name.into(),
                after.version.into(),
                after.json.as_str().into(),
            ];
            tx.execute(set, values).await?;
        }
        None => {
            let end = "DELETE FROM dewar_session_values WHERE session_id = ?1 AND name = ?2";
            tx.execute(end, [blob(id.bytes()), name.into()]).await?;
        }
    }
    Ok(WriteOutcome::Written)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
