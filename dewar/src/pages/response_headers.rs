use std::fmt;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use unic_langid::LanguageIdentifier;

use super::{
    Csv, Danger, Error, HandlerOutput, Json, JsonSchema, LocalPath, Outputs, Sealed, Text,
};

/// The longest value of a header of the application's own.
const LONGEST: usize = 1024;

/// The longest time for which a response may be stored by any cache.
const LONGEST_PUBLIC: Duration = Duration::from_secs(365 * 24 * 3600);

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
const IMF_DATE: StaticFormatDescription = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// The output of a handler with headers of its own, from a typed list.
///
/// No method sets a security header, a cookie, the type or the length of the body, or a header that a proxy obeys.
///
/// ```
/// use dewar::pages::{Json, LinkRelation, LocalPath, OwnHeader, WithHeaders};
/// use std::time::Duration;
/// const COST: OwnHeader = OwnHeader::new("x-query-cost");
/// async fn prices() -> dewar::Result<WithHeaders<Json<[u32; 2]>>> {
///     let next = LocalPath::parse("/prices?page=2").map_err(dewar::Error::internal)?;
///     WithHeaders::new(Json([3, 5]))
///         .cache_publicly(Duration::from_secs(60))
///         .link(LinkRelation::Next, &next)
///         .own(COST, 7)
/// }
/// # fn mounted(app: dewar::App) -> dewar::App { app.public([dewar::get("/prices", prices)]) }
/// ```
#[derive(Debug)]
#[must_use = "headers do nothing until a handler returns them"]
pub struct WithHeaders<T> {
    output: T,
    headers: HeaderMap,
}

/// An output that does not depend on the visitor and holds no secret of a page, so any cache may store it: it has no nonce and no
/// CSRF token.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not be stored by shared caches",
    note = "a page has a nonce and may have a CSRF token, which are for one response",
    note = "`Json<T>`, `Text`, `Csv` and `&'static str` may, if their content is the same for everybody"
)]
pub trait PublicContent: HandlerOutput {}

impl PublicContent for &'static str {}
impl PublicContent for Csv {}
impl<T: Serialize + JsonSchema> PublicContent for Json<T> {}
impl PublicContent for Text {}

/// What another address is to this one (RFC 8288). None of these makes a browser load it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkRelation {
    /// The same content in another form or language.
    Alternate,
    /// The preferred address of this content.
    Canonical,
    /// The first page of a list.
    First,
    /// The last page of a list.
    Last,
    /// The next page of a list.
    Next,
    /// The page of a list before this one.
    Prev,
}

impl LinkRelation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Alternate => "alternate",
            Self::Canonical => "canonical",
            Self::First => "first",
            Self::Last => "last",
            Self::Next => "next",
            Self::Prev => "prev",
        }
    }
}

/// The name of a header of the application's own: `x-` and a word, in small letters.
///
/// [`new`](Self::new) refuses the names that browsers and proxies give a meaning. In a constant, the compiler refuses them:
///
/// ```
/// use dewar::pages::OwnHeader;
/// const COST: OwnHeader = OwnHeader::new("x-query-cost");
/// # let _ = COST;
/// ```
/// ```compile_fail
/// use dewar::pages::OwnHeader;
/// const FRAMES: OwnHeader = OwnHeader::new("x-frame-options");
/// # let _ = FRAMES;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnHeader(&'static str);

/// Names with a meaning for browsers, and the one of Dewar itself.
const TAKEN: [&str; 13] = [
    "x-content-security-policy",
    "x-content-type-options",
    "x-dns-prefetch-control",
    "x-download-options",
    "x-frame-options",
    "x-generator",
    "x-permitted-cross-domain-policies",
    "x-pingback",
    "x-powered-by",
    "x-request-id",
    "x-robots-tag",
    "x-ua-compatible",
    "x-xss-protection",
];

