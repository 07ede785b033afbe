//! Finds pages, forms and the requests of scripts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::call::{Answer, Body, Call, Part, read_pairs};
use super::dom::{self, Field, Form};
use super::engine::{Engine, Stop};
use super::openapi;
use super::route::{Route, danger, is_id, is_password, pattern};
use super::script::{self, ScriptCall, Token};

const SEEDS: [&str; 4] = ["/", "/robots.txt", "/sitemap.xml", "/sitemap_index.xml"];

/// The most routes of an audit.
const ROUTES: usize = 400;

/// The most bytes of a page that are parsed.
const PARSED: usize = 400_000;

/// A crawl by one visitor.
#[derive(Debug, Default)]
pub(super) struct Crawl {
    queue: VecDeque<String>,
    queued: BTreeSet<String>,
    /// How many addresses of one shape were read.
    shapes: BTreeMap<String, usize>,
    parents: BTreeMap<String, usize>,
    scripts: BTreeSet<String>,
    /// The pages that were read, in order.
    pub(super) pages: Vec<String>,
}

/// Reads everything that this visitor can reach by links.
pub(super) async fn crawl(engine: &mut Engine, who: usize, from: &[String]) -> Result<Crawl, Stop> {
    let mut crawl = Crawl::default();
    let start = engine.target().start.clone();
    crawl.add(&start);
    if from.is_empty() {
        SEEDS.iter().for_each(|seed| crawl.add(seed));
        engine
            .options
            .seeds
            .clone()
            .iter()
            .for_each(|seed| crawl.add(seed));
        let known: Vec<String> = engine
            .routes
            .iter()
            .filter(|route| route.call.method == "GET" && route.danger.is_none())
            .map(|route| route.call.target())
            .collect();
        known.iter().for_each(|target| crawl.add(target));
    }
    from.iter().for_each(|target| crawl.add(target));
    while let Some(target) = crawl.queue.pop_front() {
        if crawl.pages.len() >= engine.options.max_pages {
            engine
                .coverage
                .skipped
                .insert("pages beyond the limit of the crawl".to_owned());
            break;
        }
        let answer = engine.visit(who, &Call::get(&target)).await?;
        if answer.status == 0 {
            continue;
        }
        crawl.pages.push(target.clone());
        crawl.read(engine, who, &target, &answer).await?;
    }
    Ok(crawl)
}

impl Crawl {
    fn add(&mut self, target: &str) {
        let target = target.split('#').next().unwrap_or_default();
        if target.len() > 600 || !target.starts_with('/') || !self.queued.insert(target.to_owned())
        {
            return;
        }
        let shape = shape(target);
        let names = shape.split('=').next().unwrap_or_default().to_owned();
        let seen = self.shapes.entry(shape).or_default();
        *seen += 1;
        let alike = *seen;
        let family = self.shapes.entry(format!("family {names}")).or_default();
        *family += 1;
        let (parent, last) = target.rsplit_once('/').unwrap_or_default();
        let siblings = self.parents.entry(parent.to_owned()).or_default();
        *siblings += 1;
        let most = if is_id(last) { 3 } else { 40 };
        // A page with an id is read three times at most, and one query of numbers once.
        if alike <= 1 && *family <= 6 || *siblings <= most && !target.contains('?') {
            self.queue.push_back(target.to_owned());
        }
    }

    async fn read(
        &mut self,
        engine: &mut Engine,
        who: usize,
        target: &str,
        answer: &Answer,
    ) -> Result<(), Stop> {
        if answer.status == 404 && !answer.is_page() {
            return Ok(());
        }
        if answer.is_redirect() {
            self.link(engine, who, target, answer.header("location"), "");
        }
        let text: String = answer.text.chars().take(PARSED).collect();
        if target.starts_with("/robots.txt") || target.starts_with("/sitemap") {
            self.read_lists(engine, who, target, &text);
            return Ok(());
        }
        if let Some(json) = answer.json() {
            if let Some(routes) = openapi::routes(&json) {
                engine.coverage.notes.push(format!(
                    "an OpenAPI document at {target} names {} requests",
                    routes.len()
                ));
                for call in routes {
                    add_route(engine, Route::new(call, who));
                }
            } else {
                self.read_json(engine, who, target, &json);
            }
        } else if answer.is_page() {
            self.read_page(engine, who, target, &text, answer).await?;
        } else if answer.kind().contains("javascript") {
            self.read_script(engine, who, target, &text);
        } else if answer.is_success() {
            self.read_text(engine, who, target, &text);
        }
        if answer.is_success() && answer.status != 204 {
            add_route(engine, Route::new(Call::get(target), who));
        }
        Ok(())
    }

    fn read_lists(&mut self, engine: &mut Engine, who: usize, target: &str, text: &str) {
        for line in text.lines().take(2000) {
            if let Some((name, value)) = line.split_once(':')
                && matches!(
                    name.trim().to_ascii_lowercase().as_str(),
                    "allow" | "disallow"
                )
                && !value.contains(['*', '$'])
            {
                self.link(engine, who, "/", value.trim(), "");
            }
        }
        for part in text.split("<loc>").skip(1).take(500) {
            let link = part.split("</loc>").next().unwrap_or_default();
            self.link(engine, who, target, link, "");
        }
    }

