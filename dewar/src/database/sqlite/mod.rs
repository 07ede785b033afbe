//! SQLite: hardened connections, a pool that reads, and one thread that writes.

pub(crate) mod connection;
pub(crate) mod limits;
pub(crate) mod readers;
pub(crate) mod version;
pub(crate) mod writer;
