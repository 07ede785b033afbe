use super::{TABLE, When};
use std::fmt::Write;

/// The [`TABLE`](super::TABLE) in Markdown, for the documentation and the command `https headers`.
///
/// ```
/// assert!(dewar::https::markdown_table().contains("| `x-content-type-options` | every answer | `nosniff` |"));
/// ```
#[must_use]
pub fn markdown_table() -> String {
    let mut text = String::from(
        "| header | sent with | value | why | who asks for it |\n|---|---|---|---|---|\n",
    );
    for rule in &TABLE {
        let when = match rule.when {
            When::Always => "every answer",
            When::Default => "every response that sets none",
            When::HstsPreload => {
                "every response, with certificate files, ACME or `https.behind_proxy`, and `hsts_preload`"
            }
            When::Hsts => "every response, with certificate files, ACME or `https.behind_proxy`",
            When::Html => "pages",
            When::NotHtml => "everything else",
        };
        let value = rule.value.to_str().unwrap_or_default();
        let (name, why, source) = (&rule.name, rule.why, rule.source);
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "| `{name}` | {when} | `{value}` | {why} | {source} |");
    }
    text
}
