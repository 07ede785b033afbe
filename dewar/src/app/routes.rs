use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, on};
use http::request::Parts;
use http::{Method, StatusCode};

use super::account_pages::account_page_of;
use super::mounted_router::MountedRouter;
use super::rate_limit::{Counted, RouteRates, Standing};
use super::stack::head_of;
use super::{
    Dewar, HandlerFn, Mountable, RateLimit, confirm, deliveries, second_factor, signed_out,
};
use crate::accounts::Accounts;
use crate::api::Origins;
use crate::audit::{Entry, Event};
use crate::csrf::{CsrfRejection, Origin, WebhookAuth, judge_live, judge_web_socket};
use crate::database::reading;
use crate::forms::{self, Described, FormSpec, HandlerInputs, Intake, UnreadForm};
use crate::https::{PagePolicy, RoutePolicy};
use crate::live::{Handshake, Opening};
use crate::pages::{
    AccountPage, Danger, Error, ErrorKind, LocalPath, Message, Outcome, Outputs, RateRefusal,
    RequestContext, Sealed, TypedInForm,
};
use crate::roles::{Access, admit};

/// A method, a path and a handler, before a heading says who may enter.
///
/// ```
/// use dewar::{App, get};
/// async fn hello() -> &'static str { "Hello" }
/// fn greeting(app: App) -> App { app.public([get("/hello", hello)]) }
/// ```
#[must_use = "a route does nothing until `App` mounts it under a heading"]
pub struct Route<S = Dewar> {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// A second path with the same handler: everything below the first.
    pub(super) also: Option<String>,
    pub(super) described: Described,
    pub(super) gives: Outputs,
    pub(super) pace: RouteRates,
    pub(super) cors: Option<Origins>,
    pub(super) mount: MountHandler<S>,
}

/// Puts a handler behind its guard, once its heading is known and the rooms are open.
type MountHandler<S> =
    Box<dyn FnOnce(Access, &Described, &Dewar, RouteRates) -> MethodRouter<S> + Send>;

impl Route {
    /// The same route for an application with another state type. Its handler keeps the state that it was written for.
    pub(super) fn of_any_state<S: Clone + Send + Sync + 'static>(self) -> Route<S> {
        let Self {
            method,
            path,
            also,
            described,
            gives,
            pace,
            cors,
            mount,
        } = self;
        let mount = move |access, described: &Described, dewar: &Dewar, pace| {
            mount(access, described, dewar, pace).with_state(dewar.clone())
        };
        Route {
            method,
            path,
            also,
            described,
            gives,
            pace,
            cors,
            mount: Box::new(mount),
        }
    }
}

impl<S> Route<S> {
    /// Gives the route a rate limit of its own, counted separately, where the settings' `forms.rate_limit` does not fit: a
    /// stricter one for an expensive request, a wider one for a script. With several calls, each limit counts each request.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.pace.add(limit);
        self
    }

    /// Takes the rate limit of the settings away. You then owe a bound of your own on the cost of a request and on what it stores. The audit
    /// reports the reason.
    ///
    /// ```
    /// async fn heartbeat() -> &'static str { "" }
    /// let route: dewar::app::Route = dewar::post("/heartbeat", heartbeat)
    ///     .dangerous_without_rate_limit("it writes nothing and costs no query");
    /// # drop(route);
    /// ```
    pub fn dangerous_without_rate_limit(mut self, reason: &'static str) -> Self {
        self.pace.without_usual();
        let danger = Danger::by("dangerous_without_rate_limit", reason);
        self.described.dangers.push(danger);
        self
    }
}

