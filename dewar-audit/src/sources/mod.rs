//! The inputs of the checks: an application's lock file, its route table, its data directory, its responses.

mod data;
mod error;
mod http;
mod lockfile;
pub(crate) mod log;
mod page;
mod person;
mod request;
mod response;
mod routes;
mod visitor;

use std::io;
use std::path::PathBuf;
use std::sync::OnceLock;

use dewar::secrets::Secret;
use tokio::sync::{Mutex, OnceCell};

pub use data::{Data, DirectoryEntry};
pub use error::Error;
pub use http::{HttpOptions, HttpSource};
pub use lockfile::LockFile;
pub use page::{HtmlForm, MARKUP, forms, taken_for_markup};
pub use person::Person;
pub(crate) use person::{try_to_sign_in, try_to_sign_in_from};
pub use request::Ask;
pub(crate) use request::URLENCODED;
pub use response::{HttpResponse, SetCookie};
pub use routes::{ListedRoute, RouteAccess, RouteField, RouteFields, RouteList};
pub use visitor::Visitor;

/// All inputs of an audit. The report names what is missing.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sources {
    /// The running application.
    pub answers: HttpSource,
    /// Its route table.
    pub routes: RouteList,
    /// The lock file of its build.
    pub lock_file: Option<LockFile>,
    /// Its data directory.
    pub data: Option<PathBuf>,
    /// Its output during the audit.
    pub printed: Option<PathBuf>,
    /// An account with few rights.
    pub person: Option<Person>,
    walked: OnceCell<Vec<HttpResponse>>,
    /// The number of the newest entry of its audit log at the beginning of the audit.
    began: OnceLock<u64>,
    /// The cookies of the signed-in account.
    session: Mutex<Option<Vec<(String, String)>>>,
}

impl Sources {
    /// The two inputs of every audit.
    #[must_use]
    pub fn new(answers: HttpSource, routes: RouteList) -> Self {
        Self {
            answers,
            routes,
            lock_file: None,
            data: None,
            printed: None,
            person: None,
            walked: OnceCell::new(),
            began: OnceLock::new(),
            session: Mutex::new(None),
        }
    }

    /// Reads the end of the audit log, before the first request.
    pub(crate) fn begin(&self) {
        self.began.get_or_init(|| {
            let lines = self.data.as_deref().map(log::newest);
            let lines = lines.and_then(Result::ok).unwrap_or_default();
            lines.iter().map(|line| line.number).max().unwrap_or(0)
        });
    }

    /// The number of the newest entry of the audit log at the beginning of the audit.
    pub(crate) fn began_behind(&self) -> u64 {
        self.began.get().copied().unwrap_or(0)
    }

    /// The responses of every public page, and of an address that does not exist, to a visitor; requested once.
    ///
    /// # Errors
    /// If a response did not come.
    pub async fn walk(&self) -> Result<&[HttpResponse], Error> {
        let walk = async {
            let mut answers = Vec::new();
            for route in self.routes.public_pages() {
                answers.push(self.answers.ask(Ask::get(route.target())).await?);
            }
            for ask in mistakes() {
                answers.push(self.answers.ask(ask).await?);
            }
            Ok(answers)
        };
        self.walked
            .get_or_try_init(|| walk)
            .await
            .map(Vec::as_slice)
    }

    /// A new visitor.
    #[must_use]
    pub fn stranger(&self) -> Visitor<'_> {
        Visitor::new(&self.answers)
    }

    /// The account with few rights, signed in; none if there is no account or no sign-in form.
    ///
    /// It signs in once, because an application that passes the audit counts the sign-ins of an address, and again if an attack
    /// has ended the session.
    ///
    /// # Errors
    /// If the sign-in fails.
    pub async fn member(&self) -> Result<Option<Visitor<'_>>, Error> {
        let (Some(person), Some(at)) = (&self.person, self.routes.sign_in()) else {
            return Ok(None);
        };
        let mut session = self.session.lock().await;
        if let Some(cookies) = &*session {
            let visitor = Visitor::with(&self.answers, cookies.clone());
            if self.is_let_in(&visitor).await? != Some(false) {
                return Ok(Some(Visitor::with(&self.answers, cookies.clone())));
            }
        }
        let visitor = self.stranger();
        person.sign_in(&visitor, at).await?;
        *session = Some(visitor.cookies().await);
        Ok(Some(visitor))
    }

    /// Whether a page for signed-in users admits the visitor; none if the table has no such page.
    ///
    /// # Errors
    /// If the response did not come.
    pub async fn is_let_in(&self, visitor: &Visitor<'_>) -> Result<Option<bool>, Error> {
        let inside = self.routes.all().iter().find(|route| {
            route.access == RouteAccess::SignedIn && route.method == "GET" && !route.has_parameter()
        });
        match inside {
            Some(route) => Ok(Some(
                visitor.ask(Ask::get(route.target())).await?.is_success(),
            )),
            None => Ok(None),
        }
    }

    /// The key of a webhook's sender in Dewar's own scheme, if the data directory is available and this user may read it; none
    /// for the schemes of other services.
    ///
    /// # Errors
    /// If the file exists and cannot be read.
    pub(crate) fn webhook_key(
        &self,
        route: &ListedRoute,
    ) -> Result<Option<Secret<Vec<u8>>>, Error> {
        let (Some(data), RouteAccess::Webhook(sender)) = (&self.data, &route.access) else {
            return Ok(None);
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !sender.bytes().all(is_name) {
            return Ok(None);
        }
        let path = data.join("keys/webhooks").join(sender);
        match std::fs::read(&path) {
            Ok(mut key) => {
                // An editor adds a line break at the end; random bytes stay as they are.
                let end = key.trim_ascii_end().len();
                if key.iter().take(end).all(u8::is_ascii_graphic) {
                    key.truncate(end);
                }
                Ok(Some(Secret::new(key)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(&path)(error)),
        }
    }

    /// The path of the sign-in page.
    #[must_use]
    pub fn sign_in_path(&self) -> &str {
        self.routes.sign_in_page().unwrap_or("/sign-in")
    }

    /// Opens the form of a public route, as a visitor: the visitor, and the form's hidden fields. None if no public page has that
    /// form.
    ///
    /// # Errors
    /// If a response did not come.
    pub async fn open_form(
        &self,
        route: &ListedRoute,
    ) -> Result<Option<(Visitor<'_>, Vec<(String, String)>)>, Error> {
        let action = route.target();
        let mut pages: Vec<String> = self
            .routes
            .public_pages()
            .map(ListedRoute::target)
            .collect();
        // Most forms are on the page of their own address.
        pages.sort_by_key(|page| *page != action);
        for (number, page) in pages.iter().enumerate() {
            if number > 0 && !self.walked_page_has(page, &action).await? {
                continue;
            }
            let visitor = self.stranger();
            if let Some(hidden) = visitor.open_form(page, &action).await? {
                return Ok(Some((visitor, hidden)));
            }
        }
        Ok(None)
    }

    async fn walked_page_has(&self, page: &str, action: &str) -> Result<bool, Error> {
        let walked = self.walk().await?;
        let place = Ask::get(page).place();
        let answer = walked.iter().find(|answer| answer.place == place);
        Ok(answer.is_some_and(|answer| {
            forms(&answer.text())
                .iter()
                .any(|form| form.action == action)
        }))
    }
}

/// Requests that every application answers with an error.
fn mistakes() -> [Ask; 4] {
    [
        Ask::get("/there-is-no-such-page-zq9"),
        Ask::new("DELETE", "/"),
        Ask::get("/%ff%fe"),
        Ask::get("/?zq9=%ff&zq9=2"),
    ]
}
