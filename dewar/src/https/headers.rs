mod book;

pub use book::markdown_table;

use super::content_sources::{ContentSources, PagePolicy};
use super::nonce::Nonce;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use std::sync::LazyLock;

/// The responses that get a [`HeaderRule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// Every response, whatever a handler set.
    Always,
    /// Every response that does not set the header itself.
    Default,
    /// As [`Hsts`](Self::Hsts), if the operator chose the browsers' preload list.
    HstsPreload,
    /// Responses over TLS with a certificate that browsers trust: from files, or by ACME.
    Hsts,
    /// Pages: `text/html` and `application/xhtml+xml`.
    Html,
    /// Everything that is not a page.
    NotHtml,
}

/// The values of a header that the auditor accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// Any value: the right one depends on the site.
    Any,
    /// A check of its own reads it: policy, transport and caching have more than one right value.
    Apart,
    /// One of these, in lower case.
    OneOf(&'static [&'static str]),
}

/// One response header: its value, its condition, its reason and its source.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeaderRule {
    /// The name of the header.
    pub name: HeaderName,
    /// Its value; `{nonce}` stands for the response's nonce.
    pub value: HeaderValue,
    /// The responses that get it.
    pub when: When,
    /// The values that the auditor accepts, also from a site without Dewar.
    pub taken: Requirement,
    /// The attack or fault that it prevents.
    pub why: &'static str,
    /// The standard or guide that requires it.
    pub source: &'static str,
}

const fn rule(
    name: HeaderName,
    value: &'static str,
    when: When,
    taken: Requirement,
    why: &'static str,
    source: &'static str,
) -> HeaderRule {
    HeaderRule {
        name,
        value: HeaderValue::from_static(value),
        when,
        taken,
        why,
        source,
    }
}

