//! The type that each model gives each column.
//!
//! SQLite has five types, SeaORM's models many more, and SeaORM accepts from our driver's rows only the exact variant.
//! So the application registers its models at start; a model that is not registered is refused instead of read wrongly.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use rusqlite::{Connection, OptionalExtension};
use sea_orm::sea_query::{ColumnType, StringLen};
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable, ProxyRow, QueryResult};

use super::{
    Error,
    cost::Cost,
    row::{Cells, Decode},
    value::{ColumnKind, as_stored},
};

/// A model's table and the types of its columns, for [`Db::register`](super::Db::register).
///
/// ```
/// mod note {
///     use sea_orm::entity::prelude::*;
///     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
///     #[sea_orm(table_name = "notes")]
///     pub struct Model {
///         #[sea_orm(primary_key)]
///         pub id: i64,
///         pub title: String,
///         pub public: bool,
///     }
///     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
///     pub enum Relation {}
///     impl ActiveModelBehavior for ActiveModel {}
/// }
/// use dewar::database::Table;
///
/// let tables = [Table::of::<note::Entity>()];
/// # assert_eq!(tables[0].name(), "notes");
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    columns: Vec<(String, Option<ColumnKind>)>,
    /// The most characters of a column, if its type has a limit.
    limits: Vec<(String, u32)>,
}

impl Table {
    /// The table of this entity.
    #[must_use]
    pub fn of<E: EntityTrait>() -> Self {
        let columns = E::Column::iter()
            .map(|column| {
                (
                    column.as_str().to_owned(),
                    ColumnKind::of(column.def().get_column_type()),
                )
            })
            .collect();
        let limits = E::Column::iter().filter_map(|column| {
            let ColumnType::String(StringLen::N(most)) = *column.def().get_column_type() else {
                return None;
            };
            Some((column.as_str().to_owned(), most))
        });
        Self {
            name: E::default().table_name().to_owned(),
            columns,
            limits: limits.collect(),
        }
    }

    /// The table's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The differences between the model and the table, one sentence each.
    pub(crate) fn problems(&self, stored: &StoredTable) -> Vec<String> {
        let name = &self.name;
        if stored.columns.is_empty() {
            return vec![format!("the table `{name}` does not exist")];
        }
        let mut problems = self.unbounded(stored);
        for (column, kind) in &self.columns {
            match (stored.columns.get(column), kind) {
                (None, _) => problems.push(format!("`{name}` has no column `{column}`")),
                (_, None) => problems.push(format!("`{name}.{column}`: unsupported type")),
                (Some(declared), Some(kind)) if !kind.storage().contains(&declared.as_str()) => {
                    problems.push(format!(
                        "`{name}.{column}` is {declared}; the model's type needs {}",
                        kind.storage().join(" or ")
                    ));
                }
                (Some(_), Some(_)) => {}
            }
        }
        problems
    }

    /// The columns whose type has a limit that the table does not enforce.
    fn unbounded(&self, stored: &StoredTable) -> Vec<String> {
        let sql = plain(&stored.checks);
        let broken = self.limits.iter().filter(|(column, most)| {
            stored.columns.contains_key(column) && checked_length(&sql, column) != Some(*most)
        });
        broken
            .map(|(column, most)| {
                format!(
                    "the type of `{}.{column}` allows at most {most} characters; the table allows another number or \
                     any: write `{column} TEXT NOT NULL CHECK (length({column}) <= {most})`",
                    self.name
                )
            })
            .collect()
    }
}

/// A table as the database has it.
#[derive(Debug)]
pub(crate) struct StoredTable {
    /// Its columns, each with the type of SQLite that holds the same values.
    pub(crate) columns: HashMap<String, String>,
    /// SQL with the table's checks.
    pub(crate) checks: String,
}

impl StoredTable {
    pub(crate) fn of_sqlite(connection: &Connection, table: &str) -> Result<Self, Error> {
        let mut asked = connection.prepare("SELECT name, upper(type) FROM pragma_table_info(?)")?;
        let columns = asked
            .query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?";
        let checks = connection.query_row(sql, [table], |row| row.get(0));
        Ok(Self {
            columns,
            checks: checks.optional()?.unwrap_or_default(),
        })
    }
}

