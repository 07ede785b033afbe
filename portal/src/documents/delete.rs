//! Deletes a document: only its owner may, after a page that asks for confirmation.

use dewar::forms::{RecordChanged, RecordVersion};
use dewar::live::Live;
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::{Db, Form, Page, Redirect, Uploads};

use super::{DocumentView, Mine};
use crate::reviews::QUEUE_CHANGED;

/// The document that the confirmation page has shown.
#[derive(Form, Debug)]
pub(crate) struct Deletion {
    version: RecordVersion,
}

/// `GET /documents/{id}/delete`
pub(crate) async fn confirm(document: Scoped<Mine>, db: Db) -> dewar::Result<Page> {
    let view = DocumentView::of(&document, &db).await?;
    let form = Deletion::view().fill(Deletion::VERSION, RecordVersion::of(&*document));
    Ok(Page::new("documents/delete.html")
        .with("document", view)
        .form("form", form))
}

/// `POST /documents/{id}/delete`
pub(crate) async fn delete(
    document: Scoped<Mine>,
    db: Db,
    uploads: Uploads,
    live: Live,
    form: Form<Deletion>,
) -> dewar::Result<Redirect> {
    form.or_reject()?.version.check(&*document)?;
    let tx = db.begin().await?;
    let sql = "DELETE FROM documents WHERE id = ? AND version = ?";
    let values = [document.id.into(), document.version.into()];
    if tx.execute(sql, values).await? == 0 {
        return Err(RecordChanged.into());
    }
    uploads.release(&tx, &document.file()?).await?;
    live.publish_in(&tx, &QUEUE_CHANGED, &document.id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/documents").flash(Message::new("done-deleted")))
}
