//! The formats of stored password hashes: Dewar's own, and those of other frameworks.
//!
//! One table, [`FORMATS`], has a strict parser for each. A parser bounds every cost: a hostile string in the database, or in a
//! file to import, could otherwise require 64 GiB of memory or a year of CPU (CWE-400). A string that no parser accepts is
//! refused at import, and matches no password at sign-in.
mod kdf;
mod parsers;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use super::password::{NormalizedPassword, StoredHash, Workspace};
use crate::secrets::Secret;
use kdf::Kdf;
pub(super) use kdf::{BCRYPT_BYTES, MOST_BCRYPT_COST, MOST_MEMORY_KIB, MOST_PASSES};

/// The longest stored hash that Dewar reads.
pub(super) const MOST_CHARACTERS: usize = 512;

/// `SECURITY_PASSWORD_SALT` of the Flask-Security application whose users were imported.
pub(super) type FlaskSalt = Arc<Secret<String>>;

/// The mark of a hash that Flask-Security made of its HMAC of the password.
const FLASK_SECURITY: &str = "flask-security:";

/// A format of stored hashes.
struct Format {
    /// The beginning of each hash in it; the first row with a matching one parses the hash.
    starts: &'static str,
    /// Gets the whole text.
    parse: fn(&str) -> Result<ParsedHash, HashProblem>,
}

/// Every format. Dewar's own are the bare `$argon2id$` and `$2b$`; an import marks these two as Django does, because Dewar
/// normalizes a password to NFC for its own hashes alone.
const FORMATS: [Format; 17] = [
    row("$argon2", parsers::argon2),
    row("$2", parsers::bcrypt),
    row("argon2$", parsers::django_argon2),
    row("bcrypt$", parsers::django_bcrypt),
    row("bcrypt_sha256$", parsers::django_bcrypt_sha256),
    row("pbkdf2_", parsers::django_pbkdf2),
    row("scrypt$", parsers::django_scrypt),
    row("pbkdf2:", parsers::werkzeug_pbkdf2),
    row("scrypt:", parsers::werkzeug_scrypt),
    row("$pbkdf2", parsers::pbkdf2),
    row("$scrypt$", parsers::scrypt),
    row("$7$", parsers::scrypt_mcf),
    row("$bcrypt-sha256$", parsers::passlib_bcrypt_sha256),
    row("AQAAAA", parsers::asp_net_identity),
    row(FLASK_SECURITY, parsers::flask_security),
    row(StoredHash::NO_PASSWORD, |_| Err(HashProblem::NoPassword)),
    row("", |text| Err(parsers::unknown(text))),
];

const fn row(starts: &'static str, parse: fn(&str) -> Result<ParsedHash, HashProblem>) -> Format {
    Format { starts, parse }
}

/// Why a stored hash cannot be used. The texts are for operators, and repeat nothing of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HashProblem {
    #[error("the password hash is malformed: {0}")]
    Malformed(&'static str),
    #[error(
        "the file of `accounts.flask_security_salt_file` is needed for a password hash of Flask-Security"
    )]
    NoFlaskSalt,
    #[error("the account has no password")]
    NoPassword,
    #[error("the password hash costs too much to verify: {0}")]
    TooCostly(&'static str),
    #[error("the format of the password hash is unknown")]
    Unknown,
    #[error("Dewar does not read {0}")]
    Unsupported(&'static str),
}

/// The bytes that the key derivation gets instead of the password as text.
#[derive(Debug)]
enum Input {
    /// HMAC-SHA512 with the application's salt over the NFKD of the password, as Base64.
    FlaskSecurity(Option<FlaskSalt>),
    /// HMAC-SHA256 with the hash's own salt, as Base64: passlib's `bcrypt_sha256`, version 2.
    HmacSha256(String),
    /// The password in NFC: Dewar's own hashes.
    Normalized,
    /// SHA-256, as Base64: passlib's `bcrypt_sha256`, version 1.
    Sha256Base64,
    /// SHA-256, in hexadecimal: Django's `bcrypt_sha256`.
    Sha256Hex,
    /// The password as it was typed.
    Typed,
}

/// A stored hash that a parser accepted: it can be verified within the bounds.
pub(crate) struct ParsedHash {
    input: Input,
    kdf: Kdf,
    expected: Vec<u8>,
}

impl ParsedHash {
    /// Parses a stored hash.
    pub(crate) fn parse(text: &str, salt: Option<&FlaskSalt>) -> Result<Self, HashProblem> {
        if text.len() > MOST_CHARACTERS {
            return Err(HashProblem::Malformed("it is too long"));
        }
        let format = FORMATS
            .iter()
            .find(|format| text.starts_with(format.starts));
        let mut parsed = (format.ok_or(HashProblem::Unknown)?.parse)(text)?;
        if let Input::FlaskSecurity(of_application) = &mut parsed.input {
            *of_application = Some(salt.cloned().ok_or(HashProblem::NoFlaskSalt)?);
        }
        Ok(parsed)
    }

    /// Whether a password matches. The comparison takes the same time wherever the two differ.
    pub(super) fn verify(&self, password: &NormalizedPassword, workspace: &mut Workspace) -> bool {
        let input = self.input.prepare(password);
        let compute = kdf::Compute {
            input: &input,
            // A digest as Base64 keeps 432 bits in the 72 bytes that bcrypt reads, so it may be cut; a password may not.
            is_digest: !matches!(self.input, Input::Normalized | Input::Typed),
            workspace,
        };
        match compute.matches(&self.kdf, &self.expected) {
            Ok(same) => same & self.input.fits(password),
            Err(error) => {
                tracing::error!(%error, "a stored password hash cannot be verified");
                false
            }
        }
    }
}

impl fmt::Debug for ParsedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A new hash of bcrypt (MCF); none of a password that bcrypt would cut.
pub(super) fn bcrypt(cost: u32, password: &[u8]) -> Option<String> {
    let salt = crate::secrets::random::<16>();
    let (digest, is_whole) = kdf::bcrypt(cost, salt, password);
    let (salt, digest) = (text::to_bcrypt(&salt)?, text::to_bcrypt(digest.get(..23)?)?);
    is_whole.then(|| format!("$2b${cost:02}${salt}{digest}"))
}

/// The text to store for a hash from another framework, as such a file has it.
pub(crate) fn imported(text: &str) -> Result<StoredHash, HashProblem> {
    let text = text.trim();
    let marked = if text.starts_with("$argon2") {
        format!("argon2{text}")
    } else if text.starts_with("$2") {
        format!("bcrypt${text}")
    } else {
        text.to_owned()
    };
    if marked.starts_with(FLASK_SECURITY) {
        return Err(HashProblem::Unknown);
    }
    ParsedHash::parse(&marked, None)?;
    Ok(StoredHash::from_database(marked))
}

/// The same for a hash that Flask-Security made of its HMAC, unless it is one that Flask-Security makes of the password itself.
pub(crate) fn imported_flask_security(
    text: &str,
    salt: &FlaskSalt,
) -> Result<StoredHash, HashProblem> {
    let text = text.trim();
    if !text.starts_with('$') {
        return imported(text);
    }
    let marked = format!("{FLASK_SECURITY}{text}");
    ParsedHash::parse(&marked, Some(salt))?;
    Ok(StoredHash::from_database(marked))
}
