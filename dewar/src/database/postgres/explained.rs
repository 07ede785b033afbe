//! Searches that read a whole table, by the server's plans. The server does not tell what a statement read, so Dewar asks for the
//! plans of those that look for a part of a text, from time to time and on no request's path.

use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use serde_json::Value;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::Postgres;
use crate::database::{Error, Row};

type Failure = Box<dyn StdError + Sync + Send>;

/// The operators and functions of a search, as a plan spells them.
const SEARCHES: [&str; 4] = ["~~", "instr(", "position(", "strpos("];

/// The rows of a table: the server's last estimate, or its count of them.
const ROWS: &str = "SELECT CAST(greatest(c.reltuples, coalesce(s.n_live_tup, 0)) AS bigint)
    FROM pg_class c LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE c.oid = to_regclass(?)";

/// Any value of a type, for a plan that depends on the statement and not on a visitor's value.
#[derive(Debug)]
pub(super) struct Sample;

impl ToSql for Sample {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match *kind {
            Type::BOOL => out.put_i8(1),
            Type::INT2 => out.put_i16(1),
            Type::INT4 => out.put_i32(1),
            Type::INT8 => out.put_i64(1),
            Type::TEXT | Type::VARCHAR => out.put_slice(b"%a%"),
            _ => return Ok(IsNull::Yes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A plan as the server sends it.
pub(super) struct PlanText(pub(super) String);

impl<'a> FromSql<'a> for PlanText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(Self(str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::JSON
    }
}

impl Postgres {
    /// Asks for the plans of the searches that were prepared since the last call, and notes those that read a whole table. One of
    /// a small table is asked for again.
    pub(crate) async fn explain_searches(&self) -> Result<(), Error> {
        let cost = &self.server.models.cost;
        for sql in cost.searches_to_explain() {
            let plan = self.readers.take().await?.plan_of(&sql).await;
            let tables = match plan {
                Ok(plan) => searched_tables(&plan),
                Err(error) => {
                    tracing::debug!(%error, sql, "the server has no plan for a search");
                    cost.forget_search(&sql);
                    continue;
                }
            };
            for table in tables {
                let rows = self.read::<Row>(ROWS, &[table.into()]).await?;
                let rows = rows.first().map_or(Ok(0), |row| row.get::<i64>(0))?;
                if cost.note_search(&sql, i32::try_from(rows).unwrap_or(i32::MAX)) {
                    cost.forget_search(&sql);
                }
            }
        }
        Ok(())
    }
}

/// The tables, quoted, that a plan reads in whole for a search: it compares each row, and no index has chosen the rows.
fn searched_tables(plan: &str) -> Vec<String> {
    let Ok(plan) = serde_json::from_str::<Value>(plan) else {
        return Vec::new();
    };
    let (mut open, mut tables) = (vec![&plan], Vec::new());
    while let Some(node) = open.pop() {
        match node {
            Value::Array(all) => open.extend(all),
            Value::Object(fields) => {
                open.extend(
                    ["Plan", "Plans"]
                        .iter()
                        .filter_map(|name| fields.get(*name)),
                );
                let text = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
                let kind = text("Node Type");
                let reads_all = kind == "Seq Scan" || kind.starts_with("Index");
                let searches = SEARCHES
                    .iter()
                    .any(|search| text("Filter").contains(search));
                if reads_all && searches && !fields.contains_key("Index Cond") {
                    tables.push(format!(
                        "\"{}\"",
                        text("Relation Name").replace('"', "\"\"")
                    ));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_tells_which_tables_a_search_reads() {
        let of = |node: &str| searched_tables(&format!("[{{\"Plan\": {{{node}}}}}]"));
        let filter = r#""Relation Name": "notes", "Filter": "(title ~~ '%a%'::text)""#;
        assert_eq!(
            of(&format!(r#""Node Type": "Seq Scan", {filter}"#)),
            ["\"notes\""]
        );
        assert_eq!(
            of(&format!(r#""Node Type": "Index Scan", {filter}"#)),
            ["\"notes\""]
        );
        let inner =
            format!(r#""Node Type": "Limit", "Plans": [{{"Node Type": "Seq Scan", {filter}}}]"#);
        assert_eq!(of(&inner), ["\"notes\""]);
        for bounded in [
            format!(r#""Node Type": "Index Scan", "Index Cond": "(owner = 1)", {filter}"#),
            format!(r#""Node Type": "Bitmap Heap Scan", {filter}"#),
            format!(r#""Node Type": "Subquery Scan", {filter}"#),
            r#""Node Type": "Seq Scan", "Relation Name": "notes", "Filter": "(owner = 1)""#
                .to_owned(),
        ] {
            assert_eq!(of(&bounded), [""; 0], "{bounded}");
        }
        assert_eq!(searched_tables("no plan"), [""; 0]);
    }
}
