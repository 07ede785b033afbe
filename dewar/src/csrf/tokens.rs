use std::fmt;
use std::sync::{Arc, OnceLock};

use http::HeaderMap;
use zeroize::Zeroizing;

use super::token::{mask, unmask};
use crate::secrets::{self, KeyRing, Purpose, Token, same};
use crate::sessions::{HostCookie, Session, read_cookie};

/// The cookie that ties a visitor's forms to the visitor's browser. It holds random bytes only, and Dewar stores
/// nothing for it.
pub(crate) const COOKIE: &str = "__Host-visitor";

/// The CSRF tokens of one request: makes them for its pages, and checks the one that the request has.
///
/// ```
/// use dewar::csrf::CsrfTokens;
/// fn for_a_script(gate: &CsrfTokens) -> String { gate.token() }
/// ```
#[derive(Clone)]
pub struct CsrfTokens(Arc<Inner>);

struct Inner {
    ring: KeyRing,
    tie: Tie,
    /// The MAC under the signing key, which every token of this request masks anew.
    mac: OnceLock<[u8; 32]>,
}

/// The session or visitor that a token is tied to.
enum Tie {
    /// A request with an API token, which no browser adds by itself: it needs no CSRF token.
    Bearer,
    Session {
        name: [u8; 32],
        person: i64,
    },
    Visitor(PreSession),
}

/// A visitor's pre-session: it came with the request, or Dewar makes it when a page first needs a token (login CSRF;
/// OWASP *Cross-Site Request Forgery Prevention*).
#[derive(Default)]
struct PreSession {
    came: Option<Token>,
    made: OnceLock<Token>,
}

/// The proof that a request's token belongs to its session. Only [`CsrfTokens::verify`] makes one.
#[derive(Debug)]
pub struct CsrfChecked(());

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsrfRejection {
    /// The request has a header about its origin twice, or one that is no text.
    #[error("a header about the request's origin is ambiguous")]
    Ambiguous,
    /// The request has no token.
    #[error("the request has no CSRF token")]
    NoToken,
    /// The request has neither `Sec-Fetch-Site` nor `Origin`.
    #[error("the request has no header about its origin")]
    NoOrigin,
    /// `Origin` names another origin.
    #[error("the request comes from another origin")]
    OtherOrigin,
    /// `Sec-Fetch-Site` names another site.
    #[error("the request comes from another site")]
    OtherSite,
    /// The token belongs to another session, or is no token.
    #[error("the CSRF token belongs to another session")]
    WrongToken,
}

impl CsrfTokens {
    /// The CSRF tokens of a request.
    pub(crate) fn new(ring: KeyRing, session: &Session, headers: &HeaderMap) -> Self {
        let person = session.principal().map(|person| person.id().get());
        let tie = match session.binding().zip(person) {
            Some((name, person)) => Tie::Session {
                name: *name,
                person,
            },
            None => Tie::Visitor(PreSession {
                came: read_cookie(headers, COOKIE).and_then(Token::parse),
                made: OnceLock::new(),
            }),
        };
        Self(Arc::new(Inner {
            ring,
            tie,
            mac: OnceLock::new(),
        }))
    }

    /// For a request that an API token authenticates, and no cookie. A browser never adds the token by itself, so no other
    /// site can make it send such a request (CWE-352), and every check passes.
    pub(crate) fn not_needed(ring: KeyRing) -> Self {
        Self(Arc::new(Inner {
            ring,
            tie: Tie::Bearer,
            mac: OnceLock::new(),
        }))
    }

    /// Whether a request needs no CSRF token, because an API token authenticates it.
    pub(crate) fn are_not_needed(&self) -> bool {
        matches!(self.0.tie, Tie::Bearer)
    }

    /// A token for a form or a script, different at each call. For a visitor, the response then sets the pre-session's
    /// cookie.
    #[must_use]
    pub fn token(&self) -> String {
        let (kind, hash) = match &self.0.tie {
            Tie::Bearer => return String::new(),
            Tie::Session { name, .. } => (SESSION, *name),
            Tie::Visitor(visitor) => (VISITOR, visitor.token().hash()),
        };
        let mac = || self.0.ring.mac(Purpose::Csrf, &[kind, &hash]);
        mask(self.0.mac.get_or_init(mac))
    }

