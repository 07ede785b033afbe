//! Replies: the thread below a ticket.

mod new;
pub(crate) mod reply;

pub use new::{NewReply, Replied, create};

use dewar::Db;
use dewar::serde::Serialize;

use crate::tickets::ticket::Body;

/// The most replies that a ticket has and its page shows.
pub(crate) const MOST: u32 = 500;

/// A reply for the page.
#[derive(Serialize)]
#[serde(crate = "dewar::serde")]
pub(crate) struct Shown {
    author: String,
    body: Body,
    written_at: i64,
}

/// The thread of a ticket, the oldest reply first.
pub(crate) async fn of(db: &Db, ticket: i64) -> dewar::Result<Vec<Shown>> {
    let find =
        "SELECT name, body, written_at FROM replies JOIN dewar_users ON dewar_users.id = author_id
        WHERE ticket_id = ? ORDER BY replies.id LIMIT ?";
    let mut thread = Vec::new();
    for row in db.query(find, [ticket.into(), MOST.into()]).await? {
        thread.push(Shown {
            author: row.get(0)?,
            body: row.get(1)?,
            written_at: row.get(2)?,
        });
    }
    Ok(thread)
}
