//! The page with the letters of the outbox. It exists in development alone.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, Method, header};
use serde::Serialize;

use super::Config;
use super::reader::OutboxLetter;
use super::server::Destination;
use crate::audit::Mode;
use crate::https::Inert;
use crate::pages::{Error, Page};

/// The address of the page.
pub(crate) const MAILBOX: &str = "/dewar/mail";

/// The most letters on the page, the latest ones.
const MOST: usize = 100;

/// The letters of the outbox, for the developer's own browser.
///
/// Whoever reads the links in them can open accounts. So there is none in production: nothing else makes this value.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox(PathBuf);

/// A letter of the list.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    to: String,
    subject: String,
    date: String,
}

impl Mailbox {
    /// The mailbox, in development and with an outbox.
    pub(crate) fn of(mode: Mode, config: &Config) -> Option<Self> {
        match (mode, &config.destination) {
            (Mode::Development, Destination::Outbox(folder)) => Some(Self(folder.clone())),
            (Mode::Development, Destination::Disabled | Destination::Smtp(_))
            | (Mode::Production, _) => None,
        }
    }

    /// Whether a request is for the mailbox.
    pub(crate) fn is_asked(method: &Method, path: &str) -> bool {
        matches!(*method, Method::GET | Method::HEAD) && Self::is_below(path)
    }

    /// Whether a path is one of the mailbox.
    pub(crate) fn is_below(path: &str) -> bool {
        let rest = path.strip_prefix(MAILBOX);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The response to such a request.
    pub(crate) async fn answer(&self, path: &str) -> Response {
        let (folder, path) = (self.0.clone(), path.to_owned());
        let found = tokio::task::spawn_blocking(move || answer(&folder, &path));
        match found.await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => error.into_response(),
            Err(error) => Error::internal(error).into_response(),
        }
    }
}

fn answer(folder: &Path, path: &str) -> Result<Response, Error> {
    let rest = path.strip_prefix(MAILBOX).unwrap_or_default();
    let rest = rest.trim_start_matches('/');
    if rest.is_empty() {
        let letters = list(folder).map_err(Error::internal)?;
        return Ok(Page::new("dewar/mailbox.html")
            .with("letters", letters)
            .into_response());
    }
    let (id, html) = match rest.split_once('/') {
        None => (rest, false),
        Some((id, "html")) => (id, true),
        Some(_) => return Err(Error::not_found()),
    };
    let letter = one(folder, id).ok_or_else(Error::not_found)?;
    if html {
        return letter.html.map(alone).ok_or_else(Error::not_found);
    }
    Ok(Page::new("dewar/letter.html")
        .with("id", id)
        .with("to", &letter.to)
        .with("from", &letter.from)
        .with("subject", &letter.subject)
        .with("date", &letter.date)
        .with("lines", lines(&letter.text))
        .with("has_html", letter.html.is_some())
        .with("attachments", attachments(&letter))
        .into_response())
}

/// The HTML of a letter as a page of its own: with its styles, without scripts, and without anything from elsewhere.
fn alone(html: String) -> Response {
    let mut response = Response::new(Body::from(html));
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response.extensions_mut().insert(Inert::with_styles());
    response
}

/// The lines of a text, each as it is or as a link.
fn lines(text: &str) -> Vec<serde_json::Value> {
    let line = |line: &str| {
        let is_link = line.starts_with("https://") && !line.contains(char::is_whitespace);
        serde_json::json!({ "text": line, "is_link": is_link })
    };
    text.lines().map(line).collect()
}

/// The names and sizes of the attachments. The page serves none of them.
fn attachments(letter: &OutboxLetter) -> Vec<serde_json::Value> {
    let all = letter.attachments.iter();
    all.map(
        |one| serde_json::json!({ "name": one.name, "kind": one.kind, "size": one.bytes.len() }),
    )
    .collect()
}

/// The names of the letters, the latest first.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().into_string().unwrap_or_default();
        if let Some(id) = name.strip_suffix(".eml").filter(|id| is_id(id)) {
            names.push(id.to_owned());
        }
    }
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let names = names(folder)?.into_iter().take(MOST);
    let listed = names.filter_map(|id| {
        let letter = one(folder, &id)?;
        Some(Listed {
            id,
            to: letter.to,
            subject: letter.subject,
            date: letter.date,
        })
    });
    Ok(listed.collect())
}

/// An id is the name of a file without its ending: digits, letters and a hyphen lead to no other folder (CWE-22).
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn one(folder: &Path, id: &str) -> Option<OutboxLetter> {
    if !is_id(id) {
        return None;
    }
    let text = std::fs::read_to_string(folder.join(format!("{id}.eml"))).ok()?;
    OutboxLetter::read(&text)
}

/// The letters of an outbox, the oldest first.
#[cfg(feature = "testing")]
pub(crate) fn all(folder: &Path) -> io::Result<Vec<OutboxLetter>> {
    let names = names(folder)?.into_iter().rev();
    Ok(names.filter_map(|id| one(folder, &id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The links in letters open accounts.
    #[test]
    fn production_has_no_mailbox_even_with_an_outbox() {
        let config = Config::default();
        assert!(matches!(config.destination, Destination::Outbox(_)));
        assert!(Mailbox::of(Mode::Development, &config).is_some());
        assert!(Mailbox::of(Mode::Production, &config).is_none());
    }
}
