//! Comments: whoever may read a document may say something about it.

pub(crate) mod comment;

use dewar::audit::Clock;
use dewar::forms::Text;
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::{CurrentUser, Db, Form, Page, Redirect};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use serde::Serialize;

use crate::documents::{DocumentView, Readable, document};

/// A comment is text: markup in it is shown, not obeyed.
#[derive(Form, Debug)]
pub(crate) struct NewComment {
    #[field(label = "Your comment", rows = 4)]
    comment: Text<4_000>,
}

/// A comment as a page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct CommentView {
    id: i64,
    author: String,
    created_at: i64,
    body: String,
}

/// The comments on a document that the caller was found to reach, oldest first.
pub(crate) async fn of(document: &document::Model, db: &Db) -> dewar::Result<Vec<CommentView>> {
    let sql = "SELECT c.id, u.name, c.created_at, c.body FROM comments c JOIN dewar_users u ON u.id = c.author_id \
               WHERE c.document_id = ? ORDER BY c.id";
    let rows = db.query(sql, [document.id.into()]).await?;
    let views = rows.iter().map(|row| {
        Ok(CommentView {
            id: row.get(0)?,
            author: row.get(1)?,
            created_at: row.get(2)?,
            body: row.get(3)?,
        })
    });
    views.collect()
}

/// `POST /documents/{id}/comments`
pub(crate) async fn create(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    document: Scoped<Readable>,
    form: Form<NewComment>,
) -> dewar::Result<Redirect> {
    let page =
        Page::new("comments/new.html").with("document", DocumentView::of(&document, &db).await?);
    let new = form.or_show(page)?;
    let record = comment::ActiveModel {
        document_id: Set(document.id),
        author_id: Set(caller.id().get()),
        body: Set(new.comment.to_string()),
        created_at: Set(clock.now()),
        ..Default::default()
    };
    comment::Entity::insert(record).exec(&db).await?;
    Ok(Redirect::to_path(format!("/documents/{}", document.id))?
        .flash(Message::new("done-commented")))
}
