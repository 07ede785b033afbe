use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::machinery::parse;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, TemplateSource, UndefinedBehavior};

use super::calls::Calls;
use super::context::judge;
use super::layout::LayoutType;
use super::letter_templates::is_letter_text;
use super::page_check::{self, Parsed};
use super::{Assets, Bundle, Page, PageType, escape, filters, markup, missing_token, near_names};
use crate::audit::{Finding, Mode, Practice};

/// The most work for one page before the engine stops it: a template that loops over everything is a mistake that must not
/// take down the server. A page of a hundred rows needs about ten thousand.
pub(super) const FUEL: u64 = 5_000_000;

/// The greatest depth of calls between templates.
pub(super) const RECURSION: usize = 500;

/// The templates of an application, and the static files that they name.
///
/// Each value is escaped for its context. Dewar does not start with a template that has a value where no escaping can be
/// right. A template of the application replaces the framework's of the same name, so `templates/layout.html` styles the
/// sign-in page too.
///
/// ```
/// use dewar::pages::{Assets, Templates};
/// let templates = Templates::load(&[], Assets::default(), dewar::audit::Mode::Development);
/// assert!(templates.findings().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Templates(Arc<LoadedTemplates>);

/// Reads a template's text by its name.
pub(super) type Read = dyn Fn(&str) -> Option<String> + Send + Sync;

#[derive(Debug)]
struct LoadedTemplates {
    engine: Environment<'static>,
    mode: Mode,
    findings: Vec<Finding>,
    names: BTreeSet<String>,
    sources: Sources,
}

/// The current texts of templates.
struct Sources(Arc<Read>);

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

impl Templates {
    /// Loads and checks every template of the bundles; a template of a later bundle replaces one of the same name.
    #[must_use]
    pub fn load(bundles: &[Bundle], assets: Assets, mode: Mode) -> Self {
        let names = bundles.iter().flat_map(Bundle::names).map(String::from);
        // The text of a letter is no HTML (`letter_templates`).
        let names: BTreeSet<String> = names.filter(|name| !is_letter_text(name)).collect();
        let sources = bundles.to_vec();
        Self::of(&names, move |name| text_of(&sources, name), assets, mode)
    }

    /// As [`load`](Self::load), for templates from any source.
    pub(super) fn of(
        names: &BTreeSet<String>,
        read: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        assets: Assets,
        mode: Mode,
    ) -> Self {
        let read: Arc<Read> = Arc::new(read);
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        engine.set_fuel(Some(FUEL));
        engine.set_recursion_limit(RECURSION);
        // Both reveal the values of a page, so they are on only in development, for the author.
        engine.set_debug(mode == Mode::Development);
        if mode != Mode::Development {
            engine.remove_global("debug");
        }
        engine.set_auto_reload(mode == Mode::Development && cfg!(debug_assertions));
        // Every template becomes an HTML response, whatever its extension.
        engine.set_auto_escape_callback(|_| AutoEscape::Html);
        filters::add(&mut engine, assets);
        escape::add(&mut engine);
        engine.set_formatter(markup::print);
        let sources = Arc::clone(&read);
        engine.set_loader(move |name| source_of(&sources, name));
        let findings = check_all(&engine, &*read, names);
        Self(Arc::new(LoadedTemplates {
            engine,
            mode,
            findings,
            names: names.clone(),
            sources: Sources(read),
        }))
    }

    /// All findings about the templates.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    /// The findings about the templates of these pages: a value that the page does not have; and in all templates, a value of the
    /// layout that the application does not give.
    pub(crate) fn of_pages(&self, pages: &[PageType], layout: Option<LayoutType>) -> Vec<Finding> {
        let texts: Vec<(&str, String)> = (self.0.names.iter())
            .filter_map(|name| Some((name.as_str(), (self.0.sources.0)(name)?)))
            .collect();
        let syntax = minijinja::syntax::SyntaxConfig::default;
        let parsed: Parsed<'_> = (texts.iter())
            .filter_map(|(name, text)| Some((*name, parse(text, name, syntax()).ok()?)))
            .collect();
        let mut findings: Vec<Finding> = Vec::new();
        for page in pages {
            if !self.0.names.contains(page.template) {
                let names = self.0.names.iter().map(String::as_str);
                findings.push(page_check::no_template(page, names));
            }
            for found in page_check::findings(page, &parsed, layout) {
                add(&mut findings, found);
            }
        }
        for name in parsed.keys().filter(|_| layout.is_some()) {
            for found in page_check::of_layout(name, &parsed, layout) {
                add(&mut findings, found);
            }
        }
        findings
    }

