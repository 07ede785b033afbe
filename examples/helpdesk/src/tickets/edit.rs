//! Agents change a ticket: its priority, its status, and who works on it.

use dewar::accounts::{Accounts, User};
use dewar::forms::{Choice, Edits, Pick, RecordVersion};
use dewar::live::Live;
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::sea_orm::sea_query::{Expr, ExprTrait};
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use dewar::{Db, Form, Page, Redirect};

use super::ticket::{ActiveModel, Column, Entity, Model, Priority, Status};
use super::{QUEUE, Reachable};
use crate::people;

/// The form: it can change the columns that it shows, and no others.
#[derive(Form)]
#[form(edits = Model)]
pub struct EditTicket {
    /// The version that filled the page, so that no later change is overwritten.
    #[field(apart)]
    version: RecordVersion,
    priority: Choice<Priority>,
    status: Choice<Status>,
    #[field(apart)]
    assignee: Option<Pick<User>>,
}

/// `GET /tickets/{id}/edit`
pub async fn edit(accounts: Accounts, ticket: Scoped<Reachable>) -> dewar::Result<Page> {
    let agents = people::agents(&accounts).await?;
    let mut form = EditTicket::edit(&ticket)
        .fill(EditTicket::VERSION, RecordVersion::of(&*ticket))
        .offer(EditTicket::ASSIGNEE, &agents);
    if let Some(assignee) = ticket.assignee_id {
        form = form.fill(EditTicket::ASSIGNEE, assignee);
    }
    Ok(page(&ticket).form("form", form))
}

/// `POST /tickets/{id}/edit`
pub async fn change(
    accounts: Accounts,
    db: Db,
    live: Live,
    ticket: Scoped<Reachable>,
    form: Form<EditTicket>,
) -> dewar::Result<Redirect> {
    let agents = people::agents(&accounts).await?;
    let (changes, bound) = form
        .offer(EditTicket::ASSIGNEE, &agents)
        .bind(page(&ticket))?;
    if changes.version.check(&*ticket).is_err() {
        return Err(bound.conflict(Message::new("tickets-changed")));
    }
    let assignee = match &changes.assignee {
        Some(pick) => Some(agents.chosen(pick)?.id.get()),
        None => None,
    };
    let record = ActiveModel {
        assignee_id: Set(assignee),
        ..changes.apply(ticket.clone())
    };
    let tx = db.begin().await?;
    let changed = Entity::update_many()
        .set(record)
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::Id.eq(ticket.id))
        .filter(Column::Version.eq(ticket.version))
        .exec(&tx)
        .await?;
    if changed.rows_affected == 0 {
        return Err(bound.conflict(Message::new("tickets-changed")));
    }
    live.publish_in(&tx, &QUEUE, &ticket.id).await?;
    tx.commit().await?;
    Ok(Redirect::to_path(format!("/tickets/{}", ticket.id))?.flash(Message::new("saved")))
}

fn page(ticket: &Model) -> Page {
    Page::new("tickets/edit.html").with("ticket", ticket)
}
