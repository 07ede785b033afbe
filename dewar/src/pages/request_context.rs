use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;
use http::{Extensions, Method};
use minijinja::Value;

use super::{
    Admission, BearerCaller, Error, Language, Languages, Mounted, OwnCookies, Prefers, Templates,
};
use crate::audit::{Clock, Entry, Log, LoggablePath, RoutePattern};
use crate::csrf::{CsrfTokens, Origin};
use crate::database::Db;
use crate::https::{ClientAddress, Nonce, RequestId, RequestInfo};
use crate::secrets::KeyRing;
use crate::sessions::{Cookies, Principal, Session, Sessions};

/// The request as everything behind the session sees it: address, id, nonce, session, CSRF tokens, locale and the rooms.
///
/// The stack makes one context for each request. Every extractor of a handler reads from it, the route's guard records in
/// it which checks the request has passed, and Dewar renders the response with it. A request without a context did not come
/// through an [`App`](crate::App), and its extractors refuse it with 500.
///
/// A tower layer inside the session ([`App::layer_inside`](crate::App::layer_inside)) takes it as an argument. The context
/// shows it neither a session's token nor a cookie.
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use dewar::pages::RequestContext;
/// use dewar::App;
/// async fn count(context: RequestContext, request: Request, next: Next) -> Response {
///     let response = next.run(request).await;
///     tracing::info!(id = %context.request_id(), route = context.route(), status = %response.status());
///     response
/// }
/// fn app(app: App) -> App { app.layer_inside(from_fn(count)) }
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct RequestContext {
    pub(super) facts: Arc<Facts>,
    pub(crate) admission: Admission,
}

/// The facts of one request. They do not change while Dewar handles it.
pub(crate) struct Facts {
    pub(crate) services: Arc<Services>,
    pub(crate) address: Option<ClientAddress>,
    pub(crate) request_id: RequestId,
    pub(crate) nonce: Nonce,
    pub(crate) route: Option<RoutePattern>,
    pub(crate) method: Method,
    /// The path with its query.
    pub(crate) path: String,
    /// The cookies, which are no longer in the request's headers.
    pub(crate) cookies: Cookies,
    /// The cookies of the application's own that the handler sets.
    pub(crate) own_cookies: OwnCookies,
    /// The result of the first CSRF check.
    pub(crate) origin: Origin,
    pub(crate) session: Session,
    /// The caller of an API token, which replaces a session.
    pub(crate) bearer: Option<Arc<BearerCaller>>,
    /// The moment at which the session was read: rights that end after it are looked up again (CWE-367).
    pub(crate) began: Instant,
    pub(crate) tokens: CsrfTokens,
    /// The flash messages that the last page left for this one.
    pub(crate) flash: Option<Value>,
    pub(crate) prefers: Prefers,
    pub(crate) language: Language,
}

/// The open rooms. All requests share them.
pub(crate) struct Services {
    pub(crate) clock: Clock,
    pub(crate) db: Db,
    pub(crate) languages: Languages,
    pub(crate) log: Log,
    pub(crate) mounted: Mounted,
    pub(crate) ring: KeyRing,
    pub(crate) sessions: Sessions,
    pub(crate) templates: Templates,
    /// The handles of the later rooms, each by its type.
    pub(crate) later: Extensions,
}

