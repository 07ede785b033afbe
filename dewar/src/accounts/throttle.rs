//! How often passwords are tried, counted in the database, so that a restart forgets nothing.
//!
//! Everybody who is unknown shares one allowance for each e-mail address. Five failures cost nothing, because people
//! mistype. Each further one doubles a wait that starts with a second and ends at a quarter of an hour. After a hundred
//! failures in a row one attempt is let through every six hours (NIST SP 800-63B-4, 3.2.2). The allowance does not
//! depend on the network address: a joined key would let an attacker with many addresses guess forever (OWASP, Bot
//! Management). An address without an account is counted in the same way and answers the same.
//!
//! That allowance can be used up by a stranger. Therefore a known browser and a running session each have a small one of
//! their own (OWASP, *Slow Down Online Guessing Attacks with Device Cookies*): after ten failures in a row it is spent, and
//! its owner is counted as a stranger is.
use std::net::IpAddr;
use std::time::Duration;

use super::email::EmailKey;
use crate::database::{Db, Error, Tx};
use crate::secrets;
use crate::sessions::{SessionId, UserId};

/// So many failures in a row are free.
pub(crate) const FREE: i64 = 5;
/// The longest wait before the stop.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// From so many failures in a row on, strangers get one attempt every [`STOPPED_FOR`].
pub(crate) const HARD_STOP: i64 = 100;
/// How long the stop lasts after each further failure.
pub(crate) const STOPPED_FOR: Duration = Duration::from_secs(6 * 3600);
/// After so many failures in a row a known browser or a session is counted as a stranger.
pub(crate) const OWN: i64 = 10;
/// The count of strangers is forgotten after so long without an attempt. A hundred attempts at once, then a pause of this
/// length, are fewer in the long run than one every [`STOPPED_FOR`].
const STRANGERS_ARE_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// The count of a known browser is kept as long as its cookie may live, so that waiting does not refill it.
pub(crate) const OWN_IS_KEPT: Duration = Duration::from_secs(180 * 24 * 3600);

/// Whose failures are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailureLimit {
    key: [u8; 32],
    /// The account, where whoever tries has shown to belong to it.
    owner: Option<UserId>,
}

impl FailureLimit {
    /// The one that all strangers share who try this address.
    pub(crate) fn of_strangers(email: &EmailKey) -> Self {
        Self {
            key: email.hash(),
            owner: None,
        }
    }

    /// That of a browser in which the account's owner has signed in before.
    pub(crate) fn of_browser(user: UserId, nonce: &[u8]) -> Self {
        Self::own(b"browser", user, nonce)
    }

    /// That of a session of the account.
    pub(crate) fn of_session(user: UserId, session: &SessionId) -> Self {
        Self::own(b"session", user, session.bytes())
    }

    fn own(kind: &[u8], user: UserId, bytes: &[u8]) -> Self {
        // An e-mail address has no zero byte, so that no key is that of an address.
        let text = [b"\0", kind, b"\0", &user.get().to_be_bytes()[..], bytes].concat();
        Self {
            key: secrets::sha256(&text),
            owner: Some(user),
        }
    }

    /// After so many failures in a row nothing is left of it; that of strangers only becomes slower.
    fn most(self) -> i64 {
        if self.owner.is_some() { OWN } else { i64::MAX }
    }

    pub(crate) const fn is_own(self) -> bool {
        self.owner.is_some()
    }

    /// Whether this failure is the last before the allowance is spent, or one of those after the stop.
    pub(crate) fn is_last(self, failures: i64) -> bool {
        failures >= self.most().min(HARD_STOP)
    }

    /// What right passwords are counted by too: an account's known browsers together, because each sign-in makes one.
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

/// What the database says to one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptVerdict {
    /// Counted as a failure until it turns out to be none.
    Go { failures: i64 },
    /// Nothing is left of this allowance.
    Spent,
    /// Not now.
    Wait(Duration),
}