    async fn read_page(
        &mut self,
        engine: &mut Engine,
        who: usize,
        target: &str,
        text: &str,
        answer: &Answer,
    ) -> Result<(), Stop> {
        let page = dom::read(text);
        for link in &page.links {
            self.link(engine, who, target, &link.href, &link.text);
        }
        for form in &page.forms {
            add_form(engine, who, target, form);
        }
        for script in &page.scripts {
            self.read_script(engine, who, target, script);
            super::passive::dom_flow(engine, target, script, answer);
        }
        for source in &page.sources {
            let Some(address) = engine.target().local(target, source) else {
                continue;
            };
            if self.scripts.len() < 20 && self.scripts.insert(address.clone()) {
                let script = engine.visit(who, &Call::get(&address)).await?;
                if script.is_success() {
                    let text: String = script.text.chars().take(PARSED).collect();
                    self.read_script(engine, who, target, &text);
                    super::passive::dom_flow(engine, &address, &text, &script);
                }
            }
        }
        // An error page is full of paths of files.
        if answer.is_success() {
            self.read_text(engine, who, target, &strip_tags(text));
        }
        Ok(())
    }

    fn read_script(&mut self, engine: &mut Engine, who: usize, target: &str, text: &str) {
        for call in script::calls(text) {
            if let Some(call) = of_script(engine, target, &call) {
                if call.method == "GET" {
                    self.link(engine, who, target, &call.target(), "");
                }
                add_route(engine, Route::new(call, who));
            }
        }
        for token in script::tokens(text) {
            if let Token::Text(link) = token
                && link.starts_with('/')
                && link.len() > 1
                && link
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/_-.?=&{}".contains(c))
                && !link.starts_with("//")
            {
                self.link(engine, who, target, &link, "");
            }
        }
    }

    fn read_json(&mut self, engine: &mut Engine, who: usize, target: &str, json: &Value) {
        let mut texts = Vec::new();
        strings(json, &mut texts);
        for text in texts {
            if text.starts_with('/') || text.starts_with("http://") || text.starts_with("https://")
            {
                self.link(engine, who, target, &text, "");
            }
        }
    }

    /// Words of a text that look like paths: a list of routes, a page of documentation.
    fn read_text(&mut self, engine: &mut Engine, who: usize, target: &str, text: &str) {
        let mut found = 0_usize;
        let words = text.split(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '(' | ')' | '[' | ']')
        });
        for word in words.take(20_000) {
            let word = word.replace("&lt;", "<").replace("&gt;", ">");
            let is_path = word.starts_with('/')
                && !word.starts_with("//")
                && word.len() > 2
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/_-.<>{}:?=&".contains(c))
                && word.chars().any(|c| c.is_ascii_alphabetic());
            if is_path && !word.starts_with("/>") {
                found += 1;
                if found > 150 {
                    break;
                }
                self.link(engine, who, target, word.trim_end_matches(['.', ':']), "");
            }
        }
    }

    fn link(&mut self, engine: &mut Engine, who: usize, base: &str, link: &str, words: &str) {
        let lower = link.trim().to_ascii_lowercase();
        if ["javascript:", "mailto:", "tel:", "data:", "#"]
            .iter()
            .any(|scheme| lower.starts_with(scheme))
            || lower.is_empty()
        {
            return;
        }
        // A log or a list of searches shows the audit's own requests.
        if link.contains(&engine.own()) {
            return;
        }
        let link = fill(link);
        let Some(target) = engine.target().local(base, &link) else {
            return;
        };
        // The page with a form that changes a password changes nothing itself.
        if let Some(why) = danger(&target, &words.to_lowercase())
            && (!why.contains("password") || target.contains('?'))
            && !engine.options.dangerous_destructive
        {
            engine.coverage.skipped.insert(format!(
                "GET {}: {why}",
                target.split('?').next().unwrap_or_default()
            ));
            let mut route = Route::new(Call::get(&target), who);
            route.danger = Some(why);
            add_route(engine, route);
            return;
        }
        if is_picture(&target) {
            return;
        }
        if target.contains('?') {
            add_route(engine, Route::new(Call::get(&target), who));
        }
        self.add(&target);
    }
}

/// The path with ids as `{}`, the names of the query, and its values if they are words.
fn shape(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let ids: Vec<usize> = path
        .split('/')
        .enumerate()
        .filter(|(_, segment)| is_id(segment))
        .map(|(at, _)| at)
        .collect();
    let pairs = read_pairs(query);
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    let values: Vec<&str> = pairs
        .iter()
        .map(|(_, value)| {
            if value.chars().all(char::is_alphabetic) {
                value.as_str()
            } else {
                "#"
            }
        })
        .collect();
    format!(
        "{}?{}={}",
        pattern(path, &ids),
        names.join("&"),
        values.join("&")
    )
}

