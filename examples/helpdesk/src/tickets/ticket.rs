//! The model, and who may reach a ticket.

use dewar::CurrentUser;
use dewar::forms::{Choice, Choices, CleanHtml, Line};
use dewar::roles::Scope;
use dewar::sea_orm;
use dewar::sea_orm::Condition;
use dewar::sea_orm::entity::prelude::*;
use dewar::serde::Serialize;

use crate::Staff;

pub type Title = Line<120>;
/// What somebody writes: a description or a reply.
pub type Body = CleanHtml<20_000>;

#[derive(Choices, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    Low,
    Normal,
    High,
}

/// Whose turn it is: the agents', the customer's or nobody's.
#[derive(Choices, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Waiting,
    Closed,
}

/// A column with a type of `forms` holds only what its form would accept.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize)]
#[serde(crate = "dewar::serde")]
#[sea_orm(table_name = "tickets")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub owner_id: i64,
    pub assignee_id: Option<i64>,
    pub title: Title,
    pub description: Body,
    pub priority: Choice<Priority>,
    pub status: Choice<Status>,
    /// Unix seconds, as all times.
    pub opened_at: i64,
    /// When somebody wrote last.
    pub active_at: i64,
    /// Counts the changes.
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A customer's own tickets, and all for agents. A handler that takes `Scoped<Reachable>` cannot load another one.
pub enum Reachable {}

impl Scope for Reachable {
    type Entity = Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        if Staff::Agent.is_held_by(caller) {
            Condition::all()
        } else {
            Condition::all().add(Column::OwnerId.eq(caller.id().get()))
        }
    }
}
