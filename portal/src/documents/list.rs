//! The list: one query, and the most requested page.
//!
//! Its SQL is a literal, which is prepared once, because this page is the portal's busiest. A test checks that it reaches the
//! same documents as [`Readable`](super::Readable).

use dewar::database::{Row, Sql};
use dewar::forms::Keyset;
use dewar::pages::{JsonSchema, PageData, Paged, Position, TypedPage};
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Query};
use sea_orm::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::document::has_thumbnail;
use super::filter::{DocumentFilter, DocumentOrder, FilterView};
use super::search;
use crate::Role;

/// The number of documents on a page.
pub(super) const SIZE: usize = 20;

/// A search for a tag alone reads so many documents for one page. The page may then be short, and its link to the next one continues
/// where it ended. No index of an order has the tags, and a search without results would read every document.
const LOOKED_AT: i64 = 2_000;

/// Documents of one status that an audience may see, after a key: an index of `document_audiences` returns them in order. ?1 is a
/// status, ?2 a tag, and empty ones filter nothing; ?3 is the reader, ?4 and ?5 are the key, ?6 and ?7 the key at which the search
/// for a tag ends. All three are merged while they are read, so the query never reads more rows than it shows, however
/// many there are.
macro_rules! of_status {
    ($key:literal, $audience:literal, $status:literal, $beyond:literal, $within:literal) => {
        concat!(
            "SELECT a.", $key, ", a.document_id, d.title, a.status, d.kind, a.size, a.created_at, \
             (SELECT u.name FROM dewar_users u WHERE u.id = d.owner_id), \
             (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = a.document_id) \
             FROM document_audiences a LEFT JOIN documents d ON d.id = a.document_id \
             WHERE a.audience = ", $audience, " AND a.status = '", $status, "' AND ?1 IN ('', '", $status, "') \
             AND (a.", $key, ", a.document_id) ", $beyond, " (?4, ?5) \
             AND (a.", $key, ", a.document_id) ", $within, " (?6, ?7) \
             AND (?2 = '' OR EXISTS \
                 (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = ?2))",
        )
    };
}

/// A page in an order. All members see approved documents (audience 0); only its readers see one that is not approved.
macro_rules! page {
    ($key:literal, $beyond:literal, $within:literal, $order:literal) => {
        concat!(
            of_status!($key, "0", "approved", $beyond, $within),
            " UNION ALL ",
            of_status!($key, "?3", "pending", $beyond, $within),
            " UNION ALL ",
            of_status!($key, "?3", "rejected", $beyond, $within),
            " ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 21"
        )
    };
}

/// The keys of the documents of one status, whether they match or not: ?1 is a status, ?2 the reader, ?3 and ?4 are the key.
macro_rules! keys_of_status {
    ($key:literal, $audience:literal, $status:literal, $beyond:literal) => {
        concat!(
            "SELECT a.",
            $key,
            ", a.document_id FROM document_audiences a WHERE a.audience = ",
            $audience,
            " AND a.status = '",
            $status,
            "' AND ?1 IN ('', '",
            $status,
            "') AND (a.",
            $key,
            ", a.document_id) ",
            $beyond,
            " (?3, ?4)"
        )
    };
}

/// The key at which a search ends: that of the last document that it reads.
macro_rules! end {
    ($key:literal, $beyond:literal, $order:literal) => {
        concat!(
            keys_of_status!($key, "0", "approved", $beyond),
            " UNION ALL ",
            keys_of_status!($key, "?2", "pending", $beyond),
            " UNION ALL ",
            keys_of_status!($key, "?2", "rejected", $beyond),
            " ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 1 OFFSET ?5"
        )
    };
}

/// The same for PostgreSQL, which merges branches that are in order and have a limit each; without, it reads and sorts all rows.
macro_rules! of_status_on_server {
    ($key:literal, $audience:literal, $status:literal, $beyond:literal, $within:literal, $order:literal) => {
        concat!(
            "(SELECT a.", $key, " AS key, a.document_id AS id, a.status, a.size, a.created_at FROM document_audiences a \
             WHERE a.audience = ", $audience, " AND a.status = '", $status, "' AND ?1 IN ('', '", $status, "') \
             AND (a.", $key, ", a.document_id) ", $beyond, " (?4, ?5) \
             AND (a.", $key, ", a.document_id) ", $within, " (?6, ?7) \
             AND (?2 = '' OR EXISTS \
                 (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = ?2)) \
             ORDER BY a.", $key, " ", $order, ", a.document_id ", $order, " LIMIT 21)",
        )
    };
}

