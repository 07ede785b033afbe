//! The search for words: a full-text index of the documents, and pages of what it finds.
//!
//! The best matches come first. A rank is a property of the whole result and no key of an index, so a page cannot begin at a rank
//! as it begins at a date. Instead, the result has a bound: at most [`FOUND`] documents, among those that the caller may see. All
//! its pages are cut from it, so the last one costs as much as the first.

use std::collections::BTreeSet;

use dewar::database::{SearchQuery, Sql, Tx};
use dewar::forms::{CleanHtml, Keyset};
use dewar::jobs::{Job, JobContext, JobError};
use dewar::pages::Position;
use dewar::{CurrentUser, Db, search_index};
use serde::{Deserialize, Serialize};

use super::filter::{DocumentFilter, DocumentOrder};
use super::list::{DocumentLine, SIZE, audience, listed, words};
use super::new::DESCRIPTION;

search_index! {
    /// The words of the documents: their titles, and their descriptions and tags.
    pub(crate) const DOCUMENTS: "documents";
}

/// The most documents of a result; a search for rarer words finds the others.
const FOUND: u32 = 1_000;

/// The key of a page: the document before it.
pub(super) const KEYSET: Keyset<i64> = Keyset::new("documents that a search found");

/// Writes the words of a document, in the transaction that writes the document.
pub(super) async fn put<'a>(
    tx: &Tx,
    id: i64,
    title: &str,
    description: &str,
    tags: impl IntoIterator<Item = &'a String>,
) -> dewar::Result {
    let mut body = description.to_owned();
    for tag in tags {
        body.extend(["\n", tag]);
    }
    Ok(DOCUMENTS.put(tx, id, title, &body).await?)
}

/// The documents that the caller may see, with a status and a tag; empty ones filter nothing. It is the rule of the list.
const READABLE: &str = "SELECT a.document_id AS id FROM document_audiences a WHERE a.audience IN (0, ?1) \
     AND ?2 IN ('', a.status) AND (?3 = '' OR EXISTS \
         (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = ?3))";

/// The sort keys of these documents.
const SORT_KEYS: Sql = Sql::new(
    "SELECT id, created_at, size, title_key FROM documents WHERE id IN (SELECT value FROM json_each(?))",
    "SELECT id, created_at, size, title_key FROM documents
        WHERE id IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(? AS json)))",
);

macro_rules! lines {
    ($ids:literal) => {
        concat!(
            "SELECT a.created_at, a.document_id, d.title, a.status, d.kind, a.size, a.created_at, \
             (SELECT u.name FROM dewar_users u WHERE u.id = d.owner_id), \
             (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = a.document_id) \
             FROM document_audiences a JOIN documents d ON d.id = a.document_id \
             WHERE a.audience IN (0, ?1) AND a.document_id IN (",
            $ids,
            ")"
        )
    };
}

/// The lines of a page. It has the rule of the list again, because a document may have changed since it was found.
const LINES: Sql = Sql::new(
    lines!("SELECT value FROM json_each(?2)"),
    lines!("SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(?2 AS json))"),
);

/// A page of what was found, and where its neighbours begin.
pub(super) struct FoundPage {
    pub(super) rows: Vec<DocumentLine>,
    pub(super) previous: Option<Position<i64>>,
    pub(super) next: Option<Position<i64>>,
}

/// A page of the documents that have the words of the filter.
pub(super) async fn page(
    caller: &CurrentUser,
    db: &Db,
    filter: &DocumentFilter,
    place: Position<i64>,
) -> dewar::Result<FoundPage> {
    let among = [
        audience(caller).into(),
        filter.status().into(),
        filter.tag().into(),
    ];
    let query = SearchQuery::parse(filter.text());
    let found = DOCUMENTS.find_among(db, &query, READABLE, among, FOUND);
    let found = sorted(db, found.await?, filter.sort()).await?;
    let (begin, end) = bounds(&found, place);
    let shown = found.get(begin..end).unwrap_or_default();
    let values = [audience(caller).into(), ids(shown)?.into()];
    let rows = db.query(LINES, values).await?;
    let rows = rows.iter().map(|row| listed(row, DocumentOrder::Newest));
    let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
    rows.sort_by_key(|row| shown.iter().position(|id| *id == row.id));
    let before = begin.checked_sub(1).and_then(|_| shown.first());
    let after = found.get(end).and_then(|_| shown.last());
    Ok(FoundPage {
        rows,
        previous: before.copied().map(Position::Before),
        next: after.copied().map(Position::After),
    })
}