/// Beginnings of names that proxies in front of the application obey (`x-accel-redirect` makes nginx send a file of its disk), and of
/// names that browsers had for themselves.
const TAKEN_BEGINNINGS: [&str; 7] = [
    "x-accel-",
    "x-forwarded-",
    "x-lighttpd-",
    "x-litespeed-",
    "x-reproxy-",
    "x-sendfile",
    "x-webkit-",
];

impl OwnHeader {
    /// The header of this name.
    ///
    /// # Panics
    /// The name does not begin with `x-`, has other characters than small letters, digits and hyphens, or has a meaning already.
    /// Write it into a constant, and the compiler finds this.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        assert!(
            bytes.len() > 2 && bytes.len() <= 64 && starts_with(bytes, b"x-"),
            "the name of an application's own header begins with `x-`"
        );
        let mut rest = bytes;
        while let Some((first, after)) = rest.split_first() {
            assert!(
                first.is_ascii_lowercase() || first.is_ascii_digit() || *first == b'-',
                "the name of a header has small letters, digits and hyphens"
            );
            rest = after;
        }
        let mut taken: &[&str] = &TAKEN;
        while let Some((first, after)) = taken.split_first() {
            assert!(
                !(first.len() == bytes.len() && starts_with(bytes, first.as_bytes())),
                "browsers or proxies give this header a meaning, so a handler may not set it"
            );
            taken = after;
        }
        let mut taken: &[&str] = &TAKEN_BEGINNINGS;
        while let Some((first, after)) = taken.split_first() {
            assert!(
                !starts_with(bytes, first.as_bytes()),
                "browsers or proxies give this header a meaning, so a handler may not set it"
            );
            taken = after;
        }
        Self(name)
    }
}

const fn starts_with(mut text: &[u8], mut prefix: &[u8]) -> bool {
    while let Some((wanted, prefix_after)) = prefix.split_first() {
        let Some((first, text_after)) = text.split_first() else {
            return false;
        };
        if *first != *wanted {
            return false;
        }
        (text, prefix) = (text_after, prefix_after);
    }
    true
}

impl<T: HandlerOutput> WithHeaders<T> {
    /// The output without headers of its own.
    pub fn new(output: T) -> Self {
        Self {
            output,
            headers: HeaderMap::new(),
        }
    }

    /// `Content-Language`: the language of the content, where it is not that of the page.
    ///
    /// # Errors
    /// The tag is not a language tag (BCP 47).
    pub fn content_language(self, tag: &str) -> Result<Self, Error> {
        let tag: LanguageIdentifier = tag.parse().map_err(Error::internal)?;
        self.with(header::CONTENT_LANGUAGE, &tag)
    }

    /// `ETag`: the version of the content. Dewar does not compare it with `If-None-Match`: a handler that wants to save its work
    /// does.
    ///
    /// # Errors
    /// The version has other characters than visible ASCII, or a quote.
    pub fn etag(self, version: &str) -> Result<Self, Error> {
        let is_plain = |byte: u8| (0x21..=0x7e).contains(&byte) && byte != b'"';
        if version.is_empty() || !version.bytes().all(is_plain) {
            return Err(Error::internal(NotAHeaderValue(header::ETAG)));
        }
        self.with(header::ETAG, format_args!("\"{version}\""))
    }

    /// `Last-Modified`: when the content changed.
    ///
    /// # Errors
    /// The year does not have four digits.
    pub fn last_modified(self, at: OffsetDateTime) -> Result<Self, Error> {
        let at = at.to_offset(time::UtcOffset::UTC);
        let text = at.format(&IMF_DATE).map_err(Error::internal)?;
        self.with(header::LAST_MODIFIED, text)
    }

    /// `Link`: what another address of this application is to this one.
    pub fn link(mut self, relation: LinkRelation, path: &LocalPath) -> Self {
        // Angle brackets would end the address. A local path has visible ASCII only.
        let path = path.as_str().replace('<', "%3C").replace('>', "%3E");
        let text = format!("<{path}>; rel=\"{}\"", relation.as_str());
        if let Ok(value) = HeaderValue::try_from(text) {
            self.headers.append(header::LINK, value);
        }
        self
    }

