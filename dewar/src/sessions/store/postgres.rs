use async_trait::async_trait;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use self::connections::{Connections, patient};
use super::place::Address;
use super::{SessionStore, StoredValue, ValueWrite, WriteOutcome};
use crate::sessions::record::{Hash, Live, New, Renewal, SessionId, SessionInfo, SessionLookup};
use crate::sessions::{Error, UserId};

mod connections;
mod tls;

/// Sessions in a PostgreSQL database. Each change is one statement, except a beginning, which is a transaction.
pub(super) struct InPostgres(Connections);

impl InPostgres {
    pub(super) async fn open(address: &Address) -> Result<Self, Error> {
        let connections = Connections::reach(address).await?;
        connections.make_tables().await?;
        Ok(Self(connections))
    }

    /// A store whose tables may be missing: to check that the server answers.
    pub(super) async fn reach(address: &Address) -> Result<Self, Error> {
        Ok(Self(Connections::reach(address).await?))
    }
}

impl std::fmt::Debug for InPostgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InPostgres")
    }
}

fn column<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    place: usize,
) -> Result<T, Error> {
    row.try_get(place)
        .map_err(|error| Error::Strange(error.to_string()))
}

fn id_of(row: &Row, place: usize) -> Result<SessionId, Error> {
    let bytes: &[u8] = column(row, place)?;
    let bytes = bytes
        .try_into()
        .map_err(|_| Error::Strange("an id".to_owned()))?;
    Ok(SessionId::of(bytes))
}

/// Two beginnings of one user wait for each other, so that both count the same sessions.
async fn begin(client: &mut Client, new: &New, most: u32) -> Result<u64, Error> {
    let live = &new.live;
    let add = "INSERT INTO dewar_sessions (token_hash, id, user_id, generation, created_at, seen_at, proved_at,
        roles, device, address) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let trim = "DELETE FROM dewar_sessions WHERE id IN (
        SELECT id FROM dewar_sessions WHERE user_id = $1 AND id <> $2
        ORDER BY created_at DESC, seen_at DESC OFFSET $3)";
    let (id, user) = (live.id.bytes().as_slice(), live.user.get());
    let values: [&(dyn ToSql + Sync); 10] = [
        &new.token_hash.as_slice(),
        &id,
        &user,
        &live.generation,
        &live.created_at,
        &live.seen_at,
        &live.proved_at,
        &live.roles,
        &new.device,
        &new.address,
    ];
    let others = i64::from(most.saturating_sub(1));
    let transaction = patient(client.transaction()).await?;
    let lock = "SELECT pg_advisory_xact_lock(7235421882 # $1)";
    patient(transaction.execute(lock, &[&user])).await?;
    patient(transaction.execute(add, &values)).await?;
    let ended = patient(transaction.execute(trim, &[&user, &id, &others])).await?;
    patient(transaction.commit()).await?;
    Ok(ended)
}

