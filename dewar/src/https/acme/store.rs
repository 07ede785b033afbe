//! The ACME state that all nodes share, in the database: account, certificate, renewal state and challenge responses.
//! Account, certificate and responses are sealed, each for its place, so the table is useless without the keys.

use super::plan::{AriAnswer, Failures};
use crate::audit::Clock;
use crate::database::{Db, Error as DatabaseError, Migration, Row};
use crate::secrets::{KeyRing, Purpose, random};
use data_encoding::HEXLOWER;
use sea_orm::Value;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::new("dewar_https_0001_acme", FIRST),
    // The table has one row with a fixed id, so it needs no numbering.
    Migration::new(
        "dewar_https_0002_ids",
        "CREATE TABLE dewar_acme_course_anew (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
            holder TEXT NOT NULL DEFAULT '',
            held_until INTEGER NOT NULL DEFAULT 0,
            asked_at INTEGER,
            ask_again INTEGER NOT NULL DEFAULT 0,
            answered_at INTEGER,
            renew_at INTEGER,
            failures INTEGER NOT NULL DEFAULT 0,
            wait_until INTEGER NOT NULL DEFAULT 0,
            failure TEXT NOT NULL DEFAULT ''
        ) STRICT, WITHOUT ROWID;
        INSERT INTO dewar_acme_course_anew SELECT * FROM dewar_acme_course;
        DROP TABLE dewar_acme_course;
        ALTER TABLE dewar_acme_course_anew RENAME TO dewar_acme_course;",
    )
    .postgres(""),
];

const FIRST: &str = "CREATE TABLE dewar_acme_kept (
        what TEXT NOT NULL PRIMARY KEY CHECK (what IN ('account', 'certificate')),
        sealed TEXT NOT NULL,
        kept_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE dewar_acme_course (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        holder TEXT NOT NULL DEFAULT '',
        held_until INTEGER NOT NULL DEFAULT 0,
        asked_at INTEGER,
        ask_again INTEGER NOT NULL DEFAULT 0,
        answered_at INTEGER,
        renew_at INTEGER,
        failures INTEGER NOT NULL DEFAULT 0,
        wait_until INTEGER NOT NULL DEFAULT 0,
        failure TEXT NOT NULL DEFAULT ''
    ) STRICT;
    INSERT INTO dewar_acme_course (id) VALUES (1);
    CREATE TABLE dewar_acme_answers (
        kind TEXT NOT NULL CHECK (kind IN ('http-01', 'tls-alpn-01')),
        subject TEXT NOT NULL,
        sealed TEXT NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (kind, subject)
    ) STRICT, WITHOUT ROWID;";

/// How long a node may order alone. If it dies, the other nodes wait no longer than this.
const LEASE: i64 = 600;
/// How long a challenge response is valid, in seconds.
const ANSWER: i64 = 600;
/// The most characters of an authority's explanation that are stored.
const LONGEST_FAILURE: usize = 500;

/// A certificate and its key, as stored.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct StoredCertificate {
    /// PEM, the server's own certificate first.
    pub(super) chain: String,
    /// PEM.
    pub(super) key: String,
}

impl fmt::Debug for StoredCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept([redacted])")
    }
}

/// The state of the renewal, the same for all nodes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RenewalState {
    pub(super) word: AriAnswer,
    pub(super) failures: Failures,
    /// The last failure; empty after a success.
    pub(super) failure: String,
}

/// The method by which the authority verifies a host (RFC 8555, 8.3; RFC 8737).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Challenge {
    /// It requests a file over plain HTTP, on port 80.
    Http01,
    /// It checks the certificate of a handshake for `acme-tls/1`, on port 443.
    TlsAlpn01,
}

impl Challenge {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
        }
    }
}

/// The stored state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("cannot decrypt the stored {0}: {1}")]
    Foreign(&'static str, String),
}

#[derive(Clone)]
pub(super) struct AcmeStore {
    db: Db,
    ring: KeyRing,
    clock: Clock,
    /// The name of this process among the nodes.
    node: String,
}

impl AcmeStore {
    pub(super) fn new(db: Db, ring: KeyRing, clock: Clock) -> Self {
        let node = HEXLOWER.encode(&random::<16>());
        Self {
            db,
            ring,
            clock,
            node,
        }
    }

    /// When the certificate was stored, if it was.
    pub(super) async fn certificate_kept_at(&self) -> Result<Option<i64>, Error> {
        let sql = "SELECT kept_at FROM dewar_acme_kept WHERE what = 'certificate'";
        let rows = self.db.query(sql, []).await?;
        Ok(rows.first().map(|row| row.get(0)).transpose()?)
    }

