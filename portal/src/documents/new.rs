//! Handing a document in.

use std::collections::BTreeSet;

use dewar::audit::Clock;
use dewar::database::{Quota, Tx, fold};
use dewar::forms::{BoundForm, CleanHtml, Field, FieldKind, FormValue, Line, Problem, RawValue};
use dewar::live::Live;
use dewar::pages::{Json, Message};
use dewar::uploads::{DirectUpload, Document, MIB, PendingFile, TicketRequest, UploadTicket};
use dewar::{CurrentUser, Db, Form, Page, Redirect, Uploads};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use super::document::{self, DocumentStatus};
use super::{search, tags};
use crate::reviews::QUEUE_CHANGED;

/// The most characters of a description.
pub(super) const DESCRIPTION: usize = 20_000;

/// The most bytes of a document.
const LARGEST: u64 = 20 * MIB;

/// The most documents of one owner.
const OF_ONE: Quota = Quota::new("documents", "owner_id", 1_000);

/// The form of a new document.
#[derive(Form, Debug)]
pub(crate) struct NewDocument {
    title: Line<120>,
    #[field(
        hint = "What is in it, and for whom. Paragraphs, lists, links and emphasis may be written as HTML."
    )]
    description: Option<CleanHtml<DESCRIPTION>>,
    #[field(hint = "Up to eight short words, with commas or blanks between them.")]
    tags: Option<Tags>,
    #[field(tickets = "/documents/tickets")]
    file: DirectUpload<Document, LARGEST>,
}

/// A line of tags.
#[derive(Debug)]
pub(crate) struct Tags(pub(super) BTreeSet<String>);

impl Field for Tags {
    const KIND: FieldKind = FieldKind::line(300);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        tags::parse(&raw.line(300)?)
            .map(Self)
            .map_err(|unfit| Problem::new(Message::from(unfit)))
    }

    fn show(&self) -> FormValue {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        FormValue::text(words.join(", "))
    }
}

/// `GET /documents/new`
pub(crate) async fn new() -> Page {
    Page::new("documents/new.html").form("form", NewDocument::view())
}

/// `POST /documents/tickets`
pub(crate) async fn ticket(
    caller: CurrentUser,
    uploads: Uploads,
    form: Form<TicketRequest>,
) -> dewar::Result<Json<UploadTicket>> {
    let (request, bound) = form.bind_or_reject()?;
    let ticket = uploads.ticket::<Document, LARGEST>(caller.id(), request);
    Ok(Json(bound.or_refuse(ticket.await, TicketRequest::SIZE)?))
}

/// `POST /documents`
pub(crate) async fn create(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    uploads: Uploads,
    live: Live,
    form: Form<NewDocument>,
) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind("documents/new.html")?;
    let (id, is_waiting) = hand_in(&caller, (&db, &live), &clock, &uploads, new, bound).await?;
    let done = Message::new(if is_waiting {
        "done-handed-in-waiting"
    } else {
        "done-handed-in"
    });
    Ok(Redirect::to_path(format!("/documents/{id}"))?.flash(done))
}

/// Keeps the file and adds the document: its id, and whether its file waits for the virus scan.
pub(super) async fn hand_in(
    caller: &CurrentUser,
    (db, live): (&Db, &Live),
    clock: &Clock,
    uploads: &Uploads,
    new: NewDocument,
    bound: BoundForm<NewDocument>,
) -> dewar::Result<(i64, bool)> {
    let received = uploads.receive(caller.id(), new.file).await;
    let received = bound.or_refuse(received, NewDocument::FILE)?;
    let kept = uploads.keep(caller.id(), received).await;
    let file = bound.or_refuse(kept, NewDocument::FILE)?;
    let now = clock.now();
    let tags = new.tags.map_or_else(BTreeSet::new, |tags| tags.0);
    let words = new
        .description
        .as_ref()
        .map_or_else(String::new, CleanHtml::words);
    let record = document::ActiveModel {
        owner_id: Set(caller.id().get()),
        title_key: Set(fold(new.title.as_str())),
        title: Set(new.title.to_string()),
        kind: Set(file.kind().to_string()),
        size: Set(i64::try_from(file.size()).map_err(dewar::Error::internal)?),
        status: Set(DocumentStatus::Pending),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        description_html: Set(new
            .description
            .map_or_else(String::new, |html| html.as_str().to_owned())),
        ..Default::default()
    };
    let tx = db.begin().await?;
    bound.or_full(OF_ONE.check(&tx, caller.id().get()).await)?;
    let is_waiting = file.is_waiting();
    let id = write(tx, live, file, record, (&words, &tags)).await?;
    Ok((id, is_waiting))
}

/// The file, the document, its tags and its words: all or none.
async fn write(
    tx: Tx,
    live: &Live,
    file: PendingFile,
    mut record: document::ActiveModel,
    (words, tags): (&str, &BTreeSet<String>),
) -> dewar::Result<i64> {
    record.file_id = Set(file.commit_in(&tx).await?.into());
    let title = record.title.clone().take().unwrap_or_default();
    let id = document::Entity::insert(record)
        .exec(&tx)
        .await?
        .last_insert_id;
    write_tags(&tx, id, tags).await?;
    search::put(&tx, id, &title, words, tags).await?;
    live.publish_in(&tx, &QUEUE_CHANGED, &id).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives a document that has none these tags.
pub(super) async fn write_tags(tx: &Tx, id: i64, tags: &BTreeSet<String>) -> dewar::Result {
    for tag in tags {
        tx.execute(
            "INSERT INTO document_tags (document_id, tag) VALUES (?, ?)",
            [id.into(), tag.as_str().into()],
        )
        .await?;
    }
    Ok(())
}
