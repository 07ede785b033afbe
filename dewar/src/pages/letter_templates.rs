//! The templates of letters: `letters/NAME.txt` with the subject in its first line, and `letters/NAME.html`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Object, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use super::calls::Calls;
use super::context::{Called, Judged, WithLine, judge};
use super::languages::RenderScope;
use super::letter_html::{faults, plain_text, title_of};
use super::letter_values::{OwnOrigin, SayLines, external_link, one_line, print, quoted};
use super::templates::{FUEL, RECURSION, Read, text_of};
use super::translate_function::Say;
use super::{Bundle, Language, Page, Templates, filters};
use crate::audit::{Finding, Practice, near};

/// The folder of the templates of letters.
const FOLDER: &str = "letters/";

/// The beginning of the first line of a text, before the subject.
const SUBJECT: &str = "Subject:";

/// The suffix of the name under which the engine knows the subject of a text.
const OF_SUBJECT: &str = "#subject";

/// The names that every letter has, beside its own values and the engine's.
const OF_EVERY_LETTER: [&str; 12] = [
    "caller",
    "debug",
    "dict",
    "lang",
    "loop",
    "namespace",
    "origin",
    "range",
    "recipient",
    "self",
    "super",
    "t",
];

/// The value of a letter to a list: the link by which its recipient leaves the list.
const UNSUBSCRIBE: &str = "unsubscribe";

/// The most characters of a subject.
const LONGEST_SUBJECT: usize = 200;

/// Whether a template is the text of a letter, which is no HTML.
pub(super) fn is_letter_text(name: &str) -> bool {
    name.starts_with(FOLDER) && name.ends_with(".txt")
}

/// Whether a template belongs to a letter.
#[cfg(feature = "testing")]
pub(super) fn is_of_a_letter(name: &str) -> bool {
    name.starts_with(FOLDER)
}

/// The templates of letters. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LetterTemplates(Arc<Loaded>);

struct Loaded {
    html: Templates,
    texts: Environment<'static>,
    /// The names of all templates.
    names: BTreeSet<String>,
    read: Arc<Read>,
    findings: Vec<Finding>,
}

/// A letter in the words of its reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RenderedLetter {
    /// One line, without control characters.
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
}

/// What a template sees beside the values of the letter.
#[derive(Debug, Clone)]
pub(crate) struct LetterFacts<'a> {
    pub(crate) language: &'a Language,
    /// The application's own origin: links in letters begin with it.
    pub(crate) origin: &'a str,
    /// The name of the recipient, if it is known.
    pub(crate) recipient: Option<&'a str>,
    /// The link by which the recipient leaves the list of the letter, if it has one.
    pub(crate) unsubscribe: Option<&'a str>,
}

impl LetterTemplates {
    /// Loads the templates of letters. `html` has loaded those that are HTML already.
    pub(crate) fn load(bundles: &[Bundle], html: Templates) -> Self {
        let names = bundles.iter().flat_map(Bundle::names).map(String::from);
        let names: BTreeSet<String> = names.filter(|name| name.starts_with(FOLDER)).collect();
        let sources = bundles.to_vec();
        Self::of(names, move |name| text_of(&sources, name), html)
    }

    fn of(
        names: BTreeSet<String>,
        read: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        html: Templates,
    ) -> Self {
        let read: Arc<Read> = Arc::new(read);
        let texts = text_engine(Arc::clone(&read));
        let mut loaded = Loaded {
            html,
            texts,
            names,
            read,
            findings: Vec::new(),
        };
        loaded.findings = loaded.check();
        Self(Arc::new(loaded))
    }

    /// The findings about the templates themselves.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    /// The findings about a letter of the program: a missing template, a value that the letter has not.
    pub(crate) fn of_letter(
        &self,
        template: &str,
        fields: &[&str],
        list: Option<&str>,
    ) -> Vec<Finding> {
        let (text, html) = (format!("{template}.txt"), format!("{template}.html"));
        let known = &self.0.names;
        if !known.contains(&text) && !known.contains(&html) {
            return vec![missing(template, known)];
        }
        let mut findings = Vec::new();
        for name in [&text, &html] {
            if known.contains(name.as_str()) {
                findings.extend(self.0.unknown_values(name, fields, list));
            }
        }
        if let Some(source) = (self.0.read)(&text)
            && subject_of(&source).is_none()
        {
            findings.push(no_subject(&text));
        }
        findings
    }

