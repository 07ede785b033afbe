use std::fmt::Write as _;

use super::{print, print_json};
use crate::audit::KnownSetting;
use crate::pages::Error;

/// Lists every setting without its value, which may be a secret in the wrong place (CWE-532).
pub(super) fn list(known: &[KnownSetting], json: bool) -> Result<(), Error> {
    if json {
        return print_json(&known);
    }
    print(&text(known))
}

fn text(known: &[KnownSetting]) -> String {
    let mut text = String::new();
    for setting in known {
        let KnownSetting {
            name,
            variable,
            right,
            default,
            help,
            place,
        } = setting;
        let _ = writeln!(text, "{name}  ({variable})");
        if !help.is_empty() {
            let _ = writeln!(text, "    {help}");
        }
        let _ = writeln!(text, "    {right}");
        match (place, default.as_str()) {
            (Some(place), _) => _ = writeln!(text, "    written in: {place}"),
            (None, "") => _ = writeln!(text, "    not written"),
            (None, default) => _ = writeln!(text, "    default: {default}"),
        }
    }
    text
}
