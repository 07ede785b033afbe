//! SQL literals of the program.

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
    fn text(self) -> &'static str;
}

impl Literal for &'static str {
    fn text(self) -> &'static str {
        self
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "sealed")]
    pub trait Literal {}
    impl Literal for &'static str {}
}
