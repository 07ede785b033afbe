//! Templates, read together with the view that renders them.

use std::collections::HashMap;

use ruff_python_ast::ExprCall;

use super::calls::Args;
use super::run::Run;
use super::state::{Object, State};
use super::value::{Kind, Piece, Shape, Taint, Taints, Value, class};
use crate::scan::ScanCheck;
use crate::source::checks;

/// Templates include each other at most so deep.
const DEEPEST: usize = 8;

/// One `{{ … }}` of a template that escaping does not protect.
struct Place {
    line: usize,
    name: String,
    danger: Danger,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Danger {
    /// An attribute without quotes.
    Attribute,
    /// The beginning of an address.
    Link,
    /// `|safe`, or escaping is off.
    Raw,
}

impl<'p> Run<'p> {
    /// A view renders a template with these variables.
    pub(super) fn rendered(&mut self, path: &str, args: &Args, state: &State, node: &'p ExprCall) {
        let is_django = matches!(
            path,
            "django.shortcuts.render" | "django.shortcuts.render_to_response"
        );
        let is_flask = path.ends_with("render_template") && !path.starts_with('?');
        let is_other =
            path.ends_with("TemplateResponse") || path.ends_with("aiohttp_jinja2.render_template");
        if !is_flask && !is_django && !is_other {
            return;
        }
        let name = args.positional.iter().find_map(Value::as_text);
        let Some(name) = name.map(str::to_owned) else {
            return;
        };
        let mut context: HashMap<String, Taints> = HashMap::new();
        for (key, value) in &args.keywords {
            context.insert(key.to_string(), self.deep(state, value));
        }
        for value in args
            .positional
            .iter()
            .chain(args.keyword("context"))
            .chain(&args.double_star)
        {
            if let Some(Object::Map { entries, .. }) = self.object(state, value) {
                for (key, value) in entries {
                    context.insert(key.to_string(), self.deep(state, value));
                }
            }
        }
        let _ = node;
        self.template(&name, &context, state, 0);
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    fn template(
        &mut self,
        name: &str,
        context: &HashMap<String, Taints>,
        state: &State,
        depth: usize,
    ) {
        let suffix = format!("templates/{name}");
        let mut files = self.project.files.iter();
        let found = files.find(|(path, _)| path.as_str() == name || path.ends_with(&suffix));
        let Some((file, text)) = found.map(|(path, file)| (path.clone(), file.text.as_str()))
        else {
            return;
        };
        let (places, included, names) = read(text);
        for place in places {
            let root = origin(&place.name, &names);
            let Some(taints) = context.get(root) else {
                continue;
            };
            let (check, harm, kinds): (&'static ScanCheck, _, &[Kind]) = match place.danger {
                Danger::Raw => (&checks::XSS, class::XSS, &[Kind::Request, Kind::Json]),
                Danger::Attribute | Danger::Link => (
                    &checks::XSS_ATTRIBUTE,
                    class::ATTRIBUTE,
                    &[Kind::Request, Kind::Json],
                ),
            };
            let bad = |kinds: &[Kind]| -> Option<Taint> {
                taints
                    .iter()
                    .find(|taint| {
                        let known = state
                            .cleaned
                            .get(&taint.origin)
                            .copied()
                            .unwrap_or(class::NONE);
                        kinds.contains(&taint.kind) && (taint.cleaned | known) & harm == 0
                    })
                    .cloned()
            };
            let (check, taint) = match (bad(kinds), place.danger) {
                (Some(taint), _) => (check, Some(taint)),
                (None, Danger::Raw) => (
                    &checks::XSS_STORED as &'static ScanCheck,
                    bad(&[Kind::Stored]),
                ),
                (None, _) => continue,
            };
            if taint.is_some() {
                let at = super::value::Place {
                    module: 0,
                    offset: 0,
                };
                self.report_at(
                    check,
                    at,
                    0,
                    taint,
                    place.name,
                    Some((file.clone(), place.line)),
                );
            }
        }
        if depth < DEEPEST {
            for name in included {
                self.template(&name, context, state, depth.saturating_add(1));
            }
        }
    }

    /// A template that stands in the source: its variables are escaped only by what it says itself.
    pub(super) fn rendered_text(
        &mut self,
        path: &str,
        args: &Args,
        state: &State,
        node: &'p ExprCall,
    ) {
        if !path.ends_with("render_template_string") {
            return;
        }
        let Some(first) = args.positional.first() else {
            return;
        };
        let Shape::Text(pieces) = &first.shape else {
            return;
        };
        let text: String = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text,
                Piece::Hole(_) => "",
            })
            .collect();
        for place in read(&text).0 {
            let root = place.name.split('.').next().unwrap_or_default();
            let Some(value) = args.keyword(root) else {
                continue;
            };
            let taints = self.deep(state, value);
            let (check, harm) = match place.danger {
                Danger::Raw => (&checks::XSS, class::XSS),
                Danger::Attribute | Danger::Link => (&checks::XSS_ATTRIBUTE, class::ATTRIBUTE),
            };
            self.sink(check, harm, &taints, node, state);
        }
    }
}