/// `/user/<name>` and `/user/{id}` with a value.
fn fill(link: &str) -> String {
    let mut filled = String::new();
    let mut closing = None;
    for c in link.chars() {
        match (closing, c) {
            (None, '{') => closing = Some('}'),
            (None, '<') => closing = Some('>'),
            (Some(end), c) if c == end => {
                filled.push('1');
                closing = None;
            }
            (Some(_), _) => {}
            (None, c) => filled.push(c),
        }
    }
    filled
}

fn is_picture(target: &str) -> bool {
    let path = target
        .split('?')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    [
        ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".css", ".woff", ".woff2", ".ttf", ".mp4",
        ".webp", ".map", ".pdf",
    ]
    .iter()
    .any(|end| path.ends_with(end))
}

fn strip_tags(html: &str) -> String {
    let mut text = String::new();
    let mut depth = 0_u32;
    for c in html.chars() {
        match c {
            '<' => depth = 1,
            '>' => {
                depth = 0;
                text.push(' ');
            }
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text
}

pub(super) fn strings(json: &Value, all: &mut Vec<String>) {
    match json {
        Value::String(text) if all.len() < 2000 => all.push(text.clone()),
        Value::Array(items) => items.iter().take(200).for_each(|item| strings(item, all)),
        Value::Object(fields) => fields.values().for_each(|item| strings(item, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A route once.
pub(super) fn add_route(engine: &mut Engine, route: Route) -> bool {
    let key = route.key();
    if engine.routes.len() >= ROUTES || engine.routes.iter().any(|known| known.key() == key) {
        return false;
    }
    engine.routes.push(route);
    true
}

fn of_script(engine: &Engine, page: &str, call: &ScriptCall) -> Option<Call> {
    let target = engine.target().local(page, &fill(&call.target))?;
    let mut request = Call::get(&target);
    request.method.clone_from(&call.method);
    if call.method != "GET" {
        let values = call
            .fields
            .iter()
            .map(|name| (name.clone(), sample(name, "text")));
        request.body = if call.is_json {
            Body::Json(Value::Object(
                values
                    .map(|(name, value)| (name, Value::String(value)))
                    .collect(),
            ))
        } else {
            Body::Form(values.collect())
        };
    }
    Some(request)
}

fn add_form(engine: &mut Engine, who: usize, page: &str, form: &Form) {
    let action = if form.action.is_empty() {
        page.to_owned()
    } else {
        form.action.clone()
    };
    let Some(target) = engine.target().local(page, &action) else {
        engine
            .coverage
            .skipped
            .insert(format!("the form at {page}: it is sent to another site"));
        return;
    };
    let mut call = Call::get(&target);
    call.method.clone_from(&form.method);
    if form.method == "GET" {
        call.query = form
            .fields
            .iter()
            .map(|field| (field.name.clone(), filled(field)))
            .collect();
    } else {
        call.body = body_of(form);
    }
    let mut route = Route::new(call, who);
    route.danger = route.danger.or_else(|| danger(&target, &form.words));
    if let Some(why) = route
        .danger
        .filter(|_| !engine.options.dangerous_destructive)
    {
        engine
            .coverage
            .skipped
            .insert(format!("{} {}: {why}", form.method, route.pattern));
    }
    route.form = Some(form.clone());
    route.page = Some(page.to_owned());
    let key = route.key();
    if let Some(known) = engine.routes.iter_mut().find(|known| known.key() == key) {
        if known.form.is_none() {
            *known = route;
        }
        return;
    }
    add_route(engine, route);
}

fn body_of(form: &Form) -> Body {
    if !form.is_multipart {
        return Body::Form(
            form.fields
                .iter()
                .map(|field| (field.name.clone(), filled(field)))
                .collect(),
        );
    }
    let parts = form.fields.iter().map(|field| Part {
        name: field.name.clone(),
        file: (field.kind == "file").then(|| ("note.txt".to_owned(), "text/plain".to_owned())),
        content: filled(field).into_bytes(),
    });
    Body::Multipart(parts.collect())
}

/// The value of a field: its own, or one that its kind and its name allow.
pub(super) fn filled(field: &Field) -> String {
    if !field.value.is_empty() {
        return field.value.clone();
    }
    sample(&field.name, &field.kind)
}

pub(super) fn sample(name: &str, kind: &str) -> String {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let text = match kind {
        "checkbox" | "radio" => "on",
        "color" => "#336699",
        "date" => "2031-02-03",
        "datetime-local" => "2031-02-03T04:05",
        "email" => "auditor@example.com",
        "file" => "a short text\n",
        "number" | "range" => "1",
        "tel" => "+4930123456",
        "time" => "04:05",
        "url" => "http://example.com/",
        _ if is_password(&name) => "Auditor-Passw0rd!",
        _ if has(&["mail"]) => "auditor@example.com",
        _ if has(&["date", "birth"]) => "2031-02-03",
        _ if has(&[
            "price", "amount", "count", "number", "qty", "quantity", "age", "year", "size", "page",
        ]) || name == "id"
            || name.ends_with("_id") =>
        {
            "1"
        }
        _ if has(&["url", "link", "site"]) => "http://example.com/",
        _ if has(&["phone", "tel"]) => "4930123456",
        _ => "auditor",
    };
    text.to_owned()
}
