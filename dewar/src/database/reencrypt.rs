//! Re-encryption: seals every row of the sealed columns with a newer key, in batches, while the application runs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sea_orm::Value;

use super::{Db, Error, Row, SealedColumn};
use crate::secrets::KeyRing;

/// Rows that one transaction changes; it releases the writer after a few milliseconds.
const BATCH: u64 = 200;

/// The result for a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Reencrypted {
    /// Rows that were re-encrypted from an older key.
    pub(crate) reencrypted: u64,
    /// Rows that no key of the ring opens in their place. They are not changed.
    pub(crate) unreadable: u64,
}

/// One row to change.
struct SealedRow {
    bound: Value,
    row: String,
    envelope: String,
}

impl Db {
    /// Checks that the sealed columns exist, after the migrations.
    pub(crate) async fn find_sealed(&self, columns: &[SealedColumn]) -> Result<(), Error> {
        let mut problems = Vec::new();
        for column in columns {
            let [table, name, bound] = column.names();
            let sql = format!("SELECT \"{bound}\", \"{name}\" FROM \"{table}\" LIMIT 0");
            let found: Result<Vec<Row>, Error> = self.rows(Cow::Owned(sql), Vec::new()).await;
            if let Err(error) = found {
                problems.push(format!(
                    "the sealed column `{column}`, bound to `{bound}`: {error}"
                ));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Models { problems })
        }
    }

    /// How many rows were sealed with each key, by the key's id.
    pub(crate) async fn sealed_under(
        &self,
        column: SealedColumn,
    ) -> Result<BTreeMap<String, u64>, Error> {
        let [table, name, _] = column.names();
        if !self.has_table(table).await? {
            return Ok(BTreeMap::new()); // A newer program's, before its first start.
        }
        let sql = format!(
            "SELECT substr(\"{name}\", 1, instr(\"{name}\", '.') - 1), count(*) FROM \"{table}\" \
             WHERE \"{name}\" IS NOT NULL GROUP BY 1"
        );
        let rows: Vec<Row> = self.rows(Cow::Owned(sql), Vec::new()).await?;
        rows.iter()
            .map(|row| {
                let count: i64 = row.get(1)?;
                Ok((row.get(0)?, count.unsigned_abs()))
            })
            .collect()
    }

    /// Seals every row that has an older key with the key that seals now. If a row is changed meanwhile, the change is
    /// kept. Rows that are done are skipped, so it can be stopped and started again at any time. It calls `done` after
    /// each batch.
    pub(crate) async fn reencrypt(
        &self,
        column: SealedColumn,
        keys: &KeyRing,
        mut done: impl FnMut(u64),
    ) -> Result<Reencrypted, Error> {
        let mut all = Reencrypted::default();
        // Another process may have written with the older key meanwhile, so the last pass is the one that finds nothing.
        loop {
            let pass = self.reencrypt_once(column, keys, &mut done).await?;
            all.reencrypted += pass.reencrypted;
            all.unreadable = pass.unreadable;
            if pass.reencrypted == 0 {
                return Ok(all);
            }
        }
    }

    async fn reencrypt_once(
        &self,
        column: SealedColumn,
        keys: &KeyRing,
        done: &mut impl FnMut(u64),
    ) -> Result<Reencrypted, Error> {
        let prefix = format!("{}.", keys.signing_id());
        let mut pass = Reencrypted::default();
        let mut after: Option<(Value, String)> = None;
        loop {
            let batch = self.older(column, &prefix, after.take()).await?;
            let Some(last) = batch.last() else {
                return Ok(pass);
            };
            after = Some((last.bound.clone(), last.envelope.clone()));
            let mut sealed = Vec::with_capacity(batch.len());
            for found in &batch {
                match column.reencrypt(keys, &found.row, &found.envelope) {
                    Ok(envelope) => sealed.push((found, envelope)),
                    Err(error) => {
                        pass.unreadable += 1;
                        let bound = &found.row;
                        tracing::warn!(%column, %bound, %error, "cannot decrypt a sealed row");
                    }
                }
            }
            pass.reencrypted += self.exchange(column, sealed).await?;
            done(batch.len() as u64);
        }
    }

