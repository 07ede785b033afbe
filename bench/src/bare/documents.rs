//! The list. Its SQL is the portal's, word for word; a test compares the two.

use axum::extract::{Query, State};
use minijinja::Value;
use minijinja::value::Serde;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};

use super::templates::{User, token_field, words};
use super::{Html, Page, Shared};

const SIZE: usize = 20;

/// Ada, who is always signed in here.
const ME: i64 = 1;

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

/// The statement of the first page in the usual order.
const NEWEST: &str = page!("created_at", "<", ">=", "DESC");

/// The statement for reading forwards.
const fn statement(sort: Sort) -> &'static str {
    match sort {
        Sort::Largest => page!("size", "<", ">=", "DESC"),
        Sort::Best | Sort::Newest => NEWEST,
        Sort::Oldest => page!("created_at", ">", "<=", "ASC"),
        Sort::Title => page!("title_key", ">", "<=", "ASC"),
    }
}

/// The filters of the list.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    q: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    tag: String,
    sort: Option<Sort>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Best,
    Largest,
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
    pictured: bool,
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

/// `GET /documents`: only its first page, which the bench measures.
pub(super) async fn list(State(bare): Shared, Query(filter): Query<Filter>) -> Page {
    let mut documents = match &bare.postgres {
        Some(server) => {
            let rows = server.first_page(&filter.status, &filter.tag, ME).await?;
            rows.iter().map(listed_there).collect::<Result<_, _>>()?
        }
        None => bare.readers.with(|database| find(database, &filter))?,
    };
    let is_whole = documents.len() <= SIZE;
    documents.truncate(SIZE);
    let mut list = List::of(documents, filter.shown());
    list.csrf_field = token_field();
    list.next = (!is_whole).then(|| "/documents?page=2".to_owned());
    let template = bare.templates.get_template("documents/list.html")?;
    Ok(Html(template.render(Serde(&list))?))
}

fn find(database: &Connection, filter: &Filter) -> rusqlite::Result<Vec<Listed>> {
    let sort = filter.sort.unwrap_or_default();
    let mut statement = database.prepare_cached(statement(sort))?;
    let (key, id) = first(sort);
    let (last_key, last_id) = last(sort);
    let mut rows = statement.query(rusqlite::params![
        filter.status,
        filter.tag,
        ME,
        key,
        id,
        last_key,
        last_id,
    ])?;
    let mut documents = Vec::with_capacity(SIZE + 1);
    while let Some(row) = rows.next()? {
        documents.push(listed(row)?);
    }
    Ok(documents)
}

/// The key before all others.
const fn first(sort: Sort) -> (Sql, i64) {
    match sort {
        Sort::Best | Sort::Largest | Sort::Newest => (Sql::Integer(i64::MAX), i64::MAX),
        Sort::Oldest => (Sql::Integer(i64::MIN), i64::MIN),
        Sort::Title => (Sql::Text(String::new()), i64::MIN),
    }
}

/// The key after all others. SQLite sorts bytes after every text.
const fn last(sort: Sort) -> (Sql, i64) {
    match sort {
        Sort::Best | Sort::Largest | Sort::Newest => (Sql::Integer(i64::MIN), i64::MIN),
        Sort::Oldest => (Sql::Integer(i64::MAX), i64::MAX),
        Sort::Title => (Sql::Blob(Vec::new()), i64::MAX),
    }
}

/// Whether the portal has a small picture of a file of this kind.
fn has_picture(kind: &str) -> bool {
    matches!(kind, "GIF" | "JPEG" | "PNG" | "WebP")
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    let kind: String = row.get(4)?;
    Ok(Listed {
        pictured: has_picture(&kind),
        id: row.get(1)?,
        title: row.get(2)?,
        status: row.get(3)?,
        kind,
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

fn listed_there(row: &tokio_postgres::Row) -> Result<Listed, tokio_postgres::Error> {
    let kind: String = row.try_get(4)?;
    Ok(Listed {
        pictured: has_picture(&kind),
        id: row.try_get(1)?,
        title: row.try_get(2)?,
        status: row.try_get(3)?,
        kind,
        size: row.try_get(5)?,
        created_at: row.try_get(6)?,
        owner: row.try_get(7)?,
        tags: row
            .try_get::<_, Option<&str>>(8)?
            .map_or_else(Vec::new, |tags| {
                tags.split(' ').map(str::to_owned).collect()
            }),
    })
}

impl Filter {
    fn shown(&self) -> Shown<'_> {
        Shown {
            q: &self.q,
            status: &self.status,
            tag: &self.tag,
            sort: self.sort.unwrap_or_default(),
            active: !(self.q.is_empty() && self.status.is_empty() && self.tag.is_empty()),
        }
    }
}

/// A list that is always the same.
pub(crate) fn list_of_twelve() -> List<'static> {
    static ALL: Filter = Filter {
        q: String::new(),
        status: String::new(),
        tag: String::new(),
        sort: None,
    };
    let documents = (1..=12).map(|id| Listed {
        id,
        title: format!("Holiday calendar, part {id} & notes"),
        status: "approved".to_owned(),
        kind: "pdf".to_owned(),
        pictured: false,
        size: 1000 * id,
        created_at: 1_800_000_000 - id,
        owner: "Ada".to_owned(),
        tags: vec!["spring".to_owned(), "plan".to_owned()],
    });
    List::of(documents.collect(), ALL.shown())
}

impl<'a> List<'a> {
    /// Without a CSRF token, because there is no request. Text that only claims to be safe would not be trusted.
    fn of(documents: Vec<Listed>, filter: Shown<'a>) -> Self {
        Self {
            path: "/documents",
            user: User::ADA,
            flash: [],
            csrf_field: Value::from(""),
            nonce: "",
            t: words(),
            lang: "en",
            documents,
            filter,
            previous: None,
            next: None,
        }
    }

    /// The same, as a handler of the portal gives it to a page.
    pub(crate) fn page(&self) -> dewar::Page {
        dewar::Page::new("documents/list.html")
            .with("path", self.path)
            .with("user", &self.user)
            .with("flash", &self.flash)
            .with_value("csrf_field", self.csrf_field.clone())
            .with("nonce", self.nonce)
            .with_value("t", self.t.clone())
            .with("lang", self.lang)
            .with("filter", &self.filter)
            .with("previous", &self.previous)
            .with("next", &self.next)
            .with("documents", &self.documents)
    }
}

#[cfg(test)]
mod tests {
    /// The SQL of a page in a source file.
    fn query(source: &str) -> &str {
        let begin = source.find("macro_rules! of_status").unwrap();
        let rest = source.get(begin..).unwrap();
        let end = rest.find("LIMIT 21").unwrap();
        rest.get(..end).unwrap()
    }

    #[test]
    fn the_query_is_the_portals() {
        let portals = include_str!("../../../portal/src/documents/list.rs");
        assert_eq!(query(include_str!("documents.rs")), query(portals));
    }
}
