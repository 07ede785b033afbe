//! Objects and pages that belong to one account, asked for by another and by nobody; fields that no form has.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::call::{Answer, Body, Call};
use super::crawl::crawl;
use super::engine::{Engine, NOBODY, Stop};
use super::finding::LiveFinding;
use super::inject::{put, refreshed};
use super::route::{Route, field_names, is_id, is_password};
use crate::scan::Confidence;

/// The most pages of one visitor that are compared.
const PAGES: usize = 80;

pub(super) async fn run(engine: &mut Engine) -> Result<(), Stop> {
    if engine.visitors.len() > 1 {
        own_pages(engine).await?;
        if engine.visitors.len() > 2 {
            objects(engine).await?;
        }
    }
    assignment(engine).await
}

/// The addresses that a visitor is led to by links.
async fn linked(engine: &mut Engine, who: usize) -> Result<BTreeSet<String>, Stop> {
    let before = engine.options.max_pages;
    engine.options.max_pages = PAGES;
    let found = crawl(engine, who, &["/".to_owned()]).await;
    engine.options.max_pages = before;
    Ok(found?.pages.into_iter().collect())
}

/// Pages with the account's own name that nobody is led to and everybody can read.
async fn own_pages(engine: &mut Engine) -> Result<(), Stop> {
    let name = engine.visitor(engine.me).name.clone();
    if name.len() < 5 {
        return Ok(());
    }
    let open = linked(engine, NOBODY).await?;
    let mine: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| {
            route.call.method == "GET"
                && route.danger.is_none()
                && !open.contains(&route.call.target())
        })
        .take(PAGES)
        .cloned()
        .collect();
    for route in mine {
        // The name in the address is an echo, not a record.
        if route.call.target().contains(&name) {
            continue;
        }
        let own = engine.send(engine.me, &route.call).await?;
        if !own.is_success() || !own.text.contains(&name) {
            continue;
        }
        let nobody = engine.send(NOBODY, &route.call).await?;
        if nobody.is_success() && nobody.text.contains(&name) {
            let is_record = nobody.json().is_some();
            if is_record {
                let finding = LiveFinding::of("live-missing-access-check", "GET", &route.pattern)
                    .confidence(Confidence::Likely);
                engine.prove(finding, &route.call, &nobody, &name);
            }
        }
    }
    Ok(())
}

/// A marker in an object of one account, read by another account and by nobody.
async fn objects(engine: &mut Engine) -> Result<(), Stop> {
    let (owner, other) = (1, 2);
    let marker = plant(engine, owner).await?;
    let Some(marker) = marker else { return Ok(()) };
    let owned = linked(engine, owner).await?;
    let mut shown: Vec<(String, Answer)> = Vec::new();
    for target in owned.iter().take(PAGES) {
        let answer = engine.send(owner, &Call::get(target)).await?;
        if answer.text.contains(&marker) && has_id(target) {
            shown.push((target.clone(), answer));
        }
    }
    if shown.is_empty() {
        return Ok(());
    }
    let led = linked(engine, other).await?;
    let open = linked(engine, NOBODY).await?;
    for (target, _) in shown {
        let route = Route::new(Call::get(&target), owner);
        for (who, id, links) in [
            (NOBODY, "live-missing-access-check", &open),
            (other, "live-object-access", &led),
        ] {
            // A page that everybody is led to is meant for everybody.
            if links.contains(&target) {
                continue;
            }
            let answer = engine.send(who, &route.call).await?;
            if answer.is_success() && answer.text.contains(&marker) {
                let (place, name) = id_of(&route);
                let finding = LiveFinding::of(id, "GET", &route.pattern)
                    .at(place, &name)
                    .note(format!(
                        "the marker {marker} was written by another account"
                    ));
                engine.prove(finding, &route.call, &answer, &marker);
                break;
            }
        }
    }
    Ok(())
}

fn has_id(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    path.split('/').any(is_id)
        || query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .any(|(_, value)| is_id(value))
}

fn id_of(route: &Route) -> (&'static str, String) {
    match route.segments.last() {
        Some(index) => ("path", format!("segment {index}")),
        None => (
            "query",
            route
                .call
                .query
                .iter()
                .find(|(_, value)| is_id(value))
                .map(|(name, _)| name.clone())
                .unwrap_or_default(),
        ),
    }
}

