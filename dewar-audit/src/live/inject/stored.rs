//! Values that come back on another page: after each write all known and new pages are read again.

use std::collections::BTreeSet;

use super::refreshed;
use crate::live::call::{Answer, Call};
use crate::live::crawl::add_route;
use crate::live::dom::{executes, read};
use crate::live::engine::{Engine, Stop};
use crate::live::finding::LiveFinding;
use crate::live::point::{Point, points};
use crate::live::route::{Route, danger};

/// The most pages that are read after one write.
const AGAIN: usize = 40;

/// A text that was stored: where, and what it may do.
#[derive(Debug)]
struct Planted {
    point: Point,
    marker: String,
    result: String,
    call: Call,
}

/// Sends a form with a marker in each field, then looks for the markers.
pub(super) async fn plant(
    engine: &mut Engine,
    route: &Route,
    who: usize,
    fresh: bool,
) -> Result<(), Stop> {
    let places: Vec<Point> = points(&route.call, &[])
        .into_iter()
        .filter(|point| {
            !matches!(point, Point::FileContent(_) | Point::Path(_))
                && !super::is_token(route, point)
        })
        .filter(|point| {
            !route
                .form
                .as_ref()
                .is_some_and(|form| is_fixed(form, &route.parameter(point)))
        })
        .take(12)
        .collect();
    // A quote may break the statement that stores the text.
    for form in ["zq'\"><M x=1>{{A*B}}", "zq<M x=1>"] {
        for point in &places {
            let planted = send(engine, route, who, fresh, point, form).await?;
            let Some((planted, answer)) = planted else {
                continue;
            };
            if look(engine, route, who, &planted, &answer).await? {
                break;
            }
        }
    }
    Ok(())
}

/// A choice or a password is not shown again.
fn is_fixed(form: &crate::live::dom::Form, name: &str) -> bool {
    form.fields.iter().any(|field| {
        field.name == name
            && matches!(
                field.kind.as_str(),
                "password" | "select" | "radio" | "checkbox" | "submit" | "number"
            )
    })
}

async fn send(
    engine: &mut Engine,
    route: &Route,
    who: usize,
    fresh: bool,
    point: &Point,
    form: &str,
) -> Result<Option<(Planted, Answer)>, Stop> {
    let marker = engine.marker();
    let (left, right, result) = engine.factors();
    let text = form
        .replace('M', &marker)
        .replace('A', &left.to_string())
        .replace('B', &right.to_string());
    let base = if fresh {
        refreshed(engine, route, who).await?
    } else {
        route.call.clone()
    };
    let call = point.with(&base, &text);
    let answer = engine.send(who, &call).await?;
    let is_taken = answer.status != 0 && answer.status < 400;
    Ok(is_taken.then_some((
        Planted {
            point: point.clone(),
            marker,
            result,
            call,
        },
        answer,
    )))
}

/// Reads the pages again; whether the marker ran somewhere.
async fn look(
    engine: &mut Engine,
    route: &Route,
    who: usize,
    planted: &Planted,
    answer: &Answer,
) -> Result<bool, Stop> {
    let mut pages = Vec::new();
    if answer.is_redirect()
        && let Some(next) = engine
            .target()
            .local(&route.call.path, answer.header("location"))
    {
        pages.push(next);
    }
    pages.extend(route.page.clone());
    pages.extend(again(engine));
    let mut read_already = BTreeSet::new();
    let mut at = 0;
    while let Some(target) = pages.get(at).cloned() {
        at += 1;
        if read_already.len() >= AGAIN
            || danger(&target, "").is_some()
            || !read_already.insert(target.clone())
        {
            continue;
        }
        let call = Call::get(&target);
        let page = engine.send(who, &call).await?;
        if !page.text.contains(&planted.marker) && !page.text.contains(&planted.result) {
            continue;
        }
        if route
            .call
            .query
            .iter()
            .any(|(_, value)| page.text.contains(value.as_str()) && value.contains("zq"))
            && target == planted.call.target()
        {
            continue;
        }
        follow_new(engine, who, &target, &page, &mut pages);
        if shows(engine, route, planted, &target, &page) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The pages to read after a write.
pub(in crate::live) fn again(engine: &Engine) -> Vec<String> {
    let mut all: Vec<String> = engine
        .routes
        .iter()
        .filter(|route| route.call.method == "GET" && route.danger.is_none() && !route.is_guess)
        .map(|route| route.call.target())
        .collect();
    all.truncate(AGAIN);
    all
}

/// The links of a page on which a write shows may be new.
fn follow_new(
    engine: &mut Engine,
    who: usize,
    target: &str,
    page: &Answer,
    pages: &mut Vec<String>,
) {
    for link in read(&page.text).links.into_iter().take(100) {
        if let Some(next) = engine.target().local(target, &link.href)
            && danger(&next, &link.text.to_lowercase()).is_none()
            && !pages.contains(&next)
            && pages.len() < 200
        {
            add_route(engine, Route::new(Call::get(&next), who));
            pages.push(next);
        }
    }
}

fn shows(
    engine: &mut Engine,
    route: &Route,
    planted: &Planted,
    target: &str,
    page: &Answer,
) -> bool {
    let name = route.parameter(&planted.point);
    let of = |id: &str| {
        LiveFinding::of(id, &route.call.method, &route.pattern)
            .at(planted.point.place(), &name)
            .note(format!("shown at {target}"))
    };
    let mut is_found = false;
    if page.text.contains(&planted.result) {
        engine.prove(
            of("live-template-injection"),
            &planted.call,
            page,
            &planted.result,
        );
        is_found = true;
    }
    if page.is_page()
        && !page.is_attachment()
        && let Some(how) = executes(&page.text, &planted.marker)
    {
        let finding = of("live-xss-stored").note(format!("the marker runs {how}"));
        engine.prove(finding, &planted.call, page, &planted.marker);
        is_found = true;
    }
    if !route.call.is_write() && page.text.contains(&planted.marker) {
        let finding = LiveFinding::of("live-csrf-get", &route.call.method, &route.pattern)
            .at(planted.point.place(), &name);
        engine.prove(
            finding.note(format!("shown at {target}")),
            &planted.call,
            page,
            &planted.marker,
        );
    }
    is_found
}
