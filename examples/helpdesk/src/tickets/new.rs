//! Opens a ticket.

use dewar::app::RateLimit;
use dewar::database::{Quota, Tx};
use dewar::forms::Choice;
use dewar::sea_orm::{ActiveModelTrait, Set};
use dewar::sessions::UserId;
use dewar::{CurrentUser, Dewar, Form, Page, Redirect};

use super::QUEUE;
use super::ticket::{ActiveModel, Body, Model, Priority, Status, Title};
use crate::attachments::{self, Attached};

/// How often one person may open a ticket.
pub const OPENING_LIMIT: RateLimit = RateLimit::per_hour(10);

/// The most tickets of one customer.
pub(crate) const PER_CUSTOMER: Quota = Quota::new("tickets", "owner_id", 10_000);

#[derive(Form)]
pub struct NewTicket {
    title: Title,
    priority: Choice<Priority>,
    description: Body,
    file: Option<Attached>,
}

/// `GET /tickets/new`
pub async fn new() -> Page {
    let form = NewTicket::view().fill_value(NewTicket::PRIORITY, &Choice::new(Priority::Normal));
    Page::new("tickets/new.html").form("form", form)
}

/// `POST /tickets`
pub async fn create(
    me: CurrentUser,
    dewar: Dewar,
    form: Form<NewTicket>,
) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind("tickets/new.html")?;
    let kept = attachments::keep(dewar.uploads(), me.id(), new.file).await;
    let file = bound.or_refuse(kept, NewTicket::FILE)?;
    let record = NewRecord {
        owner: me.id(),
        title: new.title,
        priority: new.priority,
        description: new.description,
    };
    let tx = dewar.db().begin().await?;
    bound.or_full(PER_CUSTOMER.check(&tx, me.id().get()).await)?;
    let ticket = open(&tx, &dewar, record).await?;
    attachments::add(&tx, ticket.id, file).await?;
    tx.commit().await?;
    let opened = dewar::pages::Message::new("tickets-opened");
    Ok(Redirect::to_path(format!("/tickets/{}", ticket.id))?.flash(opened))
}

/// A ticket that is to be opened, whichever way it came.
pub(crate) struct NewRecord {
    pub owner: UserId,
    pub title: Title,
    pub priority: Choice<Priority>,
    pub description: Body,
}

/// Opens a ticket, for a page, a program or a mail.
pub(crate) async fn open(tx: &Tx, dewar: &Dewar, new: NewRecord) -> dewar::Result<Model> {
    let now = dewar.clock().now();
    let record = ActiveModel {
        owner_id: Set(new.owner.get()),
        title: Set(new.title),
        description: Set(new.description),
        priority: Set(new.priority),
        status: Set(Choice::new(Status::Open)),
        opened_at: Set(now),
        active_at: Set(now),
        ..Default::default()
    };
    let ticket = record.insert(tx).await?;
    dewar.live().publish_in(tx, &QUEUE, &ticket.id).await?;
    Ok(ticket)
}
