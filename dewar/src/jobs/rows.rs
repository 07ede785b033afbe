//! The tables of jobs and schedules.
//!
//! A job is `waiting`, `running` or `failed`; a job that is done has no row. A node that runs a job holds a lease: a random text in
//! the row, and a time until which it is valid. Every change of a running job names the lease, so a node whose lease ended changes
//! nothing.

use sea_orm::Value;
use serde::Serialize;

use super::handle::JobId;
use crate::database::{Db, Error, Migration, Row, Sealed, SealedColumn, Sql, Tx};
use crate::pages::Position;
use crate::secrets::{self, KeyRing};

pub(crate) const MIGRATIONS: &[Migration] = &[FIRST.additive(), SEEN.additive()];

const FIRST: Migration = Migration::new(
    "dewar_jobs_0001_jobs",
    "CREATE TABLE dewar_jobs (
         id INTEGER PRIMARY KEY AUTOINCREMENT,
         name TEXT NOT NULL,
         queue TEXT NOT NULL,
         owner TEXT NOT NULL,
         unique_key TEXT,
         seal TEXT NOT NULL UNIQUE CHECK (length(seal) = 32),
         payload TEXT NOT NULL,
         state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'failed')),
         due_at INTEGER NOT NULL,
         attempts INTEGER NOT NULL DEFAULT 0,
         lease TEXT,
         leased_until INTEGER,
         created_at INTEGER NOT NULL,
         failed_at INTEGER,
         problem TEXT
     ) STRICT;
     CREATE INDEX dewar_jobs_due ON dewar_jobs (queue, due_at, id) WHERE state = 'waiting';
     CREATE INDEX dewar_jobs_by_owner ON dewar_jobs (owner, state);
     CREATE INDEX dewar_jobs_by_state ON dewar_jobs (state, id);
     CREATE INDEX dewar_jobs_leased ON dewar_jobs (leased_until) WHERE state = 'running';
     CREATE INDEX dewar_jobs_failed ON dewar_jobs (failed_at, id) WHERE state = 'failed';
     CREATE UNIQUE INDEX dewar_jobs_unique ON dewar_jobs (name, unique_key)
         WHERE unique_key IS NOT NULL AND state <> 'failed';
     CREATE TABLE dewar_job_schedules (
         schedule TEXT NOT NULL PRIMARY KEY,
         next_at INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID;",
);

/// When a program with this schedule last looked at it.
const SEEN: Migration = Migration::new(
    "dewar_jobs_0002_seen",
    "ALTER TABLE dewar_job_schedules ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0",
);

/// The sealed payloads. A payload does not open in another row, and its text begins with the name of its job: in another job it would
/// mean something else.
pub(crate) const PAYLOAD: SealedColumn =
    SealedColumn::new("dewar_jobs", "payload").bound_to("seal");

/// Seals the payload of a job, for its row and its name.
pub(super) fn seal(
    ring: &KeyRing,
    name: &str,
    seal: &str,
    payload: &str,
) -> Result<Sealed, secrets::Error> {
    PAYLOAD.seal(ring, seal, &format!("{name}\n{payload}"))
}

/// A job to add.
pub(super) struct New<'a> {
    pub(super) name: &'static str,
    pub(super) queue: &'static str,
    /// Empty: the application itself.
    pub(super) owner: &'a str,
    pub(super) unique_key: Option<&'a str>,
    pub(super) seal: &'a str,
    pub(super) payload: Sealed,
    pub(super) due_at: i64,
    pub(super) now: i64,
    pub(super) max_per_owner: u64,
}

/// What became of a job that was added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    New(JobId),
    /// A job with the same key waits or runs.
    Known(JobId),
    OwnerFull,
}