impl RequestContext {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts: Arc::new(facts),
            admission: Admission::default(),
        }
    }

    /// The context of a request.
    ///
    /// # Errors
    /// 500: the request did not come through the stack.
    pub(crate) fn of(parts: &Parts) -> Result<&Self, Error> {
        let context = parts.extensions.get();
        context.ok_or_else(|| Error::missing("RequestContext"))
    }

    /// The context, to record the result of a check in it.
    ///
    /// # Errors
    /// 500: the request did not come through the stack.
    pub(crate) fn of_mut(parts: &mut Parts) -> Result<&mut Self, Error> {
        let context = parts.extensions.get_mut();
        context.ok_or_else(|| Error::missing("RequestContext"))
    }

    /// The address of the client. None if the request came through no listener.
    #[must_use]
    pub fn address(&self) -> Option<ClientAddress> {
        self.facts.address
    }

    /// The request id, which is in its log lines and on its error page.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.facts.request_id
    }

    /// The nonce of the response's Content-Security-Policy.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        self.facts.nonce
    }

    /// The locale of the response.
    #[must_use]
    pub fn language(&self) -> &Language {
        &self.facts.language
    }

    /// The pattern of the route that the request matched, such as `/notes/{id}`.
    #[must_use]
    pub fn route(&self) -> Option<&'static str> {
        self.facts.route.map(|RoutePattern(pattern)| pattern)
    }

    /// The signed-in person, or the owner of a personal API token. None for a webhook's sender and for a service,
    /// whatever cookies came along.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.person().ok()?
    }

    /// The same.
    ///
    /// # Errors
    /// 500: a webhook's signature replaces the session.
    pub(crate) fn person(&self) -> Result<Option<&Principal>, Error> {
        match self.bearer() {
            Some(caller) => Ok(caller.person.as_ref()),
            None => Ok(self.session()?.principal()),
        }
    }

    /// The caller of an API token.
    pub(crate) fn bearer(&self) -> Option<&Arc<BearerCaller>> {
        self.facts.bearer.as_ref()
    }

    /// The session.
    ///
    /// # Errors
    /// 500: a webhook's signature or an API token replaces the session.
    pub(crate) fn session(&self) -> Result<&Session, Error> {
        self.unless_webhook("Session")?;
        if self.bearer().is_some() {
            return Err(Error::missing("Session"));
        }
        Ok(&self.facts.session)
    }

    /// Makes and verifies CSRF tokens.
    ///
    /// # Errors
    /// 500: a webhook's signature replaces the session.
    pub(crate) fn tokens(&self) -> Result<&CsrfTokens, Error> {
        self.unless_webhook("CsrfTokens")?;
        Ok(&self.facts.tokens)
    }

    fn unless_webhook(&self, wanted: &'static str) -> Result<(), Error> {
        match self.admission.webhook {
            Some(_) => Err(Error::missing(wanted)),
            None => Ok(()),
        }
    }

    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn services(&self) -> &Services {
        &self.facts.services
    }

    /// The handle of a later room.
    ///
    /// # Errors
    /// 500: the application has no such room.
    pub(crate) fn service<T: Send + Sync + 'static>(&self) -> Result<&T, Error> {
        let service = self.facts.services.later.get();
        service.ok_or_else(|| Error::missing(std::any::type_name::<T>()))
    }

    /// Logs a security event about this request: with its method, path, id and address, and its sender.
    pub(crate) fn record(&self, entry: Entry) {
        self.services().log.record(self.describe(entry));
    }

    /// Adds the request's facts to an entry.
    pub(crate) fn describe(&self, entry: Entry) -> Entry {
        let facts = &*self.facts;
        let path = facts.loggable_path();
        let mut entry = entry
            .request(&facts.method, &path)
            .request_id(facts.request_id);
        if let Some(ClientAddress(address)) = facts.address {
            entry = entry.address(address);
        }
        match (self.principal(), self.bearer()) {
            (Some(person), _) => entry.actor(person.id()),
            (None, Some(caller)) => entry.actor(format_args!("service token {}", caller.token)),
            (None, None) => entry,
        }
    }
}

