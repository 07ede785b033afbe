//! Documents for programs. The access rules, the forms and the statements are those of the pages.

use dewar::audit::{Clock, Log};
use dewar::forms::{Choice, CleanHtml, Int, Line};
use dewar::live::Live;
use dewar::pages::{Created, Json, JsonSchema, Message};
use dewar::roles::Scoped;
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Form, Query, Uploads};
use serde::Serialize;

use super::document::Model;
use super::edit::{DocumentTexts, rewrite};
use super::filter::DocumentFilter;
use super::list::{DocumentLine, page_of, words};
use super::new::{DESCRIPTION, NewDocument, Tags, hand_in};
use super::{DocumentStatus, Mine, Readable};

/// Where the documents are.
const PATH: &str = "/api/documents";

/// A page of documents.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentPage {
    documents: Vec<DocumentLine>,
    /// The address of the page before.
    previous: Option<String>,
    /// The address of the next page.
    next: Option<String>,
}

/// A document.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentRecord {
    id: i64,
    title: String,
    status: Choice<DocumentStatus>,
    /// The kind of its file, recognised by its content.
    kind: String,
    /// The bytes of its file.
    size: i64,
    /// Seconds since 1970.
    created_at: i64,
    owner: String,
    tags: Vec<String>,
    description: CleanHtml<DESCRIPTION>,
    /// The number of changes. A change names the version that it is about.
    version: i64,
}

impl DocumentRecord {
    async fn of(document: &Model, db: &Db) -> dewar::Result<Self> {
        let sql = "SELECT u.name, (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = ?1) \
                   FROM dewar_users u WHERE u.id = ?2";
        let rows = db
            .query(sql, [document.id.into(), document.owner_id.into()])
            .await?;
        let row = rows.first().ok_or_else(dewar::Error::not_found)?;
        let tags: Option<String> = row.get(1)?;
        Ok(Self {
            id: document.id,
            title: document.title.clone(),
            status: Choice::new(document.status),
            kind: document.kind.clone(),
            size: document.size,
            created_at: document.created_at,
            owner: row.get(0)?,
            tags: tags.map_or_else(Vec::new, |tags| words(&tags)),
            // Cleaned again, because HTML from the database is not trusted.
            description: CleanHtml::clean(&document.description_html),
            version: document.version,
        })
    }
}

/// `GET /api/documents`
pub(crate) async fn list(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    Query(filter): Query<DocumentFilter>,
) -> dewar::Result<Json<DocumentPage>> {
    let page = page_of(&caller, &db, &keys, &filter, PATH).await?;
    Ok(Json(DocumentPage {
        documents: page.documents,
        previous: page.previous,
        next: page.next,
    }))
}

/// `GET /api/documents/{id}`
pub(crate) async fn show(
    document: Scoped<Readable>,
    db: Db,
) -> dewar::Result<Json<DocumentRecord>> {
    Ok(Json(DocumentRecord::of(&document, &db).await?))
}

/// `POST /api/documents`
pub(crate) async fn create(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    uploads: Uploads,
    live: Live,
    form: Form<NewDocument>,
) -> dewar::Result<Created<DocumentRecord>> {
    let (new, bound) = form.bind_or_reject()?;
    let (id, _) = hand_in(&caller, (&db, &live), &clock, &uploads, new, bound).await?;
    let document = super::document::load(&db, id).await?;
    let record = DocumentRecord::of(&document, &db).await?;
    Created::at_path(format!("{PATH}/{id}"), record)
}

/// The texts of a document, and the version that they replace.
#[derive(Form, Debug)]
pub(crate) struct NewTexts {
    version: Int<1, 9_007_199_254_740_991>,
    title: Line<120>,
    description: Option<CleanHtml<DESCRIPTION>>,
    tags: Option<Tags>,
}

/// `POST /api/documents/{id}`
pub(crate) async fn change(
    db: Db,
    clock: Clock,
    log: Log,
    live: Live,
    document: Scoped<Mine>,
    form: Form<NewTexts>,
) -> dewar::Result<Json<DocumentRecord>> {
    let (new, bound) = form.bind_or_reject()?;
    let changed = || bound.clone().conflict(Message::new("undone-changed"));
    if new.version.get() != document.version {
        return Err(changed());
    }
    let texts = DocumentTexts {
        title: new.title,
        description: new.description,
        tags: new.tags,
    };
    if !rewrite((&db, &live), &clock, &log, &document, texts).await? {
        return Err(changed());
    }
    let document = super::document::load(&db, document.id).await?;
    Ok(Json(DocumentRecord::of(&document, &db).await?))
}
