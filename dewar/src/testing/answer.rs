use super::browser::{Browser, Navigation};
use super::form::{self, FormOnPage};
use super::referrer::Origin;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode};
use scraper::{Html, Selector};
use url::Url;

/// The response of a site: status, headers and body, and the page in it.
///
/// html5ever reads the page, with the parsing that browsers agree on, so hostile HTML has the same meaning here.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use dewar::testing::{Browser, OtherSiteReply, OtherSite};
/// # let site = OtherSite::open(|asked| match asked.path() {
/// #     "/" => OtherSiteReply::page("<h1>Notes</h1><p class=note>Tea &amp; milk</p>"),
/// #     _ => OtherSiteReply::page("").status(303).header("location", "/"),
/// # }).await;
/// # let visitor = Browser::new(site.url(), site.authority_pem());
/// let answer = visitor.get("/moved").await;
/// assert_eq!(answer.status(), 303);
/// assert_eq!(answer.follow().await.texts(".note"), ["Tea & milk"]);
/// # }
/// ```
#[derive(Debug)]
pub struct TestResponse {
    browser: Browser,
    url: Url,
    response: Response<Bytes>,
    navigation: Option<Navigation>,
}

impl TestResponse {
    pub(super) fn new(
        browser: Browser,
        url: Url,
        response: Response<Bytes>,
        navigation: Option<Navigation>,
    ) -> Self {
        Self {
            browser,
            url,
            response,
            navigation,
        }
    }

    /// The status; it can be compared with a number.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The first value of a header; `None` if it is missing or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The address of the response.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The path and query of that address.
    pub fn path(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        self.response.body()
    }

    /// The body as text, with replacement characters for invalid bytes.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.response.body()).into_owned()
    }

    /// The redirect's target, as the `Location` header has it.
    pub fn location(&self) -> Option<&str> {
        self.header("location")
    }

    /// Follows the redirect one step, as a browser does: 303 becomes a GET, 307 and 308 send the form again (Fetch,
    /// "HTTP-redirect fetch").
    ///
    /// # Panics
    /// The response is not a redirect.
    pub async fn follow(self) -> Self {
        let status = self.status();
        let Some(target) = self.location().filter(|_| status.is_redirection()) else {
            panic!(
                "{} answered {status}, which is no redirect:\n{}",
                self.url,
                self.text()
            );
        };
        let Ok(url) = self.url.join(target) else {
            panic!("`{target}` is not an address")
        };
        let blank = || Navigation::to(url.clone(), None);
        let mut next = self.navigation.clone().unwrap_or_else(blank);
        let posted = next.method == Method::POST;
        let becomes_get = match status {
            StatusCode::SEE_OTHER => next.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => posted,
            _ => false,
        };
        if becomes_get {
            (next.method, next.body) = (Method::GET, None);
        }
        next.url = url;
        self.browser.navigate(next).await
    }

    /// The text of every element that matches the CSS selector, with white space collapsed.
    ///
    /// # Panics
    /// `selector` is not a CSS selector.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let folded = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let page = self.html();
        page.select(&css(selector))
            .map(|element| folded(element.text().collect()))
            .collect()
    }

    /// An attribute of the first element that matches the CSS selector.
    ///
    /// # Panics
    /// `selector` is not a CSS selector.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        self.html()
            .select(&css(selector))
            .next()?
            .attr(name)
            .map(ToOwned::to_owned)
    }

    /// The form with this path as its action (`"/notes"`), or the one that matches this CSS selector (`"form.search"`).
    ///
    /// # Panics
    /// The page has no such form; the message lists its forms.
    pub fn form(&self, which: &str) -> FormOnPage {
        let mut forms = self.forms();
        let place = if which.starts_with('/') {
            forms.iter().position(|form| form.action() == which)
        } else {
            let page = self.html();
            let wanted = page.select(&css(which)).next();
            let mut all = page.select(&form::SELECTOR);
            wanted.and_then(|wanted| all.position(|form| form == wanted))
        };
        let Some(place) = place else {
            let have: Vec<_> = forms
                .iter()
                .map(|form| (form.method(), form.action()))
                .collect();
            panic!(
                "no form `{which}` on {} ({}), only {have:?}",
                self.url,
                self.status()
            );
        };
        forms.swap_remove(place)
    }

    /// All forms of the page, in its order.
    pub fn forms(&self) -> Vec<FormOnPage> {
        let page = self.html();
        let forms = page.select(&form::SELECTOR);
        forms
            .map(|form| FormOnPage::read(&page, form, self.origin()))
            .collect()
    }

    pub(super) fn origin(&self) -> Origin {
        let policy = self
            .header("referrer-policy")
            .unwrap_or_default()
            .to_owned();
        Origin {
            page: self.url.clone(),
            policy,
        }
    }

    fn html(&self) -> Html {
        Html::parse_document(&self.text())
    }
}

fn css(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|_| panic!("`{selector}` is not a CSS selector"))
}
