//! Handing a document in.

use std::collections::BTreeSet;

use dewar::audit::Clock;
use dewar::forms::{CleanHtml, Field, Kind, Line, Problem, Raw, Shown};
use dewar::pages::Message;
use dewar::uploads::{Document, MIB, Upload};
use dewar::{CurrentUser, Db, Form, Page, Redirect, Uploads};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;

use super::document::{self, Status};
use super::tags;

/// The most characters of a description.
pub(super) const DESCRIPTION: usize = 20_000;

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
    #[field(hint = "PDF, DOCX, ODT, TXT, CSV, PNG, JPEG or WebP, at most 20 MiB.")]
    file: Upload<Document, { 20 * MIB }>,
}

/// A line of tags.
#[derive(Debug)]
pub(crate) struct Tags(BTreeSet<String>);

impl Field for Tags {
    const KIND: Kind = Kind::line(300);

    fn parse(raw: Raw<'_>) -> Result<Self, Problem> {
        tags::parse(&raw.line(300)?)
            .map(Self)
            .map_err(|unfit| Problem::new(Message::from(unfit)))
    }

    fn show(&self) -> Shown {
        let words: Vec<&str> = self.0.iter().map(String::as_str).collect();
        Shown::text(words.join(", "))
    }
}

/// `GET /documents/new`
pub(crate) async fn new() -> Page {
    Page::new("documents/new.html").form("form", NewDocument::view())
}

/// `POST /documents`
pub(crate) async fn create(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    uploads: Uploads,
    form: Form<NewDocument>,
) -> dewar::Result<Redirect> {
    let (new, sheet) = form.sheet("documents/new.html")?;
    let file = match uploads.keep(caller.id(), new.file).await {
        Ok(file) => file,
        Err(error) => {
            return Err(error
                .problem()
                .map(|problem| sheet.refuse("file", problem))
                .unwrap_or(error.into()));
        }
    };
    let kept = uploads.find(&file).await?;
    let now = clock.now();
    let record = document::ActiveModel {
        owner_id: Set(caller.id().get()),
        title: Set(new.title.to_string()),
        file_id: Set(file.to_string()),
        kind: Set(kept.kind.to_string()),
        size: Set(i64::try_from(kept.size).map_err(dewar::Error::internal)?),
        status: Set(Status::Pending),
        created_at: Set(now),
        updated_at: Set(now),
        description_html: Set(new
            .description
            .map_or_else(String::new, |html| html.as_str().to_owned())),
        ..Default::default()
    };
    match write(&db, record, new.tags).await {
        Ok(id) => Ok(
            Redirect::to_path(format!("/documents/{id}"))?.flash(Message::new("done-handed-in"))
        ),
        Err(error) => {
            // A file that no document refers to would stay on the owner's quota.
            uploads.delete(&file).await?;
            Err(error)
        }
    }
}

/// The document and its tags, both or none.
async fn write(db: &Db, record: document::ActiveModel, tags: Option<Tags>) -> dewar::Result<i64> {
    let tx = db.begin().await?;
    let id = document::Entity::insert(record)
        .exec(&tx)
        .await?
        .last_insert_id;
    for tag in tags.into_iter().flat_map(|tags| tags.0) {
        tx.execute(
            "INSERT INTO document_tags (document_id, tag) VALUES (?, ?)",
            [id.into(), tag.into()],
        )
        .await?;
    }
    tx.commit().await?;
    Ok(id)
}
