//! Attacks every place of a request that a visitor controls: first with a harmless marker, then with what fits.

mod commands;
mod deserialize;
mod files;
mod nosql;
mod redirect;
mod remote;
mod sql;
mod stored;
mod template;
mod timing;
mod xml;
mod xss;

pub(super) use files::is_source;
pub(super) use stored::again;

use super::call::{Answer, Body, Call};
use super::compare::{Print, print};
use super::crawl::filled;
use super::dom;
use super::engine::{Engine, Stop};
use super::point::{HEADERS, Point, points};
use super::route::Route;

/// A place under attack.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) route: Route,
    pub(super) point: Point,
    pub(super) who: usize,
    /// The value that an ordinary request has there.
    pub(super) value: String,
    /// The answer to an ordinary request.
    pub(super) base: Answer,
    pub(super) print: Print,
    /// The form has to be read before each request, because its token is valid once.
    pub(super) fresh: bool,
}

impl Spot {
    /// Sends a text at this place.
    pub(super) async fn attack(
        &self,
        engine: &mut Engine,
        text: &str,
    ) -> Result<(Call, Answer), Stop> {
        let base = self.call(engine).await?;
        let call = self.point.with(&base, text);
        let answer = engine.send(self.who, &call).await?;
        Ok((call, answer))
    }

    /// The ordinary request, with a fresh token if it needs one.
    pub(super) async fn call(&self, engine: &mut Engine) -> Result<Call, Stop> {
        if self.fresh {
            return refreshed(engine, &self.route, self.who).await;
        }
        Ok(self.route.call.clone())
    }

    pub(super) fn report(
        &self,
        engine: &mut Engine,
        id: &str,
        call: &Call,
        answer: &Answer,
        shows: &str,
    ) {
        engine.report(id, &self.route, &self.point, call, answer, shows);
    }

    pub(super) fn is_found(&self, engine: &Engine, id: &str) -> bool {
        engine.findings.has(
            id,
            &self.route.call.method,
            &self.route.pattern,
            &self.route.parameter(&self.point),
        )
    }

    /// A victim's browser sends what the attacker wants there.
    pub(super) const fn is_reachable(&self) -> bool {
        !matches!(self.point, Point::Header(_) | Point::Cookie(_))
    }
}

/// The request of a form with its hidden fields read again.
pub(super) async fn refreshed(
    engine: &mut Engine,
    route: &Route,
    who: usize,
) -> Result<Call, Stop> {
    let (Some(page), Some(form)) = (&route.page, &route.form) else {
        return Ok(route.call.clone());
    };
    let answer = engine.visit(who, &Call::get(page)).await?;
    let read = dom::read(&answer.text);
    let same = read.forms.iter().find(|other| {
        other.method == form.method
            && other.action == form.action
            && other.fields.len() == form.fields.len()
    });
    let mut call = route.call.clone();
    let Some(same) = same else { return Ok(call) };
    for field in same
        .fields
        .iter()
        .filter(|field| field.kind == "hidden" && !field.value.is_empty())
    {
        put(&mut call, &field.name, &filled(field));
    }
    Ok(call)
}

/// Sets a field of the body.
pub(super) fn put(call: &mut Call, name: &str, text: &str) {
    match &mut call.body {
        Body::Form(pairs) => {
            for (_, value) in pairs.iter_mut().filter(|(known, _)| known == name) {
                text.clone_into(value);
            }
        }
        Body::Multipart(parts) => {
            for part in parts.iter_mut().filter(|part| part.name == name) {
                part.content = text.as_bytes().to_vec();
            }
        }
        Body::Json(serde_json::Value::Object(fields)) => {
            if let Some(value) = fields.get_mut(name) {
                *value = serde_json::Value::String(text.to_owned());
            }
        }
        Body::Json(_) | Body::None | Body::Raw(..) => {}
    }
}

/// Attacks all known routes.
pub(super) async fn all(engine: &mut Engine) -> Result<(), Stop> {
    let mut done = std::collections::BTreeSet::new();
    // The audit also attacks what an attack finds: a link in a new page.
    for _ in 0..3 {
        let routes: Vec<Route> = engine
            .routes
            .iter()
            .filter(|route| !done.contains(&route.key()))
            .cloned()
            .collect();
        if routes.is_empty() {
            break;
        }
        for route in routes {
            done.insert(route.key());
            if route.danger.is_some() && !engine.options.dangerous_destructive {
                continue;
            }
            one(engine, route).await?;
        }
    }
    Ok(())
}