/// SQL without its variable spelling: spaces, quotation marks around names, and capitals.
fn plain(sql: &str) -> String {
    sql.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '`' | '[' | ']'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// The most characters that a `CHECK` of this table allows in a column.
fn checked_length(sql: &str, column: &str) -> Option<u32> {
    let asked = format!("(length({})", column.to_lowercase());
    // It stands alone, or with a condition that does not weaken it: `x IS NULL OR …` holds for a null in any case.
    let places = sql
        .match_indices(asked.trim_start_matches('('))
        .filter(|(place, _)| {
            // PostgreSQL writes each condition in brackets of its own.
            let before = sql.get(..*place).unwrap_or_default();
            let outside = before.trim_end_matches('(');
            let may_be_null = ["isnullor", "isnull)or"]
                .iter()
                .any(|end| outside.ends_with(end));
            let stands = before.ends_with('(') || before.ends_with("and");
            may_be_null || (stands && !outside.ends_with("or"))
        });
    places
        .filter_map(|(place, found)| {
            let rest = sql.get(place + found.len()..)?;
            let (digits, less) = if let Some(rest) = rest.strip_prefix("<=") {
                (rest, 0)
            } else if let Some(rest) = rest.strip_prefix('<') {
                (rest, 1)
            } else {
                (rest.strip_prefix("between")?.split_once("and")?.1, 0)
            };
            let end = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            digits.get(..end)?.parse::<u32>().ok()?.checked_sub(less)
        })
        .min()
}

/// The registered models.
#[derive(Debug, Default)]
pub(crate) struct Models {
    tables: RwLock<HashMap<String, HashMap<String, ColumnKind>>>,
    changes: AtomicUsize,
    /// Shared by all connections too.
    pub(super) cost: Cost,
}

impl Models {
    pub(crate) fn add(&self, table: &Table) {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let columns = table.columns.iter();
        tables
            .entry(table.name.clone())
            .or_default()
            .extend(columns.filter_map(|(name, kind)| Some((name.clone(), (*kind)?))));
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Grows when models are added or tables change: earlier plans are then stale.
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::Acquire)
    }

    pub(crate) fn touch(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// How the columns of a statement are read.
    pub(crate) fn plan(&self, connection: &Connection, sql: &str) -> Result<ColumnPlan, Error> {
        let statement = connection.prepare_cached(sql)?;
        // SQLite reports no origin for the rows of RETURNING, so the table comes from the statement.
        let written = if statement.readonly() {
            None
        } else {
            written_table(sql)
        };
        let columns = statement.columns_with_metadata().into_iter().map(|column| {
            let origin = match (column.table_name(), column.origin_name(), written) {
                (Some(table), Some(origin), _) => Some((table.to_owned(), origin.to_owned())),
                (_, _, Some(table)) => Some((table.to_owned(), column.name().to_owned())),
                _ => None,
            };
            (column.name().to_owned(), origin)
        });
        self.plan_of(columns.collect())
    }

    /// How these columns are read: each with its name, and with the table and the name there that it comes from.
    pub(crate) fn plan_of(
        &self,
        columns: Vec<(String, Option<(String, String)>)>,
    ) -> Result<ColumnPlan, Error> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        let (mut read, mut origins) = (Vec::new(), Vec::new());
        for (name, origin) in columns {
            let (mut kind, mut table) = (None, None);
            if let Some((origin, column)) = origin {
                let known = tables.get(&origin);
                let known = known.ok_or_else(|| Error::UnknownTable {
                    table: origin.clone(),
                })?;
                kind = known.get(&column).copied();
                table = Some(origin);
            }
            origins.push(table);
            read.push(Column { name, kind });
        }
        let named = is_whole_model(&read, &origins, &tables);
        Ok(ColumnPlan {
            columns: read,
            by_position: !named,
            names: Arc::default(),
        })
    }
}

/// How the columns of one statement are read.
#[derive(Debug, Default)]
pub(crate) struct ColumnPlan {
    columns: Vec<Column>,
    by_position: bool,
    /// The names of the columns of a literal query, with a NUL between them.
    names: Arc<str>,
}

impl ColumnPlan {
    /// For a literal query, whose columns need only their names.
    pub(crate) fn of_literal<'a>(names: impl Iterator<Item = &'a str>) -> Arc<Self> {
        let mut joined = String::new();
        for name in names {
            joined.push_str(name);
            joined.push('\0');
        }
        Arc::new(Self {
            names: joined.into(),
            ..Self::default()
        })
    }

    pub(crate) const fn names(&self) -> &Arc<str> {
        &self.names
    }
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: Option<ColumnKind>,
}

impl Decode for QueryResult {
    const MODELLED: bool = true;