impl Facts {
    /// The facts of a request with this session.
    pub(crate) fn new(
        services: &Arc<Services>,
        parts: &Parts,
        cookies: &Cookies,
        session: Session,
    ) -> Self {
        let info = RequestInfo::get(&parts.extensions);
        let path = parts.uri.path_and_query();
        Self {
            address: info.and_then(|info| info.address),
            request_id: info.map_or_else(RequestId::new, |info| info.id),
            nonce: info.map_or_else(Nonce::new, |info| info.nonce),
            route: info.and_then(|info| info.route),
            method: parts.method.clone(),
            path: path.map_or("/", |path| path.as_str()).to_owned(),
            // The stack sets the result of its first check; without one, only a webhook's signature passes.
            origin: Origin::Unsaid,
            began: Instant::now(),
            tokens: CsrfTokens::new(services.ring.clone(), &session, cookies.headers()),
            session,
            bearer: None,
            flash: None,
            own_cookies: OwnCookies::default(),
            prefers: Prefers::of(&parts.headers),
            language: services.languages.of(&parts.headers),
            cookies: cookies.clone(),
            services: Arc::clone(services),
        }
    }

    pub(super) fn loggable_path(&self) -> LoggablePath {
        LoggablePath::on(self.route, self.path_without_query())
    }

    pub(crate) fn path_without_query(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("route", &self.facts.route)
            .field("request_id", &self.facts.request_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Services")
    }
}

#[cfg(test)]
pub(crate) use fixture::Fixture;

#[cfg(test)]
mod fixture {
    use std::path::Path;

    use http::{Extensions, Request};

    use super::*;
    use crate::audit::Mode;
    use crate::pages::Assets;
    use crate::sessions;

    /// Rooms without an application, for the test of one of them.
    pub(crate) struct Fixture {
        pub(crate) clock: Clock,
        pub(crate) db: Db,
        pub(crate) log: Log,
        pub(crate) ring: KeyRing,
        pub(crate) sessions: Sessions,
    }

    impl Fixture {
        pub(crate) fn new(directory: &Path) -> Self {
            let (db, clock) = (Db::temporary().unwrap(), Clock::system());
            let log = Log::open(directory.join("audit.log"), [7; 32], clock.clone()).unwrap();
            let config = sessions::Config::default();
            Self {
                sessions: Sessions::new(db.clone(), config, clock.clone(), log.clone()),
                ring: KeyRing::ephemeral(),
                clock,
                db,
                log,
            }
        }

        /// Puts the context of a visitor into a request, with the handles of later rooms.
        pub(crate) fn enter<B>(&self, request: &mut Request<B>, later: Extensions) {
            self.enter_as(request, later, self.sessions.visitor());
        }

        /// Puts the context of a session's owner into a request.
        pub(crate) fn enter_as<B>(
            &self,
            request: &mut Request<B>,
            later: Extensions,
            session: Session,
        ) {
            let assets = Assets::load(&[]);
            let services = Services {
                clock: self.clock.clone(),
                db: self.db.clone(),
                languages: Languages::english(),
                log: self.log.clone(),
                mounted: Mounted::default(),
                ring: self.ring.clone(),
                sessions: self.sessions.clone(),
                templates: Templates::load(&[], assets, Mode::Production),
                later,
            };
            let cookies = Cookies::take(request.headers_mut());
            let (mut parts, ()) = Request::new(()).into_parts();
            parts.headers.clone_from(request.headers());
            parts.method.clone_from(request.method());
            parts.uri.clone_from(request.uri());
            let mut facts = Facts::new(&Arc::new(services), &parts, &cookies, session);
            facts.origin = Origin::Own;
            request.extensions_mut().insert(RequestContext::new(facts));
        }
    }

    impl RequestContext {
        /// The context of a request, to change it before a handler sees it.
        pub(crate) fn in_test<B>(request: &mut Request<B>) -> &mut Self {
            request.extensions_mut().get_mut().unwrap()
        }

        pub(crate) fn facts_mut(&mut self) -> &mut Facts {
            Arc::get_mut(&mut self.facts).unwrap()
        }

        pub(crate) fn later_mut(&mut self) -> &mut Extensions {
            &mut Arc::get_mut(&mut self.facts_mut().services).unwrap().later
        }
    }
}
