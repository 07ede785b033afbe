use serde::Serialize;

use super::super::launch::Blueprint;
use super::{print, print_json};
use crate::audit::inventory::Cryptography;
use crate::pages::Error;
use crate::secrets::{self, KeyInfo, KeyRing};
use crate::{accounts, api, audit, csrf, https, sessions, uploads};

/// All cryptography of the application: its keys, and every use of each algorithm (ASVS 11.1.1 to 11.1.4).
#[derive(Debug, Serialize)]
struct Inventory {
    source: KeyUse,
    keys: Vec<Aged>,
    cryptography: Vec<Cryptography>,
    /// Columns whose rows are sealed.
    sealed_columns: Vec<String>,
    /// The crates of the program's own lock file that are cryptography or bring some.
    parts: Vec<String>,
}

#[derive(Debug, Serialize)]
struct KeyUse {
    file: String,
    kind: &'static str,
    /// The permission bits, in octal.
    mode: Option<String>,
}

#[derive(Debug, Serialize)]
struct Aged {
    #[serde(flatten)]
    key: KeyInfo,
    age_days: i64,
}

/// Parts of the names of cryptographic crates (ASVS 11.1.3).
const MARKS: [&str; 14] = [
    "aes", "argon2", "aws-lc", "bcrypt", "blake", "chacha", "digest", "hmac", "md-5", "rcgen",
    "ring", "rustls", "scrypt", "sha",
];

/// Lists all cryptography.
pub(super) fn run(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let inventory = Inventory::of(plan)?;
    if json {
        return print_json(&inventory);
    }
    print(&inventory.as_text())
}

impl Inventory {
    fn of(plan: &Blueprint) -> Result<Self, Error> {
        let source = plan.source();
        let keys = KeyRing::list(&source).map_err(|findings| Error::launch(&findings))?;
        let now = plan.clock.now();
        let aged = |key: KeyInfo| Aged {
            age_days: (now - key.created) / 86_400,
            key,
        };
        let rooms = [
            secrets::inventory(),
            https::inventory(&plan.config.https, &plan.config.data),
            accounts::inventory(&plan.config.accounts),
            api::inventory(),
            sessions::inventory(),
            csrf::inventory(),
            uploads::inventory(),
            audit::inventory::own(),
        ];
        Ok(Self {
            source: KeyUse {
                file: source.file().display().to_string(),
                kind: source.kind(),
                mode: source.mode().map(|mode| format!("{mode:04o}")),
            },
            keys: keys.into_iter().map(aged).collect(),
            cryptography: rooms.into_iter().flatten().collect(),
            sealed_columns: plan.parts.sealed.iter().map(ToString::to_string).collect(),
            parts: plan.parts.lock_file.map(parts_of).unwrap_or_default(),
        })
    }

    fn as_text(&self) -> String {
        let KeyUse { file, kind, mode } = &self.source;
        let mode = mode.as_deref().unwrap_or("?");
        let mut text = format!("Keys: {file} ({kind}, mode {mode})\n");
        for Aged { key, age_days } in &self.keys {
            let state = key.state.as_str();
            text.push_str(&format!("  {:<10}{state:<13}{age_days} days\n", key.id));
        }
        for entry in &self.cryptography {
            text.push_str(&format!(
                "\n{} {}: {}\n  {}\n  used for: {}\n  after quantum computers: {}\n",
                entry.word.as_str(),
                entry.kind.as_str(),
                entry.name,
                entry.algorithm,
                entry.used_for,
                entry.after_quantum
            ));
        }
        for (what, names) in [
            ("Sealed columns", &self.sealed_columns),
            ("Cryptographic libraries in the program", &self.parts),
        ] {
            text.push_str(&format!("\n{what}: {}\n", names.join(", ")));
        }
        text
    }
}

fn parts_of(lock_file: &str) -> Vec<String> {
    let Ok(parts) = crate::dependencies::Parts::of_lock_file(lock_file) else {
        return Vec::new();
    };
    let is_marked = |name: &str| {
        MARKS.iter().any(|mark| {
            name.strip_prefix(mark)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
        }) || name.contains("rustls")
    };
    let marked = parts.list().iter().filter(|part| is_marked(&part.name));
    marked
        .map(|part| format!("{} {}", part.name, part.version))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cryptography_among_the_parts_is_found() {
        let found = parts_of(include_str!("../../../../Cargo.lock"));
        for name in [
            "aws-lc-rs ",
            "aws-lc-sys ",
            "rustls ",
            "tokio-rustls ",
            "argon2 ",
            "rcgen ",
        ] {
            assert!(
                found.iter().any(|part| part.starts_with(name)),
                "{name}: {found:?}"
            );
        }
        assert!(!found.iter().any(|part| part.starts_with("sharded")));
    }
}
