//! Accepted webhook deliveries, stored in the database: a restart forgets none, and every node sees the same.

use sea_orm::Value;

use crate::database::{Db, Error, Migration};
use crate::secrets::random;

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::new(
    "dewar_csrf_0001",
    "CREATE TABLE dewar_deliveries (
        sender TEXT NOT NULL,
        digest BLOB NOT NULL,
        holder BLOB NOT NULL,
        taken_at INTEGER NOT NULL,
        until INTEGER,
        PRIMARY KEY (sender, digest)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dewar_deliveries_by_end ON dewar_deliveries (until, taken_at);",
)];

/// One delivery that this request accepted. Dropping it before [`keep`](Self::keep) forgets the delivery: a handler
/// that panicked, or whose sender disconnected, did not do its work.
#[derive(Debug)]
#[must_use = "a webhook request that is not kept can be sent again"]
pub(crate) struct AcceptedDelivery {
    db: Db,
    sender: &'static str,
    digest: [u8; 32],
    /// The request that accepted it, so that no other request can forget it.
    holder: [u8; 16],
    open: bool,
}

impl AcceptedDelivery {
    /// Accepts a delivery unless a request has accepted it already. One statement decides, however many requests come
    /// at the same moment. The database remembers it until `until`; without a time, as long as the list has space.
    pub(super) async fn take(
        db: &Db,
        sender: &'static str,
        digest: [u8; 32],
        now: i64,
        until: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        // Created first: if this future is dropped while the statement runs, the delivery is forgotten afterwards.
        let mut taken = Self {
            db: db.clone(),
            sender,
            digest,
            holder: random(),
            open: true,
        };
        let add = "INSERT INTO dewar_deliveries (sender, digest, holder, taken_at, until) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (sender, digest) DO NOTHING";
        let values = [
            sender.into(),
            digest.to_vec().into(),
            taken.holder.to_vec().into(),
            now.into(),
            until.into(),
        ];
        let added = db.execute(add, values).await?;
        if added == 1 {
            Ok(Some(taken))
        } else {
            taken.open = false;
            Ok(None)
        }
    }

    /// The work is done; the delivery stays accepted.
    pub(crate) fn keep(mut self) {
        self.open = false;
    }

    /// The work was not done; the sender may send the delivery again.
    pub(crate) async fn give_back(mut self) {
        self.open = false;
        forget(self.db.clone(), self.key()).await;
    }

    fn key(&self) -> [Value; 3] {
        [
            self.sender.into(),
            self.digest.to_vec().into(),
            self.holder.to_vec().into(),
        ]
    }
}

impl Drop for AcceptedDelivery {
    fn drop(&mut self) {
        if self.open
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(forget(self.db.clone(), self.key()));
        }
    }
}

async fn forget(db: Db, key: [Value; 3]) {
    let forget = "DELETE FROM dewar_deliveries WHERE sender = ?1 AND digest = ?2 AND holder = ?3";
    if let Err(error) = db.execute(forget, key).await {
        tracing::error!(%error, "a failed webhook request cannot be sent again: its sender has to sign it anew");
    }
}

/// Removes deliveries that are too old to be accepted. Of those without a time it keeps the newest `most`.
pub(super) async fn sweep(db: &Db, now: i64, most: i64) -> Result<u64, Error> {
    let past = "DELETE FROM dewar_deliveries WHERE until < ?1";
    let past = db.execute(past, [now.into()]).await?;
    let surplus = "DELETE FROM dewar_deliveries WHERE until IS NULL AND taken_at <
        (SELECT taken_at FROM dewar_deliveries WHERE until IS NULL ORDER BY taken_at DESC LIMIT 1 OFFSET ?1)";
    Ok(past + db.execute(surplus, [most.into()]).await?)
}
