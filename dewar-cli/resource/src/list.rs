//! The list: the newest first, a page at a time.

use dewar::forms::{Cursor, Keyset};
use dewar::pages::{Paged, Position};
use dewar::roles::Scope;
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Form, Page, Query};

use super::__ticket__::{Column, Entity, Mine, Model};

/// The most rows of a page.
const SIZE: usize = 20;

const NEWEST: Keyset<i64> = Keyset::new("__tickets__, the newest first");

/// The query of the list's links.
#[derive(Form, Debug)]
pub struct Which {
    page: Option<Cursor>,
}

/// `GET /__tickets__`
pub async fn list(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    Query(which): Query<Which>,
) -> dewar::Result<Page> {
    let place = NEWEST.open(&keys, which.page.as_ref())?;
    let page = Paged::read(place, SIZE, |at| read(&caller, &db, at)).await?;
    let links = NEWEST.links(&keys, &page, |__ticket__| __ticket__.id)?;
    let address = |cursor: String| format!("/__tickets__?page={cursor}");
    Ok(Page::new("__tickets__/list.html")
        .with("previous", links.previous.map(address))
        .with("next", links.next.map(address))
        .with("__tickets__", page.rows))
}

/// One row more than a page shows: it proves that the list goes on.
async fn read(caller: &CurrentUser, db: &Db, at: Position<i64>) -> dewar::Result<Vec<Model>> {
    let found = Entity::find().filter(Mine::condition(caller));
    let found = match at {
        Position::Start => found.order_by_desc(Column::Id),
        Position::After(id) => found.filter(Column::Id.lt(id)).order_by_desc(Column::Id),
        Position::Before(id) => found.filter(Column::Id.gt(id)).order_by_asc(Column::Id),
    };
    Ok(found.limit(SIZE as u64 + 1).all(db).await?)
}
