//! A pending form, which waited for a password and then goes through the router once more.

use std::fmt;

use http::request::Parts;
use http::{HeaderValue, Method, Uri, header};
use serde::{Deserialize, Serialize};

use super::LocalPath;
use crate::csrf::{self, CsrfTokens};

/// A form that waited while its sender confirmed their password or signed in.
#[derive(Clone)]
pub(crate) struct Resume {
    pub(crate) mode: ResumeMode,
    method: Method,
    path: Uri,
    body: String,
    hidden: Vec<SealedField>,
    /// The page that the sender gets if the form turns out to be another person's.
    otherwise: LocalPath,
}

/// The treatment of a pending form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResumeMode {
    /// Sends it: its session is recently authenticated now.
    Send,
    /// Shows it to the person who signed in; they send it with its button.
    Show,
}

/// A hidden value as a page of a session carried it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SealedField {
    pub(crate) form: String,
    pub(crate) field: String,
    pub(crate) sealed: String,
}

impl SealedField {
    /// The name of the field, and the value sealed for the session of these tokens. That session is of the same person as
    /// the session before. None for anybody else.
    pub(crate) fn reencrypt(&self, tokens: &CsrfTokens) -> Option<(&str, String)> {
        let place = [&*self.form, &*self.field];
        let text = tokens.open_again(&place, &self.sealed)?;
        let sealed = tokens.seal(&place, &text).ok()?;
        Some((&self.field, sealed))
    }
}

impl Resume {
    pub(crate) fn send(method: Method, path: Uri, body: String) -> Self {
        Self {
            mode: ResumeMode::Send,
            method,
            path,
            body,
            hidden: Vec::new(),
            otherwise: LocalPath::front(),
        }
    }

    pub(crate) const fn show(
        method: Method,
        path: Uri,
        body: String,
        hidden: Vec<SealedField>,
        otherwise: LocalPath,
    ) -> Self {
        Self {
            mode: ResumeMode::Show,
            method,
            path,
            body,
            hidden,
            otherwise,
        }
    }

    /// Gives a form that is only shown the token of the new session, and its hidden values.
    ///
    /// # Errors
    /// The page to go to instead: the hidden values were another person's, so the form is too.
    pub(crate) fn with_session(mut self, tokens: &CsrfTokens) -> Result<Self, LocalPath> {
        let reencrypted: Option<Vec<_>> = self
            .hidden
            .iter()
            .map(|one| one.reencrypt(tokens))
            .collect();
        let Some(reencrypted) = reencrypted else {
            return Err(self.otherwise);
        };
        let token = tokens.token();
        let pairs = reencrypted.iter().map(|(name, sealed)| (*name, &**sealed));
        let pairs = pairs.chain([(csrf::FIELD, &*token)]);
        let mut body = form_urlencoded::Serializer::new(self.body);
        self.body = body.extend_pairs(pairs).finish();
        Ok(self)
    }

    /// Replaces the request that confirmed with the form's own, and returns the form's body.
    pub(crate) fn apply(self, parts: &mut Parts) -> String {
        parts.method = self.method;
        parts.uri = self.path;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        parts.headers.insert(header::CONTENT_TYPE, form);
        let length = HeaderValue::from(self.body.len());
        parts.headers.insert(header::CONTENT_LENGTH, length);
        parts.headers.remove(header::TRANSFER_ENCODING);
        // The token in the form's own field counts, not one that came with the confirmation.
        parts.headers.remove(csrf::HEADER);
        self.body
    }
}

/// The body holds what a person typed.
impl fmt::Debug for Resume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resume({:?}, {})", self.mode, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_waited_is_proved_by_its_own_token() {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        let other = HeaderValue::from_static("that of the page that asked");
        parts.headers.insert(csrf::HEADER, other);
        let body = "csrf_token=a&title=b".to_owned();
        let form = Resume::send(Method::POST, Uri::from_static("/notes"), body.clone());
        assert_eq!(form.apply(&mut parts), body);
        assert_eq!((parts.method, parts.uri.path()), (Method::POST, "/notes"));
        assert!(!parts.headers.contains_key(csrf::HEADER));
    }
}