    /// The HTML of a page outside of a request, such as a letter or a report: each value is escaped for its context.
    ///
    /// The names of a request are undefined (`user`, `flash`, `path`, `nonce`, the token, `t`), unless the page has such
    /// a value.
    ///
    /// ```
    /// use dewar::pages::{Assets, Bundle, Page, Templates};
    /// #[derive(rust_embed::RustEmbed)]
    /// #[folder = "tests/it/reports"] // hello.html: <p title="{{ name }}">{{ name }}</p>
    /// struct Reports;
    /// let reports = [Bundle::of::<Reports>()];
    /// let templates = Templates::load(&reports, Assets::default(), dewar::audit::Mode::Production);
    /// let html = templates.html(&Page::new("hello.html").with("name", "\"Ada\" & <Bob>"));
    /// assert_eq!(html.ok().as_deref(), Some("<p title=\"&quot;Ada&quot; &amp; &lt;Bob&gt;\">&quot;Ada&quot; &amp; &lt;Bob&gt;</p>"));
    /// ```
    ///
    /// # Errors
    /// The template does not exist, or it prints a missing value. A form is missing too: it needs the token of a request.
    pub fn html(&self, page: &Page) -> Result<String, super::Error> {
        self.render(page.template(), page.given())
            .map_err(super::Error::internal)
    }

    /// Whether error pages explain mistakes of the program: in development alone (CWE-209).
    pub(super) fn tell(&self) -> bool {
        self.0.mode == Mode::Development
    }

    /// The explanation on the page of a wrong template, for its author, in development alone (CWE-209).
    pub(super) fn told(&self, error: &Error, page: &Page) -> Option<String> {
        self.tell().then(|| {
            let names = self.0.names.iter().map(String::as_str);
            if let Some(help) = near_names::template(error, page, names) {
                return help;
            }
            let place = error.name().zip(error.line());
            let place = place.map_or_else(String::new, |(name, line)| {
                format!("template {name}, line {line}: ")
            });
            match near_names::help(error, page) {
                Some(help) => format!("{place}{help}"),
                None => format!("{place}{error}"),
            }
        })
    }

    /// The explanation for the author of a form without a CSRF token, in development alone.
    pub(super) fn missing_token(&self, method: &str, path: &str) -> Option<String> {
        (self.0.mode == Mode::Development).then(|| {
            let names = self.0.names.iter().map(String::as_str);
            let templates = names.filter_map(|name| Some((name, (self.0.sources.0)(name)?)));
            missing_token::help(method, path, templates)
        })
    }

    #[cfg(test)]
    pub(super) fn engine(&self) -> &Environment<'static> {
        &self.0.engine
    }

    pub(super) fn render(&self, template: &str, context: Value) -> Result<String, Error> {
        let template = self.0.engine.get_template(template)?;
        let mut page = WRITTEN.take();
        page.clear();
        let rendered = template.render_captured_to(context, &mut page).map(drop);
        let text = str::from_utf8(&page).map(str::to_owned);
        if page.capacity() <= LARGEST_WRITTEN {
            WRITTEN.set(page);
        }
        rendered?;
        text.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    }
}

/// The largest buffer that a thread keeps for its next page.
const LARGEST_WRITTEN: usize = 256 * 1024;

thread_local! {
    /// The buffer of the last page, so that a page does not grow its own from nothing.
    static WRITTEN: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) fn text_of(bundles: &[Bundle], name: &str) -> Option<String> {
    let found = bundles.iter().rev().find_map(|bundle| bundle.read(name))?;
    String::from_utf8(found.into_owned()).ok()
}