impl<S> Route<S> {
    /// States one more status of the handler's own, for `routes --openapi`: that of a
    /// [`ProblemDetails`](crate::pages::ProblemDetails) or of another error that the types do not show.
    ///
    /// ```
    /// use dewar::pages::{Json, ProblemDetails};
    /// use http::StatusCode;
    /// async fn ticket() -> dewar::Result<Json<i64>> {
    ///     Err(ProblemDetails::new(StatusCode::GONE).into())
    /// }
    /// let route: dewar::app::Route = dewar::get("/api/ticket", ticket)
    ///     .also_answers(StatusCode::GONE, "The ticket was deleted.");
    /// # drop(route);
    /// ```
    pub fn also_answers(mut self, status: StatusCode, description: &'static str) -> Self {
        self.gives.also.push((status.as_u16(), description));
        self
    }

    /// Lets the pages of this route send files to the bucket of `uploads.storage`, for a form with a
    /// [`DirectUpload`](crate::uploads::DirectUpload). Their policy then has that place under `connect-src`, and the route table
    /// prints it. The route that takes the form shows it again, so it needs no such call. With files on the disk it changes
    /// nothing.
    ///
    /// ```
    /// # use dewar::Page;
    /// async fn new() -> Page { Page::new("papers/new.html") }
    /// let route: dewar::app::Route = dewar::get("/papers/new", new).direct_uploads();
    /// # drop(route);
    /// ```
    pub fn direct_uploads(mut self) -> Self {
        self.described.direct_uploads = true;
        self
    }

    /// Lets the handler of a `GET` change rows. Another site can send a signed-in user to this address, so nothing that the
    /// handler changes may matter (CWE-352). The audit reports the reason.
    ///
    /// ```
    /// async fn look() -> &'static str { "" }
    /// let route: dewar::app::Route = dewar::get("/notices/{id}", look)
    ///     .dangerous_write_on_get("it counts how often a notice was read");
    /// # drop(route);
    /// ```
    pub fn dangerous_write_on_get(mut self, reason: &'static str) -> Self {
        self.described.writes_on_get = true;
        let danger = Danger::by("dangerous_write_on_get", reason);
        self.described.dangers.push(danger);
        self
    }
}

impl<S> Route<S> {
    /// Lets scripts of these origins read the route (CORS). It is for routes under [`App::api`](crate::App::api), and for a
    /// `get` under `public`; Dewar does not start with it elsewhere. The route table shows the origins.
    ///
    /// ```
    /// use dewar::{App, api::Origins, get, pages::Text};
    /// async fn status() -> Text { Text::new("all is well") }
    /// fn app(app: App) -> App {
    ///     app.public([get("/status", status).cors(Origins::of(["https://app.example"]))])
    /// }
    /// ```
    pub fn cors(mut self, origins: Origins) -> Self {
        self.cors = Some(origins);
        self
    }
}

impl<S> Route<S> {
    /// States that this route is a page of accounts, or takes its form: links, redirects and letters lead to its path. Dewar
    /// knows the framework's own handlers, so only a handler of the application's own needs this, and only at another path
    /// than the usual one.
    ///
    /// ```
    /// use dewar::pages::AccountPage;
    /// use dewar::{App, Page, get};
    /// async fn account() -> Page { Page::new("account.html") }
    /// fn app(app: App) -> App {
    ///     app.signed_in([get("/konto", account).account_page(AccountPage::Account)])
    /// }
    /// ```
    pub fn account_page(mut self, page: AccountPage) -> Self {
        self.described.account_page = Some(page);
        self
    }
}

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident, $method:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name<H, T, S>(path: &'static str, handler: H) -> Route<S>
        where
            H: Mountable<T, S> + HandlerFn<T>,
            T: HandlerInputs + Send + Sync + 'static,
            S: Clone + Send + Sync + 'static,
        {
            route(Method::$method, MethodFilter::$method, path, handler)
        }
    )*};
}

