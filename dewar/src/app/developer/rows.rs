//! What a program has: routes, templates, letters and settings, as the page shows them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::{RouteEntry, RouteTable};
use crate::audit::KnownSetting;
use crate::mail::LetterType;
use crate::pages::{Bundle, Outputs};

/// All of them. They do not change while the program runs.
#[derive(Debug)]
pub(in crate::app) struct Rows {
    pub(super) routes: Vec<RouteRow>,
    pub(super) templates: Vec<TemplateRow>,
    pub(super) letters: Vec<LetterRow>,
    pub(super) settings: Vec<SettingRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct RouteRow {
    method: String,
    path: &'static str,
    access: String,
    guards: Vec<String>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    dangers: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct TemplateRow {
    name: String,
    from: &'static str,
    extends: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct LetterRow {
    template: &'static str,
    values: String,
}

/// A setting without its value: a secret may stand in the wrong place (CWE-532).
#[derive(Debug, Serialize)]
pub(super) struct SettingRow {
    name: String,
    variable: String,
    right: String,
    default: String,
    place: Option<String>,
}

impl Rows {
    pub(in crate::app) fn of(
        table: &RouteTable,
        templates: &[Bundle],
        letters: &[LetterType],
        settings: Vec<KnownSetting>,
    ) -> Self {
        let all = table.entries().iter().chain(table.provided());
        let letters = letters.iter().map(|letter| LetterRow {
            template: letter.template,
            values: letter.fields.join(", "),
        });
        let settings = settings.into_iter().map(|setting| SettingRow {
            name: setting.name,
            variable: setting.variable,
            right: setting.right,
            default: setting.default,
            place: setting.place,
        });
        Self {
            routes: all.map(route).collect(),
            templates: templates_of(templates),
            letters: letters.collect(),
            settings: settings.collect(),
        }
    }
}

fn route(entry: &RouteEntry) -> RouteRow {
    let takes = &entry.takes;
    let limits = entry
        .rate_limits
        .iter()
        .map(|limit| format!("limit {limit}"));
    let recently = takes.recently.then(|| "password again".to_owned());
    let cors = entry.cors.as_ref().map(|origins| format!("CORS {origins}"));
    let parameters = takes
        .parameters
        .iter()
        .map(|one| format!("{{{}}}", one.name));
    let query = takes.query.as_ref().map(|form| format!("query: {form}"));
    let form = takes.form.as_ref().map(|form| format!("form: {form}"));
    RouteRow {
        method: entry.method.clone(),
        path: entry.path,
        access: entry.access.to_string(),
        guards: recently.into_iter().chain(cors).chain(limits).collect(),
        inputs: parameters.chain(query).chain(form).collect(),
        outputs: outputs(&entry.gives),
        dangers: takes
            .dangers
            .iter()
            .map(|danger| format!("{}: {}", danger.name, danger.reason))
            .collect(),
    }
}

fn outputs(gives: &Outputs) -> Vec<String> {
    let answers = gives.answers.iter().map(|answer| match answer.media_type {
        Some(media_type) => format!("{} {media_type}", answer.status),
        None => answer.status.to_string(),
    });
    let also = gives
        .also
        .iter()
        .map(|(status, why)| format!("{status} {why}"));
    answers.chain(also).collect()
}

/// The templates of all bundles. The first is the framework's; a later one replaces a template of the same name.
fn templates_of(bundles: &[Bundle]) -> Vec<TemplateRow> {
    let mut found: BTreeMap<String, TemplateRow> = BTreeMap::new();
    for (number, bundle) in bundles.iter().enumerate() {
        for name in bundle.names() {
            let from = match (number, found.contains_key(&*name)) {
                (0, _) => "Dewar",
                (_, false) => "the application",
                (_, true) => "the application, in place of Dewar's",
            };
            let row = TemplateRow {
                name: name.to_string(),
                from,
                extends: bundle.read(&name).and_then(|text| extends(&text)),
            };
            found.insert(row.name.clone(), row);
        }
    }
    found.into_values().collect()
}

/// The template that a template extends.
fn extends(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    let (_, rest) = text.split_once("{% extends \"")?;
    Some(rest.split_once('"')?.0.to_owned())
}
