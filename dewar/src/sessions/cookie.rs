use http::{HeaderMap, HeaderValue, header};

/// A cookie that only this host may set and read: `__Host-`, `Secure`, `HttpOnly`, `SameSite=Lax`, `Path=/`
/// (draft-ietf-httpbis-rfc6265bis; ASVS 3.3.1 to 3.3.4).
///
/// `Lax` and not `Strict`: a link in a mail must find its reader signed in. Cross-site requests that change something are
/// refused by `csrf`, twice, and not by this attribute.
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

    /// Takes a cookie away.
    pub(crate) fn remove(name: &'static str, headers: &mut HeaderMap) {
        HostCookie { name, value: "" }.write(headers, "; Max-Age=0");
    }

    fn write(&self, headers: &mut HeaderMap, lifetime: &str) {
        let (name, value) = (self.name, self.value);
        let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{lifetime}");
        // Values are base64url or empty, so this holds; a value that did not would be dropped, not cut.
        if let Ok(line) = HeaderValue::try_from(text) {
            headers.append(header::SET_COOKIE, line);
        }
    }
}

/// The value of a cookie that is there exactly once. Two of one name are a sign of tossing and count as none; browsers
/// may send several `Cookie` lines over HTTP/2 (RFC 9113, 8.2.3).
pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for line in headers.get_all(header::COOKIE) {
        for pair in line.to_str().ok()?.split(';') {
            let Some((key, value)) = pair.trim_start().split_once('=') else {
                continue;
            };
            if key == name && found.replace(value.trim_end()).is_some() {
                return None;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(lines: &[&'static str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| (header::COOKIE, HeaderValue::from_static(line)))
            .collect()
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
}
