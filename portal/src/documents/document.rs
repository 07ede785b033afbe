//! The model.

use dewar::Db;
use dewar::forms::{Choices, Record};
use dewar::uploads::{FileId, FileKind};
use sea_orm::entity::prelude::*;

/// The review status of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Choices)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub(crate) enum DocumentStatus {
    /// All members may read it.
    #[sea_orm(string_value = "approved")]
    Approved,
    /// It waits for a reviewer.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// A reviewer rejected it, with a reason.
    #[sea_orm(string_value = "rejected")]
    Rejected,
}

impl DocumentStatus {
    /// The status as a word, in the database and in addresses.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) owner_id: i64,
    pub(crate) title: String,
    pub(crate) file_id: String,
    pub(crate) kind: String,
    pub(crate) size: i64,
    pub(crate) status: DocumentStatus,
    pub(crate) review_reason: Option<String>,
    pub(crate) reviewer_id: Option<i64>,
    pub(crate) reviewed_at: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) description_html: String,
    /// The number of changes, so that nobody overwrites or approves what they have not seen.
    pub(crate) version: i64,
    /// The title as a sort key.
    pub(crate) title_key: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The document of this id, for a caller who has just written it.
pub(super) async fn load(db: &Db, id: i64) -> dewar::Result<Model> {
    let found = Entity::find_by_id(id).one(db).await?;
    found.ok_or_else(dewar::Error::not_found)
}

impl Model {
    /// The document's file.
    pub(crate) fn file(&self) -> dewar::Result<FileId> {
        self.file_id.parse().map_err(dewar::Error::internal)
    }
}

/// Whether there is a small picture of a file of this kind, as the database names it.
pub(super) fn has_thumbnail(kind: &str) -> bool {
    FileKind::all().any(|known| known.has_thumbnail() && known.to_string() == kind)
}

/// A document as its readers know it: its file, its tags and its texts, but not its status. A reviewer's decision does not stop a
/// reader who is writing about it.
#[derive(Debug)]
pub(crate) struct DocumentContent<'a> {
    pub(super) document: &'a Model,
    pub(super) tags: &'a [String],
}

impl Record for DocumentContent<'_> {
    fn facts(&self) -> Vec<String> {
        let Model {
            id,
            owner_id,
            title,
            file_id,
            created_at,
            description_html,
            ..
        } = self.document;
        let mut tags = self.tags.to_vec();
        tags.sort_unstable();
        let of_document = vec![
            "content of documents".to_owned(),
            id.to_string(),
            owner_id.to_string(),
            title.clone(),
            file_id.clone(),
            created_at.to_string(),
            description_html.clone(),
        ];
        of_document.into_iter().chain(tags).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Model {
        Model {
            id: 1,
            owner_id: 2,
            title: "Plan".to_owned(),
            file_id: "a".repeat(32),
            kind: "PDF".to_owned(),
            size: 3,
            status: DocumentStatus::Pending,
            review_reason: None,
            reviewer_id: None,
            reviewed_at: None,
            created_at: 4,
            updated_at: 5,
            description_html: "<p>It.</p>".to_owned(),
            version: 6,
            title_key: "plan".to_owned(),
        }
    }

    fn content(document: &Model, tags: &[&str]) -> Vec<String> {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let tags = &tags;
        DocumentContent { document, tags }.facts()
    }

    /// A reader who saw one file does not decide about, or write about, another one.
    ///
    /// ASVS: V2.3.1, V8.2.2
    #[test]
    fn what_was_shown_is_no_longer_what_there_is_once_any_part_of_it_changed() {
        type Change = fn(&mut Model);
        let of_content: [(&str, Change); 6] = [
            ("id", |model| model.id = 9),
            ("owner_id", |model| model.owner_id = 9),
            ("title", |model| model.title = "Other".to_owned()),
            ("file_id", |model| model.file_id = "b".repeat(32)),
            ("created_at", |model| model.created_at = 9),
            ("description_html", |model| {
                model.description_html = String::new()
            }),
        ];
        let of_record: [(&str, Change); 3] = [
            ("size", |model| model.size = 9),
            ("status", |model| model.status = DocumentStatus::Approved),
            ("version", |model| model.version = 9),
        ];
        let before = document();
        for (what, change) in of_content.iter().chain(&of_record) {
            let mut after = document();
            change(&mut after);
            assert_ne!(before.facts(), after.facts(), "{what}");
        }
        for (what, change) in of_content {
            let mut after = document();
            change(&mut after);
            assert_ne!(content(&before, &[]), content(&after, &[]), "{what}");
        }
        // A different tag changes it.
        let tags = [vec![], vec!["a"], vec!["b"], vec!["a", "b"], vec!["a b"]];
        for (number, shown) in tags.iter().enumerate() {
            for other in tags.iter().skip(number + 1) {
                assert_ne!(content(&before, shown), content(&before, other));
            }
        }
        assert_eq!(content(&before, &["b", "a"]), content(&before, &["a", "b"]));
    }
}
