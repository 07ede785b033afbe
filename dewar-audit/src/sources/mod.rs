//! The sides that an application is looked at from: its lock file, its route table, its data directory, its answers.

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

/// Everything that there is to look at. What is missing is said in the report, never passed over.
#[derive(Debug)]
#[non_exhaustive]
pub struct Sources {
    /// The running application.
    pub answers: HttpSource,
    /// Its route table.
    pub routes: RouteList,
    /// What it is built from.
    pub lock_file: Option<LockFile>,
    /// Its data directory.
    pub data: Option<PathBuf>,
    /// What it printed while it was looked at.
    pub printed: Option<PathBuf>,
    /// An account of low rank.
    pub person: Option<Person>,
    walked: OnceCell<Vec<HttpResponse>>,
    /// The number of the newest entry of its audit log when the audit began.
    began: OnceLock<u64>,
    /// The cookies of the person, signed in.
    session: Mutex<Option<Vec<(String, String)>>>,
}

impl Sources {
    /// The two sides that every audit has.
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

    /// Reads where the audit log ends, before anything is asked.
    pub(crate) fn begin(&self) {
        self.began.get_or_init(|| {
            let lines = self.data.as_deref().map(log::newest);
            let lines = lines.and_then(Result::ok).unwrap_or_default();
            lines.iter().map(|line| line.number).max().unwrap_or(0)
        });
    }

    /// The number of the newest entry of the audit log when the audit began.
    pub(crate) fn began_behind(&self) -> u64 {
        self.began.get().copied().unwrap_or(0)
    }

    /// What a stranger gets from every public page, and from an address that does not exist; asked once.
    ///
    /// # Errors
    /// Where an answer did not come.
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

    /// Somebody new.
    #[must_use]
    pub fn stranger(&self) -> Visitor<'_> {
        Visitor::new(&self.answers)
    }

    /// The person of low rank, signed in; none where no account or no sign-in form is known.
    ///
    /// The session is made once, for an application that holds counts how often one address signs in, and again where an
    /// attack has ended it.
    ///
    /// # Errors
    /// Where signing in fails.
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

    /// Whether the visitor gets into a page for people who are signed in; none where the table has no such page.
    ///
    /// # Errors
    /// Where the answer did not come.
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

    /// The key of the sender of a webhook in Dewar's own spelling, where the data directory is at hand and this user may
    /// read it; none for the spellings of other services.
    ///
    /// # Errors
    /// Where the file is there and cannot be read.
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
                // An editor ends a line; random bytes are left as they are.
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
        self.routes
            .sign_in()
            .map_or("/sign-in", |route| route.path.as_str())
    }

    /// Opens the form that is sent to a public route, as a stranger: the visitor, and the form's hidden fields. None
    /// where no public page has that form.
    ///
    /// # Errors
    /// Where an answer did not come.
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
        // Most forms stand on the page of their own address.
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
