//! How many rows of a table one owner may have.

use std::borrow::Cow;

use sea_orm::Value;

use super::sealed::is_name;
use super::{Error, Row, Tx};

/// A quota: the most rows of a table that belong to one owner.
///
/// Check it in the transaction that adds the row. Nobody else writes beside a transaction, so two additions at the
/// same moment are counted one after the other. The column needs an index.
///
/// ```
/// use dewar::database::Quota;
///
/// const NOTES: Quota = Quota::new("notes", "author", 2);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), dewar::database::Error> {
/// # use dewar::database::{Db, Error, Migration};
/// # let db = Db::temporary()?;
/// # db.migrate(&[Migration::new("notes_0001", "CREATE TABLE notes (author INTEGER NOT NULL) STRICT;
/// #     CREATE INDEX notes_by_author ON notes (author)")]).await?;
/// for number in 1..=3 {
///     let tx = db.begin().await?;
///     if let Err(full) = NOTES.check(&tx, 7).await {
///         assert!(number == 3 && matches!(full, Error::QuotaFull { most: 2, .. }));
///         break;
///     }
///     tx.execute("INSERT INTO notes (author) VALUES (?)", [7.into()]).await?;
///     tx.commit().await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// In a form's handler, [`BoundForm::or_full`](crate::forms::BoundForm::or_full) shows the form again with what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    table: &'static str,
    column: &'static str,
    most: u32,
}

impl Quota {
    /// At most `most` rows of `table` with one value in `column`.
    ///
    /// # Panics
    /// If a name has other characters than small letters, digits and underscores; in a `const`, while it is compiled.
    #[must_use]
    pub const fn new(table: &'static str, column: &'static str, most: u32) -> Self {
        assert!(is_name(table), "a table's name has only a-z, 0-9 and _");
        assert!(is_name(column), "a column's name has only a-z, 0-9 and _");
        Self {
            table,
            column,
            most,
        }
    }

    /// The most rows of one owner.
    #[must_use]
    pub const fn most(&self) -> u32 {
        self.most
    }

    /// Checks whether this owner may have one more row, in the transaction that adds it.
    ///
    /// # Errors
    /// [`Error::QuotaFull`]; the statement's error.
    pub async fn check(&self, tx: &Tx, owner: impl Into<Value> + Send) -> Result<(), Error> {
        let Self {
            table,
            column,
            most,
        } = *self;
        // The names are the program's own, checked when they were compiled. It counts at most up to the quota.
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM \"{table}\" WHERE \"{column}\" = ?1 LIMIT ?2) rows"
        );
        let values = vec![owner.into(), most.into()];
        let rows: Vec<Row> = tx.rows(Cow::Owned(sql), values).await?;
        let there = rows.first().map_or(Ok(0), |row| row.get::<i64>(0))?;
        if there < i64::from(most) {
            Ok(())
        } else {
            Err(Error::QuotaFull { table, most })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::{Db, Migration};

    #[tokio::test]
    async fn the_last_row_is_the_one_that_is_allowed() {
        const NOTES: Quota = Quota::new("notes", "owner", 2);
        let db = Db::temporary().unwrap();
        let table = "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, owner INTEGER NOT NULL) STRICT";
        let tables = [Migration::new("test_0001", table)];
        db.migrate(&tables).await.unwrap();
        let tx = db.begin().await.unwrap();
        for _ in 0..2 {
            NOTES.check(&tx, 1).await.unwrap();
            tx.execute("INSERT INTO notes (owner) VALUES (1)", [])
                .await
                .unwrap();
        }
        let full = NOTES.check(&tx, 1).await;
        assert!(matches!(full, Err(Error::QuotaFull { most: 2, .. })));
        NOTES.check(&tx, 2).await.unwrap();
    }
}
