//! Requests as another site's page would make them, judged by what they change.

use dewar::audit::Severity;

use super::call::{Answer, Body, Call};
use super::compare::print;
use super::engine::{Engine, NOBODY, Stop};
use super::finding::LiveFinding;
use super::inject::{again, put, refreshed};
use super::options::Account;
use super::route::{Route, field_names, is_password};
use super::sessions::{attempt, fill, is_accepted, is_sign_up, sign_in_routes};
use crate::scan::Confidence;

/// The most pages that are read to see a change.
const PAGES: usize = 15;

pub(super) async fn run(engine: &mut Engine) -> Result<(), Stop> {
    let who = engine.me;
    sign_in(engine).await?;
    // A token in a header is sent by scripts of the own site only.
    let visitor = engine.visitor(who);
    if who != NOBODY && visitor.jar.is_empty() {
        return Ok(());
    }
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| {
            route.call.method == "POST"
                && (route.danger.is_none() || engine.options.dangerous_destructive)
        })
        .cloned()
        .collect();
    for route in routes {
        if sign_in_routes(engine)
            .iter()
            .any(|other| other.key() == route.key())
        {
            continue;
        }
        one(engine, &route, who).await?;
    }
    Ok(())
}

/// The request as a page elsewhere makes it: without a token, with another origin, and with a type that needs no permission.
fn forged(route: &Route, call: &Call) -> Call {
    let mut call = call.clone();
    match &mut call.body {
        Body::Form(pairs) => pairs.retain(|(name, _)| !is_token(route, name)),
        Body::Multipart(parts) => parts.retain(|part| !is_token(route, &part.name)),
        Body::Json(value) => {
            let text = value.to_string();
            call.body = Body::Raw("text/plain".to_owned(), text.into_bytes());
        }
        Body::None | Body::Raw(..) => {}
    }
    call.headers.retain(|(name, _)| {
        !name.to_lowercase().contains("csrf") && !name.to_lowercase().contains("xsrf")
    });
    call.with_header("Origin", "https://zqother.example")
        .with_header("Referer", "https://zqother.example/page")
        .with_header("Sec-Fetch-Site", "cross-site")
}

fn is_token(route: &Route, name: &str) -> bool {
    let lower = name.to_lowercase();
    let is_named = ["csrf", "xsrf", "authenticity", "nonce", "token"]
        .iter()
        .any(|word| lower.contains(word));
    let is_hidden = route.form.as_ref().is_some_and(|form| {
        form.fields
            .iter()
            .any(|field| field.name == name && field.kind == "hidden" && field.value.len() >= 16)
    });
    is_named || is_hidden
}

async fn one(engine: &mut Engine, route: &Route, who: usize) -> Result<(), Stop> {
    let field = text_field(route);
    let mut own = refreshed(engine, route, who).await?;
    let first = engine.marker();
    if let Some(field) = &field {
        put(&mut own, field, &first);
    }
    engine.announce(&own);
    let done = engine.send(who, &own).await?;
    if done.status == 0 || done.status >= 400 || super::sessions::is_refusal(&done) {
        return Ok(());
    }
    let mut call = forged(route, &refreshed(engine, route, who).await?);
    let second = engine.marker();
    replace(&mut call, field.as_deref(), &first, &second);
    let answer = engine.send(who, &call).await?;
    if answer.status == 0 || answer.status >= 400 {
        return Ok(());
    }
    let (own_seen, other_seen) =
        seen(engine, route, who, [&done, &answer], [&first, &second]).await?;
    let same = print(&call, &answer).is_same(&print(&own, &done));
    let has_token = field_names(&own).iter().any(|name| is_token(route, name));
    // Without a page that shows the change: a form that is shown again may have been refused both times.
    let is_plausible =
        same && (done.is_redirect() || (!has_token && !shows_form_again(route, &done)));
    let confidence = match (own_seen, other_seen) {
        (true, true) => Confidence::Proved,
        (true, false) => return Ok(()),
        (false, _) if is_plausible => Confidence::Likely,
        (false, _) => return Ok(()),
    };
    add(engine, route, &call, &answer, confidence, who);
    Ok(())
}

