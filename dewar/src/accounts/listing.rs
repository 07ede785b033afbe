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
            " FROM dewar_users u WHERE (?1 = '' OR instr(fold(u.name || ' ' || u.email), ?1) > 0)"
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

/// The holders of a role who may sign in, in the same order. The index of the roles finds the holders.
macro_rules! holders {
    ($beyond:literal, $order:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM dewar_user_roles h JOIN dewar_users u ON u.id = h.user_id
            WHERE h.role = ?1 AND u.disabled_at IS NULL AND (u.name ",
            $beyond,
            " ?2 COLLATE NOCASE OR (u.name = ?2 COLLATE NOCASE AND u.id ",
            $beyond,
            " ?3)) ORDER BY u.name COLLATE NOCASE ",
            $order,
            ", u.id ",
            $order,
            " LIMIT ?4"
        )
    };
}

const HOLDERS_FORWARDS: Sql = Sql::new(holders!(">", "ASC"), holders!(">", "ASC"));
const HOLDERS_BACKWARDS: Sql = Sql::new(holders!("<", "DESC"), holders!("<", "DESC"));

const FORWARDS: Sql = sorted!(">", "ASC");
const BACKWARDS: Sql = sorted!("<", "DESC");

/// Like [`Accounts::list`], for a database whose room is not open.
pub(crate) async fn list(
    db: &Db,
    holding: &str,
    place: Position<UserKey>,
    size: usize,
) -> Result<Paged<User>, database::Error> {
    paged(db, fold(holding), place, size, (FORWARDS, BACKWARDS)).await
}

/// A page of the users that one of two statements finds, each with the same values.
async fn paged(
    db: &Db,
    wanted: String,
    place: Position<UserKey>,
    size: usize,
    (forwards, backwards): (Sql, Sql),
) -> Result<Paged<User>, database::Error> {
    let size = size.clamp(1, 200);
    let most = i64::try_from(size + 1).unwrap_or_default();
    let read = |at: Position<UserKey>| {
        let wanted = wanted.clone();
        async move {
            let sql = if at.is_backwards() {
                backwards
            } else {
                forwards
            };
            let (name, id) = match at {
                Position::Start => (String::new(), i64::MIN),
                Position::After(key) | Position::Before(key) => key,
            };
            let values = [wanted.into(), name.into(), id.into(), most.into()];
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

    /// A page of the users who have a role and may sign in, in the order of [`list`](Self::list): to offer a person for a task. It
    /// has at most `size` users, and never more than 200.
    ///
    /// ```
    /// use dewar::accounts::{Accounts, User};
    /// use dewar::forms::{Offered, Pick};
    /// use dewar::pages::Position;
    /// use dewar::roles::Role;
    /// use dewar::{Form, Page};
    /// #[derive(Role, Clone, Copy)]
    /// enum Staff { Agent, #[role(administrator)] Boss }
    /// #[derive(Form)]
    /// struct Assign { agent: Pick<User> }
    /// async fn assign(accounts: Accounts) -> dewar::Result<Page> {
    ///     let agents = accounts.list_with_role(Staff::Agent.name(), Position::Start, 100).await?;
    ///     let agents = Offered::new(agents.rows, |user| (user.id.get(), user.name.clone()));
    ///     Ok(Page::new("assign.html").form("form", Assign::view().offer(Assign::AGENT, &agents)))
    /// }
    /// ```
    ///
    /// # Errors
    /// If the database fails.
    pub async fn list_with_role(
        &self,
        role: &str,
        place: Position<UserKey>,
        size: usize,
    ) -> Result<Paged<User>, Error> {
        let holders = (HOLDERS_FORWARDS, HOLDERS_BACKWARDS);
        Ok(paged(&self.0.db, role.to_owned(), place, size, holders).await?)
    }
}