#[async_trait]
impl SessionStore for InPostgres {
    async fn begin(&self, new: &New, most: u32) -> Result<u64, Error> {
        let mut place = self.0.alone.lock().await;
        // The connection is put back only if the server answered, so that no statement is still running in it.
        let mut client = match place.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.0.connect().await?,
        };
        let ended = begin(&mut client, new, most).await;
        if !matches!(ended, Err(Error::Unreachable(_))) {
            *place = Some(client);
        }
        ended
    }

    async fn find(&self, token: &Hash) -> Result<Option<SessionLookup>, Error> {
        let find = "SELECT id, user_id, generation, created_at, seen_at, proved_at, roles FROM dewar_sessions
            WHERE token_hash = $1";
        let rows = self.0.query(find, &[&token.as_slice()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let live = Live {
            id: id_of(row, 0)?,
            user: UserId::new(column(row, 1)?),
            generation: column(row, 2)?,
            created_at: column(row, 3)?,
            seen_at: column(row, 4)?,
            proved_at: column(row, 5)?,
            roles: column(row, 6)?,
        };
        Ok(Some(SessionLookup { live, person: None }))
    }

    async fn touch(&self, token: &Hash, now: i64) -> Result<(), Error> {
        let set = "UPDATE dewar_sessions SET seen_at = $1 WHERE token_hash = $2 AND seen_at < $1";
        self.0.execute(set, &[&now, &token.as_slice()]).await?;
        Ok(())
    }

    async fn renew(&self, token: &Hash, renewal: &Renewal) -> Result<bool, Error> {
        let set = "UPDATE dewar_sessions SET token_hash = $1, generation = $2, seen_at = $3, proved_at = $4,
            roles = $5 WHERE token_hash = $6";
        let values: [&(dyn ToSql + Sync); 6] = [
            &renewal.token_hash.as_slice(),
            &renewal.generation,
            &renewal.seen_at,
            &renewal.proved_at,
            &renewal.roles,
            &token.as_slice(),
        ];
        Ok(self.0.execute(set, &values).await? == 1)
    }

    async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error> {
        let end = "DELETE FROM dewar_sessions WHERE id = $1 AND user_id = $2";
        let rows = self
            .0
            .execute(end, &[&id.bytes().as_slice(), &user.get()])
            .await?;
        Ok(rows == 1)
    }

    async fn end_all_of(&self, user: UserId, but: Option<&SessionId>) -> Result<u64, Error> {
        let end = "DELETE FROM dewar_sessions WHERE user_id = $1 AND id IS DISTINCT FROM $2";
        let but = but.map(|id| id.bytes().as_slice());
        self.0.execute(end, &[&user.get(), &but]).await
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.0.execute("DELETE FROM dewar_sessions", &[]).await
    }

    async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error> {
        let list =
            "SELECT id, device, address, created_at, seen_at FROM dewar_sessions WHERE user_id = $1
            ORDER BY seen_at DESC, created_at DESC";
        let rows = self.0.query(list, &[&user.get()]).await?;
        let listed = |row: &Row| {
            Ok(SessionInfo {
                id: id_of(row, 0)?,
                device: column(row, 1)?,
                address: column(row, 2)?,
                created_at: column(row, 3)?,
                seen_at: column(row, 4)?,
            })
        };
        rows.iter().map(listed).collect()
    }

    async fn value(&self, id: &SessionId, name: &str) -> Result<Option<StoredValue>, Error> {
        let find =
            "SELECT version, json FROM dewar_session_values WHERE session_id = $1 AND name = $2";
        let rows = self.0.query(find, &[&id.bytes().as_slice(), &name]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(StoredValue {
            version: column(row, 0)?,
            json: column(row, 1)?,
        }))
    }

    async fn keep(
        &self,
        id: &SessionId,
        name: &str,
        change: &ValueWrite,
    ) -> Result<WriteOutcome, Error> {
        let key = id.bytes().as_slice();
        let most = i64::try_from(change.most).unwrap_or(i64::MAX);
        let written = match (change.before, &change.after) {
            (Some(before), Some(after)) => {
                let set = "UPDATE dewar_session_values SET version = $1, json = $2
                    WHERE session_id = $3 AND name = $4 AND version = $5";
                let values: [&(dyn ToSql + Sync); 5] =
                    [&after.version, &after.json, &key, &name, &before];
                self.0.execute(set, &values).await
            }
            (Some(before), None) => {
                let end = "DELETE FROM dewar_session_values WHERE session_id = $1 AND name = $2 AND version = $3";
                self.0.execute(end, &[&key, &name, &before]).await
            }
            (None, Some(after)) => {
                let add = "INSERT INTO dewar_session_values (session_id, name, version, json)
                    SELECT s.id, $2, $3, $4 FROM dewar_sessions s WHERE s.id = $1 AND
                    (SELECT count(*) FROM dewar_session_values v WHERE v.session_id = s.id) < $5
                    ON CONFLICT DO NOTHING";
                let values: [&(dyn ToSql + Sync); 5] =
                    [&key, &name, &after.version, &after.json, &most];
                self.0.execute(add, &values).await
            }
            (None, None) => Ok(0),
        };
        match written {
            Ok(0) => {}
            Ok(_) => return Ok(WriteOutcome::Written),
            // The session ended after it was read and before its value's row was written.
            Err(Error::Ended) => return Ok(WriteOutcome::Ended),
            Err(error) => return Err(error),
        }
        let look = "SELECT (SELECT count(*) FROM dewar_session_values v WHERE v.session_id = s.id),
            (SELECT v.version FROM dewar_session_values v WHERE v.session_id = s.id AND v.name = $2)
            FROM dewar_sessions s WHERE s.id = $1";
        let rows = self.0.query(look, &[&key, &name]).await?;
        let Some(row) = rows.first() else {
            return Ok(WriteOutcome::Ended);
        };
        let (values, version): (i64, Option<i64>) = (column(row, 0)?, column(row, 1)?);
        Ok(match (version == change.before, &change.after) {
            (true, None) => WriteOutcome::Written,
            (true, Some(_)) if change.before.is_none() && values >= most => WriteOutcome::Full,
            _ => WriteOutcome::Changed,
        })
    }

    async fn sweep(&self, seen_before: i64, created_before: i64) -> Result<u64, Error> {
        let sweep = "DELETE FROM dewar_sessions WHERE seen_at < $1 OR created_at < $2";
        self.0
            .execute(sweep, &[&seen_before, &created_before])
            .await
    }
}
