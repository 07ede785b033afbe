use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Danger, Error, RequestContext};
use crate::audit::{Entry, Event, Finding, Practice};
use crate::secrets::Purpose;
use crate::sessions::read_cookie;

/// The prefix of every cookie of the application's own. `__Host-` makes browsers refuse it from any other host and over plain HTTP,
/// and the rest keeps it apart from the framework's.
const PREFIX: &str = "__Host-app-";

/// The longest value before it is sealed. Browsers drop a cookie whose name and value have more than 4,096 bytes.
const LONGEST: usize = 2 * 1024;

/// The longest lifetime: browsers shorten any longer one (draft-ietf-httpbis-rfc6265bis, 5.5).
const LONGEST_LIFETIME: Duration = Duration::from_secs(400 * 24 * 3600);

/// A value that the application keeps in a cookie.
///
/// ```
/// use dewar::pages::CookieValue;
/// use std::time::Duration;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Basket { items: Vec<u32> }
/// impl CookieValue for Basket {
///     const NAME: &'static str = "basket";
///     const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
/// }
/// # let _ = Basket::NAME;
/// ```
pub trait CookieValue: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its name: 1 to 40 small letters, digits and hyphens. The browser sees `__Host-app-<name>`.
    const NAME: &'static str;

    /// How long it is valid, at most 400 days. Dewar seals the end into the value, so a browser that keeps the cookie longer gains
    /// nothing.
    const LIFETIME: Duration;

    /// Whether it comes along when a link on another site leads here.
    const SAME_SITE: SameSite = SameSite::Lax;
}

/// When a browser sends a cookie that was set by this site. There is no `None`: with it, every other site could send the cookie along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum SameSite {
    /// From the site's own pages, and when a link leads here.
    Lax,
    /// From the site's own pages alone.
    Strict,
}

/// A cookie of the application's own, as data in the route table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CookieInfo {
    /// The name that the browser sees.
    pub name: String,
    /// How long it is valid, in seconds.
    pub lifetime: u64,
    /// When a browser sends it.
    pub same_site: SameSite,
    /// Whether scripts can read it. Such a cookie is not sealed.
    pub read_by_scripts: bool,
    /// The type of the value.
    #[serde(skip)]
    pub(crate) of: &'static str,
}

impl CookieInfo {
    pub(crate) fn of<T: CookieValue>(read_by_scripts: bool) -> Self {
        Self {
            name: name_of::<T>(),
            lifetime: T::LIFETIME.as_secs(),
            same_site: T::SAME_SITE,
            read_by_scripts,
            of: std::any::type_name::<T>(),
        }
    }

    /// The findings about this cookie beside the others of the application.
    pub(crate) fn findings<'a>(&self, mut others: impl Iterator<Item = &'a Self>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let own = self.name.strip_prefix(PREFIX).unwrap_or_default();
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if own.is_empty() || own.len() > 40 || !own.bytes().all(is_plain) {
            let title = format!("`{own}` of `{}` is not the name of a cookie", self.of);
            findings.push(
                Finding::refuse(Practice::Sessions, "sessions-cookie-name", title)
                    .why("browsers and programs on the way read other characters in different ways")
                    .fix("write 1 to 40 small letters, digits and hyphens into `NAME`"),
            );
        }
        if self.lifetime == 0 || self.lifetime > LONGEST_LIFETIME.as_secs() {
            let title = format!(
                "the lifetime of the cookie `{}` is not between 1 s and 400 days",
                self.name
            );
            findings.push(
                Finding::refuse(Practice::Sessions, "sessions-cookie-lifetime", title)
                    .why("browsers drop the first at once and shorten the second")
                    .fix("change `LIFETIME`"),
            );
        }
        let is_twin = |other: &Self| {
            other.name == self.name
                && (other.of != self.of || other.read_by_scripts != self.read_by_scripts)
        };
        if others.any(is_twin) {
            let title = format!("two types have the cookie `{}`", self.name);
            findings.push(
                Finding::refuse(Practice::Sessions, "sessions-cookie-twice", title)
                    .why("one would be read as the other")
                    .fix("give each type its own `NAME`, and let scripts read a cookie or let handlers read it"),
            );
        }
        findings
    }
}

fn name_of<T: CookieValue>() -> String {
    format!("{PREFIX}{}", T::NAME)
}

