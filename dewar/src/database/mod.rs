//! # Database
//!
//! **The promise:** no text of a visitor becomes SQL, what belongs together is written together, and
//! no statement holds the application up.
//!
//! ```
//! # async fn rename(db: dewar::database::Db, id: i64, title: String) -> Result<(), dewar::database::Error> {
//! let tx = db.begin().await?;
//! let rows = tx.query("SELECT title FROM notes WHERE id = ?", [id.into()]).await?;
//! if rows.is_empty() {
//!     return Err(dewar::database::Error::NotFound); // dropped: rolled back
//! }
//! tx.execute("UPDATE notes SET title = ? WHERE id = ?", [title.into(), id.into()]).await?;
//! tx.commit().await
//! # }
//! ```
//!
//! [`Db`] is also SeaORM's connection: `note::Entity::find_by_id(id).one(&db).await?`.
//!
//! Two functions come along for statements and migrations: `fold`, for a search in any language ([`fold`]), and
//! `words`, the text of HTML that was cleaned.
//!
//! # What it refuses
//!
//! 1. SQL made at run time: [`Db::query`] and [`Db::execute`] take a [`Literal`], and a `String`
//!    does not compile (CWE-89; ASVS 5.0 1.2.4). SeaORM's `execute_unprepared`, and a `Statement`
//!    without a list of values, are refused when they run.
//! 2. Two statements in one text.
//! 3. Changing tables, settings or other files outside a [`Migration`]: SQLite asks about every
//!    action while it prepares a statement, and only rows may be read and changed (OWASP Database
//!    Security: an account that may do no more than it needs).
//! 4. Dangling foreign keys; text in double quotes taken for a string; functions in a hostile
//!    schema; a file that others may read (mode 0600).
//! 5. A statement of more than [`Config::statement_timeout`], and waiting for the writer longer
//!    than [`Config::acquire_timeout`] (ASVS 5.0 13.1.2, 13.2.6).
//! 6. A lost update: a [`Tx`] has the writer for itself from its beginning (ASVS 5.0 2.3.3, 2.3.4).
//! 7. An edited [`Migration`], and a database newer than the program.
//! 8. Reading a model that was not [registered](Db::register), or does not fit its table.
//! 9. A sealed text in another row or column than its own ([`SealedColumn`]).
//! 10. A table that hands out an id twice: SQLite numbers a new row like a deleted one unless the key is `AUTOINCREMENT`
//!     (CWE-639). Nothing but a migration changes the count.
//!
//! # How to loosen it, and what you then owe
//!
//! The timeouts are settings: longer ones hold connections longer. A statement that SeaORM cannot
//! build and that is no literal is made with `Statement::from_sql_and_values`, which the lints
//! report; you then owe a list of allowed names for whatever you put into its text, and a reason
//! beside `#[expect]`. `Expr::cust` and its kin are the same hole inside a built statement.
//!
//! Two things no lint sees. A struct that derives `FromQueryResult` must give a column the type that
//! its entity gives it, and an expression (`COUNT`, `MAX`) `i64`, `f64`, `String` or `Vec<u8>`:
//! SeaORM reads an `Option` of another type as `None`. And columns ending in a time are best kept
//! as `i64` unix seconds; SeaORM's own date types live in `TEXT` columns.
//!
//! # What the audit asks
//!
//! That every migration is applied (`check` applies none, and names those that wait), every table
//! is `STRICT` and hands out no id twice, the file is its owner's alone and the owner is the user who runs this; and that the
//! lints named above are on.

mod checks;
mod config;
mod connection;
mod cost;
mod db;
mod error;
mod extract;
mod functions;
mod ids;
mod limits;
mod literal;
mod migrations;
mod models;
mod orm;
mod outbox;
mod quota;
mod readers;
mod rehearsal;
mod reseal;
mod row;
mod sealed;
mod tx;
mod value;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use checks::of_file;
pub use config::{Config, Durability};
pub use db::Db;
pub use error::Error;
pub use extract::Missing;
pub use functions::fold;
pub use literal::Literal;
pub use migrations::Migration;
pub use models::Table;
pub(crate) use outbox::MIGRATIONS;
pub use quota::Quota;
pub(crate) use reseal::Resealed;
pub use row::{FromColumn, Row};
pub use sealed::{Sealed, SealedColumn, Unbound};
pub use tx::Tx;

pub(crate) use functions::words;