methods! {
    /// Reads something. It changes nothing, so a link may lead here.
    ///
    /// ```
    /// async fn hello() -> &'static str { "Hello" }
    /// let route: dewar::app::Route = dewar::get("/", hello);
    /// # drop(route);
    /// ```
    get, GET;
    /// Changes something. Dewar checks the request twice (`csrf`) before it calls the handler.
    ///
    /// ```
    /// use dewar::{Redirect, post};
    /// async fn empty_the_bin() -> Redirect { Redirect::to("/bin") }
    /// let route: dewar::app::Route = post("/bin", empty_the_bin);
    /// # drop(route);
    /// ```
    post, POST;
    /// Stores something at this path; for `fetch()` callers, with the token in a header.
    ///
    /// ```
    /// async fn put_note() -> &'static str { "kept" }
    /// let route: dewar::app::Route = dewar::app::put("/note", put_note);
    /// # drop(route);
    /// ```
    put, PUT;
    /// Changes a part of something; for `fetch()` callers.
    ///
    /// ```
    /// async fn amend() -> &'static str { "amended" }
    /// let route: dewar::app::Route = dewar::app::patch("/note", amend);
    /// # drop(route);
    /// ```
    patch, PATCH;
    /// Removes something; for `fetch()` callers.
    ///
    /// ```
    /// async fn remove() -> &'static str { "gone" }
    /// let route: dewar::app::Route = dewar::app::delete("/note", remove);
    /// # drop(route);
    /// ```
    delete, DELETE;
}

fn route<H, T, S>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S> + HandlerFn<T>,
    T: HandlerInputs + Send + Sync + 'static,
    S: Clone + Send + Sync + 'static,
{
    let mut described = Described::default();
    T::describe(&mut described);
    described.dangers.extend(H::dangers(Sealed(())));
    described.redirects_to = H::redirects_to(Sealed(()));
    described.account_page = account_page_of::<H>().or(described.account_page);
    described.under(path);
    let asks = RequiredProof::of::<T>(&method);
    let is_safe = matches!(asks, RequiredProof::Nothing);
    let gives = H::outputs(Sealed(()));
    let stays_open = if gives.is_web_socket() {
        Some(OpenRoute::WebSocket(path))
    } else {
        gives.is_event_stream().then_some(OpenRoute::Events(path))
    };
    let mount = move |access, described: &Described, _: &Dewar, pace| {
        on(
            filter,
            Guarded {
                handler,
                access,
                asks: asks.under(access),
                pace,
                recently: described.recently,
                factor_recently: described.factor_recently,
                form: described.form.clone(),
                only_reads: (is_safe && !described.writes_on_get).then_some(path),
                stays_open,
                policy: described.policy.clone(),
            },
        )
    };
    Route {
        method,
        path,
        also: None,
        cors: None,
        described,
        gives,
        pace: RouteRates::default(),
        mount: Box::new(mount),
    }
}

/// An axum router as one route: every method of every path below `prefix` goes to it, behind the guard of the heading.
///
/// Every method but `GET` and `HEAD` needs the CSRF token, in the header `x-csrf-token` or as a field of a urlencoded form. The
/// router sees the path without the prefix, and a whole body within the limit of a form. Dewar knows neither its inputs nor
/// its outputs: you then owe that it lets in only what it has checked, and that no visitor's text is markup in its responses. The
/// security headers are on them. The reason is part of the route table, and the audit reports it.
///
/// ```
/// use dewar::App;
/// use dewar::app::dangerous_router;
/// use dewar::axum::{Router, routing::get};
/// fn app(app: App) -> App {
///     let wiki = Router::new().route("/page/{name}", get(|| async { "an old page" }));
///     app.signed_in([dangerous_router("the wiki moves to Dewar page by page", "/wiki", wiki)])
/// }
/// ```
pub fn dangerous_router<S: Clone + Send + Sync + 'static>(
    reason: &'static str,
    prefix: &'static str,
    router: Router,
) -> Route<S> {
    let mut described = Described::default();
    described
        .dangers
        .push(Danger::by("dangerous_router", reason));
    described.mounts_router = true;
    let handler = MountedRouter { prefix, router };
    let mount = move |access, described: &Described, _: &Dewar, pace| {
        any(Guarded {
            handler,
            access,
            asks: RequiredProof::Router,
            pace,
            recently: described.recently,
            factor_recently: false,
            form: None,
            only_reads: (!described.writes_on_get).then_some(prefix),
            stays_open: None,
            policy: described.policy.clone(),
        })
    };
    let below = if prefix.ends_with('/') { "" } else { "/" };
    Route {
        // No client sends this method: the route table shows it for all of them.
        method: Method::from_bytes(b"ANY").unwrap_or(Method::OPTIONS),
        path: prefix,
        also: Some(format!("{prefix}{below}{{*rest}}")),
        described,
        gives: Outputs::default(),
        pace: RouteRates::default(),
        cors: None,
        mount: Box::new(mount),
    }
}