    pub(super) async fn certificate(&self) -> Result<Option<StoredCertificate>, Error> {
        let Some(text) = self.kept("certificate").await? else {
            return Ok(None);
        };
        let kept = serde_json::from_str(&text);
        kept.map(Some).map_err(foreign("certificate"))
    }

    pub(super) async fn keep_certificate(&self, kept: &StoredCertificate) -> Result<(), Error> {
        let text = serde_json::to_string(kept).map_err(foreign("certificate"))?;
        self.keep("certificate", &Zeroizing::new(text)).await
    }

    /// The account's credentials for this directory, in the client's format.
    pub(super) async fn account(
        &self,
        directory: &str,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        let text = self.kept("account").await?;
        Ok(text.and_then(|text| {
            let (of, credentials) = text.split_once('\n')?;
            (of == directory).then(|| Zeroizing::new(credentials.to_owned()))
        }))
    }

    pub(super) async fn keep_account(
        &self,
        directory: &str,
        credentials: &str,
    ) -> Result<(), Error> {
        let text = Zeroizing::new(format!("{directory}\n{credentials}"));
        self.keep("account", &text).await
    }

    pub(super) async fn forget_account(&self) -> Result<(), Error> {
        let sql = "DELETE FROM dewar_acme_kept WHERE what = 'account'";
        self.db.execute(sql, []).await?;
        Ok(())
    }

    /// Seals account and certificate again after a key rotation, so that an older key can be revoked.
    pub(super) async fn reencrypt(&self) -> Result<(), Error> {
        let rows = self
            .db
            .query("SELECT what, sealed FROM dewar_acme_kept", [])
            .await?;
        let prefix = format!("{}.", self.ring.signing_id());
        let mut done = Ok(());
        for row in rows {
            let (what, sealed): (String, String) = (row.get(0)?, row.get(1)?);
            let Some(what) = ["account", "certificate"]
                .into_iter()
                .find(|it| *it == what)
            else {
                continue;
            };
            if sealed.starts_with(&prefix) {
                continue;
            }
            let text = match self.open(what, &sealed) {
                Ok(text) => text,
                // The other row is sealed again all the same.
                Err(error) => {
                    done = Err(error);
                    continue;
                }
            };
            // The condition keeps a value that another node stored meanwhile.
            let sql = "UPDATE dewar_acme_kept SET sealed = ?1 WHERE what = ?2 AND sealed = ?3";
            let values: [Value; 3] = [self.seal(what, &text)?.into(), what.into(), sealed.into()];
            self.db.execute(sql, values).await?;
        }
        done
    }

    async fn kept(&self, what: &'static str) -> Result<Option<Zeroizing<String>>, Error> {
        let sql = "SELECT sealed FROM dewar_acme_kept WHERE what = ?1";
        let rows = self.db.query(sql, [what.into()]).await?;
        let sealed: Option<String> = rows.first().map(|row| row.get(0)).transpose()?;
        sealed.map(|sealed| self.open(what, &sealed)).transpose()
    }

