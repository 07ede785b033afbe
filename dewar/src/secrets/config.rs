use super::source::{FileOwner, KeySource, SETTLE};
use crate::audit::{Finding, Practice, Settings, Severity};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file of the key ring in systemd's credentials directory: `LoadCredential=dewar-keys:…`.
const CREDENTIAL: &str = "dewar-keys";

/// The settings of `[secrets]`.
///
/// ```
/// use dewar::{audit::Settings, secrets::Config};
/// let env = [("DEWAR_SECRETS_FILE".to_owned(), "/run/secrets/keys.toml".to_owned())];
/// let config = Config::read(&Settings::read(None, env), "data".as_ref(), None);
/// assert_eq!(config.source.kind(), "secrets.file");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where the key ring is.
    pub source: KeySource,
    /// Where the keys of webhook senders are.
    pub(crate) webhooks: Folder,
}

/// A folder with one secret per file.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) place: FileOwner,
}

impl Config {
    /// Reads the section. `data` is the data directory; `credentials` is the directory with the credentials of the
    /// unit's `LoadCredential=`, if systemd passed one.
    #[must_use]
    pub fn read(settings: &Settings, data: &Path, credentials: Option<&Path>) -> Self {
        let section = settings.section("secrets");
        let settle = section.duration(
            "activation_delay",
            SETTLE,
            Duration::from_secs(10)..=Duration::from_secs(3600),
        );
        let ours = data.join("keys");
        let default = KeySource::in_directory(&ours);
        let source = match section.optional_path("file") {
            Some(written) if is_key_material(&written) => {
                settings.push(key_as_path());
                default
            }
            // A path within the data directory is as private as the default.
            Some(written) if is_within(&written, data) => default.moved_to(written),
            Some(written) => KeySource::named(written),
            None => {
                let handed = credentials.map(|directory| directory.join(CREDENTIAL));
                let handed = handed.filter(|file| file.exists());
                handed.map_or(default, KeySource::credential)
            }
        };
        let folder = ours.join("webhooks");
        let webhooks = section.path("webhooks", &folder);
        let place = if is_within(&webhooks, data) {
            FileOwner::Ours
        } else {
            FileOwner::Handed
        };
        Self {
            source: source.settle(settle),
            webhooks: Folder {
                path: webhooks,
                place,
            },
        }
    }
}

/// Variables in which other frameworks keep a key.
const KEYS_IN_THE_ENVIRONMENT: [&str; 9] = [
    "APP_KEY",
    "DEWAR_KEY",
    "DEWAR_KEYS",
    "DEWAR_SECRETS_KEY",
    "DEWAR_SECRETS_KEYS",
    "DEWAR_SECRET_KEY",
    "ROCKET_SECRET_KEY",
    "SECRET_KEY",
    "SECRET_KEY_BASE",
];

/// Whether somebody might put a key into this variable of the environment.
pub(crate) fn holds_a_key(variable: &str) -> bool {
    KEYS_IN_THE_ENVIRONMENT.contains(&variable)
}

/// The finding about a key in the environment. It does not repeat the value.
pub(crate) fn key_in_the_environment(variable: &str) -> Finding {
    Finding::refuse(
        Practice::Secrets,
        "secrets-environment",
        format!("{variable} in the environment looks like a key"),
    )
    .why("Every child process, crash report and reader of /proc can see the environment. Dewar would not use this key: it reads keys from a file.")
    .fix("Remove it from the environment. Run `<app> keys new`; if the file is elsewhere, name it in DEWAR_SECRETS_FILE. Treat the key as leaked.")
    .severity(Severity::High)
    .cwe(526)
    .asvs(&["13.3.1"])
}

/// The setting should hold the path of a file; somebody wrote the file's content there.
fn key_as_path() -> Finding {
    Finding::refuse(
        Practice::Secrets,
        "secrets-environment",
        "secrets.file contains a key instead of the name of a file",
    )
    .why("Other programs read settings and the environment too, and errors print them.")
    .fix("Write the path of the file that `<app> keys new` creates. Treat the key as leaked.")
    .cwe(526)
    .asvs(&["13.3.1"])
}

/// Whether the text of a path looks like a key: at least 32 bytes in base64 or hexadecimal, and no file.
fn is_key_material(path: &Path) -> bool {
    let text = path.to_str().map(str::trim).unwrap_or_default();
    let long = |decoded: Result<Vec<u8>, data_encoding::DecodeError>| {
        decoded.is_ok_and(|bytes| bytes.len() >= 32)
    };
    let spelled = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .iter()
        .any(|spelling| long(spelling.decode(text.as_bytes())));
    let is_key = spelled || long(HEXLOWER_PERMISSIVE.decode(text.as_bytes()));
    // `/run/secrets/…` can be valid base64 too.
    let is_place = path
        .parent()
        .is_some_and(|it| it.components().count() > 1 && it.is_dir());
    is_key && !is_place && !path.exists()
}

