//! Deletes one, after a page that asks.

use dewar::forms::{RecordChanged, RecordVersion};
use dewar::roles::Scoped;
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use dewar::{Db, Form, Page, Redirect};

use super::Mine;
use super::__ticket__::{Column, Entity};

/// What the page has shown.
#[derive(Form, Debug)]
pub struct Deletion {
    version: RecordVersion,
}

/// `GET /__tickets__/{id}/delete`
pub async fn confirm(__ticket__: Scoped<Mine>) -> Page {
    let form = Deletion::view().fill(Deletion::VERSION, RecordVersion::of(&*__ticket__));
    Page::new("__tickets__/delete.html")
        .with("__ticket__", &*__ticket__)
        .form("form", form)
}

/// `POST /__tickets__/{id}/delete`
pub async fn delete(
    db: Db,
    __ticket__: Scoped<Mine>,
    form: Form<Deletion>,
) -> dewar::Result<Redirect> {
    form.or_reject()?.version.check(&*__ticket__)?;
    let deleted = Entity::delete_many()
        .filter(Column::Id.eq(__ticket__.id))
        .filter(Column::Version.eq(__ticket__.version))
        .exec(&db)
        .await?;
    if deleted.rows_affected == 0 {
        return Err(RecordChanged.into());
    }
    Ok(Redirect::to("/__tickets__").flash("Deleted."))
}
