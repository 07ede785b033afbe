//! The front page, with its notices.

use axum::extract::State;
use minijinja::Value;
use minijinja::value::Serde;
use rusqlite::Row;
use serde::Serialize;

use super::templates::{User, token_field, words};
use super::{Html, Page, Shared};

/// The same SQL as in the portal.
const LATEST: &str = "SELECT n.id, n.title, n.body_html, u.name, n.published_at \
    FROM notices n CROSS JOIN dewar_users u ON u.id = n.author_id WHERE n.id < ?1 ORDER BY n.id DESC LIMIT 11";

#[derive(Debug, Serialize)]
struct Front {
    path: &'static str,
    user: Option<User>,
    flash: [Value; 0],
    notices: Vec<Notice>,
    newer: Option<String>,
    older: Option<String>,
    publisher: bool,
    sign_in: SignIn,
    csrf_field: Value,
    nonce: &'static str,
    t: Value,
    lang: &'static str,
}

/// A form written by hand, with the portal's fields.
#[derive(Debug, Serialize)]
struct SignIn {
    attributes: Value,
    email: Value,
    password: Value,
}

#[derive(Debug, Serialize)]
struct Notice {
    id: i64,
    title: String,
    body: Value,
    author: String,
    published_at: i64,
}

/// `GET /`
pub(super) async fn index(State(bare): Shared) -> Page {
    let notices = bare.readers.with(|database| {
        let mut statement = database.prepare_cached(LATEST)?;
        statement.query_map([i64::MAX], notice)?.collect()
    })?;
    let front = Front {
        path: "/",
        user: None,
        flash: [],
        notices,
        newer: None,
        older: None,
        publisher: false,
        sign_in: SignIn::empty(),
        csrf_field: token_field(),
        nonce: "",
        t: words(),
        lang: "en",
    };
    let template = bare.templates.get_template("front/index.html")?;
    Ok(Html(template.render(Serde(&front))?))
}

impl SignIn {
    #[expect(
        clippy::disallowed_methods,
        reason = "the bare peer believes its own texts, as hand-written servers do"
    )]
    fn empty() -> Self {
        let html = |text: &str| Value::from_safe_string(text.to_owned());
        Self {
            attributes: html("method=\"post\""),
            email: html(EMAIL),
            password: html(PASSWORD),
        }
    }
}

const EMAIL: &str = "<div class=\"field\">\n<label for=\"sign-in-email\">E-mail address</label>\n\
    <input type=\"email\" id=\"sign-in-email\" name=\"email\" required autocomplete=\"username\" maxlength=\"254\">\n\
    </div>\n";
const PASSWORD: &str = "<div class=\"field\">\n<label for=\"sign-in-password\">Password</label>\n\
    <input type=\"password\" id=\"sign-in-password\" name=\"password\" required \
    autocomplete=\"current-password\">\n</div>\n";

#[expect(
    clippy::disallowed_methods,
    reason = "the bare peer believes its own texts, as hand-written servers do"
)]
fn notice(row: &Row<'_>) -> rusqlite::Result<Notice> {
    Ok(Notice {
        id: row.get(0)?,
        title: row.get(1)?,
        body: Value::from_safe_string(row.get(2)?),
        author: row.get(3)?,
        published_at: row.get(4)?,
    })
}