/// The cookies that a handler sets, until its response is complete.
#[derive(Default)]
pub(crate) struct OwnCookies {
    set: Mutex<Vec<(String, HeaderValue)>>,
    /// Whether a handler got the value of one: the response may tell it.
    read: AtomicBool,
}

impl OwnCookies {
    pub(crate) fn were_read(&self) -> bool {
        self.read.load(Ordering::Relaxed)
    }

    fn set(&self, name: String, line: HeaderValue) {
        let mut set = self.set.lock().unwrap_or_else(PoisonError::into_inner);
        set.retain(|(known, _)| *known != name);
        set.push((name, line));
    }

    /// Writes them into the headers of the response.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let set = std::mem::take(&mut *self.set.lock().unwrap_or_else(PoisonError::into_inner));
        for (_, line) in set {
            headers.append(header::SET_COOKIE, line);
        }
    }
}

/// The values are secrets.
impl fmt::Debug for OwnCookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnCookies([redacted])")
    }
}

/// Sets or removes a cookie of the application's own.
fn write<T: CookieValue>(
    context: &RequestContext,
    value: &str,
    lifetime: Duration,
    readers: &str,
) -> Result<(), Error> {
    let (name, seconds) = (name_of::<T>(), lifetime.as_secs());
    let same_site = match T::SAME_SITE {
        SameSite::Lax => "Lax",
        SameSite::Strict => "Strict",
    };
    let text =
        format!("{name}={value}; Path=/; Secure{readers}; SameSite={same_site}; Max-Age={seconds}");
    let line = HeaderValue::try_from(text).map_err(Error::internal)?;
    context.facts().own_cookies.set(name, line);
    Ok(())
}

/// A cookie of the application's own: sealed by the key ring, so nobody outside reads or changes it.
///
/// It is always `Secure`, `HttpOnly` and `__Host-`, and ends after its lifetime, whatever the browser does. The value is as good
/// as its holder: a browser can send an old value again, or one of another browser. A value that must count once, or that says
/// who somebody is, belongs into a [`SessionValue`](crate::sessions::SessionValue) or the database.
///
/// ```
/// use dewar::pages::{CookieValue, SealedCookie};
/// use dewar::{App, Redirect, post};
/// use std::time::Duration;
/// #[derive(serde::Serialize, serde::Deserialize, Default)]
/// struct Visits { number: u32 }
/// impl CookieValue for Visits {
///     const NAME: &'static str = "visits";
///     const LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);
/// }
/// async fn count(visits: SealedCookie<Visits>) -> dewar::Result<Redirect> {
///     let number = visits.get().map_or(0, |visits| visits.number);
///     visits.set(&Visits { number: number.saturating_add(1) })?;
///     Ok(Redirect::to("/"))
/// }
/// fn app(app: App) -> App { app.public([post("/count", count)]) }
/// ```
pub struct SealedCookie<T> {
    value: Option<T>,
    context: RequestContext,
}

impl<T: CookieValue> SealedCookie<T> {
    /// Reads the cookie of a request. A changed one counts as none, and is a security event.
    pub(crate) fn of(context: &RequestContext) -> Self {
        let facts = context.facts();
        let name = name_of::<T>();
        let value = read_cookie(facts.cookies.headers(), &name).and_then(|sealed| {
            let opened = context
                .services()
                .ring
                .open(Purpose::Cookie, name.as_bytes(), sealed);
            let Ok(opened) = opened else {
                let entry = Entry::new(Event::CryptDecryptFail);
                context.record(entry.detail("a cookie of the application's own"));
                return None;
            };
            let (end, json) = opened.split_first_chunk::<8>()?;
            let is_over = context.services().clock.now() >= i64::from_be_bytes(*end);
            if is_over {
                return None;
            }
            let value = serde_json::from_slice(json).ok()?;
            facts.own_cookies.read.store(true, Ordering::Relaxed);
            Some(value)
        });
        Self {
            value,
            context: context.clone(),
        }
    }

    /// It weakens nothing.
    pub(crate) const fn danger() -> Option<Danger> {
        None
    }

