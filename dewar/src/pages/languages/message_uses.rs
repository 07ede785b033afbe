//! The messages that templates use, with their arguments.

use std::collections::BTreeSet;

use super::Languages;
use crate::audit::{Finding, Practice};
use crate::pages::Bundle;

impl Languages {
    /// Finds templates that use an unknown message id or leave out an argument: the page would be a 500.
    #[must_use]
    pub(crate) fn unknown_in(&self, templates: &[Bundle]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for bundle in templates {
            for name in bundle.names() {
                let text = bundle.read(&name).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                for asked in used(&text) {
                    let wrong = self.wrong(asked.id, |argument| asked.names.contains(&argument));
                    findings
                        .extend(wrong.map(|wrong| finding(&name, asked.line, asked.id, &wrong)));
                }
            }
        }
        findings
    }

    pub(super) fn wrong(&self, id: &str, is_given: impl Fn(&str) -> bool) -> Option<Wrong> {
        let Some(asked) = self.asked(id) else {
            return Some(Wrong::Unknown);
        };
        let missing = asked.into_iter().find(|name| !is_given(name));
        missing.map(Wrong::Without)
    }
}

/// A mistake in the use of a message.
#[derive(Debug)]
pub(super) enum Wrong {
    Unknown,
    /// The message needs this argument, which is missing.
    Without(String),
}

impl Wrong {
    pub(super) fn told(&self, id: &str) -> String {
        match self {
            Self::Unknown => format!("uses the unknown message id {id:?}"),
            Self::Without(name) => {
                format!("uses the message {id:?} without its argument {name:?}")
            }
        }
    }
}

fn finding(template: &str, line: usize, id: &str, wrong: &Wrong) -> Finding {
    let title = format!("template {template}, line {line} {}", wrong.told(id));
    Finding::refuse(Practice::Pages, "pages-message-unknown", title)
        .why("Dewar could not render the page.")
        .fix("Add it to the files of every language, or correct its id and its arguments.")
}

/// A use of a message.
#[derive(Debug, PartialEq, Eq)]
struct MessageUse<'a> {
    line: usize,
    id: &'a str,
    /// The names of its arguments.
    names: BTreeSet<&'a str>,
}

/// Each `t("id", name=value)` inside an expression or a statement.
fn used(text: &str) -> impl Iterator<Item = MessageUse<'_>> {
    text.match_indices("t(").filter_map(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let name = before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.'));
        let opened = before.rfind("{{").max(before.rfind("{%"));
        let closed = before.rfind("}}").max(before.rfind("%}"));
        if name || opened <= closed {
            return None;
        }
        let rest = rest.get(2..)?.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (id, rest) = rest.get(1..)?.split_once(quote)?;
        if !rest.trim_start().starts_with([',', ')']) {
            // The id is put together at run time.
            return None;
        }
        let names = arguments(rest).filter_map(|argument| {
            let (name, value) = argument.split_once('=')?;
            let name = name.trim();
            let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            (is_name && !value.starts_with('=')).then_some(name)
        });
        Some(MessageUse {
            line: line_of(before),
            id,
            names: names.collect(),
        })
    })
}

/// The arguments of a call up to its closing parenthesis.
pub(super) fn arguments(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quote, mut from) = (1_usize, None, 0);
    let mut all = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) => {
                if open == c {
                    quote = None;
                }
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth -= 1;
                if depth == 0 {
                    all.push((from, at));
                    break;
                }
            }
            (None, ',') if depth == 1 => {
                all.push((from, at));
                from = at + 1;
            }
            (None, _) => {}
        }
    }
    all.into_iter().filter_map(|(from, to)| text.get(from..to))
}

pub(super) fn line_of(before: &str) -> usize {
    before.matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_of_a_template_are_found() {
        let text = "t(\"a\") {{ t(\"b\") }} {{ start(\"c\") }}\n{% if t( 'd.e', n=1, m=f(x=2), o == p) %}{{ x.t(\"f\") }}{{ t(id) }}{{ t(\"g-\" ~ x) }}";
        let found: Vec<_> = used(text)
            .map(|asked| (asked.line, asked.id, Vec::from_iter(asked.names)))
            .collect();
        assert_eq!(found, [(1, "b", vec![]), (2, "d.e", vec!["m", "n"])]);
    }
}
