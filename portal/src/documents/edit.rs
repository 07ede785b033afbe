//! Changes a document's texts: only its owner may, and a reviewer has to approve it again.

use std::collections::BTreeSet;

use dewar::audit::{Clock, Entry, Event, Log};
use dewar::database::fold;
use dewar::forms::{CleanHtml, Line, RecordVersion};
use dewar::live::Live;
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::{Db, Form, Page, Redirect};

use super::document::{self, DocumentStatus};
use super::new::{DESCRIPTION, Tags, write_tags};
use super::{DocumentView, Mine, search};
use crate::reviews::QUEUE_CHANGED;

/// The fields that can be changed. The file cannot, because somebody has read it.
#[derive(Form, Debug)]
pub(crate) struct Changes {
    /// The version that filled the page: it must not overwrite a later change.
    version: RecordVersion,
    title: Line<120>,
    #[field(
        hint = "Paragraphs, lists, links and emphasis may be written as HTML.",
        rows = 12
    )]
    description: Option<CleanHtml<DESCRIPTION>>,
    #[field(hint = "Up to eight short words, with commas or blanks between them.")]
    tags: Option<Tags>,
}

/// `GET /documents/{id}/edit`
pub(crate) async fn edit(document: Scoped<Mine>, db: Db) -> dewar::Result<Page> {
    let view = DocumentView::of(&document, &db).await?;
    let form = Changes::view()
        .fill(Changes::VERSION, RecordVersion::of(&*document))
        .fill(Changes::TITLE, &document.title)
        .fill(Changes::DESCRIPTION, &document.description_html)
        .fill(Changes::TAGS, view.tags().join(", "));
    Ok(Page::new("documents/edit.html")
        .with("document", view)
        .form("form", form))
}

/// `POST /documents/{id}/edit`
pub(crate) async fn change(
    db: Db,
    clock: Clock,
    log: Log,
    live: Live,
    document: Scoped<Mine>,
    form: Form<Changes>,
) -> dewar::Result<Redirect> {
    let page =
        Page::new("documents/edit.html").with("document", DocumentView::of(&document, &db).await?);
    let (new, bound) = form.bind(page)?;
    // Still bound to the version that the page showed when the form comes back: its fields do not show what was changed.
    let changed = Message::new("undone-changed");
    if new.version.check(&*document).is_err() {
        return Err(bound.conflict(changed));
    }
    let texts = DocumentTexts {
        title: new.title,
        description: new.description,
        tags: new.tags,
    };
    if !rewrite((&db, &live), &clock, &log, &document, texts).await? {
        return Err(bound.conflict(changed));
    }
    Ok(
        Redirect::to_path(format!("/documents/{}", document.id))?
            .flash(Message::new("done-edited")),
    )
}

/// The texts of a document, as its owner wrote them.
#[derive(Debug)]
pub(super) struct DocumentTexts {
    pub(super) title: Line<120>,
    pub(super) description: Option<CleanHtml<DESCRIPTION>>,
    pub(super) tags: Option<Tags>,
}

/// Writes the new texts. False if the document has changed since it was loaded.
pub(super) async fn rewrite(
    (db, live): (&Db, &Live),
    clock: &Clock,
    log: &Log,
    document: &document::Model,
    new: DocumentTexts,
) -> dewar::Result<bool> {
    let tags = new.tags.map_or_else(BTreeSet::new, |tags| tags.0);
    let words = new
        .description
        .as_ref()
        .map_or_else(String::new, CleanHtml::words);
    let html = new
        .description
        .map_or_else(String::new, |html| html.as_str().to_owned());
    let title = new.title.as_str();
    // A reviewer approved the text that they read, so a change has to be approved again.
    let sql = "UPDATE documents SET title = ?1, title_key = ?2, description_html = ?3, status = 'pending', \
               review_reason = NULL, reviewer_id = NULL, reviewed_at = NULL, updated_at = ?4, version = version + 1 \
               WHERE id = ?5 AND version = ?6";
    let values = [
        title.into(),
        fold(title).into(),
        html.into(),
        clock.now().into(),
        document.id.into(),
        document.version.into(),
    ];
    let tx = db.begin().await?;
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    tx.execute(
        "DELETE FROM document_tags WHERE document_id = ?",
        [document.id.into()],
    )
    .await?;
    write_tags(&tx, document.id, &tags).await?;
    search::put(&tx, document.id, title, &words, &tags).await?;
    if document.status != DocumentStatus::Pending {
        let entry = Entry::new(Event::SensitiveUpdate)
            .actor(document.owner_id)
            .subject(format_args!("document {}", document.id))
            .outcome(DocumentStatus::Pending.word())
            .detail(format_args!("changed, was {}", document.status.word()));
        tx.record(log, entry).await?;
    }
    live.publish_in(&tx, &QUEUE_CHANGED, &document.id).await?;
    tx.commit().await?;
    Ok(true)
}
