//! The request that waits while Dewar asks for the password (re-authentication).

use data_encoding::BASE64URL_NOPAD;
use http::{Method, Uri};
use serde::{Deserialize, Serialize};

use super::endpoints::{Confirm, MOST_PENDING, ask_to_confirm};
use super::second_factor::Waiting;
use crate::forms::{FormView, Intake};
use crate::pages::{LocalPath, Page};
use crate::secrets::random;
use crate::sessions::{Error, Principal, Session, SessionValue};

/// The page that asks for the password.
pub(super) const PAGE: &str = "accounts/confirm.html";

/// The largest form that Dewar keeps while its sender confirms or signs in. Any text of 20,000 characters fits: a character
/// has at most four bytes, and each byte takes three in a body.
pub(crate) const LARGEST_FORM: usize = 256 * 1024;

/// The largest form within the settings: sealed and encoded as text it grows by a third.
pub(crate) fn largest_form(intake: &Intake) -> usize {
    LARGEST_FORM.min(intake.config().body / 2)
}

/// How long Dewar keeps it, in seconds.
pub(super) const KEPT_FOR: i64 = 15 * 60;

/// The pending request. It travels sealed in the page that asks, for this session and this form alone: nobody can read or
/// change it on its way, and Dewar stores nothing.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Pending {
    /// Shows a page.
    Go {
        /// A path of this application.
        to: String,
    },
    /// Sends a form.
    Send {
        /// The form's own id, so that it is sent once.
        id: String,
        method: String,
        /// The path with its query.
        path: String,
        body: String,
        until: i64,
    },
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

    /// The page that asks this person: for the second factor, or for the password of a person who has none. None if it would grow
    /// too large for a form.
    pub(crate) fn ask(self, person: Option<&Principal>) -> Option<Page> {
        let is_form = self.is_form();
        let page = if person.is_some_and(Principal::has_second_factor) {
            ask_to_confirm(&Waiting::Confirm(self))?
        } else {
            let text = serde_json::to_string(&self).ok()?;
            let fits = text.len() <= MOST_PENDING && text.is_ascii();
            fits.then(|| asking(Confirm::view().fill(Confirm::PENDING, text)))?
        };
        Some(page.with("kept", is_form))
    }

    pub(super) const fn is_form(&self) -> bool {
        matches!(self, Self::Send { .. })
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether it has not expired.
    pub(super) fn is_kept(&self, now: i64) -> bool {
        match self {
            Self::Go { .. } => true,
            Self::Send { until, .. } => now <= *until,
        }
    }
}

/// The forms of a session that were sent after the password, each until it expires. A person who goes back and confirms
/// again sends none of them twice.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sent(Vec<(String, i64)>);

impl SessionValue for Sent {
    const NAME: &'static str = "dewar.sent";
}

impl Sent {
    /// Records that a form is sent now. False if it was sent before.
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

fn asking(form: FormView<Confirm>) -> Page {
    Page::new(PAGE).form("form", form.focused())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_waits_for_its_time() {
        let path: Uri = "/notes".parse().unwrap();
        let body = "csrf_token=a&title=b".to_owned();
        let pending = Pending::form(&Method::POST, &path, body, 1_000).unwrap();
        assert!(pending.is_kept(1_000 + KEPT_FOR));
        assert!(!pending.is_kept(1_001 + KEPT_FOR));
    }
}
