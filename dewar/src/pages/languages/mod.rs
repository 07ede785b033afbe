//! The languages of an application: messages in Fluent files, and the choice of a reader's language.

mod date_format;
mod judged;
mod labels;
mod message_uses;
#[cfg(feature = "testing")]
mod source_messages;
mod wanted;

#[cfg(any(fuzzing, test))]
pub(super) use wanted::best as best_language;
mod words;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use http::HeaderMap;
use unic_langid::LanguageIdentifier;

pub use words::{Message, MessageValue, Words};

use super::Bundle;
pub(super) use date_format::{RenderScope, date, file_size, moment};

use crate::audit::Finding;
use date_format::DateFormat;
use words::WordsSource;

/// The framework's own messages, by language.
const SHIPPED: [(&str, &str); 2] = [
    ("en", include_str!("../../../locales/en/dewar.ftl")),
    ("de", include_str!("../../../locales/de/dewar.ftl")),
];

/// The languages of an application, with the default language first.
///
/// ```
/// use dewar::pages::{Languages, Message};
/// let languages = Languages::english();
/// let missing = Message::new("forms-missing").into();
/// assert_eq!(languages.first().translate(&missing), "Fill this in.");
/// ```
#[derive(Clone, Debug)]
pub struct Languages(Arc<Locales>, SettingValues);

/// The values of settings that pages show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SettingValues {
    /// The least number of characters of a new password, if it is more than the type demands.
    pub(crate) password_characters: usize,
    /// Whether a browser can send a file to the storage itself.
    pub(crate) direct_uploads: bool,
}

#[derive(Debug)]
struct Locales {
    locales: Vec<Locale>,
    findings: Vec<Finding>,
    /// The ids of the application's own messages, with attributes, by file.
    ids: Vec<(String, Vec<String>)>,
}

/// A language with its messages.
struct Locale {
    tag: String,
    bundle: FluentBundle<Arc<FluentResource>>,
    /// Whether it may hold labels of forms; the labels of the program's own language are in the code.
    has_labels: bool,
    /// `None` if its messages define no formats; then it uses the English ones.
    manner: Option<DateFormat>,
}

impl AsRef<str> for Locale {
    fn as_ref(&self) -> &str {
        &self.tag
    }
}

/// The language of one reader; as the input of a handler, that of the request.
///
/// ```
/// use dewar::pages::{Languages, Message};
/// use http::HeaderMap;
/// let language = Languages::english().of(&HeaderMap::new());
/// assert_eq!(language.tag(), "en");
/// ```
/// ```
/// use dewar::pages::{Csv, Language, Message};
/// async fn notes(language: Language) -> Csv {
///     let title = language.translate(&Message::new("notes-title").into()).into_owned();
///     Csv::new("notes.csv").row([title.into()])
/// }
/// fn app(app: dewar::App) -> dewar::App { app.public([dewar::get("/notes.csv", notes)]) }
/// ```
#[derive(Clone)]
pub struct Language {
    languages: Languages,
    place: usize,
}

impl Languages {
    /// English alone, with the framework's words.
    #[must_use]
    pub fn english() -> Self {
        static ENGLISH: LazyLock<Languages> = LazyLock::new(|| {
            let spoken = Locales {
                locales: vec![english_locale()],
                findings: Vec::new(),
                ids: Vec::new(),
            };
            Languages(Arc::new(spoken), SettingValues::default())
        });
        ENGLISH.clone()
    }

    /// German alone.
    #[cfg(test)]
    pub(crate) fn german() -> Self {
        let spoken = Locales {
            locales: vec![locale("de", &[], &mut Vec::new())],
            findings: Vec::new(),
            ids: Vec::new(),
        };
        Self(Arc::new(spoken), SettingValues::default())
    }

