//! The places of a request that a visitor controls, and a request with one of them changed.

use serde_json::Value;

use super::call::{Body, Call, decode, encode};

/// A place of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Point {
    Cookie(String),
    FileContent(usize),
    FileName(usize),
    Form(usize),
    Header(String),
    /// A value of a JSON body, by its pointer (RFC 6901).
    Json(String),
    Path(usize),
    Query(usize),
}

/// The headers that scripts read most.
pub(super) const HEADERS: [&str; 6] = [
    "Host",
    "Referer",
    "User-Agent",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "Accept-Language",
];

impl Point {
    /// Where it is, as reports write it.
    pub(super) const fn place(&self) -> &'static str {
        match self {
            Self::Cookie(_) => "cookie",
            Self::FileContent(_) | Self::FileName(_) => "file",
            Self::Form(_) => "form",
            Self::Header(_) => "header",
            Self::Json(_) => "json",
            Self::Path(_) => "path",
            Self::Query(_) => "query",
        }
    }

    /// Its name.
    pub(super) fn name(&self, call: &Call) -> String {
        let of = |pairs: &[(String, String)], index: usize| {
            pairs
                .get(index)
                .map(|(name, _)| name.clone())
                .unwrap_or_default()
        };
        match (self, &call.body) {
            (Self::Cookie(name) | Self::Header(name), _) => name.clone(),
            (Self::FileContent(index) | Self::FileName(index), Body::Multipart(parts))
            | (Self::Form(index), Body::Multipart(parts)) => parts
                .get(*index)
                .map(|part| part.name.clone())
                .unwrap_or_default(),
            (Self::Form(index), Body::Form(pairs)) => of(pairs, *index),
            (Self::Json(pointer), _) => pointer.rsplit('/').next().unwrap_or_default().to_owned(),
            (Self::Query(index), _) => of(&call.query, *index),
            (Self::Path(index), _) => format!("segment {index}"),
            (Self::Form(_) | Self::FileContent(_) | Self::FileName(_), _) => String::new(),
        }
    }

    /// The value that the request has there.
    pub(super) fn value(&self, call: &Call) -> String {
        let of = |pairs: &[(String, String)], index: usize| {
            pairs
                .get(index)
                .map(|(_, value)| value.clone())
                .unwrap_or_default()
        };
        match (self, &call.body) {
            (Self::Cookie(name), _) => call
                .cookies
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .unwrap_or_default(),
            (Self::Form(index), Body::Form(pairs)) => of(pairs, *index),
            (Self::Form(index) | Self::FileContent(index), Body::Multipart(parts)) => parts
                .get(*index)
                .map(|part| String::from_utf8_lossy(&part.content).into_owned())
                .unwrap_or_default(),
            (Self::FileName(index), Body::Multipart(parts)) => parts
                .get(*index)
                .and_then(|part| part.file.as_ref())
                .map(|(name, _)| name.clone())
                .unwrap_or_default(),
            (Self::Json(pointer), Body::Json(value)) => match value.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            },
            (Self::Query(index), _) => of(&call.query, *index),
            (Self::Path(index), _) => call
                .path
                .split('/')
                .nth(*index)
                .map(decode)
                .unwrap_or_default(),
            _ => String::new(),
        }
    }

    /// The request with this text there.
    pub(super) fn with(&self, call: &Call, text: &str) -> Call {
        let mut call = call.clone();
        match self {
            Self::Cookie(name) => return call.with_cookie(name, &cookie_safe(text)),
            Self::Header(name) => return call.with_header(name, &header_safe(text)),
            Self::Query(index) => set(&mut call.query, *index, text),
            Self::Path(index) => {
                let segments = call.path.split('/').enumerate();
                let segments = segments.map(|(at, segment)| {
                    if at == *index {
                        encode(text)
                    } else {
                        segment.to_owned()
                    }
                });
                call.path = segments.collect::<Vec<_>>().join("/");
            }
            Self::Form(index) => match &mut call.body {
                Body::Form(pairs) => set(pairs, *index, text),
                Body::Multipart(parts) => {
                    if let Some(part) = parts.get_mut(*index) {
                        part.content = text.as_bytes().to_vec();
                    }
                }
                Body::Json(_) | Body::None | Body::Raw(..) => {}
            },
            Self::FileContent(index) | Self::FileName(index) => {
                if let Body::Multipart(parts) = &mut call.body
                    && let Some(part) = parts.get_mut(*index)
                {
                    if matches!(self, Self::FileContent(_)) {
                        part.content = text.as_bytes().to_vec();
                    } else if let Some((name, _)) = &mut part.file {
                        *name = text.replace(['"', '\r', '\n'], "_");
                    }
                }
            }
            Self::Json(pointer) => {
                self.set_json(&mut call, pointer, Value::String(text.to_owned()))
            }
        }
        call
    }

    /// The request with this JSON value there; `None` where no JSON is.
    pub(super) fn with_json(&self, call: &Call, value: Value) -> Option<Call> {
        let Self::Json(pointer) = self else {
            return None;
        };
        let mut call = call.clone();
        self.set_json(&mut call, pointer, value);
        Some(call)
    }

    #[expect(clippy::unused_self, reason = "it reads as what it does")]
    fn set_json(&self, call: &mut Call, pointer: &str, new: Value) {
        if let Body::Json(value) = &mut call.body
            && let Some(place) = value.pointer_mut(pointer)
        {
            *place = new;
        }
    }
}

fn set(pairs: &mut [(String, String)], index: usize, text: &str) {
    if let Some((_, value)) = pairs.get_mut(index) {
        text.clone_into(value);
    }
}

/// A cookie's value cannot have these characters, and frameworks decode no percent signs there; most read a quoted one.
fn cookie_safe(text: &str) -> String {
    text.replace([';', '\r', '\n'], "")
}

fn header_safe(text: &str) -> String {
    text.replace(['\r', '\n', '\0'], "")
}

/// Every place of a request. Headers only on demand: they are the same for all routes of one pattern.
pub(super) fn points(call: &Call, path: &[usize]) -> Vec<Point> {
    let mut all: Vec<Point> = (0..call.query.len()).map(Point::Query).collect();
    all.extend(path.iter().map(|index| Point::Path(*index)));
    match &call.body {
        Body::Form(pairs) => all.extend((0..pairs.len()).map(Point::Form)),
        Body::Json(value) => json_points(value, "", &mut all),
        Body::Multipart(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if part.file.is_some() {
                    all.extend([Point::FileContent(index), Point::FileName(index)]);
                } else {
                    all.push(Point::Form(index));
                }
            }
        }
        Body::None | Body::Raw(..) => {}
    }
    all
}

fn json_points(value: &Value, at: &str, all: &mut Vec<Point>) {
    if all.len() > 100 {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (name, item) in fields {
                let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                json_points(item, &pointer, all);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().take(3) {
                json_points(item, &format!("{at}/{index}"), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            all.push(Point::Json(at.to_owned()));
        }
    }
}
