//! Routes and parameters that no page links: guessed, and each guess judged against one that cannot exist.

use super::call::{Answer, Call};
use super::compare::print;
use super::crawl::{add_route, crawl};
use super::engine::{Engine, NOBODY, Stop};
use super::route::{Route, danger};

/// Names of routes that applications often have.
const NAMES: &str = "about account accounts admin api api/users api/v1 api/v1/users app articles auth basket blog books calendar cart \
cats chat checkout comment comments config console contact create customer customers dashboard debug demo doc docs docs/api download \
downloads echo edit employees eval events exec export feed feedback fetch file files find forgot form forum gallery get graphql greet \
groups health hello help home hosts image images import index info item items jobs lang list log login logs mail me members message \
messages metrics misc my new news note notes notify orders page pages panel people ping post posts preview private product products \
profile proxy query read redirect register render report reports reset resource review reviews routes run search secret secrets \
server service session sessions settings shop show signin sign-in signup sign-up sitemap source stats status store submit support \
system tasks template test tickets tools transfer update upload uploads url user users version view views web welcome wiki xml yaml";

/// Names of parameters that handlers often read.
const PARAMETERS: &str = "id name q query search s term keyword file filename path page url uri link next redirect return return_to \
returnurl redirect_uri dest target goto continue user username userid email login password host hostname ip domain addr address cmd \
command exec run code eval expression template tpl view lang locale msg message text title content body comment data input value \
param key token callback sort order orderby dir limit offset size count format type category cat tag filter from to date year action \
do op mode debug doc document folder img image src source include module class item product code1 session role admin xml json num n \
number a b x y v p greeting greet subject note content-type";

/// The names, and verbs with nouns as handlers are often called: `read_file`.
fn names() -> Vec<String> {
    let verbs = [
        "get", "read", "run", "create", "list", "show", "view", "edit", "update", "add", "upload",
        "download", "open", "load",
    ];
    let nouns = [
        "file", "files", "user", "users", "log", "logs", "data", "image", "page", "item", "items",
        "info",
    ];
    let mut all: Vec<String> = NAMES.split_whitespace().map(str::to_owned).collect();
    for verb in verbs {
        all.extend(
            nouns
                .iter()
                .flat_map(|noun| [format!("{verb}_{noun}"), format!("{verb}-{noun}")]),
        );
    }
    all
}

/// Addresses by their names.
pub(super) async fn guess(engine: &mut Engine) -> Result<(), Stop> {
    let control = engine.marker();
    let call = Call::get(&format!("/{control}"));
    let nothing = engine.send(NOBODY, &call).await?;
    let is_catch_all = nothing.is_success();
    if is_catch_all {
        engine.coverage.notes.push(
            "every name is answered with success: routes cannot be guessed, only read".to_owned(),
        );
        return Ok(());
    }
    let missing = print(&call, &nothing);
    let mut found = Vec::new();
    for name in names() {
        let target = format!("/{name}");
        if engine
            .routes
            .iter()
            .any(|route| route.call.path.trim_end_matches('/') == target)
            || danger(&target, "").is_some()
        {
            continue;
        }
        let call = Call::get(&target);
        let answer = engine.send(NOBODY, &call).await?;
        if exists(&call, &answer, &missing) {
            found.push(target);
        }
    }
    let seeds: Vec<String> = found.clone();
    if !seeds.is_empty() {
        let read = crawl(engine, NOBODY, &seeds).await?;
        engine.coverage.pages += read.pages.len();
    }
    for target in found {
        let mut route = Route::new(Call::get(&target), NOBODY);
        route.is_guess = true;
        add_route(engine, route);
    }
    segments(engine, &missing).await
}

fn exists(call: &Call, answer: &Answer, missing: &super::compare::Print) -> bool {
    let is_known = answer.status != 0 && answer.status != 404;
    is_known && print(call, answer).is_other(missing)
}

/// A last segment that a visitor chooses: another word there is answered too.
async fn segments(engine: &mut Engine, missing: &super::compare::Print) -> Result<(), Stop> {
    let mut parents: Vec<String> = Vec::new();
    for route in engine.routes.iter().filter(|route| route.danger.is_none()) {
        let path = route.call.path.trim_end_matches('/');
        let (parent, last) = path.rsplit_once('/').unwrap_or_default();
        if !parent.is_empty() && !last.contains('.') {
            parents.push(parent.to_owned());
        }
        if !path.is_empty() && !last.contains('.') {
            parents.push(path.to_owned());
        }
    }
    parents.extend(NAMES.split_whitespace().map(|name| format!("/{name}")));
    parents.sort();
    parents.dedup();
    parents.retain(|parent| !parent.starts_with("/static"));
    for parent in parents.into_iter().take(400) {
        let marker = engine.marker();
        let call = Call::get(&format!("{parent}/{marker}"));
        let known = engine
            .routes
            .iter()
            .any(|route| route.call.method == "GET" && route.pattern == format!("{parent}/{{}}"));
        if known {
            continue;
        }
        let answer = engine.send(NOBODY, &call).await?;
        let is_route = answer.is_success()
            || answer.status >= 500
            || answer.text.contains(&marker) && answer.status != 404;
        if is_route && exists(&call, &answer, missing) {
            let mut route = Route::new(call, NOBODY);
            route.is_guess = true;
            add_route(engine, route);
        }
    }
    Ok(())
}

