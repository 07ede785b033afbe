//! The list: one query, and the page that most requests ask for.
//!
//! Its SQL is written out instead of built, because it is the portal's busiest: a literal is prepared once. That it
//! reaches the same documents as [`Readable`](super::Readable) is held by a test.

use dewar::database::{Row, fold};
use dewar::forms::Keyset;
use dewar::pages::{Paged, Position};
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Page, Query};
use sea_orm::Value;
use serde::Serialize;

use super::filter::{Filter, Sort};
use crate::Role;

/// How many documents stand on a page.
const SIZE: usize = 20;

/// Documents of one status that an audience sees, from a key on: an index of `document_audiences` gives them in order. ?1 is
/// a status, ?2 folded words, ?3 a tag, and empty ones ask for nothing; ?4 is who reads, ?5 and ?6 are the key. All three
/// together are merged as they are read, so that no more rows are read than are shown, however many there are; of a search,
/// until the page is full.
macro_rules! of_status {
    ($key:literal, $audience:literal, $status:literal, $beyond:literal) => {
        concat!(
            "SELECT a.", $key, ", a.document_id, d.title, a.status, d.kind, a.size, a.created_at, \
             (SELECT u.name FROM dewar_users u WHERE u.id = d.owner_id), \
             (SELECT group_concat(t.tag, ' ') FROM document_tags t WHERE t.document_id = a.document_id) \
             FROM document_audiences a CROSS JOIN documents d ON d.id = a.document_id \
             WHERE a.audience = ", $audience, " AND a.status = '", $status, "' AND ?1 IN ('', '", $status, "') \
             AND (a.", $key, ", a.document_id) ", $beyond, " (?5, ?6) \
             AND (?2 = '' OR instr(d.search, ?2)) \
             AND (?3 = '' OR EXISTS \
                 (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = ?3))",
        )
    };
}

/// A page in an order. All members see approved documents (0); its readers see one that is not approved.
macro_rules! page {
    ($key:literal, $beyond:literal, $order:literal) => {
        concat!(
            of_status!($key, "0", "approved", $beyond),
            " UNION ALL ",
            of_status!($key, "?4", "pending", $beyond),
            " UNION ALL ",
            of_status!($key, "?4", "rejected", $beyond),
            " ORDER BY 1 ",
            $order,
            ", 2 ",
            $order,
            " LIMIT 21"
        )
    };
}

/// By a column, from small to large or the other way round.
macro_rules! sorted_by {
    ($key:literal, up) => {
        [page!($key, ">", "ASC"), page!($key, "<", "DESC")]
    };
    ($key:literal, down) => {
        [page!($key, "<", "DESC"), page!($key, ">", "ASC")]
    };
}

/// The statement that reads forwards, and the one that reads backwards.
const fn statements(sort: Sort) -> [&'static str; 2] {
    match sort {
        Sort::Largest => sorted_by!("size", down),
        Sort::Newest => sorted_by!("created_at", down),
        Sort::Oldest => sorted_by!("created_at", up),
        Sort::Title => sorted_by!("title_key", up),
    }
}

const LARGEST: Keyset<(Key, i64)> = Keyset::new("documents, the largest first");
const NEWEST: Keyset<(Key, i64)> = Keyset::new("documents, the newest first");
const OLDEST: Keyset<(Key, i64)> = Keyset::new("documents, the oldest first");
const TITLES: Keyset<(Key, i64)> = Keyset::new("documents, by title");

/// The list of each order, so that the cursor of one is none of another.
const fn keyset(sort: Sort) -> Keyset<(Key, i64)> {
    match sort {
        Sort::Largest => LARGEST,
        Sort::Newest => NEWEST,
        Sort::Oldest => OLDEST,
        Sort::Title => TITLES,
    }
}

/// The sort key of a list.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Key {
    Number(i64),
    Text(String),
}

impl From<Key> for Value {
    fn from(key: Key) -> Self {
        match key {
            Key::Number(number) => number.into(),
            Key::Text(text) => text.into(),
        }
    }
}

/// The key that stands before all.
const fn first(sort: Sort) -> (Key, i64) {
    match sort {
        Sort::Largest | Sort::Newest => (Key::Number(i64::MAX), i64::MAX),
        Sort::Oldest => (Key::Number(i64::MIN), i64::MIN),
        Sort::Title => (Key::Text(String::new()), i64::MIN),
    }
}

/// A line of the list.
#[derive(Debug, Serialize)]
struct Listed {
    id: i64,
    title: String,
    status: String,
    kind: String,
    size: i64,
    created_at: i64,
    owner: String,
    tags: Vec<String>,
    #[serde(skip)]
    key: Key,
}

/// `GET /documents`
pub(crate) async fn list(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    Query(filter): Query<Filter>,
) -> dewar::Result<Page> {
    let keyset = keyset(filter.sort());
    let place = keyset.open(&keys, filter.place())?;
    let page = Paged::read(place, SIZE, |at| find(&caller, &db, &filter, at)).await?;
    let links = keyset.links(&keys, &page, |listed| (listed.key.clone(), listed.id))?;
    let address = |cursor: Option<String>| cursor.map(|cursor| filter.address(&cursor));
    Ok(Page::new("documents/list.html")
        .with("filter", filter.shown())
        .with("previous", address(links.previous))
        .with("next", address(links.next))
        .with("documents", page.rows))
}

async fn find(
    caller: &CurrentUser,
    db: &Db,
    filter: &Filter,
    at: Position<(Key, i64)>,
) -> dewar::Result<Vec<Listed>> {
    let [forwards, backwards] = statements(filter.sort());
    let sql = if at.is_backwards() {
        backwards
    } else {
        forwards
    };
    let (key, id) = match at {
        Position::Start => first(filter.sort()),
        Position::After(key) | Position::Before(key) => key,
    };
    let audience = if Role::Reviewer.is_of(caller) {
        -1
    } else {
        caller.id().get()
    };
    // Each is bound, so that nothing in it is SQL.
    let values: [Value; 6] = [
        filter.status().into(),
        fold(filter.text()).into(),
        filter.tag().into(),
        audience.into(),
        key.into(),
        id.into(),
    ];
    let rows = db.query(sql, values).await?;
    let listed = rows.iter().map(|row| listed(row, filter.sort()));
    Ok(listed.collect::<Result<_, _>>()?)
}

fn listed(row: &Row, sort: Sort) -> Result<Listed, dewar::database::Error> {
    Ok(Listed {
        key: match sort {
            Sort::Title => Key::Text(row.get(0)?),
            Sort::Largest | Sort::Newest | Sort::Oldest => Key::Number(row.get(0)?),
        },
        id: row.get(1)?,
        title: row.get(2)?,
        status: row.get(3)?,
        kind: row.get(4)?,
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
