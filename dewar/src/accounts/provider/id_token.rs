//! The ID token: what a provider says about the user who signed in there (OpenID Connect Core 1.0, 2 and 3.1.3.7).
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::keys::{Algorithm, Keys, SignatureVerdict};
use crate::secrets::same;

/// The largest token.
const LARGEST: usize = 64 * 1024;
/// How far two clocks may be apart, in seconds.
const SKEW: i64 = 60;
/// The longest subject (OpenID Connect Core 1.0, 2).
const LONGEST_SUBJECT: usize = 255;

/// The values that a token must have.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: i64,
    /// When the browser left for the provider.
    pub(super) left: i64,
    /// The algorithms that the provider says it uses, if it says so.
    pub(super) algorithms: Option<&'a [String]>,
    /// Whether the user must have given a proof since the browser left.
    pub(super) fresh: bool,
}

/// Why a token is refused. The text is for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("the ID token has an algorithm that is not accepted")]
    Algorithm,
    #[error("the ID token is for another client")]
    Audience,
    #[error("the ID token has expired")]
    Expired,
    #[error("the ID token is of another issuer")]
    Issuer,
    #[error("the ID token is not well formed")]
    Malformed,
    #[error("the ID token has another nonce, or none")]
    Nonce,
    #[error("the ID token was not issued for this sign-in: its time is wrong")]
    Time,
    #[error("the ID token has an invalid signature")]
    Signature,
    #[error("the ID token does not say that the user has just signed in at the provider")]
    Stale,
    #[error("the ID token is signed with an unknown key")]
    UnknownKey,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// The claims of a verified token.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    all: Map<String, Value>,
}

impl Claims {
    /// Verifies a token: its signature first, then everything that it must say.
    pub(super) fn verify(
        token: &str,
        keys: &Keys,
        expected: &Expected<'_>,
    ) -> Result<Self, TokenFault> {
        if token.len() > LARGEST {
            return Err(TokenFault::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenFault::Malformed)?;
        let header: Header = json(header)?;
        let is_id_token = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("jwt"));
        if header.crit.is_some() || !is_id_token {
            return Err(TokenFault::Malformed);
        }
        let algorithm = Algorithm::parse(&header.alg).filter(|_| {
            let known = expected.algorithms;
            known.is_none_or(|known| known.contains(&header.alg))
        });
        let algorithm = algorithm.ok_or(TokenFault::Algorithm)?;
        let signature = decoded(signature)?;
        let id = header.kid.as_deref();
        match keys.verify(algorithm, id, message.as_bytes(), &signature) {
            SignatureVerdict::Valid => {}
            SignatureVerdict::Invalid => return Err(TokenFault::Signature),
            SignatureVerdict::UnknownKey => return Err(TokenFault::UnknownKey),
        }
        let all: Map<String, Value> = json(payload)?;
        judge(&all, expected)?;
        let subject = text(&all, "sub").filter(|subject| {
            let is_plain = !subject.contains(char::is_control);
            !subject.is_empty() && subject.len() <= LONGEST_SUBJECT && is_plain
        });
        let subject = subject.ok_or(TokenFault::Malformed)?.to_owned();
        Ok(Self { subject, all })
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text(&self.all, name)
    }

    /// Whether a claim says yes. Some providers write it as a text or as a number.
    pub(super) fn says_yes(&self, name: &str) -> bool {
        match self.all.get(name) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
        }
    }

    /// The values of a claim that is a text or a list of texts.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        match self.all.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

fn judge(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), TokenFault> {
    if text(claims, "iss") != Some(expected.issuer) {
        return Err(TokenFault::Issuer);
    }
    // Another audience could pass the token on to us, so there is none beside us.
    let is_ours = match claims.get("aud") {
        Some(Value::String(one)) => one == expected.client,
        Some(Value::Array(all)) => {
            matches!(&**all, [Value::String(one)] if one == expected.client)
        }
        _ => false,
    };
    let party = claims.get("azp");
    if !is_ours || party.is_some_and(|party| party.as_str() != Some(expected.client)) {
        return Err(TokenFault::Audience);
    }
    let (ends, issued) = (time(claims, "exp"), time(claims, "iat"));
    if ends.ok_or(TokenFault::Expired)? <= expected.now.saturating_sub(SKEW) {
        return Err(TokenFault::Expired);
    }
    let latest = expected.now.saturating_add(SKEW);
    let earliest = expected.left.saturating_sub(SKEW);
    let is_later = |name| time(claims, name).is_some_and(|time| time > latest);
    if issued.is_none_or(|issued| issued < earliest) || is_later("iat") || is_later("nbf") {
        return Err(TokenFault::Time);
    }
    let nonce = text(claims, "nonce").unwrap_or_default();
    if !same(nonce.as_bytes(), expected.nonce.as_bytes()) {
        return Err(TokenFault::Nonce);
    }
    if expected.fresh && time(claims, "auth_time").is_none_or(|time| time < earliest) {
        return Err(TokenFault::Stale);
    }
    Ok(())
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name)?.as_str()
}

/// A time in seconds; some providers write a fraction.
fn time(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a number beyond the range becomes its end"
    )]
    let rounded = || value.as_f64().map(|seconds| seconds as i64);
    value.as_i64().or_else(rounded)
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    let decoded = BASE64URL_NOPAD.decode(part.as_bytes());
    decoded.map_err(|_| TokenFault::Malformed)
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, TokenFault> {
    serde_json::from_slice(&decoded(part)?).map_err(|_| TokenFault::Malformed)
}
