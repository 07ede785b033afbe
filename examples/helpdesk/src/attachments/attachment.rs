//! The model, and who may reach an attachment.

use dewar::CurrentUser;
use dewar::roles::Scope;
use dewar::sea_orm;
use dewar::sea_orm::entity::prelude::*;
use dewar::sea_orm::{Condition, QuerySelect, QueryTrait};
use dewar::serde::Serialize;

use crate::tickets::{Reachable, ticket};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize)]
#[serde(crate = "dewar::serde")]
#[sea_orm(table_name = "attachments")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub ticket_id: i64,
    /// Where the file is kept.
    pub file: String,
    /// Its name on the customer's machine.
    pub name: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The files of the tickets that the caller may reach.
pub enum OfReachable {}

impl Scope for OfReachable {
    type Entity = Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        let tickets = ticket::Entity::find()
            .select_only()
            .column(ticket::Column::Id)
            .filter(Reachable::condition(caller))
            .into_query();
        Condition::all().add(Column::TicketId.in_subquery(tickets))
    }
}