    /// A header of the application's own.
    ///
    /// # Errors
    /// The value is longer than 1,024 bytes, or has other characters than visible ASCII and the space (CWE-113).
    pub fn own(self, name: OwnHeader, value: impl fmt::Display) -> Result<Self, Error> {
        let name = HeaderName::from_static(name.0);
        self.with(name, value)
    }

    fn with(mut self, name: HeaderName, value: impl fmt::Display) -> Result<Self, Error> {
        let text = value.to_string();
        let is_plain = |byte: u8| (0x20..=0x7e).contains(&byte);
        let fits = text.len() <= LONGEST && text.bytes().all(is_plain);
        match HeaderValue::try_from(text).ok().filter(|_| fits) {
            Some(value) => {
                self.headers.insert(name, value);
                Ok(self)
            }
            None => Err(Error::internal(NotAHeaderValue(name))),
        }
    }
}

/// The text cannot be the value of this header.
#[derive(Debug, thiserror::Error)]
#[error("the value of `{0}` is too long, or has characters other than visible ASCII and the space")]
struct NotAHeaderValue(HeaderName);

impl<T: PublicContent> WithHeaders<T> {
    /// `Cache-Control: public`: every cache may store the response for so long, at most a year. The content must be the same for
    /// everybody.
    ///
    /// Dewar sends `no-store` instead to a signed-in person and with a cookie: such a response is for one person.
    pub fn cache_publicly(mut self, lifetime: Duration) -> Self {
        let seconds = lifetime.min(LONGEST_PUBLIC).as_secs();
        if let Ok(value) = HeaderValue::try_from(format!("public, max-age={seconds}")) {
            self.headers.insert(header::CACHE_CONTROL, value);
        }
        self
    }
}

/// Keeps the response of one person out of the caches that others use. Without `Cache-Control`, Dewar sends `no-store`.
pub(crate) fn keep_from_shared_caches(headers: &mut HeaderMap) {
    if is_shared(headers) {
        headers.remove(header::CACHE_CONTROL);
    }
    // Caches of content delivery networks obey these before `Cache-Control` (RFC 9213).
    let of_caches = |name: &HeaderName| {
        let name = name.as_str();
        ["expires", "surrogate-control", "cdn-cache-control"].contains(&name)
            || name.ends_with("-cdn-cache-control")
    };
    let found: Vec<HeaderName> = headers
        .keys()
        .filter(|name| of_caches(name))
        .cloned()
        .collect();
    for name in found {
        headers.remove(name);
    }
}

/// Whether a cache that others use may store a response with these headers. It may by `max-age` alone (RFC 9111, 3).
fn is_shared(headers: &HeaderMap) -> bool {
    let mut is_said = false;
    let mut is_kept = false;
    for value in headers.get_all(header::CACHE_CONTROL) {
        for part in value.as_bytes().split(|byte| *byte == b',') {
            let part = part.trim_ascii();
            let is = |word: &[u8]| part.eq_ignore_ascii_case(word);
            let is_shared_age = part
                .get(..9)
                .is_some_and(|name| name.eq_ignore_ascii_case(b"s-maxage="));
            // Beside `private`, each cache decides for itself which of the two it obeys.
            if is(b"public") || is_shared_age {
                return true;
            }
            is_said = true;
            is_kept |= is(b"private") || is(b"no-store");
        }
    }
    is_said && !is_kept
}

impl<T: HandlerOutput> IntoResponse for WithHeaders<T> {
    fn into_response(self) -> Response {
        let mut response = self.output.into_response();
        let own = self.headers.iter();
        for (name, value) in own {
            response.headers_mut().append(name, value.clone());
        }
        response
    }
}

impl<T: HandlerOutput> HandlerOutput for WithHeaders<T> {
    fn dangers(sealed: Sealed) -> Vec<Danger> {
        T::dangers(sealed)
    }

