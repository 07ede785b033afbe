//! Cookies that `itsdangerous` signed, as Flask's sessions are.

use aws_lc_rs::{digest, hmac};
use data_encoding::BASE64URL_NOPAD;

use crate::live::call::{Answer, Call};
use crate::live::engine::Engine;
use crate::live::finding::LiveFinding;

/// Tries the keys on a cookie; a signature that comes out the same is the proof.
pub(super) fn guess(engine: &mut Engine, name: &str, value: &str, keys: &[String]) {
    let Some((signed, signature)) = value.rsplit_once('.') else {
        return;
    };
    let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else {
        return;
    };
    let has_time = signed.trim_start_matches('.').contains('.');
    if signature.len() != 20 || !has_time {
        return;
    }
    let Some((key, how)) = keys
        .iter()
        .find_map(|key| fits(key, signed, &signature).map(|how| (key, how)))
    else {
        return;
    };
    let forged = sign(key, how, signed).unwrap_or_default();
    let payload = signed
        .split('.')
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let text = BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let finding = LiveFinding::of("live-weak-session-key", "*", "*")
        .at("cookie", name)
        .note(format!("the key is {key:?}; the session holds {text}"))
        .note(format!(
            "signed with it, the cookie is the same again: {signed}.{}",
            BASE64URL_NOPAD.encode(&forged)
        ));
    engine.prove(
        finding,
        &Call::get("/").with_cookie(name, value),
        &Answer::default(),
        "",
    );
}

/// How the key of the signature is made of the program's key and a salt.
#[derive(Debug, Clone, Copy)]
enum Derivation {
    Concatenated(&'static str),
    Hmac(&'static str),
}

const HOW: [Derivation; 4] = [
    Derivation::Hmac("cookie-session"),
    Derivation::Concatenated("itsdangerous"),
    Derivation::Concatenated("itsdangerous.Signer"),
    Derivation::Hmac("itsdangerous"),
];

fn fits(key: &str, signed: &str, signature: &[u8]) -> Option<Derivation> {
    HOW.into_iter()
        .find(|how| sign(key, *how, signed).is_some_and(|made| made == signature))
}

fn sign(key: &str, how: Derivation, signed: &str) -> Option<Vec<u8>> {
    let derived = match how {
        Derivation::Hmac(salt) => sha1(key.as_bytes(), salt.as_bytes()),
        Derivation::Concatenated(salt) => {
            let whole = [salt.as_bytes(), b"signer", key.as_bytes()].concat();
            digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &whole)
                .as_ref()
                .to_vec()
        }
    };
    Some(sha1(&derived, signed.as_bytes()))
}

fn sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key),
        text,
    )
    .as_ref()
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_session_of_flask_is_found() {
        let keys = crate::live::tokens::words::keys("localhost");
        let derived = sha1(b"aaaaaaa", b"cookie-session");
        let signed = "eyJhIjoxfQ.ZzZzZz";
        let signature = sha1(&derived, signed.as_bytes());
        assert!(
            keys.iter()
                .any(|key| fits(key, signed, &signature).is_some())
        );
        assert!(fits("another", signed, &signature).is_none());
    }
}
