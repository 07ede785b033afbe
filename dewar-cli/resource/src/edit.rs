//! Changes one.

use dewar::forms::{Edits, __edit_types__};
use dewar::roles::Scoped;
use dewar::sea_orm::sea_query::{Expr, ExprTrait};
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use dewar::{Db, Form, Page, Redirect};

use super::Mine;
use super::__ticket__::{Column, Entity, Model__enum_imports__};

/// What the page says if somebody else was quicker.
const CHANGED: &str = "It was changed meanwhile. Your changes are not saved: look at it again, then send them.";

/// The form: it can change the columns that it shows, and no others.
#[derive(Form, Debug)]
#[form(edits = Model)]
pub struct Edit__Ticket__ {
    /// The version that filled the page, so that no later change is overwritten.
    #[field(apart)]
    version: RecordVersion,
__form_fields__
}

/// `GET /__tickets__/{id}/edit`
pub async fn edit(__ticket__: Scoped<Mine>) -> Page {
    let form = Edit__Ticket__::edit(&__ticket__).fill(Edit__Ticket__::VERSION, RecordVersion::of(&*__ticket__));
    Page::new("__tickets__/edit.html")
        .with("__ticket__", &*__ticket__)
        .form("form", form)
}

/// `POST /__tickets__/{id}/edit`
pub async fn change(
    db: Db,
    __ticket__: Scoped<Mine>,
    form: Form<Edit__Ticket__>,
) -> dewar::Result<Redirect> {
    let page = Page::new("__tickets__/edit.html").with("__ticket__", &*__ticket__);
    let (changes, bound) = form.bind(page)?;
    if changes.version.check(&*__ticket__).is_err() {
        return Err(bound.conflict(CHANGED));
    }
    let changed = Entity::update_many()
        .set(changes.apply(__ticket__.clone()))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(__ticket__.id))
        .filter(Column::Version.eq(__ticket__.version))
        .exec(&db)
        .await?;
    if changed.rows_affected == 0 {
        return Err(bound.conflict(CHANGED));
    }
    Ok(Redirect::to_path(format!("/__tickets__/{}", __ticket__.id))?.flash("Saved."))
}
