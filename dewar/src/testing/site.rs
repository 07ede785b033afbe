//! The application of a test, started on a free port with a data directory of its own.

use super::answer::TestResponse;
use super::{Authenticator, Browser, Cookies, RawRequest, SentLetter};
use crate::accounts::NewUser;
use crate::app::{App, Dewar, RouteTable, Running};
use crate::audit::Clock;
use crate::csrf::signature;
use crate::database::Db;
use crate::pages::AccountPage;
use crate::pages::Error;
use crate::roles::Role;
use crate::sessions::UserId;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// The password of the users whom [`Site::sign_in_as`] and [`Site::add_user`] make.
pub const PASSWORD: &str = "a quiet lake before the rain";

/// An application for one test: it listens on a free port of 127.0.0.1, has an empty data directory that goes with it, and a
/// clock that only the test moves. Every protection is on.
///
/// The application comes as the function that `main` uses too, so the test sees the same route table.
///
/// ```
/// # #[tokio::main]
/// # async fn main() {
/// use dewar::pages::Text;
/// use dewar::roles::Role;
/// use dewar::testing::Site;
/// use dewar::{App, CurrentUser, accounts, get, post};
///
/// #[derive(Role, Clone, Copy)]
/// enum Staff { Editor, #[role(administrator)] Owner }
///
/// async fn desk(user: CurrentUser) -> Text { Text::new(format!("The desk of {}", user.email())) }
///
/// fn app(app: App) -> App {
///     app.public([get(accounts::SIGN_IN, accounts::sign_in_page), post(accounts::SIGN_IN, accounts::sign_in)])
///         .role(Staff::Editor, [get("/desk", desk)])
/// }
///
/// let site = Site::start(app).await;
/// let editor = site.sign_in_as(Staff::Editor).await;
/// assert_eq!(editor.get("/desk").await.text(), "The desk of editor1@example.org");
/// assert_eq!(site.visitor().get("/desk").await.status(), 303);
/// # }
/// ```
#[derive(Debug)]
pub struct Site {
    running: Running,
    clock: Clock,
    data: TempDir,
    authority: Vec<u8>,
    settings: Vec<(String, String)>,
    table: RouteTable,
    /// How many users [`Site::sign_in_as`] has made.
    users: AtomicU32,
    /// The authenticator apps of the users whose role needs one, by their addresses.
    apps: Mutex<BTreeMap<String, Arc<Authenticator>>>,
}

impl Site {
    /// Starts the application.
    ///
    /// # Panics
    /// The application does not start; the message has all findings.
    pub async fn start<S>(app: impl FnOnce(App) -> App<S>) -> Self
    where
        S: Clone + Send + Sync + 'static,
    {
        Self::start_with([("", ""); 0], app).await
    }