    /// Renders a letter.
    ///
    /// # Errors
    /// The engine's; a letter without a subject, or with HTML that a letter must not have.
    pub(crate) fn render(
        &self,
        template: &str,
        values: &Page,
        facts: &LetterFacts<'_>,
    ) -> Result<RenderedLetter, Error> {
        let _scope = RenderScope::begin(facts.language);
        let _own = OwnOrigin::begin(facts.origin);
        let (text_name, html_name) = (format!("{template}.txt"), format!("{template}.html"));
        let context = |say| letter_context(values, facts, say);
        let html = if self.0.names.contains(&html_name) {
            let say = Value::from_object(Say(facts.language.clone()));
            let html = self.0.html.render(&html_name, context(say))?;
            if let Some(fault) = faults(&html).into_iter().next() {
                return Err(wrong(format!("{html_name}: {}", fault.title)));
            }
            Some(html)
        } else {
            None
        };
        let say = || Value::from_object(SayLines(facts.language.clone()));
        let (subject, text) = if self.0.names.contains(&text_name) {
            let subject = format!("{text_name}{OF_SUBJECT}");
            let subject = self
                .0
                .texts
                .get_template(&subject)?
                .render(context(say()))?;
            let text = self.0.texts.get_template(&text_name)?;
            (subject, text.render(context(say()))?)
        } else {
            let html = html.as_deref().unwrap_or_default();
            (title_of(html).unwrap_or_default(), plain_text(html))
        };
        let subject = one_line(&subject);
        if subject.is_empty() {
            return Err(wrong(format!("{template}: the letter has no subject")));
        }
        let subject = subject.chars().take(LONGEST_SUBJECT).collect();
        let text = format!("{}\n", text.trim_matches(['\n', ' ']));
        Ok(RenderedLetter {
            subject,
            text,
            html,
        })
    }
}

impl fmt::Debug for LetterTemplates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LetterTemplates")
            .field(&self.0.names)
            .finish()
    }
}

fn wrong(text: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}

impl Loaded {
    fn check(&self) -> Vec<Finding> {
        let texts = self.names.iter().filter(|name| is_letter_text(name));
        let texts: BTreeSet<String> = texts.cloned().collect();
        let judged = texts.iter().map(|name| (name, judge(name, &*self.read)));
        let judged: Vec<_> = judged.collect();
        let mut calls = Calls::new(&self.texts, &texts);
        for (_, judged) in &judged {
            if let Ok(Some(judged)) = judged {
                calls.bind(judged.bound.clone());
            }
        }
        let mut findings = Vec::new();
        for (name, judged) in judged {
            let engine = &self.texts;
            let subject = engine.get_template(&format!("{name}{OF_SUBJECT}")).err();
            let error = engine.get_template(name).err().or(subject);
            findings.extend(error.map(|error| broken(name, &error)));
            // A letter's text is no HTML, so only the names in it count.
            if let Ok(Some(Judged { called, .. })) = judged {
                findings.extend(calls.findings(name, &called));
            }
        }
        for name in self.names.iter().filter(|name| name.ends_with(".html")) {
            let source = (self.read)(name).unwrap_or_default();
            let found = faults(&source).into_iter();
            findings.extend(found.map(|fault| fault.finding(name)));
        }
        findings
    }

    /// The names in a template, and in those that it includes, that no letter with these fields has.
    fn unknown_values(&self, name: &str, fields: &[&str], list: Option<&str>) -> Vec<Finding> {
        let first = name;
        let mut findings = Vec::new();
        let (mut waiting, mut seen) = (vec![name.to_owned()], BTreeSet::new());
        let mut bound = BTreeSet::new();
        let mut names: Vec<(String, WithLine<String>)> = Vec::new();
        while let Some(name) = waiting.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let Ok(Some(judged)) = judge(&name, &*self.read) else {
                continue;
            };
            bound.extend(judged.bound);
            names.extend(judged.names.into_iter().map(|found| (name.clone(), found)));
            let called = judged.called.into_iter();
            waiting.extend(called.filter_map(|called| match called.what {
                Called::Template(name) => Some(name),
                Called::Filter(_) | Called::Function(_) | Called::Test(_) => None,
            }));
            waiting.extend(judged.chain);
        }
        if let Some(list) = list
            && !names.iter().any(|(_, found)| found.what == UNSUBSCRIBE)
        {
            findings.push(no_way_out(first, list));
        }
        for (template, WithLine { line, what }) in names {
            let known = (list.is_some() && what == UNSUBSCRIBE)
                || fields.contains(&what.as_str())
                || OF_EVERY_LETTER.contains(&what.as_str())
                || bound.contains(&what);
            if !known {
                findings.push(unknown_value(&template, line, &what, fields));
            }
        }
        findings
    }
}

