//! The letters that wait, in the database: a letter is queued in the transaction that causes it.
//!
//! The text of a letter may hold a link that opens an account, so it is sealed, and removed when the letter was sent.

use std::net::IpAddr;
use std::time::Duration;

use super::Error;
use super::parts::{self, Part};
use crate::database::{self, Db, Migration, Row, Sealed, SealedColumn, Tx};
use crate::secrets;
use crate::sessions::UserId;

pub(crate) const MIGRATIONS: &[Migration] =
    &[FIRST.additive(), PARTS_TABLE.additive(), LISTS.additive()];

const FIRST: Migration = Migration::new(
    "dewar_mail_0001",
    "CREATE TABLE dewar_letters (
        id TEXT NOT NULL PRIMARY KEY,
        kind INTEGER NOT NULL,
        template TEXT NOT NULL,
        address TEXT NOT NULL,
        address_key TEXT NOT NULL,
        cause BLOB NOT NULL,
        queued_at INTEGER NOT NULL,
        useless_at INTEGER NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting',
        due_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        ended_at INTEGER,
        reason TEXT,
        content TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dewar_letters_by_state ON dewar_letters (state, kind, due_at);
    CREATE INDEX dewar_letters_by_address ON dewar_letters (address_key, kind, queued_at);
    CREATE INDEX dewar_letters_by_cause ON dewar_letters (cause, kind, queued_at);
    CREATE TABLE dewar_refused_addresses (
        address_key TEXT NOT NULL PRIMARY KEY,
        reason TEXT NOT NULL,
        refused_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;",
);

/// Letters with attachments, in parts: commands that read many rows at once read no large ones.
const PARTS_TABLE: Migration = Migration::new(
    "dewar_mail_0002_parts",
    "ALTER TABLE dewar_letters ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX dewar_letters_large ON dewar_letters (cause, size) WHERE size > 0;
    CREATE TABLE dewar_letter_parts (
        id TEXT NOT NULL PRIMARY KEY,
        letter TEXT NOT NULL REFERENCES dewar_letters (id) ON DELETE CASCADE,
        part INTEGER NOT NULL,
        content TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX dewar_letter_parts_by_letter ON dewar_letter_parts (letter, part);",
);

/// The mailing lists of letters, and the addresses that have left one.
const LISTS: Migration = Migration::new(
    "dewar_mail_0003_lists",
    "ALTER TABLE dewar_letters ADD COLUMN list TEXT;
    CREATE TABLE dewar_unsubscribed (
        list TEXT NOT NULL,
        address_key TEXT NOT NULL,
        left_at INTEGER NOT NULL,
        PRIMARY KEY (list, address_key)
    ) STRICT, WITHOUT ROWID;",
);

/// The messages of letters that were not sent.
pub(crate) const CONTENT: SealedColumn =
    SealedColumn::new("dewar_letters", "content").bound_to("id");

/// The most waiting letters of one kind from one cause.
pub(super) const SHARE: i64 = 32;

/// How long one node has a letter to itself while it sends it. Longer than the mail server may take for all replies.
pub(super) const LEASE: Duration = Duration::from_secs(900);

/// How long a letter that was given up can be sent again by an operator.
pub(super) const KEEP_FAILED: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long an address that a mail server has refused gets no letters. Mailboxes are set up again, and mail servers err.
const REFUSED_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// The most letters about one account and of one kind within [`ACCOUNT_WINDOW`]; with more, a stranger could pester its owner. Each
/// kind has its own limit, so that a stranger who signs up with an address does not use up its letters for a new password.
const ACCOUNT_LIMIT: i64 = 3;

const ACCOUNT_WINDOW: Duration = Duration::from_secs(3600);

/// A letter that expires at no time of its own.
pub(super) const NEVER: i64 = i64::MAX;

/// The purpose of a letter. The first kind is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetterKind {
    /// News that the owner of an account has to know.
    Notice,
    /// A link that its owner waits for.
    Link,
    /// A letter of the application.
    Application,
    /// A response to a sign-up, which anybody can cause for any address.
    SignUp,
}

impl LetterKind {
    const fn order(self) -> i64 {
        match self {
            Self::Notice => 0,
            Self::Link => 1,
            Self::Application => 2,
            Self::SignUp => 3,
        }
    }
}

/// The party that causes letters, and shares their places with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailQuota {
    /// Everybody without a session who requests from this network.
    Network(IpAddr),
    /// The program itself: a job, or a command.
    Program,
    /// The receiver, if only they can cause the letter.
    Receiver(Box<str>),
    /// A signed-in person.
    User(UserId),
}

