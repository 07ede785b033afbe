use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use sea_orm::{
    ColumnTrait, Condition, EntityName, EntityTrait, Iterable, ModelTrait, PrimaryKeyToColumn,
    QueryFilter, Select,
};

use crate::accounts::CurrentUser;
use crate::audit::{Entry, Event};
use crate::database::Db;
use crate::forms::{Described, FromParts, FromPathParam, HandlerInput, RecordVersion};
use crate::pages::{Error, ErrorKind, RequestContext, Sealed};

/// The part of a table that a caller may reach, and the purpose: a marker type of the application's.
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
/// 404 (CWE-639); that somebody named a foreign one is the security event `malicious_direct_reference`.
/// (Where a scope speaks of a state as well, such as "waiting for review", a page that went stale looks the same.)
pub struct Scoped<S: Scope>(<S::Entity as EntityTrait>::Model);

impl<S: Scope> Scoped<S> {
    /// Loads a record by its id.
    ///
    /// # Errors
    /// 404 where there is none in the caller's scope.
    pub async fn load(id: i64, caller: &CurrentUser, db: &Db) -> Result<Self, Error> {
        let found = Self::with_id(id)?
            .filter(S::condition(caller))
            .one(db)
            .await?;
        found.map(Self).ok_or_else(Error::not_found)
    }

    fn with_id(id: i64) -> Result<Select<S::Entity>, Error> {
        let key = <S::Entity as EntityTrait>::PrimaryKey::iter().next();
        let column = key
            .ok_or_else(|| Error::internal("a table without a primary key"))?
            .into_column();
        Ok(S::Entity::find().filter(column.eq(id)))
    }

    /// Whether the record is within the caller's reach still, and as it was.
    async fn as_it_was(
        before: <S::Entity as EntityTrait>::Model,
        id: i64,
        caller: CurrentUser,
        db: Db,
    ) -> Result<(), Error> {
        let now = Self::load(id, &caller, &db).await?;
        Ok(RecordVersion::of(&before).check(&now.0)?)
    }

    /// Notes it where the record that the caller did not get is there all the same. The answer has been decided, and
    /// takes this one more question whether it is or not.
    async fn note_if_foreign(id: i64, db: &Db, context: &RequestContext) {
        let Ok(Some(_)) = (match Self::with_id(id) {
            Ok(select) => select.one(db).await.map_err(Error::from),
            Err(error) => Err(error),
        }) else {
            return;
        };
        let table = S::Entity::default();
        let entry = Entry::new(Event::MaliciousDirectReference)
            .subject(format_args!("{} {id}", table.table_name()))
            .outcome("refused");
        context.record(entry);
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
        let db = RequestContext::of(parts)?.services().db.clone();
        let path = parts
            .extract::<RawPathParams>()
            .await
            .map_err(|_| Error::not_found())?;
        let id = path
            .iter()
            .find(|(name, _)| *name == "id")
            .and_then(|(_, text)| <i64 as FromPathParam>::parse(text));
        let id = id.ok_or_else(Error::not_found)?;
        let loaded = Self::load(id, &caller, &db).await;
        if loaded
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::NotFound)
        {
            Self::note_if_foreign(id, &db, RequestContext::of(parts)?).await;
        }
        if let Ok(Self(record)) = &loaded
            && !parts.method.is_safe()
        {
            // A model need not be for several threads at once.
            let record = Mutex::new(record.clone());
            let context = RequestContext::of_mut(parts)?;
            context.admission.loaded.add(move || {
                let before = record.lock().unwrap_or_else(PoisonError::into_inner);
                Self::as_it_was(before.clone(), id, caller.clone(), db.clone())
            });
        }
        loaded
    }
}

impl<S: Scope> HandlerInput for Scoped<S> {
    fn describe(route: &mut Described, _: Sealed) {
        route.load_by_id();
    }
}

impl<S: Scope> FromParts for Scoped<S> {}
