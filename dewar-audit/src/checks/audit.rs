use std::path::Path;
use std::time::Duration;

use dewar::audit::{COUNTED_WITHIN, Clock, Log, Mode, Practice, Severity};
use dewar::secrets::KeyRing;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::log::{self, LOG, LogLine};
use crate::sources::{Ask, Data, Error, Sources};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "audit-contact-missing",
        word: Practice::Audit,
        severity: Severity::Info,
        what: "security.txt states where to report a vulnerability",
        why: "a researcher who finds a vulnerability publishes it, or reports it to nobody",
        fix: "serve /.well-known/security.txt with Contact and Expires (RFC 9116)",
        cwe: None,
        asvs: &["13.4.7"],
        look: contact_missing,
    },
    Check {
        id: "audit-contact",
        word: Practice::Audit,
        severity: Severity::Low,
        what: "a security.txt that is there is valid, and not past its date",
        why: "a report goes to an address that nobody reads",
        fix: "text/plain; charset=utf-8, Contact, and Expires less than a year ahead (RFC 9116)",
        cwe: None,
        asvs: &["13.4.7"],
        look: contact,
    },
    Check {
        id: "audit-log-readable",
        word: Practice::Audit,
        severity: Severity::Medium,
        what: "the audit log is there, for the application's user alone",
        why: "without it nobody knows what happened; with it everybody on the machine knows who did what",
        fix: "`chmod 600 <data>/audit.jsonl`",
        cwe: Some(532),
        asvs: &["16.4.2"],
        look: log_readable,
    },
    Check {
        id: "audit-log-broken",
        word: Practice::Audit,
        severity: Severity::High,
        what: "the audit log holds: no entry was altered, removed or cut off",
        why: "an attacker with access to the file removed entries about the attack",
        fix: "keep the file as it is, compare it with the copy that is shipped elsewhere, and find out who had access",
        cwe: Some(117),
        asvs: &["16.4.2"],
        look: log_broken,
    },
    Check {
        id: "audit-log-silent",
        word: Practice::Audit,
        severity: Severity::Medium,
        what: "the audit log records an attack",
        why: "an attack goes on for weeks, and nobody can say what was taken",
        fix: "record a security event where a request is refused: `log.record(Entry::new(Event::MaliciousCsrf))`",
        cwe: Some(778),
        asvs: &["16.3.2", "16.3.3"],
        look: log_silent,
    },
    Check {
        id: "audit-panics",
        word: Practice::Audit,
        severity: Severity::High,
        what: "the application did not panic while it was attacked",
        why: "a request that ends a task may hold a lock, leave work half done, or end the program",
        fix: "the panic message names the place; return an error there",
        cwe: Some(248),
        asvs: &["16.5.3", "16.5.4"],
        look: panics,
    },
];

const SECURITY_TXT: &str = "/.well-known/security.txt";
const YEAR: i64 = 366 * 86_400;

fn contact_missing(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let answer = looks.answers.ask(Ask::get(SECURITY_TXT)).await?;
        let seen = (!answer.is_success())
            .then(|| Evidence::new("there is no security.txt", &answer.place));
        Ok(Outcome::Seen(seen.into_iter().collect()))
    })
}

fn contact(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let answer = looks.answers.ask(Ask::get(SECURITY_TXT)).await?;
        if !answer.is_success() {
            return Ok(Outcome::Unasked("there is no security.txt"));
        }
        let kind = answer.header("content-type").to_ascii_lowercase();
        let faults = contact_faults(&kind, &answer.text(), Clock::system().now());
        Ok(Outcome::Seen(
            faults
                .into_iter()
                .map(|fault| Evidence::new(fault, &answer.place))
                .collect(),
        ))
    })
}

fn contact_faults(kind: &str, text: &str, now: i64) -> Vec<&'static str> {
    let field = |name: &str| {
        text.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let mut faults = Vec::new();
    if !kind.starts_with("text/plain") {
        faults.push("it is not text/plain");
    }
    if field("contact").is_none_or(str::is_empty) {
        faults.push("it has no Contact");
    }
    let expires = field("expires").and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    match expires.map(OffsetDateTime::unix_timestamp) {
        None => faults.push("it has no Expires"),
        Some(expires) if expires <= now => faults.push("it has expired"),
        Some(expires) if expires > now + YEAR => faults.push("it expires more than a year ahead"),
        Some(_) => {}
    }
    faults
}

const NO_DATA: &str = "no data directory was given (--data DIR)";

fn log_readable(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(root) = &looks.data else {
            return Ok(Outcome::Unasked(NO_DATA));
        };
        let data = Data::list(root)?;
        let Some(log) = data.files().find(|found| found.path == Path::new(LOG)) else {
            return Ok(Outcome::Seen(vec![Evidence::new(
                "the audit log does not exist",
                root.join(LOG).display().to_string(),
            )]));
        };
        let open = log.is_open_to_others().then(|| {
            Evidence::new(
                "the audit log is open to others",
                format!("{LOG} ({})", log.permissions()),
            )
        });
        Ok(Outcome::Seen(open.into_iter().collect()))
    })
}

