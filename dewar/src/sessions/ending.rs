//! Ending sessions: one, all of a user, everybody's, and those that are too old.

use super::handle::seconds;
use super::record::{SessionId, SessionInfo};
use super::{Error, Sessions, UserId};
use crate::database::{self, Tx, refuse_while_reading};

impl Sessions {
    /// Ends one of a user's sessions, by its name, from the very next request on (ASVS 7.5.2). Returns whether it existed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error> {
        self.store().end(user, id).await
    }

    /// Ends every session of an account, from the very next request on, on every node (ASVS 7.4.3, 7.4.5). Returns
    /// their number.
    ///
    /// # Errors
    /// The database or the store cannot be written. If it is the store, the sessions are over anyway.
    pub async fn end_all_of(&self, user: UserId) -> Result<u64, Error> {
        refuse_while_reading()?;
        self.next_generation(user).await?;
        self.store().end_all_of(user, None).await
    }

    /// Ends everybody's sessions (ASVS 7.4.5). Returns their number.
    ///
    /// # Errors
    /// As [`end_all_of`](Self::end_all_of).
    pub async fn end_everyone(&self) -> Result<u64, Error> {
        refuse_while_reading()?;
        let tx = self.db().begin().await?;
        self.next_generations_in(&tx).await?;
        tx.commit().await?;
        self.clear_everyone().await
    }

    /// Ends everybody's sessions in a transaction of the database, as [`next_generation`](Self::next_generation) does
    /// for one user.
    pub(crate) async fn next_generations_in(&self, tx: &Tx) -> Result<(), Error> {
        let set = "UPDATE dewar_users SET session_generation = session_generation + 1";
        Ok(tx.execute(set, []).await.map(drop)?)
    }

    /// Clears the store after newer generations have ended everybody's sessions.
    pub(crate) async fn clear_everyone(&self) -> Result<u64, Error> {
        self.store().end_everyone().await
    }

    /// Clears from the store the sessions that a newer generation has ended already.
    ///
    /// # Errors
    /// The store cannot be written.
    pub(crate) async fn clear_all_of(
        &self,
        user: UserId,
        but: Option<&SessionId>,
    ) -> Result<u64, Error> {
        self.store().end_all_of(user, but).await
    }

    /// Ends every session of an account in one statement of the database: sessions of older generations are over, in
    /// every store, and no write that is under way brings one back.
    pub(super) async fn next_generation(&self, user: UserId) -> Result<i64, Error> {
        let tx = self.db().begin().await?;
        let generation = self.next_generation_in(&tx, user).await?;
        tx.commit().await?;
        Ok(generation)
    }

    /// The same in a transaction, so that other changes can be recorded with it.
    pub(crate) async fn next_generation_in(&self, tx: &Tx, user: UserId) -> Result<i64, Error> {
        let set = "UPDATE dewar_users SET session_generation = session_generation + 1 WHERE id = ?1
            RETURNING session_generation";
        let rows = tx.query(set, [user.into()]).await?;
        let row = rows.first().ok_or(database::Error::NotFound)?;
        Ok(row.get(0)?)
    }

    /// A user's sessions, the latest first (ASVS 7.5.2).
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error> {
        self.store().list_of(user).await
    }

    /// Removes sessions that are over by every limit. It runs from time to time, so that the store does not grow.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        let (now, limits) = (self.now(), self.limits());
        let (idle, lifetime) = (now - seconds(limits.idle), now - seconds(limits.lifetime));
        self.store().sweep(idle, lifetime).await
    }
}