/// The engine of the texts. A value takes no more than one line and is no link, so that it cannot look like a text of the letter.
fn text_engine(read: Arc<Read>) -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    engine.set_fuel(Some(FUEL));
    engine.set_recursion_limit(RECURSION);
    engine.set_debug(false);
    engine.remove_global("debug");
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_syntax(syntax());
    filters::add_to_letters(&mut engine);
    engine.remove_filter("safe");
    engine.add_filter("quoted", quoted);
    engine.add_filter("external_link", external_link);
    engine.set_formatter(print);
    // In development a changed template counts for the next letter, as for the next page.
    engine.set_auto_reload(cfg!(debug_assertions));
    engine.set_loader(move |name| Ok(source_of(&*read, name)));
    engine
}

/// A statement on a line of its own leaves no empty line.
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .unwrap_or_default()
}

/// The source of a text without its subject, or of its subject alone. No line moves.
fn source_of(read: &Read, name: &str) -> Option<String> {
    if let Some(name) = name.strip_suffix(OF_SUBJECT) {
        let source = read(name)?;
        return Some(subject_of(&source).unwrap_or_default().to_owned());
    }
    let source = read(name)?;
    match (subject_of(&source), source.split_once('\n')) {
        (Some(_), Some((_, rest))) => Some(format!("\n{rest}")),
        (Some(_), None) => Some(String::new()),
        (None, _) => Some(source),
    }
}

/// The subject in the first line.
fn subject_of(source: &str) -> Option<&str> {
    let first = source.lines().next()?;
    let subject = first.strip_prefix(SUBJECT)?.trim();
    (!subject.is_empty()).then_some(subject)
}

fn letter_context(values: &Page, facts: &LetterFacts<'_>, say: Value) -> Value {
    Value::from_object(LetterContext {
        values: values.clone(),
        language: facts.language.tag().to_owned(),
        origin: facts.origin.to_owned(),
        recipient: facts.recipient.map(str::to_owned),
        unsubscribe: facts.unsubscribe.map(str::to_owned),
        say,
    })
}

/// The names that the template of a letter sees.
#[derive(Debug)]
struct LetterContext {
    values: Page,
    language: String,
    origin: String,
    recipient: Option<String>,
    unsubscribe: Option<String>,
    say: Value,
}

impl Object for LetterContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        match name {
            "t" => Some(self.say.clone()),
            "lang" => Some(Value::from(self.language.as_str())),
            "origin" => Some(Value::from(self.origin.as_str())),
            "recipient" => Some(Value::from(self.recipient.as_deref())),
            UNSUBSCRIBE if self.unsubscribe.is_some() => {
                Some(Value::from(self.unsubscribe.as_deref()))
            }
            name => self.values.value(name),
        }
    }
}

fn missing(template: &str, known: &BTreeSet<String>) -> Finding {
    let title = format!("there is no template {template}.txt, and no {template}.html");
    let names = known.iter().filter_map(|name| name.rsplit_once('.'));
    let meant = near(template, names.map(|(name, _)| name));
    let fix = meant.map_or_else(
        || format!("write `{template}.txt` into the folder of the templates; its first line is `Subject: …`"),
        |meant| format!("did you mean `{meant}`?"),
    );
    Finding::refuse(Practice::Pages, "mail-no-template", title)
        .why("The program cannot send this letter.")
        .fix(fix)
}

fn no_subject(name: &str) -> Finding {
    let title = format!("the letter {name} has no subject");
    Finding::refuse(Practice::Pages, "mail-no-subject", title)
        .why("The program cannot send this letter.")
        .fix("begin the file with the line `Subject: …`, and write the text below it")
}

fn no_way_out(name: &str, list: &str) -> Finding {
    let title = format!("template {name} belongs to the list `{list}` and has no link to leave it");
    Finding::refuse(Practice::Pages, "mail-no-unsubscribe", title)
        .why("Gmail and Yahoo require a visible link in letters to many, beside the header; without one, readers report the letters as spam.")
        .fix("write `{{ unsubscribe }}` where a reader finds it, such as the last line; in HTML `<a href=\"{{ unsubscribe }}\">`")
}

fn unknown_value(name: &str, line: usize, what: &str, fields: &[&str]) -> Finding {
    let title = format!("template {name}, line {line}: the letter has no value {what:?}");
    let fix = near(what, fields.iter().copied()).map_or_else(
        || format!("its values are: {}", fields.join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    Finding::refuse(Practice::Pages, "mail-unknown-value", title)
        .why("Dewar could not render the letter.")
        .fix(fix)
}

fn broken(name: &str, error: &Error) -> Finding {
    let line = error.line();
    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
    let title = format!("cannot read the template {name}{line}");
    Finding::refuse(Practice::Pages, "mail-template-broken", title)
        .why(format!("{error}"))
        .fix("correct the template; Dewar loads the template of every letter at start")
}
