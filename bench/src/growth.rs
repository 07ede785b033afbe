//! Growth: the list and the search while the documents become more. A page of a bounded list costs the same with a million.

use std::io::{self, Write};
use std::time::Duration;

use http::StatusCode;
use rusqlite::Connection;
use tokio_postgres::NoTls;

use crate::Result;
use crate::client::{Session, Site};
use crate::command::Growth;
use crate::load::{Measured, WARM_UP, measure};
use crate::pages::Asked;
use crate::plot;
use crate::report::{median, sorted};
use crate::server::Server;
use crate::world::World;

/// The pages: their names and addresses.
const PAGES: [(&str, &str); 3] = [
    ("the list", "/documents"),
    ("a word that all have", "/documents?q=plan"),
    ("a word that one has", "/documents?q=n777"),
];

/// Adds documents up to a number, with their words. Ada's are approved, so everybody sees them.
const FILL: [&str; 2] = [
    "INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, status, reviewer_id, reviewed_at, created_at,
            updated_at, description_html)
        WITH RECURSIVE n (i) AS (SELECT count(*) FROM documents UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT 1, 'Plan ' || i, 'plan ' || i, 'grown-' || i, 'PDF', i, 'approved', 2, 1, i, 1, '<p>Words.</p>' FROM n",
    "INSERT INTO documents_search (id, title, body) SELECT id, 'plan n' || size, 'words' FROM documents WHERE file_id LIKE 'grown-%'
        ON CONFLICT (id) DO NOTHING",
];

const FILL_SERVER: [&str; 2] = [
    "INSERT INTO documents (owner_id, title, title_key, file_id, kind, size, status, reviewer_id, reviewed_at, created_at,
            updated_at, description_html)
        SELECT 1, 'Plan ' || i, 'plan ' || i, 'grown-' || i, 'PDF', i, 'approved', 2, 1, i, 1, '<p>Words.</p>'
        FROM generate_series((SELECT count(*) FROM documents), ?1) n (i)",
    "INSERT INTO documents_search (id, title, body) SELECT id, 'plan n' || size, 'words' FROM documents d
        WHERE file_id LIKE 'grown-%' AND NOT EXISTS (SELECT 1 FROM documents_search s WHERE s.id = d.id)",
];

async fn fill(world: &World, growth: &Growth, documents: u32) -> Result {
    let numbered = |sql: &str| sql.replace("?1", &documents.to_string());
    let Some(url) = &growth.postgres else {
        let mut database = Connection::open(world.data().join("database.sqlite"))?;
        let all = database.transaction()?;
        for sql in FILL {
            all.execute_batch(&numbered(sql))?;
        }
        all.commit()?;
        return Ok(database.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?);
    };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    for sql in FILL_SERVER {
        client.batch_execute(&numbered(sql)).await?;
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

pub(crate) async fn run(growth: &Growth) -> Result {
    let world = World::make()?;
    if let Some(url) = &growth.postgres {
        world.copy_to(url)?;
    }
    let mut out = io::stdout();
    writeln!(
        out,
        "{} connections; medians of {} rounds of {} s; CPU time is that of the portal's process",
        growth.connections, growth.rounds, growth.seconds
    )?;
    writeln!(
        out,
        "{:>10} {:<22} {:>8} {:>9} {:>9} {:>9}",
        "documents", "page", "req/s", "CPU us", "p50 us", "p99 us"
    )?;
    let mut lines: Vec<plot::Line<'_>> =
        PAGES.iter().map(|(name, _)| (*name, Vec::new())).collect();
    for documents in &growth.documents {
        fill(&world, growth, *documents).await?;
        let turns = measured(&world, growth).await?;
        for ((name, points), turns) in lines.iter_mut().zip(turns) {
            let of = |value: fn(&Measured) -> f64| median(&sorted(turns.iter().map(value)));
            let rate = of(|turn| turn.per_second);
            writeln!(
                out,
                "{documents:>10} {name:<22} {rate:>8.0} {:>9.0} {:>9.0} {:>9.0}",
                of(|turn| turn.cpu_us),
                of(|turn| turn.p50_us.into()),
                of(|turn| turn.p99_us.into())
            )?;
            points.push((f64::from(*documents), rate));
        }
    }
    if let Some(file) = &growth.plot {
        let engine = if growth.postgres.is_some() {
            "PostgreSQL"
        } else {
            "SQLite"
        };
        let title = format!("Pages of the portal as documents become more, on {engine}");
        let plot = plot::svg(&title, ["documents", "requests per second"], &lines);
        std::fs::write(file, plot)?;
    }
    Ok(())
}

/// All pages in turns, on a server that has just started.
async fn measured(world: &World, growth: &Growth) -> Result<Vec<Vec<Measured>>> {
    let server = Server::portal_on(world.data(), growth.workers, growth.postgres.as_deref())?;
    let site = Site::new(server.port(), &world.authority())?;
    let session = site.session().await?;
    let mut asked = Vec::new();
    for (_, path) in PAGES {
        asked.push(ask(&site, &session, path).await?);
    }
    let time = Duration::from_secs(growth.seconds);
    let mut turns = vec![Vec::new(); PAGES.len()];
    for round in 0..=growth.rounds {
        for (page, turns) in asked.iter().zip(&mut turns) {
            // The first round only warms up.
            let time = if round == 0 { WARM_UP } else { time };
            let turn = measure(&server, &site, page, growth.connections, time).await?;
            if round > 0 {
                turns.push(turn);
            }
        }
    }
    Ok(turns)
}

async fn ask(site: &Site, session: &Session, path: &str) -> Result<Asked> {
    let mut asked = Asked {
        path: path.to_owned(),
        cookie: Some(session.cookie.clone()),
        fields: None,
        status: StatusCode::OK,
        length: 0,
    };
    let answer = site.connect().await?.ask(asked.request(site)?).await?;
    let rows = String::from_utf8_lossy(&answer.body)
        .matches("<th scope=\"row\">")
        .count();
    if answer.status != StatusCode::OK || rows == 0 {
        return Err(format!("{path} was answered with {} and {rows} rows", answer.status).into());
    }
    asked.length = answer.body.len();
    Ok(asked)
}