fn is_within(path: &Path, directory: &Path) -> bool {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute(path).starts_with(absolute(directory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::random;

    fn read(env: &[(&str, &str)], credentials: Option<&Path>) -> (Config, Vec<Finding>) {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, env);
        let config = Config::read(&settings, Path::new("data"), credentials);
        (config, settings.finish())
    }

    #[test]
    fn without_a_word_the_keys_lie_in_the_data_directory() {
        let (config, findings) = read(&[], None);
        assert_eq!(config.source.file(), Path::new("data/keys/keys.toml"));
        assert_eq!(config.source.kind(), "data directory");
        assert_eq!(config.webhooks.path, Path::new("data/keys/webhooks"));
        assert_eq!(config.webhooks.place, FileOwner::Ours);
        assert_eq!(findings, []);
    }

    #[test]
    fn a_named_file_comes_before_a_credential_and_a_credential_before_the_default() {
        let credentials = tempfile::tempdir().unwrap();
        let (config, _) = read(&[], Some(credentials.path()));
        assert_eq!(config.source.kind(), "data directory", "it holds no keys");
        std::fs::write(credentials.path().join(CREDENTIAL), "").unwrap();
        let (config, _) = read(&[], Some(credentials.path()));
        assert_eq!(config.source.kind(), "systemd credential");
        let named = [("DEWAR_SECRETS_FILE", "/etc/portal/keys.toml")];
        let (config, findings) = read(&named, Some(credentials.path()));
        assert_eq!(config.source.kind(), "secrets.file");
        assert_eq!(config.source.file(), Path::new("/etc/portal/keys.toml"));
        assert_eq!(findings, []);
    }

    #[test]
    fn a_named_file_in_the_data_directory_is_as_much_ours_as_the_default() {
        let (config, _) = read(&[("DEWAR_SECRETS_FILE", "data/other/ring.toml")], None);
        assert_eq!(config.source.place(), FileOwner::Ours);
        assert_eq!(config.source.file(), Path::new("data/other/ring.toml"));
    }

    #[test]
    fn a_key_in_place_of_a_path_is_refused_and_not_repeated() {
        for key in [
            BASE64.encode(&random::<32>()),
            BASE64URL_NOPAD.encode(&random::<48>()),
            HEXLOWER_PERMISSIVE.encode(&random::<32>()),
        ] {
            let (_, findings) = read(&[("DEWAR_SECRETS_FILE", &key)], None);
            assert_eq!(findings[0].id, "secrets-environment");
            assert!(!crate::audit::report(&findings).contains(&key));
        }
        // One in four of these keys has a slash in it, and some begin with one: the root is not a folder for keys.
        let mut key = [0; 32];
        key[0] = 0xfc;
        let key = BASE64.encode(&key);
        assert!(key.starts_with('/') && is_key_material(Path::new(&key)));
        // A key has at least 32 bytes.
        assert!(is_key_material(Path::new(&BASE64.encode(&[7; 32]))));
        assert!(!is_key_material(Path::new(&BASE64.encode(&[7; 31]))));
        assert!(!is_key_material(Path::new("/etc/portal/keys.toml")));
        assert!(!is_key_material(Path::new(
            "/proc/self/keysofthisapplicationkeysofthisapplication"
        )));
    }

    #[test]
    fn a_settle_time_shorter_than_the_poll_is_refused() {
        for (value, good) in [("9s", false), ("10s", true), ("5m", true), ("61m", false)] {
            let (_, findings) = read(&[("DEWAR_SECRETS_ACTIVATION_DELAY", value)], None);
            assert_eq!(findings.is_empty(), good, "{value}");
        }
    }

    /// A path can be valid base64. One below an existing directory is a path; one at the root is not yet.
    #[test]
    fn a_path_is_told_from_a_key_by_its_directory() {
        let is_key = |text: &str| is_key_material(Path::new(text));
        let tail = "a".repeat(48);
        assert!(is_key(&tail), "36 bytes");
        assert!(is_key(&format!(" {tail}\n")));
        assert!(!is_key(&"a".repeat(40)), "30 bytes");
        assert!(is_key(&"a".repeat(44)));
        assert!(is_key(&"0a".repeat(32)));
        assert!(!is_key("/run/secrets/keys.toml"));
        assert!(!is_key(&format!("/usr/bin/{}", "a".repeat(39))));
        assert!(is_key(&format!("/not+there/{}", "a".repeat(37))));
        assert!(is_key(&format!("/{}", "a".repeat(47))));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(&tail);
        std::fs::write(&file, "").unwrap();
        assert!(!is_key_material(&file));
    }

    #[test]
    fn a_variable_that_holds_a_key_is_known_by_its_name() {
        for name in KEYS_IN_THE_ENVIRONMENT {
            assert!(holds_a_key(name), "{name}");
        }
        for name in [
            "",
            "DEWAR_SECRETS_FILE",
            "PATH",
            "SECRET_KEY_",
            "secret_key",
        ] {
            assert!(!holds_a_key(name), "{name}");
        }
    }
}
