//! The pages of the comparison, and the check that both servers send the same.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;

use crate::client::{Session, Site, token};
use crate::world::TITLES;
use crate::{Result, form};

/// A page of the comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) path: Address,
    pub(crate) signed_in: bool,
    /// Whether it accepts the form, with the token of the session.
    pub(crate) takes_form: bool,
    pub(crate) status: StatusCode,
    pub(crate) has: Has,
    pub(crate) what: &'static str,
}

/// The server that has the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Has {
    Bare,
    Both,
    Portal,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Address {
    Fixed(&'static str),
    /// The portal's style sheet, whose address has its hash.
    StyleSheet,
}

/// The document list is first, because the goal is about it.
pub(crate) const PAGES: [Page; 7] = [
    Page {
        name: "documents",
        path: Address::Fixed("/documents"),
        signed_in: true,
        takes_form: false,
        status: StatusCode::OK,
        has: Has::Both,
        what: "the signed-in document list, 12 rows",
    },
    Page {
        name: "front",
        path: Address::Fixed("/"),
        signed_in: false,
        takes_form: false,
        status: StatusCode::OK,
        has: Has::Both,
        what: "the front page for a visitor, 3 notices of rich text",
    },
    Page {
        name: "static",
        path: Address::StyleSheet,
        signed_in: false,
        takes_form: false,
        status: StatusCode::OK,
        has: Has::Both,
        what: "the style sheet, from memory: no session, no query, no template",
    },
    Page {
        name: "form",
        path: Address::Fixed(form::PATH),
        signed_in: true,
        takes_form: true,
        status: StatusCode::OK,
        has: Has::Both,
        what: "a posted form of six fields: token, session and rules beside axum's Form of texts; no query of the handler",
    },
    Page {
        name: "sign-in",
        path: Address::Fixed("/sign-in"),
        signed_in: false,
        takes_form: false,
        status: StatusCode::OK,
        has: Has::Portal,
        what: "a form with its token and cookie, no query",
    },
    Page {
        name: "nothing",
        path: Address::Fixed("/nothing-here"),
        signed_in: false,
        takes_form: false,
        status: StatusCode::NOT_FOUND,
        has: Has::Portal,
        what: "the error page of an address that is not there",
    },
    Page {
        name: "text",
        path: Address::Fixed("/text"),
        signed_in: false,
        takes_form: false,
        status: StatusCode::OK,
        has: Has::Bare,
        what: "thirteen letters of text: what TLS, HTTP/1.1 and the router cost alone",
    },
];

/// A page as a request for it, and the length of the right response.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) cookie: Option<String>,
    pub(crate) fields: Option<String>,
    pub(crate) status: StatusCode,
    pub(crate) length: usize,
}

impl Asked {
    pub(crate) fn request(&self, site: &Site) -> Result<Request<Full<Bytes>>> {
        let cookie = self.cookie.as_deref();
        match &self.fields {
            Some(fields) => site.post_encoded(&self.path, cookie, fields.clone()),
            None => site.get(&self.path, cookie),
        }
    }
}

impl Page {
    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = PAGES.into_iter().find(|page| page.name == name);
        found.ok_or_else(|| format!("there is no page named {name}").into())
    }

    /// Requests the page once, and checks that it is the right one.
    pub(crate) async fn ask(&self, site: &Site, session: &Session) -> Result<(Asked, String)> {
        let path = match self.path {
            Address::Fixed(path) => path.to_owned(),
            Address::StyleSheet => style_sheet(site).await?,
        };
        let fields = || format!("csrf_token={}&{}", session.token, form::FIELDS);
        let mut asked = Asked {
            path,
            cookie: self.signed_in.then(|| session.cookie.clone()),
            fields: self.takes_form.then(fields),
            status: self.status,
            length: 0,
        };
        let mut connection = site.connect().await?;
        let answer = connection.ask(asked.request(site)?).await?;
        let body = String::from_utf8(answer.body.to_vec())?;
        if answer.status != self.status {
            return Err(format!(
                "{} was answered with {}:\n{body}",
                asked.path, answer.status
            )
            .into());
        }
        if self.name == "documents" {
            all_rows(&body)?;
        }
        asked.length = body.len();
        Ok((asked, body))
    }
}

async fn style_sheet(site: &Site) -> Result<String> {
    let mut connection = site.connect().await?;
    let front = connection.ask(site.get("/", None)?).await?;
    let front = String::from_utf8(front.body.to_vec())?;
    let address = front
        .split('"')
        .find(|text| text.starts_with("/static/portal.") && text.ends_with(".css"));
    Ok(address
        .ok_or("the front page names no style sheet")?
        .to_owned())
}

pub(crate) fn all_rows(page: &str) -> Result {
    let rows = page.matches("<th scope=\"row\">").count();
    if rows != TITLES.len() || !page.contains("Holiday calendar") {
        return Err(format!("the list has {rows} rows:\n{page}").into());
    }
    Ok(())
}

/// Checks that both bodies are the same, byte for byte, except for token, nonce and the escaping of two characters.
pub(crate) fn same(page: &Page, bare: &str, portal: &str) -> Result {
    let bare = one_spelling(&without_secrets(bare));
    let portal = one_spelling(&without_secrets(portal));
    if bare == portal {
        return Ok(());
    }
    let mut lines = bare.lines().zip(portal.lines());
    let line = lines.find(|(bare, portal)| bare != portal);
    let (name, bare, portal) = (page.name, bare.len(), portal.len());
    Err(format!(
        "{name}: bare axum sent {bare} bytes, the portal {portal}; they differ at {line:?}"
    )
    .into())
}

/// Rewrites the characters that the two engines escape differently.
pub(crate) fn one_spelling(page: &str) -> String {
    page.replace("&#x2f;", "/").replace("&#x27;", "&#39;")
}

/// The page without its token and its nonce, which always differ.
fn without_secrets(page: &str) -> String {
    let nonce = page
        .split_once("nonce=\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    let secrets = [token(page), nonce.map(|(nonce, _)| nonce)];
    secrets
        .into_iter()
        .flatten()
        .filter(|secret| !secret.is_empty())
        .fold(page.to_owned(), |page, secret| page.replace(secret, ""))
}