/// Adds a job, unless its owner has too many, or one with its key waits or runs.
pub(super) async fn add(tx: &Tx, new: New<'_>) -> Result<Added, Error> {
    let sql = "INSERT INTO dewar_jobs (name, queue, owner, unique_key, seal, payload, state, due_at, created_at)
        SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?8
        WHERE ?3 = '' OR (SELECT COUNT(*) FROM dewar_jobs WHERE owner = ?3 AND state <> 'failed') < ?9
        ON CONFLICT (name, unique_key) WHERE unique_key IS NOT NULL AND state <> 'failed' DO NOTHING
        RETURNING id";
    let values: [Value; 9] = [
        new.name.into(),
        new.queue.into(),
        new.owner.into(),
        new.unique_key.into(),
        new.seal.into(),
        new.payload.into(),
        new.due_at.into(),
        new.now.into(),
        i64::try_from(new.max_per_owner).unwrap_or(i64::MAX).into(),
    ];
    let known = "SELECT id FROM dewar_jobs WHERE name = ? AND unique_key = ? AND state <> 'failed'";
    // On PostgreSQL, the job with the same key may end between the two statements. Then the second attempt adds this one.
    for _ in 0..2 {
        if let Some(row) = tx.query(sql, values.clone()).await?.first() {
            return Ok(Added::New(JobId::new(row.get(0)?)));
        }
        if new.unique_key.is_none() {
            break;
        }
        let known = tx.query(known, [new.name.into(), new.unique_key.into()]);
        if let Some(row) = known.await?.first() {
            return Ok(Added::Known(JobId::new(row.get(0)?)));
        }
    }
    Ok(Added::OwnerFull)
}

/// A job that this node runs.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) id: JobId,
    pub(super) name: String,
    pub(super) seal: String,
    pub(super) payload: Sealed,
    /// Empty: the application itself.
    pub(super) owner: String,
    pub(super) lease: String,
    /// The number of this attempt.
    pub(super) attempt: u32,
}

/// Which jobs a node takes.
pub(super) struct Claim<'a> {
    pub(super) queue: &'a str,
    /// The names of the jobs that this program knows, in JSON.
    pub(super) names: &'a str,
    pub(super) lease: &'a str,
    pub(super) now: i64,
    pub(super) until: i64,
    /// How many jobs of one owner run at once in this queue, on all nodes.
    pub(super) of_one_owner: usize,
}

/// Takes the next job that is due. Two nodes never take the same one: SQLite has one writer, and PostgreSQL skips a row that
/// another transaction has locked.
pub(super) async fn claim(db: &Db, claim: Claim<'_>) -> Result<Option<Claimed>, Error> {
    const CLAIM: Sql = Sql::new(
        "UPDATE dewar_jobs SET state = 'running', lease = ?1, leased_until = ?2, attempts = attempts + 1
         WHERE id = (SELECT id FROM dewar_jobs AS one WHERE state = 'waiting' AND queue = ?4 AND due_at <= ?3
             AND name IN (SELECT value FROM json_each(?5))
             AND (owner = '' OR (SELECT COUNT(*) FROM dewar_jobs AS other
                 WHERE other.owner = one.owner AND other.state = 'running' AND other.queue = ?4) < ?6)
             ORDER BY due_at, id LIMIT 1)
         RETURNING id, name, seal, payload, attempts, owner",
        "UPDATE dewar_jobs SET state = 'running', lease = ?1, leased_until = ?2, attempts = attempts + 1
         WHERE id = (SELECT id FROM dewar_jobs AS one WHERE state = 'waiting' AND queue = ?4 AND due_at <= ?3
             AND name IN (SELECT json_array_elements_text(CAST(?5 AS json)))
             AND (owner = '' OR (SELECT COUNT(*) FROM dewar_jobs AS other
                 WHERE other.owner = one.owner AND other.state = 'running' AND other.queue = ?4) < ?6)
             ORDER BY due_at, id LIMIT 1 FOR UPDATE OF one SKIP LOCKED)
         RETURNING id, name, seal, payload, attempts, owner",
    );
    let values: [Value; 6] = [
        claim.lease.into(),
        claim.until.into(),
        claim.now.into(),
        claim.queue.into(),
        claim.names.into(),
        i64::try_from(claim.of_one_owner).unwrap_or(i64::MAX).into(),
    ];
    let rows = db.query(CLAIM, values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Claimed {
        id: JobId::new(row.get(0)?),
        name: row.get(1)?,
        seal: row.get(2)?,
        payload: Sealed::of_column(row.get(3)?),
        lease: claim.lease.to_owned(),
        attempt: row.get(4)?,
        owner: row.get(5)?,
    }))
}

