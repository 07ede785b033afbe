//! JSON Web Tokens: without a signature, with another one, with a key that is guessed.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::live::call::{Answer, Call};
use crate::live::compare::print;
use crate::live::engine::{Engine, NOBODY, Stop};
use crate::live::finding::LiveFinding;
use crate::live::route::Route;
use crate::live::sessions::is_refusal;

/// Where a token travels.
#[derive(Debug, Clone)]
enum Carrier {
    Cookie(String),
    Header(String, String),
}

impl Carrier {
    fn with(&self, call: &Call, token: &str) -> Call {
        match self {
            Self::Cookie(name) => call.clone().with_cookie(name, token),
            Self::Header(name, scheme) => {
                call.clone().with_header(name, &format!("{scheme}{token}"))
            }
        }
    }

    fn name(&self) -> (&'static str, &str) {
        match self {
            Self::Cookie(name) => ("cookie", name),
            Self::Header(name, _) => ("header", name),
        }
    }
}

fn header_of(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let header = BASE64URL_NOPAD.decode(parts.next()?.as_bytes()).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    (header.get("alg").is_some() && parts.count() == 2).then_some(header)
}

fn payload_of(token: &str) -> Option<Value> {
    let payload = BASE64URL_NOPAD
        .decode(token.split('.').nth(1)?.as_bytes())
        .ok()?;
    serde_json::from_slice(&payload).ok()
}

pub(super) async fn run(engine: &mut Engine, keys: &[String]) -> Result<(), Stop> {
    let mut tokens: Vec<(Carrier, String)> = Vec::new();
    for visitor in engine.visitors.iter().skip(1).take(1) {
        for (name, value) in &visitor.headers {
            let (scheme, token) = value
                .split_once(' ')
                .map_or(("", value.as_str()), |(scheme, token)| (scheme, token));
            let scheme = if scheme.is_empty() {
                String::new()
            } else {
                format!("{scheme} ")
            };
            tokens.push((Carrier::Header(name.clone(), scheme), token.to_owned()));
        }
        tokens.extend(
            visitor
                .jar
                .iter()
                .map(|(name, value)| (Carrier::Cookie(name.clone()), value.clone())),
        );
    }
    for (carrier, token) in tokens {
        let (Some(header), Some(payload)) = (header_of(&token), payload_of(&token)) else {
            continue;
        };
        guess(engine, &carrier, &token, &header, keys);
        if payload.get("exp").is_none() {
            let (place, name) = carrier.name();
            let finding = LiveFinding::of("live-jwt-no-expiry", "*", "*")
                .at(place, name)
                .note(format!("the token holds {payload}"));
            engine.prove(
                finding,
                &carrier.with(&Call::get("/"), &token),
                &Answer::default(),
                "",
            );
        }
        unverified(engine, &carrier, &token, &header).await?;
    }
    Ok(())
}

fn guess(engine: &mut Engine, carrier: &Carrier, token: &str, header: &Value, keys: &[String]) {
    let algorithm = match header.get("alg").and_then(Value::as_str) {
        Some("HS256") => hmac::HMAC_SHA256,
        Some("HS384") => hmac::HMAC_SHA384,
        Some("HS512") => hmac::HMAC_SHA512,
        _ => return,
    };
    let Some((signed, signature)) = token.rsplit_once('.') else {
        return;
    };
    let Ok(signature) = BASE64URL_NOPAD.decode(signature.as_bytes()) else {
        return;
    };
    let fits = |key: &&String| {
        hmac::sign(
            &hmac::Key::new(algorithm, key.as_bytes()),
            signed.as_bytes(),
        )
        .as_ref()
            == signature
    };
    if let Some(key) = keys.iter().find(fits) {
        let (place, name) = carrier.name();
        let finding = LiveFinding::of("live-jwt-weak-key", "*", "*")
            .at(place, name)
            .note(format!("the key is {key:?}: it makes the same signature"));
        engine.prove(
            finding,
            &carrier.with(&Call::get("/"), token),
            &Answer::default(),
            "",
        );
    }
}

/// Tokens with the same claims: signed by nobody, and not at all.
fn forgeries(token: &str, header: &Value) -> Vec<(&'static str, String)> {
    let Some((signed, _)) = token.rsplit_once('.') else {
        return Vec::new();
    };
    let claims = signed
        .split_once('.')
        .map(|(_, claims)| claims)
        .unwrap_or_default();
    let mut forged = vec![(
        "another signature",
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&[7; 32])),
    )];
    for none in ["none", "None", "NONE"] {
        let mut header = header.clone();
        if let Some(fields) = header.as_object_mut() {
            fields.insert("alg".to_owned(), json!(none));
        }
        let header = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
        forged.push(("no signature", format!("{header}.{claims}.")));
    }
    forged
}

/// The same claims with a signature that cannot be right, where a token that is none is refused.
async fn unverified(
    engine: &mut Engine,
    carrier: &Carrier,
    token: &str,
    header: &Value,
) -> Result<(), Stop> {
    let forged = forgeries(token, header);
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| route.danger.is_none() && !route.takes_password())
        .take(60)
        .cloned()
        .collect();
    for route in routes {
        let good = carrier.with(&route.call, token);
        let right = engine.send(NOBODY, &good).await?;
        if !right.is_success() || is_refusal(&right) {
            continue;
        }
        let none = engine
            .send(NOBODY, &carrier.with(&route.call, "e30.e30.e30"))
            .await?;
        let absent = engine.send(NOBODY, &route.call).await?;
        let seen = print(&good, &right);
        if !print(&good, &none).is_other(&seen) || !print(&good, &absent).is_other(&seen) {
            continue;
        }
        for (how, forged) in &forged {
            let call = carrier.with(&route.call, forged);
            let answer = engine.send(NOBODY, &call).await?;
            if answer.is_success() && print(&call, &answer).likeness(&seen) >= 90 {
                let (place, name) = carrier.name();
                let finding = LiveFinding::of("live-jwt-unverified", &call.method, &route.pattern)
                    .at(place, name)
                    .note((*how).to_owned());
                engine.prove(finding, &call, &answer, "");
                break;
            }
        }
    }
    Ok(())
}