/// A template for the engine, which can detect a change in it or in one that it extends.
fn source_of(read: &Arc<Read>, name: &str) -> Result<Option<TemplateSource>, Error> {
    let Some(judged) = judge(name, &**read)? else {
        return Ok(None);
    };
    if let Some(refused) = judged.findings.iter().find(|found| found.refuses_launch) {
        let text = format!("{}; {}", refused.title, refused.fix);
        return Err(Error::new(ErrorKind::SyntaxError, text));
    }
    let texts: Vec<_> = judged.chain.iter().map(|name| read(name)).collect();
    let read = Arc::clone(read);
    let fresh = move || {
        judged
            .chain
            .iter()
            .map(|name| read(name))
            .eq(texts.iter().cloned())
    };
    Ok(Some(
        TemplateSource::new(judged.source).with_uptodate_check(fresh),
    ))
}

fn not_text(name: &str) -> Finding {
    let title = format!("template {name} is not UTF-8 text");
    Finding::refuse(Practice::Pages, "pages-template-text", title)
        .why("The page cannot be shown.")
        .fix("save the file as UTF-8")
}

/// The findings about all templates.
fn check_all(engine: &Environment<'static>, read: &Read, names: &BTreeSet<String>) -> Vec<Finding> {
    let judged: Vec<_> = names.iter().map(|name| (name, judge(name, read))).collect();
    let mut calls = Calls::new(engine, names);
    for (_, judged) in &judged {
        if let Ok(Some(judged)) = judged {
            calls.bind(judged.bound.clone());
        }
    }
    let mut findings = Vec::new();
    for (name, judged) in judged {
        let source = read(name).unwrap_or_default();
        findings.extend(missing_token::findings(name, &source));
        match judged {
            Ok(Some(judged)) => {
                let called = calls.findings(name, &judged.called);
                findings.extend(check(engine, name, judged.findings));
                findings.extend(called);
            }
            Ok(None) => findings.push(not_text(name)),
            Err(error) => findings.push(broken(name, &error)),
        }
    }
    findings
}

/// The findings about a template, with its load error.
fn check(engine: &Environment<'static>, name: &str, judged: Vec<Finding>) -> Vec<Finding> {
    if judged.iter().any(|finding| finding.refuses_launch) {
        return judged;
    }
    let error = engine.get_template(name).err();
    let broken = error.map(|error| broken(name, &error));
    judged.into_iter().chain(broken).collect()
}

fn broken(name: &str, error: &Error) -> Finding {
    let line = error
        .line()
        .map_or_else(String::new, |line| format!(", line {line}"));
    Finding::refuse(
        Practice::Pages,
        "pages-template-broken",
        format!("cannot read the template {name}{line}"),
    )
    .why(format!("{error}"))
    .fix(
        "correct the template; Dewar loads every template at start, so that no visitor sees the error first",
    )
}

