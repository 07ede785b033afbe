//! The letters and addresses that an operator looks at. No text of a letter is among them.

use serde::Serialize;

use super::Error;
use crate::database::{self, Db, Row};
use crate::forms::Email;

/// The most rows of a list.
const MOST: i64 = 1_000;

/// A letter that waits or was given up.
#[derive(Debug, Serialize)]
pub(crate) struct ListedLetter {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) template: String,
    pub(crate) address: String,
    pub(crate) attempts: i64,
    /// When it was queued, in Unix seconds.
    pub(crate) queued_at: i64,
    /// When it is tried again, or was given up.
    pub(crate) at: i64,
    pub(crate) reason: Option<String>,
}

impl ListedLetter {
    fn read(row: &Row) -> Result<Self, database::Error> {
        Ok(Self {
            id: row.get(0)?,
            state: row.get(1)?,
            template: row.get(2)?,
            address: row.get(3)?,
            attempts: row.get(4)?,
            queued_at: row.get(5)?,
            at: row.get(6)?,
            reason: row.get(7)?,
        })
    }
}

/// An address that gets no letters.
#[derive(Debug, Serialize)]
pub(crate) struct RefusedAddress {
    pub(crate) address: String,
    pub(crate) reason: String,
    pub(crate) refused_at: i64,
}

/// The letters that wait or were given up, the oldest first.
pub(crate) async fn letters(db: &Db) -> Result<Vec<ListedLetter>, database::Error> {
    let find = "SELECT id, state, template, address, attempts, queued_at, coalesce(ended_at, due_at), reason
        FROM dewar_letters WHERE state <> 'sent' ORDER BY queued_at, id LIMIT ?";
    let rows = db.query(find, [MOST.into()]).await?;
    rows.iter().map(ListedLetter::read).collect()
}

/// Lets the letters that were given up wait again, if they have their text and it is still of use. The time until Dewar gives them up
/// begins anew. Returns their number.
pub(crate) async fn retry(db: &Db, now: i64) -> Result<u64, database::Error> {
    let retry =
        "UPDATE dewar_letters SET state = 'waiting', queued_at = ?1, due_at = ?1, attempts = 0, ended_at = NULL
        WHERE state = 'failed' AND (content IS NOT NULL OR size > 0) AND useless_at > ?1";
    db.execute(retry, [now.into()]).await
}

/// The addresses that a mail server has refused.
pub(crate) async fn refused(db: &Db) -> Result<Vec<RefusedAddress>, database::Error> {
    let find = "SELECT address_key, reason, refused_at FROM dewar_refused_addresses
        ORDER BY refused_at DESC, address_key LIMIT ?";
    let rows = db.query(find, [MOST.into()]).await?;
    let read = |row: &Row| {
        Ok(RefusedAddress {
            address: row.get(0)?,
            reason: row.get(1)?,
            refused_at: row.get(2)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Lets letters go to an address again. Returns whether it was refused.
pub(crate) async fn clear_refused(db: &Db, address: &str) -> Result<bool, Error> {
    let email = Email::parse(address).map_err(|_| Error::Address)?;
    let clear = "DELETE FROM dewar_refused_addresses WHERE address_key = ?";
    Ok(db.execute(clear, [email.key().into()]).await? > 0)
}