impl MailQuota {
    /// A hash: the table shows neither who caused a letter nor from where.
    fn hash(&self) -> Vec<u8> {
        let text = match self {
            Self::Network(address) => format!("network {address}"),
            Self::Program => "program".to_owned(),
            Self::Receiver(address) => format!("receiver {address}"),
            Self::User(user) => format!("user {user}"),
        };
        secrets::sha256(text.as_bytes()).to_vec()
    }
}

/// A letter for the queue.
#[derive(Debug)]
pub(super) struct NewLetter<'a> {
    pub(super) id: &'a str,
    pub(super) kind: LetterKind,
    pub(super) cause: &'a MailQuota,
    pub(super) template: &'static str,
    /// Its mailing list.
    pub(super) list: Option<&'static str>,
    pub(super) address: &'a str,
    pub(super) address_key: &'a str,
    pub(super) now: i64,
    pub(super) useless_at: i64,
    pub(super) content: Content,
}

/// The text of a letter for the queue.
#[derive(Debug)]
pub(super) enum Content {
    /// In one piece.
    One(Sealed),
    /// In parts, with the number of all their bytes.
    Parts(i64, Vec<Part>),
}

impl Content {
    /// Its bytes, if they are in parts.
    pub(super) const fn size(&self) -> i64 {
        match self {
            Self::One(_) => 0,
            Self::Parts(size, _) => *size,
        }
    }
}

/// The limits of the settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) recipient: i64,
    pub(super) sender: i64,
    pub(super) window: Duration,
    pub(super) waiting: i64,
    /// The bytes of all letters in parts.
    pub(super) waiting_bytes: i64,
}

/// Whether an address may get a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Yes.
    Free,
    /// A mail server has said that the address does not exist.
    AddressRefused,
}

/// The letters that count against the limits, each counted no further than its limit.
const COUNT: &str = "SELECT
    (SELECT count(*) FROM (SELECT 1 FROM dewar_letters
        WHERE state = 'waiting' AND kind = ?1 LIMIT ?2) a),
    (SELECT count(*) FROM (SELECT 1 FROM dewar_letters
        WHERE cause = ?3 AND kind = ?1 AND state = 'waiting' LIMIT ?4) b),
    (SELECT count(*) FROM (SELECT 1 FROM dewar_letters
        WHERE address_key = ?5 AND kind = ?1 AND queued_at > ?6 LIMIT ?7) c),
    (SELECT count(*) FROM (SELECT 1 FROM dewar_letters
        WHERE cause = ?3 AND kind = ?1 AND queued_at > ?6 LIMIT ?8) d),
    (SELECT count(*) FROM dewar_refused_addresses WHERE address_key = ?5 AND refused_at > ?9),
    (SELECT count(*) FROM (SELECT 1 FROM dewar_letters
        WHERE address_key = ?5 AND kind = ?1 AND queued_at > ?6 AND cause = ?3 LIMIT ?7) f)";

/// Whether there is room for a letter.
pub(super) async fn room(
    tx: &Tx,
    (kind, cause): (LetterKind, &MailQuota),
    address_key: &str,
    limits: Limits,
    now: i64,
) -> Result<Room, Error> {
    let (most, window) = match kind {
        LetterKind::Notice | LetterKind::Application => (limits.recipient, limits.window),
        LetterKind::Link | LetterKind::SignUp => (ACCOUNT_LIMIT, ACCOUNT_WINDOW),
    };
    let values = [
        kind.order().into(),
        limits.waiting.into(),
        cause.hash().into(),
        SHARE.into(),
        address_key.into(),
        (now - seconds(window)).into(),
        most.into(),
        limits.sender.into(),
        (now - seconds(REFUSED_FOR)).into(),
    ];
    let rows = tx.query(COUNT, values).await?;
    let row = rows.first().ok_or(database::Error::NotFound)?;
    let at = |place| row.get::<i64>(place);
    let is_program = *cause == MailQuota::Program;
    let is_of_application = kind == LetterKind::Application;
    if at(0)? >= limits.waiting || (at(1)? >= SHARE && !is_program && !is_of_application) {
        return Err(Error::Full);
    }
    if kind != LetterKind::Notice && at(2)? >= most {
        return Err(Error::RecipientLimit(window));
    }
    if is_of_application {
        // One person leaves room for the others.
        if at(5)? >= (most / 2).max(1) && !is_program {
            return Err(Error::RecipientLimit(window));
        }
        if at(3)? >= limits.sender && !is_program {
            return Err(Error::SenderLimit(limits.window));
        }
    }
    // The owner of an account has to know, even if a mail server has erred.
    Ok(if at(4)? > 0 && kind != LetterKind::Notice {
        Room::AddressRefused
    } else {
        Room::Free
    })
}

