//! Sharing: an owner lets named members read a document before it is approved.

pub(crate) mod share;

use std::collections::BTreeMap;

use dewar::accounts::{Accounts, User};
use dewar::audit::{Clock, Entry, Event, Log};
use dewar::database::Quota;
use dewar::forms::{Email, FormView, Path, RecordVersion};
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::secrets::random;
use dewar::{Db, Form, Page, Redirect};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Serialize;

use crate::documents::{DocumentView, Mine, document};

/// The most readers of one document; its page shows them all.
const OF_ONE: Quota = Quota::new("shares", "document_id", 100);

/// The reader to share with.
#[derive(Form, Debug)]
pub(crate) struct NewShare {
    /// The document that the page showed: no other one is shared.
    version: RecordVersion,
    #[field(label = "E-mail address of a member")]
    email: Email,
}

/// The share that the page showed beside its button.
#[derive(Form, Debug)]
pub(crate) struct RemoveShare {
    version: RecordVersion,
}

/// A user with whom a document is shared.
#[derive(Debug, Serialize)]
pub(crate) struct ShareReader {
    id: i64,
    name: String,
}

/// The users with whom a document of the caller is shared.
pub(crate) async fn readers(
    document: &document::Model,
    db: &Db,
) -> dewar::Result<Vec<ShareReader>> {
    let sql = "SELECT u.id, u.name FROM shares s JOIN dewar_users u ON u.id = s.user_id \
               WHERE s.document_id = ? ORDER BY u.name COLLATE NOCASE LIMIT 100";
    let rows = db.query(sql, [document.id.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(ShareReader {
                id: row.get(0)?,
                name: row.get(1)?,
            })
        })
        .collect()
}

/// The buttons that end these shares.
pub(crate) async fn endings(
    document: &document::Model,
    readers: &[ShareReader],
    db: &Db,
) -> dewar::Result<BTreeMap<i64, FormView<RemoveShare>>> {
    let found = share::Entity::find()
        .filter(share::Column::DocumentId.eq(document.id))
        .filter(share::Column::UserId.is_in(readers.iter().map(|reader| reader.id)))
        .all(db)
        .await?;
    let button = |share: &share::Model| {
        let view = RemoveShare::view().fill(RemoveShare::VERSION, RecordVersion::of(share));
        (share.user_id, view)
    };
    Ok(found.iter().map(button).collect())
}

/// `POST /documents/{id}/shares`
///
/// The flash is the same whether the address has an account or not, so nobody can use it to find out who is a member (user
/// enumeration). The list on the owner's own page shows the readers.
pub(crate) async fn create(
    db: Db,
    clock: Clock,
    log: Log,
    accounts: Accounts,
    document: Scoped<Mine>,
    form: Form<NewShare>,
) -> dewar::Result<Redirect> {
    let view = DocumentView::of(&document, &db).await?;
    let page = Page::new("shares/new.html").with("document", &view);
    let (new, bound) = form.bind(page)?;
    bound.or_changed(&new.version, NewShare::VERSION, &view.content(&document))?;
    let found = accounts
        .find_by_email(new.email.as_str())
        .await?
        .filter(User::is_active);
    if let Some(reader) = found.filter(|reader| reader.id.get() != document.owner_id) {
        let sql = "INSERT INTO shares (document_id, user_id, created_at, mark) VALUES (?, ?, ?, ?) \
                   ON CONFLICT DO NOTHING";
        let tx = db.begin().await?;
        bound.or_full(OF_ONE.check(&tx, document.id).await)?;
        tx.execute(
            sql,
            [
                document.id.into(),
                reader.id.into(),
                clock.now().into(),
                i64::from_be_bytes(random()).into(),
            ],
        )
        .await?;
        let what = format!("user {} may read it", reader.id);
        tx.record(&log, about(&document, &what)).await?;
        tx.commit().await?;
    }
    back(&document, Message::new("done-shared"))
}

/// `POST /documents/{id}/shares/{user}/end`
pub(crate) async fn end(
    db: Db,
    log: Log,
    document: Scoped<Mine>,
    Path((_, reader)): Path<(i64, i64)>,
    form: Form<RemoveShare>,
) -> dewar::Result<Redirect> {
    let shown = form.or_reject()?;
    let key = (document.id, reader);
    let Some(share) = share::Entity::find_by_id(key).one(&db).await? else {
        return back(&document, Message::new("done-unshared"));
    };
    shown.version.check(&share)?;
    let sql = "DELETE FROM shares WHERE document_id = ? AND user_id = ? AND mark = ?";
    let values = [document.id.into(), reader.into(), share.mark.into()];
    let tx = db.begin().await?;
    if tx.execute(sql, values).await? > 0 {
        let what = format!("user {reader} may no longer read it by sharing");
        tx.record(&log, about(&document, &what)).await?;
    }
    tx.commit().await?;
    back(&document, Message::new("done-unshared"))
}

fn about(document: &document::Model, what: &str) -> Entry {
    Entry::new(Event::PrivilegePermissionsChanged)
        .actor(document.owner_id)
        .subject(format_args!("document {}", document.id))
        .detail(what)
}

fn back(document: &document::Model, text: Message) -> dewar::Result<Redirect> {
    Ok(Redirect::to_path(format!("/documents/{}", document.id))?.flash(text))
}
