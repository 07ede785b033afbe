//! The list: the newest first, a page at a time.

use dewar::forms::{Choice, Cursor, Keyset};
use dewar::pages::{Paged, Position};
use dewar::roles::Scope;
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Form, Page, Query};

use super::Reachable;
use super::ticket::{Column, Entity, Model, Status};

/// The most rows of a page.
const SIZE: usize = 20;

const NEWEST: Keyset<i64> = Keyset::new("tickets, the newest first");

/// The query of the list's links.
#[derive(Form)]
pub struct Which {
    status: Option<Choice<Status>>,
    page: Option<Cursor>,
}

/// `GET /tickets`
pub async fn list(
    me: CurrentUser,
    db: Db,
    keys: KeyRing,
    Query(which): Query<Which>,
) -> dewar::Result<Page> {
    let status = which.status.map(Choice::value);
    let mut found = Entity::find().filter(Reachable::condition(&me));
    if let Some(status) = which.status {
        found = found.filter(Column::Status.eq(status));
    }
    let place = NEWEST.open(&keys, which.page.as_ref())?;
    let page = Paged::read(place, SIZE, |at| read(found.clone(), &db, at)).await?;
    let links = NEWEST.links(&keys, &page, |ticket| ticket.id)?;
    let address = |cursor: String| match status {
        Some(status) => format!("/tickets?status={status}&page={cursor}"),
        None => format!("/tickets?page={cursor}"),
    };
    Ok(Page::new("tickets/list.html")
        .with("status", status)
        .with("previous", links.previous.map(address))
        .with("next", links.next.map(address))
        .with("tickets", page.rows))
}

/// One row more than a page shows: it proves that the list goes on.
async fn read(found: Select<Entity>, db: &Db, at: Position<i64>) -> dewar::Result<Vec<Model>> {
    let found = match at {
        Position::Start => found.order_by_desc(Column::Id),
        Position::After(id) => found.filter(Column::Id.lt(id)).order_by_desc(Column::Id),
        Position::Before(id) => found.filter(Column::Id.gt(id)).order_by_asc(Column::Id),
    };
    Ok(found.limit(SIZE as u64 + 1).all(db).await?)
}