async fn one(engine: &mut Engine, mut route: Route) -> Result<(), Stop> {
    let who = engine.me;
    super::sessions::keep(engine, who).await?;
    engine.announce(&route.call);
    route.call = refreshed(engine, &route, who).await?;
    let mut base = engine.send(who, &route.call.clone()).await?;
    let mut fresh = false;
    if matches!(base.status, 400 | 401 | 403 | 419 | 422) && route.page.is_some() {
        fresh = true;
        route.call = refreshed(engine, &route, who).await?;
        base = engine.send(who, &route.call.clone()).await?;
    }
    let mut places = points(&route.call, &route.segments);
    places.extend(cookie_points(engine, who, &route));
    if route.call.method == "GET" && is_first_of_kind(engine, &route) {
        places.extend(HEADERS.iter().map(|name| Point::Header((*name).to_owned())));
    }
    for point in places {
        if is_token(&route, &point) {
            continue;
        }
        *engine.coverage.parameters.entry(point.place()).or_default() += 1;
        let print = print(&route.call, &base);
        let value = point.value(&route.call);
        let spot = Spot {
            route: route.clone(),
            point,
            who,
            value,
            base: base.clone(),
            print,
            fresh,
        };
        attack(engine, &spot).await?;
    }
    nosql::operators(engine, &route, who, &base, fresh).await?;
    if route.call.is_write() || !route.call.query.is_empty() {
        stored::plant(engine, &route, who, fresh).await?;
    }
    Ok(())
}

/// The token of a form is no place for attacks: everything else would be refused with it.
fn is_token(route: &Route, point: &Point) -> bool {
    let name = route.parameter(point).to_ascii_lowercase();
    let hidden = route.form.as_ref().is_some_and(|form| {
        form.fields.iter().any(|field| {
            field.name == route.parameter(point)
                && field.kind == "hidden"
                && field.value.len() >= 16
        })
    });
    let named = [
        "csrf",
        "xsrf",
        "authenticity",
        "__requestverification",
        "nonce",
    ]
    .iter()
    .any(|word| name.contains(word));
    named || (hidden && name.contains("token"))
}

/// Cookies that are not the session's: one pattern is enough.
fn cookie_points(engine: &Engine, who: usize, route: &Route) -> Vec<Point> {
    let is_start = route.call.method == "GET" && is_first_of_kind(engine, route);
    if !is_start {
        return Vec::new();
    }
    engine
        .visitor(who)
        .jar
        .keys()
        .take(8)
        .map(|name| Point::Cookie(name.clone()))
        .collect()
}

/// Headers are read by few routes: the first ones and the page for what is not found.
fn is_first_of_kind(engine: &Engine, route: &Route) -> bool {
    let mut gets = engine
        .routes
        .iter()
        .filter(|other| other.call.method == "GET" && other.call.query.is_empty());
    let place = gets.position(|other| other.key() == route.key());
    place.is_some_and(|place| place < 25) || route.pattern == super::surroundings::NOT_FOUND
}

async fn attack(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    let marker = engine.marker();
    let (_, echo) = spot
        .attack(engine, &format!("{}{marker}", short(&spot.value)))
        .await?;
    let is_echoed = echo.text.contains(&marker)
        || echo
            .headers
            .values()
            .any(|value| String::from_utf8_lossy(value.as_bytes()).contains(&marker));
    if is_echoed {
        xss::reflected(engine, spot, &marker, &echo).await?;
    }
    let is_header = matches!(spot.point, Point::Header(_));
    template::run(engine, spot, is_echoed).await?;
    sql::run(engine, spot).await?;
    redirect::run(engine, spot).await?;
    if is_header {
        return Ok(());
    }
    redirect::split(engine, spot).await?;
    commands::run(engine, spot).await?;
    files::run(engine, spot).await?;
    remote::run(engine, spot).await?;
    xml::run(engine, spot).await?;
    deserialize::run(engine, spot).await
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
