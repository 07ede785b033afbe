//! The findings about the files of languages.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use fluent_syntax::parser::ParserError;

use super::SHIPPED;
use crate::audit::{Finding, Practice, Severity};

pub(super) fn misplaced(name: &str) -> Finding {
    let title = format!("{name:?} is not a file of a language");
    Finding::refuse(Practice::Pages, "pages-language-file", title)
        .why("Dewar would never use its messages.")
        .fix("Put it into the folder of its language, in UTF-8: de/notes.ftl.")
}

pub(super) fn no_tag(tag: &str) -> Finding {
    let title = format!("the folder {tag:?} does not have the name of a language");
    Finding::refuse(Practice::Pages, "pages-language-tag", title)
        .why("No browser could request it.")
        .fix("Name it by its tag (BCP 47): en, de, de-CH, zh-Hant.")
}

pub(super) fn no_first(first: &str) -> Finding {
    let title = format!("the folder of the first language, {first:?}, does not exist");
    Finding::refuse(Practice::Pages, "pages-language-first", title)
        .why("Dewar uses it for readers who request none of the other languages.")
        .fix(format!(
            "Add {first}/app.ftl, or name another language in `.languages(…)`."
        ))
}

pub(super) fn broken(name: &str, text: &str, error: &ParserError) -> Finding {
    let before = text.get(..error.pos.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let title = format!("{name}, line {line} is not valid Fluent");
    Finding::refuse(Practice::Pages, "pages-language-broken", title)
        .why(error.kind.to_string())
        .fix("Correct the message. Dewar reads every file at start, so that no visitor sees the error first.")
}

/// Finds a message id that one language has twice: the language would use only one of them.
pub(super) fn twice(
    name: &str,
    text: &str,
    seen: &mut BTreeSet<String>,
    findings: &mut Vec<Finding>,
) {
    for id in messages(text).into_keys().filter(|id| !id.contains('.')) {
        if !seen.insert(id.clone()) {
            let title = format!("{name} repeats the message {id}");
            findings.push(
                Finding::refuse(Practice::Pages, "pages-language-twice", title)
                    .why("Dewar would use only one of the two.")
                    .fix("Remove one of them, or give it another id."),
            );
        }
    }
}

/// Compares every language with the first: messages that it lacks, and arguments that nobody gives.
pub(super) fn compared(
    files: &BTreeMap<String, Vec<(String, String)>>,
    first: &str,
) -> Vec<Finding> {
    let of = |tag: &str| {
        let mut all = BTreeMap::new();
        let shipped = SHIPPED
            .iter()
            .find(|(shipped, _)| tag.split('-').next() == Some(shipped));
        let texts = files
            .get(tag)
            .into_iter()
            .flatten()
            .map(|(_, text)| text.as_str());
        for text in shipped.map(|(_, text)| *text).into_iter().chain(texts) {
            all.extend(messages(text));
        }
        all
    };
    let english = of("en");
    let mut known = english.clone();
    known.extend(of(first));
    let others = files.keys().filter(|tag| *tag != first);
    let mut findings = Vec::new();
    for tag in others.chain((first != "en").then_some(&first.to_owned())) {
        let own = of(tag);
        let missing: Vec<&str> = known
            .keys()
            .filter(|id| !own.contains_key(*id))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            findings.push(incomplete(tag, &missing));
        }
        for (id, arguments) in &own {
            let given = known.get(id);
            let strange = |name: &&String| given.is_some_and(|given| !given.contains(*name));
            findings.extend(
                arguments
                    .iter()
                    .filter(strange)
                    .map(|name| unknown_argument(tag, id, name)),
            );
        }
    }
    findings
}

fn incomplete(tag: &str, missing: &[&str]) -> Finding {
    let some: Vec<&str> = missing.iter().take(8).copied().collect();
    let title = format!(
        "{tag} does not translate {} messages: {}",
        missing.len(),
        some.join(", ")
    );
    Finding::warn(Practice::Pages, "pages-language-incomplete", title)
        .why("Dewar uses another language for them.")
        .fix(format!("Add them to a file in {tag}/."))
        .severity(Severity::Info)
}

fn unknown_argument(tag: &str, id: &str, name: &str) -> Finding {
    let title = format!("{tag} uses ${name} in {id}, which the first language does not");
    Finding::refuse(Practice::Pages, "pages-language-argument", title)
        .why("Dewar could never use the message.")
        .fix("Use only the arguments of the first language's message.")
}

/// The ids of a file, attributes as `id.attribute`, each with its arguments.
pub(super) fn messages(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let resource = match FluentResource::try_new(text.to_owned()) {
        Ok(resource) | Err((resource, _)) => resource,
    };
    let mut all = BTreeMap::new();
    for entry in resource.entries() {
        let Entry::Message(message) = entry else {
            continue;
        };
        let id = message.id.name.to_owned();
        for attribute in &message.attributes {
            let arguments = asked(&attribute.value);
            all.insert(format!("{id}.{}", attribute.id.name), arguments);
        }
        all.insert(id, message.value.as_ref().map(asked).unwrap_or_default());
    }
    all
}

/// The arguments of a text.
pub(super) fn asked(pattern: &Pattern<&str>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    in_pattern(pattern, &mut names);
    names
}

fn in_pattern(pattern: &Pattern<&str>, names: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        if let PatternElement::Placeable { expression } = element {
            in_expression(expression, names);
        }
    }
}

fn in_expression(expression: &Expression<&str>, names: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => in_inline(inline, names),
        Expression::Select { selector, variants } => {
            in_inline(selector, names);
            for variant in variants {
                in_pattern(&variant.value, names);
            }
        }
    }
}

fn in_inline(inline: &InlineExpression<&str>, names: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => {
            names.insert(id.name.to_owned());
        }
        InlineExpression::FunctionReference { arguments, .. } => {
            for argument in &arguments.positional {
                in_inline(argument, names);
            }
        }
        InlineExpression::Placeable { expression } => in_expression(expression, names),
        InlineExpression::StringLiteral { .. }
        | InlineExpression::NumberLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. } => {}
    }
}
