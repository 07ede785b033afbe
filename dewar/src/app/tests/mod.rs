mod audit_end;
mod command_line;
mod nodes;
mod reading;
mod refusals;
mod worker;

use std::path::Path;

use clap::Parser as _;

use super::App;
use super::cli::Command;
use super::config::Surroundings;
use crate::audit::Settings;

/// An application as the command line `arguments` would start it, on free ports, with its data in this directory.
pub(super) fn app(data: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> App {
    app_on(data, arguments, settings, ["127.0.0.1:0"; 2])
}

/// The same application on these addresses, for HTTPS and for HTTP.
fn app_on(
    data: &Path,
    arguments: &[&str],
    settings: &[(&str, &str)],
    [https, http]: [&str; 2],
) -> App {
    let data = data.display().to_string();
    let place = ["--data", &data, "--https", https, "--http", http];
    let line = ["app"].iter().chain(arguments).chain(&place);
    let command = Command::try_parse_from(line).unwrap();
    let settings: Vec<(String, String)> = settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    App::with(command, |flags| Surroundings {
        settings: Settings::read(None, settings).with_flags(flags),
        ..Default::default()
    })
}