/// When there is something to do next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Next {
    /// When a job of the queue is due.
    pub(super) due_at: Option<i64>,
    /// When a lease ends, of any job.
    pub(super) leased_until: Option<i64>,
}

pub(super) async fn next(db: &Db, queue: &str) -> Result<Next, Error> {
    let sql = "SELECT (SELECT MIN(due_at) FROM dewar_jobs WHERE state = 'waiting' AND queue = ?),
        (SELECT MIN(leased_until) FROM dewar_jobs WHERE state = 'running')";
    let rows = db.query(sql, [queue.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(Next::default());
    };
    Ok(Next {
        due_at: row.get(0)?,
        leased_until: row.get(1)?,
    })
}

/// The summary of a job whose node said nothing until the end of its lease.
pub(super) const LEASE_ENDED: &str = "its node ended, or said nothing, while it ran";

/// Makes jobs whose lease has ended wait again. Returns their number.
pub(super) async fn reclaim(db: &Db, now: i64) -> Result<u64, Error> {
    let sql = "UPDATE dewar_jobs SET state = 'waiting', lease = NULL, leased_until = NULL, due_at = ?1, problem = ?2
        WHERE state = 'running' AND leased_until <= ?1";
    db.execute(sql, [now.into(), LEASE_ENDED.into()]).await
}

/// Makes a lease longer. Returns whether this node still has it.
pub(super) async fn extend(db: &Db, id: JobId, lease: &str, until: i64) -> Result<bool, Error> {
    let sql = "UPDATE dewar_jobs SET leased_until = ? WHERE id = ? AND lease = ?";
    let values = [until.into(), id.get().into(), lease.into()];
    Ok(db.execute(sql, values).await? == 1)
}

const DONE: &str = "DELETE FROM dewar_jobs WHERE id = ? AND lease = ?";

/// Removes a job that is done. Returns whether this node still had its lease.
pub(super) async fn done(db: &Db, id: JobId, lease: &str) -> Result<bool, Error> {
    Ok(db.execute(DONE, [id.get().into(), lease.into()]).await? == 1)
}

/// The same, in a transaction.
pub(super) async fn done_in(tx: &Tx, id: JobId, lease: &str) -> Result<bool, Error> {
    Ok(tx.execute(DONE, [id.get().into(), lease.into()]).await? == 1)
}

/// Makes a job wait for its next attempt.
pub(super) async fn again(
    db: &Db,
    (id, lease): (JobId, &str),
    due_at: i64,
    problem: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE dewar_jobs SET state = 'waiting', lease = NULL, leased_until = NULL, due_at = ?, problem = ?
        WHERE id = ? AND lease = ?";
    let values = [due_at.into(), problem.into(), id.get().into(), lease.into()];
    Ok(db.execute(sql, values).await? == 1)
}

/// Gives a job back that this node was about to run when it stopped. The attempt does not count.
pub(super) async fn give_back(db: &Db, id: JobId, lease: &str, now: i64) -> Result<bool, Error> {
    let sql =
        "UPDATE dewar_jobs SET state = 'waiting', lease = NULL, leased_until = NULL, due_at = ?,
        attempts = attempts - 1 WHERE id = ? AND lease = ?";
    let values = [now.into(), id.get().into(), lease.into()];
    Ok(db.execute(sql, values).await? == 1)
}

/// Makes a job count as failed. It no longer counts for its owner.
pub(super) async fn failed(
    db: &Db,
    (id, lease): (JobId, &str),
    now: i64,
    problem: &str,
) -> Result<bool, Error> {
    let sql = "UPDATE dewar_jobs SET state = 'failed', lease = NULL, leased_until = NULL, failed_at = ?, problem = ?,
        owner = '' WHERE id = ? AND lease = ?";
    let values = [now.into(), problem.into(), id.get().into(), lease.into()];
    Ok(db.execute(sql, values).await? == 1)
}

/// Makes a failed job wait again, with all its attempts. Returns its queue; none if it has not failed, or if one with its key
/// waits or runs.
pub(super) async fn retry(tx: &Tx, id: JobId, now: i64) -> Result<Option<String>, Error> {
    let sql = "UPDATE dewar_jobs SET state = 'waiting', attempts = 0, due_at = ?1, failed_at = NULL
        WHERE id = ?2 AND state = 'failed' AND NOT EXISTS (SELECT 1 FROM dewar_jobs AS other
            WHERE other.name = dewar_jobs.name AND other.unique_key = dewar_jobs.unique_key AND other.state <> 'failed')
        RETURNING queue";
    let rows = tx.query(sql, [now.into(), id.get().into()]).await?;
    rows.first().map(|row| row.get(0)).transpose()
}

/// Removes failed jobs: those that failed before a time, and all but the latest ones.
pub(super) async fn sweep_failed(db: &Db, before: i64, most: u64) -> Result<u64, Error> {
    let old = "DELETE FROM dewar_jobs WHERE state = 'failed' AND failed_at < ?";
    let swept = db.execute(old, [before.into()]).await?;
    let many = "DELETE FROM dewar_jobs WHERE state = 'failed' AND id NOT IN (
        SELECT id FROM dewar_jobs WHERE state = 'failed' ORDER BY failed_at DESC, id DESC LIMIT ?)";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    Ok(swept + db.execute(many, [most.into()]).await?)
}

