//! How new passwords are hashed.
use argon2::{Params, Version};
use password_hash::phc::{PasswordHash, Salt};

use super::hash_formats::BCRYPT_BYTES;
use super::password::{LANES, MEMORY_KIB, MOST_BYTES, NormalizedPassword, OUTPUT, PASSES};

/// The algorithm of new hashes, with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Argon2id { memory_kib: u32, passes: u32 },
    Bcrypt { cost: u32 },
}

impl Default for Scheme {
    fn default() -> Self {
        Self::Argon2id {
            memory_kib: MEMORY_KIB,
            passes: PASSES,
        }
    }
}

impl Scheme {
    /// The most bytes of a password.
    pub(crate) const fn max_bytes(self) -> usize {
        match self {
            Self::Argon2id { .. } => MOST_BYTES,
            Self::Bcrypt { .. } => BCRYPT_BYTES,
        }
    }

    /// Whether the whole password would be hashed. bcrypt takes a NUL for the end.
    pub(crate) fn takes(self, password: &NormalizedPassword) -> bool {
        let fits = password.text().len() <= self.max_bytes();
        match self {
            Self::Argon2id { .. } => fits,
            Self::Bcrypt { .. } => fits && !password.text().contains('\0'),
        }
    }

    /// Whether a stored hash is weaker than a new one, or of another kind.
    pub(crate) fn is_above(self, stored: &str) -> bool {
        match self {
            Self::Argon2id { memory_kib, passes } => {
                !is_argon2id_of(stored, memory_kib, passes).unwrap_or(false)
            }
            Self::Bcrypt { cost } => {
                let written = stored
                    .strip_prefix("$2b$")
                    .and_then(|rest| rest.split_once('$'));
                let written = written.and_then(|(cost, _)| cost.parse::<u32>().ok());
                written.is_none_or(|written| written < cost)
            }
        }
    }

    /// The parameters, as `keys inventory` lists them.
    pub(crate) fn told(self) -> String {
        match self {
            Self::Argon2id { memory_kib, passes } => format!(
                "Argon2id (RFC 9106) m={memory_kib} t={passes} p={LANES}, 128-bit salt, {}-bit hash",
                OUTPUT * 8
            ),
            Self::Bcrypt { cost } => format!("bcrypt, cost {cost}, 128-bit salt, 184-bit hash"),
        }
    }
}

fn is_argon2id_of(stored: &str, memory_kib: u32, passes: u32) -> Option<bool> {
    let phc = PasswordHash::new(stored).ok()?;
    let params = Params::try_from(&phc).ok()?;
    Some(
        phc.algorithm.as_str() == "argon2id"
            && phc.version == Some(Version::V0x13.into())
            && params.m_cost() >= memory_kib
            && params.t_cost() >= passes
            && phc
                .salt
                .is_some_and(|salt| salt.len() >= Salt::RECOMMENDED_LENGTH)
            && phc.hash.is_some_and(|hash| hash.len() >= OUTPUT),
    )
}

#[cfg(test)]
mod tests {
    use super::super::hash_formats::ParsedHash;
    use super::super::password::{HashError, Workspace};
    use super::*;

    const BCRYPT: Scheme = Scheme::Bcrypt { cost: 4 };

    #[test]
    fn bcrypt_hashes_a_whole_password_or_none() {
        let mut workspace = Workspace::default();
        for password in [
            "seven green kettles sing",
            &"x".repeat(72),
            &"\u{fc}".repeat(36),
        ] {
            let password = NormalizedPassword::new(password);
            let stored = workspace.hash(&password, BCRYPT).unwrap();
            assert!(stored.as_str().starts_with("$2b$04$") && stored.as_str().len() == 60);
            let parsed = ParsedHash::parse(stored.as_str(), None).unwrap();
            assert!(workspace.verify(&password, &parsed));
            assert!(!workspace.verify(&NormalizedPassword::new("another"), &parsed));
            assert!(!stored.needs_upgrade(BCRYPT) && stored.needs_upgrade(Scheme::default()));
            assert!(stored.needs_upgrade(Scheme::Bcrypt { cost: 5 }));
        }
        for cut in [
            "x".repeat(73),
            "\u{fc}".repeat(37),
            "sixteen letters\0or more".to_owned(),
        ] {
            let refused = workspace.hash(&NormalizedPassword::new(&cut), BCRYPT);
            assert!(matches!(refused, Err(HashError::TooLong)), "{cut:?}");
        }
    }

    #[test]
    fn higher_parameters_of_argon2id_are_used_and_replace_lower_ones() {
        let higher = Scheme::Argon2id {
            memory_kib: MEMORY_KIB + 8,
            passes: PASSES + 1,
        };
        let mut workspace = Workspace::default();
        let password = NormalizedPassword::new("seven green kettles sing");
        let low = workspace.hash(&password, Scheme::default()).unwrap();
        assert!(low.needs_upgrade(higher));
        let high = workspace.hash(&password, higher).unwrap();
        assert!(
            high.as_str().contains("m=19464,t=3,p=1"),
            "{}",
            high.as_str()
        );
        assert!(!high.needs_upgrade(higher) && !high.needs_upgrade(Scheme::default()));
        assert!(high.needs_upgrade(BCRYPT));
    }
}
