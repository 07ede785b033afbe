//! Limits of failed sign-ins, counted in the database, so that a restart forgets nothing.
//!
//! All unknown browsers share one limit for each e-mail address. Five failures are free, because people mistype. Each further one
//! doubles a wait, from a second to a quarter of an hour. After a hundred failures in a row, one attempt is allowed every six
//! hours (NIST SP 800-63B-4, 3.2.2). The limit does not depend on the network address: a combined key would let an attacker with
//! many addresses guess forever (OWASP, Bot Management). An address without an account is counted in the same way and gets the
//! same response.
//!
//! A stranger can use up that limit. Therefore a known browser and a running session each have a small one of their own (OWASP,
//! *Slow Down Online Guessing Attacks with Device Cookies*). After ten failures in a row it is used up, and its owner counts as a
//! stranger.
use std::net::IpAddr;
use std::time::Duration;

use super::email::EmailKey;
use crate::database::{Db, Error, Sql, Tx, id_list};
use crate::secrets;
use crate::sessions::{SessionId, UserId};

/// The failures in a row that are free.
pub(crate) const FREE: i64 = 5;
/// The longest wait before the stop.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After so many failures in a row, strangers get one attempt every [`STOPPED_FOR`].
pub(crate) const HARD_STOP: i64 = 100;
/// How long the stop lasts after each further failure.
pub(crate) const STOPPED_FOR: Duration = Duration::from_secs(6 * 3600);
/// After so many failures in a row, a known browser or a session counts as a stranger.
pub(crate) const OWN: i64 = 10;
/// How long the count of strangers is kept after the latest attempt. A hundred attempts at once, then a pause of this length, are
/// fewer in the long run than one every [`STOPPED_FOR`].
const STRANGERS_ARE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// The count of a known browser is kept as long as its cookie may live, so that waiting does not refill it.
pub(crate) const OWN_IS_KEPT: Duration = Duration::from_secs(180 * 24 * 3600);

/// The failures that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailureLimit {
    key: [u8; 32],
    /// The account, if the caller has shown to belong to it.
    owner: Option<UserId>,
    /// After so many failures in a row the limit is used up; that of strangers only becomes slower.
    most: i64,
}

impl FailureLimit {
    /// The limit that all strangers share for this address.
    pub(crate) fn of_strangers(email: &EmailKey) -> Self {
        Self {
            key: email.hash(),
            owner: None,
            most: i64::MAX,
        }
    }

    /// The limit of all codes of a second factor that strangers give after the right password. It does not belong to the account's
    /// counts: a new password does not clear it.
    pub(crate) fn of_factor(user: UserId) -> Self {
        Self {
            owner: None,
            most: i64::MAX,
            ..Self::own(b"factor", user, b"")
        }
    }

    /// The same in all browsers in which the owner has signed in before. A new password does not clear it either, because a link for
    /// one makes a browser known.
    pub(crate) fn of_factor_in_known_browsers(user: UserId) -> Self {
        Self {
            owner: None,
            ..Self::own(b"factor in known browsers", user, b"")
        }
    }

    /// The limit of the codes that a user gives in a session.
    pub(crate) fn of_factor_in_session(user: UserId, session: &SessionId) -> Self {
        Self::own(b"factor in a session", user, session.bytes())
    }

    /// The limit of a browser in which the account's owner has signed in before.
    pub(crate) fn of_browser(user: UserId, nonce: &[u8]) -> Self {
        Self::own(b"browser", user, nonce)
    }

    /// The limit of a session of the account.
    pub(crate) fn of_session(user: UserId, session: &SessionId) -> Self {
        Self::own(b"session", user, session.bytes())
    }

    fn own(kind: &[u8], user: UserId, bytes: &[u8]) -> Self {
        // An e-mail address has no zero byte, so this key is never that of an address.
        let text = [b"\0", kind, b"\0", &user.get().to_be_bytes()[..], bytes].concat();
        Self {
            key: secrets::sha256(&text),
            owner: Some(user),
            most: OWN,
        }
    }

