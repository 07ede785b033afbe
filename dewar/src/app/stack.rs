use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::Either;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};

use super::Dewar;
use super::developer::{Developer, Requests};
use super::early_errors::AcceptHeaders;
use super::layers::{Layers, Routes};
use super::metrics::Metrics;
use super::outside::{Carried, Outside, set_cookies, with_cookies};
use super::patterns::Patterns;
use super::programs::{ProgramRoute, ProgramRoutes};
use super::request_log::RequestLog;
use super::routes::refused;
use super::scan_detector::ScanDetector;
use crate::accounts::KNOWN_BROWSER;
use crate::api::{AskedOrigin, Authorization, allow, is_preflight};
use crate::audit::{Entry, Event, RoutePattern};
use crate::csrf::{CsrfRejection, Origin, RequestHead, judge};
use crate::https::{HttpsLayer, REPORTS_PATH, RequestId, RequestInfo, SECURITY_TXT_PATH};
use crate::mail::{Mailbox, UNSUBSCRIBE, unsubscribe_token};
use crate::pages::{
    AccountPage, Error, ErrorKind, Facts, LocalPath, Outcome, Redirect, RequestContext, Resume,
    ResumeMode, STATIC_PREFIX, Services, Words, keep_from_shared_caches, render,
};
use crate::sessions::{Cookies, Flash, NotSealedHere, Session, SessionUse, remove_all_but};

/// The path that password managers know (W3C, *A Well-Known URL for Changing Passwords*).
pub(super) const CHANGE_PASSWORD_PATH: &str = "/.well-known/change-password";

const FIRST_CHECK: HeaderValue =
    HeaderValue::from_static("sec-fetch-site, sec-fetch-mode, sec-fetch-dest, origin");

/// Everything between the listener and a handler, in a sealed order.
#[derive(Debug)]
pub(super) struct Stack {
    core: Arc<Core>,
    /// The core behind the application's own layers. None for an application without layers.
    outside: Option<Outside>,
}

/// The framework's own part of the stack.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) dewar: Dewar,
    pub(super) services: Arc<Services>,
    pub(super) https: HttpsLayer,
    /// The router behind the application's inner layers.
    pub(super) routes: Routes,
    pub(super) scan_detector: ScanDetector,
    pub(super) patterns: Patterns,
    pub(super) programs: ProgramRoutes,
    /// The patterns of the routes whose response stays open.
    pub(super) live: HashSet<&'static str>,
    pub(super) requests: RequestLog,
    pub(super) metrics: Option<Arc<Metrics>>,
    /// The page for developers, in development alone.
    pub(super) developer: Option<Developer>,
    /// The text of `security.txt` (RFC 9116).
    pub(super) security_txt: Option<String>,
    /// The page with the letters of the outbox, in development alone.
    pub(super) mailbox: Option<Mailbox>,
}

impl Stack {
    pub(super) fn new(core: Core, outside: Layers) -> Self {
        let core = Arc::new(core);
        let outside = (!outside.is_empty()).then(|| Outside::new(&core, outside));
        Self { core, outside }
    }

