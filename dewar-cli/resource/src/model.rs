//! The model, and who may reach a record.

use dewar::CurrentUser;
use dewar::forms::{__model_types__};
use dewar::roles::Scope;
use dewar::sea_orm;
use dewar::sea_orm::Condition;
use dewar::sea_orm::entity::prelude::*;
use dewar::serde::Serialize;

__enums__/// A column with a type of `forms` holds only what its form would accept.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize)]
#[serde(crate = "dewar::serde")]
#[sea_orm(table_name = "__tickets__")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub owner_id: i64,
__model_fields__
    /// Unix seconds.
    pub created_at: i64,
    /// Counts the changes.
    pub version: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The caller's own. A handler that takes `Scoped<Mine>` cannot load another member's.
pub enum Mine {}

impl Scope for Mine {
    type Entity = Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        Condition::all().add(Column::OwnerId.eq(caller.id().get()))
    }
}