    /// Loads the languages of a folder: `de/notes.ftl` is a Fluent file with messages in German. `first` is the tag (BCP
    /// 47) of the default language, for readers who request none of the others. The framework has its own messages in
    /// English and German; a message of yours with the same id replaces one.
    #[must_use]
    pub fn load(first: &'static str, bundle: &Bundle) -> Self {
        let mut files: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut findings = Vec::new();
        for name in bundle.names() {
            let text = bundle.read(&name).map(Cow::into_owned);
            let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
            match (name.split_once('/'), text) {
                (Some((tag, file)), Some(text)) if file.ends_with(".ftl") => {
                    let of = files.entry(tag.to_owned()).or_default();
                    of.push((name.clone().into_owned(), text));
                }
                _ => findings.push(judged::misplaced(&name)),
            }
        }
        if !files.contains_key(first) {
            findings.push(judged::no_first(first));
        }
        let rest = files.keys().filter(|tag| *tag != first);
        let order: Vec<&str> = std::iter::once(first)
            .chain(rest.map(String::as_str))
            .collect();
        let locales = order
            .into_iter()
            .map(|tag| {
                locale(
                    tag,
                    files.get(tag).map_or(&[], Vec::as_slice),
                    &mut findings,
                )
            })
            .collect();
        findings.extend(judged::compared(&files, first));
        let ids = files.into_values().flatten().map(|(name, text)| {
            let ids = judged::messages(&text).into_keys();
            (name, ids.collect())
        });
        let spoken = Locales {
            locales,
            findings,
            ids: ids.collect(),
        };
        Self(Arc::new(spoken), SettingValues::default())
    }

    /// Adds the values of settings.
    #[must_use]
    pub(crate) fn with_facts(mut self, facts: SettingValues) -> Self {
        self.1 = facts;
        self
    }

    /// All findings about the files.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    /// The default language, for readers who request none of the others.
    #[must_use]
    pub fn first(&self) -> Language {
        self.at(0)
    }

    /// The best language for a reader, by `Accept-Language`.
    #[must_use]
    pub fn of(&self, headers: &HeaderMap) -> Language {
        match self.0.locales.as_slice() {
            [_] => self.first(),
            all => self.at(wanted::best(headers, all)),
        }
    }

    /// The language with this tag; the default one if there is none.
    #[must_use]
    pub fn named(&self, tag: &str) -> Language {
        let place = self.0.locales.iter().position(|locale| locale.tag == tag);
        self.at(place.unwrap_or_default())
    }

    /// Whether a response may depend on the requested language.
    pub(crate) fn are_several(&self) -> bool {
        self.0.locales.len() > 1
    }

    /// The arguments of a message, or of an attribute, in all languages together; `None` if no language has the id.
    fn asked(&self, id: &str) -> Option<BTreeSet<String>> {
        let mut patterns = self
            .0
            .locales
            .iter()
            .filter_map(|locale| locale.pattern(id));
        let first = judged::asked(patterns.next()?);
        Some(patterns.fold(first, |all, pattern| &all | &judged::asked(pattern)))
    }

    fn at(&self, place: usize) -> Language {
        Language {
            languages: self.clone(),
            place,
        }
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self::english()
    }
}

impl Language {
    /// Its tag, as `<html lang>` has it.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.locale().map_or("en", |locale| &locale.tag)
    }

    /// The words in this language; if it has none, in the first language, and then in English.
    #[must_use]
    pub fn translate<'a>(&self, words: &'a Words) -> Cow<'a, str> {
        match &words.0 {
            WordsSource::Said(text) => Cow::Borrowed(text),
            WordsSource::Message(message) => self
                .message(message.id(), &message.arguments())
                .map_or(Cow::Borrowed(message.id()), Cow::Owned),
        }
    }

    /// A message by its id, in the first language that has it.
    pub(crate) fn message(&self, id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        let own = self.locale().and_then(|locale| locale.say(id, arguments));
        own.or_else(|| self.languages.0.locales.first()?.say(id, arguments))
            .or_else(|| english().say(id, arguments))
    }

    /// The label of a field, or one of its attributes, if this language has one: `new-note-title.hint`.
    pub(crate) fn label(&self, form: &str, field: &str, attribute: Option<&str>) -> Option<String> {
        let locale = self.locale().filter(|locale| locale.has_labels)?;
        let steps = field
            .split('.')
            .filter(|step| !step.is_empty() && step.parse::<usize>().is_err());
        let mut id = steps.fold(form.to_owned(), |id, step| format!("{id}-{step}"));
        if let Some(attribute) = attribute {
            id.push('.');
            id.push_str(attribute);
        }
        locale.say(&id, &FluentArgs::new())
    }

    /// The label of a choice's value, if this language has one for the enum: `ticket-status.is-open`.
    pub(crate) fn label_of_choice(&self, choices: &str, attribute: &str) -> Option<String> {
        if choices.is_empty() {
            return None;
        }
        let locale = self.locale().filter(|locale| locale.has_labels)?;
        locale.say(&format!("{choices}.{attribute}"), &FluentArgs::new())
    }

    /// The values of settings.
    pub(crate) fn facts(&self) -> SettingValues {
        self.languages.1
    }

    /// Whether another reader may get the response in another language.
    pub(crate) fn is_one_of_several(&self) -> bool {
        self.languages.are_several()
    }

    fn locale(&self) -> Option<&Locale> {
        self.languages.0.locales.get(self.place)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Language({})", self.tag())
    }
}

