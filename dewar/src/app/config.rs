use std::path::PathBuf;

use crate::audit::{Mode, Settings};
use crate::{accounts, database, forms, https, sessions, uploads};

/// The settings of all rooms. Each room owns its own; here they are only put together.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) mode: Mode,
    pub(super) data: PathBuf,
    pub(super) accounts: accounts::Config,
    pub(super) database: database::Config,
    pub(super) forms: forms::Config,
    pub(super) https: https::Config,
    /// What people call the application; it is no password.
    pub(super) name: String,
    pub(super) sessions: sessions::Config,
    pub(super) uploads: uploads::Config,
}

impl Config {
    pub(super) fn read(settings: &Settings) -> Self {
        let (mode, data) = (Mode::read(settings), settings.top().path("data", "data"));
        Self {
            accounts: accounts::Config::read(settings, &data),
            database: database::Config::read(settings),
            forms: forms::Config::read(settings),
            https: https::Config::read(settings, mode),
            name: settings.top().text("name", "Dewar"),
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
pub(super) fn read_environment(flags: Vec<(String, String)>) -> Settings {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let named = environment.iter().find(|(name, _)| name == "DEWAR_CONFIG");
    let file = match named {
        Some((_, path)) => Some(PathBuf::from(path)),
        None => Some(PathBuf::from("dewar.toml")).filter(|path| path.exists()),
    };
    Settings::read(file.as_deref(), environment.into_iter().chain(flags))
}
