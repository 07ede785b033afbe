//! Adds a reply, and tells the customer.

use dewar::database::{Quota, Tx};
use dewar::forms::Choice;
use dewar::mail::{self, Letter, Mailer};
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::sea_orm::{ActiveModelTrait, Set};
use dewar::{CurrentUser, Dewar, Form, Redirect};

use super::{MOST, reply};
use crate::Staff;
use crate::attachments::{self, Attached};
use crate::settings::DeskSettings;
use crate::tickets::ticket::{self, Body, Status};
use crate::tickets::{self, QUEUE, Reachable};

const PER_TICKET: Quota = Quota::new("replies", "ticket_id", MOST);

#[derive(Form)]
pub struct NewReply {
    body: Body,
    file: Option<Attached>,
}

/// The letter to the customer.
#[derive(Letter)]
#[letter(template = "letters/replied")]
pub struct Replied<'a> {
    desk: &'a str,
    title: &'a str,
    body: String,
    path: String,
}

/// `POST /tickets/{id}/replies`
pub async fn create(
    me: CurrentUser,
    dewar: Dewar,
    mailer: Mailer,
    ticket: Scoped<Reachable>,
    form: Form<NewReply>,
) -> dewar::Result<Redirect> {
    let db = dewar.db();
    let (new, bound) = form.bind(tickets::page(db, &ticket).await?)?;
    let kept = attachments::keep(dewar.uploads(), me.id(), new.file).await;
    let file = bound.or_refuse(kept, NewReply::FILE)?;
    let is_from_agent = ticket.owner_id != me.id().get() && Staff::Agent.is_held_by(&me);
    let status = if is_from_agent {
        Status::Waiting
    } else {
        Status::Open
    };
    let words = new.body.words();
    let tx = db.begin().await?;
    bound.or_full(PER_TICKET.check(&tx, ticket.id).await)?;
    let record = reply::ActiveModel {
        ticket_id: Set(ticket.id),
        author_id: Set(me.id().get()),
        body: Set(new.body),
        written_at: Set(dewar.clock().now()),
        ..Default::default()
    };
    record.insert(&tx).await?;
    attachments::add(&tx, ticket.id, file).await?;
    let turn = "UPDATE tickets SET status = ?, active_at = ?, version = version + 1 WHERE id = ?";
    let status = Choice::new(status).value();
    tx.execute(
        turn,
        [status.into(), dewar.clock().now().into(), ticket.id.into()],
    )
    .await?;
    dewar.live().publish_in(&tx, &QUEUE, &ticket.id).await?;
    if is_from_agent {
        tell_customer(&dewar, &mailer, &tx, &ticket, words).await?;
    }
    tx.commit().await?;
    let sent = Message::new("replies-sent");
    Ok(Redirect::to_path(format!("/tickets/{}", ticket.id))?.flash(sent))
}

/// The reply counts even if its letter is one too many.
async fn tell_customer(
    dewar: &Dewar,
    mailer: &Mailer,
    tx: &Tx,
    ticket: &ticket::Model,
    body: String,
) -> dewar::Result {
    let owner = dewar::sessions::UserId::new(ticket.owner_id);
    let Some(customer) = dewar.accounts().find(owner).await? else {
        return Ok(());
    };
    let settings = dewar.settings::<DeskSettings>()?;
    let letter = Replied {
        desk: settings.name.as_str(),
        title: ticket.title.as_str(),
        body,
        path: format!("/tickets/{}", ticket.id),
    };
    match mailer.send(tx, &customer, &letter).await {
        Ok(_)
        | Err(mail::Error::RecipientLimit(_) | mail::Error::SenderLimit(_) | mail::Error::Full) => {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