    /// The order of a request. This is the only place that decides it:
    ///
    /// 1. `https`, around everything else: the request is well-formed, within the size limits and for a known host. On the
    ///    way out it writes the headers, last, so that every response has them and no layer or handler weakens them.
    /// 2. the application's outer layers ([`App::layer_outside`](super::App::layer_outside)). They see every well-formed
    ///    request, and no session.
    /// 3. `pages`: static files, browsers' reports, `security.txt` and the link that leaves a mailing list need no session.
    ///    A request of a program, under [`App::api`](super::App::api), leaves here: it has a token instead of a session, and goes on
    ///    at 6. So does a preflight (CORS), which needs neither.
    /// 4. `csrf`, first check: one of the application's own pages made the request. It comes before the session, because a
    ///    forged request is not worth a query. A request without an origin, which no browser sends, goes on to a webhook's
    ///    guard alone.
    /// 5. `sessions`: the framework's only read. Then the [`RequestContext`] is complete.
    /// 6. the application's inner layers ([`App::layer_inside`](super::App::layer_inside)).
    /// 7. the router: the `roles` guard, `accounts` for re-authentication, `csrf`'s second check, `forms`, the handler. A
    ///    form that waited for the right password passes the router once more, in the same request.
    /// 8. `pages`: turns the handler's [`Outcome`] into bytes, errors too.
    /// 9. `sessions`, `csrf`: the cookies of the response.
    pub(super) fn walk(&self, mut request: Request) -> impl Future<Output = Response> {
        let core = &*self.core;
        let route = core.patterns.of(request.uri());
        let info = RequestInfo::of(request.extensions_mut());
        info.route = route;
        let (id, from) = (info.id, info.address);
        // Shared, not borrowed: a future that holds both would hold the request twice.
        let line = core.requests.begin(&request, route, id).map(Arc::new);
        let measured = core
            .metrics
            .as_ref()
            // In a box: most applications have no metrics, and a request under way is small.
            .map(|metrics| Box::new(metrics.begin(request.method(), route)));
        let watched = core.developer.as_ref().and_then(|developer| {
            let begun = Requests::begin(&request, route, id)?;
            Some((&*developer.requests, begun))
        });
        let accept = AcceptHeaders::of(request.headers());
        let of_inside = line.clone();
        let inside = move |mut request: Request| {
            let carried = Carried {
                line: of_inside,
                authorization: core.take_authorization(&mut request, route),
                cookies: Cookies::take(request.headers_mut()),
                ..Carried::default()
            };
            self.inside(request, carried, id).inspect(move |response| {
                if response.status() == StatusCode::NOT_FOUND
                    && let Some(from) = from
                {
                    core.scan_detector.missed(from, &core.services.log);
                }
            })
        };
        let show = move |refused| core.show(refused, accept);
        let handled = core.https.around_with(request, inside, show);
        let handled = match watched {
            None => Either::Left(handled),
            // In a box: in production a request has no room for it.
            Some((requests, begun)) => Either::Right(Box::pin(requests.watch(
                begun,
                &core.services.clock,
                handled,
            ))),
        };
        handled.inspect(move |response| {
            if let Some(line) = line {
                line.end(response);
            }
            if let Some(measured) = measured {
                measured.end(response.status());
            }
        })
    }

    /// The response behind the application's outer layers. Not an `async fn`, which would hold the request twice.
    fn inside(
        &self,
        mut request: Request,
        carried: Carried,
        id: RequestId,
    ) -> impl Future<Output = Response> + use<> {
        // Layers and extractors of the application see all cookies but the framework's.
        if let Some(others) = carried.cookies.of_others() {
            request.headers_mut().insert(header::COOKIE, others);
        }
        match &self.outside {
            None => {
                let answered = Arc::clone(&self.core).answer(request, carried);
                Either::Left(answered.map(move |response| with_cookies(response, id)))
            }
            // In a box: most applications have no layer, and a request under way is small.
            Some(outside) => Either::Right(Box::pin(outside.clone().answer(request, carried, id))),
        }
    }
}

/// What the routes for programs make of a request.
enum Programs {
    Answered(Response),
    Program(ProgramRoute, Carried),
    /// It is a request for the other routes; a listed origin's script gets the value of `Access-Control-Allow-Origin`.
    Others(Carried, Option<Box<HeaderValue>>),
}

impl Core {
    pub(super) async fn answer(self: Arc<Self>, request: Request, carried: Carried) -> Response {
        let (parts, body) = request.into_parts();
        if parts.uri.path().starts_with(STATIC_PREFIX) {
            let found = self.dewar.rooms().assets.serve(&parts);
            let cookies = &carried.cookies;
            return found.unwrap_or_else(|| self.turn_away(&parts, cookies, Error::not_found()));
        }
        if let Some(answer) = self.provided(&parts) {
            return answer;
        }
        if self.is_for_developers(&parts) {
            // In a box: a request under way is small.
            return Box::pin(self.show_developers(parts, carried.cookies)).await;
        }
        if parts.uri.path() == REPORTS_PATH && parts.method == Method::POST {
            return self.dewar.rooms().reports.take(&parts, body).await;
        }
        if let Some(token) = self.unsubscribe_token(parts.uri.path()) {
            let token = token.to_owned();
            return Box::pin(self.unsubscribe(parts, body, &token)).await;
        }
        let (carried, cors) = match self.for_programs(&parts, carried) {
            Programs::Answered(response) => return response,
            // In a box: a request under way is small.
            Programs::Program(route, carried) => {
                return Box::pin(self.program(route, parts, body, carried)).await;
            }
            Programs::Others(carried, cors) => (carried, cors),
        };
        // The request has to pass as it came and as the layers left it.
        let checked = match (&cors, carried.rejection) {
            (Some(_), _) => Ok(Origin::Own),
            (None, Some(rejection)) => Err(rejection),
            (None, None) => first_check(&parts),
        };
        let mut response = match checked {
            Ok(origin) => self.admitted(parts, body, origin, carried).await,
            Err(rejection) => {
                let context = self.visitor(&parts, &carried.cookies);
                let error = refused(rejection, &context);
                shown(error, &context)
            }
        };
        // The response depends on the headers of the first check, so a cache may not use it for a request with other
        // values.
        response.headers_mut().append(header::VARY, FIRST_CHECK);
        if let Some(origin) = cors {
            allow(&mut response, *origin);
        }
        response
    }

