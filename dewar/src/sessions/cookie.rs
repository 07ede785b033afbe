use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

/// One response removes at most this many cookies, because the request chooses their number.
const MOST_REMOVED: usize = 50;

/// A cookie that only this host may set and read: `__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`, `Path=/`
/// (draft-ietf-httpbis-rfc6265bis; ASVS 3.3.1 to 3.3.4).
///
/// `Lax` and not `Strict`: a link in a letter must find its reader signed in. `csrf` refuses cross-site requests that
/// change something, twice, and does not depend on this attribute.
#[derive(Debug)]
pub(crate) struct HostCookie<'a> {
    pub(crate) name: &'static str,
    pub(crate) value: &'a str,
}

impl HostCookie<'_> {
    /// Sets the cookie until the browser closes.
    pub(crate) fn set(&self, headers: &mut HeaderMap) {
        self.write(headers, "");
    }

    /// Sets the cookie for a time, beyond the end of the browser.
    pub(crate) fn keep(&self, lifetime: Duration, headers: &mut HeaderMap) {
        self.write(headers, &format!("; Max-Age={}", lifetime.as_secs()));
    }

    /// Removes a cookie.
    pub(crate) fn remove(name: &'static str, headers: &mut HeaderMap) {
        HostCookie { name, value: "" }.write(headers, "; Max-Age=0");
    }

    fn write(&self, headers: &mut HeaderMap, lifetime: &str) {
        let (name, value) = (self.name, self.value);
        let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{lifetime}");
        // Values are base64url or empty, so this succeeds; an invalid value would be dropped, not cut.
        if let Ok(line) = HeaderValue::try_from(text) {
            headers.append(header::SET_COOKIE, line);
        }
    }
}

/// The prefix of the framework's own cookies. A browser lets only this host set them.
const OURS: &[u8] = b"__Host-";

/// The cookies of a request, taken out of its head before a layer or a handler of the application sees it.
#[derive(Clone, Default)]
pub(crate) struct Cookies(Option<Arc<HeaderMap>>);

impl Cookies {
    /// Takes the cookies out of the head of a request.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        if !headers.contains_key(header::COOKIE) {
            return Self::default();
        }
        let lines = headers.get_all(header::COOKIE).iter();
        let taken = lines.map(|line| (header::COOKIE, line.clone())).collect();
        headers.remove(header::COOKIE);
        Self(Some(Arc::new(taken)))
    }

    /// The lines as they came.
    pub(crate) fn headers(&self) -> &HeaderMap {
        static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        self.0.as_deref().unwrap_or(&NONE)
    }

    /// The cookies that are not the framework's, for the application's layers: none of them opens a session.
    pub(crate) fn of_others(&self) -> Option<HeaderValue> {
        let lines = self.headers().get_all(header::COOKIE).iter();
        let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let pairs = pairs.map(<[u8]>::trim_ascii);
        let others: Vec<&[u8]> = pairs
            .filter(|pair| !pair.is_empty() && !pair.starts_with(OURS))
            .collect();
        let line = others.join(&b"; "[..]);
        HeaderValue::from_bytes(&line)
            .ok()
            .filter(|line| !line.is_empty())
    }
}

/// The values are secrets.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.headers().get_all(header::COOKIE).iter().count();
        write!(f, "Cookies([redacted]; {lines})")
    }
}

/// Removes the request's cookies, except one and those that the response already sets: after a sign-out.
pub(crate) fn remove_all_but(kept: &str, request: &HeaderMap, headers: &mut HeaderMap) {
    let mut names = vec![kept.to_owned()];
    for line in headers.get_all(header::SET_COOKIE) {
        let name = line.to_str().ok().and_then(|line| line.split_once('='));
        names.extend(name.map(|(name, _)| name.to_owned()));
    }
    let most = names.len() + MOST_REMOVED;
    for line in request.get_all(header::COOKIE) {
        let line = String::from_utf8_lossy(line.as_bytes());
        for (name, _) in line.split(';').filter_map(|pair| pair.split_once('=')) {
            let name = name.trim();
            if name.is_empty() || names.len() >= most || names.iter().any(|known| known == name) {
                continue;
            }
            let text = format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
            if let Ok(line) = HeaderValue::try_from(text) {
                headers.append(header::SET_COOKIE, line);
            }
            names.push(name.to_owned());
        }
    }
}