/// How many jobs wait, up to a number.
pub(super) async fn waiting_up_to(db: &Db, most: u64) -> Result<u64, Error> {
    let sql =
        "SELECT COUNT(*) FROM (SELECT 1 FROM dewar_jobs WHERE state = 'waiting' LIMIT ?) AS found";
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = db.query(sql, [most.into()]).await?;
    let count: i64 = rows.first().map(|row| row.get(0)).transpose()?.unwrap_or(0);
    Ok(count.unsigned_abs())
}

/// How many jobs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) waiting: u64,
    pub(crate) running: u64,
    pub(crate) failed: u64,
}

pub(super) async fn counts(db: &Db) -> Result<Counts, Error> {
    let sql = "SELECT state, COUNT(*) FROM dewar_jobs GROUP BY state";
    let mut counts = Counts::default();
    for row in db.query(sql, []).await? {
        let (state, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let place = match state.as_str() {
            "waiting" => &mut counts.waiting,
            "running" => &mut counts.running,
            _ => &mut counts.failed,
        };
        *place = count.unsigned_abs();
    }
    Ok(counts)
}

/// A job as commands and pages show it: without its payload.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) queue: String,
    pub(crate) state: String,
    pub(crate) due_at: i64,
    pub(crate) attempts: u32,
    pub(crate) created_at: i64,
    pub(crate) failed_at: Option<i64>,
    pub(crate) problem: Option<String>,
}

/// The states, in the order of lists.
pub(crate) const STATES: [&str; 3] = ["failed", "running", "waiting"];

/// The rows of a page of jobs in a state, the latest first: one more than the page shows.
pub(crate) async fn list(
    db: &Db,
    state: &str,
    place: &Position<i64>,
    most: usize,
) -> Result<Vec<Listed>, Error> {
    let sql = if place.is_backwards() {
        "SELECT id, name, queue, state, due_at, attempts, created_at, failed_at, problem FROM dewar_jobs
         WHERE state = ? AND id > ? ORDER BY id LIMIT ?"
    } else {
        "SELECT id, name, queue, state, due_at, attempts, created_at, failed_at, problem FROM dewar_jobs
         WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ?"
    };
    let from = place.key().copied().unwrap_or(i64::MAX);
    let most = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let rows = db
        .query(sql, [state.into(), from.into(), most.into()])
        .await?;
    rows.iter().map(listed).collect()
}

fn listed(row: &Row) -> Result<Listed, Error> {
    Ok(Listed {
        id: row.get(0)?,
        name: row.get(1)?,
        queue: row.get(2)?,
        state: row.get(3)?,
        due_at: row.get(4)?,
        attempts: row.get(5)?,
        created_at: row.get(6)?,
        failed_at: row.get(7)?,
        problem: row.get(8)?,
    })
}

