//! Comments: every reader of a document may write one.

pub(crate) mod comment;

use dewar::audit::Clock;
use dewar::database::Quota;
use dewar::forms::{BoundForm, Int, RecordVersion, Text};
use dewar::pages::{Json, JsonSchema, Message, Paged};
use dewar::roles::Scoped;
use dewar::{CurrentUser, Db, Form, Page, Redirect};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use serde::Serialize;

use crate::documents::{DocumentView, Readable, document};

/// The number of comments on a page.
const SHOWN: usize = 50;

/// The most comments of one user, on all documents together.
const OF_ONE: Quota = Quota::new("comments", "author_id", 2_000);

/// The page of comments: those before this one.
#[derive(Form, Debug)]
pub(crate) struct CommentPage {
    before: Option<Int<1, { i64::MAX }>>,
}

/// A comment is text: the page shows markup in it as text.
#[derive(Form, Debug)]
pub(crate) struct NewComment {
    /// The text that the author read, so that no comment appears below another text.
    version: RecordVersion,
    #[field(label = "Your comment", rows = 4)]
    comment: Text<4_000>,
}

/// The same from a program, which has no page with a sealed version.
#[derive(Form, Debug)]
pub(crate) struct CommentByProgram {
    /// The version of the document that the author read.
    version: Int<1, 9_007_199_254_740_991>,
    comment: Text<4_000>,
}

/// A comment for the page and for programs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CommentView {
    id: i64,
    author: String,
    created_at: i64,
    body: String,
}

/// A page of comments, and where the page with older ones begins.
#[derive(Debug, Serialize)]
pub(crate) struct Comments {
    shown: Vec<CommentView>,
    older: Option<i64>,
    /// Whether these are the newest comments.
    newest: bool,
}

/// The newest comments on a document that the caller may read, or those before a given one. The page has the oldest first.
pub(crate) async fn of(
    document: &document::Model,
    which: &CommentPage,
    db: &Db,
) -> dewar::Result<Comments> {
    let sql = "SELECT c.id, u.name, c.created_at, c.body FROM comments c JOIN dewar_users u ON u.id = c.author_id \
               WHERE c.document_id = ?1 AND c.id < ?2 ORDER BY c.id DESC LIMIT 51";
    let before = which.before.map_or(i64::MAX, |before| before.get());
    let rows = db.query(sql, [document.id.into(), before.into()]).await?;
    let views = rows.iter().map(|row| {
        Ok(CommentView {
            id: row.get(0)?,
            author: row.get(1)?,
            created_at: row.get(2)?,
            body: row.get(3)?,
        })
    });
    let page = Paged::of(views.collect::<dewar::Result<Vec<_>>>()?, SHOWN);
    let older = page.next(|comment| comment.id);
    Ok(Comments {
        shown: page.rows.into_iter().rev().collect(),
        older,
        newest: which.before.is_none(),
    })
}

/// `POST /documents/{id}/comments`
pub(crate) async fn create(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    document: Scoped<Readable>,
    form: Form<NewComment>,
) -> dewar::Result<Redirect> {
    let view = DocumentView::of(&document, &db).await?;
    let page = Page::new("comments/new.html").with("document", &view);
    let (new, bound) = form.bind(page)?;
    bound.or_changed(&new.version, NewComment::VERSION, &view.content(&document))?;
    add(&caller, &db, &clock, &document, &new.comment, bound).await?;
    Ok(Redirect::to_path(format!("/documents/{}", document.id))?
        .flash(Message::new("done-commented")))
}

/// `POST /api/documents/{id}/comments`
pub(crate) async fn create_by_program(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    document: Scoped<Readable>,
    form: Form<CommentByProgram>,
) -> dewar::Result<Json<CommentView>> {
    let (new, bound) = form.bind_or_reject()?;
    if new.version.get() != document.version {
        return Err(bound.conflict(Message::new("undone-changed")));
    }
    let added = add(&caller, &db, &clock, &document, &new.comment, bound).await?;
    Ok(Json(added))
}

async fn add<T>(
    caller: &CurrentUser,
    db: &Db,
    clock: &Clock,
    document: &document::Model,
    text: &Text<4_000>,
    bound: BoundForm<T>,
) -> dewar::Result<CommentView> {
    let created_at = clock.now();
    let record = comment::ActiveModel {
        document_id: Set(document.id),
        author_id: Set(caller.id().get()),
        body: Set(text.to_string()),
        created_at: Set(created_at),
        ..Default::default()
    };
    let tx = db.begin().await?;
    bound.or_full(OF_ONE.check(&tx, caller.id().get()).await)?;
    let id = comment::Entity::insert(record)
        .exec(&tx)
        .await?
        .last_insert_id;
    tx.commit().await?;
    Ok(CommentView {
        id,
        author: caller.name().to_owned(),
        created_at,
        body: text.to_string(),
    })
}