macro_rules! page_on_server {
    ($key:literal, $beyond:literal, $within:literal, $order:literal) => {
        concat!(
            "SELECT p.key, p.id, d.title, p.status, d.kind, p.size, p.created_at, \
             (SELECT u.name FROM dewar_users u WHERE u.id = d.owner_id), \
             (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = p.id) FROM (",
            of_status_on_server!($key, "0", "approved", $beyond, $within, $order),
            " UNION ALL ",
            of_status_on_server!($key, "?3", "pending", $beyond, $within, $order),
            " UNION ALL ",
            of_status_on_server!($key, "?3", "rejected", $beyond, $within, $order),
            ") p LEFT JOIN documents d ON d.id = p.id ORDER BY 1 ", $order, ", 2 ", $order, " LIMIT 21"
        )
    };
}

/// The branches end where the search does, so that each is in order and has a limit.
macro_rules! end_on_server {
    ($key:literal, $beyond:literal, $order:literal) => {
        concat!(
            "(",
            keys_of_status!($key, "0", "approved", $beyond),
            " ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 2000) UNION ALL (",
            keys_of_status!($key, "?2", "pending", $beyond),
            " ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 2000) UNION ALL (",
            keys_of_status!($key, "?2", "rejected", $beyond),
            " ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 2000) ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 1 OFFSET ?5"
        )
    };
}

/// The statements for one direction.
struct Statements {
    page: Sql,
    end: Sql,
}

macro_rules! ascending {
    ($key:literal) => {
        Statements {
            page: Sql::new(
                page!($key, ">", "<=", "ASC"),
                page_on_server!($key, ">", "<=", "ASC"),
            ),
            end: Sql::new(end!($key, ">", "ASC"), end_on_server!($key, ">", "ASC")),
        }
    };
}

macro_rules! descending {
    ($key:literal) => {
        Statements {
            page: Sql::new(
                page!($key, "<", ">=", "DESC"),
                page_on_server!($key, "<", ">=", "DESC"),
            ),
            end: Sql::new(end!($key, "<", "DESC"), end_on_server!($key, "<", "DESC")),
        }
    };
}

/// Whether an order is ascending.
const fn is_ascending(sort: DocumentOrder) -> bool {
    matches!(sort, DocumentOrder::Oldest | DocumentOrder::Title)
}

/// The statements for ascending or descending order.
const fn statements(sort: DocumentOrder, ascending: bool) -> Statements {
    match (sort, ascending) {
        (DocumentOrder::Largest, true) => ascending!("size"),
        (DocumentOrder::Largest, false) => descending!("size"),
        (DocumentOrder::Best | DocumentOrder::Newest | DocumentOrder::Oldest, true) => {
            ascending!("created_at")
        }
        (DocumentOrder::Best | DocumentOrder::Newest | DocumentOrder::Oldest, false) => {
            descending!("created_at")
        }
        (DocumentOrder::Title, true) => ascending!("title_key"),
        (DocumentOrder::Title, false) => descending!("title_key"),
    }
}

const LARGEST: Keyset<(SortKey, i64)> = Keyset::new("documents, the largest first");
const NEWEST: Keyset<(SortKey, i64)> = Keyset::new("documents, the newest first");
const OLDEST: Keyset<(SortKey, i64)> = Keyset::new("documents, the oldest first");
const TITLES: Keyset<(SortKey, i64)> = Keyset::new("documents, by title");

/// The keyset of each order, so that the cursor of one order is not valid in another.
const fn keyset(sort: DocumentOrder) -> Keyset<(SortKey, i64)> {
    match sort {
        DocumentOrder::Largest => LARGEST,
        DocumentOrder::Best | DocumentOrder::Newest => NEWEST,
        DocumentOrder::Oldest => OLDEST,
        DocumentOrder::Title => TITLES,
    }
}

/// The sort key of a list.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
#[serde(untagged)]
enum SortKey {
    Number(i64),
    Text(String),
}

impl From<SortKey> for Value {
    fn from(key: SortKey) -> Self {
        match key {
            SortKey::Number(number) => number.into(),
            SortKey::Text(text) => text.into(),
        }
    }
}

/// The key before all others.
const fn first(sort: DocumentOrder) -> (SortKey, i64) {
    match sort {
        DocumentOrder::Best | DocumentOrder::Largest | DocumentOrder::Newest => {
            (SortKey::Number(i64::MAX), i64::MAX)
        }
        DocumentOrder::Oldest => (SortKey::Number(i64::MIN), i64::MIN),
        DocumentOrder::Title => (SortKey::Text(String::new()), i64::MIN),
    }
}