const fn named(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// Every response header that the framework sends. The middleware applies this table, `https headers` prints it and the
/// auditor compares responses with it.
pub static TABLE: [HeaderRule; 16] = [
    rule(
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains",
        When::Hsts,
        Requirement::Apart,
        "the browser never uses plain HTTP with this host again",
        "RFC 6797; ASVS 3.4.1; OWASP Secure Headers; Mozilla TLS 6.0",
    ),
    rule(
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains; preload",
        When::HstsPreload,
        Requirement::Apart,
        "browsers know the host's name in advance, which protects the first visit too; hard to undo",
        "hstspreload.org; OWASP HSTS cheat sheet",
    ),
    rule(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; \
         img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; report-to csp; \
         report-uri /browser-reports",
        When::Html,
        Requirement::Apart,
        "injected markup does not run, load, submit or frame (CWE-79, CWE-1021)",
        "CSP Level 3; ASVS 3.4.3, 3.4.6; OWASP CSP cheat sheet; MDN Observatory",
    ),
    rule(
        named("reporting-endpoints"),
        "csp=\"/browser-reports\"",
        When::Html,
        Requirement::Any,
        "the application learns what the policy blocked: an attack, or a mistake in a page",
        "Reporting API; ASVS 3.4.7; OWASP Logging Vocabulary (malicious_csp_violation)",
    ),
    rule(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
        When::NotHtml,
        Requirement::Apart,
        "a file or an API response that is opened as a page can do nothing, even an SVG picture",
        "CSP Level 3; ASVS 3.2.1; OWASP REST Security cheat sheet",
    ),
    rule(
        header::X_FRAME_OPTIONS,
        "DENY",
        When::Always,
        Requirement::OneOf(&["deny", "sameorigin"]),
        "no other page can frame this one (CWE-1021); frame-ancestors for old browsers",
        "RFC 7034; OWASP Secure Headers",
    ),
    rule(
        header::X_CONTENT_TYPE_OPTIONS,
        "nosniff",
        When::Always,
        Requirement::OneOf(&["nosniff"]),
        "the browser does not guess another type than the declared one (CWE-430)",
        "Fetch standard; ASVS 3.4.4; OWASP Secure Headers",
    ),
    rule(
        header::REFERRER_POLICY,
        "same-origin",
        When::Always,
        Requirement::OneOf(&[
            "same-origin",
            "strict-origin",
            "strict-origin-when-cross-origin",
            "no-referrer",
        ]),
        "addresses do not leak to other sites; no-referrer would send Origin: null with our own forms",
        "Referrer Policy; ASVS 3.4.5; Fetch standard (append a request Origin header)",
    ),
    rule(
        named("cross-origin-opener-policy"),
        "same-origin",
        When::Always,
        Requirement::OneOf(&["same-origin"]),
        "a page that opens ours cannot access it",
        "HTML standard; ASVS 3.4.8; OWASP Secure Headers",
    ),
    rule(
        named("cross-origin-embedder-policy"),
        "require-corp",
        When::Always,
        Requirement::OneOf(&["require-corp", "credentialless"]),
        "other origins' data enters the page's process only with their consent",
        "HTML standard; OWASP Secure Headers; MDN Observatory",
    ),
    rule(
        named("cross-origin-resource-policy"),
        "same-origin",
        When::Always,
        Requirement::OneOf(&["same-origin", "same-site"]),
        "other sites cannot load our responses into their process (Spectre, cross-site leaks)",
        "Fetch standard; ASVS 3.5.8; OWASP Secure Headers",
    ),
    rule(
        named("origin-agent-cluster"),
        "?1",
        When::Always,
        Requirement::OneOf(&["?1"]),
        "the page does not share a process with other hosts of its site",
        "HTML standard",
    ),
    rule(
        named("permissions-policy"),
        "accelerometer=(), autoplay=(), camera=(), cross-origin-isolated=(), display-capture=(), \
         encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), keyboard-map=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
         screen-wake-lock=(), sync-xhr=(self), usb=(), xr-spatial-tracking=(), \
         clipboard-read=(), clipboard-write=(), gamepad=(), hid=(), idle-detection=(), \
         interest-cohort=(), serial=(), unload=()",
        When::Always,
        Requirement::Any,
        "an injected script has no access to camera, location or devices; passkeys still work",
        "Permissions Policy; OWASP Secure Headers (without publickey-credentials-get, and web-share, which Chromium does not know everywhere)",
    ),
    rule(
        named("x-permitted-cross-domain-policies"),
        "none",
        When::Always,
        Requirement::OneOf(&["none"]),
        "PDF and Flash readers do not look for a policy file on this host",
        "OWASP Secure Headers",
    ),
    rule(
        header::X_DNS_PREFETCH_CONTROL,
        "off",
        When::Always,
        Requirement::OneOf(&["off"]),
        "the browser does not look up the hosts of links before a click",
        "OWASP Secure Headers",
    ),
    rule(
        header::CACHE_CONTROL,
        "no-store, max-age=0",
        When::Default,
        Requirement::Apart,
        "no cache, shared or on the visitor's disk, stores a response that does not allow it (CWE-525)",
        "RFC 9111; ASVS 14.3.2; OWASP Secure Headers",
    ),
];

/// Headers that Dewar removes from every response: they describe the server or do harm.
pub static REMOVED: [HeaderName; 6] = [
    header::SERVER,
    named("x-powered-by"),
    named("x-generator"),
    header::X_XSS_PROTECTION,
    named("expect-ct"),
    header::PUBLIC_KEY_PINS,
];

/// The transport of a connection, which decides about Strict-Transport-Security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// TLS with a certificate that browsers trust: from files, or by ACME.
    Certificate,
    /// The same, with the preload list.
    CertificatePreload,
    /// TLS with a certificate of the local authority. HSTS would outlive it on `localhost`, for every other program on
    /// that machine.
    LocalAuthority,
    /// Plain HTTP: a browser ignores HSTS there, and RFC 6797, 7.2 forbids sending it.
    Plain,
}

/// An extension of a response with a visitor's file: it gets the policy for files, even if it is a page.
///
/// It only tightens the policy, so any handler may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inert {
    /// Whether the styles in the response's own elements count.
    has_styles: bool,
}

impl Inert {
    /// The marker.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "the marker has only one form")]
    pub const fn new() -> Self {
        Self { has_styles: false }
    }

    /// The marker of the HTML of a letter, on the mailbox page of development.
    pub(crate) const fn with_styles() -> Self {
        Self { has_styles: true }
    }
}

/// Writes the [`TABLE`] over the headers of a response.
///
/// A handler cannot weaken a header by setting it. A page without a nonce gets the policy for files and runs no script.
///
/// ```
/// use axum::http::HeaderMap;
/// use dewar::https::{Nonce, Transport, apply};
/// let mut headers = HeaderMap::new();
/// headers.insert("content-type", "text/html".parse().unwrap());
/// headers.insert("x-frame-options", "SAMEORIGIN".parse().unwrap());
/// apply(&mut headers, Some(&Nonce::new()), Transport::Certificate, None);
/// assert_eq!(headers["x-frame-options"], "DENY");
/// assert_eq!(headers["content-type"], "text/html; charset=utf-8");
/// ```
pub fn apply(
    headers: &mut HeaderMap,
    nonce: Option<&Nonce>,
    transport: Transport,
    inert: Option<Inert>,
) {
    apply_with(headers, nonce, transport, inert, &STRICT);
}