    /// Checks the token of a request.
    ///
    /// # Errors
    /// [`CsrfRejection::NoToken`] or [`CsrfRejection::WrongToken`].
    pub fn verify(&self, token: Option<&str>) -> Result<CsrfChecked, CsrfRejection> {
        if self.are_not_needed() {
            return Ok(CsrfChecked(()));
        }
        let token = token
            .filter(|text| !text.is_empty())
            .ok_or(CsrfRejection::NoToken)?;
        let brought = unmask(token).ok_or(CsrfRejection::WrongToken)?;
        let (kind, hash) = match &self.0.tie {
            Tie::Bearer => return Ok(CsrfChecked(())),
            Tie::Session { name, .. } => (SESSION, *name),
            // A visitor's token counts only together with the cookie that it was made for.
            Tie::Visitor(visitor) => (
                VISITOR,
                visitor
                    .came
                    .as_ref()
                    .ok_or(CsrfRejection::WrongToken)?
                    .hash(),
            ),
        };
        let parts: [&[u8]; 2] = [kind, &hash];
        let known = self
            .0
            .ring
            .macs(Purpose::Csrf, &parts)
            .any(|mac| same(&mac, &brought));
        if known {
            Ok(CsrfChecked(()))
        } else {
            Err(CsrfRejection::WrongToken)
        }
    }

    /// Seals a text for a place on the pages of this session.
    ///
    /// It is sealed for the person, with the name of the session in it. When the session is over,
    /// [`open_again`](Self::open_again) opens it for that person only.
    ///
    /// # Errors
    /// [`secrets::Error::Sealing`] if the text is larger than the cipher allows.
    pub(crate) fn seal(&self, place: &[&str], text: &str) -> Result<String, secrets::Error> {
        let ring = &self.0.ring;
        match &self.0.tie {
            // No form is drawn for a program, so nothing opens it.
            Tie::Bearer => ring.seal(Purpose::Hidden, &bound(BEARER, &[], place), text.as_bytes()),
            Tie::Session { name, person } => {
                let context = bound(PERSON, &person.to_be_bytes(), place);
                let named = Zeroizing::new([name.as_slice(), text.as_bytes()].concat());
                ring.seal(Purpose::Hidden, &context, &named)
            }
            Tie::Visitor(visitor) => {
                let context = bound(VISITOR, &visitor.token().hash(), place);
                ring.seal(Purpose::Hidden, &context, text.as_bytes())
            }
        }
    }

    /// Opens a text that [`seal`](Self::seal) made for the same place and the same session, and no other text.
    pub(crate) fn open(&self, place: &[&str], sealed: &str) -> Option<Zeroizing<String>> {
        match &self.0.tie {
            Tie::Bearer => None,
            Tie::Session { name, .. } => {
                let (of, text) = self.open_of_person(place, sealed)?;
                same(&of, name).then_some(text)
            }
            Tie::Visitor(visitor) => {
                let context = bound(VISITOR, &visitor.came.as_ref()?.hash(), place);
                text_of(&self.0.ring.open(Purpose::Hidden, &context, sealed).ok()?)
            }
        }
    }

    /// Opens a text that was sealed for the same place in another session of the same person. Use it only to show the
    /// text to that person and to seal it anew.
    pub(crate) fn open_again(&self, place: &[&str], sealed: &str) -> Option<Zeroizing<String>> {
        self.open_of_person(place, sealed).map(|(_, text)| text)
    }

    /// The name of the session that sealed a text, and the text.
    fn open_of_person(
        &self,
        place: &[&str],
        sealed: &str,
    ) -> Option<([u8; 32], Zeroizing<String>)> {
        let Tie::Session { person, .. } = &self.0.tie else {
            return None;
        };
        let context = bound(PERSON, &person.to_be_bytes(), place);
        let opened = self.0.ring.open(Purpose::Hidden, &context, sealed).ok()?;
        let (name, text) = opened.split_first_chunk()?;
        Some((*name, text_of(text)?))
    }

    /// Sets the pre-session's cookie if a page needed one, and removes it if a session has begun.
    pub(crate) fn write(&self, session: &Session, headers: &mut HeaderMap) {
        let Tie::Visitor(visitor) = &self.0.tie else {
            return;
        };
        if session.began() {
            if visitor.came.is_some() {
                HostCookie::remove(COOKIE, headers);
            }
        } else if let Some(token) = visitor.made.get() {
            HostCookie {
                name: COOKIE,
                value: &token.reveal(),
            }
            .set(headers);
        }
    }
}

const BEARER: &[u8] = b"bearer";
const PERSON: &[u8] = b"person";
const SESSION: &[u8] = b"session";
const VISITOR: &[u8] = b"visitor";

/// The context of a sealed value: each part with its length, so that two places never have the same context.
fn bound(kind: &[u8], whose: &[u8], place: &[&str]) -> Vec<u8> {
    let mut context = Vec::new();
    for part in [kind, whose]
        .into_iter()
        .chain(place.iter().map(|part| part.as_bytes()))
    {
        context.extend_from_slice(&(part.len() as u64).to_be_bytes());
        context.extend_from_slice(part);
    }
    context
}