/// The proof that an unsafe request needs before Dewar calls its handler.
#[derive(Clone, Copy, Debug)]
enum RequiredProof {
    /// No proof: the method changes nothing.
    Nothing,
    /// The handler's last argument is `Form`, which checks the token before it has a value.
    Form,
    /// For a router: the token for every method that may change something, and the body goes on.
    Router,
    /// The token alone, in a header or in a form that is only a button.
    Token,
    /// A sender's signature over the body.
    Signature(WebhookAuth),
}

impl RequiredProof {
    /// It asks the types of the inputs whether they check the token, not their descriptions in the route table.
    fn of<T: HandlerInputs>(method: &Method) -> Self {
        if matches!(*method, Method::GET | Method::HEAD) {
            Self::Nothing
        } else if forms::checks_the_token::<T>() {
            Self::Form
        } else {
            Self::Token
        }
    }

    /// The proof of a request of this method.
    fn of_method(self, method: &Method) -> Self {
        match self {
            Self::Router if matches!(*method, Method::GET | Method::HEAD) => Self::Nothing,
            Self::Form | Self::Nothing | Self::Router | Self::Signature(_) | Self::Token => self,
        }
    }

    fn under(self, access: Access) -> Self {
        match access {
            Access::Webhook(by) => Self::Signature(by),
            // The first check and the token belong to a session. The reader of a form knows that a program has none.
            Access::AnyRole(_)
            | Access::Api(_)
            | Access::BrowserReports
            | Access::Public
            | Access::Role(_)
            | Access::SignedIn
            | Access::Unsubscribe => self,
        }
    }
}

/// A route whose response stays open, with its path.
#[derive(Clone, Copy, Debug)]
enum OpenRoute {
    Events(&'static str),
    WebSocket(&'static str),
}

/// A handler behind its heading's guard.
#[derive(Clone)]
struct Guarded<H> {
    handler: H,
    access: Access,
    asks: RequiredProof,
    pace: RouteRates,
    recently: bool,
    /// The same for users who have a second factor.
    factor_recently: bool,
    /// The fields of the handler's form, where it has one.
    form: Option<FormSpec>,
    /// The path, if the handler changes no rows.
    only_reads: Option<&'static str>,
    /// Set if the response is a connection that stays open.
    stays_open: Option<OpenRoute>,
    /// The headers of its pages, where they differ from the application's.
    policy: Option<Arc<PagePolicy>>,
}

impl<H, T, S> Handler<T, S> for Guarded<H>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        Box::pin(async move { self.answer(request, state).await })
    }
}

impl<H> Guarded<H> {
    /// Counts the request for the limit of its route: at once if it only reads, and after its proof otherwise.
    async fn count(&self, parts: &mut Parts) -> Result<(), Error> {
        let only_reads = matches!(self.asks, RequiredProof::Nothing);
        if only_reads && !self.pace.counts_reads() {
            return Ok(());
        }
        if only_reads {
            return self.count_now(parts, Counted::Read).await;
        }
        self.pace.note_in(parts, Counted::Change).await
    }

    /// Counts a request that its heading refuses, where reads count. A person's form counts when its texts are read.
    async fn count_refused(&self, parts: &mut Parts) -> Result<(), Error> {
        let is_form = matches!(self.asks, RequiredProof::Form);
        let is_of_person = RequestContext::of(parts)?.bearer().is_none();
        if self.pace.counts_reads() && !(is_form && is_of_person) {
            self.count_now(parts, Counted::Read).await?;
        }
        Ok(())
    }

