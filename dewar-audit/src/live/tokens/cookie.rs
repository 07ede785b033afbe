//! Session cookies that the visitor can write: JSON or text without a signature, or with a hash that needs no key.

use aws_lc_rs::digest;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding, HEXLOWER};
use serde_json::Value;

use crate::live::call::{Answer, Call, decode};
use crate::live::compare::print;
use crate::live::engine::{Engine, Stop, Visitor};
use crate::live::finding::LiveFinding;
use crate::live::route::Route;
use crate::live::sessions::is_refusal;

/// How a cookie is written.
#[derive(Debug, Clone)]
struct Written {
    coding: Option<Encoding>,
    /// The text before the hash.
    text: String,
    /// The hash after a dot, and the algorithm that makes it of the text.
    hash: Option<&'static digest::Algorithm>,
}

fn read(value: &str) -> Option<Written> {
    let value = decode(value);
    let value = value.trim_matches('"');
    for coding in [
        None,
        Some(BASE64),
        Some(BASE64_NOPAD),
        Some(BASE64URL),
        Some(BASE64URL_NOPAD),
    ] {
        let text = match &coding {
            None => value.to_owned(),
            Some(coding) => match coding
                .decode(value.as_bytes())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
            {
                Some(text) => text,
                None => continue,
            },
        };
        if is_object(&text) {
            return Some(Written {
                coding,
                text,
                hash: None,
            });
        }
        if let Some((payload, hash)) = text.rsplit_once('.')
            && let Some(algorithm) = unkeyed(payload, hash)
        {
            return Some(Written {
                coding,
                text: payload.to_owned(),
                hash: Some(algorithm),
            });
        }
    }
    None
}

fn is_object(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(_)))
}

/// The algorithm that makes this hash of the text without a key.
fn unkeyed(text: &str, hash: &str) -> Option<&'static digest::Algorithm> {
    let all = [
        &digest::SHA1_FOR_LEGACY_USE_ONLY,
        &digest::SHA256,
        &digest::SHA384,
        &digest::SHA512,
    ];
    all.into_iter().find(|algorithm| {
        HEXLOWER.encode(digest::digest(algorithm, text.as_bytes()).as_ref()) == hash.to_lowercase()
    })
}

impl Written {
    fn with(&self, text: &str) -> String {
        let whole = match self.hash {
            Some(algorithm) => format!(
                "{text}.{}",
                HEXLOWER.encode(digest::digest(algorithm, text.as_bytes()).as_ref())
            ),
            None => text.to_owned(),
        };
        match &self.coding {
            Some(coding) => coding.encode(whole.as_bytes()),
            None => crate::live::call::encode(&whole),
        }
    }
}

pub(super) async fn forge(engine: &mut Engine) -> Result<(), Stop> {
    let visitors: Vec<(usize, Visitor)> = engine
        .visitors
        .iter()
        .cloned()
        .enumerate()
        .skip(1)
        .collect();
    for (who, visitor) in visitors {
        for (name, value) in &visitor.jar {
            if let Some(written) = read(value)
                && !engine.findings.has("live-session-forgery", "*", "*", name)
            {
                identity(engine, who, &visitor, name, &written).await?;
                rights(engine, who, name, &written).await?;
            }
        }
    }
    Ok(())
}

/// Another name in the cookie: the application takes the visitor for somebody else.
async fn identity(
    engine: &mut Engine,
    who: usize,
    visitor: &Visitor,
    name: &str,
    written: &Written,
) -> Result<(), Stop> {
    let Some(witness) = &visitor.witness else {
        return Ok(());
    };
    let Ok(json) = serde_json::from_str::<Value>(&written.text) else {
        return Ok(());
    };
    let mut others = vec![engine.marker()];
    others.extend(
        engine
            .visitors
            .iter()
            .skip(1)
            .filter(|other| other.name != visitor.name)
            .map(|other| other.name.clone()),
    );
    others.push("admin".to_owned());
    for other in others {
        let changed = replace(&json, &visitor.name, &other);
        if changed == json {
            return Ok(());
        }
        let call =
            Call::get(&witness.target).with_cookie(name, &written.with(&changed.to_string()));
        let answer = engine.send(who, &call).await?;
        let garbage = engine
            .send(
                who,
                &Call::get(&witness.target).with_cookie(name, &written.with("{}")),
            )
            .await?;
        let is_seen = witness_fits(witness, &answer, &visitor.name) && !is_refusal(&answer);
        if is_seen && print(&call, &answer).is_other(&print(&call, &garbage)) {
            let finding = LiveFinding::of("live-session-forgery", "*", "*")
                .at("cookie", name)
                .note(format!(
                    "the cookie holds {}; it was written again with the name {other}, and accepted",
                    written.text
                ));
            engine.prove(finding, &call, &answer, &other);
            return Ok(());
        }
    }
    Ok(())
}

