use std::any::TypeId;
use std::ffi::OsString;
use std::fmt;

use rust_embed::RustEmbed;

use super::cli::Command;
use super::command::OwnCommand;
use super::config::{self, Config, Surroundings};
use super::layers::{Layers, TowerLayer};
use super::shared::SharedValues;
use super::{Dewar, RateLimit, Route, RouteEntry, RouteTable, Settings};
use crate::accounts;
use crate::api::{ApiScope, ScopeInfo};
use crate::audit::{self, Clock, Finding, Flag, PREFIX, Practice, SettingsSection, variable};
use crate::csrf::WebhookAuth;
use crate::database::{Migration, SealedColumn, Table};
use crate::https::{ContentSources, REPORTS_PATH, SECURITY_TXT_PATH};
use crate::jobs::Registry;
use crate::mail::{Letter, LetterType, UNSUBSCRIBE};
use crate::pages::{Bundle, Error, LayoutType};
use crate::roles::{Access, Role};
use crate::sessions::SessionLimits;
use crate::uploads::{self, AwsEnvironment};

/// The variable with the place of the database.
const DATABASE_URL: &str = "DEWAR_DATABASE_URL";

/// The variable with the number of jobs that run by themselves.
const JOBS: &str = "DEWAR_JOBS_CONCURRENCY";

/// A route with a heading. Nothing implements this trait: it exists for its compiler message.
#[diagnostic::on_unimplemented(
    message = "every route needs a heading that says who may enter",
    label = "this route has no heading",
    note = "for everyone: `app.public([get(\"/\", index)])`",
    note = "for signed-in users: `app.signed_in([…])`; if they must have entered their password recently: `app.recently_authenticated([…])`",
    note = "for users with a role: `app.role(Staff::Editor, […])`, or with one of several: `app.any_role([Staff::Editor, Staff::Head], […])`",
    note = "for programs with an API token: `app.api(Scope::TicketsRead, […])`",
    note = "for programs that sign their requests: `app.webhook(WebhookAuth::hmac(\"billing\"), […])`"
)]
#[doc(hidden)]
#[expect(unnameable_types, reason = "it exists for its compiler message")]
pub trait Headed {}

type MakeState<S> = Box<dyn FnOnce(&Dewar) -> S + Send>;

/// An application: its routes, each under a heading that says who may enter, and everything that the routes need.
///
/// ```
/// use dewar::{App, Page, get};
/// async fn index() -> Page { Page::new("index.html") }
/// async fn mine() -> Page { Page::new("mine.html") }
/// # fn app() -> dewar::Result<App> {
/// let app = App::from_env()?
///     .public([get("/", index)])
///     .signed_in([get("/mine", mine)]);
/// # Ok(app) }
/// ```
/// A route without an access rule does not compile:
/// ```compile_fail
/// # async fn index() -> &'static str { "" }
/// let app = dewar::App::from_env().unwrap().route("/", dewar::get("/", index));
/// ```
#[must_use = "an application does nothing until it is served"]
pub struct App<S = Dewar> {
    pub(super) command: Command,
    /// The words of a command line that is not read to its end, because it may name a command of the application.
    pub(super) words: Option<Vec<OsString>>,
    pub(super) config: Config,
    pub(super) settings: audit::Settings,
    pub(super) clock: Clock,
    pub(super) routes: Vec<(Access, Route<S>)>,
    pub(super) state: MakeState<S>,
    pub(super) parts: Parts,
    pub(super) outside: Layers,
    pub(super) inside: Layers,
    pub(super) shared: SharedValues,
}

