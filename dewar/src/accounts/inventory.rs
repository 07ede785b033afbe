//! The password hashing of this room, as data: the command `keys inventory` lists it.

use super::Config;
use crate::audit::Practice;
use crate::audit::inventory::{AlgorithmKind, Cryptography};

/// The room's uses.
pub(crate) fn inventory(config: &Config) -> Vec<Cryptography> {
    vec![
        Cryptography::new(
            Practice::Accounts,
            AlgorithmKind::PasswordHash,
            "passwords",
            config.scheme().told(),
        )
        .used_for("new hashes, and older ones at the next sign-in"),
        Cryptography::new(
            Practice::Accounts,
            AlgorithmKind::PasswordHash,
            "imported passwords",
            "Argon2, bcrypt, scrypt, and PBKDF2 with SHA-1, SHA-256, SHA-384 or SHA-512, as the other framework chose",
        )
        .used_for("hashes of other frameworks, each until the next sign-in of its owner; no new ones"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_are_those_of_a_hash_that_is_made() {
        let prepared =
            super::super::password::NormalizedPassword::new("a quiet lake before the rain");
        let mut workspace = super::super::password::Workspace::default();
        let made = workspace
            .hash(&prepared, Config::default().scheme())
            .unwrap();
        let algorithm = &inventory(&Config::default())[0].algorithm;
        let parameters = made.as_str().split('$').nth(3).unwrap();
        for part in parameters.split(',') {
            assert!(algorithm.contains(part), "{part} in {algorithm}");
        }
    }
}
