//! The list. Its SQL is the portal's, word for word; a test holds the two together.

use axum::extract::{Query, State};
use form_urlencoded::Serializer;
use minijinja::Value;
use minijinja::value::Serde;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use super::templates::{User, token_field, words};
use super::{Html, Page, Shared};

const SIZE: u64 = 20;

/// Ada, who is always signed in here.
const ME: i64 = 1;

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

/// What a reader of the list asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    tag: String,
    sort: Option<Sort>,
    page: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    Largest,
    #[default]
    Newest,
    Oldest,
    Title,
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
}

#[derive(Debug, Serialize)]
pub(crate) struct List<'a> {
    path: &'static str,
    user: User,
    flash: [Value; 0],
    csrf_field: Value,
    nonce: &'static str,
    t: Value,
    lang: &'static str,
    documents: Vec<Listed>,
    filter: Shown<'a>,
    total: u64,
    more: bool,
    first: u64,
    last: u64,
    pages: Vec<Link>,
    previous: Option<String>,
    next: Option<String>,
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    q: &'a str,
    status: &'a str,
    tag: &'a str,
    sort: Sort,
    active: bool,
}

#[derive(Debug, Serialize)]
struct Link {
    number: u64,
    url: Option<String>,
    current: bool,
}

/// `GET /documents`
pub(super) async fn list(State(bare): Shared, Query(filter): Query<Filter>) -> Page {
    let (total, documents) = bare.readers.with(|database| find(database, &filter))?;
    let page = filter.page();
    let before = (page - 1) * SIZE;
    let more = total > before + COUNTED;
    let total = total.min(before + COUNTED);
    let last = total.div_ceil(SIZE).max(1);
    let shown = documents.len() as u64;
    let neighbour = |number: u64| (1..=last).contains(&number).then(|| filter.address(number));
    let list = List {
        path: "/documents",
        user: User::ADA,
        flash: [],
        csrf_field: token_field(),
        nonce: "",
        t: words(),
        lang: "en",
        documents,
        filter: filter.shown(),
        total,
        more,
        first: before + 1,
        last: before + shown,
        pages: links(page, last, &filter),
        previous: neighbour(page - 1),
        next: neighbour(page + 1),
    };
    let template = bare.templates.get_template("documents/list.html")?;
    Ok(Html(template.render(Serde(&list))?))
}

fn find(database: &Connection, filter: &Filter) -> rusqlite::Result<(u64, Vec<Listed>)> {
    let sort = filter.sort.unwrap_or_default();
    let mut statement = database.prepare_cached(statement(sort))?;
    let mut rows = statement.query(rusqlite::params![
        ME,
        false,
        filter.status,
        filter.q.to_lowercase(),
        filter.tag,
        ((filter.page() - 1) * SIZE).cast_signed(),
    ])?;
    let (mut total, mut documents) = (0, Vec::with_capacity(20));
    while let Some(row) = rows.next()? {
        total = row.get::<_, i64>(0)?.cast_unsigned();
        documents.push(listed(row)?);
    }
    Ok((total, documents))
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        id: row.get(1)?,
        title: row.get(2)?,
        status: row.get(3)?,
        kind: row.get(4)?,
        size: row.get(5)?,
        created_at: row.get(6)?,
        owner: row.get(7)?,
        tags: row
            .get_ref(8)?
            .as_str_or_null()?
            .map_or_else(Vec::new, |tags| {
                tags.split(' ').map(str::to_owned).collect()
            }),
    })
}

impl Filter {
    fn page(&self) -> u64 {
        self.page.unwrap_or(1).clamp(1, 10_000)
    }

    fn shown(&self) -> Shown<'_> {
        Shown {
            q: &self.q,
            status: &self.status,
            tag: &self.tag,
            sort: self.sort.unwrap_or_default(),
            active: !(self.q.is_empty() && self.status.is_empty() && self.tag.is_empty()),
        }
    }

    fn address(&self, page: u64) -> String {
        let mut query = Serializer::for_suffix("/documents?".to_owned(), "/documents?".len());
        let parts = [("q", &self.q), ("status", &self.status), ("tag", &self.tag)];
        query.extend_pairs(parts.into_iter().filter(|(_, value)| !value.is_empty()));
        query.append_pair("page", &page.to_string()).finish()
    }
}

/// The first page, the last, and those around the current one.
fn links(current: u64, last: u64, filter: &Filter) -> Vec<Link> {
    let near = current.saturating_sub(2)..=current + 2;
    let mut links: Vec<Link> = Vec::new();
    for number in (1..=last).filter(|n| *n == 1 || *n == last || near.contains(n)) {
        if links
            .last()
            .is_some_and(|before| before.number + 1 < number)
        {
            links.push(Link {
                number,
                url: None,
                current: false,
            });
        }
        links.push(Link {
            number,
            url: Some(filter.address(number)),
            current: number == current,
        });
    }
    links
}

/// A list that is always the same.
pub(crate) fn list_of_twelve() -> List<'static> {
    static ALL: Filter = Filter {
        q: String::new(),
        status: String::new(),
        tag: String::new(),
        sort: None,
        page: None,
    };
    let documents = (1..=12).map(|id| Listed {
        id,
        title: format!("Holiday calendar, part {id} & notes"),
        status: "approved".to_owned(),
        kind: "pdf".to_owned(),
        size: 1000 * id,
        created_at: 1_800_000_000 - id,
        owner: "Ada".to_owned(),
        tags: vec!["spring".to_owned(), "plan".to_owned()],
    });
    List {
        path: "/documents",
        user: User::ADA,
        flash: [],
        // No request, no token; and a text that calls itself safe would not be believed.
        csrf_field: Value::from(""),
        nonce: "",
        t: words(),
        lang: "en",
        documents: documents.collect(),
        filter: ALL.shown(),
        total: 12,
        more: false,
        first: 1,
        last: 12,
        pages: links(1, 1, &ALL),
        previous: None,
        next: None,
    }
}

impl List<'_> {
    /// The same as a handler of the portal gives it to a page.
    pub(crate) fn page(&self) -> dewar::Page {
        dewar::Page::new("documents/list.html")
            .with("path", self.path)
            .with("user", &self.user)
            .with("flash", &self.flash)
            .with_value("csrf_field", self.csrf_field.clone())
            .with("nonce", self.nonce)
            .with_value("t", self.t.clone())
            .with("lang", self.lang)
            .with("documents", &self.documents)
            .with("filter", &self.filter)
            .with("total", self.total)
            .with("more", self.more)
            .with("first", self.first)
            .with("last", self.last)
            .with("pages", &self.pages)
            .with("previous", &self.previous)
            .with("next", &self.next)
    }
}

#[cfg(test)]
mod tests {
    /// The SQL and the four orders, as they stand in a source file.
    fn query(source: &str) -> &str {
        let begin = source.find("macro_rules! asked_for").unwrap();
        let end = source.find("Sort::Title => sorted_by!").unwrap();
        source.get(begin..end).unwrap()
    }

    #[test]
    fn the_query_is_the_portals() {
        let portals = include_str!("../../../portal/src/documents/list.rs");
        assert_eq!(query(include_str!("documents.rs")), query(portals));
    }
}
