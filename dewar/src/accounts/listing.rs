//! The list of users, page by page.

use super::users::user_columns;
use super::{Accounts, Error, User};
use crate::database::{self, Db, Sql, fold};
use crate::forms::Keyset;
use crate::pages::{Paged, Position};

/// The sort key of a list of users: the name, ignoring case, and the account's number.
pub type UserKey = (String, i64);

/// Users in an order, after a key. An index gives each of two parts in order: those with the same name, and those after it. So it
/// reads no more rows than it returns, for any number of users and any names.
macro_rules! people {
    ($before:literal, $beyond:literal, $after:literal, $order:literal) => {
        concat!(
            $before,
            people!(),
            " AND u.name = ?2 COLLATE NOCASE AND u.id ",
            $beyond,
            " ?3 UNION ALL ",
            people!(),
            " AND u.name ",
            $beyond,
            " ?2 COLLATE NOCASE ",
            $after,
            " COLLATE NOCASE ",
            $order,
            ", 1 ",
            $order,
            " LIMIT ?4"
        )
    };
    // `instr` and not LIKE: a `%` in a search is only a `%`.
    () => {
        concat!(
            "SELECT ",
            user_columns!(),
            " WHERE (?1 = '' OR instr(fold(u.name || ' ' || u.email), ?1) > 0)"
        )
    };
}

/// SQLite sorts both parts by the index only at their own end, PostgreSQL allows a collation only around them.
macro_rules! sorted {
    ($beyond:literal, $order:literal) => {
        Sql::new(
            people!("", $beyond, "ORDER BY 3", $order),
            people!("SELECT * FROM (", $beyond, ") people ORDER BY name", $order),
        )
    };
}

const FORWARDS: Sql = sorted!(">", "ASC");
const BACKWARDS: Sql = sorted!("<", "DESC");

/// Like [`Accounts::list`], for a database whose room is not open.
pub(crate) async fn list(
    db: &Db,
    holding: &str,
    place: Position<UserKey>,
    size: usize,
) -> Result<Paged<User>, database::Error> {
    let holding = fold(holding);
    let size = size.clamp(1, 200);
    let most = i64::try_from(size + 1).unwrap_or_default();
    let read = |at: Position<UserKey>| {
        let holding = holding.clone();
        async move {
            let sql = if at.is_backwards() {
                BACKWARDS
            } else {
                FORWARDS
            };
            let (name, id) = match at {
                Position::Start => (String::new(), i64::MIN),
                Position::After(key) | Position::Before(key) => key,
            };
            let values = [holding.into(), name.into(), id.into(), most.into()];
            let rows = db.query(sql, values).await?;
            rows.iter().map(User::read).collect::<Result<Vec<_>, _>>()
        }
    };
    Paged::read(place, size, read).await
}

impl User {
    /// The sort key in a list of users.
    #[must_use]
    pub fn key(&self) -> UserKey {
        (self.name.clone(), self.id.get())
    }
}

impl Accounts {
    /// The order of [`list`](Self::list), for the cursors of a page's links.
    pub const BY_NAME: Keyset<UserKey> = Keyset::new("dewar people by name");

    /// A page of the users whose name or address contains a text, ignoring case, sorted by name. It has at most `size` users, and
    /// never more than 200.
    ///
    /// Without a text the cost does not depend on the number of users. With one, it reads on until the page is full.
    ///
    /// ```
    /// use dewar::accounts::{Accounts, User};
    /// use dewar::forms::{Cursor, Query};
    /// use dewar::secrets::KeyRing;
    /// use dewar::{Form, Page};
    /// #[derive(Form)]
    /// struct Which { page: Option<Cursor> }
    /// async fn people(accounts: Accounts, keys: KeyRing, Query(which): Query<Which>) -> dewar::Result<Page> {
    ///     let place = Accounts::BY_NAME.open(&keys, which.page.as_ref())?;
    ///     let page = accounts.list("", place, 50).await?;
    ///     let links = Accounts::BY_NAME.links(&keys, &page, User::key)?;
    ///     Ok(Page::new("people.html").with("links", links).with("people", page.rows))
    /// }
    /// ```
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list(
        &self,
        holding: &str,
        place: Position<UserKey>,
        size: usize,
    ) -> Result<Paged<User>, Error> {
        Ok(list(&self.0.db, holding, place, size).await?)
    }
}