/// The parts that an application brings beside its routes.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub(super) templates: Vec<Bundle>,
    pub(super) static_files: Vec<Bundle>,
    /// The default locale, and the files of all locales.
    pub(super) languages: Option<(&'static str, Bundle)>,
    pub(super) migrations: Vec<Migration>,
    pub(super) models: Vec<Table>,
    pub(super) roles: Vec<RoleName>,
    pub(super) scopes: Vec<ScopeInfo>,
    /// The role of a new account, where the settings name none.
    pub(super) sign_up_as: Option<&'static str>,
    pub(super) sealed: Vec<SealedColumn>,
    pub(super) jobs: Registry,
    /// The letters that it sends, the framework's included.
    pub(super) letters: Vec<LetterType>,
    /// The parts of the values of every page.
    pub(super) layout: Option<LayoutType>,
    pub(super) lock_file: Option<&'static str>,
    pub(super) commands: Vec<OwnCommand>,
    /// The application's own settings by type, and the types of all that it declared.
    pub(super) settings: http::Extensions,
    pub(super) settings_types: Vec<TypeId>,
    /// What every page may load from other sites.
    pub(super) content: ContentSources,
    /// The rate limits of all routes together.
    pub(super) rate_limits: Vec<RateLimit>,
    pub(super) findings: Vec<Finding>,
}

/// A role as the framework knows it: by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoleName {
    pub(super) name: &'static str,
    pub(super) administrator: bool,
}

impl App {
    /// Reads the settings from `dewar.toml` and the environment, and the command from the command line. The start reports
    /// all wrong settings at once.
    ///
    /// # Errors
    /// Never: the start and the command report what is wrong.
    pub fn from_env() -> Result<Self, Error> {
        let (command, words) = Command::first_reading(std::env::args_os().collect());
        let app = Self::with(command, config::read_environment);
        Ok(Self { words, ..app })
    }

    /// An application for tests: its data is in this directory, and it listens on free ports of 127.0.0.1. Every protection
    /// is on. Jobs run when the test says so (`Running::run_jobs`), unless it sets `DEWAR_JOBS_CONCURRENCY`.
    ///
    /// # Errors
    /// Never for a directory that can be written.
    pub fn in_directory(directory: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        Self::in_directory_with(directory, [("", ""); 0])
    }