impl Locale {
    fn manner(&self) -> &DateFormat {
        self.manner.as_ref().unwrap_or_else(|| {
            static PLAIN: LazyLock<DateFormat> = LazyLock::new(DateFormat::plain);
            english().manner.as_ref().unwrap_or(&PLAIN)
        })
    }

    /// A message, or `message.attribute`.
    fn pattern(&self, id: &str) -> Option<&fluent_syntax::ast::Pattern<&str>> {
        match id.split_once('.') {
            Some((id, attribute)) => {
                let message = self.bundle.get_message(id)?;
                Some(message.get_attribute(attribute)?.value())
            }
            None => self.bundle.get_message(id)?.value(),
        }
    }

    /// The formatted message; `None` for an unknown id or a missing argument.
    fn say(&self, id: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        let pattern = self.pattern(id)?;
        let mut errors = Vec::new();
        let words = self
            .bundle
            .format_pattern(pattern, Some(arguments), &mut errors);
        let words = words.into_owned();
        if errors.is_empty() {
            return Some(words);
        }
        tracing::error!(id, language = self.tag, ?errors, "cannot format a message");
        None
    }
}

impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tongue")
            .field("tag", &self.tag)
            .finish_non_exhaustive()
    }
}

/// The framework's English, which has every message of the framework.
fn english() -> &'static Locale {
    static ENGLISH: LazyLock<Locale> = LazyLock::new(english_locale);
    &ENGLISH
}

fn english_locale() -> Locale {
    let mut locale = locale("en", &[], &mut Vec::new());
    locale.has_labels = false;
    locale
}

/// A language with the application's messages, and below them the framework's, if it has some.
fn locale(tag: &str, files: &[(String, String)], findings: &mut Vec<Finding>) -> Locale {
    let language: LanguageIdentifier = tag.parse().unwrap_or_else(|_| {
        findings.push(judged::no_tag(tag));
        LanguageIdentifier::default()
    });
    let primary = tag
        .split('-')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // A page marks foreign text with an element; a message is plain text.
    bundle.set_use_isolating(false);
    if let Some((_, text)) = SHIPPED.iter().find(|(tag, _)| *tag == primary) {
        add(&mut bundle, "dewar.ftl", text, findings);
    }
    let mut seen = BTreeSet::new();
    for (name, text) in files {
        judged::twice(name, text, &mut seen, findings);
        add(&mut bundle, name, text, findings);
    }
    let mut locale = Locale {
        tag: tag.to_owned(),
        bundle,
        has_labels: true,
        manner: None,
    };
    locale.manner = DateFormat::of(|id, arguments| locale.say(id, arguments));
    locale
}

fn add(
    bundle: &mut FluentBundle<Arc<FluentResource>>,
    name: &str,
    text: &str,
    findings: &mut Vec<Finding>,
) {
    let resource = match FluentResource::try_new(text.to_owned()) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            findings.extend(errors.iter().map(|error| judged::broken(name, text, error)));
            resource
        }
    };
    bundle.add_resource_overriding(Arc::new(resource));
}

#[cfg(test)]
mod tests;