    pub(crate) const fn is_own(self) -> bool {
        self.owner.is_some()
    }

    /// Whether this failure is the last before the limit is used up, or comes after the stop.
    pub(crate) fn is_last(self, failures: i64) -> bool {
        failures >= self.most.min(HARD_STOP)
    }

    /// The key of the rate limit that counts correct passwords too: one for all known browsers of an account, because each
    /// sign-in makes one.
    pub(crate) fn bucket(self) -> [u8; 32] {
        self.owner
            .map_or(self.key, |user| secrets::sha256(&user.get().to_be_bytes()))
    }

    /// For the audit log.
    pub(crate) const fn place(self) -> &'static str {
        if self.is_own() {
            ", in a browser or session of the owner"
        } else {
            ""
        }
    }
}

/// The database's decision about one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptVerdict {
    /// Allowed, and counted as a failure until it turns out to be none.
    Go { failures: i64 },
    /// This limit is used up.
    Spent,
    /// Too early.
    Wait(Duration),
}

/// Counts an attempt before the password is compared, so that a hundred at the same moment are a hundred.
///
/// A success clears the count; an attempt that was not made after all is given back.
///
/// At the longest wait, the network address of the latest failure waits twice as long as all others. So an attacker who keeps the
/// limit used up from one address leaves every second turn to everybody else. This only ever lengthens a wait: many addresses get
/// no more attempts than one.
pub(crate) async fn attempt(
    db: &Db,
    allowance: FailureLimit,
    from: IpAddr,
    now: i64,
) -> Result<AttemptVerdict, Error> {
    // One statement decides and counts; it returns the row only if the attempt is allowed. From 2^10 seconds on,
    // which are more than the longest wait, it is the longest wait.
    let count = "INSERT INTO dewar_throttles AS t
            (key_hash, user_id, own, failures, last_at, wait_until, last_from, same_until)
        VALUES (?1, ?6, CASE WHEN ?6 IS NULL THEN 0 ELSE 1 END, 1, ?2, ?2, ?9, ?2)
        ON CONFLICT (key_hash) DO UPDATE SET
            failures = t.failures + 1,
            last_at = ?2,
            last_from = ?9,
            wait_until = ?2 + CASE WHEN t.failures + 1 < ?3 THEN 0
                WHEN t.failures + 1 >= ?5 THEN ?8
                WHEN t.failures + 1 - ?3 >= 10 THEN ?4
                ELSE CAST(1 AS bigint) << CAST(t.failures + 1 - ?3 AS integer) END,
            same_until = ?2 + CASE WHEN t.failures + 1 < ?3 THEN 0
                WHEN t.failures + 1 >= ?5 THEN 2 * ?8
                WHEN t.failures + 1 - ?3 >= 10 THEN 2 * ?4
                ELSE CAST(1 AS bigint) << CAST(t.failures + 1 - ?3 AS integer) END
        WHERE t.failures < ?7
            AND CASE WHEN t.last_from IS NOT DISTINCT FROM ?9 THEN t.same_until ELSE t.wait_until END <= ?2
        RETURNING failures";
    let from = sender(allowance, from);
    let values = [
        allowance.key.to_vec().into(),
        now.into(),
        FREE.into(),
        seconds(LONGEST_WAIT).into(),
        HARD_STOP.into(),
        allowance.owner.map(UserId::get).into(),
        allowance.most.into(),
        seconds(STOPPED_FOR).into(),
        from.clone().into(),
    ];
    if let Some(row) = db.query(count, values).await?.first() {
        return Ok(AttemptVerdict::Go {
            failures: row.get(0)?,
        });
    }
    let ask = "SELECT failures, CASE WHEN last_from IS NOT DISTINCT FROM ?2 THEN same_until ELSE wait_until END
        FROM dewar_throttles WHERE key_hash = ?1";
    let values = [allowance.key.to_vec().into(), from.into()];
    let rows = db.query(ask, values).await?;
    let Some(row) = rows.first() else {
        // A success, or an administrator, cleared it between the two statements.
        return Ok(AttemptVerdict::Wait(Duration::from_secs(1)));
    };
    if row.get::<i64>(0)? >= allowance.most {
        return Ok(AttemptVerdict::Spent);
    }
    let left = (row.get::<i64>(1)? - now).max(1);
    Ok(AttemptVerdict::Wait(Duration::from_secs(
        left.unsigned_abs(),
    )))
}

