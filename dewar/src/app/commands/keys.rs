use std::collections::BTreeMap;
use std::io::Read;

use super::super::cli::KeysCommand;
use super::super::launch::{Blueprint, failed, refuse_if_any};
use super::{inventory, print, print_json, reencrypt, webhook_keys};
use crate::audit::{Entry, Event, Finding, Log, Practice, Severity, command_line};
use crate::pages::Error;
use crate::secrets::{KeyInfo, KeyRing, KeySource, KeyState};

/// How soon a running program loads a changed key file.
const SOON: &str = "within 5 seconds";

/// A key older than this, in days, should be replaced.
const OLD: i64 = 366;

/// Creates, lists, rotates, revokes and inventories keys, and re-encrypts rows.
pub(super) async fn run(plan: Blueprint, what: KeysCommand, input: impl Read) -> Result<(), Error> {
    // With a mistake in the settings, the command could change another key file than the operator means.
    refuse_if_any(&plan.findings).map_err(|findings| Error::launch(&findings))?;
    let source = plan.source();
    match what {
        KeysCommand::Inventory { json } => inventory::run(&plan, json),
        KeysCommand::List { json } => list(&source, plan.clock.now(), json),
        KeysCommand::New => {
            KeyRing::create(&source).map_err(refused)?;
            print(&format_args!(
                "Created a key in {}.\n",
                source.file().display()
            ))
        }
        KeysCommand::Reencrypt { json } => reencrypt::run(plan, json).await,
        KeysCommand::Revoke {
            id,
            dangerous_even_if_sealed,
        } => revoke(&plan, &id, dangerous_even_if_sealed.as_deref()).await,
        KeysCommand::Rotate => rotate(&source),
        KeysCommand::Webhook { what } => {
            webhook_keys::run(&plan.config.secrets.webhooks, &what, input)
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` passes the findings by value"
)]
fn refused(findings: Vec<Finding>) -> Error {
    Error::launch(&findings)
}

fn rotate(source: &KeySource) -> Result<(), Error> {
    let key = KeyRing::rotate(source).map_err(refused)?;
    let settle = source.settles_after().as_secs();
    print(&format_args!(
        "{} is the current key; signatures and encrypted values of the other keys stay valid.\nRunning programs load \
         it {SOON}, and use it for new values {settle} seconds after its creation. No restart.\n",
        key.id
    ))
}

async fn revoke(plan: &Blueprint, id: &str, reason: Option<&str>) -> Result<(), Error> {
    let source = plan.source();
    let known = KeyRing::list(&source).map_err(refused)?;
    let hanging = if known.iter().any(|key| key.id == id && !key.current) {
        hanging_on(plan, id).await?
    } else {
        BTreeMap::new()
    };
    match reason {
        Some(reason) if reason.trim().is_empty() => {
            return Err(refused(vec![no_reason()]));
        }
        None if !hanging.is_empty() => return Err(refused(vec![still_sealed(id, &hanging)])),
        None | Some(_) => {}
    }
    KeyRing::revoke(&source, id).map_err(refused)?;
    if let Some(reason) = reason {
        note(plan, id, reason, &hanging).await?;
    }
    print(&format_args!(
        "{id} is revoked. Running programs refuse its signatures and encrypted values {SOON}. No restart.\n"
    ))
}

/// How many rows of each sealed column need a key; none if there is no database yet.
async fn hanging_on(plan: &Blueprint, id: &str) -> Result<BTreeMap<String, u64>, Error> {
    let mut hanging = BTreeMap::new();
    if plan.parts.sealed.is_empty() {
        return Ok(hanging);
    }
    let Some(db) = plan.database_to_read().await.map_err(refused)? else {
        return Ok(hanging);
    };
    for column in &plan.parts.sealed {
        let under = db.sealed_under(*column).await;
        let under = under
            .map_err(|error| refused(failed(Practice::Database, "secrets-uncounted", &error)))?;
        if let Some(rows) = under.get(id).filter(|rows| **rows > 0) {
            hanging.insert(column.to_string(), *rows);
        }
    }
    Ok(hanging)
}

fn still_sealed(id: &str, hanging: &BTreeMap<String, u64>) -> Finding {
    let counts: Vec<String> = hanging
        .iter()
        .map(|(column, rows)| format!("{rows} of {column}"))
        .collect();
    let title = format!("The key {id} still encrypts rows: {}", counts.join(", "));
    Finding::refuse(Practice::Secrets, "secrets-still-sealed", title)
        .why("Without the key, these rows are lost.")
        .fix("Run `<app> keys reencrypt` first. If you can lose the rows, because the key leaked and you have no time: `--dangerous-even-if-sealed \"why\"`.")
        .severity(Severity::High)
        .asvs(&["11.2.2"])
}

fn no_reason() -> Finding {
    Finding::refuse(
        Practice::Secrets,
        "secrets-keys-command",
        "Giving up rows needs a reason",
    )
    .fix("State the reason: `--dangerous-even-if-sealed \"the key leaked\"`. The audit log records it.")
}

/// The audit log records who gave rows up, and why.
async fn note(
    plan: &Blueprint,
    id: &str,
    reason: &str,
    hanging: &BTreeMap<String, u64>,
) -> Result<(), Error> {
    let ring = plan.keys().map_err(refused)?;
    let path = plan.config.data.join("audit.jsonl");
    let log = Log::open(path, ring.chain_keys(), plan.clock.clone()).map_err(Error::internal)?;
    let rows: u64 = hanging.values().sum();
    let entry = Entry::new(Event::CryptKeyChanged).subject(format_args!("key {id}"));
    log.record(
        entry
            .actor(command_line())
            .outcome("revoked")
            .detail(format_args!(
                "with --dangerous-even-if-sealed, {rows} rows lost: {reason}"
            )),
    );
    log.flush().await;
    Ok(())
}

fn list(source: &KeySource, now: i64, json: bool) -> Result<(), Error> {
    let keys = KeyRing::list(source).map_err(refused)?;
    if json {
        return print_json(&keys);
    }
    let mut text = format!("{:<10}{:<12}{:<14}{}\n", "KEY", "MADE", "AGE", "STATE");
    for key in &keys {
        text.push_str(&line(key, now, source.settles_after().as_secs()));
    }
    print(&text)
}

fn line(key: &KeyInfo, now: i64, settle: u64) -> String {
    let made = time::OffsetDateTime::from_unix_timestamp(key.created);
    let made = made.map_or_else(|_| "?".to_owned(), |made| made.date().to_string());
    let age = now - key.created;
    let state = match key.state {
        KeyState::Active if age > OLD * 86_400 => {
            "active    ! over a year old: `keys rotate`".to_owned()
        }
        KeyState::Active => "active".to_owned(),
        KeyState::Deactivated => "deactivated: verifies and decrypts only".to_owned(),
        KeyState::PreActive => format!("pre-active: active {settle} s after its creation"),
        KeyState::Revoked => "revoked: for old entries of the audit log only".to_owned(),
    };
    format!("{:<10}{made:<12}{:<14}{state}\n", key.id, aged(age))
}

/// An age, in the largest unit that fits.
fn aged(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..0 => return "in the future".to_owned(),
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400.. => (seconds / 86_400, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_largest_unit_that_fits() {
        for (seconds, text) in [
            (-1, "in the future"),
            (1, "1 second"),
            (119, "1 minute"),
            (7_200, "2 hours"),
            (400 * 86_400, "400 days"),
        ] {
            assert_eq!(aged(seconds), text);
        }
    }

    /// The line shows an operator which key to renew, and which one can go.
    #[test]
    fn a_line_says_when_a_key_was_made_how_old_it_is_and_what_it_still_does() {
        const NOW: i64 = 1_800_000_000;
        let told = |days: i64, state| {
            let key = KeyInfo {
                id: "k7".to_owned(),
                created: NOW - days * 86_400,
                current: false,
                revoked: None,
                state,
            };
            line(&key, NOW, 90)
        };
        for (days, state, parts) in [
            (
                10,
                KeyState::Active,
                &["k7", "2027-01-05", "10 days", "active\n"][..],
            ),
            (366, KeyState::Active, &["366 days", "active\n"]),
            (
                367,
                KeyState::Active,
                &["367 days", "over a year", "`keys rotate`"],
            ),
            (366, KeyState::Deactivated, &["deactivated: verifies"]),
            (0, KeyState::PreActive, &["90 s", "0 seconds"]),
            (
                366,
                KeyState::Revoked,
                &["revoked: for old entries of the audit log"],
            ),
        ] {
            let line = told(days, state);
            for part in parts {
                assert!(line.contains(part), "{part:?}: {line}");
            }
        }
    }
}