/// The last key in reading order. SQLite sorts bytes after every text.
fn last(sort: DocumentOrder, ascending: bool) -> (Value, i64) {
    match (sort, ascending) {
        (DocumentOrder::Title, true) => (char::MAX.to_string().into(), i64::MAX),
        (DocumentOrder::Title, false) => (String::new().into(), i64::MIN),
        (
            DocumentOrder::Best
            | DocumentOrder::Largest
            | DocumentOrder::Newest
            | DocumentOrder::Oldest,
            true,
        ) => (i64::MAX.into(), i64::MAX),
        (
            DocumentOrder::Best
            | DocumentOrder::Largest
            | DocumentOrder::Newest
            | DocumentOrder::Oldest,
            false,
        ) => (i64::MIN.into(), i64::MIN),
    }
}

/// A line of the list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct DocumentLine {
    pub(super) id: i64,
    title: String,
    status: String,
    kind: String,
    pictured: bool,
    size: i64,
    created_at: i64,
    owner: String,
    tags: Vec<String>,
    #[serde(skip)]
    key: SortKey,
}

/// The page of the list.
#[derive(PageData)]
#[page(template = "documents/list.html")]
pub(crate) struct DocumentList {
    filter: FilterView,
    previous: Option<String>,
    next: Option<String>,
    documents: Vec<DocumentLine>,
}

/// `GET /documents`
pub(crate) async fn list(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    Query(filter): Query<DocumentFilter>,
) -> dewar::Result<TypedPage<DocumentList>> {
    let page = page_of(&caller, &db, &keys, &filter, "/documents").await?;
    Ok(TypedPage(DocumentList {
        filter: filter.shown(),
        previous: page.previous,
        next: page.next,
        documents: page.documents,
    }))
}

/// A page of the list, and the addresses of its neighbours.
pub(super) struct ListedPage {
    pub(super) documents: Vec<DocumentLine>,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
}

/// The page that a query asks for, of the list at this path.
pub(super) async fn page_of(
    caller: &CurrentUser,
    db: &Db,
    keys: &KeyRing,
    filter: &DocumentFilter,
    path: &str,
) -> dewar::Result<ListedPage> {
    if filter.has_words() {
        let place = search::KEYSET.open(keys, filter.place())?;
        let page = search::page(caller, db, filter, place).await?;
        let to = |at| address(&search::KEYSET, keys, filter, path, at);
        return Ok(ListedPage {
            previous: to(page.previous)?,
            next: to(page.next)?,
            documents: page.rows,
        });
    }
    let keyset = keyset(filter.sort());
    let place = keyset.open(keys, filter.place())?;
    let page = if filter.has_tag() {
        tagged(caller, db, filter, place).await?
    } else {
        let page = Paged::read(place, SIZE, |at| rows(caller, db, filter, at)).await?;
        Shown {
            previous: page.previous(DocumentLine::key).map(Position::Before),
            next: page.next(DocumentLine::key).map(Position::After),
            rows: page.rows,
        }
    };
    let to = |at| address(&keyset, keys, filter, path, at);
    Ok(ListedPage {
        previous: to(page.previous)?,
        next: to(page.next)?,
        documents: page.rows,
    })
}

/// The address of a neighbour of a page.
fn address<K: Serialize + DeserializeOwned>(
    keyset: &Keyset<K>,
    keys: &KeyRing,
    filter: &DocumentFilter,
    path: &str,
    at: Option<Position<K>>,
) -> dewar::Result<Option<String>> {
    let cursor = at.map(|at| keyset.seal(keys, &at)).transpose()?;
    Ok(cursor.map(|cursor| filter.address(path, &cursor)))
}

/// A page, and where its neighbours begin.
struct Shown {
    rows: Vec<DocumentLine>,
    previous: Option<Position<(SortKey, i64)>>,
    next: Option<Position<(SortKey, i64)>>,
}

/// The rows of one query, and the key at which it ended although there are more.
struct PageRows {
    rows: Vec<DocumentLine>,
    end: Option<(SortKey, i64)>,
}

impl PageRows {
    /// At most a page of them, and where the rest begins, in the direction of reading.
    fn page(mut self) -> (Vec<DocumentLine>, Option<(SortKey, i64)>) {
        let has_more = self.rows.len() > SIZE;
        self.rows.truncate(SIZE);
        let last = self.rows.last().filter(|_| has_more).map(DocumentLine::key);
        (self.rows, last.or(self.end))
    }
}

