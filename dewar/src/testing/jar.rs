//! The cookie jar: RFC 6265bis (draft 20), sections 5.5 to 5.8.

use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};
use url::{Host, Url};

/// A cookie of a browser.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use dewar::testing::{Browser, OtherSiteReply, OtherSite};
/// let site = OtherSite::open(|_| {
///     OtherSiteReply::page("").header("set-cookie", "__Host-session=abc; Secure; HttpOnly; Path=/")
/// }).await;
/// let visitor = Browser::new(site.url(), site.authority_pem());
/// visitor.get("/").await;
/// let cookie = visitor.cookie("__Host-session").unwrap();
/// assert!(cookie.is_http_only() && cookie.is_secure());
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    expires: Option<OffsetDateTime>,
}

/// The `SameSite` attribute; `Lax` for a cookie without it, as in Chromium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SameSite {
    /// Links of other sites send it, their forms do not.
    Lax,
    /// Every request sends it.
    None,
    /// No page of another site sends it.
    Strict,
}

/// The kind of request, which decides about `SameSite` cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// The site's own page, or a typed address.
    SameSite,
    /// A link of another site.
    CrossSiteLink,
    /// A form of another site.
    CrossSiteForm,
}

/// The cookies of one browser.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
    ahead: Duration,
}

impl Cookie {
    /// The name with its prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The path below which it is sent.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether only the host that set it gets it (it had no `Domain`).
    pub fn is_host_only(&self) -> bool {
        self.host_only
    }

    /// Whether scripts cannot read it.
    pub fn is_http_only(&self) -> bool {
        self.http_only
    }

    /// Whether only HTTPS requests send it.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The `SameSite` attribute.
    pub fn same_site(&self) -> SameSite {
        self.same_site
    }

    /// When it expires; `None` for a session cookie.
    pub fn expires(&self) -> Option<OffsetDateTime> {
        self.expires
    }

    /// A cookie as an attacker makes it: sent everywhere on this host.
    pub(super) fn planted(url: &Url, name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: url.host_str().unwrap_or_default().to_owned(),
            host_only: true,
            path: "/".to_owned(),
            secure: true,
            http_only: true,
            same_site: SameSite::Lax,
            expires: None,
        }
    }

    /// Parses a `Set-Cookie` value; `None` if a browser ignores the cookie.
    fn parse(text: &str, url: &Url, now: OffsetDateTime) -> Option<Self> {
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return None;
        }
        let mut parts = text.split(';');
        let (name, value) = match parts.next()?.split_once('=') {
            Some((name, value)) => (name.trim(), value.trim()),
            None => return None, // a nameless cookie: refused, as the draft allows
        };
        if name.is_empty() || name.len() + value.len() > 4096 {
            return None;
        }
        let mut cookie = Self {
            path: default_path(url),
            ..Self::planted(url, name, value)
        };
        (cookie.secure, cookie.http_only) = (false, false);
        let mut max_age = None;
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            cookie.attribute(key.trim(), value.trim(), url, &mut max_age)?;
        }
        if let Some(seconds) = max_age {
            cookie.expires = Some(now.saturating_add(Duration::seconds(seconds)));
        }
        cookie.acceptable(url).then_some(cookie)
    }

    fn attribute(
        &mut self,
        key: &str,
        value: &str,
        url: &Url,
        max_age: &mut Option<i64>,
    ) -> Option<()> {
        match key.to_ascii_lowercase().as_str() {
            "secure" => self.secure = true,
            "httponly" => self.http_only = true,
            "path" if value.starts_with('/') => self.path = value.to_owned(),
            "path" => self.path = default_path(url),
            "max-age" => *max_age = value.parse().ok().or(*max_age),
            "expires" => self.expires = date(value).or(self.expires),
            "samesite" => {
                self.same_site = match value.to_ascii_lowercase().as_str() {
                    "strict" => SameSite::Strict,
                    "none" => SameSite::None,
                    _ => SameSite::Lax,
                }
            }
            "domain" if !value.is_empty() => {
                let domain = value
                    .strip_prefix('.')
                    .unwrap_or(value)
                    .to_ascii_lowercase();
                if !domain_matches(url, &domain) {
                    return None;
                }
                self.domain = domain;
                self.host_only = false;
            }
            _ => {} // an unknown attribute is ignored
        }
        Some(())
    }

    fn acceptable(&self, url: &Url) -> bool {
        let name = self.name.to_ascii_lowercase();
        let must_be_secure = self.same_site == SameSite::None || name.starts_with("__secure-");
        if name.starts_with("__host-") && !(self.secure && self.host_only && self.path == "/") {
            return false;
        }
        if self.secure {
            url.scheme() == "https"
        } else {
            !must_be_secure
        }
    }

    fn goes_to(&self, url: &Url, setting: Setting) -> bool {
        let host = if self.host_only {
            url.host_str() == Some(self.domain.as_str())
        } else {
            domain_matches(url, &self.domain)
        };
        let site = match setting {
            Setting::SameSite => true,
            Setting::CrossSiteLink => self.same_site != SameSite::Strict,
            Setting::CrossSiteForm => self.same_site == SameSite::None,
        };
        host && site
            && path_matches(url.path(), &self.path)
            && (!self.secure || url.scheme() == "https")
    }
}