    fn decode(plan: &ColumnPlan, row: &impl Cells) -> Result<Self, Error> {
        let mut values =
            Vec::with_capacity(plan.columns.len() * if plan.by_position { 2 } else { 1 });
        for (index, column) in plan.columns.iter().enumerate() {
            let stored = row.cell(index)?;
            let value = column
                .kind
                .map_or_else(|| as_stored(stored), |kind| kind.read(stored));
            let value = value.ok_or_else(|| Error::Value {
                column: column.name.clone(),
                wanted: "a value of the model's type",
            })?;
            if plan.by_position {
                values.push((position(index), value.clone()));
            }
            values.push((column.name.clone(), value));
        }
        Ok(ProxyRow::new(values.into_iter().collect()).into())
    }
}

/// SeaORM sorts such a row by name and counts positions in that order, so `into_tuple` would mix up its columns. These
/// names sort before all others, in the order of the SELECT.
fn position(index: usize) -> String {
    format!("\0{index:03}")
}

/// A model, or two joined ones (SeaORM prefixes theirs with `A_`, `B_`), is read by name.
fn is_whole_model(
    columns: &[Column],
    origins: &[Option<String>],
    tables: &HashMap<String, HashMap<String, ColumnKind>>,
) -> bool {
    let prefixed = |column: &Column| matches!(column.name.as_bytes(), [b'A'..=b'H', b'_', ..]);
    if !columns.is_empty() && columns.iter().all(prefixed) {
        return true;
    }
    let Some(Some(table)) = origins.first() else {
        return false;
    };
    origins.iter().all(|origin| origin.as_ref() == Some(table))
        && tables.get(table).is_some_and(|known| {
            known.len() == columns.len()
                && columns
                    .iter()
                    .all(|column| known.contains_key(&column.name))
        })
}

/// The table of `INSERT INTO "notes" …`, `UPDATE "notes" …` and `DELETE FROM "notes" …`.
fn written_table(sql: &str) -> Option<&str> {
    let rest = ["INSERT INTO ", "REPLACE INTO ", "UPDATE ", "DELETE FROM "]
        .iter()
        .find_map(|verb| sql.strip_prefix(verb))?;
    rest.strip_prefix('"')?
        .split_once('"')
        .map(|(table, _)| table)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SQLite reports no origin for a returned row, so the test reads the statement.
    #[test]
    fn a_written_table_is_read_in_the_statement() {
        for (sql, table) in [
            (
                "INSERT INTO \"notes\" (\"id\") VALUES (1) RETURNING \"id\"",
                Some("notes"),
            ),
            ("REPLACE INTO \"notes\" VALUES (1)", Some("notes")),
            ("UPDATE \"notes\" SET \"a\" = 1", Some("notes")),
            ("DELETE FROM \"notes\"", Some("notes")),
            ("INSERT INTO notes VALUES (1)", None),
            ("SELECT * FROM \"notes\"", None),
        ] {
            assert_eq!(written_table(sql), table, "{sql}");
        }
    }

    /// Only a whole model, or joined ones, is read by name; all other rows keep the order of their SELECT.
    #[test]
    fn a_part_of_a_table_or_two_of_them_are_read_in_their_order() {
        let notes = ["id", "title"].map(|name| (name.to_owned(), ColumnKind::BigInt));
        let tables = HashMap::from([("notes".to_owned(), HashMap::from(notes))]);
        for (columns, whole) in [
            (&[("id", "notes"), ("title", "notes")][..], true),
            (&[("title", "notes"), ("id", "notes")], true),
            (&[("title", "notes")], false),
            (&[("number", "notes"), ("name", "notes")], false),
            (&[("id", "notes"), ("title", "authors")], false),
            (&[("id", "authors"), ("title", "authors")], false),
            (
                &[("id", "notes"), ("title", "notes"), ("title", "notes")],
                false,
            ),
            (&[("id", ""), ("title", "")], false),
            (&[("A_id", "notes"), ("B_id", "authors")], true),
            (&[("A_id", "notes"), ("title", "notes")], false),
            (&[], false),
        ] {
            let names = columns.iter().map(|(name, _)| Column {
                name: (*name).to_owned(),
                kind: None,
            });
            let origins = columns.iter().map(|(_, table)| table.to_string());
            let origins: Vec<_> = origins
                .map(|table| Some(table).filter(|it| !it.is_empty()))
                .collect();
            let found = is_whole_model(&names.collect::<Vec<_>>(), &origins, &tables);
            assert_eq!(found, whole, "{columns:?}");
        }
    }
}
