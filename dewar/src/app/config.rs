use std::path::PathBuf;

use crate::audit::{Flag, Mode, NodeName, Settings};
use crate::{
    accounts, api, audit, database, forms, https, jobs, live, mail, secrets, sessions, uploads,
};

/// The settings of all rooms. Each room owns its own; this only combines them.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub(super) mode: Mode,
    pub(super) data: PathBuf,
    pub(super) accounts: accounts::Config,
    pub(super) api: api::Config,
    pub(super) audit: audit::Config,
    pub(super) database: database::Config,
    pub(super) forms: forms::Config,
    pub(super) https: https::Config,
    pub(super) jobs: jobs::Config,
    pub(super) live: live::Config,
    pub(super) mail: mail::Config,
    /// The application's name for people; no password may contain it.
    pub(super) name: String,
    /// The name of this node among those that share the database.
    pub(super) node: NodeName,
    pub(super) secrets: secrets::Config,
    pub(super) sessions: sessions::Config,
    pub(super) uploads: uploads::Config,
}

/// Input of the start besides the settings.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) settings: Settings,
    /// The directory in which systemd puts the unit's `LoadCredential=` files.
    pub(super) credentials: Option<PathBuf>,
    /// The variables of the AWS tools.
    pub(super) aws: uploads::AwsEnvironment,
    /// The port that a platform for containers chose.
    pub(super) port: Option<String>,
}

impl Config {
    pub(super) fn read(surroundings: &Surroundings) -> Self {
        let Surroundings {
            settings,
            credentials,
            aws,
            port,
        } = surroundings;
        let (mode, data) = (Mode::read(settings), settings.top().path("data", "data"));
        Self {
            accounts: accounts::Config::read(settings),
            api: api::Config::read(settings),
            audit: audit::Config::read(settings),
            database: database::Config::read(settings),
            forms: forms::Config::read(settings),
            https: https::Config::read(settings, mode).with_port(port.as_deref()),
            jobs: jobs::Config::read(&settings.section("jobs")),
            live: live::Config::read(&settings.section("live")),
            mail: mail::Config::read(settings, &data),
            name: settings.top().text("name", "Dewar"),
            node: NodeName::read(settings),
            secrets: secrets::Config::read(settings, &data, credentials.as_deref()),
            sessions: sessions::Config::read(settings),
            uploads: uploads::Config::read(&settings.section("uploads"), &data)
                .with_aws(aws.clone()),
            mode,
            data,
        }
    }
}

