//! A form that was sent when its sender was signed out: kept while they sign in, and shown to them again.

use http::{Method, Uri};
use serde::{Deserialize, Serialize};

use super::pending::{KEPT_FOR, LARGEST_FORM, Resume};
use super::{Accounts, MOST_PENDING, SIGN_IN};
use crate::audit::Clock;
use crate::forms::{Field, Kind, Line, Problem, Raw, Received, Shown};
use crate::pages::{Error, LocalPath, Page, Typed, handle};
use crate::sessions::{Session, UserId};

/// What was typed, for the form that signs in. It travels sealed in that page, for this browser: nothing is stored for it, and
/// a page without it is one to sign in with and no more.
#[derive(Debug)]
pub struct KeptForm(Option<Unsent>);

#[derive(Debug, Serialize, Deserialize)]
struct Unsent {
    method: String,
    /// The path with its query.
    path: String,
    body: String,
    until: i64,
    /// Whose session it was, where that is known.
    owner: Option<i64>,
}

impl KeptForm {
    /// The form, if it may be shown to this person now: it is theirs, or nobody knows whose it is.
    pub(super) fn shown_to(self, user: UserId, now: i64) -> Option<Resume> {
        let kept = self.0?;
        if now > kept.until || kept.owner.is_some_and(|owner| owner != user.get()) {
            return None;
        }
        Some(Resume::show(
            Method::from_bytes(kept.method.as_bytes()).ok()?,
            kept.path.parse().ok()?,
            kept.body,
        ))
    }

    pub(super) const fn is_some(&self) -> bool {
        self.0.is_some()
    }
}

impl Field for KeptForm {
    const KIND: Kind = {
        let mut kind = Kind::hidden(Kind::line(MOST_PENDING));
        kind.required = false;
        kind
    };

    fn parse(_raw: Raw<'_>) -> Result<Self, Problem> {
        Err(Problem::altered())
    }

    fn show(&self) -> Shown {
        Shown::Nothing
    }

    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        let kept: Option<Line<MOST_PENDING>> = from.take_sealed_if_any(name)?;
        let kept = kept.and_then(|text| serde_json::from_str(text.as_str()).ok());
        Some(Self(kept))
    }
}

/// The page to sign in on, with what was typed, and the way back to the page where it was typed.
///
/// # Errors
/// 401 with what was typed, where it is too much to be kept.
pub(crate) fn sign_in_with(
    parts: &http::request::Parts,
    typed: Vec<Typed>,
    back: Option<&LocalPath>,
) -> Result<Page, Error> {
    let accounts = handle::<Accounts>(parts, "Accounts")?.for_caller(parts);
    let session = handle::<Session>(parts, "Session")?;
    let clock = handle::<Clock>(parts, "Clock")?;
    let kept = if typed.is_empty() {
        None
    } else {
        let text = text_of(&parts.method, &parts.uri, &typed, session, clock.now());
        let Some(text) = text else {
            return Err(Error::unauthenticated().typed(typed));
        };
        Some(text)
    };
    let back = back.filter(|path| !path.as_str().starts_with(SIGN_IN));
    Ok(super::endpoints::sign_in_again(&accounts, back, kept))
}

fn text_of(
    method: &Method,
    uri: &Uri,
    typed: &[Typed],
    session: &Session,
    now: i64,
) -> Option<String> {
    let pairs = typed.iter().map(|typed| (&*typed.field, &*typed.text));
    let mut body = form_urlencoded::Serializer::new(String::new());
    let body = body.extend_pairs(pairs).finish();
    if body.len() > LARGEST_FORM {
        return None;
    }
    let unsent = Unsent {
        method: method.to_string(),
        path: uri.path_and_query()?.to_string(),
        body,
        until: now + KEPT_FOR,
        owner: session.ended_owner().map(UserId::get),
    };
    let text = serde_json::to_string(&unsent).ok()?;
    (text.len() <= MOST_PENDING && text.is_ascii()).then_some(text)
}
