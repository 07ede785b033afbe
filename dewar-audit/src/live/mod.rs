//! **The audit of any running web application, from outside.**
//!
//! ```no_run
//! use dewar_audit::live::{LiveOptions, audit};
//! # async fn run() -> Result<(), dewar_audit::sources::Error> {
//! let report = audit("http://localhost:5000", &LiveOptions::new()).await?;
//! assert!(report.findings.is_empty(), "{report}");
//! # Ok(()) }
//! ```
//!
//! It reads pages, forms and scripts, then sends attacks and reports those that had their effect. It stays on the origin that was
//! named. It never signs its accounts out, deletes anything or changes a password, unless told. An application that stopped
//! answering, or an account that is signed out for good, ends the audit with a failure, never with an empty report.

mod access;
mod accounts;
mod call;
mod client;
mod compare;
mod crawl;
mod csrf;
mod discover;
mod dom;
mod engine;
mod finding;
mod inject;
mod listener;
mod openapi;
mod options;
mod passive;
mod point;
mod route;
mod script;
mod sessions;
mod surroundings;
mod table;
mod tokens;
mod uploads;

pub use options::{Account, Discovery, LiveOptions};

use crate::scan::{ScanCheck, ScanReport};
use crate::sources::Error;
use engine::{Engine, NOBODY, Stop};

/// Every check of a running application.
pub fn checks() -> impl Iterator<Item = &'static ScanCheck> {
    table::CHECKS.into_iter().flatten()
}

/// Audits the application at this address.
///
/// # Errors
/// The address cannot be audited: it is none, or its host is neither this machine nor permitted, or nobody answers.
pub async fn audit(url: &str, options: &LiveOptions) -> Result<ScanReport, Error> {
    let mut engine = Engine::open(url, options).await?;
    let ended = steps(&mut engine).await;
    if let Err(Stop::Dead(why)) = &ended
        && engine.coverage.pages == 0
    {
        return Err(Error::Application(format!("{url} does not answer: {why}")));
    }
    Ok(report(&engine, url, ended))
}

/// Every step, in order: reading before writing, and what disturbs accounts last.
async fn steps(engine: &mut Engine) -> Result<(), Stop> {
    surroundings::first(engine).await?;
    let found = crawl::crawl(engine, NOBODY, &[]).await?;
    engine.coverage.pages += found.pages.len();
    if engine.options.discovery == Discovery::GuessNames {
        discover::guess(engine).await?;
    }
    sessions::begin(engine).await?;
    surroundings::run(engine).await?;
    if engine.options.discovery == Discovery::GuessNames {
        discover::parameters(engine).await?;
    }
    accounts::early(engine).await?;
    tokens::run(engine).await?;
    csrf::run(engine).await?;
    access::run(engine).await?;
    uploads::run(engine).await?;
    inject::all(engine).await?;
    tokens::run(engine).await?;
    accounts::late(engine).await?;
    sessions::keep(engine, engine.me).await
}

fn report(engine: &Engine, url: &str, ended: Result<(), Stop>) -> ScanReport {
    let mut report = ScanReport::new(url);
    report.findings = engine
        .findings
        .all
        .iter()
        .map(finding::LiveFinding::shared)
        .collect();
    let seen = &engine.coverage;
    let coverage = &mut report.coverage;
    coverage.count("pages", seen.pages as u64);
    coverage.count("routes", engine.routes.len() as u64);
    coverage.count("requests", seen.requests);
    coverage.count("seconds", engine.began.elapsed().as_secs());
    coverage.count("accounts", seen.signed_in.len() as u64);
    for (place, number) in &seen.parameters {
        coverage.count(parameter_name(place), *number as u64);
    }
    for skipped in &seen.skipped {
        let (what, why) = skipped.split_once(": ").unwrap_or((skipped, ""));
        coverage.skip(what, why);
    }
    for note in &seen.notes {
        coverage.skip("note", note.as_str());
    }
    if seen.signed_in.is_empty() {
        coverage.skip(
            "pages for users",
            "no account was given, and none could be made",
        );
    }
    match ended {
        Ok(()) => {}
        Err(Stop::Budget(why)) => coverage.fail("the rest of the audit", why),
        Err(Stop::Dead(why)) => {
            coverage.fail("the application", format!("it stopped answering: {why}"))
        }
        Err(Stop::SignedOut(who)) => coverage.fail(
            "the session",
            format!("{who} was signed out and cannot sign in again"),
        ),
    }
    report.sort();
    report
}

fn parameter_name(place: &str) -> &'static str {
    match place {
        "cookie" => "parameters in cookies",
        "file" => "parameters in files",
        "form" => "parameters in forms",
        "header" => "parameters in headers",
        "json" => "parameters in JSON",
        "path" => "parameters in paths",
        _ => "parameters in queries",
    }
}