    /// The headers of a request to a route for programs that the application's layers do not see.
    fn take_authorization(
        &self,
        request: &mut Request,
        route: Option<RoutePattern>,
    ) -> Option<Box<Authorization>> {
        let pattern = route.map(|RoutePattern(pattern)| pattern);
        let found = self.programs.find(pattern, request.method())?;
        let takes = found.takes_token();
        takes.then(|| Box::new(Authorization::take(request.headers_mut())))
    }

    /// Routes for programs, and for scripts of other origins: neither has a session.
    fn for_programs(&self, parts: &Parts, mut carried: Carried) -> Programs {
        if self.programs.is_empty() {
            return Programs::Others(carried, None);
        }
        let pattern = self.patterns.of(&parts.uri);
        let pattern = pattern.map(|RoutePattern(pattern)| pattern);
        let here = self.programs.at(pattern);
        if !here.is_empty() && is_preflight(&parts.method, &parts.headers) {
            return Programs::Answered(self.preflight(parts, here));
        }
        let Some(route) = self.programs.find(pattern, &parts.method) else {
            return Programs::Others(carried, None);
        };
        if route.takes_token() {
            return Programs::Program(route.clone(), carried);
        }
        let AskedOrigin::Listed(origin) = route.asked(parts) else {
            return Programs::Others(carried, None);
        };
        // A page of the same site sends cookies along. Nobody's session is read for another origin.
        carried.cookies = Cookies::default();
        // In a box: a request under way is small, and few come from a script of another site.
        Programs::Others(carried, Some(Box::new(origin)))
    }

    async fn admitted(
        &self,
        parts: Parts,
        body: Body,
        origin: Origin,
        carried: Carried,
    ) -> Response {
        // `carried` stays where it is: a copy of its parts would make a request under way larger.
        let cookies = &carried.cookies;
        let info = RequestInfo::get(&parts.extensions);
        let address = info.and_then(|info| info.address).map(|address| address.0);
        let sessions = &self.services.sessions;
        let watches = parts.method == Method::GET
            && info.is_some_and(|info| info.route.is_some_and(|route| self.live.contains(route.0)));
        let used = if watches {
            SessionUse::Watches
        } else {
            SessionUse::Counts
        };
        let session = sessions.of_cookies(cookies.headers(), &parts.headers, address, used);
        match session.await {
            Ok(session) => {
                if let (Some(line), Some(person)) = (&carried.line, session.principal()) {
                    line.by(person.id());
                }
                let mut facts = Facts::new(&self.services, &parts, cookies, session);
                facts.origin = origin;
                if carried.is_layered {
                    facts.route = self.patterns.of(&parts.uri);
                }
                self.visit(self.context(facts), parts, body).await
            }
            Err(error) => self.turn_away(&parts, cookies, error.into()),
        }
    }

    /// The responses that are the same for everyone and need no room.
    fn provided(&self, parts: &Parts) -> Option<Response> {
        let path = parts.uri.path();
        if !path.starts_with("/.well-known/") || !matches!(parts.method, Method::GET | Method::HEAD)
        {
            return None;
        }
        if path == CHANGE_PASSWORD_PATH {
            return self.change_password_page();
        }
        let text = self.security_txt.as_ref()?;
        if path != SECURITY_TXT_PATH {
            return None;
        }
        let mut response = Response::new(Body::from(text.clone()));
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Some(response)
    }

