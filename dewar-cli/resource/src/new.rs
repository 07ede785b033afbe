//! Adds one.

use dewar::audit::Clock;
use dewar::database::Quota;
use dewar::forms::{__types__};
use dewar::sea_orm::{ActiveModelTrait, Set};
use dewar::{CurrentUser, Db, Form, Page, Redirect};

use super::__ticket__::{ActiveModel__enum_imports__};

/// The most of one member.
const OF_ONE: Quota = Quota::new("__tickets__", "owner_id", 10_000);

/// The form.
#[derive(Form, Debug)]
pub struct New__Ticket__ {
__form_fields__
}

/// `GET /__tickets__/new`
pub async fn new() -> Page {
    Page::new("__tickets__/new.html").form("form", New__Ticket__::view())
}

/// `POST /__tickets__`
pub async fn create(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    form: Form<New__Ticket__>,
) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind("__tickets__/new.html")?;
    let record = ActiveModel {
        owner_id: Set(caller.id().get()),
__set_fields__
        created_at: Set(clock.now()),
        ..Default::default()
    };
    let tx = db.begin().await?;
    bound.or_full(OF_ONE.check(&tx, caller.id().get()).await)?;
    let __ticket__ = record.insert(&tx).await?;
    tx.commit().await?;
    Ok(Redirect::to_path(format!("/__tickets__/{}", __ticket__.id))?.flash("Saved."))
}
