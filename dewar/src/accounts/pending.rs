//! What somebody wanted to do before they were asked for their password once more.

use data_encoding::BASE64URL_NOPAD;
use http::{Method, Uri, header};
use serde::{Deserialize, Serialize};

use super::endpoints::{Confirm, MOST_PENDING};
use crate::forms::FormView;
use crate::pages::{LocalPath, Page};
use crate::secrets::random;
use crate::sessions::{Error, Session, SessionValue};

/// The page that asks.
pub(super) const PAGE: &str = "accounts/confirm.html";

/// The largest form that is kept while its sender confirms; a larger one is to be sent again.
pub(crate) const LARGEST_FORM: usize = 64 * 1024;

/// How long it is kept, in seconds.
pub(super) const KEPT_FOR: i64 = 15 * 60;

/// What was wanted. It travels sealed in the page that asks, for this session and this form alone: nothing of it can be
/// read or changed on its way, and nothing is stored for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// To see a page.
    Go {
        /// A path of this application.
        to: String,
    },
    /// To send a form.
    Send {
        /// Its own name, so that it is sent once.
        id: String,
        method: String,
        /// The path with its query.
        path: String,
        body: String,
        until: i64,
    },
}

/// A form that goes through the stack once more, in the extensions of the response.
#[derive(Clone, Debug)]
pub(crate) struct Resume {
    pub(crate) way: Way,
    method: Method,
    path: Uri,
    body: String,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is sent: its session is recent now.
    Send,
    /// It is shown to whoever signed in, and sent when they say so.
    Show,
}

impl Pending {
    pub(crate) fn form(method: &Method, path: &Uri, body: String, now: i64) -> Option<Self> {
        Some(Self::Send {
            id: BASE64URL_NOPAD.encode(&random::<12>()),
            method: method.to_string(),
            path: path.path_and_query()?.to_string(),
            body,
            until: now + KEPT_FOR,
        })
    }

    pub(super) fn page(to: Option<&LocalPath>) -> Self {
        Self::Go {
            to: to.map_or("/", LocalPath::as_str).to_owned(),
        }
    }

    /// The page that asks for the password, or nothing where it would grow too large for a form.
    pub(crate) fn ask(&self) -> Option<Page> {
        let text = serde_json::to_string(self).ok()?;
        let fits = text.len() <= MOST_PENDING && text.is_ascii();
        fits.then(|| asking(Confirm::view().fill("pending", text)))
            .map(|page| page.with("kept", self.is_form()))
    }

    pub(super) const fn is_form(&self) -> bool {
        matches!(self, Self::Send { .. })
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether it is still to be done.
    pub(super) fn is_kept(&self, now: i64) -> bool {
        match self {
            Self::Go { .. } => true,
            Self::Send { until, .. } => now <= *until,
        }
    }
}

/// The forms of a session that were sent after the password, each until it is kept no longer: whoever goes back and
/// confirms again does nothing twice.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sent(Vec<(String, i64)>);

impl SessionValue for Sent {
    const NAME: &'static str = "dewar.sent";
}

impl Sent {
    /// Notes that a form is sent now. False where it was sent before.
    pub(super) async fn note(
        session: &Session,
        pending: &Pending,
        now: i64,
    ) -> Result<bool, Error> {
        let Pending::Send { id, until, .. } = pending else {
            return Ok(true);
        };
        session
            .update_own(|sent: &mut Option<Self>| {
                let Self(sent) = sent.get_or_insert_default();
                sent.retain(|(_, until)| now <= *until);
                let first = sent.iter().all(|(other, _)| other != id);
                if first {
                    sent.push((id.clone(), *until));
                }
                first
            })
            .await
    }
}

fn asking(form: FormView) -> Page {
    Page::new(PAGE).form("form", form.focused())
}

impl Resume {
    pub(super) const fn send(method: Method, path: Uri, body: String) -> Self {
        let way = Way::Send;
        Self {
            way,
            method,
            path,
            body,
        }
    }

    pub(super) const fn show(method: Method, path: Uri, body: String) -> Self {
        let way = Way::Show;
        Self {
            way,
            method,
            path,
            body,
        }
    }

    /// Gives a form that is only shown the token of the session that begins.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        let pair = format!("&{}={token}", crate::csrf::FIELD);
        self.body.push_str(&pair);
        self
    }

    /// The request that it is, in place of the one that confirmed.
    pub(crate) fn applied(self, parts: &mut http::request::Parts) -> String {
        parts.method = self.method;
        parts.uri = self.path;
        let form = http::HeaderValue::from_static("application/x-www-form-urlencoded");
        parts.headers.insert(header::CONTENT_TYPE, form);
        let length = http::HeaderValue::from(self.body.len());
        parts.headers.insert(header::CONTENT_LENGTH, length);
        parts.headers.remove(header::TRANSFER_ENCODING);
        // The token of its own field counts, not one that came with the confirmation.
        parts.headers.remove(crate::csrf::HEADER);
        self.body
    }
}