    /// The redirect for password managers (W3C, *A Well-Known URL for Changing Passwords*), if the page is mounted and the
    /// application has no route of its own there.
    fn change_password_page(&self) -> Option<Response> {
        if !self.patterns.provides(CHANGE_PASSWORD_PATH) {
            return None;
        }
        let mounted = &self.services.mounted;
        let page = mounted.account_page(AccountPage::ChangePassword)?;
        let page = LocalPath::parse(page.to_owned()).ok()?;
        Some(Redirect::to(page).into_response())
    }

    /// The mailbox, for a request from this machine itself: the links in letters open accounts.
    fn mailbox_for(&self, parts: &Parts) -> Option<&Mailbox> {
        let mailbox = self.mailbox.as_ref()?;
        (is_near(parts) && Mailbox::is_asked(&parts.method, parts.uri.path())).then_some(mailbox)
    }

    /// The page for developers, for a request from this machine itself: it shows how the program is made.
    fn developer_for(&self, parts: &Parts) -> Option<&Developer> {
        let developer = self.developer.as_ref()?;
        (Developer::is_asked(&parts.method, parts.uri.path()) && is_near(parts))
            .then_some(developer)
    }

    /// The token of a link that leaves a mailing list, if the application has one.
    fn unsubscribe_token<'a>(&self, path: &'a str) -> Option<&'a str> {
        let token = unsubscribe_token(path)?;
        self.patterns.provides(UNSUBSCRIBE).then_some(token)
    }

    /// Takes an address off a list. The sealed token in the address is the proof, so no cookie is read, and CSRF has nothing to
    /// use: another site that knows the link could send it without the browser (RFC 8058).
    async fn unsubscribe(&self, parts: Parts, body: Body, token: &str) -> Response {
        let context = self.visitor(&parts, &Cookies::default());
        let head = (&parts.method, &parts.headers);
        let language = &context.facts().language;
        let mailer = self.dewar.mailer();
        let answered = mailer.answer_unsubscribe(head, token, body, language).await;
        let mut response = answered.into_response();
        let outcome = Outcome::take(&mut response);
        let mut response = render(response, outcome, &context);
        keep_from_shared_caches(response.headers_mut());
        response
    }

    /// Whether one of the pages of development answers a request.
    fn is_for_developers(&self, parts: &Parts) -> bool {
        self.developer_for(parts).is_some() || self.mailbox_for(parts).is_some()
    }

    async fn show_developers(self: Arc<Self>, parts: Parts, cookies: Cookies) -> Response {
        let mut response = match (self.developer_for(&parts), self.mailbox_for(&parts)) {
            (Some(developer), _) => developer.answer(&self.dewar).await,
            (None, Some(mailbox)) => mailbox.answer(parts.uri.path()).await,
            (None, None) => return self.turn_away(&parts, &cookies, Error::not_found()),
        };
        let outcome = Outcome::take(&mut response);
        render(response, outcome, &self.visitor(&parts, &cookies))
    }

    /// The context of a request with these facts.
    fn context(&self, mut facts: Facts) -> RequestContext {
        match Flash::read(facts.cookies.headers(), &self.services.ring) {
            Ok(flash) => {
                facts.flash = flash;
                RequestContext::new(facts)
            }
            Err(NotSealedHere) => {
                let context = RequestContext::new(facts);
                let entry = Entry::new(Event::CryptDecryptFail);
                context.record(entry.detail("the cookie of a flash message"));
                context
            }
        }
    }

    /// The context of a request whose session is not read.
    pub(super) fn visitor(&self, parts: &Parts, cookies: &Cookies) -> RequestContext {
        let session = self.services.sessions.visitor();
        self.context(Facts::new(&self.services, parts, cookies, session))
    }

    /// The response to a request that Dewar refuses at this point.
    fn turn_away(&self, parts: &Parts, cookies: &Cookies, error: Error) -> Response {
        shown(error, &self.visitor(parts, cookies))
    }

    async fn visit(&self, context: RequestContext, parts: Parts, body: Body) -> Response {
        // Only the pages that confirm and sign in resume a pending form, so the request is copied only there.
        let paths = self.services.mounted.accounts();
        let path = parts.uri.path();
        let confirming = parts.method == Method::POST
            && [
                AccountPage::Confirm,
                AccountPage::SecondFactor,
                AccountPage::SignIn,
            ]
            .into_iter()
            .any(|page| paths.is(page, path));
        let again = confirming.then(|| Box::new(parts.clone()));
        let mut response = self.handle(&context, parts, body).await;
        let mut outcome = Outcome::take(&mut response);
        if let Some(parts) = again
            && let Some(resume) = outcome.take_resume()
        {
            // In a box: a request under way is small, and few requests resume a form.
            return Box::pin(self.resume(&context, *parts, resume)).await;
        }
        self.close(response, outcome, &context)
    }

    /// Resumes a pending form through the router: after a sign-in it is shown again, after the right password it is sent.
    async fn resume(&self, before: &RequestContext, mut parts: Parts, resume: Resume) -> Response {
        if resume.mode == ResumeMode::Show {
            return self.show_again(before, parts, resume).await;
        }
        let body = resume.apply(&mut parts);
        let facts = before.facts();
        let context = self.again(before, &parts, facts.session.clone());
        let response = self.handle(&context, parts, Body::from(body)).await;
        self.finish(response, &context)
    }

    /// The context of the same request for another form.
    fn again(&self, before: &RequestContext, parts: &Parts, session: Session) -> RequestContext {
        let before = before.facts();
        let mut facts = Facts::new(&self.services, parts, &before.cookies, session);
        facts.origin = before.origin;
        facts.route = self.patterns.of(&parts.uri);
        facts.began = before.began;
        self.context(facts)
    }

    /// The page of a form that waited while its sender signed in, filled with the typed values. It changes nothing: its
    /// handler gets a form that it can only show.
    async fn show_again(
        &self,
        before: &RequestContext,
        mut parts: Parts,
        resume: Resume,
    ) -> Response {
        let of_visitor = before.facts();
        let session = match of_visitor.session.begun().await {
            Ok(session) => session,
            Err(error) => return self.turn_away(&parts, &of_visitor.cookies, error.into()),
        };
        let context = self.again(before, &parts, session.clone());
        let mut response = match resume.with_session(&context.facts().tokens) {
            Ok(resume) => {
                let body = resume.apply(&mut parts);
                let mut context = self.again(before, &parts, session);
                context.admission.show_only = true;
                let mut response = self.handle(&context, parts, Body::from(body)).await;
                if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
                    *response.status_mut() = StatusCode::OK;
                }
                self.finish(response, &context)
            }
            Err(to) => self.finish(Redirect::to(to).into_response(), &context),
        };
        let mut cookies = HeaderMap::new();
        let accounts = self.dewar.accounts();
        let sent = of_visitor.cookies.headers();
        accounts.remember(&of_visitor.session, sent, &mut cookies);
        // The visitor's cookie is useless from here on.
        of_visitor.tokens.write(&of_visitor.session, &mut cookies);
        set_cookies(&mut response, context.facts().request_id, cookies);
        response
    }

    /// Turns a handler's response into the response of the request.
    fn finish(&self, mut response: Response, context: &RequestContext) -> Response {
        let outcome = Outcome::take(&mut response);
        self.close(response, outcome, context)
    }

    /// Turns an outcome into the response, with its cookies. Dewar resumes one pending form, never a second one after it.
    fn close(
        &self,
        response: Response,
        mut outcome: Outcome,
        context: &RequestContext,
    ) -> Response {
        let flash = outcome.flash.take();
        let mut response = render(response, outcome, context);
        let cookies = self.remember(&response, flash, context);
        // A response for one person, in a cache for all: the next visitor gets it (CWE-525).
        let facts = context.facts();
        let is_personal = !cookies.is_empty()
            || facts.session.principal().is_some()
            || facts.own_cookies.were_read();
        if is_personal {
            keep_from_shared_caches(response.headers_mut());
        }
        set_cookies(&mut response, context.facts().request_id, cookies);
        response
    }

    /// Turns a handler's response into the response to a program, which keeps no cookies.
    pub(super) fn without_cookies(
        &self,
        mut response: Response,
        context: &RequestContext,
    ) -> Response {
        let outcome = Outcome::take(&mut response);
        let mut response = render(response, outcome, context);
        response.headers_mut().remove(header::SET_COOKIE);
        // A cache would give it to callers without a token, and after the token's end.
        keep_from_shared_caches(response.headers_mut());
        response
    }

    pub(super) async fn handle(
        &self,
        context: &RequestContext,
        mut parts: Parts,
        body: Body,
    ) -> Response {
        parts.extensions.insert(context.clone());
        let handler = self.routes.answer(Request::from_parts(parts, body));
        match AssertUnwindSafe(handler).catch_unwind().await {
            Ok(response) => response,
            Err(_panic) => {
                Error::internal("a handler panicked; its message is above").into_response()
            }
        }
    }

    /// The cookies of a response.
    fn remember(
        &self,
        response: &Response,
        flash: Option<Words>,
        context: &RequestContext,
    ) -> HeaderMap {
        let facts = context.facts();
        let mut cookies = HeaderMap::new();
        let headers = response.headers();
        let kind = headers.get(header::CONTENT_TYPE);
        let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        // After a sign-out, the next visitor finds no message for the person before.
        let forgets = headers.contains_key("clear-site-data");
        if let Some(words) = flash.filter(|_| !forgets) {
            let text = facts.language.translate(&words);
            Flash::leave(&text, &mut cookies, &self.services.ring);
        } else if is_page && facts.flash.is_some() {
            Flash::shown(&mut cookies);
        }
        facts.own_cookies.write(&mut cookies);
        facts.session.write(&mut cookies);
        facts.tokens.write(&facts.session, &mut cookies);
        let sent = facts.cookies.headers();
        if forgets {
            remove_all_but(KNOWN_BROWSER, sent, &mut cookies);
        }
        let accounts = self.dewar.accounts();
        accounts.remember(&facts.session, sent, &mut cookies);
        cookies
    }
}

