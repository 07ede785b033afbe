//! SQL literals of the program.

use sea_orm::Value;

use super::Engine;

/// SQL written in the program: a `&'static str`.
///
/// A `String` made at run time is not a literal, so `format!` cannot put a visitor's text into a statement (SQL
/// injection: CWE-89; ASVS 5.0 1.2.4):
///
/// ```compile_fail,E0277
/// # async fn show(db: dewar::database::Db, name: String) -> Result<(), dewar::database::Error> {
/// db.query(format!("SELECT id FROM users WHERE name = '{name}'"), []).await?;
/// # Ok(())
/// # }
/// ```
///
/// Bind the value instead:
///
/// ```
/// # async fn show(db: dewar::database::Db, name: String) -> Result<(), dewar::database::Error> {
/// db.query("SELECT id FROM users WHERE name = ?", [name.into()]).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "SQL must be a literal; `{Self}` is built at run time",
    label = "write the whole statement, with `?` for each value",
    note = "bind the values: `db.query(\"SELECT id FROM users WHERE name = ?\", [name.into()])`",
    note = "to build a statement at run time, use SeaORM's `Entity::find()` and its filters"
)]
pub trait Literal: sealed::Literal + Send {
    #[doc(hidden)]
    fn text(self, engine: Engine) -> &'static str;
}

impl Literal for &'static str {
    fn text(self, _: Engine) -> &'static str {
        self
    }
}

/// Ids as one bound value: `IN (SELECT value FROM json_each(?))` on SQLite, and on PostgreSQL
/// `IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))`.
pub(crate) fn id_list(ids: impl Iterator<Item = i64>) -> Value {
    let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    format!("[{}]", ids.join(",")).into()
}

/// A statement that each engine writes in its own way: both spellings, side by side.
///
/// Most statements need only one: `?` and `?1` stand for bound values on both engines, and `instr`, `fold`, `string_agg` and
/// `IS DISTINCT FROM` work on both.
///
/// ```
/// use dewar::database::Sql;
///
/// const NOW: Sql = Sql::new(
///     "SELECT unixepoch()",
///     "SELECT CAST(extract(epoch FROM now()) AS bigint)",
/// );
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), dewar::database::Error> {
/// # let db = dewar::Db::temporary()?;
/// let now: i64 = db.query(NOW, []).await?[0].get(0)?;
/// assert!(now > 1_700_000_000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    sqlite: &'static str,
    postgres: &'static str,
}

impl Sql {
    /// The spelling of SQLite, and that of PostgreSQL.
    #[must_use]
    pub const fn new(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { sqlite, postgres }
    }
}

impl Literal for Sql {
    fn text(self, engine: Engine) -> &'static str {
        match engine {
            Engine::Postgres => self.postgres,
            Engine::Sqlite => self.sqlite,
        }
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "sealed")]
    pub trait Literal {}
    impl Literal for &'static str {}
    impl Literal for super::Sql {}
}