/// A page of the documents with a tag. It may be short or empty, and still have a next page.
async fn tagged(
    caller: &CurrentUser,
    db: &Db,
    filter: &DocumentFilter,
    mut place: Position<(SortKey, i64)>,
) -> dewar::Result<Shown> {
    let found = find(caller, db, filter, place.clone()).await?;
    let (mut rows, mut rest) = found.page();
    if place.is_backwards() && rest.is_none() {
        // Reading backwards reached the beginning, so the page is read again from there and is full.
        place = Position::Start;
        let found = find(caller, db, filter, Position::Start).await?;
        (rows, rest) = found.page();
    }
    // An empty page continues one step from its own key: the row with that key is on the other page.
    let itself = |(key, id): (SortKey, i64), step: i64| (key, id.saturating_add(step));
    let step = if is_ascending(filter.sort()) { 1 } else { -1 };
    Ok(match place {
        Position::Start => Shown {
            previous: None,
            next: rest.map(Position::After),
            rows,
        },
        Position::After(key) => Shown {
            previous: Some(Position::Before(
                rows.first()
                    .map_or_else(|| itself(key, step), DocumentLine::key),
            )),
            next: rest.map(Position::After),
            rows,
        },
        Position::Before(key) => {
            rows.reverse();
            Shown {
                previous: rest.map(Position::Before),
                next: Some(Position::After(
                    rows.last()
                        .map_or_else(|| itself(key, -step), DocumentLine::key),
                )),
                rows,
            }
        }
    })
}

async fn rows(
    caller: &CurrentUser,
    db: &Db,
    filter: &DocumentFilter,
    at: Position<(SortKey, i64)>,
) -> dewar::Result<Vec<DocumentLine>> {
    Ok(find(caller, db, filter, at).await?.rows)
}

/// The audience of documents that are not for all members: that of all reviewers, or of one person.
pub(super) fn audience(caller: &CurrentUser) -> i64 {
    if Role::Reviewer.is_of(caller) {
        -1
    } else {
        caller.id().get()
    }
}

async fn find(
    caller: &CurrentUser,
    db: &Db,
    filter: &DocumentFilter,
    at: Position<(SortKey, i64)>,
) -> dewar::Result<PageRows> {
    let sort = filter.sort();
    let ascending = is_ascending(sort) != at.is_backwards();
    let statements = statements(sort, ascending);
    let (key, id) = match at {
        Position::Start => first(sort),
        Position::After(key) | Position::Before(key) => key,
    };
    let audience = audience(caller);
    let mut end = None;
    if filter.has_tag() {
        // The number of skipped rows is the program's own value.
        let values: [Value; 5] = [
            filter.status().into(),
            audience.into(),
            key.clone().into(),
            id.into(),
            (LOOKED_AT - 1).into(),
        ];
        let rows = db.query(statements.end, values).await?;
        end = rows.first().map(|row| key_of(row, sort)).transpose()?;
    }
    let (last_key, last_id) = match &end {
        Some((key, id)) => (key.clone().into(), *id),
        None => last(sort, ascending),
    };
    // Each is a bound value, so nothing in it becomes SQL.
    let values: [Value; 7] = [
        filter.status().into(),
        filter.tag().into(),
        audience.into(),
        key.into(),
        id.into(),
        last_key,
        last_id.into(),
    ];
    let rows = db.query(statements.page, values).await?;
    let rows = rows.iter().map(|row| listed(row, sort));
    Ok(PageRows {
        rows: rows.collect::<Result<_, _>>()?,
        end,
    })
}

/// The key at the beginning of a row.
fn key_of(row: &Row, sort: DocumentOrder) -> Result<(SortKey, i64), dewar::database::Error> {
    let key = match sort {
        DocumentOrder::Title => SortKey::Text(row.get(0)?),
        DocumentOrder::Best
        | DocumentOrder::Largest
        | DocumentOrder::Newest
        | DocumentOrder::Oldest => SortKey::Number(row.get(0)?),
    };
    Ok((key, row.get(1)?))
}

impl DocumentLine {
    fn key(&self) -> (SortKey, i64) {
        (self.key.clone(), self.id)
    }
}

pub(super) fn listed(
    row: &Row,
    sort: DocumentOrder,
) -> Result<DocumentLine, dewar::database::Error> {
    let (key, id) = key_of(row, sort)?;
    let kind: String = row.get(4)?;
    Ok(DocumentLine {
        key,
        id,
        title: row.get(2)?,
        status: row.get(3)?,
        pictured: has_thumbnail(&kind),
        kind,
        size: row.get(5)?,
        created_at: row.get(6)?,
        owner: row.get(7)?,
        tags: row
            .get::<Option<String>>(8)?
            .map_or_else(Vec::new, |tags| words(&tags)),
    })
}

pub(super) fn words(tags: &str) -> Vec<String> {
    tags.split(' ').map(str::to_owned).collect()
}
