use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

/// A response.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The request: `GET /notes`.
    pub place: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or its first two MiB.
    pub body: Bytes,
}

/// A cookie that a response sets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SetCookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its attributes, with names in lower case.
    pub attributes: Vec<(String, String)>,
}

impl HttpResponse {
    /// A header's first value; empty if it is missing or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// All values of a header in one text, as RFC 9110, 5.3 joins them.
    #[must_use]
    pub fn header_whole(&self, name: &str) -> String {
        let values = self
            .headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok());
        values.collect::<Vec<_>>().join(", ")
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Whether a browser shows the body as a page.
    #[must_use]
    pub fn is_page(&self) -> bool {
        let kind = self.header("content-type").to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    }

    /// 200 to 299.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// 300 to 399.
    #[must_use]
    pub const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }

    /// 500 to 599.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        matches!(self.status, 500..=599)
    }

    /// The cookies that it sets.
    pub fn cookies(&self) -> impl Iterator<Item = SetCookie> {
        self.headers
            .get_all(header::SET_COOKIE)
            .iter()
            .filter_map(SetCookie::read)
    }

    /// The path of a redirect to the same host, without the query.
    #[must_use]
    pub fn local_location(&self, origin: &str) -> Option<&str> {
        let location = self.header("location");
        let local = location.strip_prefix(origin).unwrap_or(location);
        let is_local =
            local.starts_with('/') && !local.starts_with("//") && !local.starts_with("/\\");
        is_local.then(|| local.split(['?', '#']).next().unwrap_or_default())
    }
}

impl SetCookie {
    fn read(line: &HeaderValue) -> Option<Self> {
        let mut parts = line.to_str().ok()?.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let attributes = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_lowercase(), value.trim().to_owned())
        });
        Some(Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            attributes: attributes.collect(),
        })
    }

    /// The value of an attribute, by its name in lower case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether it removes the cookie.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.attribute("max-age") == Some("0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(location: &'static str) -> HttpResponse {
        let headers =
            HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_static(location))]);
        HttpResponse {
            place: String::new(),
            status: 303,
            headers,
            body: Bytes::new(),
        }
    }

    #[test]
    fn only_a_path_of_the_same_host_is_local() {
        let origin = "https://localhost:8443";
        assert_eq!(redirect("/a?b").local_location(origin), Some("/a"));
        assert_eq!(
            redirect("https://localhost:8443/a").local_location(origin),
            Some("/a")
        );
        for elsewhere in [
            "//evil.example/",
            "/\\evil.example",
            "https://localhost:8443.evil.example/",
            "https://evil.example/",
        ] {
            assert_eq!(
                redirect(elsewhere).local_location(origin),
                None,
                "{elsewhere}"
            );
        }
    }
}