/// The variable of the view that a name of the template comes from.
fn origin<'n>(name: &'n str, names: &'n HashMap<String, String>) -> &'n str {
    let mut root = name
        .split(['.', '[', '(', '|', ' '])
        .next()
        .unwrap_or_default();
    for _ in 0..8 {
        match names.get(root) {
            Some(other) => {
                root = other
                    .split(['.', '[', '(', '|', ' '])
                    .next()
                    .unwrap_or_default()
            }
            None => break,
        }
    }
    root
}

/// The places of a template, the templates that it includes, and the names that it gives.
fn read(text: &str) -> (Vec<Place>, Vec<String>, HashMap<String, String>) {
    let (mut places, mut included, mut names) = (Vec::new(), Vec::new(), HashMap::new());
    let mut escapes = vec![true];
    let mut rest = text;
    let mut line = 1_usize;
    let mut before = String::new();
    while let Some(at) = rest.find('{') {
        let (head, tail) = rest.split_at(at);
        line = line.saturating_add(head.matches('\n').count());
        before.push_str(head);
        let keep = before.len().saturating_sub(512);
        if before.is_char_boundary(keep) {
            before.drain(..keep);
        }
        let (end, kind) = match tail.get(..2) {
            Some("{{") => ("}}", 'v'),
            Some("{%") => ("%}", 's'),
            Some("{#") => ("#}", 'c'),
            _ => {
                before.push('{');
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
        };
        let inner = tail.get(2..).unwrap_or_default();
        let Some((body, after)) = inner.split_once(end) else {
            break;
        };
        let code = body.trim_matches(['-', '+']).trim();
        match kind {
            'v' => {
                let raw = !escapes.last().copied().unwrap_or(true)
                    && !code.contains("|e")
                    && !code.contains("escape");
                if let Some(danger) = danger(code, raw, &before) {
                    places.push(Place {
                        line,
                        name: code.split('|').next().unwrap_or_default().trim().to_owned(),
                        danger,
                    });
                }
                before.push('x');
            }
            's' => statement(code, &mut escapes, &mut included, &mut names),
            _ => {}
        }
        line = line.saturating_add(body.matches('\n').count());
        rest = after;
    }
    (places, included, names)
}

fn statement(
    code: &str,
    escapes: &mut Vec<bool>,
    included: &mut Vec<String>,
    names: &mut HashMap<String, String>,
) {
    let (word, rest) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
    match word {
        "autoescape" => escapes.push(!matches!(rest.trim(), "false" | "off" | "False")),
        "endautoescape" => {
            escapes.pop();
        }
        "include" | "extends" => {
            let name = rest.trim().trim_start_matches(['"', '\'']);
            included.push(
                name.split(['"', '\''])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        "for" => {
            if let Some((targets, source)) = rest.split_once(" in ") {
                for target in targets.split(',') {
                    names.insert(target.trim().to_owned(), source.trim().to_owned());
                }
            }
        }
        "set" | "with" => {
            if let Some((target, source)) = rest.split_once('=') {
                names.insert(target.trim().to_owned(), source.trim().to_owned());
            }
        }
        _ => {}
    }
}

/// Why escaping does not protect this place.
fn danger(code: &str, raw: bool, before: &str) -> Option<Danger> {
    let filters: Vec<&str> = code
        .split('|')
        .skip(1)
        .map(|filter| filter.trim().split('(').next().unwrap_or_default().trim())
        .collect();
    if raw || filters.contains(&"safe") {
        return Some(Danger::Raw);
    }
    let is_number = filters
        .iter()
        .any(|filter| matches!(*filter, "int" | "float" | "length" | "tojson" | "urlencode"));
    if is_number || code.starts_with("url_for") {
        return None;
    }
    let tag = before.rfind('<').and_then(|at| before.get(at..))?;
    if tag.contains('>') || !tag.contains('=') {
        return None;
    }
    let (head, value) = tag.rsplit_once('=')?;
    let name = head
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !value.starts_with(['"', '\'']) && !value.contains(char::is_whitespace) {
        return Some(Danger::Attribute);
    }
    let is_address = matches!(
        &*name,
        "href" | "src" | "action" | "formaction" | "xlink:href"
    );
    let is_start = value.len() == 1;
    (is_address && is_start && name == "href").then_some(Danger::Link)
}
