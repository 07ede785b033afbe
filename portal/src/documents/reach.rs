//! Access rules of documents. A handler that takes a `Scoped<…>` of one of these cannot load another document.

use dewar::CurrentUser;
use dewar::roles::Scope;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, Condition, ExprTrait};

use super::DocumentStatus;
use super::document::{Column, Entity};
use crate::Role;
use crate::shares::share;

/// Documents that the caller may read: approved ones, the caller's own, and those shared with the caller; reviewers read
/// everything. Administrators have no access of their own, because their work needs no document.
///
/// `list` has the same rule in SQL; a test keeps the two the same.
pub(crate) enum Readable {}

impl Scope for Readable {
    type Entity = Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        if Role::Reviewer.is_of(caller) {
            return Condition::all();
        }
        let me = caller.id().get();
        let shared = Query::select()
            .column(share::Column::DocumentId)
            .from(share::Entity)
            .and_where(share::Column::UserId.eq(me))
            .to_owned();
        Condition::any()
            .add(Column::Status.eq(DocumentStatus::Approved))
            .add(Column::OwnerId.eq(me))
            .add(Expr::col((Entity, Column::Id)).in_subquery(shared))
    }
}

/// Documents of the caller: to share and to delete.
pub(crate) enum Mine {}

impl Scope for Mine {
    type Entity = Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        Condition::all().add(Column::OwnerId.eq(caller.id().get()))
    }
}

/// Documents that wait for a decision of the caller: nobody decides about a document of their own.
pub(crate) enum Reviewable {}

impl Scope for Reviewable {
    type Entity = Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        Condition::all()
            .add(Column::Status.eq(DocumentStatus::Pending))
            .add(Column::OwnerId.ne(caller.id().get()))
    }
}
