//! The lock that every change of rows holds.
//!
//! `Db::begin` promises that nothing it has read changes before its end, on any number of nodes. So such a transaction holds the
//! lock alone. All other changes hold it together, and run as if one came after the other (`SERIALIZABLE`): if two are in each
//! other's way, the server undoes one of them, and it is done again. Reading takes no lock.
//!
//! It is the lock of a table, because `LOCK TABLE` takes no snapshot: a transaction that waited for the lock sees what was committed
//! meanwhile. A function such as `pg_advisory_xact_lock` takes its snapshot first and waits afterwards
//! (<https://www.postgresql.org/docs/current/applevel-consistency.html>).

/// The table of the lock, which has no rows.
pub(super) const TABLE: &str = "CREATE TABLE IF NOT EXISTS dewar_lock ();";

/// Begins a transaction that holds the lock alone. Each of its statements sees everything that was committed before it.
pub(super) const ALONE: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE dewar_lock IN EXCLUSIVE MODE";

/// Begins a transaction that holds the lock together with others.
pub(super) const TOGETHER: &str =
    "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE dewar_lock IN ROW SHARE MODE";
