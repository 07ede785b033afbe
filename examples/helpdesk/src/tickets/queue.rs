//! The queue of the agents: the open tickets, the one that has waited longest first. An open page shows changes by itself.

use dewar::forms::Choice;
use dewar::live::{Live, LivePage, Topic};
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use dewar::{Db, Page};

use super::ticket::{Column, Entity, Status};

/// A ticket came into the queue, changed, or left it. The event is its id.
pub(crate) const QUEUE: Topic<i64> = Topic::new("queue");

/// The most rows of the page.
const SIZE: u64 = 100;

/// `GET /queue`
pub async fn queue(db: Db) -> dewar::Result<Page> {
    waiting("tickets/queue.html", &db).await
}

/// `GET /queue/live`: the part of the page that changes, after each change.
pub async fn queue_live(db: Db, live: Live) -> LivePage {
    live.page([&QUEUE], move || {
        let db = db.clone();
        async move { waiting("tickets/queue_rows.html", &db).await }
    })
}

async fn waiting(template: &'static str, db: &Db) -> dewar::Result<Page> {
    let tickets = Entity::find()
        .filter(Column::Status.eq(Choice::new(Status::Open)))
        .order_by_asc(Column::ActiveAt)
        .limit(SIZE)
        .all(db)
        .await?;
    Ok(Page::new(template).with("tickets", tickets))
}