/// Whether a request comes from this machine itself, and not through a proxy on it. A tunnel to this machine is a proxy that
/// nobody named in the settings; it names itself in a header.
fn is_near(parts: &Parts) -> bool {
    let is_of_a_proxy = |name: &HeaderName| {
        *name == header::FORWARDED
            || *name == header::VIA
            || name.as_str() == "x-real-ip"
            || name.as_str().starts_with("x-forwarded-")
    };
    !parts.headers.keys().any(is_of_a_proxy)
        && RequestInfo::get(&parts.extensions).is_some_and(|info| {
            !info.is_forwarded && info.address.is_some_and(|address| address.0.is_loopback())
        })
}

/// Renders an error for the reader of a request.
pub(super) fn shown(error: Error, context: &RequestContext) -> Response {
    let mut response = error.into_response();
    let outcome = Outcome::take(&mut response);
    render(response, outcome, context)
}

/// The host is on the application's list already. HTTP/2 names it in the target, HTTP/1 in a header.
pub(super) fn first_check(parts: &Parts) -> Result<Origin, CsrfRejection> {
    judge(head_of(parts))
}

/// The parts of a request that the checks of its origin read.
pub(super) fn head_of(parts: &Parts) -> RequestHead<'_> {
    RequestHead {
        method: &parts.method,
        host: host_of(parts),
        headers: &parts.headers,
    }
}

/// The host of a request, with its port.
pub(super) fn host_of(parts: &Parts) -> &str {
    let named = parts
        .headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = parts.uri.authority().map(http::uri::Authority::as_str);
    host.or(named).unwrap_or_default()
}

/// The router's response to an unknown path.
pub(super) async fn nothing_here() -> Error {
    Error::not_found()
}

/// The router's response to a path with a trailing slash: a permanent redirect to the page without it.
pub(super) async fn without_slash(method: Method, uri: Uri) -> Result<Response, Error> {
    let path = uri.path().strip_suffix('/').unwrap_or_default().to_owned();
    if !matches!(method, Method::GET | Method::HEAD) {
        return Err(Error::not_found());
    }
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    // `https` refuses `//evil.example/`, and so does this line (CWE-601).
    let to = LocalPath::parse(whole).map_err(|_| Error::not_found())?;
    let location = HeaderValue::from_str(to.as_str()).map_err(Error::internal)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// The router's response to a known path with another method.
pub(super) async fn not_this_method() -> Error {
    Error::new(ErrorKind::MethodNotAllowed)
}
