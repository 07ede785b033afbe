//! The cryptography of this room, as data: the command `keys inventory` lists it.

use super::purpose::Purpose;
use crate::audit::Practice;
use crate::audit::inventory::{AlgorithmKind, Cryptography, STAYS};

const SEALED: &str = "AES-256-GCM-SIV (RFC 8452), 96-bit random nonce";
const MAC: &str = "HMAC-SHA256, 256-bit key";

/// The room's uses: every purpose of a key, and the sources of the keys.
pub(crate) fn inventory() -> Vec<Cryptography> {
    let entry = |kind, name: &str, algorithm: &str| {
        Cryptography::new(Practice::Secrets, kind, name, algorithm)
    };
    let purposes = Purpose::OURS.into_iter().chain([Purpose::Application("…")]);
    let purposes = purposes.map(|purpose| {
        let (owner, name) = purpose.label();
        let (algorithm, use_) = told(purpose);
        entry(AlgorithmKind::Purpose, &format!("{owner}{name}"), algorithm)
            .used_for(use_)
            .after_quantum(STAYS)
    });
    let derivation = entry(
        AlgorithmKind::Hash,
        "key derivation",
        "HKDF-SHA256 (RFC 5869)",
    )
    .used_for("a key for each purpose and use, derived from a key of the ring")
    .after_quantum(STAYS);
    let random = entry(
        AlgorithmKind::Random,
        "random bytes",
        "aws-lc's CTR_DRBG with AES-256 (SP 800-90A), seeded by the system",
    )
    .used_for("keys, tokens, nonces, salts, names of files");
    let token = entry(
        AlgorithmKind::Token,
        "Token",
        "256 random bits; only the SHA-256 is stored",
    )
    .used_for("sessions, links in email, the cookie of a visitor's forms");
    purposes.chain([derivation, random, token]).collect()
}

/// A purpose's algorithm and use. A new purpose does not compile until both are written here.
const fn told(purpose: Purpose) -> (&'static str, &'static str) {
    match purpose {
        Purpose::Acme => (
            SEALED,
            "account, certificate and challenge responses of ACME, in the database",
        ),
        Purpose::ApiToken => (MAC, "API tokens: only the MAC of a token is stored"),
        Purpose::Application(_) => (
            "purposes of the application: HMAC-SHA256 or AES-256-GCM-SIV, 256-bit keys",
            "the application's own purposes, by name",
        ),
        Purpose::AuditChain => (MAC, "the chain of the audit log, and its head"),
        Purpose::Column => (SEALED, "sealed columns of the database"),
        Purpose::Cookie => (SEALED, "cookies of the application's own"),
        Purpose::Csrf => (MAC, "CSRF tokens"),
        Purpose::Cursor => (SEALED, "positions in a list, in links"),
        Purpose::Device => (SEALED, "known browsers of an account, in a cookie"),
        Purpose::Flash => (SEALED, "flash messages, in a cookie"),
        Purpose::Hidden => (
            SEALED,
            "values hidden in a form, bound to session, form and field",
        ),
        Purpose::Link => (
            MAC,
            "links that an application signs; those in Dewar's email contain tokens",
        ),
        Purpose::Provider => (
            SEALED,
            "a sign-in under way at a provider (OpenID Connect), in a cookie",
        ),
        Purpose::Session => (
            MAC,
            "stored for values that are bound to a session, and for the senders of rate limits; the session itself is a token",
        ),
        Purpose::StandIn => (
            MAC,
            "not stored: which account's password hash an unknown address costs at sign-in",
        ),
        Purpose::Unsubscribe => (
            SEALED,
            "links in letters to many, by which a recipient leaves the list",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_purpose_is_missing() {
        let source = include_str!("purpose.rs");
        let (_, variants) = source.split_once("pub enum Purpose {").unwrap();
        let (variants, _) = variants.split_once("\n}\n").unwrap();
        let is_variant = |line: &&str| !line.starts_with("///") && line.ends_with(',');
        let names: Vec<&str> = variants.lines().map(str::trim).filter(is_variant).collect();
        assert!(names.len() >= 8, "{names:?}");
        let listed: Vec<String> = Purpose::OURS
            .iter()
            .map(|purpose| format!("{purpose:?},"))
            .chain(["Application(&'static str),".to_owned()])
            .collect();
        for name in &names {
            assert!(
                listed.iter().any(|listed| listed == name),
                "{name} is not listed"
            );
        }
        assert_eq!(names.len(), listed.len());
        let inventory = inventory();
        for purpose in Purpose::OURS {
            let (owner, name) = purpose.label();
            let name = format!("{owner}{name}");
            assert!(inventory.iter().any(|entry| entry.name == name), "{name}");
        }
        assert!(inventory.iter().all(|entry| !entry.used_for.is_empty()));
    }
}