    /// The next rows that do not have the key of this prefix, in the order of the column that they are bound to.
    async fn older(
        &self,
        column: SealedColumn,
        prefix: &str,
        after: Option<(Value, String)>,
    ) -> Result<Vec<SealedRow>, Error> {
        let [table, name, bound] = column.names();
        let mut values: Vec<Value> = vec![(prefix.len() as u64).into(), prefix.into()];
        let beyond = match after {
            None => "",
            Some((bound, envelope)) => {
                values.extend([bound, envelope.into()]);
                " AND (bound, envelope) > (?, ?)"
            }
        };
        values.push(BATCH.into());
        let sql = format!(
            "SELECT bound, envelope FROM (SELECT \"{bound}\" AS bound, \"{name}\" AS envelope FROM \"{table}\") rows \
             WHERE envelope IS NOT NULL AND bound IS NOT NULL AND substr(envelope, 1, ?) <> ?{beyond} \
             ORDER BY bound, envelope LIMIT ?"
        );
        let rows: Vec<Row> = self.rows(Cow::Owned(sql), values).await?;
        rows.iter().map(SealedRow::read).collect()
    }

    /// Writes the new envelopes of rows that did not change meanwhile. Returns their number.
    async fn exchange(
        &self,
        column: SealedColumn,
        sealed: Vec<(&SealedRow, String)>,
    ) -> Result<u64, Error> {
        let [table, name, bound] = column.names();
        let sql = format!(
            "UPDATE \"{table}\" SET \"{name}\" = ? WHERE \"{bound}\" = ? AND \"{name}\" = ?"
        );
        let tx = self.begin().await?;
        let mut changed = 0;
        for (found, envelope) in sealed {
            let values = vec![
                envelope.into(),
                found.bound.clone(),
                found.envelope.as_str().into(),
            ];
            changed += tx.change(Cow::Owned(sql.clone()), values).await?.0;
        }
        tx.commit().await?;
        Ok(changed)
    }
}

