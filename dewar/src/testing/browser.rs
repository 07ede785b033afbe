use super::answer::TestResponse;
use super::form::FormOnPage;
use super::jar::{Cookie, Jar, Setting};
use super::raw::RawRequest;
use super::referrer::{Distance, Origin};
use super::wire::{Outgoing, Socket, Wire};
use super::{Cookies, Error, EventReader, WebSocketClient};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use url::Url;

const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";

/// The browser of one visitor: a cookie jar, one trusted authority, and the headers that a browser sends.
///
/// An impossible action (no connection, a missing form) ends the test with a message. An attack may end without a
/// response; use [`Browser::raw`] or [`Browser::socket`] for it, which return errors.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use dewar::testing::{Browser, OtherSiteReply, OtherSite};
/// let site = OtherSite::open(|asked| OtherSiteReply::page(asked.header("sec-fetch-site").unwrap_or("?"))).await;
/// let visitor = Browser::new(site.url(), site.authority_pem());
/// assert_eq!(visitor.get("/").await.text(), "none");
/// # }
/// ```
#[derive(Debug)]
pub struct Browser {
    base: Url,
    wire: Wire,
    jar: Arc<Mutex<Jar>>,
    manner: BrowserOptions,
}

#[derive(Debug, Clone)]
struct BrowserOptions {
    cookies: Cookies,
    /// The page of another site from which all requests come.
    foreign: Option<Origin>,
    metadata: Metadata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metadata {
    Omitted,
    Sent,
}

/// A request of the user, stored so that a redirect can repeat it.
#[derive(Debug, Clone)]
pub(super) struct Navigation {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Content type and body.
    pub(super) body: Option<(String, Bytes)>,
    /// The page of the request; `None` for a typed address.
    pub(super) origin: Option<Origin>,
    /// The farthest site of the request, over all its redirects.
    pub(super) distance: Option<Distance>,
}

impl Navigation {
    pub(super) fn to(url: Url, origin: Option<Origin>) -> Self {
        Self {
            method: Method::GET,
            url,
            body: None,
            origin,
            distance: None,
        }
    }
}

impl Browser {
    /// A new visitor of the site at `base` (`https://localhost:8443`) who trusts only this authority.
    ///
    /// # Panics
    /// `base` is not an address, or the PEM holds no certificate.
    pub fn new(base: &str, authority_pem: &[u8]) -> Self {
        let Ok(base) = Url::parse(base) else {
            panic!("`{base}` is not an address")
        };
        let wire = Wire::trusting(authority_pem)
            .unwrap_or_else(|problem| panic!("the authority cannot be trusted: {problem}"));
        let manner = BrowserOptions {
            cookies: Cookies::CrossSite,
            foreign: None,
            metadata: Metadata::Sent,
        };
        Self {
            base,
            wire,
            jar: Arc::default(),
            manner,
        }
    }