fn add(
    engine: &mut Engine,
    route: &Route,
    call: &Call,
    answer: &Answer,
    confidence: Confidence,
    who: usize,
) {
    let id = if is_sign_up(route) {
        "live-csrf-sign-in"
    } else {
        "live-csrf"
    };
    let mut finding = LiveFinding::of(id, &route.call.method, &route.pattern)
        .confidence(confidence)
        .note("the request had no token, and the origin of another site");
    if who == NOBODY {
        finding = finding
            .severity(Severity::Low)
            .note("nobody is signed in, so it is done in nobody's name");
    } else if is_held_by_cookie(engine, who) {
        finding = finding
            .severity(Severity::Low)
            .note("only SameSite of the session cookie stands against it");
    }
    engine.prove(finding, call, answer, "");
}

/// Whether browsers withhold the session cookie from requests of other sites.
fn is_held_by_cookie(engine: &Engine, who: usize) -> bool {
    let visitor = engine.visitor(who);
    let mut held = visitor
        .jar
        .keys()
        .filter_map(|name| engine.cookies.get(name))
        .map(|seen| {
            let line = seen.line.to_lowercase();
            line.contains("samesite=lax") || line.contains("samesite=strict")
        });
    held.clone().count() > 0 && held.all(|is_held| is_held)
}

fn text_field(route: &Route) -> Option<String> {
    let names = field_names(&route.call);
    let is_free = |name: &str| {
        route.form.as_ref().is_none_or(|form| {
            form.fields.iter().any(|field| {
                field.name == name && matches!(field.kind.as_str(), "text" | "textarea" | "search")
            })
        })
    };
    names.into_iter().find(|name| {
        is_free(name)
            && !is_password(name)
            && !is_token(route, name)
            && !name.to_lowercase().contains("mail")
    })
}

fn replace(call: &mut Call, field: Option<&str>, first: &str, second: &str) {
    if let Some(field) = field {
        put(call, field, second);
    }
    if let Body::Raw(_, bytes) = &mut call.body {
        *bytes = String::from_utf8_lossy(bytes)
            .replace(first, second)
            .into_bytes();
    }
}

/// Whether each marker shows on a page.
async fn seen(
    engine: &mut Engine,
    route: &Route,
    who: usize,
    answers: [&Answer; 2],
    markers: [&String; 2],
) -> Result<(bool, bool), Stop> {
    let mut pages: Vec<String> = answers
        .iter()
        .filter(|answer| answer.is_redirect())
        .filter_map(|answer| {
            engine
                .target()
                .local(&route.call.path, answer.header("location"))
        })
        .collect();
    pages.extend(route.page.clone());
    pages.extend(again(engine).into_iter().take(PAGES));
    let [first, second] = markers;
    let (mut own, mut other) = (false, false);
    for target in pages {
        if own && other {
            break;
        }
        let page = engine.send(who, &Call::get(&target)).await?;
        own |= page.text.contains(first.as_str());
        other |= page.text.contains(second.as_str());
    }
    Ok((own, other))
}

fn shows_form_again(route: &Route, answer: &Answer) -> bool {
    route.form.is_some() && answer.is_page() && answer.text.to_lowercase().contains("<form")
}

/// A page elsewhere that signs the visitor in.
async fn sign_in(engine: &mut Engine) -> Result<(), Stop> {
    let Some(account) = engine
        .visitors
        .iter()
        .find_map(|visitor| visitor.account.clone())
    else {
        return Ok(());
    };
    for route in sign_in_routes(engine).into_iter().take(1) {
        if route.call.method != "POST" {
            continue;
        }
        let mut call = refreshed(engine, &route, NOBODY).await?;
        fill(
            &mut call,
            &route,
            &Account::new(account.name.clone(), account.password.clone()),
        );
        let call = forged(&route, &call);
        let answer = engine.send(NOBODY, &call).await?;
        let (_, right, _) = attempt(engine, &route, &account).await?;
        let is_in = is_accepted(engine, &route, &call, &answer).await?
            && print(&call, &answer).likeness(&print(&call, &right)) >= 90;
        let sets_cookie = !answer.all("set-cookie").is_empty();
        if is_in && sets_cookie {
            let finding = LiveFinding::of("live-csrf-sign-in", "POST", &route.pattern);
            engine.prove(finding, &call, &answer, "");
        }
    }
    Ok(())
}
