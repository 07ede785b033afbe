//! How often one account may be tried, counted in the database, so that a restart forgets nothing.
//!
//! Five failures cost nothing, for people mistype. Each further one doubles a wait that starts with a second and ends
//! at a quarter of an hour; after a hundred in a row the password is refused until it is reset by mail (NIST SP
//! 800-63B-4, 3.2.2). The count knows nothing of addresses, and the addresses' buckets nothing of accounts: a joined
//! key would let an attacker with many addresses guess forever (OWASP, Bot Management). An account that does not exist
//! is counted in the same way and answers the same.
use std::time::Duration;

use super::email::EmailKey;
use crate::database::{Db, Error};

/// So many failures in a row are free.
pub(crate) const FREE: i64 = 5;
/// The longest wait.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After so many failures in a row only a reset by mail helps.
pub(crate) const HARD_STOP: i64 = 100;
/// An address that belongs to nobody is forgotten after so long without an attempt, in seconds.
const STRANGERS_ARE_KEPT: i64 = 30 * 24 * 3600;

/// What the database says to one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Counted as a failure until it turns out to be none.
    Go { failures: i64 },
    /// Not now.
    Wait(Duration),
}

/// Counts an attempt before the password is looked at, so that a hundred at the same moment are a hundred.
///
/// A success clears the count; an attempt that was not made after all gives it back.
pub(crate) async fn attempt(db: &Db, email: &EmailKey, now: i64) -> Result<Verdict, Error> {
    // One statement decides and counts; the row comes back only where the attempt may go on. The shift is bounded
    // before it is made: 2^10 seconds are more than the longest wait.
    let count = "INSERT INTO dewar_throttles AS t (email_hash, failures, last_at, wait_until)
        VALUES (?1, 1, ?2, ?2)
        ON CONFLICT (email_hash) DO UPDATE SET
            failures = t.failures + 1,
            last_at = ?2,
            wait_until = ?2 + CASE WHEN t.failures + 1 < ?3 THEN 0
                ELSE min(1 << min(t.failures + 1 - ?3, 10), ?4) END
        WHERE t.wait_until <= ?2 AND t.failures < ?5
        RETURNING failures";
    let longest = i64::try_from(LONGEST_WAIT.as_secs()).unwrap_or(i64::MAX);
    let hash = email.hash();
    let values = [
        hash.to_vec().into(),
        now.into(),
        FREE.into(),
        longest.into(),
        HARD_STOP.into(),
    ];
    if let Some(row) = db.query(count, values).await?.first() {
        return Ok(Verdict::Go {
            failures: row.get(0)?,
        });
    }
    let ask = "SELECT wait_until FROM dewar_throttles WHERE email_hash = ?1";
    let rows = db.query(ask, [hash.to_vec().into()]).await?;
    let until = rows.first().map_or(Ok(now), |row| row.get::<i64>(0))?;
    // Past the hard stop the wait may be over and the answer stays the same: nothing tells the two apart.
    let seconds = if until > now { until - now } else { longest };
    Ok(Verdict::Wait(Duration::from_secs(seconds.unsigned_abs())))
}

/// Forgets the failures: after a success, or a reset by mail.
pub(crate) async fn clear(db: &Db, email: &EmailKey) -> Result<(), Error> {
    let clear = "DELETE FROM dewar_throttles WHERE email_hash = ?1";
    db.execute(clear, [email.hash().to_vec().into()])
        .await
        .map(drop)
}

/// Gives an attempt back that was not made: the hashing threads were busy.
pub(crate) async fn give_back(db: &Db, email: &EmailKey) -> Result<(), Error> {
    let back = "UPDATE dewar_throttles SET failures = failures - 1, wait_until = last_at
        WHERE email_hash = ?1 AND failures > 0";
    db.execute(back, [email.hash().to_vec().into()])
        .await
        .map(drop)
}

/// Notes whose count this is, so that it is kept as long as the account is; for a stranger the same statement writes
/// nobody.
pub(crate) async fn note_owner(db: &Db, email: &EmailKey, user: Option<i64>) -> Result<(), Error> {
    let note = "UPDATE dewar_throttles SET user_id = ?1 WHERE email_hash = ?2";
    db.execute(note, [user.into(), email.hash().to_vec().into()])
        .await
        .map(drop)
}

/// Removes the counts of strangers that nobody has tried for a month.
pub(crate) async fn sweep(db: &Db, now: i64) -> Result<u64, Error> {
    let sweep = "DELETE FROM dewar_throttles WHERE user_id IS NULL AND last_at < ?1";
    db.execute(sweep, [(now - STRANGERS_ARE_KEPT).into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::MIGRATIONS;

    async fn database() -> Db {
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        db
    }

    /// How many seconds the failure number `failures + 1` has to wait.
    async fn waits(db: &Db, email: &EmailKey, now: &mut i64, failures: usize) -> Vec<u64> {
        let mut waits = Vec::new();
        while waits.len() < failures {
            match attempt(db, email, *now).await.unwrap() {
                Verdict::Go { .. } => waits.push(0),
                Verdict::Wait(wait) => {
                    *now += i64::try_from(wait.as_secs()).unwrap();
                    assert!(matches!(
                        attempt(db, email, *now).await.unwrap(),
                        Verdict::Go { .. }
                    ));
                    waits.push(wait.as_secs());
                }
            }
        }
        waits
    }

    #[tokio::test]
    async fn the_wait_doubles_after_five_failures_and_ends_at_a_quarter_of_an_hour() {
        let db = database().await;
        let mut now = 1_000_000;
        let waits = waits(&db, &EmailKey::new("ada@example.org"), &mut now, 18).await;
        assert_eq!(
            waits,
            [
                0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900
            ]
        );
    }

    #[tokio::test]
    async fn after_a_hundred_failures_only_a_reset_helps() {
        let db = database().await;
        let (email, mut now) = (EmailKey::new("ada@example.org"), 1_000_000);
        waits(&db, &email, &mut now, 100).await;
        now += 365 * 24 * 3600;
        assert_eq!(
            attempt(&db, &email, now).await.unwrap(),
            Verdict::Wait(LONGEST_WAIT)
        );
        clear(&db, &email).await.unwrap();
        assert_eq!(
            attempt(&db, &email, now).await.unwrap(),
            Verdict::Go { failures: 1 }
        );
    }

    #[tokio::test]
    async fn attempts_at_the_same_moment_are_all_counted() {
        let db = database().await;
        let email = EmailKey::new("ada@example.org");
        let all = (0..50).map(|_| attempt(&db, &email, 1_000_000));
        let verdicts = futures_util::future::join_all(all).await;
        let went = verdicts
            .iter()
            .filter(|verdict| matches!(verdict, Ok(Verdict::Go { .. })))
            .count();
        assert_eq!(went, 5);
    }

    #[tokio::test]
    async fn what_was_not_tried_is_given_back_and_strangers_are_forgotten() {
        let db = database().await;
        let email = EmailKey::new("nobody@example.org");
        for _ in 0..20 {
            assert_eq!(
                attempt(&db, &email, 1_000_000).await.unwrap(),
                Verdict::Go { failures: 1 }
            );
            give_back(&db, &email).await.unwrap();
        }
        assert_eq!(sweep(&db, 1_000_000 + 3600).await.unwrap(), 0);
        assert_eq!(
            sweep(&db, 1_000_000 + STRANGERS_ARE_KEPT + 1)
                .await
                .unwrap(),
            1
        );
    }
}
