//! The list: one query, and the page that most requests ask for.
//!
//! Its SQL is written out instead of built, because it is the portal's busiest: a literal is prepared once. That it
//! reaches the same documents as [`Readable`](super::Readable) is held by a test.

use dewar::database::{Row, fold};
use dewar::{CurrentUser, Db, Page, Query};
use sea_orm::Value;
use serde::Serialize;

use super::filter::{Filter, Sort};
use super::paging::{self, SIZE};
use crate::Role;

/// What the caller reads and asked for. ?1 is the caller, ?2 whether a reviewer, ?3 a status, ?4 folded words, ?5 a tag;
/// empty ones ask for nothing.
macro_rules! asked_for {
    () => {
        "(d.status = 'approved' OR d.owner_id = ?1 OR ?2 \
            OR EXISTS (SELECT 1 FROM shares s WHERE s.document_id = d.id AND s.user_id = ?1)) \
         AND (?3 = '' OR d.status = ?3) \
         AND (?4 = '' OR instr(d.search, ?4)) \
         AND (?5 = '' OR EXISTS (SELECT 1 FROM document_tags t WHERE t.document_id = d.id AND t.tag = ?5))"
    };
}

/// A page of it in an order; each order has an index, so that SQLite reads no more rows than it gives. ?6 is the offset.
/// A hundred and one rows past it are counted and no more: what a page costs does not grow with what there is.
macro_rules! sorted_by {
    ($order:literal) => {
        concat!(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM documents d WHERE ",
            asked_for!(),
            " LIMIT ?6 + 101)), d.id, d.title, d.status, d.kind, d.size, d.created_at, \
             (SELECT u.name FROM dewar_users u WHERE u.id = d.owner_id), \
             (SELECT group_concat(t.tag, ' ') FROM document_tags t WHERE t.document_id = d.id) \
             FROM documents d WHERE ",
            asked_for!(),
            " ORDER BY ",
            $order,
            " LIMIT 20 OFFSET ?6"
        )
    };
}

const fn statement(sort: Sort) -> &'static str {
    match sort {
        Sort::Largest => sorted_by!("d.size DESC, d.id DESC"),
        Sort::Newest => sorted_by!("d.created_at DESC, d.id DESC"),
        Sort::Oldest => sorted_by!("d.created_at, d.id"),
        Sort::Title => sorted_by!("d.title_key, d.id"),
    }
}

/// How many documents past the beginning of a page are counted.
const COUNTED: u64 = 100;

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
}

/// `GET /documents`
pub(crate) async fn list(
    caller: CurrentUser,
    db: Db,
    Query(filter): Query<Filter>,
) -> dewar::Result<Page> {
    let mut page = filter.page();
    let (mut total, mut documents) = find(&caller, &db, &filter, page).await?;
    // Past the end, where nothing says how many there are: documents were deleted, or the address was typed.
    if documents.is_empty() && page > 1 {
        total = count(&caller, &db, &filter).await?;
        page = paging::last(total);
        (_, documents) = find(&caller, &db, &filter, page).await?;
    }
    let before = (page - 1) * SIZE;
    let more = total > before + COUNTED;
    total = total.min(before + COUNTED);
    let last = paging::last(total);
    let shown = u64::try_from(documents.len()).unwrap_or_default();
    let neighbour = |number: u64| (1..=last).contains(&number).then(|| filter.address(number));
    Ok(Page::new("documents/list.html")
        .with("documents", documents)
        .with("filter", filter.shown())
        .with("total", total)
        .with("more", more)
        .with("first", before + 1)
        .with("last", before + shown)
        .with(
            "pages",
            paging::links(page, total, |number| filter.address(number)),
        )
        .with("previous", neighbour(page - 1))
        .with("next", neighbour(page + 1)))
}

async fn find(
    caller: &CurrentUser,
    db: &Db,
    filter: &Filter,
    page: u64,
) -> dewar::Result<(u64, Vec<Listed>)> {
    let [me, reviewer, status, words, tag] = asked(caller, filter);
    let values = [me, reviewer, status, words, tag, ((page - 1) * SIZE).into()];
    let rows = db.query(statement(filter.sort()), values).await?;
    let total = rows.first().map_or(Ok(0), |row| row.get::<i64>(0))?;
    let documents = rows.iter().map(listed).collect::<Result<_, _>>()?;
    Ok((total.unsigned_abs(), documents))
}

async fn count(caller: &CurrentUser, db: &Db, filter: &Filter) -> dewar::Result<u64> {
    let sql = concat!(
        "SELECT count(*) FROM (SELECT 1 FROM documents d WHERE ",
        asked_for!(),
        " LIMIT 10000)"
    );
    let rows = db.query(sql, asked(caller, filter)).await?;
    let total = rows.first().map_or(Ok(0), |row| row.get::<i64>(0))?;
    Ok(total.unsigned_abs())
}

/// The values of `asked_for`, each bound, so that nothing in them is SQL.
fn asked(caller: &CurrentUser, filter: &Filter) -> [Value; 5] {
    [
        caller.id().get().into(),
        Role::Reviewer.is_of(caller).into(),
        filter.status().into(),
        fold(filter.text()).into(),
        filter.tag().into(),
    ]
}

fn listed(row: &Row) -> Result<Listed, dewar::database::Error> {
    Ok(Listed {
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
