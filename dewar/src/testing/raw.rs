use super::browser::Browser;
use super::jar::Setting;
use super::wire::Outgoing;
use super::{Error, EventReader, TestResponse, WebSocketClient};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// A request written by hand: Dewar adds only `Host`, the length and the cookies.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use dewar::testing::{Browser, OtherSiteReply, OtherSite};
/// # let site = OtherSite::open(|asked| match asked.header("origin") {
/// #     Some("https://evil.example") => OtherSiteReply::page("").status(403),
/// #     _ => OtherSiteReply::page(""),
/// # }).await;
/// # let attacker = Browser::new(site.url(), site.authority_pem());
/// let answer = attacker
///     .raw("POST", "/notes")
///     .header("origin", "https://evil.example")
///     .body("title=x")
///     .send()
///     .await
///     .unwrap();
/// assert_eq!(answer.status(), 403);
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct RawRequest {
    browser: Browser,
    outgoing: Outgoing,
    cookies: Cookies,
}

/// The browser's cookies that a request sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cookies {
    /// All cookies of the address, whatever `SameSite` demands: the worst case for the server.
    All,
    /// Those that `SameSite` allows for a form of another site.
    CrossSite,
    /// None.
    No,
}

impl RawRequest {
    pub(super) fn new(browser: Browser, method: &str, path: &str) -> Self {
        let Ok(method) = Method::from_bytes(method.as_bytes()) else {
            panic!("`{method}` is not a method; such bytes go through `Browser::socket`");
        };
        let url = browser.resolve(path);
        let outgoing = Outgoing {
            method,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        Self {
            browser,
            outgoing,
            cookies: Cookies::All,
        }
    }

    /// Adds a header; an earlier one of the same name stays.
    ///
    /// # Panics
    /// The name or value is not allowed in a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(value.as_ref());
        let (Ok(name), Ok(value)) = (name, value) else {
            panic!("not a header; such bytes go through `Browser::socket`");
        };
        self.outgoing.headers.append(name, value);
        self
    }

    /// Sets the body, without a content type.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.outgoing.body = body.into();
        self
    }

    /// Sets the body of a form, with its content type.
    pub fn form(self, body: &str) -> Self {
        self.header("content-type", "application/x-www-form-urlencoded")
            .body(body.to_owned())
    }

    /// Sets which cookies it sends; the default is all cookies of the address.
    pub fn cookies(mut self, cookies: Cookies) -> Self {
        self.cookies = cookies;
        self
    }

    /// Sends it.
    ///
    /// # Errors
    /// No connection, no response, or none in time: for an attack that may be the right outcome.
    pub async fn send(mut self) -> Result<TestResponse, Error> {
        self.add_cookies();
        self.browser.deliver(self.outgoing, None).await
    }

    /// Sends it, and reads the events of the response one by one.
    ///
    /// # Errors
    /// No connection, no response, or none in time.
    pub async fn events(mut self) -> Result<EventReader, Error> {
        self.add_cookies();
        self.browser.read_events(self.outgoing).await
    }

    /// Sends it as the handshake of a WebSocket: with the headers of one, and without an origin or a token.
    ///
    /// # Errors
    /// No connection, no response, or none in time.
    pub async fn web_socket(self) -> Result<WebSocketClient, Error> {
        let mut handshake = self
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        handshake.add_cookies();
        handshake.browser.open_web_socket(handshake.outgoing).await
    }

    fn add_cookies(&mut self) {
        let setting = match self.cookies {
            Cookies::All => Some(Setting::SameSite),
            Cookies::CrossSite => Some(Setting::CrossSiteForm),
            Cookies::No => None,
        };
        let url = &self.outgoing.url;
        let cookies = setting.and_then(|setting| self.browser.cookie_header(url, setting));
        if let Some(cookies) = cookies
            && let Ok(cookies) = HeaderValue::from_bytes(cookies.as_bytes())
        {
            self.outgoing.headers.append(header::COOKIE, cookies);
        }
    }
}