    /// Another visitor of the same site, with no cookies.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            jar: Arc::default(),
            ..self.alike()
        }
    }

    /// Connects to this address, whatever the name of the site: for names that no DNS server knows.
    #[must_use]
    pub fn connecting_to(mut self, address: SocketAddr) -> Self {
        self.wire.to = Some(address);
        self
    }

    /// Sets how long it waits for a response; the default is [`PATIENCE`](super::PATIENCE).
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.wire.patience = patience;
        self
    }

    /// The same browser (one cookie jar) from before Fetch Metadata: it sends no `Sec-Fetch-*`, only `Origin`.
    #[must_use]
    pub fn without_fetch_metadata(&self) -> Self {
        let mut browser = self.alike();
        browser.manner.metadata = Metadata::Omitted;
        browser
    }

    /// The same browser (one cookie jar), with all requests from a page of another site, as in a cross-site request
    /// forgery. It sends no `SameSite` cookies, as a browser; see [`Browser::sending_all_cookies`].
    ///
    /// # Panics
    /// `origin` is not an address such as `https://evil.example`.
    #[must_use]
    pub fn as_cross_site(&self, origin: &str) -> Self {
        let Ok(page) = Url::parse(origin) else {
            panic!("`{origin}` is not an address")
        };
        let mut browser = self.alike();
        browser.manner.foreign = Some(Origin {
            page,
            policy: String::new(),
        });
        browser
    }

    /// The same browser, without support for `SameSite`: the worst case for the server.
    #[must_use]
    pub fn sending_all_cookies(&self) -> Self {
        let mut browser = self.alike();
        browser.manner.cookies = Cookies::All;
        browser
    }

    /// Opens an address as if it were typed: a path on the site, or a full address.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.navigate(Navigation::to(self.resolve(path), None))
            .await
    }

    /// Follows the first link of the page that matches the CSS selector.
    ///
    /// # Panics
    /// The page has no such link.
    pub async fn click(&self, page: &TestResponse, selector: &str) -> TestResponse {
        let Some(target) = page.attribute(selector, "href") else {
            panic!("no link `{selector}` on {}:\n{}", page.url(), page.text());
        };
        let Ok(url) = Url::parse(page.url()).and_then(|base| base.join(&target)) else {
            panic!("the link `{selector}` leads to `{target}`, which is no address");
        };
        self.navigate(Navigation::to(url, Some(page.origin())))
            .await
    }

    /// Sends a form, urlencoded or multipart as the form demands.
    pub async fn submit(&self, form: FormOnPage) -> TestResponse {
        self.navigate(form.into_navigation()).await
    }

    /// A request written by hand. `path` is on the site, or a full address.
    pub fn raw(&self, method: &str, path: &str) -> RawRequest {
        RawRequest::new(self.alike(), method, path)
    }

    /// Opens a stream of events, as a script of one of the site's pages does: [`live::Live`](crate::live::Live).
    ///
    /// # Panics
    /// No connection, or no response.
    pub async fn events(&self, path: &str) -> EventReader {
        let request = self
            .raw("GET", path)
            .header("accept", "text/event-stream")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty");
        match request.events().await {
            Ok(events) => events,
            Err(error) => panic!("{path}: {error}"),
        }
    }

    pub(super) async fn read_events(&self, outgoing: Outgoing) -> Result<EventReader, Error> {
        let url = outgoing.url.clone();
        let (response, driver) = self.wire.open_response(outgoing).await?;
        self.receive_cookies(response.headers(), &url);
        Ok(EventReader::new(response, driver, self.wire.patience))
    }

    /// Opens a WebSocket as a page of the site does, with the CSRF token of the page.
    ///
    /// # Panics
    /// No connection, no response, or none in time.
    pub async fn web_socket(&self, path: &str, token: &str) -> WebSocketClient {
        let origin = self.base.origin().ascii_serialization();
        let handshake = self
            .raw("GET", path)
            .header("origin", origin)
            .header("sec-fetch-site", "same-origin")
            .header("sec-websocket-protocol", format!("dewar, {token}"));
        match handshake.web_socket().await {
            Ok(client) => client,
            Err(error) => panic!("GET {path}: {error}"),
        }
    }

    pub(super) async fn open_web_socket(
        &self,
        outgoing: Outgoing,
    ) -> Result<WebSocketClient, Error> {
        let url = outgoing.url.clone();
        let client = self.wire.open_web_socket(outgoing).await?;
        self.receive_cookies(client.headers(), &url);
        Ok(client)
    }

    /// A connection for bytes that no HTTP client sends.
    ///
    /// # Errors
    /// The server does not accept connections.
    pub async fn socket(&self) -> Result<Socket, Error> {
        self.wire.open(&self.base).await
    }

    /// The cookie of this name, if the browser has it.
    pub fn cookie(&self, name: &str) -> Option<Cookie> {
        self.cookies()
            .into_iter()
            .find(|cookie| cookie.name() == name)
    }

    /// All cookies, oldest first.
    pub fn cookies(&self) -> Vec<Cookie> {
        self.jar().live()
    }

    /// Puts a cookie into the jar that the site never set: a stolen one, or one for session fixation.
    pub fn plant_cookie(&self, name: &str, value: &str) {
        self.jar().keep(Cookie::planted(&self.base, name, value));
    }

    /// Deletes all cookies.
    pub fn forget_cookies(&self) {
        self.jar().forget_all();
    }

    /// Moves the browser's clock forward, past the end of cookies. The server has its own clock.
    pub fn forward(&self, by: Duration) {
        self.jar()
            .forward(by.try_into().unwrap_or(time::Duration::MAX));
    }

    /// The address of the site.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// The SHA-256 of the site's public key in Base64, if the authority signed its certificate. It is a value for
    /// Chromium's `--ignore-certificate-errors-spki-list`, which then trusts this one key and ignores nothing else.
    ///
    /// # Errors
    /// No connection, or a certificate that the authority did not sign.
    pub async fn pin(&self) -> Result<String, Error> {
        let key = self.wire.public_key(&self.base).await?;
        Ok(BASE64.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key).as_ref()))
    }

    pub(super) async fn navigate(&self, mut navigation: Navigation) -> TestResponse {
        if let Some(foreign) = &self.manner.foreign {
            navigation.origin = Some(foreign.clone());
        }
        let here = navigation.origin.as_ref();
        let here = here.map(|origin| Distance::between(&origin.page, &navigation.url));
        navigation.distance = navigation.distance.max(here);
        let url = navigation.url.clone();
        let outgoing = Outgoing {
            headers: self.headers(&navigation),
            method: navigation.method.clone(),
            url: navigation.url.clone(),
            body: navigation
                .body
                .clone()
                .map(|(_, body)| body)
                .unwrap_or_default(),
        };
        match self.deliver(outgoing, Some(navigation)).await {
            Ok(answer) => answer,
            Err(error) => panic!("{url}: {error}"),
        }
    }

    pub(super) async fn deliver(
        &self,
        outgoing: Outgoing,
        navigation: Option<Navigation>,
    ) -> Result<TestResponse, Error> {
        let url = outgoing.url.clone();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Address(url.into()));
        }
        let response = self.wire.send(outgoing).await?;
        self.receive_cookies(response.headers(), &url);
        let told = response.headers().get("clear-site-data");
        let told = told
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        if told.contains("\"cookies\"") || told.contains("\"*\"") {
            self.jar().forget_site(&url);
        }
        Ok(TestResponse::new(self.alike(), url, response, navigation))
    }

    fn receive_cookies(&self, headers: &HeaderMap, url: &Url) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            self.jar()
                .receive(&String::from_utf8_lossy(cookie.as_bytes()), url);
        }
    }

    pub(super) fn resolve(&self, path: &str) -> Url {
        match self.base.join(path) {
            Ok(url) => url,
            Err(problem) => panic!("`{path}` is not an address: {problem}"),
        }
    }

    pub(super) fn cookie_header(&self, url: &Url, setting: Setting) -> Option<String> {
        self.jar().header(url, setting)
    }

    /// The same browser once more, with one cookie jar.
    fn alike(&self) -> Self {
        Self {
            base: self.base.clone(),
            wire: self.wire.clone(),
            jar: Arc::clone(&self.jar),
            manner: self.manner.clone(),
        }
    }

    fn headers(&self, navigation: &Navigation) -> HeaderMap {
        let Navigation {
            method,
            url,
            body,
            origin,
            distance,
        } = navigation;
        let posts = !matches!(*method, Method::GET | Method::HEAD);
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        put("upgrade-insecure-requests", "1");
        put("user-agent", USER_AGENT);
        put("accept", ACCEPT);
        put("accept-language", "en-GB,en;q=0.9");
        put("accept-encoding", "identity"); // this browser unpacks nothing
        // Chromium sends Fetch Metadata only to trustworthy addresses.
        if self.manner.metadata == Metadata::Sent && url.scheme() == "https" {
            put("sec-fetch-site", distance.map_or("none", Distance::as_str));
            put("sec-fetch-mode", "navigate");
            put("sec-fetch-user", "?1");
            put("sec-fetch-dest", "document");
        }
        if let Some((kind, _)) = body {
            put("content-type", kind);
        }
        if let Some(origin) = origin {
            if let Some(referer) = origin.referer(url) {
                put("referer", &referer);
            }
            if posts {
                put("origin", &origin.origin(url));
            }
        }
        let setting = match distance {
            _ if self.manner.cookies == Cookies::All => Setting::SameSite,
            None | Some(Distance::SameOrigin | Distance::SameSite) => Setting::SameSite,
            Some(Distance::CrossSite) if posts => Setting::CrossSiteForm,
            Some(Distance::CrossSite) => Setting::CrossSiteLink,
        };
        if let Some(cookies) = self.cookie_header(url, setting) {
            put("cookie", &cookies);
        }
        headers
    }

    fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