impl Jar {
    /// Stores a `Set-Cookie` value of a response from `url`.
    pub(super) fn receive(&mut self, text: &str, url: &Url) {
        let now = self.now();
        if let Some(cookie) = Cookie::parse(text, url, now) {
            // A plain HTTP response may not overlay a secure cookie ("leave secure cookies alone").
            let overlays = |kept: &Cookie| kept.secure && kept.name == cookie.name;
            if url.scheme() != "https" && self.cookies.iter().any(overlays) {
                return;
            }
            self.keep(cookie);
        }
        self.cookies
            .retain(|cookie| cookie.expires.is_none_or(|at| at > now));
    }

    /// Stores a cookie. It replaces one of the same name, domain and path and takes its position.
    pub(super) fn keep(&mut self, cookie: Cookie) {
        let same = |kept: &&mut Cookie| {
            (&kept.name, &kept.domain, &kept.path) == (&cookie.name, &cookie.domain, &cookie.path)
        };
        match self.cookies.iter_mut().find(same) {
            Some(kept) => *kept = cookie,
            None => self.cookies.push(cookie),
        }
    }

    /// The `Cookie` header for a request; `None` without a matching cookie.
    pub(super) fn header(&self, url: &Url, setting: Setting) -> Option<String> {
        let now = self.now();
        let mut going: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.expires.is_none_or(|at| at > now))
            .filter(|cookie| cookie.goes_to(url, setting))
            .collect();
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len())); // stable: older first
        let pairs: Vec<String> = going
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(super) fn live(&self) -> Vec<Cookie> {
        let now = self.now();
        let alive = |cookie: &&Cookie| cookie.expires.is_none_or(|at| at > now);
        self.cookies.iter().filter(alive).cloned().collect()
    }

    /// Deletes the cookies that `Clear-Site-Data: "cookies"` covers.
    pub(super) fn forget_site(&mut self, url: &Url) {
        let host = url.host_str().unwrap_or_default();
        self.cookies.retain(|cookie| cookie.domain != host);
    }

    pub(super) fn forget_all(&mut self) {
        self.cookies.clear();
    }

    /// Moves the browser's clock forward.
    pub(super) fn forward(&mut self, by: Duration) {
        self.ahead += by;
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc().saturating_add(self.ahead)
    }
}

fn default_path(url: &Url) -> String {
    match url.path().rsplit_once('/') {
        Some(("", _)) | None => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
    }
}

fn path_matches(path: &str, below: &str) -> bool {
    path.strip_prefix(below)
        .is_some_and(|rest| rest.is_empty() || below.ends_with('/') || rest.starts_with('/'))
}

fn domain_matches(url: &Url, domain: &str) -> bool {
    match url.host() {
        Some(Host::Domain(host)) => {
            host == domain
                || host
                    .strip_suffix(domain)
                    .is_some_and(|front| front.ends_with('.'))
        }
        _ => url.host_str() == Some(domain), // an address has no subdomains
    }
}

/// `Expires` in the one format that servers write (RFC 9110, 5.6.7: IMF-fixdate).
fn date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()
}

#[cfg(test)]
mod tests;
