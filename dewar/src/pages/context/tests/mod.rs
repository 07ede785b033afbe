//! The templates that Dewar accepts and refuses, and the output of the accepted ones.

mod blind;
mod corpus;
mod parts;
mod places;
mod refusals;

use std::collections::BTreeMap;

use minijinja::value::Value;

use crate::audit::{Finding, Mode};
use crate::pages::{Assets, Templates};

/// Templates by their names.
fn templates(sources: &[(&str, &str)]) -> Templates {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    let sources: BTreeMap<String, String> = sources.iter().map(owned).collect();
    let names = sources.keys().cloned().collect();
    let read = move |name: &str| sources.get(name).cloned();
    Templates::of(&names, read, Assets::default(), Mode::Production)
}

/// A template with `x` in it, rendered.
fn shown(source: &str, x: impl Into<Value>) -> String {
    let templates = templates(&[("page.html", source)]);
    let refused: Vec<String> = templates
        .findings()
        .iter()
        .map(Finding::to_string)
        .collect();
    assert!(refused.is_empty(), "{source}: {refused:?}");
    let context = Value::from_pairs([("x", x.into())]);
    templates
        .render("page.html", context)
        .unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// The id and the title of each finding of some templates.
fn findings(sources: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let templates = templates(sources);
    // Unknown names in calls are a separate check (`pages/calls.rs`).
    let findings = templates.findings().iter();
    findings
        .filter(|finding| finding.id.starts_with("pages-template"))
        .map(|finding| (finding.id, finding.title.clone()))
        .collect()
}

const SEPARATOR: &str = "  =>  ";

/// The cases of a file: a template and its findings. `\n` stands for a line end.
fn pairs(file: &'static str) -> impl Iterator<Item = (String, String)> {
    let cases = file.lines().filter_map(|line| line.split_once(SEPARATOR));
    let read = |text: &str| text.replace("\\n", "\n");
    cases
        .filter(|(source, _)| !source.starts_with('#'))
        .map(move |(source, told)| (read(source), read(told)))
}