fn text_of(opened: &[u8]) -> Option<Zeroizing<String>> {
    let text = std::str::from_utf8(opened).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

impl PreSession {
    fn token(&self) -> &Token {
        self.came
            .as_ref()
            .unwrap_or_else(|| self.made.get_or_init(Token::new))
    }
}

impl fmt::Debug for CsrfTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfTokens([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;
    use crate::audit::{Clock, Log};
    use crate::database::Db;
    use crate::sessions::{self, Sessions};

    fn sessions(directory: &tempfile::TempDir) -> Sessions {
        let log = Log::open(directory.path().join("audit"), [7; 32], Clock::system()).unwrap();
        let config = sessions::Config::default();
        Sessions::new(Db::temporary().unwrap(), config, Clock::system(), log)
    }

    /// The `Cookie` header of a browser that stored the cookies of this response.
    fn cookies(answer: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in answer.get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            headers.append(header::COOKIE, HeaderValue::from_str(pair).unwrap());
        }
        headers
    }

    /// A request with an API token needs no CSRF token, and gets none that another request could use.
    #[tokio::test]
    async fn an_api_token_needs_no_csrf_token_and_makes_none() {
        let bearer = CsrfTokens::not_needed(KeyRing::ephemeral());
        assert!(bearer.verify(None).is_ok() && bearer.are_not_needed());
        assert_eq!(bearer.token(), "");
        let sealed = bearer.seal(&["form", "field"], "text").unwrap();
        assert!(bearer.open(&["form", "field"], &sealed).is_none());
    }

    #[tokio::test]
    async fn a_visitors_token_counts_beside_its_own_cookie_alone() {
        let directory = tempfile::tempdir().unwrap();
        let visitor = sessions(&directory).visitor();
        let ring = KeyRing::ephemeral();
        let gate = |headers: &HeaderMap| CsrfTokens::new(ring.clone(), &visitor, headers);

        // A page without a form sets no cookie. The first token sets it, and the next request does not set it again.
        let first = gate(&HeaderMap::new());
        let mut answer = HeaderMap::new();
        first.write(&visitor, &mut answer);
        assert!(answer.is_empty());
        let token = first.token();
        assert_ne!(first.token(), token, "it looks different each time");
        first.write(&visitor, &mut answer);
        let line = answer[header::SET_COOKIE].to_str().unwrap();
        assert!(line.starts_with("__Host-visitor=") && line.contains("HttpOnly"));
        let kept = cookies(&answer);
        let next = gate(&kept);
        let mut answer = HeaderMap::new();
        assert!(next.verify(Some(&next.token())).is_ok());
        next.write(&visitor, &mut answer);
        assert!(answer.is_empty());

        assert!(next.verify(Some(&token)).is_ok());
        assert_eq!(next.verify(None).unwrap_err(), CsrfRejection::NoToken);
        assert_eq!(next.verify(Some("")).unwrap_err(), CsrfRejection::NoToken);
        let mut other = HeaderMap::new();
        let cookie = format!("__Host-visitor={}", Token::new().reveal());
        other.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
        let elsewhere = CsrfTokens::new(KeyRing::ephemeral(), &visitor, &kept);
        for (gate, token) in [
            (gate(&HeaderMap::new()), token.as_str()),
            (gate(&other), &token),
            (elsewhere, &token),
            (gate(&kept), "AAAA"),
            (gate(&kept), &mask(&[0; 32])),
        ] {
            assert_eq!(
                gate.verify(Some(token)).unwrap_err(),
                CsrfRejection::WrongToken
            );
        }
        assert_eq!(format!("{next:?}"), "CsrfTokens([redacted])");
    }

    #[tokio::test]
    async fn a_sealed_text_opens_at_its_own_place_and_for_its_own_browser() {
        let directory = tempfile::tempdir().unwrap();
        let visitor = sessions(&directory).visitor();
        let ring = KeyRing::ephemeral();
        let browser = || {
            let mut headers = HeaderMap::new();
            let cookie = format!("__Host-visitor={}", Token::new().reveal());
            headers.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
            CsrfTokens::new(ring.clone(), &visitor, &headers)
        };
        let (ours, theirs) = (browser(), browser());
        let sealed = ours.seal(&["form", "field"], "777").unwrap();
        assert!(!sealed.contains("777"));
        let opened = ours.open(&["form", "field"], &sealed);
        assert_eq!(opened.as_deref().map(String::as_str), Some("777"));
        let again = ours.seal(&["form", "field"], "").unwrap();
        let opened = ours.open(&["form", "field"], &again);
        assert_eq!(opened.as_deref().map(String::as_str), Some(""));
        // Two places never have the same context, however their parts are cut.
        for place in [
            &["form", "other"][..],
            &["formfield"],
            &["form", "fiel", "d"],
            &["for", "mfield"],
            &["field", "form"],
            &["form"],
            &[],
        ] {
            assert!(ours.open(place, &sealed).is_none(), "{place:?}");
        }
        assert!(theirs.open(&["form", "field"], &sealed).is_none());
        let none = CsrfTokens::new(ring.clone(), &visitor, &HeaderMap::new());
        assert!(none.open(&["form", "field"], &sealed).is_none());
        assert!(ours.open(&["form", "field"], "777").is_none());
    }
}