/// The bytes of letters in parts, of all causes and of one.
const COUNT_BYTES: &str = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT),
    CAST(coalesce(sum(CASE WHEN cause = ? THEN size ELSE 0 END), 0) AS BIGINT)
    FROM dewar_letters WHERE size > 0";

/// Whether there is room for the parts of a letter. One person, and one network without a session, has a quarter of it.
pub(super) async fn room_for_parts(
    tx: &Tx,
    cause: &MailQuota,
    size: i64,
    limits: Limits,
) -> Result<(), Error> {
    if size == 0 {
        return Ok(());
    }
    let rows = tx.query(COUNT_BYTES, [cause.hash().into()]).await?;
    let row = rows.first().ok_or(database::Error::NotFound)?;
    let (all, own): (i64, i64) = (row.get(0)?, row.get(1)?);
    if all.saturating_add(size) > limits.waiting_bytes {
        return Err(Error::Full);
    }
    let share = limits.waiting_bytes / 4;
    if *cause != MailQuota::Program && own.saturating_add(size) > share {
        return Err(Error::SenderLimit(limits.window));
    }
    Ok(())
}

/// Queues a letter.
pub(super) async fn add(tx: &Tx, letter: NewLetter<'_>) -> Result<(), database::Error> {
    let add = "INSERT INTO dewar_letters
            (id, kind, template, address, address_key, cause, queued_at, useless_at, due_at, content, size, list)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?9, ?10, ?11)";
    let size = letter.content.size();
    // A node of an older program sends no letter without content: it leaves those in parts to the others.
    let (content, parts) = match letter.content {
        Content::One(sealed) => (Some(sealed), Vec::new()),
        Content::Parts(_, parts) => (None, parts),
    };
    let values = [
        letter.id.into(),
        letter.kind.order().into(),
        letter.template.into(),
        letter.address.into(),
        letter.address_key.into(),
        letter.cause.hash().into(),
        letter.now.into(),
        letter.useless_at.into(),
        content.into(),
        size.into(),
        letter.list.into(),
    ];
    tx.execute(add, values).await?;
    parts::add(tx, letter.id, parts).await
}

/// A letter that this node sends now.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) id: String,
    pub(super) template: String,
    pub(super) address: String,
    pub(super) address_key: String,
    pub(super) queued_at: i64,
    pub(super) useless_at: i64,
    /// The attempts, this one included.
    pub(super) attempts: i64,
    pub(super) content: Option<Sealed>,
    /// The bytes of a letter in parts; otherwise 0.
    pub(super) size: i64,
    /// Its mailing list.
    pub(super) list: Option<String>,
}

impl Claimed {
    fn read(row: &Row) -> Result<Self, database::Error> {
        Ok(Self {
            id: row.get(0)?,
            template: row.get(1)?,
            address: row.get(2)?,
            address_key: row.get(3)?,
            queued_at: row.get(4)?,
            useless_at: row.get(5)?,
            attempts: row.get(6)?,
            content: row.get(7)?,
            size: row.get(8)?,
            list: row.get(9)?,
        })
    }
}

/// Takes the next letter that is due. No other node takes it meanwhile; if this node is killed, another takes it later.
pub(super) async fn claim(db: &Db, now: i64) -> Result<Option<Claimed>, database::Error> {
    let claim = "UPDATE dewar_letters SET due_at = ?2, attempts = attempts + 1
        WHERE state = 'waiting' AND due_at <= ?1 AND id = (SELECT id FROM dewar_letters
            WHERE state = 'waiting' AND due_at <= ?1 ORDER BY kind, due_at, id LIMIT 1)
        RETURNING id, template, address, address_key, queued_at, useless_at, attempts, content, size, list";
    let until = now + seconds(LEASE);
    db.transaction(|tx| async move {
        let rows = tx.query(claim, [now.into(), until.into()]).await?;
        rows.first().map(Claimed::read).transpose()
    })
    .await
}