    /// Counts a delivery for the webhook's own limit, before its body is read and its signature is computed.
    async fn count_delivery(&self, parts: &mut Parts) -> Result<(), Error> {
        if self.pace.counts_deliveries() {
            self.count_now(parts, Counted::Delivery).await?;
        }
        Ok(())
    }

    async fn count_now(&self, parts: &mut Parts, counted: Counted) -> Result<(), Error> {
        self.pace.note_in(parts, counted).await?;
        let counted = RequestContext::of(parts)?.admission.count().await;
        counted.map_err(RateRefusal::error)
    }

    async fn answer<T, S>(self, request: Request, state: S) -> Response
    where
        H: Handler<T, S>,
    {
        let (parts, body) = request.into_parts();
        let administers = administers(self.access, &parts);
        let context = RequestContext::of(&parts).ok();
        let standing = context.map(|context| self.pace.standing(context));
        let mut guarded = self;
        guarded.asks = guarded.asks.of_method(&parts.method);
        if matches!(guarded.asks, RequiredProof::Router) {
            guarded.only_reads = None;
        }
        let response = guarded.pass(parts, body, state).await;
        let mut response = response.unwrap_or_else(IntoResponse::into_response);
        if let Some(standing) = standing.filter(|standing| !standing.is_empty()) {
            Standing::write(&standing, response.headers_mut());
        }
        if let Some(context) = administers {
            let entry = Entry::new(Event::AuthzAdmin);
            context.record(entry.outcome(response.status().as_u16()));
        }
        response
    }

