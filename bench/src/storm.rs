//! The sign-in storm: what a visitor notices while other users' passwords are hashed.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::Result;
use crate::client::{Session, Site};
use crate::command::Storm;
use crate::load::{Measured, WARM_UP, measure, percentile};
use crate::pages::Page;
use crate::server::Server;
use crate::world::World;

/// The page requested meanwhile: cheap, and for a visitor.
const PAGE: &str = "sign-in";

#[derive(Debug, Serialize)]
struct Report {
    quiet: Measured,
    storm: Measured,
    sign_ins: SignIns,
}

#[derive(Debug, Default, Serialize)]
struct SignIns {
    at_once: u16,
    hashed: usize,
    per_second: f64,
    /// Refused with 503, because the queue of the hashing threads was full.
    turned_away: usize,
    p50_us: u32,
    p99_us: u32,
}

pub(crate) async fn run(storm: &Storm) -> Result {
    let world = World::make()?;
    let server = Server::portal(world.data(), storm.workers)?;
    let site = Site::new(server.port(), &world.authority())?;
    let (asked, _) = Page::named(PAGE)?.ask(&site, &Session::default()).await?;
    let page = async |time| measure(&server, &site, &asked, storm.connections, time).await;
    let time = Duration::from_secs(storm.seconds);
    page(WARM_UP).await?;
    let quiet = page(time).await?;
    let attackers = start(&site, storm.sign_ins, Instant::now() + time).await?;
    let stormy = page(time).await?;
    let report = Report {
        quiet,
        storm: stormy,
        sign_ins: count(attackers, storm).await?,
    };
    write(&report, storm, io::stdout())
}

/// The result of one attempt.
type Attempt = (StatusCode, u32);

async fn start(site: &Site, many: u16, until: Instant) -> Result<JoinSet<Result<Vec<Attempt>>>> {
    let form = Arc::new(site.sign_in_form().await?);
    let number = Arc::new(AtomicU32::new(0));
    let mut attackers = JoinSet::new();
    for _ in 0..many {
        let (site, form, number) = (site.clone(), Arc::clone(&form), Arc::clone(&number));
        attackers.spawn(async move {
            let mut attempts = Vec::new();
            while Instant::now() < until {
                let number = number.fetch_add(1, Ordering::Relaxed);
                attempts.push(attempt(&site, &form.0, &form.1, number).await?);
            }
            Ok(attempts)
        });
    }
    Ok(attackers)
}

/// Each attempt is for another account and comes from another address of this machine, so that no rate limit stops it before it
/// is hashed: only the limit of the hashing threads is left.
async fn attempt(site: &Site, token: &str, cookie: &str, number: u32) -> Result<Attempt> {
    let began = Instant::now();
    let email = format!("nobody-{number}@example.org");
    let fields = [
        ("csrf_token", token),
        ("email", &email),
        ("password", "a password that nobody has"),
    ];
    let from = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + number);
    let mut connection = site.connect_from(from).await?;
    let answer = connection
        .ask(site.post("/sign-in", Some(cookie), &fields)?)
        .await?;
    Ok((answer.status, u32::try_from(began.elapsed().as_micros())?))
}

async fn count(mut attackers: JoinSet<Result<Vec<Attempt>>>, storm: &Storm) -> Result<SignIns> {
    let (mut hashed, mut turned_away) = (Vec::new(), 0);
    while let Some(done) = attackers.join_next().await {
        for (status, took) in done?? {
            match status {
                StatusCode::UNPROCESSABLE_ENTITY => hashed.push(took),
                StatusCode::SERVICE_UNAVAILABLE => turned_away += 1,
                other => return Err(format!("a sign-in was answered with {other}").into()),
            }
        }
    }
    hashed.sort_unstable();
    Ok(SignIns {
        at_once: storm.sign_ins,
        hashed: hashed.len(),
        per_second: f64::from(u32::try_from(hashed.len())?)
            / Duration::from_secs(storm.seconds).as_secs_f64(),
        turned_away,
        p50_us: percentile(&hashed, 50),
        p99_us: percentile(&hashed, 99),
    })
}

fn write(report: &Report, storm: &Storm, mut out: impl Write) -> Result {
    if storm.json {
        serde_json::to_writer_pretty(&mut out, report)?;
        return Ok(writeln!(out)?);
    }
    let connections = storm.connections;
    for (name, page) in [("quiet", &report.quiet), ("storm", &report.storm)] {
        writeln!(
            out,
            "{name}: GET /{PAGE} over {connections} connections: {:.0} requests/s, p50 {} us, p99 {} us",
            page.per_second, page.p50_us, page.p99_us
        )?;
    }
    let SignIns {
        at_once,
        hashed,
        per_second,
        turned_away,
        p50_us,
        p99_us,
    } = &report.sign_ins;
    writeln!(
        out,
        "sign-ins, {at_once} at once: {hashed} hashed ({per_second:.1}/s, p50 {p50_us} us, p99 {p99_us} us), \
         {turned_away} turned away"
    )?;
    Ok(())
}
