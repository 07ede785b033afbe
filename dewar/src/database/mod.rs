//! **database: no visitor's text becomes SQL, related changes are written together, and no statement holds the application up.**
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
//! [`Db`] is also SeaORM's connection: `note::Entity::find_by_id(id).one(&db).await?`. Statements and migrations can
//! use two functions: `fold`, for a search in any language ([`fold`]), and `words`, the text of clean HTML.
//!
//! # What it refuses
//!
//! 1. SQL made at run time. [`Db::query`] and [`Db::execute`] take a [`Literal`], and a `String` does not compile (SQL injection:
//!    CWE-89; ASVS 5.0 1.2.4). SeaORM's `execute_unprepared`, and a `Statement` without a list of values, fail when they run.
//! 2. Two statements in one text.
//! 3. Changing tables, settings or other files outside a [`Migration`]. Dewar's authorizer checks every action while
//!    SQLite prepares a statement, and allows only reading and changing rows; on PostgreSQL, Dewar checks the statement, and a
//!    role for run time has no more rights (OWASP *Database Security*: least privilege).
//! 4. Dangling foreign keys, text in double quotes used as a string, functions in a hostile schema, and a file that
//!    other users can read (mode 0600).
//! 5. A statement that runs longer than [`Config::statement_timeout`], and a wait for the writer longer than
//!    [`Config::acquire_timeout`] (ASVS 5.0 13.1.2, 13.2.6).
//! 6. A lost update. From the beginning of a [`Tx`] nobody else writes (ASVS 5.0 2.3.3, 2.3.4).
//! 7. An edited [`Migration`], and a database newer than the program, unless the newer migrations permit it ([`Migration::additive`]).
//! 8. Reading a model that was not [registered](Db::register), or does not fit its table.
//! 9. A sealed text in another row or column than its own ([`SealedColumn`]).
//! 10. A table that hands out an id twice. Without `AUTOINCREMENT`, SQLite can give a new row the id of a deleted one (CWE-639).
//!     Only a migration changes the counter.
//! 11. A change of rows by the handler of a `GET` (CSRF: CWE-352; ASVS 5.0 3.5.3).
//!
//! # How to loosen it
//!
//! The timeouts are settings; longer ones hold connections longer. [`dangerous_write_on_get`](crate::app::Route::dangerous_write_on_get)
//! lets the handler of a `GET` change rows, with a reason that the audit reports. For a statement that SeaORM cannot build and that is
//! not a literal, use `Statement::from_sql_and_values`. The lints report it; check everything that you put into its
//! text against a list of allowed names, and give a reason in `#[expect]`. `Expr::cust` and similar functions are the
//! same hole inside a built statement.
//!
//! No lint detects two mistakes. A struct that derives `FromQueryResult` must give a column the type that its entity
//! has, and an expression (`COUNT`, `MAX`) one of `i64`, `f64`, `String` and `Vec<u8>`: SeaORM reads an `Option` of
//! another type as `None`. And keep times as `i64` Unix seconds; SeaORM's own date types are stored in `TEXT` columns.
//!
//! # What the audit asks
//!
//! Is every migration applied (`check` applies none and names those that wait)? Is every table `STRICT`, and does none hand out an id
//! twice? Has every column that refers to another table an index? Does the file belong to the user who runs this, and to nobody else? Are the lints above on?

mod address;
mod checks;
mod compatible;
mod config;
mod copy;
mod cost;
mod db;
mod error;
mod functions;
mod html_text;
mod ids;
mod literal;
mod migrations;
mod models;
mod node_lock;
mod orm;
mod outbox;
mod postgres;
mod quota;
mod read_only;
mod reencrypt;
mod rehearsal;
mod row;
mod sealed;
mod search;
mod sqlite;
mod tally;
mod test_database;
mod tx;
mod value;

#[cfg(test)]
pub(crate) mod tests;

pub use address::{Address, Host, Location, PostgresServer, ServerTls};
pub(crate) use address::{parse_url, user_of};
pub(crate) use checks::{of_file, of_passwords};
pub use config::{Config, Durability};
pub use db::{Db, Engine};
pub use error::Error;
pub use functions::fold;
pub(crate) use literal::id_list;
pub use literal::{Literal, Sql};
pub use migrations::Migration;
pub use models::Table;
pub(crate) use node_lock::{NameChange, NodeLock};
pub(crate) use outbox::MIGRATIONS;
pub use quota::Quota;
pub(crate) use read_only::{reading, reading_command, refuse_while_reading};
pub(crate) use reencrypt::Reencrypted;
pub(crate) use row::Stored as StoredCell;
pub(crate) use row::sealed::FromColumn as ReadColumn;
pub use row::{FromColumn, Row};
pub use sealed::{Sealed, SealedColumn, Unbound};
pub use search::{SearchIndex, SearchQuery};
pub use tx::Tx;

pub(crate) use html_text::{html_text, words};
pub(crate) use postgres::tls::client_tls;
pub(crate) use sqlite::version::DataVersion;
pub(crate) use tally::Tally;
pub(crate) use test_database::url_for;

/// The examples on the practice's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/database.md")]
struct PracticePage;