/// Adds a finding, once: many pages extend the same template.
fn add(findings: &mut Vec<Finding>, found: Finding) {
    if findings.iter().all(|known| known.title != found.title) {
        findings.push(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::NeedsToken;
    use std::sync::Mutex;

    /// A folder of one template that changes.
    fn written(text: &Arc<Mutex<String>>, mode: Mode) -> Templates {
        let text = Arc::clone(text);
        let read = move |name: &str| (name == "page.html").then(|| text.lock().unwrap().clone());
        let names = BTreeSet::from(["page.html".to_owned()]);
        Templates::of(&names, read, Assets::default(), mode)
    }

    fn shown(templates: &Templates) -> Result<String, Error> {
        templates.render("page.html", minijinja::context! { name => "Ada" })
    }

    /// Stands for a form, which needs the token of a request.
    #[derive(Debug)]
    struct FormPlaceholder;

    impl NeedsToken for FormPlaceholder {
        fn value(&self, token: &str) -> Value {
            Value::from(token.to_owned())
        }
    }

    #[test]
    fn a_page_outside_of_a_request_has_its_values_and_no_form() {
        let text = Arc::new(Mutex::new("{{ name }}{{ form }}".to_owned()));
        let templates = written(&text, Mode::Production);
        let page = || {
            Page::new("page.html")
                .with("name", "Eva")
                .with("name", "Ada")
        };
        let error = templates
            .html(&page().form("form", FormPlaceholder))
            .unwrap_err();
        assert!(
            format!("{error:?}").contains("undefined value"),
            "{error:?}"
        );
        let html = templates.html(&page().with("form", "<none>"));
        assert_eq!(html.unwrap(), "Ada&lt;none&gt;");
    }

    /// A template that runs without end because of a user's values would take a processor, and memory, from all others.
    #[test]
    fn a_template_of_nine_million_steps_fails() {
        let loops = |times: u32| {
            let text = format!(
                "{{% for a in range({times}) %}}{{% for b in range({times}) %}}{{% endfor %}}{{% endfor %}}{{{{ name }}}}"
            );
            shown(&written(&Arc::new(Mutex::new(text)), Mode::Production))
        };
        assert_eq!(loops(300).unwrap(), "Ada");
        let refused = loops(3_000).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::OutOfFuel);
    }

    /// This code sets each of them, and the test notices an engine version with more of them.
    #[test]
    fn what_the_engine_does_by_default_is_what_is_set_here() {
        for (mode, is_development) in [(Mode::Development, true), (Mode::Production, false)] {
            let text = Arc::new(Mutex::new("{{ name }}".to_owned()));
            let templates = written(&text, mode);
            let engine = &templates.0.engine;
            assert_eq!(engine.undefined_behavior(), UndefinedBehavior::SemiStrict);
            assert_eq!(engine.fuel(), Some(FUEL));
            assert_eq!(engine.recursion_limit(), RECURSION);
            assert_eq!(engine.debug(), is_development);
            let mut globals: Vec<&str> = engine.globals().map(|(name, _)| name).collect();
            globals.retain(|name| *name != "debug" || !is_development);
            assert_eq!(
                globals,
                ["dict", "integrity", "namespace", "range", "static"]
            );
            // No template reveals all its values to a visitor.
            "{{ debug() }}".clone_into(&mut text.lock().unwrap());
            let findings = written(&text, mode).findings().len();
            assert_eq!(findings, usize::from(!is_development), "{mode:?}");
        }
    }

    #[test]
    fn a_changed_template_shows_at_the_next_request_and_only_in_development() {
        for (mode, after) in [
            (Mode::Development, "<p>Good day, Ada</p>"),
            (Mode::Production, "<p>Hello, Ada</p>"),
        ] {
            let text = Arc::new(Mutex::new("<p>Hello, {{ name }}</p>".to_owned()));
            let templates = written(&text, mode);
            assert_eq!(shown(&templates).unwrap(), "<p>Hello, Ada</p>");
            "<p>Good day, {{ name }}</p>".clone_into(&mut text.lock().unwrap());
            assert_eq!(shown(&templates).unwrap(), after, "{mode:?}");
        }
    }

    #[derive(serde::Serialize)]
    struct Note {
        title: &'static str,
        id: u8,
    }

    #[test]
    fn a_misspelled_value_is_told_with_its_template_its_line_and_the_name_that_was_meant() {
        let page = || {
            let note = || Note {
                title: "Tea",
                id: 7,
            };
            let page = Page::new("page.html").with("note", note());
            page.with("notes", [note()])
        };
        for (text, told) in [
            (
                "<p>\n{{ note.titel }}</p>",
                "line 2: `note.titel` is undefined. Did you mean title?",
            ),
            (
                "{% for note in notes %}\n<a href=\"/notes/{{ note.idd }}\">{{ note.title }}</a>{% endfor %}",
                "line 2: `note.idd` is undefined. Did you mean id?",
            ),
            (
                "{{ nots.title }}",
                "line 1: `nots` is undefined. Did you mean note?",
            ),
            ("{{ note.colour }}", "line 1: `note.colour` is undefined. "),
        ] {
            let text = Arc::new(Mutex::new(text.to_owned()));
            let templates = written(&text, Mode::Development);
            let error = templates.render("page.html", page().given()).unwrap_err();
            let said = templates.told(&error, &page()).unwrap();
            assert!(
                said.starts_with("template page.html, ") && said.contains(told),
                "{said}"
            );
        }
    }

    /// A form of one field.
    #[derive(Debug)]
    struct Rename;

    impl NeedsToken for Rename {
        fn value(&self, _: &str) -> Value {
            Value::from_pairs([("title", "Tea")])
        }

        fn names(&self) -> Vec<&'static str> {
            vec!["title"]
        }
    }

    #[test]
    fn a_misspelled_field_of_a_form_is_told_with_the_one_that_was_meant() {
        let text = Arc::new(Mutex::new("{{ form.titel }}".to_owned()));
        let templates = written(&text, Mode::Development);
        let context = Value::from_pairs([("form", Rename.value(""))]);
        let error = templates.render("page.html", context).unwrap_err();
        let page = Page::new("page.html").form("form", Rename);
        let said = templates.told(&error, &page).unwrap();
        assert!(
            said.ends_with("`form.titel` is undefined. Did you mean title?"),
            "{said}"
        );
    }

    #[test]
    fn a_template_that_is_no_text_is_found_at_start() {
        let names = BTreeSet::from(["page.html".to_owned()]);
        let loaded = Templates::of(&names, |_| None, Assets::default(), Mode::Development);
        let titles: Vec<_> = loaded
            .findings()
            .iter()
            .map(|found| &*found.title)
            .collect();
        assert_eq!(titles, ["template page.html is not UTF-8 text"]);
        let page = Page::new("page.html");
        let error = loaded.render("page.html", page.given()).unwrap_err();
        let said = loaded.told(&error, &page).unwrap();
        assert!(said.contains("not UTF-8 text"), "{said}");
    }

    #[test]
    fn a_template_that_is_not_there_is_told_with_the_name_that_was_meant() {
        let templates = written(&Arc::new(Mutex::new(String::new())), Mode::Development);
        for (named, told) in [
            (
                "pgae.html",
                "no template is named pgae.html, which a handler uses. Did you mean page.html?",
            ),
            (
                "notices/list.html",
                "no template is named notices/list.html, which a handler uses. Look for it in the folder of the templates.",
            ),
        ] {
            let error = templates.render(named, Value::UNDEFINED).unwrap_err();
            let said = templates.told(&error, &Page::new(named));
            assert_eq!(said.as_deref(), Some(told));
        }
    }

    #[test]
    fn a_form_without_a_token_is_reported_and_refuses_no_launch() {
        let text = "<form method=\"post\"><button>Go</button></form>{{ name }}";
        let templates = written(&Arc::new(Mutex::new(text.to_owned())), Mode::Production);
        let found = templates.findings().iter();
        let found: Vec<_> = found
            .map(|found| (found.id, found.refuses_launch))
            .collect();
        assert_eq!(found, [("pages-template-no-token", false)]);
        assert!(shown(&templates).is_ok());
    }

    #[test]
    fn a_template_that_became_wrong_is_not_shown_as_it_was_and_says_where() {
        let text = Arc::new(Mutex::new("<p>{{ name }}</p>".to_owned()));
        let templates = written(&text, Mode::Development);
        for (wrong, told) in [
            ("<p>\n{{ name </p>", "line 2"),
            (
                "<p>\n<b title={{ name }}></b></p>",
                "line 2: a value stands in the attribute title without quotes",
            ),
            (
                "<p>\n\n{{ nobody }}</p>",
                "template page.html, line 3: `nobody` is undefined",
            ),
        ] {
            wrong.clone_into(&mut text.lock().unwrap());
            let error = shown(&templates).unwrap_err();
            let said = templates.told(&error, &Page::new("page.html")).unwrap();
            assert!(said.contains(told), "{said}");
        }
        "<p>{{ name }}</p>".clone_into(&mut text.lock().unwrap());
        assert!(shown(&templates).is_ok());
        let templates = written(&text, Mode::Production);
        "<p>{{ nobody }}</p>".clone_into(&mut text.lock().unwrap());
        assert!(
            templates
                .told(
                    &Error::new(ErrorKind::UndefinedError, "x"),
                    &Page::new("page.html")
                )
                .is_none()
        );
    }
}
