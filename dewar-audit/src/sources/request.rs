use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, header};

/// A request to send.
///
/// ```
/// use dewar_audit::sources::Ask;
/// let ask = Ask::get("/notes/1").header("origin", "https://evil.example");
/// assert_eq!(ask.place(), "GET /notes/1");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is given to `Answers`"]
pub struct Ask {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) transport: HttpTransport,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HttpTransport {
    Plain,
    Tls,
}

/// The content type of a form.
pub(crate) const URLENCODED: &str = "application/x-www-form-urlencoded";

impl Ask {
    /// A request for a page. The target is sent unchanged, with its dots.
    pub fn get(target: impl Into<String>) -> Self {
        Self::new("GET", target)
    }

    /// A request with any method; an invalid method becomes `GET`.
    pub fn new(method: &str, target: impl Into<String>) -> Self {
        Self {
            method: Method::from_bytes(method.as_bytes()).unwrap_or_default(),
            target: target.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            transport: HttpTransport::Tls,
        }
    }

    /// Adds a header; skips a value that no header can hold.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// Sends a body of this type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let typed = if content_type.is_empty() {
            self
        } else {
            self.header("content-type", content_type)
        };
        Self { body, ..typed }
    }

    /// Sends these fields as a form.
    pub fn form<K: AsRef<str>, V: AsRef<str>>(
        self,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let mut text = form_urlencoded::Serializer::new(String::new());
        let text = text.extend_pairs(fields).finish();
        self.body(URLENCODED, text)
    }

    /// Sends it over plain HTTP.
    pub fn plain(mut self) -> Self {
        self.transport = HttpTransport::Plain;
        self
    }

    /// Adds the headers that a page of the application itself would send.
    pub(crate) fn by_own_page(self, origin: &str) -> Self {
        self.header("origin", origin)
            .header("sec-fetch-site", "same-origin")
    }

    /// Its name in a report: the method and the path, without the query.
    #[must_use]
    pub fn place(&self) -> String {
        let path = self.target.split('?').next().unwrap_or_default();
        format!("{} {path}", self.method)
    }

    /// Whether it sets this header itself.
    pub(super) fn names(&self, name: &HeaderName) -> bool {
        self.headers.iter().any(|(own, _)| own == name)
    }

    pub(super) fn accepts(&self) -> Option<(HeaderName, HeaderValue)> {
        // A program would get problem details instead of the page that a visitor sees.
        let page = HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8");
        (!self.names(&header::ACCEPT)).then_some((header::ACCEPT, page))
    }
}
