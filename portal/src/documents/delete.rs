//! Deleting a document: only its owner, after a page that asks.

use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::{Db, Page, Redirect, Uploads};

use super::{DocumentView, Mine};

/// `GET /documents/{id}/delete`
pub(crate) async fn confirm(document: Scoped<Mine>, db: Db) -> dewar::Result<Page> {
    let view = DocumentView::of(&document, &db).await?;
    Ok(Page::new("documents/delete.html").with("document", view))
}

/// `POST /documents/{id}/delete`
pub(crate) async fn delete(
    document: Scoped<Mine>,
    db: Db,
    uploads: Uploads,
) -> dewar::Result<Redirect> {
    let tx = db.begin().await?;
    tx.execute("DELETE FROM documents WHERE id = ?", [document.id.into()])
        .await?;
    uploads.release(&tx, &document.file()?).await?;
    tx.commit().await?;
    Ok(Redirect::to("/documents").flash(Message::new("done-deleted")))
}