/// Counts an attempt before the password is looked at, so that a hundred at the same moment are a hundred.
///
/// A success clears the count; an attempt that was not made after all gives it back.
///
/// Once the wait is at its longest, the network address of the latest failure waits twice as long as all others. So
/// somebody who keeps the allowance used up from one address leaves every second turn to everybody else. It only ever
/// lengthens a wait: many addresses get no more attempts than one.
pub(crate) async fn attempt(
    db: &Db,
    allowance: FailureLimit,
    from: IpAddr,
    now: i64,
) -> Result<AttemptVerdict, Error> {
    // One statement decides and counts; the row comes back only where the attempt may go on. The shift is bounded
    // before it is made: 2^10 seconds are more than the longest wait.
    let count = "INSERT INTO dewar_throttles AS t
            (key_hash, user_id, own, failures, last_at, wait_until, last_from, same_until)
        VALUES (?1, ?6, ?6 IS NOT NULL, 1, ?2, ?2, ?9, ?2)
        ON CONFLICT (key_hash) DO UPDATE SET
            failures = t.failures + 1,
            last_at = ?2,
            last_from = ?9,
            wait_until = ?2 + CASE WHEN t.failures + 1 < ?3 THEN 0
                WHEN t.failures + 1 >= ?5 THEN ?8
                ELSE min(1 << min(t.failures + 1 - ?3, 10), ?4) END,
            same_until = ?2 + CASE WHEN t.failures + 1 < ?3 THEN 0
                WHEN t.failures + 1 >= ?5 THEN 2 * ?8
                WHEN t.failures + 1 - ?3 >= 10 THEN 2 * ?4
                ELSE 1 << (t.failures + 1 - ?3) END
        WHERE t.failures < ?7
            AND CASE WHEN t.last_from IS ?9 THEN t.same_until ELSE t.wait_until END <= ?2
        RETURNING failures";
    let from = sender(allowance, from);
    let values = [
        allowance.key.to_vec().into(),
        now.into(),
        FREE.into(),
        seconds(LONGEST_WAIT).into(),
        HARD_STOP.into(),
        allowance.owner.map(UserId::get).into(),
        allowance.most().into(),
        seconds(STOPPED_FOR).into(),
        from.clone().into(),
    ];
    if let Some(row) = db.query(count, values).await?.first() {
        return Ok(AttemptVerdict::Go {
            failures: row.get(0)?,
        });
    }
    let ask = "SELECT failures, CASE WHEN last_from IS ?2 THEN same_until ELSE wait_until END
        FROM dewar_throttles WHERE key_hash = ?1";
    let values = [allowance.key.to_vec().into(), from.into()];
    let rows = db.query(ask, values).await?;
    let Some(row) = rows.first() else {
        // It was cleared between the two statements: by a success, or by an administrator.
        return Ok(AttemptVerdict::Wait(Duration::from_secs(1)));
    };
    if row.get::<i64>(0)? >= allowance.most() {
        return Ok(AttemptVerdict::Spent);
    }
    let left = (row.get::<i64>(1)? - now).max(1);
    Ok(AttemptVerdict::Wait(Duration::from_secs(
        left.unsigned_abs(),
    )))
}

/// Forgets the failures of an allowance, after a success in it.
pub(crate) async fn clear(db: &Db, allowance: FailureLimit) -> Result<(), Error> {
    let clear = "DELETE FROM dewar_throttles WHERE key_hash = ?1";
    db.execute(clear, [allowance.key.to_vec().into()])
        .await
        .map(drop)
}

/// Forgets every failure about an account: with a new password, or because an administrator says so. How many counts
/// there were.
pub(crate) async fn clear_all_of(tx: &Tx, email: &EmailKey, user: UserId) -> Result<u64, Error> {
    let clear = "DELETE FROM dewar_throttles WHERE key_hash = ?1 OR user_id = ?2";
    tx.execute(clear, [email.hash().to_vec().into(), user.into()])
        .await
}

/// Gives an attempt back that was not made: the hashing threads were busy.
pub(crate) async fn give_back(db: &Db, allowance: FailureLimit) -> Result<(), Error> {
    let back = "UPDATE dewar_throttles
        SET failures = failures - 1, wait_until = last_at, same_until = last_at
        WHERE key_hash = ?1 AND failures > 0";
    db.execute(back, [allowance.key.to_vec().into()])
        .await
        .map(drop)
}

/// Notes whose count this is, so that it goes with the account; for an address without one the same statement writes
/// nobody.
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

/// Of these accounts, those that strangers have to wait for.
pub(crate) async fn waited_for(db: &Db, users: &[UserId], now: i64) -> Result<Vec<UserId>, Error> {
    let find = "SELECT user_id FROM dewar_throttles
        WHERE own = 0 AND wait_until > ?1 AND user_id IN (SELECT value FROM json_each(?2))";
    let ids: Vec<String> = users.iter().map(|user| user.get().to_string()).collect();
    let ids = format!("[{}]", ids.join(","));
    let rows = db.query(find, [now.into(), ids.into()]).await?;
    rows.iter()
        .map(|row| Ok(UserId::new(row.get(0)?)))
        .collect()
}

/// Removes the counts that nobody has added to for a long time.
pub(crate) async fn sweep(db: &Db, now: i64) -> Result<u64, Error> {
    let sweep = "DELETE FROM dewar_throttles WHERE last_at < CASE own WHEN 0 THEN ?1 ELSE ?2 END";
    let values = [
        (now - seconds(STRANGERS_ARE_KEPT)).into(),
        (now - seconds(OWN_IS_KEPT)).into(),
    ];
    db.execute(sweep, values).await
}

/// Stands for a network address beside one allowance, and tells nothing beside another.
fn sender(allowance: FailureLimit, from: IpAddr) -> Vec<u8> {
    let text = [&allowance.key[..], from.to_string().as_bytes()].concat();
    secrets::sha256(&text).to_vec()
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