/// Forgets the failures of a limit, after a success in it.
pub(crate) async fn clear(db: &Db, allowance: FailureLimit) -> Result<(), Error> {
    let clear = "DELETE FROM dewar_throttles WHERE key_hash = ?1";
    db.execute(clear, [allowance.key.to_vec().into()])
        .await
        .map(drop)
}

/// Forgets the wrong codes of an account's second factor, for an administrator.
pub(crate) async fn clear_factor_of(tx: &Tx, user: UserId) -> Result<(), Error> {
    for limit in [
        FailureLimit::of_factor(user),
        FailureLimit::of_factor_in_known_browsers(user),
    ] {
        let clear = "DELETE FROM dewar_throttles WHERE key_hash = ?1";
        tx.execute(clear, [limit.key.to_vec().into()]).await?;
    }
    Ok(())
}

/// Forgets every failure of an account: with a new password, or for an administrator. Returns how many counts there were.
pub(crate) async fn clear_all_of(tx: &Tx, email: &EmailKey, user: UserId) -> Result<u64, Error> {
    let clear = "DELETE FROM dewar_throttles WHERE key_hash = ?1 OR user_id = ?2";
    tx.execute(clear, [email.hash().to_vec().into(), user.into()])
        .await
}

/// Gives an attempt back that was not made, because the hashing threads were busy.
pub(crate) async fn give_back(db: &Db, allowance: FailureLimit) -> Result<(), Error> {
    let back = "UPDATE dewar_throttles
        SET failures = failures - 1, wait_until = last_at, same_until = last_at
        WHERE key_hash = ?1 AND failures > 0";
    db.execute(back, [allowance.key.to_vec().into()])
        .await
        .map(drop)
}

/// Records the account of this count, so that it is deleted with the account. For an address without an account the same
/// statement runs and writes none.
pub(crate) async fn note_owner(
    db: &Db,
    allowance: FailureLimit,
    user: Option<i64>,
) -> Result<(), Error> {
    let note = "UPDATE dewar_throttles SET user_id = ?1 WHERE key_hash = ?2";
    db.execute(note, [user.into(), allowance.key.to_vec().into()])
        .await
        .map(drop)
}

/// Those of these accounts whose strangers have to wait.
pub(crate) async fn waited_for(db: &Db, users: &[UserId], now: i64) -> Result<Vec<UserId>, Error> {
    const FIND: Sql = Sql::new(
        "SELECT user_id FROM dewar_throttles
            WHERE own = 0 AND wait_until > ?1 AND user_id IN (SELECT value FROM json_each(?2))",
        "SELECT user_id FROM dewar_throttles WHERE own = 0 AND wait_until > ?1
            AND user_id IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(?2 AS json)))",
    );
    let ids = id_list(users.iter().map(|user| user.get()));
    let rows = db.query(FIND, [now.into(), ids]).await?;
    rows.iter()
        .map(|row| Ok(UserId::new(row.get(0)?)))
        .collect()
}

/// Removes the counts that did not change for a long time.
pub(crate) async fn sweep(db: &Db, now: i64) -> Result<u64, Error> {
    let sweep = "DELETE FROM dewar_throttles WHERE last_at < CASE own WHEN 0 THEN ?1 ELSE ?2 END";
    let values = [
        (now - seconds(STRANGERS_ARE_KEPT)).into(),
        (now - seconds(OWN_IS_KEPT)).into(),
    ];
    db.execute(sweep, values).await
}

/// Identifies a network address within one limit; the value differs in another limit.
fn sender(allowance: FailureLimit, from: IpAddr) -> Vec<u8> {
    let text = [&allowance.key[..], from.to_string().as_bytes()].concat();
    secrets::sha256(&text).to_vec()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
