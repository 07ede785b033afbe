use std::path::PathBuf;

use crate::audit::{Mode, Settings};
use crate::{accounts, audit, database, forms, https, secrets, sessions, uploads};

/// The settings of all rooms. Each room owns its own; here they are only put together.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) mode: Mode,
    pub(super) data: PathBuf,
    pub(super) accounts: accounts::Config,
    pub(super) audit: audit::Config,
    pub(super) database: database::Config,
    pub(super) forms: forms::Config,
    pub(super) https: https::Config,
    /// What people call the application; it is no password.
    pub(super) name: String,
    pub(super) secrets: secrets::Config,
    pub(super) sessions: sessions::Config,
    pub(super) uploads: uploads::Config,
}

/// What is read beside the settings.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) settings: Settings,
    /// Where systemd put what the unit's `LoadCredential=` names.
    pub(super) credentials: Option<PathBuf>,
}

impl Config {
    pub(super) fn read(surroundings: &Surroundings) -> Self {
        let Surroundings {
            settings,
            credentials,
        } = surroundings;
        let (mode, data) = (Mode::read(settings), settings.top().path("data", "data"));
        Self {
            accounts: accounts::Config::read(settings, &data),
            audit: audit::Config::read(settings),
            database: database::Config::read(settings),
            forms: forms::Config::read(settings),
            https: https::Config::read(settings, mode),
            name: settings.top().text("name", "Dewar"),
            secrets: secrets::Config::read(settings, &data, credentials.as_deref()),
            sessions: sessions::Config::read(settings),
            uploads: uploads::Config::read(&settings.section("uploads"), &data),
            mode,
            data,
        }
    }
}

/// The settings of `dewar.toml` (or the file that `DEWAR_CONFIG` names) and of the environment; flags stand above both.
///
/// The environment is read here and nowhere else, once.
pub(super) fn read_environment(flags: Vec<(String, String)>) -> Surroundings {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let credentials = environment
        .iter()
        .find(|(name, _)| name == "CREDENTIALS_DIRECTORY")
        .map(|(_, directory)| PathBuf::from(directory));
    let (keys, environment): (Vec<_>, Vec<_>) = environment
        .into_iter()
        .partition(|(name, _)| secrets::holds_a_key(name));
    let named = environment.iter().find(|(name, _)| name == "DEWAR_CONFIG");
    let file = match named {
        Some((_, path)) => Some(PathBuf::from(path)),
        None => Some(PathBuf::from("dewar.toml")).filter(|path| path.exists()),
    };
    let settings = Settings::read(file.as_deref(), environment.into_iter().chain(flags));
    for (name, _) in &keys {
        settings.push(secrets::key_in_the_environment(name));
    }
    Surroundings {
        settings,
        credentials,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/deployment.md");

    /// Defaults that hang on the machine or on another setting.
    const IN_WORDS: [&str; 4] = [
        "the cores",
        "the port of address",
        "keys/webhooks in data",
        "uploads in data",
    ];

    /// A line of a settings table: `(name, default, bounds)`, with one line for each of several names.
    fn documented() -> Vec<(String, String, String)> {
        let mut section = None;
        let mut lines = Vec::new();
        for line in DOCUMENT.lines() {
            if let Some(heading) = line.strip_prefix("### ") {
                section = Some(heading.trim_matches(['`', '[', ']']).to_owned());
            } else if line.starts_with("## ") {
                section = None;
            }
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let (Some(section), ["", names, default, bounds, ..]) = (&section, &cells[..]) else {
                continue;
            };
            for name in names.split(", ").filter(|name| name.starts_with('`')) {
                let name = name.trim_matches('`');
                let name = match section.as_str() {
                    "Top" => name.to_owned(),
                    section => format!("{section}.{name}"),
                };
                lines.push((name, default.replace('`', ""), bounds.replace('`', "")));
            }
        }
        lines
    }

    #[test]
    fn every_setting_is_documented_with_its_default_and_its_bounds() {
        let surroundings = Surroundings::default();
        Config::read(&surroundings);
        let known = surroundings.settings.known();
        let documented = documented();
        let names: Vec<&str> = documented.iter().map(|(name, ..)| name.as_str()).collect();
        let mut unknown = names.clone();
        unknown.retain(|name| known.iter().all(|known| known.name != *name));
        assert!(
            unknown.is_empty(),
            "documented, and no setting: {unknown:?}"
        );
        let mut wrong = Vec::new();
        for setting in known {
            let line = documented.iter().find(|(name, ..)| *name == setting.name);
            let Some((_, default, bounds)) = line else {
                wrong.push(format!("{setting:?} is not documented"));
                continue;
            };
            if !default.replace(", ", ",").contains(&setting.default)
                && !IN_WORDS.contains(&default.as_str())
            {
                wrong.push(format!("{setting:?} has another default than “{default}”"));
            }
            let range = setting.right.split_once(" from ").map(|(_, right)| right);
            let range = range.and_then(|range| range.split(',').next());
            if range.is_some_and(|range| !bounds.contains(range)) {
                wrong.push(format!("{setting:?} has other bounds than “{bounds}”"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