    async fn pass<T, S>(self, mut parts: Parts, body: Body, state: S) -> Result<Response, Error>
    where
        H: Handler<T, S>,
    {
        let is_full = self.waits_for_room(parts.uri.path(), RequestContext::of(&parts)?)?;
        let context = RequestContext::of_mut(&mut parts)?;
        context.admission.disk_is_full = is_full;
        let only_shown = context.admission.show_only;
        let (origin, prefers) = (context.facts().origin, context.facts().prefers);
        if let RequiredProof::Signature(by) = self.asks {
            if is_full {
                return Err(no_room());
            }
            return self.take_delivery(by, parts, body, state).await;
        }
        // The first check lets a request without an origin go on to a webhook. This route is no webhook.
        if !matches!(self.asks, RequiredProof::Nothing) && origin == Origin::Unsaid {
            return Err(no_origin(&parts));
        }
        if only_shown && !matches!(self.asks, RequiredProof::Form) {
            return Err(Error::forbidden().because("only a form can be shown again"));
        }
        match admit(self.access, RequestContext::of(&parts)?) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Unauthenticated => {
                self.count_refused(&mut parts).await?;
                let answer = signed_out::answer(&parts, body, self.form.as_ref(), prefers);
                return Ok(Box::pin(answer).await);
            }
            Err(error) => {
                self.pace.note_in(&mut parts, Counted::Change).await?;
                self.count_refused(&mut parts).await?;
                return Err(self.with_texts(error, &parts, body).await);
            }
        }
        self.count(&mut parts).await?;
        if let Some(page) = second_factor::missing(self.access, &parts)? {
            return self.without_factor(&parts, body, &page).await;
        }
        let recently = self.recently || self.factor_recently && second_factor::has(&parts)?;
        if recently && !RequestContext::of(&parts)?.session()?.is_recent() {
            return Ok(confirm::ask(parts, body, prefers).await);
        }
        let admission = &mut RequestContext::of_mut(&mut parts)?.admission;
        admission.recently_authenticated = recently;
        let request = match self.asks {
            RequiredProof::Router | RequiredProof::Token if is_full => return Err(no_room()),
            RequiredProof::Router => {
                let body = forms::passed_on(&parts, body).await?;
                Request::from_parts(parts, body)
            }
            RequiredProof::Token => {
                let _checked = forms::button(&parts, body).await?;
                Request::from_parts(parts, Body::empty())
            }
            RequiredProof::Form => return self.with_form(parts, body, state).await,
            RequiredProof::Nothing | RequiredProof::Signature(_) => {
                Request::from_parts(parts, body)
            }
        };
        self.call_checked(request, state).await
    }

    /// Calls the handler of a webhook with a delivery that its sender signed.
    async fn take_delivery<T, S>(
        self,
        by: WebhookAuth,
        mut parts: Parts,
        body: Body,
        state: S,
    ) -> Result<Response, Error>
    where
        H: Handler<T, S>,
    {
        self.count_delivery(&mut parts).await?;
        let (request, taken) = deliveries::take(by, parts, body).await?;
        let response = of_handler(self.policy, self.handler.call(request, state).await);
        deliveries::settle(taken, response.status()).await;
        Ok(response)
    }

    /// The response to a user who has to set up a second factor on that page first.
    async fn without_factor(
        &self,
        parts: &Parts,
        body: Body,
        page: &LocalPath,
    ) -> Result<Response, Error> {
        let prefers = RequestContext::of(parts)?.facts().prefers;
        match second_factor::answer(parts, prefers, page) {
            Ok(response) => Ok(response),
            Err(error) => Err(self.with_texts(error, parts, body).await),
        }
    }

    /// Calls the handler of a request that has passed every check.
    async fn call_checked<T, S>(self, request: Request, state: S) -> Result<Response, Error>
    where
        H: Handler<T, S>,
    {
        // In a box: a request under way is small, and few open a connection.
        match self.stays_open {
            Some(OpenRoute::Events(path)) => {
                return Box::pin(self.open(path, request, state)).await;
            }
            Some(OpenRoute::WebSocket(path)) => {
                return Box::pin(self.open_web_socket(path, request, state)).await;
            }
            None => {}
        }
        let handler = self.handler.call(request, state);
        let response = reading(self.only_reads, handler).await;
        Ok(of_handler(self.policy, response))
    }

    /// Calls a handler whose response is a connection that stays open.
    async fn open<T, S>(
        self,
        path: &'static str,
        request: Request,
        state: S,
    ) -> Result<Response, Error>
    where
        H: Handler<T, S>,
    {
        let (parts, body) = request.into_parts();
        let context = RequestContext::of(&parts)?;
        // A program's request has an origin only if the route lists it.
        if context.bearer().is_none() {
            let judged = judge_live(head_of(&parts));
            judged.map_err(|rejection| refused(rejection, context))?;
        }
        let opening = (parts.method == Method::GET).then(|| Opening::of(&parts));
        let opening = opening.transpose()?;
        let handler = self.handler.call(Request::from_parts(parts, body), state);
        let response = reading(self.only_reads, handler).await;
        let response = match opening {
            Some(opening) => opening.begin(path, response).await,
            None => response,
        };
        Ok(of_handler(self.policy, response))
    }

    /// Calls a handler whose response is a WebSocket. Messages may change rows, so the handshake passes the two checks of a form: the
    /// origin, which has to be there, and the CSRF token.
    async fn open_web_socket<T, S>(
        self,
        path: &'static str,
        request: Request,
        state: S,
    ) -> Result<Response, Error>
    where
        H: Handler<T, S>,
    {
        let (parts, body) = request.into_parts();
        let context = RequestContext::of(&parts)?;
        let handshake = Handshake::of(&parts)?;
        let judged = judge_web_socket(head_of(&parts));
        judged.map_err(|rejection| refused(rejection, context))?;
        let checked = context.tokens()?.verify(handshake.token());
        checked.map_err(|rejection| refused(rejection, context))?;
        let opening = Opening::of(&parts)?;
        let handler = self.handler.call(Request::from_parts(parts, body), state);
        let response = reading(self.only_reads, handler).await;
        Ok(opening.begin_web_socket(path, handshake, response).await)
    }
}

