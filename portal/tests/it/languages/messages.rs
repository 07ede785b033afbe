//! The messages of a language, from its files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use fluent_syntax::ast::{Entry, Expression, Pattern, PatternElement};
use fluent_syntax::parser;

/// The texts of each message and each of its attributes, split at their arguments: one, or one for each variant.
pub(super) struct Messages(BTreeMap<String, Vec<String>>);

impl Messages {
    /// The portal's own.
    pub(super) fn of_the_portal(language: &str) -> Self {
        Self::read(&format!("locales/{language}/portal.ftl"))
    }

    /// With those of the framework.
    pub(super) fn all(language: &str) -> Self {
        let mut all = Self::read(&format!("../dewar/locales/{language}/dewar.ftl"));
        all.0.extend(Self::of_the_portal(language).0);
        all
    }

    fn read(file: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(file).unwrap();
        let resource = parser::parse(&*text).unwrap();
        let mut all = BTreeMap::new();
        for entry in &resource.body {
            let Entry::Message(message) = entry else {
                continue;
            };
            let id = message.id.name;
            let value = message.value.iter().map(|value| (id.to_owned(), value));
            let attributes = message.attributes.iter();
            let attributes = attributes
                .map(|attribute| (format!("{id}.{}", attribute.id.name), &attribute.value));
            for (id, pattern) in value.chain(attributes) {
                let mut texts = Vec::new();
                collect(pattern, &mut texts);
                all.insert(id, texts);
            }
        }
        Self(all)
    }

    pub(super) fn ids(&self) -> BTreeSet<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    pub(super) fn texts(&self) -> BTreeSet<&str> {
        self.0.values().flatten().map(String::as_str).collect()
    }
}

fn collect(pattern: &Pattern<&str>, texts: &mut Vec<String>) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => {
                let words: Vec<&str> = value.split_whitespace().collect();
                texts.push(words.join(" "));
            }
            PatternElement::Placeable {
                expression: Expression::Select { variants, .. },
            } => variants
                .iter()
                .for_each(|variant| collect(&variant.value, texts)),
            PatternElement::Placeable {
                expression: Expression::Inline(_),
            } => {}
        }
    }
}

#[test]
fn both_languages_have_the_same_messages() {
    let (english, german) = (Messages::of_the_portal("en"), Messages::of_the_portal("de"));
    let (english, german) = (english.ids(), german.ids());
    let only: Vec<_> = english.symmetric_difference(&german).collect();
    assert!(only.is_empty(), "in one language only: {only:?}");
    assert!(english.len() > 200, "{}", english.len());
}
