//! Help for the author of a template, or of its handler: the nearest existing name.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::Page;
use crate::audit::near;

/// The greatest depth of nested values in the search, and the most items of a list.
const DEPTH: usize = 4;
const ITEMS: usize = 3;

/// The missing value, as the template spells it, and the nearest name among the given ones.
pub(super) fn help(error: &Error, page: &Page) -> Option<String> {
    let detail = error
        .detail()
        .filter(|_| error.kind() == ErrorKind::UndefinedError)?;
    let written = detail.split('`').nth(1)?;
    let mut names = Vec::new();
    for (name, value) in page.names_and_values() {
        names.push(name.to_owned());
        if let Some(value) = value {
            add_names(value, DEPTH, &mut names);
        }
    }
    names.extend(page.names_of_forms().map(str::to_owned));
    let last = written.rsplit('.').next().unwrap_or(written);
    let meant = near(last, names.iter().map(String::as_str));
    let meant = meant.map_or_else(
        || "The handler did not pass it to the page.".to_owned(),
        |name| format!("Did you mean {name}?"),
    );
    Some(format!("`{written}` is undefined. {meant}"))
}

/// The unknown template that a handler named, and the one with the nearest name.
pub(super) fn template<'a>(
    error: &Error,
    page: &Page,
    names: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let named = page.template();
    // An unknown template in an include is found at start, with its line.
    let is_absent = error.kind() == ErrorKind::TemplateNotFound && error.name().is_none();
    let names: Vec<_> = names.collect();
    if is_absent && names.contains(&named) {
        return Some(format!(
            "template {named} cannot be read: it is gone, or not UTF-8 text"
        ));
    }
    is_absent.then(|| {
        let meant = near(named, names).map_or_else(
            || "Look for it in the folder of the templates.".to_owned(),
            |name| format!("Did you mean {name}?"),
        );
        format!("no template is named {named}, which a handler uses. {meant}")
    })
}

fn add_names(value: &Value, depth: usize, names: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let Ok(inner) = value.try_iter() else {
        return;
    };
    if value.kind() == ValueKind::Map {
        for key in inner {
            names.extend(key.as_str().map(str::to_owned));
            if let Ok(value) = value.get_item(&key) {
                add_names(&value, depth, names);
            }
        }
    } else {
        for item in inner.take(ITEMS) {
            add_names(&item, depth, names);
        }
    }
}
