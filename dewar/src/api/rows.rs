//! The rows of API tokens.
use std::borrow::Cow;

use super::tokens::blob;
use super::{ApiTokenInfo, Error, ScopeInfo, TokenHolder};
use crate::audit::command_line;
use crate::database::{self, Db, Row, Sql, Tx};
use crate::secrets::same;
use crate::sessions::{Person, SessionId, UserId, person_columns, read_person};

/// The most ended tokens of one holder that are kept, so that nobody fills the table by making and revoking.
const MOST_ENDED: i64 = 20;
/// The most tokens of services at once.
const MOST_SERVICES: u32 = 500;

/// A token as a request finds it.
#[derive(Debug)]
pub(super) struct FoundRow {
    pub(super) info: ApiTokenInfo,
    /// The owner, as the database has them now.
    pub(super) person: Option<Person>,
    /// The generation of the owner's account when the token was made.
    pub(super) generation: i64,
    pub(super) mac: Vec<u8>,
}

/// A token to store.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRow<'a> {
    pub(super) info: &'a ApiTokenInfo,
    pub(super) mac: [u8; 32],
    pub(super) actor: &'a str,
    /// The session that it is made in.
    pub(super) made_in: Option<SessionId>,
}

/// Who makes or revokes a token, for the log.
pub(super) fn actor(by: Option<UserId>) -> Cow<'static, str> {
    by.map_or(Cow::Borrowed(command_line()), |by| by.to_string().into())
}

/// The token of an entry in the log.
pub(super) fn subject(holder: TokenHolder, id: &str) -> String {
    match holder {
        TokenHolder::Person(user) => format!("token {id} of {user}"),
        TokenHolder::Service => format!("service token {id}"),
    }
}

const fn user_of(holder: TokenHolder) -> Option<i64> {
    match holder {
        TokenHolder::Person(user) => Some(user.get()),
        TokenHolder::Service => None,
    }
}

/// A token with its owner, the owner's roles and the MAC.
macro_rules! find_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            person_columns!(),
            ", t.id, t.user_id, t.name, t.scopes, t.created_at, t.expires_at, t.used_at, t.revoked_at,
            t.generation, t.token_mac
        FROM dewar_api_tokens t LEFT JOIN dewar_users u ON u.id = t.user_id WHERE ",
            $condition
        )
    };
}

/// Finds a token by its MAC, together with its owner. The database compares the MAC, whose bytes nobody without the key
/// can choose, and this function compares it once more in constant time.
pub(super) async fn find(db: &Db, mac: &[u8; 32]) -> Result<Option<FoundRow>, database::Error> {
    const FIND: &str = find_where!("t.token_mac = ?1");
    let rows = db.query(FIND, [blob(mac)]).await?;
    let found = rows.first().map(found).transpose()?;
    Ok(found.filter(|found| same(&found.mac, mac)))
}

/// Finds a token by its id, for a request whose MAC was found before. Another request may have stored the token under another key
/// since then.
pub(super) async fn find_again(db: &Db, id: &str) -> Result<Option<FoundRow>, database::Error> {
    const FIND: &str = find_where!("t.id = ?1");
    let rows = db.query(FIND, [id.into()]).await?;
    rows.first().map(found).transpose()
}

/// The most tokens of one statement.
const AT_ONCE: usize = 500;

/// The same for several tokens.
pub(super) async fn find_all_again(
    db: &Db,
    ids: &[String],
) -> Result<Vec<FoundRow>, database::Error> {
    const FIND: Sql = Sql::new(
        find_where!("t.id IN (SELECT value FROM json_each(?1))"),
        find_where!("t.id IN (SELECT json_array_elements_text(CAST(?1 AS json)))"),
    );
    let mut all = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let list = serde_json::Value::from(ids.to_vec()).to_string();
        for row in db.query(FIND, [list.into()]).await? {
            all.push(found(&row)?);
        }
    }
    Ok(all)
}

