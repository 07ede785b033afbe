//! The password hashing of this room, as data: the command `keys inventory` lists it.

use super::password::{LANES, MEMORY_KIB, OUTPUT, PASSES};
use crate::audit::Practice;
use crate::audit::inventory::{AlgorithmKind, Cryptography};

/// The room's uses.
pub(crate) fn inventory() -> Vec<Cryptography> {
    let parameters = format!(
        "Argon2id (RFC 9106) m={MEMORY_KIB} t={PASSES} p={LANES}, 128-bit salt, {}-bit hash",
        OUTPUT * 8
    );
    vec![
        Cryptography::new(
            Practice::Accounts,
            AlgorithmKind::PasswordHash,
            "passwords",
            parameters,
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
        let made = workspace.hash(&prepared).unwrap();
        let algorithm = &inventory()[0].algorithm;
        let parameters = made.as_str().split('$').nth(3).unwrap();
        for part in parameters.split(',') {
            assert!(algorithm.contains(part), "{part} in {algorithm}");
        }
    }
}