/// The value of a cookie that occurs exactly once. Two of one name are a sign of cookie tossing and count as none.
/// Browsers may send several `Cookie` lines over HTTP/2 (RFC 9113, 8.2.3).
///
/// Each cookie is read by its own bytes, so a cookie that another program set, with any bytes, does not affect ours.
pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        for pair in line.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let value = pair.strip_prefix(name.as_bytes());
            let Some(value) = value.and_then(|rest| rest.strip_prefix(b"=")) else {
                continue;
            };
            if found.replace(value).is_some() {
                return None;
            }
        }
    }
    std::str::from_utf8(found?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cookies(lines: &[&'static str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (header::COOKIE, HeaderValue::from_static(line)))
            .collect()
    }

    /// A layer of the application sees the request without them.
    ///
    /// ASVS: V3.3.4
    #[test]
    fn the_framework_s_own_cookies_leave_the_head_and_all_others_may_be_given_back() {
        let mut headers = cookies(&["__Host-session=secret; theme=dark", "a=1;__Host-device=x"]);
        headers.insert(header::HOST, HeaderValue::from_static("portal.test"));
        let taken = Cookies::take(&mut headers);
        assert!(!headers.contains_key(header::COOKIE) && headers.len() == 1);
        assert_eq!(
            read_cookie(taken.headers(), "__Host-session"),
            Some("secret")
        );
        assert_eq!(read_cookie(taken.headers(), "a"), Some("1"));
        assert_eq!(taken.of_others().unwrap(), "theme=dark; a=1");
        assert!(!format!("{taken:?}").contains("secret"));
        let ours = Cookies::take(&mut cookies(&["__Host-session=secret"]));
        assert_eq!(ours.of_others(), None);
        assert_eq!(Cookies::take(&mut HeaderMap::new()).headers().len(), 0);
    }

    #[test]
    fn a_cookie_is_read_from_any_line() {
        assert_eq!(read_cookie(&cookies(&["a=1; b=2", "c=3"]), "c"), Some("3"));
        assert_eq!(read_cookie(&cookies(&["a=1;b=2"]), "b"), Some("2"));
    }

    #[test]
    fn two_cookies_of_one_name_count_as_none() {
        assert_eq!(read_cookie(&cookies(&["a=1; a=2"]), "a"), None);
        assert_eq!(read_cookie(&cookies(&["a=1", "a=1"]), "a"), None);
    }

    #[test]
    fn the_cookie_is_bound_to_this_host() {
        let mut headers = HeaderMap::new();
        HostCookie {
            name: "__Host-session",
            value: "x",
        }
        .set(&mut headers);
        let line = headers.get(header::SET_COOKIE).unwrap();
        assert_eq!(
            line,
            "__Host-session=x; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }

    /// Bytes that a header may contain, without the semicolon.
    fn foreign() -> impl Strategy<Value = Vec<u8>> {
        let byte = any::<u8>().prop_filter("parts nothing", |byte| {
            (*byte >= 0x20 || *byte == b'\t') && ![0x7f, b';'].contains(byte)
        });
        prop::collection::vec(byte, 0..40)
    }

    proptest! {
        #[test]
        fn a_cookie_of_somebody_else_never_matters(before in foreign(), after in foreign()) {
            prop_assume!([&before, &after].iter().all(|other| !other.trim_ascii().starts_with(b"c=")));
            let line = [&before, &b"; c=value;"[..], &after].concat();
            let one = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_bytes(&line).unwrap())]);
            prop_assert_eq!(read_cookie(&one, "c"), Some("value"));
            let lines = [&before[..], b"c=value", &after].map(|line| HeaderValue::from_bytes(line).unwrap());
            let several: HeaderMap = lines.into_iter().map(|line| (header::COOKIE, line)).collect();
            prop_assert_eq!(read_cookie(&several, "c"), Some("value"));
        }
    }

    #[test]
    fn a_cookie_of_ours_is_text_and_there_once_whatever_its_bytes() {
        let read = |line: &[u8]| {
            let value = HeaderValue::from_bytes(line).unwrap();
            let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
            read_cookie(&headers, "c").map(str::to_owned)
        };
        assert_eq!(read("n=Grüße; c=3".as_bytes()).as_deref(), Some("3"));
        assert_eq!(read(b"c=\xff"), None);
        assert_eq!(read(b"c=\xff; c=3"), None);
        assert_eq!(read(b"cc=1; c=3").as_deref(), Some("3"));
    }

    #[test]
    fn what_came_is_taken_away_but_one_and_what_the_answer_sets_itself() {
        let mut headers = HeaderMap::new();
        HostCookie::remove("__Host-session", &mut headers);
        let came = cookies(&["__Host-session=a; __Host-device=b; mine=c", "mine=d; ; =e"]);
        remove_all_but("__Host-device", &came, &mut headers);
        let set = headers.get_all(header::SET_COOKIE).iter();
        let set: Vec<_> = set.map(|line| line.to_str().unwrap()).collect();
        let gone = "=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";
        assert_eq!(
            set,
            [format!("__Host-session{gone}"), format!("mine{gone}")]
        );
        let many: String = (0..500).map(|n| format!("n{n}=1;")).collect();
        let mut came = HeaderMap::new();
        came.insert(header::COOKIE, HeaderValue::try_from(many).unwrap());
        let mut headers = HeaderMap::new();
        remove_all_but("__Host-device", &came, &mut headers);
        assert_eq!(headers.len(), MOST_REMOVED);
    }

    #[test]
    fn a_cookie_that_outlives_the_browser_says_for_how_long() {
        let mut headers = HeaderMap::new();
        let cookie = HostCookie {
            name: "__Host-device",
            value: "x",
        };
        cookie.keep(Duration::from_secs(60), &mut headers);
        assert_eq!(
            headers.get(header::SET_COOKIE).unwrap(),
            "__Host-device=x; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60"
        );
    }
}