    /// Starts the application with settings, named as in the environment.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// use dewar::testing::Site;
    /// # use dewar::{App, get};
    /// # async fn hello() -> &'static str { "Hello, world!" }
    /// # fn app(app: App) -> App { app.public([get("/", hello)]) }
    /// let site = Site::start_with([("DEWAR_SESSIONS_IDLE", "5m")], app).await;
    /// # drop(site);
    /// # }
    /// ```
    ///
    /// # Panics
    /// As [`Site::start`]; also for a name that no setting has.
    pub async fn start_with<'a, S>(
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
        app: impl FnOnce(App) -> App<S>,
    ) -> Self
    where
        S: Clone + Send + Sync + 'static,
    {
        let data = tempfile::tempdir().unwrap_or_else(|error| panic!("no directory: {error}"));
        Self::start_in(data, settings, app)
            .await
            .unwrap_or_else(|error| panic!("the application does not start: {error}"))
    }

    async fn start_in<'a, S>(
        data: TempDir,
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
        app: impl FnOnce(App) -> App<S>,
    ) -> Result<Self, Error>
    where
        S: Clone + Send + Sync + 'static,
    {
        // A manual clock begins at the real time, because certificates are valid by the real time.
        let clock = Clock::manual(Clock::system().now());
        let settings = settings.into_iter();
        let settings: Vec<_> = settings
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let app = app(App::in_directory_with(&data, pairs(&settings))?).clock(clock.clone());
        let table = app.route_table();
        let running = app.start().await?;
        // Notes the schedules, as a program that serves does at its start: their first ticks are after this moment.
        running.run_jobs().await?;
        let authority = running
            .authority_file()
            .map_or_else(|| Ok(Vec::new()), std::fs::read)
            .map_err(Error::internal)?;
        Ok(Self {
            running,
            clock,
            data,
            authority,
            settings,
            table,
            users: AtomicU32::new(0),
            apps: Mutex::default(),
        })
    }

    /// The program with the data, the settings and the clock of this site.
    pub(super) fn program<S>(&self, app: impl FnOnce(App) -> App<S>) -> App<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let served = App::in_directory_with(&self.data, pairs(&self.settings));
        let served = served.unwrap_or_else(|error| panic!("the settings cannot be read: {error}"));
        app(served).clock(self.clock.clone())
    }

    /// Its address, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        self.running.url()
    }

    /// A browser without cookies.
    #[must_use]
    pub fn visitor(&self) -> Browser {
        Browser::new(self.running.url(), &self.authority)
    }

    /// The browser of a new user with this role, signed in through the application's own form.
    ///
    /// The address is the role's name with a number: `editor1@example.org`. For other addresses and several roles, use
    /// [`Site::add_user`] and [`Site::sign_in`].
    ///
    /// # Panics
    /// The application has no page to sign in, or does not know the role.
    pub async fn sign_in_as<R: Role>(&self, role: R) -> Browser {
        let number = self.users.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let email = format!("{}{number}@example.org", role.name());
        self.add_user(&email, &[role.name()]).await;
        self.sign_in(&email).await
    }

    /// Adds an account with these roles. The password is [`PASSWORD`](super::PASSWORD), the name the part before the `@`.
    ///
    /// # Panics
    /// The address is taken or is none, or the application does not know a role.
    pub async fn add_user(&self, email: &str, roles: &[&str]) -> UserId {
        let name = email.split('@').next().unwrap_or(email);
        let user = NewUser {
            email,
            name,
            password: PASSWORD,
        };
        let added = self.dewar().accounts().add(user, roles).await;
        added.unwrap_or_else(|error| panic!("`{email}` cannot be added: {error}"))
    }

    /// The browser of a user whom [`Site::add_user`] added, signed in through the application's own form.
    ///
    /// If a role of the user needs a second factor, the site adds an [`Authenticator`] on the application's own page, and answers
    /// with its codes. Every check runs as it does for a person.
    ///
    /// # Panics
    /// The application did not sign the user in.
    pub async fn sign_in(&self, email: &str) -> Browser {
        let browser = self.visitor();
        let path = self.dewar().accounts().place(AccountPage::SignIn);
        let page = browser.get(path.as_str()).await;
        let form = page
            .form(path.as_str())
            .fill("email", email)
            .fill("password", PASSWORD);
        let mut answer: TestResponse = browser.submit(form).await;
        if let Some(app) = self.authenticator(email)
            && answer.status() == 200
        {
            answer = app.answer(&browser, &answer, &self.clock).await;
        }
        assert!(
            answer.status() == 303,
            "`{email}` was not signed in:\n{}",
            answer.text()
        );
        self.add_authenticator(&browser, email).await;
        browser
    }

    /// The authenticator app of a user who needed one at [`Site::sign_in`] or [`Site::sign_in_as`].
    ///
    /// ```
    /// # use dewar::testing::Site;
    /// async fn code(site: &Site) -> Option<String> {
    ///     let app = site.authenticator("owner1@example.org")?;
    ///     Some(app.unused_code(site.clock().now()))
    /// }
    /// # let _ = code;
    /// ```
    #[must_use]
    pub fn authenticator(&self, email: &str) -> Option<Arc<Authenticator>> {
        let apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        apps.get(email).cloned()
    }

    /// Adds an app, if a role of the user needs one and there is none.
    async fn add_authenticator(&self, browser: &Browser, email: &str) {
        let accounts = self.dewar().accounts();
        let needs = accounts.needs_second_factor(email).await;
        if !needs.unwrap_or_else(|error| panic!("`{email}` is not found: {error}")) {
            return;
        }
        let path = accounts.place(AccountPage::Factors);
        let app = Authenticator::add(browser, path.as_str(), &self.clock).await;
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        apps.insert(email.to_owned(), Arc::new(app));
    }

    /// The request of a webhook's sender with a body of JSON, signed now. The site makes the key of each sender that a route names.
    ///
    /// It has the scheme of Dewar itself; sign those of GitHub and Stripe with the file in `keys/webhooks` of [`Site::data`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// use dewar::csrf::{VerifiedWebhook, WebhookAuth};
    /// use dewar::testing::Site;
    /// use dewar::{App, post};
    ///
    /// async fn on_paid(_: VerifiedWebhook) -> &'static str { "noted" }
    /// fn app(app: App) -> App { app.webhook(WebhookAuth::hmac("billing"), [post("/hooks/billing", on_paid)]) }
    ///
    /// let site = Site::start(app).await;
    /// let paid = site.delivery("billing", "/hooks/billing", r#"{"invoice": 7}"#);
    /// assert_eq!(paid.send().await.unwrap().text(), "noted");
    /// # }
    /// ```
    ///
    /// # Panics
    /// No route names the sender.
    pub fn delivery(&self, sender: &str, path: &str, body: &str) -> RawRequest {
        let file = self.data().join("keys/webhooks").join(sender);
        let key = std::fs::read(file)
            .unwrap_or_else(|error| panic!("the sender `{sender}` has no key: {error}"));
        let signature = signature(&key, self.clock.now(), path, body.as_bytes());
        let program = self.visitor().without_fetch_metadata();
        let request = program.raw("POST", path).cookies(Cookies::No);
        let request = request.header("x-signature", signature);
        let request = request.header("content-type", "application/json");
        request.body(body.to_owned())
    }

    /// The clock of the application, which stands still until the test moves it.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// # use dewar::testing::Site;
    /// # use dewar::{App, get};
    /// # async fn hello() -> &'static str { "Hello, world!" }
    /// # fn app(app: App) -> App { app.public([get("/", hello)]) }
    /// let site = Site::start(app).await;
    /// site.clock().advance(std::time::Duration::from_secs(3_600));
    /// # }
    /// ```
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Runs every job that is due, and the schedules, and returns how many attempts it made. Jobs of a site do not run by
    /// themselves, so a test decides when they do.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// # use dewar::testing::Site;
    /// # use dewar::{App, get};
    /// # async fn hello() -> &'static str { "Hello, world!" }
    /// # fn app(app: App) -> App { app.public([get("/", hello)]) }
    /// let site = Site::start(app).await;
    /// site.clock().advance(std::time::Duration::from_secs(24 * 3_600));
    /// assert_eq!(site.run_jobs().await, 0); // this application has none
    /// # }
    /// ```
    ///
    /// # Panics
    /// The database cannot be read or written.
    pub async fn run_jobs(&self) -> u64 {
        let ran = self.running.run_jobs().await;
        ran.unwrap_or_else(|error| panic!("the jobs did not run: {error:?}"))
    }

    /// The letters that the application has sent, the oldest first, as [`Running::letters`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// # use dewar::testing::Site;
    /// # use dewar::{App, get};
    /// # async fn hello() -> &'static str { "Hello, world!" }
    /// # fn app(app: App) -> App { app.public([get("/", hello)]) }
    /// let site = Site::start(app).await;
    /// assert!(site.letters().await.is_empty());
    /// # }
    /// ```
    pub async fn letters(&self) -> Vec<SentLetter> {
        self.running.letters().await
    }

    /// The rooms: accounts, uploads, the audit log.
    #[must_use]
    pub fn dewar(&self) -> &Dewar {
        self.running.dewar()
    }

    /// The route table.
    pub(super) const fn table(&self) -> &RouteTable {
        &self.table
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        self.dewar().db()
    }

    /// The data directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// Stops as at SIGTERM: requests under way end, waiting letters are sent, the log is written. A site that is dropped
    /// stops too, without waiting.
    ///
    /// # Panics
    /// A task of the application ended with a panic.
    pub async fn stop(self) {
        let stopped = self.running.stop().await;
        stopped.unwrap_or_else(|error| panic!("the application did not stop well: {error}"));
    }
}

fn pairs(settings: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    settings.iter().map(|(name, value)| (&**name, &**value))
}