fn witness_fits(witness: &crate::live::engine::Witness, answer: &Answer, own: &str) -> bool {
    let by_name = witness
        .word
        .as_ref()
        .is_some_and(|word| *word == own.to_lowercase());
    // The own name is gone with the other one.
    answer.status == witness.status && (by_name || witness.sees(answer))
}

fn replace(json: &Value, from: &str, to: &str) -> Value {
    match json {
        Value::String(text) if text == from => Value::String(to.to_owned()),
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), replace(value, from, to)))
                .collect(),
        ),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {
            json.clone()
        }
    }
}

/// Each flag that is off is switched on: does a page open that was closed?
async fn rights(
    engine: &mut Engine,
    who: usize,
    name: &str,
    written: &Written,
) -> Result<(), Stop> {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(&written.text) else {
        return Ok(());
    };
    let raised: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, value)| {
            let raised = match value {
                Value::Number(number) if number.as_i64() == Some(0) => Value::from(1),
                Value::Bool(false) => Value::Bool(true),
                Value::String(text)
                    if matches!(text.as_str(), "user" | "member" | "guest" | "0" | "false") =>
                {
                    Value::String("admin".to_owned())
                }
                Value::Array(_)
                | Value::Bool(_)
                | Value::Null
                | Value::Number(_)
                | Value::Object(_)
                | Value::String(_) => value.clone(),
            };
            (name.clone(), raised)
        })
        .collect();
    if raised == fields {
        return Ok(());
    }
    let cookie = written.with(&python_json(&Value::Object(raised)));
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| route.call.method == "GET" && route.danger.is_none())
        .take(60)
        .cloned()
        .collect();
    for route in routes {
        let own = engine.send(who, &route.call).await?;
        if !(is_refusal(&own) || says_no(&own)) {
            continue;
        }
        let call = route.call.clone().with_cookie(name, &cookie);
        let answer = engine.send(who, &call).await?;
        if answer.is_success()
            && !is_refusal(&answer)
            && !says_no(&answer)
            && print(&call, &answer).is_other(&print(&call, &own))
        {
            let finding = LiveFinding::of("live-session-forgery", &call.method, &route.pattern)
                .at("cookie", name)
                .note(format!(
                    "the cookie holds {}; with its flags switched on, the page opened",
                    written.text
                ));
            engine.prove(finding, &call, &answer, "");
        }
    }
    Ok(())
}

fn says_no(answer: &Answer) -> bool {
    let text = answer.text.to_lowercase();
    answer.text.len() < 2000
        && [
            "permission",
            "not allowed",
            "not an admin",
            "admins only",
            "no access",
        ]
        .iter()
        .any(|word| text.contains(word))
}

/// As Python writes JSON, for programs that compare the text.
fn python_json(value: &Value) -> String {
    value
        .to_string()
        .replace("\":", "\": ")
        .replace(",\"", ", \"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_without_a_key_is_made_again() {
        let text = r#"{"a": 0}"#;
        let value = BASE64.encode(
            format!(
                "{text}.{}",
                HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
            )
            .as_bytes(),
        );
        let written = read(&value).unwrap();
        assert_eq!(written.text, text);
        assert_eq!(written.with(text), value);
        assert!(read("c2VjcmV0LmFiYw").is_none());
        assert!(read(&BASE64.encode(b"{\"u\":1}")).is_some_and(|written| written.hash.is_none()));
    }
}