/// The same with the policy of a page.
pub(super) fn apply_with(
    headers: &mut HeaderMap,
    nonce: Option<&Nonce>,
    transport: Transport,
    inert: Option<Inert>,
    policy: &PagePolicy,
) {
    let page = nonce.filter(|_| inert.is_none() && is_page(headers));
    let own = std::mem::replace(headers, ready(transport, page.is_some()));
    let mut name = None;
    for (next, value) in own {
        // A name is given once, before the first of its values.
        match next {
            Some(next) if is_sealed(&next) => name = None,
            Some(next) => {
                headers.insert(next.clone(), value);
                name = Some(next);
            }
            None => {
                if let Some(name) = &name {
                    headers.append(name.clone(), value);
                }
            }
        }
    }
    if let Some(nonce) = page {
        policy.write(headers, nonce);
    } else if inert.is_some_and(|inert| inert.has_styles) {
        headers.insert(header::CONTENT_SECURITY_POLICY, LETTER_POLICY);
    }
    add_charset(headers);
}

/// The policy for files, with styles and pictures that are in the letter itself.
const LETTER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; sandbox",
);

const HTML: &str = "text/html; charset=utf-8";

fn is_page(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) else {
        return false;
    };
    kind == HTML.as_bytes() || begins(kind, "text/html") || begins(kind, "application/xhtml+xml")
}

/// Whether a handler's own value of this header is never sent, even if the table has no rule for the response.
fn is_sealed(name: &HeaderName) -> bool {
    let of_table = TABLE.iter().filter(|rule| rule.when != When::Default);
    of_table
        .map(|rule| &rule.name)
        .chain(&REMOVED)
        .any(|sealed| sealed == name)
}

/// A copy of the headers that the table gives to every response of a kind, without a page's policy, which has a nonce.
fn ready(transport: Transport, is_page: bool) -> HeaderMap {
    let mut all = READY.iter();
    let found = all.find(|(of, page, _)| *of == transport && *page == is_page);
    found.map_or_else(
        || table(transport, is_page),
        |(_, _, headers)| headers.clone(),
    )
}

/// The policy of a page without additions.
pub(super) static STRICT: LazyLock<PagePolicy> =
    LazyLock::new(|| ContentSources::default().page_policy());

static READY: LazyLock<Vec<(Transport, bool, HeaderMap)>> = LazyLock::new(|| {
    let transports = [
        Transport::Certificate,
        Transport::CertificatePreload,
        Transport::LocalAuthority,
        Transport::Plain,
    ];
    let kinds = transports
        .into_iter()
        .flat_map(|of| [(of, false), (of, true)]);
    kinds
        .map(|(of, page)| (of, page, table(of, page)))
        .collect()
});

fn table(transport: Transport, is_page: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(2 * TABLE.len());
    for rule in &TABLE {
        let wanted = match rule.when {
            When::Always | When::Default => true,
            When::Hsts => transport == Transport::Certificate,
            When::HstsPreload => transport == Transport::CertificatePreload,
            When::Html => is_page && rule.name != header::CONTENT_SECURITY_POLICY,
            When::NotHtml => !is_page,
        };
        if wanted {
            headers.insert(&rule.name, rule.value.clone());
        }
    }
    headers
}

/// Whether a media type begins with this prefix, in any case of letters.
fn begins(kind: &[u8], prefix: &str) -> bool {
    kind.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// A browser guesses the charset of a text without one (ASVS 4.1.1).
fn add_charset(headers: &mut HeaderMap) {
    let Some(value) = headers.get_mut(header::CONTENT_TYPE) else {
        return;
    };
    let kind = value.as_bytes();
    if kind == HTML.as_bytes() || !begins(kind, "text/") {
        return;
    }
    let has_charset = kind
        .windows(8)
        .any(|part| part.eq_ignore_ascii_case(b"charset="));
    if !has_charset {
        let with = [kind, b"; charset=utf-8"].concat();
        if let Ok(with) = HeaderValue::from_maybe_shared(Bytes::from(with)) {
            *value = with;
        }
    }
}

#[cfg(test)]
mod tests;