/// The names of jobs that no kind of job has, each once, with the number of its jobs.
pub(super) async fn unknown(db: &Db, names: &str) -> Result<Vec<(String, i64)>, Error> {
    const UNKNOWN: Sql = Sql::new(
        "SELECT name, COUNT(*) FROM dewar_jobs WHERE state <> 'failed'
            AND name NOT IN (SELECT value FROM json_each(?)) GROUP BY name ORDER BY name LIMIT 20",
        "SELECT name, COUNT(*) FROM dewar_jobs WHERE state <> 'failed'
            AND name NOT IN (SELECT json_array_elements_text(CAST(? AS json))) GROUP BY name ORDER BY name LIMIT 20",
    );
    let rows = db.query(UNKNOWN, [names.into()]).await?;
    let unknown = rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?)));
    unknown.collect()
}

/// Moves the waiting jobs of a name to the queue that it has in this program.
pub(super) async fn move_to_queue(db: &Db, name: &str, queue: &str) -> Result<u64, Error> {
    let sql =
        "UPDATE dewar_jobs SET queue = ?1 WHERE name = ?2 AND queue <> ?1 AND state <> 'running'";
    db.execute(sql, [queue.into(), name.into()]).await
}

/// A schedule, as its row describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TickRow {
    pub(super) next_at: i64,
    /// When a node last looked at it, by the clock of that node.
    pub(super) seen_at: i64,
}

/// When a schedule ticks next; its first tick if it is new.
pub(super) async fn tick_of(
    db: &Db,
    schedule: &str,
    first: i64,
    now: i64,
) -> Result<TickRow, Error> {
    let find = "SELECT next_at, seen_at FROM dewar_job_schedules WHERE schedule = ?";
    if let Some(row) = db.query(find, [schedule.into()]).await?.first() {
        return Ok(TickRow {
            next_at: row.get(0)?,
            seen_at: row.get(1)?,
        });
    }
    let add = "INSERT INTO dewar_job_schedules (schedule, next_at, seen_at) VALUES (?, ?, ?) ON CONFLICT (schedule) DO NOTHING";
    let values = [schedule.into(), first.into(), now.into()];
    db.execute(add, values).await?;
    Ok(TickRow {
        next_at: first,
        seen_at: now,
    })
}

/// Records that a program with this schedule looked at it.
pub(super) async fn see_tick(db: &Db, schedule: &str, now: i64) -> Result<(), Error> {
    let sql = "UPDATE dewar_job_schedules SET seen_at = ? WHERE schedule = ?";
    let values = [now.into(), schedule.into()];
    db.execute(sql, values).await.map(drop)
}

/// Gives a schedule another next tick, unless another node did.
pub(super) async fn reset_tick(db: &Db, schedule: &str, at: i64, next: i64) -> Result<bool, Error> {
    let sql = "UPDATE dewar_job_schedules SET next_at = ? WHERE schedule = ? AND next_at = ?";
    let values = [next.into(), schedule.into(), at.into()];
    Ok(db.execute(sql, values).await? == 1)
}

/// Takes a tick: one node does, and the others see that the next tick is another one.
pub(super) async fn take_tick(tx: &Tx, schedule: &str, at: i64, next: i64) -> Result<bool, Error> {
    let sql = "UPDATE dewar_job_schedules SET next_at = ? WHERE schedule = ? AND next_at = ?";
    let values = [next.into(), schedule.into(), at.into()];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Removes the schedules that this program does not have, and that no program has looked at since a time. `known` is their list in
/// JSON.
pub(super) async fn sweep_schedules(db: &Db, known: &str, before: i64) -> Result<u64, Error> {
    const SWEEP: Sql = Sql::new(
        "DELETE FROM dewar_job_schedules WHERE seen_at < ?
            AND schedule NOT IN (SELECT value FROM json_each(?))",
        "DELETE FROM dewar_job_schedules WHERE seen_at < ?
            AND schedule NOT IN (SELECT json_array_elements_text(CAST(? AS json)))",
    );
    db.execute(SWEEP, [before.into(), known.into()]).await
}