    async fn keep(&self, what: &'static str, text: &str) -> Result<(), Error> {
        let sealed = self.seal(what, text)?;
        // Two writes never have the same time: the other nodes detect a new certificate by it.
        let sql = "INSERT INTO dewar_acme_kept (what, sealed, kept_at) VALUES (?1, ?2, ?3)
            ON CONFLICT (what) DO UPDATE SET sealed = ?2, kept_at =
            CASE WHEN ?3 > dewar_acme_kept.kept_at THEN ?3 ELSE dewar_acme_kept.kept_at + 1 END";
        let values: [Value; 3] = [what.into(), sealed.into(), self.clock.now().into()];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    pub(super) async fn course(&self) -> Result<RenewalState, Error> {
        let sql = "SELECT asked_at, ask_again, answered_at, renew_at, failures, wait_until, failure
            FROM dewar_acme_course WHERE id = 1";
        let rows = self.db.query(sql, []).await?;
        Ok(rows.first().map(course).transpose()?.unwrap_or_default())
    }

    /// Stores the renewal state, if this node still holds the lease.
    pub(super) async fn keep_course(&self, course: &RenewalState) -> Result<(), Error> {
        let RenewalState {
            word,
            failures,
            failure,
        } = course;
        let sql = "UPDATE dewar_acme_course SET asked_at = ?1, ask_again = ?2, answered_at = ?3, renew_at = ?4,
            failures = ?5, wait_until = ?6, failure = ?7 WHERE id = 1 AND holder = ?8";
        let failure: String = failure.chars().take(LONGEST_FAILURE).collect();
        let values: [Value; 8] = [
            word.asked_at.into(),
            word.ask_again.into(),
            word.answered_at.into(),
            word.renew_at.into(),
            i64::from(failures.in_a_row).into(),
            failures.wait_until.into(),
            failure.into(),
            self.node.clone().into(),
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// Takes the lease: one node works, the others wait. If two try at once, one statement comes first.
    pub(super) async fn take_lease(&self) -> Result<bool, Error> {
        let now = self.clock.now();
        let sql = "UPDATE dewar_acme_course SET holder = ?1, held_until = ?2 WHERE id = 1 AND (held_until <= ?3 OR holder = ?1)";
        let values: [Value; 3] = [self.node.clone().into(), (now + LEASE).into(), now.into()];
        Ok(self.db.execute(sql, values).await? == 1)
    }

    /// Whether this node still holds the lease. Dewar checks it before each step that cannot be undone.
    pub(super) async fn holds_lease(&self) -> Result<bool, Error> {
        let sql =
            "SELECT 1 FROM dewar_acme_course WHERE id = 1 AND holder = ?1 AND held_until > ?2";
        let values: [Value; 2] = [self.node.clone().into(), self.clock.now().into()];
        Ok(!self.db.query(sql, values).await?.is_empty())
    }

    pub(super) async fn give_lease_back(&self) -> Result<(), Error> {
        let sql = "UPDATE dewar_acme_course SET held_until = 0 WHERE id = 1 AND holder = ?1";
        self.db.execute(sql, [self.node.clone().into()]).await?;
        Ok(())
    }

    /// Stores the response to a challenge, so that any node can send it: by token for HTTP, by host for TLS.
    pub(super) async fn lay_out(
        &self,
        kind: Challenge,
        subject: &str,
        answer: &str,
    ) -> Result<(), Error> {
        let sealed = self.seal_answer(kind, subject, answer)?;
        let sql =
            "INSERT INTO dewar_acme_answers (kind, subject, sealed, until) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (kind, subject) DO UPDATE SET sealed = ?3, until = ?4";
        let values: [Value; 4] = [
            kind.as_str().into(),
            subject.into(),
            sealed.into(),
            (self.clock.now() + ANSWER).into(),
        ];
        self.db.execute(sql, values).await?;
        Ok(())
    }

    /// The response to an open challenge. A value that was not sealed for this very place counts as none.
    pub(super) async fn answer(
        &self,
        kind: Challenge,
        subject: &str,
    ) -> Result<Option<String>, Error> {
        let sql =
            "SELECT sealed FROM dewar_acme_answers WHERE kind = ?1 AND subject = ?2 AND until > ?3";
        let values: [Value; 3] = [
            kind.as_str().into(),
            subject.into(),
            self.clock.now().into(),
        ];
        let rows = self.db.query(sql, values).await?;
        let Some(sealed) = rows.first().map(|row| row.get::<String>(0)).transpose()? else {
            return Ok(None);
        };
        let place = place(kind, subject);
        let opened = self.ring.open(Purpose::Acme, place.as_bytes(), &sealed);
        Ok(opened
            .ok()
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()))
    }

    pub(super) async fn take_answers_in(&self) -> Result<(), Error> {
        self.db
            .execute("DELETE FROM dewar_acme_answers", [])
            .await?;
        Ok(())
    }

    fn seal(&self, what: &'static str, text: &str) -> Result<String, Error> {
        let sealed = self
            .ring
            .seal(Purpose::Acme, what.as_bytes(), text.as_bytes());
        sealed.map_err(foreign(what))
    }

    fn seal_answer(&self, kind: Challenge, subject: &str, answer: &str) -> Result<String, Error> {
        let place = place(kind, subject);
        let sealed = self
            .ring
            .seal(Purpose::Acme, place.as_bytes(), answer.as_bytes());
        sealed.map_err(foreign("answer"))
    }

    fn open(&self, what: &'static str, sealed: &str) -> Result<Zeroizing<String>, Error> {
        let opened = self.ring.open(Purpose::Acme, what.as_bytes(), sealed);
        let bytes = opened.map_err(foreign(what))?;
        let text = std::str::from_utf8(&bytes).map_err(foreign(what))?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// No kind contains a space, so two different places never have the same text.
fn place(kind: Challenge, subject: &str) -> String {
    format!("answer {} {subject}", kind.as_str())
}

fn foreign<E: fmt::Display>(what: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::Foreign(what, error.to_string())
}

fn course(row: &Row) -> Result<RenewalState, DatabaseError> {
    Ok(RenewalState {
        word: AriAnswer {
            asked_at: row.get(0)?,
            ask_again: row.get(1)?,
            answered_at: row.get(2)?,
            renew_at: row.get(3)?,
        },
        failures: Failures {
            in_a_row: row.get(4)?,
            wait_until: row.get(5)?,
        },
        failure: row.get(6)?,
    })
}

impl fmt::Debug for AcmeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
