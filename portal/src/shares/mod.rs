//! Sharing: an owner lets named members read a document before it is approved.

pub(crate) mod share;

use dewar::accounts::{Accounts, User};
use dewar::audit::{Clock, Entry, Event, Log};
use dewar::forms::{Email, Path};
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::{Db, Form, Page, Redirect};
use serde::Serialize;

use crate::documents::{DocumentView, Mine, document};

/// Whom to share with.
#[derive(Form, Debug)]
pub(crate) struct NewShare {
    #[field(label = "E-mail address of a member")]
    email: Email,
}

/// Somebody whom a document is shared with.
#[derive(Debug, Serialize)]
pub(crate) struct Reader {
    id: i64,
    name: String,
}

/// Whom a document of the caller's is shared with.
pub(crate) async fn readers(document: &document::Model, db: &Db) -> dewar::Result<Vec<Reader>> {
    let sql = "SELECT u.id, u.name FROM shares s JOIN dewar_users u ON u.id = s.user_id \
               WHERE s.document_id = ? ORDER BY u.name COLLATE NOCASE";
    let rows = db.query(sql, [document.id.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Reader {
                id: row.get(0)?,
                name: row.get(1)?,
            })
        })
        .collect()
}

/// `POST /documents/{id}/shares`
///
/// The flash is the same whether somebody has that address or not, so that it cannot be used to ask who is a member;
/// the list on the owner's own page shows whom it is shared with.
pub(crate) async fn create(
    db: Db,
    clock: Clock,
    log: Log,
    accounts: Accounts,
    document: Scoped<Mine>,
    form: Form<NewShare>,
) -> dewar::Result<Redirect> {
    let page =
        Page::new("shares/new.html").with("document", DocumentView::of(&document, &db).await?);
    let new = form.or_show(page)?;
    let found = accounts
        .find_by_email(new.email.as_str())
        .await?
        .filter(User::is_active);
    if let Some(reader) = found.filter(|reader| reader.id.get() != document.owner_id) {
        let sql = "INSERT INTO shares (document_id, user_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        db.execute(
            sql,
            [document.id.into(), reader.id.into(), clock.now().into()],
        )
        .await?;
        log.record(
            Entry::new(Event::PrivilegePermissionsChanged)
                .actor(document.owner_id)
                .subject(format_args!("document {}", document.id))
                .detail(format_args!("user {} may read it", reader.id)),
        );
    }
    back(&document, Message::new("done-shared"))
}

/// `POST /documents/{id}/shares/{user}/end`
pub(crate) async fn end(
    db: Db,
    log: Log,
    document: Scoped<Mine>,
    Path((_, reader)): Path<(i64, i64)>,
) -> dewar::Result<Redirect> {
    let sql = "DELETE FROM shares WHERE document_id = ? AND user_id = ?";
    if db.execute(sql, [document.id.into(), reader.into()]).await? > 0 {
        log.record(
            Entry::new(Event::PrivilegePermissionsChanged)
                .actor(document.owner_id)
                .subject(format_args!("document {}", document.id))
                .detail(format_args!(
                    "user {reader} may no longer read it by sharing"
                )),
        );
    }
    back(&document, Message::new("done-unshared"))
}

fn back(document: &document::Model, text: Message) -> dewar::Result<Redirect> {
    Ok(Redirect::to_path(format!("/documents/{}", document.id))?.flash(text))
}