/// The part of the result that a page shows. A page whose neighbour is no longer found is the first one.
fn bounds(found: &[i64], place: Position<i64>) -> (usize, usize) {
    let of = |id| found.iter().position(|found| *found == id);
    let begin = match place {
        Position::Start => 0,
        Position::After(id) => of(id).map_or(0, |at| at + 1),
        Position::Before(id) => of(id).map_or(0, |at| at.saturating_sub(SIZE)),
    };
    let begin = if begin < found.len() { begin } else { 0 };
    (begin, found.len().min(begin + SIZE))
}

/// The documents that were found, in the order that was asked for.
async fn sorted(db: &Db, found: Vec<i64>, order: DocumentOrder) -> dewar::Result<Vec<i64>> {
    if order == DocumentOrder::Best {
        return Ok(found);
    }
    let rows = db.query(SORT_KEYS, [ids(&found)?.into()]).await?;
    let mut keys: Vec<(i64, i64, i64, String)> = Vec::with_capacity(rows.len());
    for row in &rows {
        keys.push((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    }
    keys.sort_by(|one, other| match order {
        DocumentOrder::Best | DocumentOrder::Newest => (other.1, other.0).cmp(&(one.1, one.0)),
        DocumentOrder::Largest => (other.2, other.0).cmp(&(one.2, one.0)),
        DocumentOrder::Oldest => (one.1, one.0).cmp(&(other.1, other.0)),
        DocumentOrder::Title => (&one.3, one.0).cmp(&(&other.3, other.0)),
    });
    Ok(keys.into_iter().map(|key| key.0).collect())
}

fn ids(ids: &[i64]) -> dewar::Result<String> {
    serde_json::to_string(ids).map_err(dewar::Error::internal)
}

/// Writes the words of documents that were handed in before there was an index.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IndexDocuments;

impl Job for IndexDocuments {
    const NAME: &'static str = "index-documents";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let db = context.db();
        // Two counts are cheap, and to look for the missing ones reads all.
        let counts =
            "SELECT (SELECT count(*) FROM documents_search) < (SELECT count(*) FROM documents)";
        let rows = db.query(counts, []).await?;
        if !rows.first().map_or(Ok(false), |row| row.get(0))? {
            return Ok(());
        }
        loop {
            let missing = DOCUMENTS.missing(db, 100).await?;
            if missing.is_empty() {
                return Ok(());
            }
            let tx = db.begin().await?;
            for id in missing {
                index(&tx, id).await?;
            }
            tx.commit().await?;
        }
    }
}

async fn index(tx: &Tx, id: i64) -> Result<(), JobError> {
    let find = "SELECT title, description_html, \
                (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = d.id) FROM documents d WHERE d.id = ?";
    let rows = tx.query(find, [id.into()]).await?;
    // Somebody may have deleted it meanwhile.
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let (title, html): (String, String) = (row.get(0)?, row.get(1)?);
    let tags: BTreeSet<String> = row
        .get::<Option<String>>(2)?
        .map_or_else(BTreeSet::new, |tags| words(&tags).into_iter().collect());
    let description = CleanHtml::<DESCRIPTION>::clean(&html).words();
    put(tx, id, &title, &description, &tags).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_from_the_result() {
        let found: Vec<i64> = (100..145).collect();
        for (place, right) in [
            (Position::Start, (0, 20)),
            (Position::After(119), (20, 40)),
            (Position::After(139), (40, 45)),
            (Position::Before(140), (20, 40)),
            (Position::Before(105), (0, 20)),
            // It is not found any more, or was the last one.
            (Position::After(7), (0, 20)),
            (Position::After(144), (0, 20)),
            (Position::Before(7), (0, 20)),
        ] {
            assert_eq!(bounds(&found, place), right, "{place:?}");
        }
        assert_eq!(bounds(&[], Position::Start), (0, 0));
    }
}
