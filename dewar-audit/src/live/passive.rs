//! Looks at every answer that comes in anyway.

use std::collections::BTreeMap;

use dewar::audit::Severity;
use serde_json::Value;

use super::call::{Answer, Call, clip};
use super::engine::Engine;
use super::finding::LiveFinding;
use super::route::Route;
use super::script;
use crate::scan::Confidence;

/// Texts of an open debugger.
const DEBUGGERS: [&str; 6] = [
    "<title>Interactive Console",
    "// Werkzeug Debugger</title>",
    "EVALEX = true",
    "You're seeing this error because you have <code>DEBUG = True</code>",
    "<h1>Whoops, looks like something went wrong",
    "Action Controller: Exception caught",
];

/// Texts of an error page that shows the inside of a program.
const ERRORS: [&str; 14] = [
    "Traceback (most recent call last)",
    "sqlite3.OperationalError",
    "sqlalchemy.exc.",
    "psycopg2.errors",
    "You have an error in your SQL syntax",
    "java.lang.NullPointerException",
    "\tat org.apache.",
    "Fatal error</b>:",
    "<b>Warning</b>:",
    "Microsoft OLE DB Provider",
    "System.Web.HttpUnhandledException",
    "goroutine 1 [running]",
    "panicked at ",
    "at Module._compile (",
];

pub(super) fn look(engine: &mut Engine, call: &Call, answer: &Answer) {
    if answer.status == 0 {
        return;
    }
    let route = Route::new(call.clone(), 0);
    if !engine.findings.has_id("live-debugger")
        && let Some(sign) = DEBUGGERS
            .iter()
            .find(|sign| answer.text.contains(**sign) && !is_echo(call, sign))
    {
        let finding = LiveFinding::of("live-debugger", &call.method, &route.pattern);
        engine.prove(finding, call, answer, sign);
    }
    if answer.status != 404
        && let Some(sign) = ERRORS
            .iter()
            .find(|sign| answer.text.contains(**sign) && !is_echo(call, sign))
        && !engine.findings.has("live-verbose-error", "*", "*", "")
    {
        let mut finding = LiveFinding::of("live-verbose-error", "*", "*")
            .note(format!("first seen at {} {}", call.method, route.pattern));
        if answer.is_success() {
            finding = finding.confidence(Confidence::Likely);
        }
        engine.prove(finding, call, answer, sign);
    }
    if let Some(json) = answer.json().filter(|_| answer.is_success()) {
        sensitive(engine, call, answer, &route, &json);
    }
}

fn is_echo(call: &Call, sign: &str) -> bool {
    call.sent().iter().any(|sent| sent.contains(sign))
}

/// A list of records with passwords or keys, in an answer to nobody or to any user.
fn sensitive(engine: &mut Engine, call: &Call, answer: &Answer, route: &Route, json: &Value) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    secrets(json, call, &mut seen, 0);
    let Some((name, _)) = seen.iter().next() else {
        return;
    };
    let finding = LiveFinding::of("live-sensitive-data", &call.method, &route.pattern)
        .at("answer", name)
        .note(format!(
            "fields: {}",
            seen.keys().cloned().collect::<Vec<_>>().join(", ")
        ));
    engine.prove(finding, call, answer, name);
}

fn secrets(json: &Value, call: &Call, seen: &mut BTreeMap<String, usize>, depth: usize) {
    const NAMES: [&str; 12] = [
        "password",
        "passwd",
        "pwd",
        "password_hash",
        "passwordhash",
        "pass_hash",
        "hashed_password",
        "secret_key",
        "private_key",
        "ccn",
        "credit_card",
        "ssn",
    ];
    if depth > 8 {
        return;
    }
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                let lower = name.to_ascii_lowercase();
                let text = value.as_str().unwrap_or_default();
                // A validation message under the field's name is a sentence.
                let is_value = text.len() >= 3
                    && !text.contains(' ')
                    && !text.contains('*')
                    && !call.sent().iter().any(|sent| sent == text);
                if NAMES.contains(&lower.as_str()) && is_value {
                    *seen.entry(name.clone()).or_default() += 1;
                }
                secrets(value, call, seen, depth + 1);
            }
        }
        Value::Array(items) => items
            .iter()
            .take(50)
            .for_each(|item| secrets(item, call, seen, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A part of the address that a script writes into the page.
pub(super) fn dom_flow(engine: &mut Engine, target: &str, text: &str, answer: &Answer) {
    let is_library = [
        "jquery",
        "bootstrap",
        ".min.",
        "angular",
        "react",
        "vue",
        "__debugger__",
    ]
    .iter()
    .any(|word| target.contains(word));
    if is_library {
        return;
    }
    if let Some(statement) = script::dom_flow(text) {
        let shown = format!("script: {statement}");
        let is_known = engine
            .findings
            .all
            .iter()
            .any(|known| known.id == "live-xss-dom" && known.evidence.contains(&shown));
        if is_known {
            return;
        }
        let route = Route::new(Call::get(target), 0);
        let finding = LiveFinding::of("live-xss-dom", "GET", &route.pattern)
            .at("fragment", "")
            .confidence(Confidence::Likely)
            .note(shown);
        engine.prove(
            finding,
            &Call::get(target),
            answer,
            clip(&statement, 40).as_str(),
        );
    }
}

/// The headers of the first page, and what the transport says.
pub(super) fn surroundings(engine: &mut Engine, call: &Call, answer: &Answer) {
    let is_tls = engine.target().is_tls;
    let csp = answer
        .header("content-security-policy")
        .to_ascii_lowercase();
    let mut missing = Vec::new();
    if csp.is_empty() {
        missing.push("Content-Security-Policy");
    }
    if answer.header("x-frame-options").is_empty() && !csp.contains("frame-ancestors") {
        missing.push("frame-ancestors or X-Frame-Options");
    }
    if !answer
        .header("x-content-type-options")
        .eq_ignore_ascii_case("nosniff")
    {
        missing.push("X-Content-Type-Options");
    }
    // Browsers would refuse every other program on `localhost` as well.
    let is_loopback = engine.target().is_loopback;
    if is_tls && !is_loopback && answer.header("strict-transport-security").is_empty() {
        missing.push("Strict-Transport-Security");
    }
    if !missing.is_empty() {
        let finding = LiveFinding::of("live-headers", "*", "*").titled(&missing.join(", "));
        engine.prove(finding, call, answer, "");
    }
    if !is_tls {
        let severity = if engine.target().is_loopback {
            Severity::Info
        } else {
            Severity::Medium
        };
        let finding = LiveFinding::of("live-plain-http", "*", "*").severity(severity);
        engine.prove(finding, call, answer, "");
    }
    let banners = ["server", "x-powered-by", "x-aspnet-version"];
    let banner = banners
        .iter()
        .map(|name| answer.header(name))
        .find(|value| value.chars().any(|c| c.is_ascii_digit()));
    if let Some(banner) = banner {
        let finding = LiveFinding::of("live-version-banner", "*", "*").titled(&clip(banner, 80));
        engine.prove(finding, call, answer, "");
    }
}