    /// An application for tests with these settings, named as in the environment. Dewar reads and checks them like an
    /// operator's. A test can so serve as in production, with everything that production demands.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// let settings = [("DEWAR_MODE", "production"), ("DEWAR_HTTPS_HOSTS", "portal.test")];
    /// let app = dewar::App::in_directory_with(&directory, settings)?; // it does not start: no key, no certificate
    /// # Ok::<(), dewar::Error>(())
    /// ```
    ///
    /// If the environment has `TEST_DATABASE_URL`, the application uses a schema of that PostgreSQL database, one for each
    /// directory. If it has `TEST_S3_URL` and `TEST_S3_KEY` (`id:secret`), and the feature `s3` is on, the files are in the bucket
    /// `dewar` of that server, below a prefix for each directory.
    ///
    /// # Errors
    /// A name that does not begin with `DEWAR_`, which an operator's program would not read either.
    pub fn in_directory_with<N: Into<String>, V: Into<String>>(
        directory: impl AsRef<std::path::Path>,
        settings: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Error> {
        let data = directory.as_ref().display().to_string();
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        let mut settings: Vec<(String, String)> = settings.collect();
        let has_database = settings.iter().any(|(name, _)| name == DATABASE_URL);
        if settings.iter().all(|(name, _)| name != JOBS) {
            settings.push((JOBS.to_owned(), "0".to_owned()));
        }
        if let Some(url) = crate::database::url_for(&data).filter(|_| !has_database) {
            settings.push((DATABASE_URL.to_owned(), url));
        }
        let has_storage = settings.iter().any(|(name, _)| name == uploads::STORAGE);
        let mut aws = AwsEnvironment::default();
        if let Some(bucket) = uploads::bucket_for(&data).filter(|_| !has_storage) {
            let named = bucket.settings.into_iter();
            settings.extend(named.map(|(name, value)| (name.to_owned(), value)));
            aws = bucket.key;
        }
        let findings: Vec<_> = settings
            .iter()
            .filter_map(|(name, _)| unread(name))
            .collect();
        if !findings.is_empty() {
            return Err(Error::launch(&findings));
        }
        Ok(Self::with(Command::serve_in(data), |flags| Surroundings {
            settings: audit::Settings::read(None, settings).with_flags(flags),
            aws,
            ..Surroundings::default()
        }))
    }

    pub(super) fn with(command: Command, read: impl FnOnce(Vec<Flag>) -> Surroundings) -> Self {
        let surroundings = read(command.flags());
        let config = Config::read(&surroundings);
        let settings = surroundings.settings;
        Self {
            command,
            words: None,
            config,
            settings,
            clock: Clock::system(),
            routes: Vec::new(),
            state: Box::new(Dewar::clone),
            parts: Parts {
                templates: vec![super::templates::bundled()],
                static_files: vec![super::templates::bundled_static()],
                letters: accounts::letters().to_vec(),
                ..Parts::default()
            },
            outside: Layers::default(),
            inside: Layers::default(),
            shared: SharedValues::default(),
        }
    }

    /// Gives the application a state of its own. Handlers take it as axum's `State`. Dewar makes it after it has opened
    /// all rooms.
    ///
    /// Routes mounted before this call stay mounted. Their handlers were written for an application without a state of
    /// its own, so `State` gives them the [`Dewar`], and a handler that takes another state does not compile there. Routes
    /// mounted after it take the new state. [`share`](Self::share) gives values to handlers whatever the order.
    ///
    /// ```
    /// use dewar::{App, Dewar, get};
    /// #[derive(Clone)]
    /// struct Shop { currency: &'static str }
    /// async fn hello() -> &'static str { "Hello" }
    /// fn shop(app: App) -> App<Shop> {
    ///     app.public([get("/hello", hello)]).with_state(|_dewar: &Dewar| Shop { currency: "EUR" })
    /// }
    /// # let app = App::in_directory(std::env::temp_dir())?;
    /// # assert_eq!(shop(app).route_table().entries()[0].path, "/hello");
    /// # Ok::<(), dewar::Error>(())
    /// ```
    pub fn with_state<S: Clone + Send + Sync + 'static>(
        self,
        make: impl FnOnce(&Dewar) -> S + Send + 'static,
    ) -> App<S> {
        let Self {
            command,
            words,
            config,
            settings,
            clock,
            routes,
            state: _,
            parts,
            outside,
            inside,
            shared,
        } = self;
        let routes = routes
            .into_iter()
            .map(|(access, route)| (access, route.of_any_state()));
        App {
            command,
            words,
            config,
            settings,
            clock,
            parts,
            routes: routes.collect(),
            state: Box::new(make),
            outside,
            inside,
            shared,
        }
    }
}