/// The settings of `dewar.toml` (or the file in `DEWAR_CONFIG`) and of the environment; flags override both.
///
/// Only this function reads the environment, once.
pub(super) fn read_environment(flags: Vec<Flag>) -> Surroundings {
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let credentials = environment
        .iter()
        .find(|(name, _)| name == "CREDENTIALS_DIRECTORY")
        .map(|(_, directory)| PathBuf::from(directory));
    let port = environment.iter().find(|(name, _)| name == "PORT");
    let port = port.map(|(_, port)| port.clone());
    let pairs = environment.iter();
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
    let aws = uploads::AwsEnvironment::of(pairs);
    let (keys, environment): (Vec<_>, Vec<_>) = environment
        .into_iter()
        .partition(|(name, _)| secrets::holds_a_key(name));
    let named = environment.iter().find(|(name, _)| name == "DEWAR_CONFIG");
    let file = match named {
        Some((_, path)) => Some(PathBuf::from(path)),
        None => Some(PathBuf::from("dewar.toml")).filter(|path| path.exists()),
    };
    let settings = Settings::read(file.as_deref(), environment).with_flags(flags);
    for (name, _) in &keys {
        settings.push(secrets::key_in_the_environment(name));
    }
    Surroundings {
        settings,
        credentials,
        aws,
        port,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/deployment.md");

    /// Defaults that depend on the machine or on another setting.
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
        // The section of a provider has the name that the operator gives it.
        let provider = [("ISSUER", "https://id.example.org"), ("CLIENT_ID", "a")];
        let provider = provider.map(|(name, value)| {
            let name = format!("DEWAR_ACCOUNTS_PROVIDERS_EXAMPLE_{name}");
            (name, value.to_owned())
        });
        let surroundings = Surroundings {
            settings: Settings::read(None, provider),
            ..Surroundings::default()
        };
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

    /// The configuration with one setting from the environment, and the findings about it.
    fn with(name: &str, value: &str) -> (String, Vec<&'static str>) {
        let name = format!("DEWAR_{}", name.replace('.', "_").to_uppercase());
        let settings = Settings::read(None, [(name, value.to_owned())]);
        let surroundings = Surroundings {
            settings,
            ..Surroundings::default()
        };
        let config = format!("{:?}", Config::read(&surroundings));
        let findings = surroundings.settings.finish();
        (config, findings.iter().map(|finding| finding.id).collect())
    }

    /// The next number in this direction, with the same unit.
    fn beyond(bound: &str, step: i64) -> Option<String> {
        let digits = bound.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number = digits.parse::<i64>().ok()? + step;
        let unit = bound.strip_prefix(digits)?;
        (number >= 0).then(|| format!("{number}{unit}"))
    }

    /// Each limit can be set and is then used, and nothing beyond it can be set.
    #[test]
    fn a_setting_holds_from_its_least_to_its_most_and_not_beyond() {
        let usual = with("name", "Dewar");
        assert_eq!(usual.1, Vec::<&str>::new());
        let mut tried = 0;
        for (name, default, bounds) in documented() {
            let Some((least, most)) = bounds.split_once(" to ") else {
                continue;
            };
            tried += 1;
            for bound in [least, most] {
                let (config, findings) = with(&name, bound);
                assert_eq!(findings, Vec::<&str>::new(), "{name} = {bound}");
                assert_eq!(config == usual.0, bound == default, "{name} = {bound}");
            }
            let below = beyond(least, -1);
            for wrong in below.into_iter().chain(beyond(most, 1)) {
                let (config, findings) = with(&name, &wrong);
                assert_eq!(findings, ["settings-value"], "{name} = {wrong}");
                assert_eq!(config, usual.0, "{name} = {wrong}: the default holds");
            }
        }
        assert!(tried > 30, "{tried} settings with bounds");
    }

    /// Each word that a setting allows differs from its default, and an unknown word is refused.
    #[test]
    fn a_setting_that_is_one_of_several_words_holds_each() {
        for (name, words) in [
            ("mode", ["development", "production"]),
            ("https.tls", ["intermediate", "modern"]),
            ("accounts.sign_up", ["open", "closed"]),
            ("database.durability", ["normal", "full"]),
            ("https.hsts_preload", ["false", "true"]),
        ] {
            let read = words.map(|word| with(name, word));
            for (word, (_, findings)) in words.iter().zip(&read) {
                assert_eq!(*findings, Vec::<&str>::new(), "{name} = {word}");
            }
            assert_ne!(read[0].0, read[1].0, "{name}");
            assert_eq!(with(name, "neither").1, ["settings-value"], "{name}");
        }
    }

    /// A setting that is a path, an address or a text has the value that was written.
    #[test]
    fn a_setting_of_any_value_is_what_was_written() {
        for (name, value) in [
            ("name", "Paperhouse"),
            ("data", "/srv/paper"),
            ("https.address", "192.0.2.7:8444"),
            ("https.http_address", "192.0.2.7:8081"),
            ("https.health", "127.0.0.1:9000"),
            ("https.behind_proxy", "127.0.0.1:8000"),
            ("https.behind_proxy", "unix:/run/portal/http"),
            ("https.behind_proxy", "platform"),
            ("https.hosts", "portal.example.org"),
            ("https.trusted_proxies", "10.0.0.5"),
            ("https.client_ip_source", "forwarded"),
            ("secrets.file", "/etc/portal/ring.toml"),
            ("secrets.webhooks", "/etc/portal/hooks"),
            ("sessions.roles", "reviewer 20m 9h"),
            ("sessions.store", "rediss://ada@example.org:6380"),
            ("accounts.role", "member"),
            ("api.token_prefix", "paperhouse"),
            ("api.cors_origins", "https://app.example"),
            ("mail.transport", "none"),
            ("mail.from", "ada@example.org"),
            ("uploads.directory", "/srv/files"),
        ] {
            let (config, _) = with(name, value);
            assert_ne!(config, with("name", "Dewar").0, "{name} = {value}");
        }
        for (name, wrong) in [
            ("https.address", "192.0.2.7"),
            ("https.health", "9000"),
            ("https.behind_proxy", "192.0.2.7:8000"),
            ("https.client_ip_source", "x-real-ip"),
            ("sessions.roles", "reviewer 20m"),
            ("sessions.roles", "reviewer 20m 9h 1d"),
            ("sessions.roles", "reviewer 59s 9h"),
            ("sessions.roles", "reviewer 20m 25h"),
            ("sessions.roles", " 20m 9h"),
            ("sessions.store", "redis://example.org:6379"),
            ("mail.from", "ada"),
            ("api.token_prefix", "Paper-House"),
            ("api.cors_origins", "https://*.example"),
            ("api.cors_origins", "null"),
        ] {
            let findings = with(name, wrong).1;
            let told = findings.iter().all(|id| id.starts_with("settings-"));
            assert!(
                told && findings.len() == 1,
                "{name} = {wrong}: {findings:?}"
            );
        }
    }
}