    fn redirects_to(sealed: Sealed) -> &'static [&'static str] {
        T::redirects_to(sealed)
    }

    fn describe(outputs: &mut Outputs, sealed: Sealed) {
        T::describe(outputs, sealed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Page;

    /// ASVS: V1.2.1, V3.4.3
    #[test]
    fn no_value_adds_a_line_and_no_name_has_a_meaning() {
        const COST: OwnHeader = OwnHeader::new("x-cost");
        let with = || WithHeaders::new(Text::new("tea"));
        for value in [
            "7\r\nset-cookie: a=b",
            "7\n",
            "é",
            "\u{0}",
            "\t",
            &"a".repeat(1025),
        ] {
            assert!(with().own(COST, value).is_err(), "{value:?}");
        }
        for version in ["", "a\"b", "a b", "a\nb", "ü"] {
            assert!(with().etag(version).is_err(), "{version:?}");
        }
        for tag in ["", "de\r\nx: y", "german language"] {
            assert!(with().content_language(tag).is_err(), "{tag:?}");
        }
        for name in TAKEN.iter().chain(&[
            "x-accel-redirect",
            "x-accel-internal-redirect",
            "x-lighttpd-send-file",
            "x-litespeed-location",
            "x-reproxy-url",
            "x-sendfile",
            "x-sendfile-type",
            "x-forwarded-host",
            "cost",
            "x-",
            "X-Cost",
            "x-a b",
            "x-a\r\nb",
            "set-cookie",
            "content-security-policy",
        ]) {
            let made = std::panic::catch_unwind(|| OwnHeader::new(name));
            assert!(made.is_err(), "{name}");
        }
    }

    #[test]
    fn the_headers_are_those_of_the_standards() {
        let at = time::macros::datetime!(1994-11-06 09:49:37 +01:00);
        let path = LocalPath::parse("/notes?a=<b>").unwrap();
        let response = WithHeaders::new(Text::new("tea"))
            .content_language("de-CH")
            .and_then(|with| with.etag("v7"))
            .and_then(|with| with.last_modified(at))
            .map(|with| with.link(LinkRelation::Canonical, &path))
            .map(|with| with.link(LinkRelation::Next, &path))
            .map(|with| with.cache_publicly(Duration::from_secs(60)))
            .unwrap()
            .into_response();
        let headers = response.headers();
        assert_eq!(headers["content-language"], "de-CH");
        assert_eq!(headers["etag"], "\"v7\"");
        assert_eq!(headers["last-modified"], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(headers["link"], "</notes?a=%3Cb%3E>; rel=\"canonical\"");
        assert_eq!(headers.get_all("link").iter().count(), 2);
        assert_eq!(headers["cache-control"], "public, max-age=60");
        assert!(is_shared(headers));
        let page = WithHeaders::new(Page::new("index.html")).into_response();
        assert!(!is_shared(page.headers()));
    }

    /// ASVS: V14.2.2, V14.3.2
    #[test]
    fn a_cache_of_others_keeps_no_response_of_one_person() {
        for (value, stays) in [
            ("public, max-age=60", false),
            ("max-age=60", false),
            ("S-MaxAge=60, private", false),
            ("private, Public", false),
            ("private=\"x-cost\", max-age=60", false),
            ("no-cache", false),
            ("", false),
            ("Private, max-age=60", true),
            ("max-age=0, No-Store", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
            for name in [
                "expires",
                "surrogate-control",
                "cdn-cache-control",
                "akamai-cdn-cache-control",
            ] {
                headers.insert(name, HeaderValue::from_static("max-age=60"));
            }
            headers.insert(header::ETAG, HeaderValue::from_static("\"v7\""));
            keep_from_shared_caches(&mut headers);
            assert_eq!(
                headers.contains_key(header::CACHE_CONTROL),
                stays,
                "{value}"
            );
            assert_eq!(headers.len(), 1 + usize::from(stays), "{headers:?}");
        }
    }
}