/// Records that a letter was sent, and removes its text.
pub(super) async fn sent(db: &Db, id: &str, now: i64) -> Result<(), database::Error> {
    let end = "UPDATE dewar_letters SET state = 'sent', ended_at = ?2, reason = NULL, content = NULL, size = 0 WHERE id = ?1";
    db.transaction(|tx| async move {
        tx.execute(end, [id.into(), now.into()]).await?;
        parts::remove(&tx, id).await
    })
    .await
}

/// Removes a letter that its recipient does not want any more.
pub(super) async fn remove(db: &Db, id: &str) -> Result<(), database::Error> {
    let remove = "DELETE FROM dewar_letters WHERE id = ?";
    db.transaction(|tx| async move {
        parts::remove(&tx, id).await?;
        tx.execute(remove, [id.into()]).await.map(drop)
    })
    .await
}

/// Records that a letter is tried again later.
pub(super) async fn later(
    db: &Db,
    id: &str,
    due_at: i64,
    reason: &str,
) -> Result<(), database::Error> {
    let later =
        "UPDATE dewar_letters SET due_at = ?2, reason = ?3 WHERE id = ?1 AND state = 'waiting'";
    let values = [id.into(), due_at.into(), reason.into()];
    db.execute(later, values).await.map(drop)
}

/// Lets every letter that is due wait: no letter can be sent now.
pub(super) async fn all_later(db: &Db, now: i64, due_at: i64) -> Result<(), database::Error> {
    let later = "UPDATE dewar_letters SET due_at = ?2 WHERE state = 'waiting' AND due_at <= ?1";
    db.execute(later, [now.into(), due_at.into()])
        .await
        .map(drop)
}

/// Records that Dewar gave a letter up. An operator can send it again, unless it is of no use any more.
pub(super) async fn failed(
    db: &Db,
    id: &str,
    now: i64,
    reason: &str,
) -> Result<(), database::Error> {
    let end = "UPDATE dewar_letters SET state = 'failed', ended_at = ?2, reason = ?3,
            content = CASE WHEN useless_at > ?2 THEN content END,
            size = CASE WHEN useless_at > ?2 THEN size ELSE 0 END
        WHERE id = ?1";
    db.transaction(|tx| async move {
        tx.execute(end, [id.into(), now.into(), reason.into()])
            .await?;
        parts::remove_useless(&tx, id).await
    })
    .await
}

/// Records that an address does not exist.
pub(super) async fn refuse_address(
    db: &Db,
    address_key: &str,
    now: i64,
    reason: &str,
) -> Result<(), database::Error> {
    let add = "INSERT INTO dewar_refused_addresses (address_key, reason, refused_at) VALUES (?1, ?2, ?3)
        ON CONFLICT (address_key) DO UPDATE SET reason = excluded.reason, refused_at = excluded.refused_at";
    let values = [address_key.into(), reason.into(), now.into()];
    db.execute(add, values).await.map(drop)
}

/// When the next letter is due.
pub(super) async fn next_due(db: &Db) -> Result<Option<i64>, database::Error> {
    let find = "SELECT min(due_at) FROM dewar_letters WHERE state = 'waiting'";
    let rows = db.query(find, []).await?;
    rows.first().map_or(Ok(None), |row| row.get(0))
}

/// Removes letters that were sent or given up long ago, and the marks of addresses that were refused long ago.
pub(super) async fn sweep(db: &Db, now: i64, window: Duration) -> Result<u64, database::Error> {
    let sweep = "DELETE FROM dewar_letters
        WHERE (state = 'sent' AND ended_at < ?1) OR (state = 'failed' AND ended_at < ?2)";
    let values = [
        (now - seconds(window.max(ACCOUNT_WINDOW))).into(),
        (now - seconds(KEEP_FAILED)).into(),
    ];
    let swept = db.execute(sweep, values).await?;
    let marks = "DELETE FROM dewar_refused_addresses WHERE refused_at <= ?1";
    let end = now - seconds(REFUSED_FOR);
    Ok(swept + db.execute(marks, [end.into()]).await?)
}

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
