use std::io::{self, IsTerminal};
use std::time::Duration;

use serde::Serialize;

use super::super::Progress;
use super::super::launch::Blueprint;
use super::{print, print_json};
use crate::database::{Db, Reencrypted, SealedColumn};
use crate::pages::Error;
use crate::secrets::KeyRing;

/// The result for one column.
#[derive(Debug, Serialize)]
struct ColumnSummary {
    column: String,
    #[serde(flatten)]
    rows: Reencrypted,
}

#[derive(Debug, Serialize)]
struct Summary {
    key: String,
    columns: Vec<ColumnSummary>,
}

/// Re-encrypts every row of the application's sealed columns with the current key. Exit status 1 if a row cannot be opened.
pub(super) async fn run(plan: Blueprint, json: bool) -> Result<(), Error> {
    let ring = plan.keys().map_err(|findings| Error::launch(&findings))?;
    let db = plan
        .database()
        .map_err(|findings| Error::launch(&findings))?;
    // The running application made the tables: a command beside it does not migrate.
    db.find_sealed(&plan.parts.sealed).await?;
    until_it_signs(&ring).await?;
    let mut columns = Vec::new();
    for column in &plan.parts.sealed {
        let rows = one(&db, *column, &ring).await?;
        let column = column.to_string();
        if !json {
            print(&format_args!(
                "{column}: re-encrypted {} rows, could not decrypt {}\n",
                rows.reencrypted, rows.unreadable
            ))?;
        }
        columns.push(ColumnSummary { column, rows });
    }
    let is_whole = columns.iter().all(|done| done.rows.unreadable == 0);
    let key = ring.signing_id();
    if json {
        print_json(&Summary { key, columns })?;
    } else if is_whole {
        print(&format_args!(
            "The key {key} encrypts all rows; you can revoke older keys.\n"
        ))?;
    }
    if is_whole {
        Ok(())
    } else {
        Err(Error::quiet())
    }
}

/// Waits until every running program knows a new key; a program that does not know it could not read a re-encrypted row.
async fn until_it_signs(ring: &KeyRing) -> Result<(), Error> {
    let current = ring.current_id();
    if ring.signing_id() == current {
        return Ok(());
    }
    tracing::info!(
        key = current,
        "waiting until every running program has loaded the key"
    );
    if io::stderr().is_terminal() {
        let text = format!("Waiting until every running program has loaded the key {current} …\n");
        io::Write::write_all(&mut io::stderr(), text.as_bytes()).map_err(Error::internal)?;
    }
    while ring.signing_id() != current {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn one(db: &Db, column: SealedColumn, ring: &KeyRing) -> Result<Reencrypted, Error> {
    let signing = ring.signing_id();
    let under = db.sealed_under(column).await?;
    let older: u64 = under
        .iter()
        .filter(|(id, _)| **id != signing)
        .map(|(_, rows)| rows)
        .sum();
    let bar = Progress::drawn(
        Some(older),
        "{msg} {wide_bar} {human_pos}/{human_len} {eta}",
    );
    bar.name(column.to_string());
    Ok(db.reencrypt(column, ring, |rows| bar.add(rows)).await?)
}
