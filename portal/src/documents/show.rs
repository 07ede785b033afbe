//! A document's page.

use dewar::forms::RecordVersion;
use dewar::roles::Scoped;
use dewar::{CurrentUser, Db, Page, Query};

use super::document::{DocumentStatus, Model};
use super::{DocumentView, Readable};
use crate::Role;
use crate::comments::{self, CommentPage, NewComment};
use crate::shares::{self, NewShare};

/// `GET /documents/{id}`
pub(crate) async fn show(
    caller: CurrentUser,
    db: Db,
    document: Scoped<Readable>,
    Query(which): Query<CommentPage>,
) -> dewar::Result<Page> {
    let mine = document.owner_id == caller.id().get();
    let readers = if mine {
        shares::readers(&document, &db).await?
    } else {
        Vec::new()
    };
    let view = DocumentView::of(&document, &db).await?;
    let shown = RecordVersion::of(&view.content(&document));
    let endings = shares::endings(&document, &readers, &db).await?;
    Ok(Page::new("documents/show.html")
        .with("document", view)
        .with("comments", comments::of(&document, &which, &db).await?)
        .with("readers", readers)
        .with("mine", mine)
        .with("may_review", may_review(&document, &caller))
        .form(
            "comment_form",
            NewComment::view().fill(NewComment::VERSION, shown),
        )
        .form(
            "share_form",
            NewShare::view().fill(NewShare::VERSION, shown),
        )
        .form("endings", endings))
}

fn may_review(document: &Model, caller: &CurrentUser) -> bool {
    document.status == DocumentStatus::Pending
        && document.owner_id != caller.id().get()
        && Role::Reviewer.is_of(caller)
}
