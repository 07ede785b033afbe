//! Which messages the templates ask for.

use super::Languages;
use crate::audit::{Finding, Word};
use crate::pages::Bundle;

impl Languages {
    /// The templates that ask for a message that no language has: a visitor would meet it as a 500.
    #[must_use]
    pub(crate) fn unknown_in(&self, templates: &[Bundle]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for bundle in templates {
            for name in bundle.names() {
                let text = bundle.read(&name).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let unknown = used(&text).filter(|(_, id)| !self.know(id));
                findings.extend(unknown.map(|(line, id)| finding(&name, line, id)));
            }
        }
        findings
    }
}

fn finding(template: &str, line: usize, id: &str) -> Finding {
    let title =
        format!("template {template}, line {line} asks for the message {id:?}, which there is not");
    Finding::refuse(Word::Pages, "pages-message-unknown", title)
        .why("The page could not be shown.")
        .fix("Add it to the files of every language, or correct its id.")
}

/// Each `t("id"` inside an expression or a statement, with its line.
fn used(text: &str) -> impl Iterator<Item = (usize, &str)> {
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
        let (id, _) = rest.get(1..)?.split_once(quote)?;
        Some((before.matches('\n').count() + 1, id))
    })
}

#[cfg(test)]
mod tests {
    use super::used;

    #[test]
    fn only_calls_of_a_template_are_found() {
        let text = "t(\"a\") {{ t(\"b\") }} {{ start(\"c\") }}\n{% if t( 'd.e', n=1) %}{{ x.t(\"f\") }}{{ t(id) }}";
        assert_eq!(used(text).collect::<Vec<_>>(), [(1, "b"), (2, "d.e")]);
    }
}