impl<H> Guarded<H> {
    /// Calls a handler that takes a form. If an input refuses the request before anybody has read the form, because the
    /// form's record is gone or out of reach, the error page still shows what the person typed.
    async fn with_form<T, S>(
        self,
        mut parts: Parts,
        body: Body,
        state: S,
    ) -> Result<Response, Error>
    where
        H: Handler<T, S>,
    {
        let typed = TypedInForm::default();
        RequestContext::of_mut(&mut parts)?.admission.typed = Some(typed.clone());
        let unread = UnreadForm::new(&parts, body)?;
        let request = Request::from_parts(parts, unread.lend());
        let mut response = self.handler.call(request, state).await;
        let status = response.status();
        if (status.is_client_error() || status.is_server_error())
            && let Some(form) = &self.form
            && let Some(texts) = Box::pin(unread.texts(form)).await
        {
            typed.keep(texts);
        }
        Outcome::add_texts(&mut response, typed);
        Ok(of_handler(self.policy, response))
    }

    /// An access error of the heading, with the typed texts: a role can be withdrawn while somebody writes.
    async fn with_texts(&self, error: Error, parts: &Parts, body: Body) -> Error {
        let (RequiredProof::Form, Some(form)) = (self.asks, &self.form) else {
            return error;
        };
        let Ok(unread) = UnreadForm::new(parts, body) else {
            return error;
        };
        match Box::pin(unread.texts(form)).await {
            Some(texts) => error.typed(texts),
            None => error,
        }
    }

    /// Whether a request that changes something waits until the disk has room. People who sign in, sign out and end
    /// sessions get the rest of the room.
    fn waits_for_room(&self, path: &str, context: &RequestContext) -> Result<bool, Error> {
        if matches!(self.asks, RequiredProof::Nothing) {
            return Ok(false);
        }
        let paths = context.services().mounted.accounts();
        let goes_on = [
            AccountPage::SignIn,
            AccountPage::SignOut,
            AccountPage::Confirm,
            AccountPage::SecondFactor,
            AccountPage::EndSession,
            AccountPage::EndOtherSessions,
        ];
        let goes_on = goes_on.into_iter().any(|page| paths.is(page, path));
        Ok(!goes_on && context.service::<Intake>()?.is_disk_full())
    }
}

/// Marks a handler's response with the policy of its route. The framework's own pages, such as the one that asks for the password,
/// have the application's.
fn of_handler(policy: Option<Arc<PagePolicy>>, mut response: Response) -> Response {
    if let Some(policy) = policy {
        response.extensions_mut().insert(RoutePolicy(policy));
    }
    response
}

/// The rejection of a request that may change something and has no origin.
fn no_origin(parts: &Parts) -> Error {
    match RequestContext::of(parts) {
        Ok(context) => refused(CsrfRejection::NoOrigin, context),
        Err(missing) => missing,
    }
}

fn no_room() -> Error {
    Error::insufficient_storage().public(Message::new(forms::NO_ROOM))
}

/// Turns a CSRF rejection into an error and logs the security event.
pub(super) fn refused(rejection: CsrfRejection, context: &RequestContext) -> Error {
    context.record(Entry::new(Event::MaliciousCsrf).detail(rejection));
    Error::forbidden()
        .public(Message::new("forms-token-missing"))
        .because(rejection)
}

/// The context of a request by which an administrator is about to change something. Dewar logs the request with its outcome
/// (ASVS 16.3.2).
fn administers(access: Access, parts: &Parts) -> Option<RequestContext> {
    let context = RequestContext::of(parts).ok()?;
    let changes = !matches!(parts.method, Method::GET | Method::HEAD);
    let administrator = context.service::<Accounts>().ok()?.administrator();
    let by_administrator = administrator.is_some_and(|administrator| {
        let person = context.principal();
        access.admits_role(|role| role == administrator)
            && person.is_some_and(|person| person.has_role_named(administrator))
    });
    (changes && by_administrator).then(|| context.clone())
}

#[cfg(test)]
mod tests;
