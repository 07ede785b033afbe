//! A request that only reads (`GET`, `HEAD`) changes no rows.

use std::future::Future;

use super::{Db, Error};

tokio::task_local! {
    /// The handler or the command that only reads, while it runs.
    static READING: Reader;
}

#[derive(Clone, Copy)]
enum Reader {
    Command(&'static str),
    Route(&'static str),
}

/// Runs a handler, which only reads if its route is given.
pub(crate) async fn reading<T>(route: Option<&'static str>, handler: impl Future<Output = T>) -> T {
    match route {
        Some(route) => READING.scope(Reader::Route(route), handler).await,
        None => handler.await,
    }
}

/// Runs a command of the application that only reads.
pub(crate) async fn reading_command<T>(name: &'static str, command: impl Future<Output = T>) -> T {
    READING.scope(Reader::Command(name), command).await
}

impl Db {
    /// The database for the framework's own statements, such as the time of a session's last use.
    pub(crate) fn of_the_framework(mut self) -> Self {
        self.is_the_frameworks = true;
        self
    }

    /// Refuses a change while a handler that only reads is running.
    pub(super) fn may_change(&self) -> Result<(), Error> {
        if self.is_the_frameworks {
            return Ok(());
        }
        refuse_while_reading()
    }
}

/// Refuses what a handler that only reads asks a room to change.
pub(crate) fn refuse_while_reading() -> Result<(), Error> {
    let Ok(reader) = READING.try_with(|reader| *reader) else {
        return Ok(());
    };
    let route = match reader {
        Reader::Route(route) => route,
        Reader::Command(name) => {
            return Err(Error::refused(format!(
                "the command `{name}` changes rows, or begins a transaction, and it only reads: implement `Command` for it, and \
                 register it with `app.command`"
            )));
        }
    };
    Err(Error::refused(format!(
        "`GET {route}` changes rows, or begins a transaction, and a GET only reads: a link on another site could make a \
         signed-in user do it. Mount the handler with `post`, or call `.dangerous_write_on_get(reason)` on the route"
    )))
}