impl<S: Clone + Send + Sync + 'static> App<S> {
    /// Does not exist: a route stands under a heading that says who may enter. The call does not compile, and the compiler
    /// names the headings.
    #[doc(hidden)]
    pub fn route<P, R: Headed>(self, _path: P, _route: R) -> Self {
        self
    }

    /// Gives a value to every handler that asks for it with [`Shared<T>`](super::Shared). Dewar makes it after it has opened
    /// all rooms. Call it before or after the routes, and once for each type.
    pub fn share<T: Clone + Send + Sync + 'static>(
        mut self,
        make: impl FnOnce(&Dewar) -> T + Send + 'static,
    ) -> Self {
        if !self.shared.add(make) {
            let title = format!("`share` is called twice for {}", std::any::type_name::<T>());
            self.parts.findings.push(
                Finding::refuse(Practice::Forms, "forms-shared-twice", title)
                    .why("a handler that asks for the type could get either value")
                    .fix("give one of the two a type of its own: `struct Other(T);`"),
            );
        }
        self
    }

    /// Routes for everyone, visitors included.
    pub fn public(self, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.under(Access::Public, routes)
    }

    /// Routes for people who are signed in.
    pub fn signed_in(self, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.under(Access::SignedIn, routes)
    }

    /// Routes for people who are signed in and entered their password recently (`sessions.reauth_timeout`). Dewar asks
    /// everybody else for the password (re-authentication), then continues with the original request. Under another
    /// heading, a handler requires it with an argument: [`RecentlyAuthenticated`](crate::accounts::RecentlyAuthenticated).
    ///
    /// ```
    /// use dewar::{App, Redirect, post};
    /// async fn close_account() -> Redirect { Redirect::to("/") }
    /// fn app(app: App) -> App { app.recently_authenticated([post("/account/close", close_account)]) }
    /// ```
    pub fn recently_authenticated(self, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        let routes = routes.into_iter().map(|mut route| {
            route.described.recently = true;
            route
        });
        self.under(Access::SignedIn, routes)
    }

    /// Routes for people who have a role.
    pub fn role<R: Role>(self, role: R, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.roles::<R>().under(Access::Role(role.name()), routes)
    }

    /// Routes for people who have at least one of these roles. The route table shows `any_role:agent,administrator`.
    ///
    /// ```
    /// use dewar::{App, Page, get, roles::Role};
    /// #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
    /// enum Staff { Customer, Agent, #[role(administrator)] Administrator }
    /// async fn queue() -> Page { Page::new("queue.html") }
    /// fn app(app: App) -> App { app.any_role([Staff::Agent, Staff::Administrator], [get("/queue", queue)]) }
    /// ```
    pub fn any_role<R: Role, const N: usize>(
        self,
        roles: [R; N],
        routes: impl IntoIterator<Item = Route<S>>,
    ) -> Self {
        const {
            assert!(
                N > 1,
                "`any_role` takes two roles or more; for one, write `role`"
            );
        }
        self.roles::<R>().under(Access::any_role(&roles), routes)
    }

    /// Webhooks: routes for programs that sign their requests. Only these routes change something without a session.
    ///
    /// A webhook's sender sends neither `Sec-Fetch-Site` nor `Origin` and has no CSRF token. Dewar requires its signature
    /// instead and accepts each delivery once (replay protection). If the handler responds with a status of 500 or above,
    /// the sender may send the same delivery again.
    ///
    /// ```
    /// use dewar::{App, csrf::{VerifiedWebhook, WebhookAuth}, post};
    /// async fn on_paid(delivery: VerifiedWebhook) -> &'static str { "noted" }
    /// fn app(app: App) -> App { app.webhook(WebhookAuth::hmac("billing"), [post("/hooks/billing", on_paid)]) }
    /// ```
    pub fn webhook(self, by: WebhookAuth, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.under(Access::Webhook(by), routes)
    }

    /// Routes for programs that send an API token with this scope, in the header `Authorization: Bearer`.
    ///
    /// Dewar reads no cookie there, so no other site can use a browser to send a request (CSRF), and no handler has a
    /// session. A handler takes [`ApiCaller`](crate::api::ApiCaller), or
    /// [`CurrentUser`](crate::CurrentUser) if it works for the owner of a personal token. Every error is
    /// `application/problem+json`.
    ///
    /// ```
    /// use dewar::{App, CurrentUser, api::ApiScope, get, pages::Json};
    /// #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
    /// enum Scope { TicketsRead }
    /// async fn tickets(person: CurrentUser) -> Json<Vec<String>> { Json(vec![person.name().to_owned()]) }
    /// fn app(app: App) -> App { app.api(Scope::TicketsRead, [get("/api/tickets", tickets)]) }
    /// ```
    pub fn api<C: ApiScope>(self, scope: C, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.api_scopes::<C>()
            .under(Access::Api(scope.name()), routes)
    }

    /// The scopes of the application's API tokens. [`api`](Self::api) registers them too, so call this only if no route
    /// requires one.
    pub fn api_scopes<C: ApiScope>(mut self) -> Self {
        let known = ScopeInfo::all::<C>();
        if self.parts.scopes.is_empty() {
            self.parts.scopes = known;
        } else if self.parts.scopes != known {
            self.parts.findings.push(
                Finding::refuse(
                    Practice::Roles,
                    "api-two-enums",
                    "the application uses two enums as its scopes",
                )
                .why("the same scope name would have two meanings")
                .fix("use one enum with `#[derive(ApiScope)]` under every `.api(…)`"),
            );
        }
        self
    }

    /// Limits the requests to all routes together, beside the limits that routes and headings have, and beside
    /// `forms.rate_limit`. Static files have no limit. With several calls, each limit counts each request.
    ///
    /// ```
    /// use dewar::{App, app::RateLimit};
    /// fn app(app: App) -> App { app.rate_limit(RateLimit::per_minute(600).by_address()) }
    /// # let app = app(App::in_directory(std::env::temp_dir())?);
    /// # assert_eq!(app.route_table().rate_limits()[0].to_string(), "600/60s:address@app");
    /// # Ok::<(), dewar::Error>(())
    /// ```
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.parts.rate_limits.push(limit.of_all());
        self
    }

    fn under(mut self, access: Access, routes: impl IntoIterator<Item = Route<S>>) -> Self {
        self.routes
            .extend(routes.into_iter().map(|route| (access, route)));
        self
    }

    /// Adds a tower layer around everything but the checks of `https`. It sees every well-formed request before Dewar reads
    /// the session, and the responses of static files and refused requests too. The first of several layers is the
    /// outermost.
    ///
    /// A layer can add to a request and to a response, observe them, and respond itself. Dewar removes its own cookies from
    /// the request before the layer sees it, checks the origin of the request as it came, writes the response's cookies after
    /// the layer, and the security headers last. `docs/extending.md` says what a layer still owes.
    ///
    /// ```
    /// use dewar::App;
    /// use http::HeaderValue;
    /// use tower::util::MapResponseLayer;
    /// fn app(app: App) -> App {
    ///     app.layer_outside(MapResponseLayer::new(|mut response: axum::response::Response| {
    ///         response.headers_mut().insert("x-served-by", HeaderValue::from_static("blue"));
    ///         response
    ///     }))
    /// }
    /// # let _ = app;
    /// ```
    pub fn layer_outside(mut self, layer: impl TowerLayer + Send + 'static) -> Self {
        self.outside.add(layer);
        self
    }

    /// Adds a tower layer between the session and the routes. It sees each request with its
    /// [`RequestContext`](crate::pages::RequestContext), before the route's guard. The first of several layers is the
    /// outermost.
    ///
    /// The layer sees the response's status and headers. Dewar renders a page after the layer, when it knows the token of
    /// the page's forms. Everything else is as for [`layer_outside`](Self::layer_outside). A layer cannot bypass the guard
    /// of a route.
    ///
    /// ```
    /// use axum::extract::Request;
    /// use axum::middleware::{Next, from_fn};
    /// use axum::response::Response;
    /// use dewar::{App, pages::RequestContext};
    /// async fn measure(context: RequestContext, request: Request, next: Next) -> Response {
    ///     tracing::info!(route = context.route(), signed_in = context.principal().is_some());
    ///     next.run(request).await
    /// }
    /// fn app(app: App) -> App { app.layer_inside(from_fn(measure)) }
    /// # let _ = app;
    /// ```
    pub fn layer_inside(mut self, layer: impl TowerLayer + Send + 'static) -> Self {
        self.inside.add(layer);
        self
    }

    /// The application's roles. [`role`](Self::role) registers them too, so call this only if no route requires a role.
    pub fn roles<R: Role>(mut self) -> Self {
        let administrator = R::administrator().name();
        let known: Vec<RoleName> = R::ALL
            .iter()
            .map(|role| RoleName {
                name: role.name(),
                administrator: role.name() == administrator,
            })
            .collect();
        if self.parts.roles.is_empty() {
            self.parts.roles = known;
        } else if self.parts.roles != known {
            self.parts.findings.push(
                Finding::refuse(
                    Practice::Roles,
                    "roles-two-enums",
                    "the application uses two enums as its roles",
                )
                .why("the same role name would have two meanings")
                .fix("use one enum with `#[derive(Role)]` under every `.role(…)`"),
            );
        }
        self
    }

    /// The role of a new account after sign-up. The setting `accounts.role` takes precedence. Without both, a new account
    /// has no role. Dewar refuses the administrator's role at start.
    ///
    /// ```
    /// use dewar::{App, roles::Role};
    /// #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
    /// enum Staff { Member, #[role(administrator)] Administrator }
    /// fn app(app: App) -> App { app.sign_up_as(Staff::Member) }
    /// ```
    pub fn sign_up_as<R: Role>(mut self, role: R) -> Self {
        self.parts.sign_up_as = Some(role.name());
        self.roles::<R>()
    }

    /// Limits how long the sessions of a role last. Of all limits of a person's roles, here and in the settings, the
    /// strictest applies. `sessions.roles` can shorten these limits, and nothing extends the limits of `sessions`, which
    /// apply to everybody.
    ///
    /// ```
    /// use dewar::{App, roles::Role, sessions::SessionLimits};
    /// use std::time::Duration;
    /// #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
    /// enum Staff { Cashier, #[role(administrator)] Administrator }
    /// const MINUTE: Duration = Duration::from_secs(60);
    /// fn app(app: App) -> App {
    ///     app.sessions_of(Staff::Cashier, SessionLimits { idle: 5 * MINUTE, lifetime: 480 * MINUTE })
    /// }
    /// ```
    pub fn sessions_of<R: Role>(mut self, role: R, limits: SessionLimits) -> Self {
        let of_role = (role.name().to_owned(), limits);
        self.config.sessions.roles.push(of_role);
        self.roles::<R>()
    }

    /// The application's templates. Each replaces the framework's template of the same name.
    pub fn templates<Folder: RustEmbed>(mut self) -> Self {
        self.parts.templates.push(Bundle::of::<Folder>());
        self
    }

    /// The application's locales: a folder for each, named by its language tag (BCP 47), with files of
    /// [Fluent](https://projectfluent.org). `first` is the default locale, for readers who prefer none of the others.
    /// Without this call the application has English alone.
    ///
    /// A template uses a message by `{{ t("notes-kept", count=3) }}`, and code by [`Message`](crate::pages::Message). The
    /// labels of a form's fields are in the code. For another language they are in a message `<form>-<field>` with the
    /// attributes `hint`, `placeholder`, `group` and, for a choice, `is-<value>`.
    ///
    /// ```
    /// #[derive(rust_embed::RustEmbed)]
    /// #[folder = "tests/it/languages"] // en/notes.ftl, de/notes.ftl
    /// struct Languages;
    /// fn app(app: dewar::App) -> dewar::App { app.languages::<Languages>("en") }
    /// ```
    pub fn languages<Folder: RustEmbed>(mut self, first: &'static str) -> Self {
        self.parts.languages = Some((first, Bundle::of::<Folder>()));
        self
    }

    /// The application's static files.
    pub fn static_files<Folder: RustEmbed>(mut self) -> Self {
        self.parts.static_files.push(Bundle::of::<Folder>());
        self
    }

    /// The application's migrations, which run after the framework's.
    pub fn migrations(mut self, migrations: impl IntoIterator<Item = Migration>) -> Self {
        self.parts.migrations.extend(migrations);
        self
    }

    /// The application's models. Dewar compares each with its table at start.
    pub fn models(mut self, models: impl IntoIterator<Item = Table>) -> Self {
        self.parts.models.extend(models);
        self
    }

    /// A letter that the application sends. The start checks its templates; [`Mailer::send`](crate::mail::Mailer::send) sends no
    /// other letter.
    ///
    /// ```
    /// use dewar::{App, mail::Letter};
    /// #[derive(Letter)]
    /// #[letter(template = "letters/approved")]
    /// struct Approved { title: String }
    /// fn app(app: App) -> App { app.letter::<Approved>() }
    /// # let _ = app;
    /// ```
    pub fn letter<L: Letter>(mut self) -> Self {
        let letter = LetterType::of::<L>();
        if !self.parts.letters.contains(&letter) {
            self.parts.letters.push(letter);
        }
        self
    }

    /// The columns that hold sealed texts: `keys reencrypt` re-encrypts them, and `keys revoke` finds the rows that
    /// depend on a key.
    ///
    /// ```
    /// use dewar::database::SealedColumn;
    /// const TELEPHONE: SealedColumn = SealedColumn::new("profiles", "telephone").bound_to("user_id");
    /// fn app(app: dewar::App) -> dewar::App { app.sealed([TELEPHONE]) }
    /// ```
    pub fn sealed(mut self, columns: impl IntoIterator<Item = SealedColumn>) -> Self {
        self.parts.sealed.extend(columns);
        self
    }

    /// The lock file that the program was built from, so that the binary knows its own dependencies:
    /// `.lock_file(include_str!("../../Cargo.lock"))`.
    pub fn lock_file(mut self, text: &'static str) -> Self {
        self.parts.lock_file = Some(text);
        self
    }

    /// Reads the application's own settings: a section of `dewar.toml` and its variables `DEWAR_…`, as the framework reads its
    /// own. The start reports everything that is wrong with them beside everything that is wrong with the framework's. Handlers
    /// take them as [`Settings<T>`](struct@Settings).
    ///
    /// ```
    /// use dewar::{App, Settings};
    /// #[derive(Settings)]
    /// #[settings(section = "helpdesk")]
    /// struct Helpdesk {
    ///     /// How many tickets a page shows.
    ///     #[setting(default = 20, min = 5, max = 100)]
    ///     tickets_per_page: u32,
    /// }
    /// fn app(app: App) -> App { app.settings::<Helpdesk>() }
    /// # let app = app(App::in_directory(std::env::temp_dir())?);
    /// # Ok::<(), dewar::Error>(())
    /// ```
    pub fn settings<T: SettingsSection>(mut self) -> Self {
        self.parts.settings_types.push(TypeId::of::<T>());
        if let Some(values) = self.settings.of_application::<T>() {
            self.parts.settings.insert(Settings::new(values));
        }
        self
    }

    /// Adds a command of the application, which runs with the rooms open. `--help` lists it beside the framework's. A name that a
    /// command has already refuses the start. See [`Command`](crate::Command).
    pub fn command<T: super::Command>(self) -> Self {
        self.with_command(OwnCommand::changing::<T>())
    }

    /// Adds a command of the application that only reads. See [`ReadCommand`](crate::ReadCommand).
    pub fn read_command<T: super::ReadCommand>(self) -> Self {
        self.with_command(OwnCommand::reading::<T>())
    }

    fn with_command(mut self, command: OwnCommand) -> Self {
        match command.finding(&self.parts.commands) {
            Some(finding) => self.parts.findings.push(finding),
            None => self.parts.commands.push(command),
        }
        self
    }

    /// The clock that limits are measured by; a test brings one that it can set.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The route table.
    #[must_use]
    pub fn route_table(&self) -> RouteTable {
        let mut table = RouteTable::default();
        table.provide("POST", REPORTS_PATH, Access::BrowserReports);
        if !self.config.https.security_txt.contact.is_empty() {
            table.provide("GET", SECURITY_TXT_PATH, Access::Public);
        }
        if self
            .parts
            .letters
            .iter()
            .any(|letter| letter.list.is_some())
        {
            table.provide("GET", UNSUBSCRIBE, Access::Public);
            table.provide("POST", UNSUBSCRIBE, Access::Unsubscribe);
        }
        let origins = self.config.api.origins();
        table.share(self.shared.types());
        for (access, route) in &self.routes {
            table.add(RouteEntry {
                method: route.method.to_string(),
                path: route.path,
                also: route.also.clone(),
                access: *access,
                rate_limits: route.pace.declared().to_vec(),
                cors: route.cors.as_ref().map(|cors| cors.resolved(&origins)),
                takes: route.described.clone(),
                gives: route.gives.clone(),
            });
        }
        table.provide_change_password();
        table.upload_to(self.config.uploads.direct_target().as_ref());
        table.load_from(&self.parts.content);
        table.limit_all(&self.parts.rate_limits);
        table
    }
}

impl<S> fmt::Debug for App<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}

/// The finding about a setting of a test that is not named as in the environment.
fn unread(name: &str) -> Option<Finding> {
    if name.starts_with(PREFIX) {
        return None;
    }
    let title = format!("`{name}` does not name a setting as the environment does");
    Some(
        Finding::refuse(Practice::Audit, "settings-unknown", title)
            .why("The application would ignore it, and the test would not test it.")
            .fix(format!("Write `{}`.", variable(name))),
    )
}
