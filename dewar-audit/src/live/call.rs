//! A request and its answer, as data that can be changed and repeated.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

/// Everything but the unreserved characters of RFC 3986: a space is `%20`, because not every parser reads `+`.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

pub(super) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) method: String,
    /// The path as it is sent.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    /// Cookies instead of those of the visitor who sends it.
    pub(super) cookies: Vec<(String, String)>,
    pub(super) body: Body,
}

/// The body of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    Form(Vec<(String, String)>),
    Json(Value),
    Multipart(Vec<Part>),
    None,
    Raw(String, Vec<u8>),
}

/// A part of a multipart form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub(super) name: String,
    /// The name and the type of a file.
    pub(super) file: Option<(String, String)>,
    pub(super) content: Vec<u8>,
}

/// An answer; status 0 if there was none.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) text: String,
    pub(super) took: Duration,
}

impl Call {
    /// A GET of a path with its query.
    pub(super) fn get(target: &str) -> Self {
        let target = target.split('#').next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: "GET".to_owned(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            query: read_pairs(query),
            headers: Vec::new(),
            cookies: Vec::new(),
            body: Body::None,
        }
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.retain(|(known, _)| known != name);
        self.cookies.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The path with the query, as it is sent.
    pub(super) fn target(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, write_pairs(&self.query))
    }

    /// The type and the bytes of the body.
    pub(super) fn content(&self) -> Option<(String, Vec<u8>)> {
        match &self.body {
            Body::None => None,
            Body::Form(pairs) => Some((
                "application/x-www-form-urlencoded".to_owned(),
                write_pairs(pairs).into_bytes(),
            )),
            Body::Json(value) => Some((
                "application/json".to_owned(),
                value.to_string().into_bytes(),
            )),
            Body::Raw(kind, bytes) => Some((kind.clone(), bytes.clone())),
            Body::Multipart(parts) => Some((
                format!("multipart/form-data; boundary={BOUNDARY}"),
                write_parts(parts),
            )),
        }
    }

    /// Whether the method may change something.
    pub(super) fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }

    /// The request as a command that repeats it.
    pub(super) fn curl(&self, origin: &str, cookies: &[(String, String)]) -> String {
        let mut line = format!(
            "curl -i -X {} {}",
            self.method,
            quoted(&format!("{origin}{}", self.target()))
        );
        for (name, value) in &self.headers {
            line += &format!(" -H {}", quoted(&format!("{name}: {value}")));
        }
        if !cookies.is_empty() {
            line += &format!(" -b {}", quoted(&write_cookies(cookies)));
        }
        match &self.body {
            Body::Multipart(parts) => {
                for part in parts {
                    let text = String::from_utf8_lossy(&part.content);
                    line += &match &part.file {
                        Some((name, kind)) => format!(
                            " -F {}",
                            quoted(&format!("{}={text};filename={name};type={kind}", part.name))
                        ),
                        None => format!(" -F {}", quoted(&format!("{}={text}", part.name))),
                    };
                }
            }
            Body::None => {}
            Body::Form(_) | Body::Json(_) | Body::Raw(..) => {
                if let Some((kind, bytes)) = self.content() {
                    line += &format!(" -H {}", quoted(&format!("Content-Type: {kind}")));
                    line += &format!(
                        " --data-binary {}",
                        quoted(&String::from_utf8_lossy(&bytes))
                    );
                }
            }
        }
        clip(&line, 2000)
    }

    /// The text of everything that the visitor chose, to take an echo out of an answer.
    pub(super) fn sent(&self) -> Vec<String> {
        let mut all: Vec<String> = self.query.iter().map(|(_, value)| value.clone()).collect();
        all.extend(self.headers.iter().map(|(_, value)| value.clone()));
        all.extend(self.cookies.iter().map(|(_, value)| value.clone()));
        match &self.body {
            Body::Form(pairs) => all.extend(pairs.iter().map(|(_, value)| value.clone())),
            Body::Json(value) => texts(value, &mut all),
            Body::Multipart(parts) => {
                for part in parts {
                    all.push(String::from_utf8_lossy(&part.content).into_owned());
                    all.extend(part.file.iter().map(|(name, _)| name.clone()));
                }
            }
            Body::None | Body::Raw(..) => {}
        }
        all.extend(self.path.split('/').map(decode));
        all.retain(|text| text.len() > 3);
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        all
    }
}

const BOUNDARY: &str = "----dewaraudit7f1c2a9b";

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// At most so many characters.
pub(super) fn clip(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

fn texts(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => all.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(fields) => fields.iter().for_each(|(name, item)| {
            all.push(name.clone());
            texts(item, all);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

pub(super) fn read_pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .take(100)
        .collect()
}

fn write_pairs(pairs: &[(String, String)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

pub(super) fn write_cookies(cookies: &[(String, String)]) -> String {
    let all = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    all.collect::<Vec<_>>().join("; ")
}

fn write_parts(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(format!("--{BOUNDARY}\r\n").as_bytes());
        let head = match &part.file {
            Some((name, kind)) => format!(
                "Content-Disposition: form-data; name=\"{}\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n",
                part.name
            ),
            None => format!(
                "Content-Disposition: form-data; name=\"{}\"\r\n\r\n",
                part.name
            ),
        };
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&part.content);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    bytes
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// All values of a header.
    pub(super) fn all(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }

    pub(super) fn kind(&self) -> String {
        let kind = self.header("content-type").to_ascii_lowercase();
        kind.split(';').next().unwrap_or_default().trim().to_owned()
    }

    /// Whether a browser shows it as a page, in which markup runs.
    pub(super) fn is_page(&self) -> bool {
        let kind = self.kind();
        let sniffed = kind.is_empty()
            && !self
                .header("x-content-type-options")
                .eq_ignore_ascii_case("nosniff")
            && self.text.trim_start().starts_with('<');
        matches!(
            kind.as_str(),
            "text/html" | "application/xhtml+xml" | "image/svg+xml"
        ) || sniffed
    }

    pub(super) fn is_attachment(&self) -> bool {
        self.header("content-disposition")
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("attachment")
    }

    pub(super) fn json(&self) -> Option<Value> {
        let start = self.text.trim_start();
        if !(start.starts_with('{') || start.starts_with('[')) {
            return None;
        }
        serde_json::from_str(&self.text).ok()
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn is_redirect(&self) -> bool {
        (300..400).contains(&self.status) && !self.header("location").is_empty()
    }

    /// The beginning of what a reader has to see, around a text.
    pub(super) fn around(&self, text: &str) -> String {
        let Some(at) = self.text.find(text) else {
            return clip(&self.text, 300);
        };
        let before = self.text.get(..at).unwrap_or_default();
        let lead: String = before.chars().rev().take(120).collect();
        let lead: String = lead.chars().rev().collect();
        let rest = self.text.get(at..).unwrap_or_default();
        lead + &clip(rest, text.chars().count() + 200)
    }
}
