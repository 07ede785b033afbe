//! The load: a number of connections, each of which sends a request as soon as it has its response, for a given time.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::task::JoinSet;

use crate::Result;
use crate::client::{Connection, Site};
use crate::pages::Asked;
use crate::server::Used;

/// The most latencies in memory, per connection.
const MOST: usize = 2_000_000;

/// How long a page is requested before the measurement.
pub(crate) const WARM_UP: Duration = Duration::from_millis(1500);

/// The result of a turn.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    /// The CPU time of the server process for each request, user and system, in microseconds.
    pub(crate) cpu_us: f64,
    pub(crate) p50_us: u32,
    pub(crate) p99_us: u32,
}

/// Requests one page over these connections, and reads the server's CPU time before and after.
///
/// Connecting and the first request of each connection do not count.
pub(crate) async fn measure(
    server: &impl Used,
    site: &Site,
    asked: &Asked,
    connections: u16,
    time: Duration,
) -> Result<Measured> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = site.connect().await?;
        ask(&mut connection, site, asked).await?;
        open.push(connection);
    }
    let (used, began) = (server.used()?, Instant::now());
    let mut tasks = JoinSet::new();
    for connection in open {
        tasks.spawn(keep_asking(
            connection,
            site.clone(),
            asked.clone(),
            began + time,
        ));
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    let (took, cpu) = (began.elapsed(), server.used()?.saturating_sub(used));
    latencies.sort_unstable();
    let requests = latencies.len();
    let count = u32::try_from(requests)?.max(1);
    Ok(Measured {
        requests,
        per_second: f64::from(count) / took.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / f64::from(count),
        p50_us: percentile(&latencies, 50),
        p99_us: percentile(&latencies, 99),
    })
}

async fn keep_asking(
    mut connection: Connection,
    site: Site,
    asked: Asked,
    until: Instant,
) -> Result<Vec<u32>> {
    let mut latencies = Vec::new();
    let mut now = Instant::now();
    while now < until && latencies.len() < MOST {
        ask(&mut connection, &site, &asked).await?;
        let then = std::mem::replace(&mut now, Instant::now());
        latencies.push(u32::try_from((now - then).as_micros())?);
    }
    Ok(latencies)
}

/// One request; a response that is not the page ends the run.
async fn ask(connection: &mut Connection, site: &Site, asked: &Asked) -> Result {
    let answer = connection.ask(asked.request(site)?).await?;
    if answer.status == asked.status && answer.body.len() == asked.length {
        return Ok(());
    }
    let (path, status, length) = (&asked.path, answer.status, answer.body.len());
    Err(
        format!("{path} was answered with {status} and {length} bytes in the middle of the run")
            .into(),
    )
}

/// A percentile of a sorted list.
pub(crate) fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let last = sorted.len().saturating_sub(1);
    sorted
        .get(last * percent / 100)
        .copied()
        .unwrap_or_default()
}
