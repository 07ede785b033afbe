//! A document for its pages.

use dewar::Db;
use dewar::forms::CleanHtml;
use minijinja::Value;
use serde::Serialize;

use super::document::{DocumentContent, Model, has_thumbnail};
use super::list::words;
use super::new::DESCRIPTION;

#[derive(Debug, Serialize)]
pub(crate) struct DocumentView {
    id: i64,
    title: String,
    status: &'static str,
    kind: String,
    pictured: bool,
    size: i64,
    created_at: i64,
    description: Value,
    owner: String,
    tags: Vec<String>,
    reviewer: Option<String>,
    reviewed_at: Option<i64>,
    review_reason: Option<String>,
}

impl DocumentView {
    pub(super) fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The content of the document that this page shows.
    pub(crate) fn content<'a>(&'a self, document: &'a Model) -> DocumentContent<'a> {
        let tags = &self.tags;
        DocumentContent { document, tags }
    }

    /// The document with the names that belong to it.
    pub(crate) async fn of(document: &Model, db: &Db) -> dewar::Result<Self> {
        let sql = "SELECT o.name, r.name, (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = ?1) \
                   FROM dewar_users o LEFT JOIN dewar_users r ON r.id = ?3 WHERE o.id = ?2";
        let values = [
            document.id.into(),
            document.owner_id.into(),
            document.reviewer_id.into(),
        ];
        let rows = db.query(sql, values).await?;
        let row = rows.first().ok_or_else(dewar::Error::not_found)?;
        Ok(Self {
            id: document.id,
            title: document.title.clone(),
            status: document.status.word(),
            pictured: has_thumbnail(&document.kind),
            kind: document.kind.clone(),
            size: document.size,
            created_at: document.created_at,
            // Cleaned again, because HTML from the database is not trusted.
            description: CleanHtml::<DESCRIPTION>::clean(&document.description_html).to_value(),
            owner: row.get(0)?,
            reviewer: row.get(1)?,
            tags: row
                .get::<Option<String>>(2)?
                .map_or_else(Vec::new, |tags| words(&tags)),
            reviewed_at: document.reviewed_at,
            review_reason: document.review_reason.clone(),
        })
    }
}