fn found(row: &Row) -> Result<FoundRow, database::Error> {
    let has_person = row.get::<Option<i64>>(0)?.is_some();
    Ok(FoundRow {
        info: info(row, 8)?,
        person: has_person.then(|| read_person(row)).transpose()?,
        generation: row.get(16)?,
        mac: row.get(17)?,
    })
}

/// The eight columns of a token from this one on.
fn info(row: &Row, from: usize) -> Result<ApiTokenInfo, database::Error> {
    let scopes: String = row.get(from + 3)?;
    Ok(ApiTokenInfo {
        id: row.get(from)?,
        user: row.get(from + 1)?,
        name: row.get(from + 2)?,
        scopes: scopes.split(' ').map(str::to_owned).collect(),
        created_at: row.get(from + 4)?,
        expires_at: row.get(from + 5)?,
        used_at: row.get(from + 6)?,
        revoked_at: row.get(from + 7)?,
    })
}

/// Stores a new token, if its holder may have it.
pub(super) async fn add(
    tx: &Tx,
    holder: TokenHolder,
    new: &NewRow<'_>,
    scopes: &[ScopeInfo],
    most: u32,
) -> Result<(), Error> {
    let generation = match holder {
        TokenHolder::Person(user) => allowed(tx, user, new.info, scopes).await?,
        TokenHolder::Service => 0,
    };
    let most = match holder {
        TokenHolder::Person(_) => most,
        TokenHolder::Service => MOST_SERVICES,
    };
    let (user, now) = (user_of(holder), new.info.created_at);
    let count = "SELECT count(*) FROM dewar_api_tokens
        WHERE user_id IS NOT DISTINCT FROM ?1 AND revoked_at IS NULL AND expires_at > ?2";
    let rows = tx.query(count, [user.into(), now.into()]).await?;
    let held: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    if held >= i64::from(most) {
        return Err(Error::TooMany(most));
    }
    let trim = "DELETE FROM dewar_api_tokens WHERE user_id IS NOT DISTINCT FROM ?1
        AND (revoked_at IS NOT NULL OR expires_at <= ?2) AND id NOT IN (
            SELECT id FROM dewar_api_tokens WHERE user_id IS NOT DISTINCT FROM ?1
                AND (revoked_at IS NOT NULL OR expires_at <= ?2)
            ORDER BY created_at DESC, id LIMIT ?3)";
    let values = [user.into(), now.into(), MOST_ENDED.into()];
    tx.execute(trim, values).await?;
    let add = "INSERT INTO dewar_api_tokens (id, token_mac, user_id, generation, name, scopes, created_by,
        created_at, expires_at, made_in) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let values = [
        new.info.id.as_str().into(),
        blob(&new.mac),
        user.into(),
        generation.into(),
        new.info.name.as_str().into(),
        new.info.scopes.join(" ").into(),
        new.actor.into(),
        now.into(),
        new.info.expires_at.into(),
        new.made_in.map(|id| id.to_string()).into(),
    ];
    tx.execute(add, values).await?;
    Ok(())
}

/// The generation of a person's account, if the person may have these scopes.
async fn allowed(
    tx: &Tx,
    user: UserId,
    new: &ApiTokenInfo,
    scopes: &[ScopeInfo],
) -> Result<i64, Error> {
    let find = concat!(
        "SELECT ",
        person_columns!(),
        " FROM dewar_users u WHERE u.id = ?1"
    );
    let rows = tx.query(find, [user.into()]).await?;
    let person = rows.first().map(read_person).transpose()?;
    let Some(person) = person.filter(|person| !person.disabled) else {
        return Err(Error::NoSuchUser);
    };
    let lacks = |name: &&String| {
        let role = scopes.iter().find(|scope| scope.name == **name);
        let role = role.and_then(|scope| scope.role);
        role.is_some_and(|role| !person.principal.has_role_named(role))
    };
    match new.scopes.iter().find(lacks) {
        Some(name) => Err(Error::UnknownScope(name.clone())),
        None => Ok(person.generation),
    }
}