/// Writes one marker into every form of an account that takes a text.
async fn plant(engine: &mut Engine, who: usize) -> Result<Option<String>, Stop> {
    let marker = engine.marker();
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| route.call.is_write() && route.danger.is_none() && !route.takes_password())
        .take(30)
        .cloned()
        .collect();
    let mut is_written = false;
    for route in routes {
        let mut call = refreshed(engine, &route, who).await?;
        for name in field_names(&call) {
            let is_free = route.form.as_ref().is_none_or(|form| {
                form.fields.iter().any(|field| {
                    field.name == name && matches!(field.kind.as_str(), "text" | "textarea")
                })
            });
            if is_free && !is_password(&name) {
                put(&mut call, &name, &marker);
            }
        }
        engine.announce(&call);
        let answer = engine.send(who, &call).await?;
        is_written |= answer.status != 0 && answer.status < 400;
    }
    Ok(is_written.then_some(marker))
}

/// Fields of records that an account must not set itself.
const RIGHTS: [&str; 16] = [
    "admin",
    "is_admin",
    "isadmin",
    "role",
    "roles",
    "staff",
    "is_staff",
    "superuser",
    "is_superuser",
    "permissions",
    "permission",
    "balance",
    "credit",
    "verified",
    "level",
    "plan",
];

async fn assignment(engine: &mut Engine) -> Result<(), Stop> {
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| {
            matches!(route.call.method.as_str(), "POST" | "PUT" | "PATCH") && route.danger.is_none()
        })
        .take(40)
        .cloned()
        .collect();
    for route in routes {
        fields_of(engine, &route).await?;
    }
    Ok(())
}

async fn fields_of(engine: &mut Engine, route: &Route) -> Result<(), Stop> {
    let who = engine.me;
    let Some((record, _, _)) = write(engine, route, who, &[]).await? else {
        return Ok(());
    };
    let sent = field_names(&route.call);
    for (name, value) in &record {
        let lower = name.to_lowercase();
        if sent.contains(name) || !RIGHTS.contains(&lower.as_str()) {
            continue;
        }
        let wanted = match value {
            Value::Bool(is) => json!(!is),
            Value::Number(_) => json!(4713),
            Value::String(text) if text == "admin" => json!("zqrole"),
            Value::String(_) | Value::Null => json!("admin"),
            Value::Array(_) | Value::Object(_) => continue,
        };
        let Some((after, call, answer)) =
            write(engine, route, who, &[(name.clone(), wanted.clone())]).await?
        else {
            continue;
        };
        if after.get(name) == Some(&wanted) && value != &wanted {
            let finding =
                LiveFinding::of("live-mass-assignment", &route.call.method, &route.pattern)
                    .at("json", name)
                    .note(format!("without the field the record has {name}: {value}"));
            engine.prove(finding, &call, &answer, name);
        }
    }
    Ok(())
}

type Record = Map<String, Value>;

/// Writes a record with a new marker and more fields; the record that comes back.
async fn write(
    engine: &mut Engine,
    route: &Route,
    who: usize,
    more: &[(String, Value)],
) -> Result<Option<(Record, Call, Answer)>, Stop> {
    let marker = engine.marker();
    let mut call = refreshed(engine, route, who).await?;
    let Some(field) = field_names(&call).into_iter().find(|name| {
        !is_password(name)
            && !name.to_lowercase().contains("mail")
            && !name.to_lowercase().contains("token")
    }) else {
        return Ok(None);
    };
    put(&mut call, &field, &marker);
    for name in field_names(&call) {
        if name.to_lowercase().contains("mail") {
            put(&mut call, &name, &format!("{marker}@example.com"));
        }
    }
    for (name, value) in more {
        match &mut call.body {
            Body::Json(Value::Object(fields)) => drop(fields.insert(name.clone(), value.clone())),
            Body::Form(pairs) => pairs.push((
                name.clone(),
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
            )),
            Body::Json(_) | Body::Multipart(_) | Body::None | Body::Raw(..) => {}
        }
    }
    engine.announce(&call);
    let answer = engine.send(who, &call).await?;
    if answer.status == 0 || answer.status >= 400 {
        return Ok(None);
    }
    if let Some(record) = answer.json().and_then(|json| find(&json, &marker, 0)) {
        return Ok(Some((record, call, answer)));
    }
    for target in super::inject::again(engine).into_iter().take(25) {
        let page = engine.send(who, &Call::get(&target)).await?;
        if let Some(record) = page.json().and_then(|json| find(&json, &marker, 0)) {
            return Ok(Some((record, call, page)));
        }
    }
    Ok(None)
}

/// The smallest object with this text.
fn find(json: &Value, marker: &str, depth: usize) -> Option<Record> {
    if depth > 8 {
        return None;
    }
    match json {
        Value::Array(items) => items.iter().find_map(|item| find(item, marker, depth + 1)),
        Value::Object(fields) => fields
            .values()
            .filter(|value| value.is_object() || value.is_array())
            .find_map(|value| find(value, marker, depth + 1))
            .or_else(|| {
                fields
                    .values()
                    .any(|value| value.as_str() == Some(marker))
                    .then(|| fields.clone())
            }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
