use std::ops::Deref;

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter,
};

use crate::accounts::CurrentUser;
use crate::database::Db;
use crate::forms::{Argument, Described, FromHead};
use crate::pages::Error;

/// What part of a table a caller may reach, and for what: a marker type of the application's.
///
/// ```
/// # use dewar::{accounts::CurrentUser, roles::Scope};
/// # mod note {
/// #     use sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "notes")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub owner_id: i64 }
/// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)] pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use sea_orm::{ColumnTrait, Condition};
/// struct Mine;
/// impl Scope for Mine {
///     type Entity = note::Entity;
///     fn condition(caller: &CurrentUser) -> Condition {
///         Condition::all().add(note::Column::OwnerId.eq(caller.id().get()))
///     }
/// }
/// ```
pub trait Scope: Send + 'static {
    /// The table.
    type Entity: EntityTrait;

    /// The rows that the caller may reach.
    fn condition(caller: &CurrentUser) -> Condition;
}

/// A record that was loaded through the caller's scope: the proof that the caller may reach it.
///
/// As an argument of a handler it reads the id from the path parameter `{id}`. Absent and foreign records give the same
/// 404 (CWE-639).
pub struct Scoped<S: Scope>(<S::Entity as EntityTrait>::Model);

impl<S: Scope> Scoped<S> {
    /// Loads a record by its id.
    ///
    /// # Errors
    /// 404 where there is none in the caller's scope.
    pub async fn load(id: i64, caller: &CurrentUser, db: &Db) -> Result<Self, Error> {
        let key = <S::Entity as EntityTrait>::PrimaryKey::iter().next();
        let column = key
            .ok_or_else(|| Error::internal("a table without a primary key"))?
            .into_column();
        let found = S::Entity::find()
            .filter(column.eq(id))
            .filter(S::condition(caller))
            .one(db)
            .await?;
        found.map(Self).ok_or_else(Error::not_found)
    }

    /// The record itself.
    pub fn into_inner(self) -> <S::Entity as EntityTrait>::Model {
        self.0
    }
}

impl<S: Scope> Deref for Scoped<S> {
    type Target = <S::Entity as EntityTrait>::Model;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: Scope> std::fmt::Debug for Scoped<S>
where
    <S::Entity as EntityTrait>::Model: ModelTrait,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Scoped").field(&self.0).finish()
    }
}

impl<S: Scope, State: Sync> FromRequestParts<State> for Scoped<S> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Error> {
        let caller = CurrentUser::from_request_parts(parts, state).await?;
        let db = parts
            .extensions
            .get::<Db>()
            .cloned()
            .ok_or_else(|| Error::missing("Db"))?;
        let path = parts
            .extract::<RawPathParams>()
            .await
            .map_err(|_| Error::not_found())?;
        let id = path
            .iter()
            .find(|(name, _)| *name == "id")
            .and_then(|(_, text)| text.parse().ok());
        Self::load(id.ok_or_else(Error::not_found)?, &caller, &db).await
    }
}

impl<S: Scope> Argument for Scoped<S> {
    fn describe(_: &mut Described) {}
}

impl<S: Scope> FromHead for Scoped<S> {}
