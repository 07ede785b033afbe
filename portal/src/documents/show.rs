//! A document's page.

use std::collections::BTreeMap;

use dewar::forms::{FormView, RecordVersion};
use dewar::pages::{PageData, TypedPage};
use dewar::roles::Scoped;
use dewar::{CurrentUser, Db, Query};

use super::document::{DocumentStatus, Model};
use super::{DocumentView, Readable};
use crate::Role;
use crate::comments::{self, CommentPage, Comments, NewComment};
use crate::shares::{self, NewShare, RemoveShare, ShareReader};

/// The page.
#[derive(PageData)]
#[page(template = "documents/show.html")]
pub(crate) struct ShowDocument {
    document: DocumentView,
    comments: Comments,
    readers: Vec<ShareReader>,
    mine: bool,
    may_review: bool,
    comment_form: FormView<NewComment>,
    share_form: FormView<NewShare>,
    /// The buttons that end the shares, by the readers' ids.
    endings: BTreeMap<i64, FormView<RemoveShare>>,
}

/// `GET /documents/{id}`
pub(crate) async fn show(
    caller: CurrentUser,
    db: Db,
    document: Scoped<Readable>,
    Query(which): Query<CommentPage>,
) -> dewar::Result<TypedPage<ShowDocument>> {
    let mine = document.owner_id == caller.id().get();
    let readers = if mine {
        shares::readers(&document, &db).await?
    } else {
        Vec::new()
    };
    let view = DocumentView::of(&document, &db).await?;
    let shown = RecordVersion::of(&view.content(&document));
    let endings = shares::endings(&document, &readers, &db).await?;
    Ok(TypedPage(ShowDocument {
        document: view,
        comments: comments::of(&document, &which, &db).await?,
        readers,
        mine,
        may_review: may_review(&document, &caller),
        comment_form: NewComment::view().fill(NewComment::VERSION, shown),
        share_form: NewShare::view().fill(NewShare::VERSION, shown),
        endings,
    }))
}

fn may_review(document: &Model, caller: &CurrentUser) -> bool {
    document.status == DocumentStatus::Pending
        && document.owner_id != caller.id().get()
        && Role::Reviewer.is_of(caller)
}