/// Parameters that a page reads although nothing names them.
pub(super) async fn parameters(engine: &mut Engine) -> Result<(), Stop> {
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| {
            route.call.method == "GET" && route.danger.is_none() && route.call.query.is_empty()
        })
        .take(80)
        .cloned()
        .collect();
    for route in routes {
        let base = engine.send(engine.me, &route.call).await?;
        let mut names: Vec<String> = named_in_error(&base.text);
        if !base.is_page()
            && base.status < 400
            && base.json().is_none()
            && base.kind() != "text/plain"
        {
            continue;
        }
        names.extend(PARAMETERS.split_whitespace().map(str::to_owned));
        names.dedup();
        let mut read = Vec::new();
        for batch in names.chunks(40) {
            halve(engine, &route, &base, batch, &mut read).await?;
        }
        blind(engine, &route, &base, &names, &mut read).await?;
        if (1..=8).contains(&read.len()) {
            let mut call = route.call.clone();
            call.query = read
                .into_iter()
                .map(|name| {
                    let value = super::crawl::sample(&name, "text");
                    (name, value)
                })
                .collect();
            add_route(engine, Route::new(call, route.who));
        }
    }
    Ok(())
}

/// Names whose value has to be one that exists: a file, a command, a template.
async fn blind(
    engine: &mut Engine,
    route: &Route,
    base: &Answer,
    names: &[String],
    read: &mut Vec<String>,
) -> Result<(), Stop> {
    let (left, right, result) = engine.factors();
    let attacks = [
        ("/proc/version".to_owned(), "Linux version ".to_owned()),
        (format!(";echo $(({left}*{right}))"), result.clone()),
        (format!("{{{{{left}*{right}}}}}"), result),
    ];
    for (text, sign) in attacks {
        for batch in names.chunks(40) {
            let mut call = route.call.clone();
            call.query = batch
                .iter()
                .map(|name| (name.clone(), text.clone()))
                .collect();
            let answer = engine.send(engine.me, &call).await?;
            if !answer.text.contains(&sign) || base.text.contains(&sign) {
                continue;
            }
            for name in batch {
                call.query = vec![(name.clone(), text.clone())];
                let alone = engine.send(engine.me, &call).await?;
                if alone.text.contains(&sign) && !read.contains(name) {
                    read.push(name.clone());
                }
            }
        }
    }
    Ok(())
}

/// Finds the names of a batch that change the answer, by halving it.
async fn halve(
    engine: &mut Engine,
    route: &Route,
    base: &Answer,
    names: &[String],
    read: &mut Vec<String>,
) -> Result<(), Stop> {
    let mut waiting: Vec<Vec<String>> = vec![names.to_vec()];
    let plain = print(&route.call, base);
    while let Some(batch) = waiting.pop() {
        let mut call = route.call.clone();
        let marker = engine.marker();
        call.query = batch
            .iter()
            .map(|name| (name.clone(), marker.clone()))
            .collect();
        let answer = engine.send(engine.me, &call).await?;
        let is_read = answer.status != 0
            && !matches!(answer.status, 413 | 414 | 431)
            && (answer.text.contains(&marker) && !echoes_address(&answer, &call)
                || print(&call, &answer).is_other(&plain));
        if !is_read || read.len() > 6 {
            continue;
        }
        match batch.len() {
            0 => {}
            1 => read.extend(batch),
            length => {
                let (left, right) = batch.split_at(length / 2);
                waiting.extend([left.to_vec(), right.to_vec()]);
            }
        }
    }
    Ok(())
}

/// A page that shows its own address shows every parameter.
fn echoes_address(answer: &Answer, call: &Call) -> bool {
    let target = call.target();
    answer.text.contains(&target) || answer.text.contains(&target.replace('&', "&amp;"))
}

/// `KeyError: 'name'` and `request.args['name']` in an error page.
fn named_in_error(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for start in [
        "KeyError: &#39;",
        "KeyError: '",
        "request.args[",
        "request.args.get(",
        "request.form[",
        "request.form.get(",
        "request.values[",
        "request.values.get(",
    ] {
        for part in text.split(start).skip(1).take(10) {
            let part = part
                .replace("&#39;", "'")
                .replace("&#x27;", "'")
                .replace("&quot;", "\"");
            let name: String = part
                .trim_start_matches(['\'', '"'])
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '-')
                .collect();
            if !name.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_page_names_its_parameters() {
        assert_eq!(
            named_in_error("KeyError: &#39;hostname&#39; … request.args.get('page')"),
            ["hostname", "page"]
        );
    }
}
