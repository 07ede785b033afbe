//! The database that the tests of an application use.

use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;

use super::{Error, Location, PostgresServer};
use crate::secrets::{random, sha256};

/// The variable that names it.
const VARIABLE: &str = "TEST_DATABASE_URL";

/// A new schema of the database for tests, if the environment names one.
pub(super) fn fresh() -> Result<Option<PostgresServer>, Error> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let part = HEXLOWER.encode(&random::<8>());
    let Some(url) = url_for(&format!("{part}-{number}")) else {
        return Ok(None);
    };
    match Location::parse(&url) {
        Some(Location::Postgres(server)) => Ok(Some(*server)),
        Some(Location::Sqlite(_)) | None => Err(Error::refused(format!(
            "{VARIABLE} is not the address of a PostgreSQL database, such as `postgres://user@localhost/tests`"
        ))),
    }
}

/// The address of the schema for this name, in the database for tests, if the environment names one.
pub(crate) fn url_for(name: &str) -> Option<String> {
    let text = address()?;
    let mark = if text.contains('?') { '&' } else { '?' };
    let hash = HEXLOWER.encode(&sha256(name.as_bytes()));
    let (hash, _) = hash.split_at_checked(16)?;
    Some(format!("{text}{mark}schema=test_{hash}"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings yet, and asks for its database"
)]
fn address() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|text| !text.is_empty())
}
