//! Finds labels of fields that do not exist: no page would show them.

use std::collections::BTreeMap;

use super::Languages;
use crate::audit::{Finding, Practice, Severity, near};

/// The attributes that a label's message may have.
const OF_LABELS: [&str; 3] = ["group", "hint", "placeholder"];

impl Languages {
    /// The messages that look like the label of a field, `<form>-<field>`, and belong to none. `forms` holds each form in
    /// the route table, with the ids of its labels.
    pub(crate) fn labels_of_no_field(&self, forms: &[(&str, Vec<String>)]) -> Vec<Finding> {
        let known = |id: &str| {
            forms
                .iter()
                .any(|(_, ids)| ids.iter().any(|known| known == id))
        };
        let mut findings = Vec::new();
        for (file, ids) in &self.0.ids {
            for id in ids.iter().filter(|id| !id.contains('.') && !known(id)) {
                let attributes = ids.iter().filter_map(|other| {
                    let (of, attribute) = other.split_once('.')?;
                    (of == id).then_some(attribute)
                });
                let labels = attributes
                    .into_iter()
                    .any(|it| OF_LABELS.contains(&it) || it.starts_with("is-"));
                // If two forms match, such as `note` and `note-draft`, the id belongs to the one with the longer name.
                let form = forms
                    .iter()
                    .filter(|(form, _)| {
                        id.strip_prefix(form)
                            .is_some_and(|rest| rest.starts_with('-'))
                    })
                    .max_by_key(|(form, _)| form.len());
                let Some((form, fields)) = form else {
                    continue;
                };
                let meant = meant(id, form, fields);
                if labels || meant.is_some() {
                    findings.push(finding(file, id, form, meant));
                }
            }
        }
        findings
    }
}

impl Languages {
    /// The labels of enums that name no value, and the values that a labelled enum leaves out: a list would have no text for them.
    pub(crate) fn labels_of_choices(&self, enums: &BTreeMap<&str, Vec<&str>>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (file, ids) in &self.0.ids {
            for (name, values) in enums {
                let labels = ids.iter().filter_map(|id| {
                    let attribute = id.strip_prefix(name)?.strip_prefix('.')?;
                    attribute.strip_prefix("is-")
                });
                let labels: Vec<&str> = labels.collect();
                let values = || values.iter().copied();
                for label in labels
                    .iter()
                    .filter(|label| !values().any(|it| it == **label))
                {
                    let title = format!(
                        "{file} has the label {name}.is-{label}, but the choice has no such value"
                    );
                    let near = near(label, values()).map_or_else(
                        || "Remove it.".to_owned(),
                        |near| format!("Rename it to .is-{near}."),
                    );
                    findings.push(unread(title, near));
                }
                let left_out = values().filter(|value| !labels.contains(value));
                for value in left_out.filter(|_| !labels.is_empty()) {
                    let title = format!("{file} has labels of {name}, and none for `{value}`");
                    findings.push(unread(
                        title,
                        format!("Add .is-{value} to the message {name}."),
                    ));
                }
            }
        }
        findings
    }
}

fn unread(title: String, fix: String) -> Finding {
    Finding::warn(Practice::Pages, "pages-label-unused", title)
        .why("The form would show the label in the code, and a template that asks for the message an error.")
        .fix(fix)
        .severity(Severity::Low)
}

fn meant<'a>(id: &str, form: &str, fields: &'a [String]) -> Option<&'a str> {
    let name = |id: &'a str| {
        id.strip_prefix(form)
            .and_then(|rest| rest.strip_prefix('-'))
    };
    let wrong = id.strip_prefix(form)?.strip_prefix('-')?;
    let field = near(wrong, fields.iter().filter_map(|id| name(id)))?;
    fields
        .iter()
        .map(String::as_str)
        .find(|id| name(id) == Some(field))
}

fn finding(file: &str, id: &str, form: &str, meant: Option<&str>) -> Finding {
    let title = format!("{file} has the label {id}, but the form {form} does not have this field");
    let fix = match meant {
        Some(meant) => format!("Rename it to {meant}, the name of the field."),
        None => {
            "Name it <form>-<field>, with the field's name in the struct, or remove it.".to_owned()
        }
    };
    Finding::warn(Practice::Pages, "pages-label-unused", title)
        .why("Dewar would never show it: the field keeps the label in the code.")
        .fix(fix)
        .severity(Severity::Low)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::pages::Bundle;

    const FILE: &str = "new-ticket-title = Title\nnew-ticket-due-on = Due on\nnew-ticket-created = It was made.\n\
        new-ticket-prioriti = Priority\n    .is-high = High\nnew-ticket-colour = Colour\n    .hint = Of the flag\n";

    #[test]
    fn labels_of_an_enum_name_its_values_and_all_of_them() {
        const FILE: &str =
            "status = Status\n    .is-open = Open\n    .is-closd = Closed\npriority = Priority\n";
        let bundle = Bundle::inside(
            |name| (name == "en/app.ftl").then_some(Cow::Borrowed(FILE.as_bytes())),
            || vec![Cow::Borrowed("en/app.ftl")],
        );
        let languages = Languages::load("en", &bundle);
        let enums = [
            ("status", vec!["open", "closed"]),
            ("priority", vec!["low"]),
        ];
        let found = languages.labels_of_choices(&enums.into_iter().collect());
        let told: Vec<_> = found
            .iter()
            .map(|it| format!("{}; {}", it.title, it.fix))
            .collect();
        let told = told.join("\n");
        // A message of that name without labels is another message.
        assert_eq!(found.len(), 2, "{told}");
        assert!(
            told.contains("status.is-closd, but") && told.contains("Rename it to .is-closed"),
            "{told}"
        );
        assert!(told.contains("none for `closed`"), "{told}");
    }

    #[test]
    fn a_label_whose_field_is_spelled_otherwise_is_told() {
        let bundle = Bundle::inside(
            |name| (name == "en/app.ftl").then_some(Cow::Borrowed(FILE.as_bytes())),
            || vec![Cow::Borrowed("en/app.ftl")],
        );
        let languages = Languages::load("en", &bundle);
        assert_eq!(languages.findings(), []);
        let fields = ["title", "due_on", "priority"];
        let ids = fields.map(|field| format!("new-ticket-{field}")).to_vec();
        let found = languages.labels_of_no_field(&[("new", vec![]), ("new-ticket", ids)]);
        let told: Vec<_> = found
            .iter()
            .map(|found| format!("{}; {}", found.title, found.fix))
            .collect();
        let told = told.join("\n");
        for says in [
            "new-ticket-due-on, but the form new-ticket does not have this field; Rename it to new-ticket-due_on",
            "new-ticket-prioriti, but the form new-ticket does not have this field; Rename it to new-ticket-priority",
            "new-ticket-colour, but the form new-ticket does not have this field; Name it",
        ] {
            assert!(told.contains(says), "{told}");
        }
        // A label that fits and a message that is no label are no mistake.
        assert_eq!(found.len(), 3, "{told}");
        assert!(found.iter().all(|found| !found.refuses_launch));
    }
}
