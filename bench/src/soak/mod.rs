//! The soak test: users work on the portal while its keys are rotated, its certificate is replaced and their sessions are ended.
//! Only requests that were refused on purpose may fail.

mod changes;
mod person;
mod production;

pub(crate) use production::Production;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Result;
use crate::client::Site;
use crate::command::Soak;
use crate::server::Server;
use changes::Changes;
use person::Person;

/// The counts of all users together.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Requests with the right response.
    pub(crate) good: AtomicU64,
    /// Forms whose token was accepted.
    pub(crate) forms: AtomicU64,
    /// Handshakes, each with the current certificate.
    pub(crate) connections: AtomicU64,
    pub(crate) sign_ins: AtomicU64,
    /// Requests of an ended session, which the portal redirected to the sign-in page on purpose.
    pub(crate) refused: AtomicU64,
}

pub(crate) async fn run(soak: &Soak) -> Result {
    let production = Production::make(soak.people)?;
    let server = Server::portal_in_production(&production)?;
    let site = Site::new(server.port(), &production.authority())?;
    let until = Instant::now() + Duration::from_secs(60 * soak.minutes);
    let seen = Arc::new(Seen::default());
    let mut people = JoinSet::new();
    for number in 0..soak.people {
        let ended = production.ended(number);
        let person = Person::new(number, site.clone(), Arc::clone(&seen), ended);
        people.spawn(person.work(until));
    }
    let every = Duration::from_secs(soak.every);
    let changes = tokio::task::spawn_blocking(move || Changes::go_on(&production, every, until));
    let mut wrong = Vec::new();
    while let Some(ended) = people.join_next().await {
        wrong.extend(ended?);
    }
    let changes = changes.await??;
    drop(server);
    tell(&seen, &changes, &wrong, io::stdout())?;
    let changed = changes.keys > 0 && changes.certificates > 0 && changes.sessions > 0;
    if wrong.is_empty() && changed {
        return Ok(());
    }
    Err("requests were lost, or nothing was changed".into())
}

fn tell(seen: &Seen, changes: &Changes, wrong: &[String], mut out: impl Write) -> Result {
    let count = |number: &AtomicU64| number.load(Ordering::Relaxed);
    writeln!(
        out,
        "keys rotated {} times, certificates replaced {} times, sessions ended {} times",
        changes.keys, changes.certificates, changes.sessions
    )?;
    writeln!(
        out,
        "{} requests answered as they should be, {} of them forms whose token held, over {} connections and {} sign-ins",
        count(&seen.good),
        count(&seen.forms),
        count(&seen.connections),
        count(&seen.sign_ins)
    )?;
    writeln!(
        out,
        "{} requests sent to the sign-in page because their session had been ended",
        count(&seen.refused)
    )?;
    writeln!(out, "{} requests lost", wrong.len())?;
    for line in wrong.iter().take(20) {
        writeln!(out, "    {line}")?;
    }
    Ok(())
}
