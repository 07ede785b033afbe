//! Tickets for programs: they send an API token, which a person makes on `/account/tokens`.

use dewar::api::ApiScope;
use dewar::forms::Choice;
use dewar::pages::{Created, Json, JsonSchema};
use dewar::roles::Scope;
use dewar::sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use dewar::serde::Serialize;
use dewar::{CurrentUser, Db, Dewar, Form, Query};

use crate::tickets::ticket::{Body, Column, Entity, Model, Priority, Status, Title};
use crate::tickets::{self, NewRecord, PER_CUSTOMER, Reachable};

/// The most tickets of an answer.
const SIZE: u64 = 100;

/// What a token may do.
#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiAccess {
    #[scope(label = "Read the tickets that you may read")]
    TicketsRead,
    #[scope(label = "Open tickets for you")]
    TicketsWrite,
}

/// A ticket as programs see it.
#[derive(Serialize, JsonSchema)]
#[serde(crate = "dewar::serde")]
pub struct Ticket {
    id: i64,
    title: Title,
    priority: Choice<Priority>,
    status: Choice<Status>,
    opened_at: i64,
}

#[derive(Form)]
pub struct TicketFilter {
    status: Option<Choice<Status>>,
}

#[derive(Form)]
pub struct TicketToOpen {
    title: Title,
    priority: Choice<Priority>,
    description: Body,
}

/// `GET /api/tickets`
pub async fn list(
    me: CurrentUser,
    db: Db,
    Query(filter): Query<TicketFilter>,
) -> dewar::Result<Json<Vec<Ticket>>> {
    let mut found = Entity::find().filter(Reachable::condition(&me));
    if let Some(status) = filter.status {
        found = found.filter(Column::Status.eq(status));
    }
    let found = found.order_by_desc(Column::Id).limit(SIZE).all(&db).await?;
    Ok(Json(found.into_iter().map(Ticket::from).collect()))
}

/// `POST /api/tickets`
pub async fn create(
    me: CurrentUser,
    dewar: Dewar,
    form: Form<TicketToOpen>,
) -> dewar::Result<Created<Ticket>> {
    let (new, bound) = form.bind_or_reject()?;
    let record = NewRecord {
        owner: me.id(),
        title: new.title,
        priority: new.priority,
        description: new.description,
    };
    let tx = dewar.db().begin().await?;
    bound.or_full(PER_CUSTOMER.check(&tx, me.id().get()).await)?;
    let ticket = tickets::open(&tx, &dewar, record).await?;
    tx.commit().await?;
    Created::at_path(format!("/tickets/{}", ticket.id), ticket.into())
}

impl From<Model> for Ticket {
    fn from(ticket: Model) -> Self {
        Self {
            id: ticket.id,
            title: ticket.title,
            priority: ticket.priority,
            status: ticket.status,
            opened_at: ticket.opened_at,
        }
    }
}
