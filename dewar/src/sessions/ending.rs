//! How sessions end: one, all of a person, everybody's, and those that are past their time.

use super::handle::seconds;
use super::record::{SessionId, SessionInfo};
use super::{Error, Sessions, UserId};
use crate::database::{self, Tx};

impl Sessions {
    /// One of a person's sessions, by its name; it holds at the very next request (ASVS 7.5.2). Says whether it was there.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error> {
        self.store().end(user, id).await
    }

    /// Ends every session of an account; it holds at the very next request, on every node (ASVS 7.4.3, 7.4.5). How many
    /// there were.
    ///
    /// # Errors
    /// Where the database or the store cannot be written. Where it is the store, they are over all the same.
    pub async fn end_all_of(&self, user: UserId) -> Result<u64, Error> {
        self.next_generation(user).await?;
        self.store().end_all_of(user, None).await
    }

    /// Ends everybody's sessions (ASVS 7.4.5). How many there were.
    ///
    /// # Errors
    /// As [`end_all_of`](Self::end_all_of).
    pub async fn end_everyone(&self) -> Result<u64, Error> {
        let tx = self.db().begin().await?;
        self.next_generations_in(&tx).await?;
        tx.commit().await?;
        self.clear_everyone().await
    }

    /// Ends everybody's sessions with a transaction of the database, as [`next_generation`](Self::next_generation) does.
    pub(crate) async fn next_generations_in(&self, tx: &Tx) -> Result<(), Error> {
        let set = "UPDATE dewar_users SET session_generation = session_generation + 1";
        Ok(tx.execute(set, []).await.map(drop)?)
    }

    /// Clears the store once newer generations have ended everybody's sessions.
    pub(crate) async fn clear_everyone(&self) -> Result<u64, Error> {
        self.store().end_everyone().await
    }

    /// What is left in the store of sessions that a newer generation has ended already.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub(crate) async fn clear_all_of(
        &self,
        user: UserId,
        but: Option<&SessionId>,
    ) -> Result<u64, Error> {
        self.store().end_all_of(user, but).await
    }

    /// Ends every session of an account in one statement of the database: those of older generations are over, wherever
    /// they are kept, and no write that is under way brings one back.
    pub(super) async fn next_generation(&self, user: UserId) -> Result<i64, Error> {
        let tx = self.db().begin().await?;
        let generation = self.next_generation_in(&tx, user).await?;
        tx.commit().await?;
        Ok(generation)
    }

    /// The same with a transaction, for what has to be recorded in it.
    pub(crate) async fn next_generation_in(&self, tx: &Tx, user: UserId) -> Result<i64, Error> {
        let set = "UPDATE dewar_users SET session_generation = session_generation + 1 WHERE id = ?1
            RETURNING session_generation";
        let rows = tx.query(set, [user.into()]).await?;
        let row = rows.first().ok_or(database::Error::NotFound)?;
        Ok(row.get(0)?)
    }

    /// A person's sessions, the latest first (ASVS 7.5.2).
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error> {
        self.store().list_of(user).await
    }

    /// Removes sessions that no limit lets live any longer. Runs now and then, so that the store does not grow.
    pub(crate) async fn sweep(&self) -> Result<u64, Error> {
        let (now, limits) = (self.now(), self.limits());
        let (idle, lifetime) = (now - seconds(limits.idle), now - seconds(limits.lifetime));
        self.store().sweep(idle, lifetime).await
    }
}
