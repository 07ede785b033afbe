use tokio::sync::Mutex;

use super::{Ask, Error, HttpResponse, HttpSource, page};

#[derive(Clone, Copy, PartialEq, Eq)]
enum CookiePolicy {
    Remove,
    Set,
}

/// A visitor that keeps the cookies of responses, like one browser.
#[derive(Debug)]
pub struct Visitor<'a> {
    answers: &'a HttpSource,
    cookies: Mutex<Vec<(String, String)>>,
}

impl<'a> Visitor<'a> {
    /// A visitor whom the application does not know.
    #[must_use]
    pub fn new(answers: &'a HttpSource) -> Self {
        Self {
            answers,
            cookies: Mutex::default(),
        }
    }

    pub(super) fn with(answers: &'a HttpSource, cookies: Vec<(String, String)>) -> Self {
        Self {
            answers,
            cookies: Mutex::new(cookies),
        }
    }

    /// Plants a cookie that the application did not set.
    pub async fn plant(&self, name: &str, value: &str) {
        self.keep(name, value, CookiePolicy::Set).await;
    }

    /// The cookies, by name and value.
    pub async fn cookies(&self) -> Vec<(String, String)> {
        self.cookies.lock().await.clone()
    }

    /// Another visitor with the same cookies: a thief's copy.
    pub async fn copy(&self) -> Self {
        Self::with(self.answers, self.cookies().await)
    }

    /// Sends a request with the cookies, and keeps those of the response.
    ///
    /// # Errors
    /// If no complete response came.
    pub async fn ask(&self, ask: Ask) -> Result<HttpResponse, Error> {
        let line = self
            .cookies()
            .await
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>();
        let ask = if line.is_empty() {
            ask
        } else {
            ask.header("cookie", &line.join("; "))
        };
        let answer = self.answers.ask(ask).await?;
        for cookie in answer.cookies() {
            let keep = if cookie.removes() {
                CookiePolicy::Remove
            } else {
                CookiePolicy::Set
            };
            self.keep(&cookie.name, &cookie.value, keep).await;
        }
        Ok(answer)
    }

    /// Opens a page and reads the hidden fields of its form with this `action`; none if the page has no such form.
    ///
    /// # Errors
    /// If no complete response came.
    pub async fn open_form(
        &self,
        page: &str,
        action: &str,
    ) -> Result<Option<Vec<(String, String)>>, Error> {
        let answer = self.ask(Ask::get(page)).await?;
        let path = page.split('?').next().unwrap_or_default();
        let forms = page::forms(&answer.text());
        let own = |form: &page::HtmlForm| {
            form.action == action || (form.action.is_empty() && path == action)
        };
        Ok(forms
            .into_iter()
            .find(|form| form.method == "post" && own(form))
            .map(|form| form.hidden))
    }

    /// Submits fields like the application's own page.
    ///
    /// # Errors
    /// If no complete response came.
    pub async fn submit(
        &self,
        action: &str,
        fields: &[(String, String)],
    ) -> Result<HttpResponse, Error> {
        let fields = fields.iter().map(|(name, value)| (name, value));
        self.ask(
            Ask::new("POST", action)
                .form(fields)
                .by_own_page(&self.answers.origin()),
        )
        .await
    }

    async fn keep(&self, name: &str, value: &str, keep: CookiePolicy) {
        let mut cookies = self.cookies.lock().await;
        cookies.retain(|(own, _)| own != name);
        if keep == CookiePolicy::Set {
            cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}
