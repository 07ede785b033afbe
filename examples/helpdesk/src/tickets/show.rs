//! The page of a ticket, with its thread.

use dewar::roles::Scoped;
use dewar::{Db, Page};

use super::Reachable;
use super::ticket::Model;
use crate::{attachments, people, replies};

/// `GET /tickets/{id}`
pub async fn show(db: Db, ticket: Scoped<Reachable>) -> dewar::Result<Page> {
    let page = page(&db, &ticket).await?;
    Ok(page.form("form", replies::NewReply::view()))
}

/// The page without its form, which a reply that does not fit shows again.
pub(crate) async fn page(db: &Db, ticket: &Model) -> dewar::Result<Page> {
    let assignee = match ticket.assignee_id {
        Some(id) => people::name_of(db, id).await?,
        None => None,
    };
    Ok(Page::new("tickets/show.html")
        .with("ticket", ticket)
        .with("owner", people::name_of(db, ticket.owner_id).await?)
        .with("assignee", assignee)
        .with("replies", replies::of(db, ticket.id).await?)
        .with("attachments", attachments::of(db, ticket.id).await?))
}
