//! The users of a database of Django or Flask-Security, read only.
use std::io::Read;
use std::path::{Path, PathBuf};

use tokio::sync::mpsc::Sender;

use super::SourceRow;
use super::dumpdata::address;
use crate::accounts::{AccountState, ImportRow};
use crate::database::{Config, Db, Error, Location, Row, reading_command};

/// The tables of a framework. The statements give an id, an address, a user name, a name, a hash and whether the user is active.
pub(super) enum Tables {
    Django,
    FlaskSecurity,
}

/// How many users are read at once.
const PAGE: usize = 500;

const DJANGO: &str = "SELECT CAST(id AS bigint), CAST(email AS text), CAST(username AS text),
    CAST(coalesce(first_name, '') || ' ' || coalesce(last_name, '') AS text), CAST(password AS text),
    CAST(CASE WHEN is_active THEN 1 ELSE 0 END AS bigint)
    FROM auth_user WHERE id > CAST(?1 AS bigint) ORDER BY id LIMIT 500";
const DJANGO_ROLES: &str =
    "SELECT CAST(g.name AS text) FROM auth_user_groups u JOIN auth_group g ON g.id = u.group_id
    WHERE u.user_id = CAST(?1 AS bigint) ORDER BY g.name LIMIT 100";
const FLASK: &str =
    "SELECT CAST(id AS bigint), CAST(email AS text), CAST('' AS text), CAST('' AS text),
    CAST(password AS text), CAST(CASE WHEN active THEN 1 ELSE 0 END AS bigint)
    FROM \"user\" WHERE id > CAST(?1 AS bigint) ORDER BY id LIMIT 500";
const FLASK_ROLES: &str =
    "SELECT CAST(r.name AS text) FROM roles_users u JOIN role r ON r.id = u.role_id
    WHERE u.user_id = CAST(?1 AS bigint) ORDER BY r.name LIMIT 100";

/// The database that a source names, if it is one: a file of SQLite, or the address of a PostgreSQL server.
pub(super) fn open(
    source: &str,
    (password_file, ca_file): (Option<PathBuf>, Option<PathBuf>),
    config: &Config,
) -> Result<Option<Db>, String> {
    if let Some(Location::Postgres(mut server)) = Location::parse(source) {
        server.address.password_file = password_file;
        server.address.ca_file = ca_file;
        return Ok(Some(Db::connect(&server, config)));
    }
    if source.starts_with("postgres") && source.contains("://") {
        return Err("it is no address of PostgreSQL, such as `postgres://user@host/name`; the password stands in a file, which \
            `--password-file` names"
            .to_owned());
    }
    let mut start = [0; 16];
    let read = std::fs::File::open(source).and_then(|mut file| file.read_exact(&mut start));
    if read.is_err() || &start != b"SQLite format 3\0" {
        return Ok(None);
    }
    let db = Db::open_to_read(Path::new(source), config);
    db.map(Some).map_err(|error| error.to_string())
}

impl Tables {
    /// How many users there are.
    pub(super) async fn count(&self, db: &Db) -> Result<u64, Error> {
        let rows = match self {
            Self::Django => db.query("SELECT count(*) FROM auth_user", []).await?,
            Self::FlaskSecurity => db.query("SELECT count(*) FROM \"user\"", []).await?,
        };
        let count: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Reads the users, and passes each on until the receiver has gone. A statement that changes something is refused.
    pub(super) async fn read(self, db: Db, rows: Sender<SourceRow>) -> Result<(), Error> {
        reading_command("users import", self.pages(&db, &rows)).await
    }

    async fn pages(&self, db: &Db, rows: &Sender<SourceRow>) -> Result<(), Error> {
        let (mut after, mut position) = (i64::MIN, 0);
        loop {
            let found = match self {
                Self::Django => db.query(DJANGO, [after.into()]).await?,
                Self::FlaskSecurity => db.query(FLASK, [after.into()]).await?,
            };
            for row in &found {
                after = row.get(0)?;
                position += 1;
                let sent = rows.send(SourceRow {
                    place: format!("user {after}"),
                    position,
                    row: Ok(self.user(db, row, after).await?),
                });
                if sent.await.is_err() {
                    return Ok(());
                }
            }
            if found.len() < PAGE {
                return Ok(());
            }
        }
    }

    async fn user(&self, db: &Db, row: &Row, id: i64) -> Result<ImportRow, Error> {
        let text = |at| Ok::<String, Error>(row.get::<Option<String>>(at)?.unwrap_or_default());
        let roles = match self {
            Self::Django => db.query(DJANGO_ROLES, [id.into()]).await?,
            Self::FlaskSecurity => db.query(FLASK_ROLES, [id.into()]).await?,
        };
        let username = text(2)?;
        let name = text(3)?.trim().to_owned();
        let roles = roles.iter().map(|row| row.get(0));
        Ok(ImportRow {
            email: address(&text(1)?, &username),
            name: if name.is_empty() { username } else { name },
            password_hash: text(4)?,
            roles: roles.collect::<Result<_, _>>()?,
            state: match row.get::<i64>(5)? {
                0 => AccountState::Disabled,
                _ => AccountState::Active,
            },
        })
    }
}