impl SealedRow {
    fn read(row: &Row) -> Result<Self, Error> {
        let (bound, text) = match row.get::<i64>(0) {
            Ok(number) => (Value::from(number), number.to_string()),
            Err(_) => {
                let text: String = row.get(0)?;
                (Value::from(text.as_str()), text)
            }
        };
        Ok(Self {
            bound,
            row: text,
            envelope: row.get(1)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Clock, Mode};
    use crate::database::Migration;
    use crate::secrets::KeySource;
    use std::time::Duration;

    const COLUMN: SealedColumn = SealedColumn::new("people", "telephone").bound_to("id");
    const TABLE: &[Migration] = &[Migration::new(
        "people_0001",
        "CREATE TABLE people (id INTEGER PRIMARY KEY, telephone TEXT) STRICT",
    )];

    /// A database with sealed rows, and keys that were rotated after that.
    async fn place(rows: i64) -> (tempfile::TempDir, Db, KeyRing, KeySource, Clock) {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_000_000);
        let source = KeySource::in_directory(directory.path()).clock(clock.clone());
        KeyRing::create(&source).unwrap();
        let keys = KeyRing::open_or_create(&source, Mode::Production).unwrap();
        let db = Db::temporary().unwrap();
        db.migrate(TABLE).await.unwrap();
        let tx = db.begin().await.unwrap();
        for id in 1..=rows {
            let sealed = COLUMN.seal(&keys, id, &format!("+4144{id:07}")).unwrap();
            tx.execute(
                "INSERT INTO people VALUES (?, ?)",
                [id.into(), sealed.into()],
            )
            .await
            .unwrap();
        }
        tx.execute("INSERT INTO people VALUES (?, NULL)", [(rows + 1).into()])
            .await
            .unwrap();
        tx.commit().await.unwrap();
        KeyRing::rotate(&source).unwrap();
        keys.reload().unwrap();
        clock.advance(Duration::from_secs(60));
        (directory, db, keys, source, clock)
    }

    async fn envelope(db: &Db, id: i64) -> String {
        let sql = "SELECT telephone FROM people WHERE id = ?";
        db.query(sql, [id.into()]).await.unwrap()[0].get(0).unwrap()
    }

    #[tokio::test]
    async fn every_row_comes_under_the_newer_key_once() {
        let (_directory, db, keys, source, _) = place(450).await;
        let before = KeyRing::list(&source).unwrap()[1].id.clone();
        assert_eq!(db.sealed_under(COLUMN).await.unwrap()[&before], 450);
        let mut told = 0;
        let first = db
            .reencrypt(COLUMN, &keys, |rows| told += rows)
            .await
            .unwrap();
        assert_eq!((first.reencrypted, first.unreadable, told), (450, 0, 450));
        let under = db.sealed_under(COLUMN).await.unwrap();
        assert_eq!(under, BTreeMap::from([(keys.current_id(), 450)]));
        let again = db.reencrypt(COLUMN, &keys, |_| {}).await.unwrap();
        assert_eq!(again, Reencrypted::default());
        KeyRing::revoke(&source, &before).unwrap();
        keys.reload().unwrap();
        for id in [1, 200, 201, 450] {
            let old = envelope(&db, id).await;
            assert!(
                COLUMN.reencrypt(&keys, &id.to_string(), &old).is_ok(),
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn what_was_stopped_half_way_goes_on() {
        let (_directory, db, keys, _, _) = place(450).await;
        let stopped = db.reencrypt(COLUMN, &keys, |_| panic!("killed after the first batch"));
        let stopped = std::panic::AssertUnwindSafe(stopped);
        let stopped = futures_util::FutureExt::catch_unwind(stopped).await;
        assert!(stopped.is_err());
        assert_eq!(
            db.sealed_under(COLUMN).await.unwrap()[&keys.current_id()],
            200
        );
        let rest = db.reencrypt(COLUMN, &keys, |_| {}).await.unwrap();
        assert_eq!(rest.reencrypted, 250);
    }

    #[tokio::test]
    async fn a_row_that_was_moved_or_damaged_is_counted_and_left() {
        let (_directory, db, keys, _, _) = place(5).await;
        let swapped = envelope(&db, 1).await;
        let swap = "UPDATE people SET telephone = ? WHERE id = ?";
        db.execute(swap, [swapped.as_str().into(), 2.into()])
            .await
            .unwrap();
        db.execute(swap, ["no envelope".into(), 3.into()])
            .await
            .unwrap();
        let done = db.reencrypt(COLUMN, &keys, |_| {}).await.unwrap();
        assert_eq!((done.reencrypted, done.unreadable), (3, 2));
        assert_eq!(envelope(&db, 2).await, swapped);
        assert_eq!(envelope(&db, 3).await, "no envelope");
    }

    #[tokio::test]
    async fn a_row_that_was_changed_meanwhile_keeps_the_change() {
        let (_directory, db, keys, _, _) = place(1).await;
        let prefix = format!("{}.", keys.signing_id());
        let found = db.older(COLUMN, &prefix, None).await.unwrap();
        let mine = COLUMN.reencrypt(&keys, "1", &found[0].envelope).unwrap();
        let theirs = COLUMN.seal(&keys, 1, "+15550100").unwrap();
        let change = "UPDATE people SET telephone = ? WHERE id = 1";
        db.execute(change, [theirs.clone().into()]).await.unwrap();
        let changed = db.exchange(COLUMN, vec![(&found[0], mine)]).await.unwrap();
        assert_eq!(changed, 0);
        let kept = "SELECT telephone FROM people WHERE id = 1";
        let kept = db.query(kept, []).await.unwrap();
        assert_eq!(
            Value::from(kept[0].get::<String>(0).unwrap()),
            theirs.into()
        );
    }

    #[tokio::test]
    async fn a_column_that_is_not_there_is_named() {
        let (_directory, db, _, _, _) = place(1).await;
        db.find_sealed(&[COLUMN]).await.unwrap();
        let wrong = SealedColumn::new("people", "fax").bound_to("id");
        let error = db.find_sealed(&[COLUMN, wrong]).await.unwrap_err();
        assert!(error.to_string().contains("`people.fax`"), "{error}");
    }
}