/// Keeps the tokens of a user whose sessions a new generation has ended, and whose password is the same.
pub(super) async fn follow(tx: &Tx, user: UserId, generation: i64) -> Result<(), database::Error> {
    let follow =
        "UPDATE dewar_api_tokens SET generation = ?1 WHERE user_id = ?2 AND generation = ?1 - 1";
    tx.execute(follow, [generation.into(), user.into()])
        .await
        .map(drop)
}

const LIST: &str = "SELECT id, user_id, name, scopes, created_at, expires_at, used_at, revoked_at
    FROM dewar_api_tokens WHERE user_id IS NOT DISTINCT FROM ?1 ORDER BY created_at DESC, id LIMIT 600";

pub(super) async fn list_of(
    db: &Db,
    holder: TokenHolder,
) -> Result<Vec<ApiTokenInfo>, database::Error> {
    let rows = db.query(LIST, [user_of(holder).into()]).await?;
    rows.iter().map(|row| info(row, 0)).collect()
}

/// One page of all tokens, ordered by id, for the command line.
pub(crate) async fn page_of_all(
    db: &Db,
    after: &str,
    most: i64,
) -> Result<Vec<ApiTokenInfo>, database::Error> {
    let list = "SELECT id, user_id, name, scopes, created_at, expires_at, used_at, revoked_at
        FROM dewar_api_tokens WHERE id > ?1 ORDER BY id LIMIT ?2";
    let rows = db.query(list, [after.into(), most.into()]).await?;
    rows.iter().map(|row| info(row, 0)).collect()
}

/// The holder of a token.
pub(crate) async fn holder_of(db: &Db, id: &str) -> Result<Option<TokenHolder>, database::Error> {
    let find = "SELECT user_id FROM dewar_api_tokens WHERE id = ?1";
    let rows = db.query(find, [id.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let user: Option<i64> = row.get(0)?;
    Ok(Some(user.map_or(TokenHolder::Service, |user| {
        TokenHolder::Person(UserId::new(user))
    })))
}

/// Whether the holder had the token, and it was not revoked before.
pub(super) async fn revoke(
    tx: &Tx,
    holder: TokenHolder,
    id: &str,
    now: i64,
) -> Result<bool, database::Error> {
    let set = "UPDATE dewar_api_tokens SET revoked_at = ?3
        WHERE id = ?1 AND user_id IS NOT DISTINCT FROM ?2 AND revoked_at IS NULL";
    let values = [id.into(), user_of(holder).into(), now.into()];
    Ok(tx.execute(set, values).await? == 1)
}

pub(super) async fn revoke_all_of(tx: &Tx, user: UserId, now: i64) -> Result<u64, database::Error> {
    let set = "UPDATE dewar_api_tokens SET revoked_at = ?2
        WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2";
    tx.execute(set, [user.into(), now.into()]).await
}

/// Revokes the tokens that were made in a session. Returns how many worked until now.
pub(super) async fn revoke_made_in(
    tx: &Tx,
    user: UserId,
    session: SessionId,
    now: i64,
) -> Result<u64, database::Error> {
    let set = "UPDATE dewar_api_tokens SET revoked_at = ?3
        WHERE user_id = ?1 AND made_in = ?2 AND revoked_at IS NULL AND expires_at > ?3";
    let values = [user.into(), session.to_string().into(), now.into()];
    tx.execute(set, values).await
}

/// Writes the last use, and the MAC under the key that signs now, unless another request did since `before`. A token that was
/// revoked meanwhile stays revoked.
pub(super) async fn touch(
    db: &Db,
    id: &str,
    mac: &[u8; 32],
    (now, before): (i64, i64),
) -> Result<(), database::Error> {
    let set = "UPDATE dewar_api_tokens SET used_at = ?1, token_mac = ?2
        WHERE id = ?3 AND (used_at IS NULL OR used_at <= ?4 OR token_mac <> ?2)";
    let values = [now.into(), blob(mac), id.into(), before.into()];
    db.execute(set, values).await.map(drop)
}

pub(super) async fn sweep(db: &Db, before: i64) -> Result<u64, database::Error> {
    let sweep = "DELETE FROM dewar_api_tokens WHERE expires_at < ?1 OR revoked_at < ?1";
    db.execute(sweep, [before.into()]).await
}
