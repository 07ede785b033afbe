//! The queue of the agents: the open tickets, the one that has waited longest first.

use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use dewar::{Db, Page};

use super::ticket::{Column, Entity, Status};

/// The most rows of the page.
const SIZE: u64 = 100;

/// `GET /queue`
pub async fn queue(db: Db) -> dewar::Result<Page> {
    let open = Column::Status.eq(dewar::forms::Choice::new(Status::Open));
    let tickets = Entity::find()
        .filter(open)
        .order_by_asc(Column::ActiveAt)
        .limit(SIZE)
        .all(&db)
        .await?;
    Ok(Page::new("tickets/queue.html").with("tickets", tickets))
}