fn log_broken(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(root) = &looks.data else {
            return Ok(Outcome::Unasked(NO_DATA));
        };
        let (log, keys) = (root.join(LOG), root.join("keys"));
        // Opening a missing key file would create one.
        if !log.exists() || !keys.join("keys.toml").exists() {
            return Ok(Outcome::Unasked(
                "the data directory holds no audit log with its key",
            ));
        }
        let Ok(ring) = KeyRing::open_or_create(&keys, Mode::Development) else {
            return Ok(Outcome::Unasked(
                "the keys cannot be read; see the findings of `secrets`",
            ));
        };
        let verified = Log::verify_file(&log, ring.chain_keys());
        let seen = verified
            .err()
            .map(|broken| Evidence::new(broken.to_string(), log.display().to_string()));
        Ok(Outcome::Seen(seen.into_iter().collect()))
    })
}

/// Sends one more forged request and waits for its log entry.
fn log_silent(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(root) = &looks.data else {
            return Ok(Outcome::Unasked(NO_DATA));
        };
        let log = root.join(LOG);
        if !log.exists() {
            return Ok(Outcome::Unasked("the data directory holds no audit log"));
        }
        let Some(route) = looks.routes.all().iter().find(|route| {
            route.is_unsafe()
                && !route.is_webhook()
                && !route.is_for_reports()
                && !route.is_unsubscribe()
        }) else {
            return Ok(Outcome::Unasked(
                "the route table has no route that changes anything",
            ));
        };
        let forged = Ask::new(&route.method, route.target()).form([("zq9", "1")]);
        let answer = looks
            .answers
            .ask(forged.header("sec-fetch-site", "cross-site"))
            .await?;
        let mut lines = Vec::new();
        // A thread of its own writes the log, in batches.
        for _ in 0..20 {
            lines = log::newest(root)?;
            if is_noted(&lines, looks.began_behind()) {
                return Ok(Outcome::Seen(Vec::new()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if may_be_counted(&lines, Clock::system().now()) {
            return Ok(Outcome::Unasked(COUNTED));
        }
        Ok(Outcome::Seen(vec![Evidence::new(
            "a forged request left no entry in the audit log",
            &answer.place,
        )]))
    })
}

const FORGED: &str = "malicious_csrf";

const COUNTED: &str = "forged requests of an earlier audit are still being counted, and not written one by one: audit it \
    again in ten minutes";

/// Whether a refused forgery, or a sum of several, was logged since the audit began. It may be a forgery of an earlier check.
fn is_noted(lines: &[LogLine], began_behind: u64) -> bool {
    let mut new = lines.iter().filter(|line| line.number > began_behind);
    new.any(|line| line.event == FORGED)
}

/// Whether forgeries from before the audit are so recent that the application may only count this one.
fn may_be_counted(lines: &[LogLine], now: i64) -> bool {
    let window = i64::try_from(COUNTED_WITHIN.as_secs()).unwrap_or(i64::MAX);
    let mut new = lines
        .iter()
        .filter(|line| line.time >= now.saturating_sub(window));
    new.any(|line| line.event == FORGED)
}

fn panics(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(printed) = &looks.printed else {
            return Ok(Outcome::Unasked(
                "the application was not run by the auditor (name its binary)",
            ));
        };
        let text = std::fs::read(printed).map_err(Error::file(printed))?;
        let text = String::from_utf8_lossy(&text);
        let panicked = text.lines().filter(|line| line.contains("panicked at"));
        let seen = panicked.map(|line| {
            let place = line
                .split_once("panicked at ")
                .map_or(line, |(_, place)| place);
            Evidence::new("the application panicked", place.trim_end_matches(':'))
        });
        Ok(Outcome::Seen(seen.collect()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry from before the audit made the check pass.
    #[test]
    fn only_what_was_written_since_the_audit_began_is_its_trace() {
        let line = |number, event: &str, time| LogLine {
            number,
            event: event.to_owned(),
            time,
        };
        let old = [line(7, FORGED, 1_000), line(8, "authn_login_fail", 1_001)];
        assert!(!is_noted(&old, 8));
        let new = [old.as_slice(), &[line(9, FORGED, 1_002)]].concat();
        assert!(is_noted(&new, 8));
        let other = [old.as_slice(), &[line(9, "authn_login_fail", 1_002)]].concat();
        assert!(!is_noted(&other, 8));
        // Without such an entry, the check cannot decide while the application may be counting.
        let window = i64::try_from(COUNTED_WITHIN.as_secs()).unwrap();
        assert!(may_be_counted(&old, 1_000 + window));
        assert!(!may_be_counted(&old, 1_001 + window));
    }

    #[test]
    fn a_contact_that_is_past_its_date_is_seen() {
        let faults = |text: &str| contact_faults("text/plain; charset=utf-8", text, 1_800_000_000);
        assert!(
            faults("Contact: mailto:a@example.org\nExpires: 2027-06-01T00:00:00Z\n").is_empty()
        );
        assert_eq!(
            faults("Contact: mailto:a@example.org\nExpires: 2020-06-01T00:00:00Z"),
            ["it has expired"]
        );
        assert_eq!(
            faults("contact: x\nexpires: 2040-06-01T00:00:00Z"),
            ["it expires more than a year ahead"]
        );
        assert_eq!(faults("<html>"), ["it has no Contact", "it has no Expires"]);
    }
}