    /// The value that came with the request: none if there is no cookie, if it is over, or if somebody changed it.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Sets the cookie, for its whole lifetime from now on.
    ///
    /// # Errors
    /// The value has more than 2 KiB as JSON.
    pub fn set(&self, value: &T) -> Result<(), Error> {
        let json = json_of(value)?;
        let services = self.context.services();
        let lifetime: i64 = T::LIFETIME.as_secs().try_into().unwrap_or(i64::MAX);
        let end = services.clock.now().saturating_add(lifetime);
        let text = [&end.to_be_bytes()[..], &json].concat();
        let sealed = services
            .ring
            .seal(Purpose::Cookie, name_of::<T>().as_bytes(), &text);
        let sealed = sealed.map_err(Error::internal)?;
        write::<T>(&self.context, &sealed, T::LIFETIME, "; HttpOnly")
    }

    /// Removes the cookie.
    ///
    /// # Errors
    /// The name is none, which the start has found already.
    pub fn remove(&self) -> Result<(), Error> {
        write::<T>(&self.context, "", Duration::ZERO, "; HttpOnly")
    }
}

/// The value may be a secret.
impl<T> fmt::Debug for SealedCookie<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedCookie([redacted])")
    }
}

/// The value has too many bytes for a cookie.
#[derive(Debug, thiserror::Error)]
#[error("the value of the cookie has {0} bytes as JSON; a cookie has at most {LONGEST}")]
struct TooLarge(usize);

fn json_of<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(value).map_err(Error::internal)?;
    if json.len() > LONGEST {
        return Err(Error::internal(TooLarge(json.len())));
    }
    Ok(json)
}

/// The value of a cookie that scripts read.
pub trait DangerousScriptValue: CookieValue {
    /// Why it may be read by every script of the site, also by an injected one. The audit reports it.
    const REASON: &'static str;
}

/// A cookie for the page's own scripts: percent-encoded JSON, not sealed and not `HttpOnly`.
///
/// A handler sets it and never reads it: the value that comes back is a visitor's text. The reason is part of the route table, and
/// the finding `audit-dangerous` reports it.
///
/// ```
/// use dewar::pages::{CookieValue, DangerousScriptCookie, DangerousScriptValue};
/// use dewar::{App, Redirect, post};
/// use std::time::Duration;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Theme { dark: bool }
/// impl CookieValue for Theme {
///     const NAME: &'static str = "theme";
///     const LIFETIME: Duration = Duration::from_secs(365 * 24 * 3600);
/// }
/// impl DangerousScriptValue for Theme {
///     const REASON: &'static str = "the script in the page's head reads the colours before the first paint";
/// }
/// async fn darken(theme: DangerousScriptCookie<Theme>) -> dewar::Result<Redirect> {
///     theme.set(&Theme { dark: true })?;
///     Ok(Redirect::to("/"))
/// }
/// fn app(app: App) -> App { app.public([post("/theme/dark", darken)]) }
/// ```
pub struct DangerousScriptCookie<T> {
    context: RequestContext,
    value: PhantomData<fn() -> T>,
}

impl<T: DangerousScriptValue> DangerousScriptCookie<T> {
    pub(crate) fn danger() -> Option<Danger> {
        Some(Danger::of::<T>("DangerousScriptCookie", T::REASON))
    }

    pub(crate) fn of(context: &RequestContext) -> Self {
        Self {
            context: context.clone(),
            value: PhantomData,
        }
    }

    /// Sets the cookie, for its whole lifetime from now on.
    ///
    /// # Errors
    /// The value has more than 2 KiB as JSON, or more than 3 KiB once it is escaped.
    pub fn set(&self, value: &T) -> Result<(), Error> {
        let json = json_of(value)?;
        let json = String::from_utf8(json).map_err(Error::internal)?;
        let text = utf8_percent_encode(&json, NON_ALPHANUMERIC).to_string();
        if text.len() > LONGEST / 2 * 3 {
            return Err(Error::internal(TooLarge(text.len())));
        }
        write::<T>(&self.context, &text, T::LIFETIME, "")
    }

    /// Removes the cookie.
    ///
    /// # Errors
    /// The name is none, which the start has found already.
    pub fn remove(&self) -> Result<(), Error> {
        write::<T>(&self.context, "", Duration::ZERO, "")
    }
}

impl<T> fmt::Debug for DangerousScriptCookie<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DangerousScriptCookie")
    }
}
