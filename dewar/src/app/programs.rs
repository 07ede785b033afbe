//! The routes for programs and for scripts of other origins, which the stack has to know before it reads a session.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, header};

use super::RouteTable;
use super::outside::Carried;
use super::stack::{Core, host_of, shown};
use crate::api::{
    self, Accepted, ApiTokens, AskedOrigin, Authorization, CorsRoute, Origins, TokenRejection,
    TokenUse,
};
use crate::audit::{Entry, Event};
use crate::csrf::{CsrfTokens, Origin};
use crate::https::ClientAddress;
use crate::pages::{Error, ErrorKind, Facts, Message, Prefers, RequestContext};
use crate::roles::Access;
use crate::sessions::Cookies;

/// The value of `Vary` of a response that depends on the token and the origin.
const VARY: HeaderValue = HeaderValue::from_static("authorization, origin");

/// A route that a program or a script of another origin calls.
#[derive(Debug, Clone)]
pub(super) struct ProgramRoute {
    cors: Option<CorsRoute>,
    method: Method,
    takes_token: bool,
}

impl ProgramRoute {
    pub(super) const fn takes_token(&self) -> bool {
        self.takes_token
    }

    fn origins(&self) -> Option<&Origins> {
        self.cors.as_ref().map(|cors| &cors.origins)
    }

    /// The origin of a request for this route.
    pub(super) fn asked(&self, parts: &Parts) -> AskedOrigin {
        AskedOrigin::of(&parts.headers, host_of(parts), self.origins())
    }
}

/// These routes, by the patterns of their paths. Most applications have few of them, and many none.
#[derive(Debug, Default)]
pub(super) struct ProgramRoutes(HashMap<&'static str, Vec<ProgramRoute>>);

impl ProgramRoutes {
    pub(super) fn of_table(table: &RouteTable) -> Self {
        let mut routes: HashMap<&'static str, Vec<ProgramRoute>> = HashMap::new();
        for entry in table.entries() {
            let takes_token = matches!(entry.access, Access::Api(_));
            let Ok(method) = entry.method.parse::<Method>() else {
                continue;
            };
            if !takes_token && entry.cors.is_none() {
                continue;
            }
            let cors = entry.cors.clone().map(|origins| CorsRoute {
                method: method.clone(),
                origins,
                takes_token,
            });
            routes.entry(entry.path).or_default().push(ProgramRoute {
                cors,
                method,
                takes_token,
            });
        }
        Self(routes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The routes of a pattern.
    pub(super) fn at(&self, pattern: Option<&'static str>) -> &[ProgramRoute] {
        let found = pattern.and_then(|pattern| self.0.get(pattern));
        found.map_or(&[], Vec::as_slice)
    }

    /// The route of a pattern and a method.
    pub(super) fn find(
        &self,
        pattern: Option<&'static str>,
        method: &Method,
    ) -> Option<&ProgramRoute> {
        let wanted = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        self.at(pattern)
            .iter()
            .find(|route| route.method == *wanted)
    }
}

impl Core {
    /// The response to a browser's question whether a script may send its request.
    pub(super) fn preflight(&self, parts: &Parts, here: &[ProgramRoute]) -> Response {
        let routes = here.iter().filter_map(|route| route.cors.as_ref());
        api::preflight(&parts.headers, host_of(parts), routes)
            .unwrap_or_else(|| self.other_origin(&self.of_program(parts, None)))
    }

    /// The response to a program. Dewar reads no cookie, no session and no CSRF token, and sets no cookie.
    pub(super) async fn program(
        self: Arc<Self>,
        route: ProgramRoute,
        mut parts: Parts,
        body: Body,
        carried: Carried,
    ) -> Response {
        let mut sent = carried.authorization.unwrap_or_default();
        // A layer may have changed the path to that of this route.
        let left = Authorization::take(&mut parts.headers);
        if sent.is_empty() {
            *sent = left;
        }
        let asked = route.asked(&parts);
        let mut response = match &asked {
            AskedOrigin::Other => self.other_origin(&self.of_program(&parts, None)),
            AskedOrigin::Listed(_) | AskedOrigin::Own => match self.caller(&parts, &sent).await {
                Ok((accepted, used)) => {
                    if let (Some(line), Some(person)) = (&carried.line, &accepted.caller.person) {
                        line.by(person.id());
                    }
                    let response = self.with_token(accepted, parts, body).await;
                    drop(used);
                    response
                }
                Err(refused) => refused,
            },
        };
        if let AskedOrigin::Listed(origin) = asked {
            api::allow(&mut response, origin);
        }
        response.headers_mut().append(header::VARY, VARY);
        response
    }

    fn other_origin(&self, context: &RequestContext) -> Response {
        context.record(Entry::new(Event::MaliciousCors).outcome("refused"));
        let error = Error::forbidden().public(Message::new("api-cors-refused"));
        shown(error, context)
    }

    /// The context of a program's request.
    fn of_program(&self, parts: &Parts, accepted: Option<Accepted>) -> RequestContext {
        let services = &self.services;
        let session = services.sessions.visitor();
        let mut facts = Facts::new(services, parts, &Cookies::default(), session);
        facts.prefers = Prefers::Json;
        facts.origin = Origin::Own;
        facts.route = self.patterns.of(&parts.uri);
        let Some(accepted) = accepted else {
            return RequestContext::new(facts);
        };
        facts.tokens = CsrfTokens::not_needed(services.ring.clone());
        let id = accepted.caller.token.clone();
        let rights = accepted.caller.rights();
        facts.bearer = Some(Arc::new(accepted.caller));
        let mut context = RequestContext::new(facts);
        if let Ok(tokens) = context.service::<ApiTokens>().cloned() {
            context.admission.loaded.add(move || {
                let (tokens, id, rights) = (tokens.clone(), id.clone(), rights.clone());
                async move {
                    if tokens.still_holds(&id, &rights).await? {
                        return Ok(());
                    }
                    let cause = "the token changed during the upload";
                    Err(Error::unauthenticated().because(cause))
                }
            });
        }
        context
    }

    /// Who calls, or the response to a request without a token that works.
    async fn caller(
        &self,
        parts: &Parts,
        sent: &Authorization,
    ) -> Result<(Accepted, Option<TokenUse>), Response> {
        let context = self.of_program(parts, None);
        if api::in_address(&parts.uri) {
            let entry = Entry::new(Event::AuthnLoginFail).detail("an API token in the address");
            context.record(entry.outcome("refused"));
            let error = Error::bad_request(Message::new("api-token-in-address"));
            return Err(shown(error.challenge(INVALID_REQUEST), &context));
        }
        let from = context.address().map(ClientAddress::network);
        let tokens = context.service::<ApiTokens>();
        let tokens = tokens.map_err(|error| shown(error, &context))?;
        match tokens.authenticate(sent, from).await {
            Ok(accepted) => Ok(accepted),
            Err(rejection) => Err(shown(rejected(rejection, &context), &context)),
        }
    }

    async fn with_token(&self, accepted: Accepted, parts: Parts, body: Body) -> Response {
        let is_first_use = accepted.is_first_use;
        let context = self.of_program(&parts, Some(accepted));
        if let Some(caller) = context.bearer().filter(|_| is_first_use) {
            let entry = Entry::new(Event::AuthnTokenFirstUse);
            context.record(entry.subject(format_args!("token {}", caller.token)));
        }
        let response = self.handle(&context, parts, body).await;
        self.without_cookies(response, &context)
    }
}

const INVALID_REQUEST: &str = "Bearer realm=\"api\", error=\"invalid_request\"";

/// The error of a request whose token does not work (RFC 6750, 3). One text for all reasons: they are in the log.
fn rejected(rejection: TokenRejection, context: &RequestContext) -> Error {
    match rejection {
        TokenRejection::Missing => Error::unauthenticated()
            .public(Message::new("api-token-missing"))
            .challenge("Bearer realm=\"api\""),
        TokenRejection::Malformed => {
            Error::bad_request(Message::new("api-token-malformed")).challenge(INVALID_REQUEST)
        }
        TokenRejection::Invalid(event, why, id) => {
            let mut entry = Entry::new(event).outcome("refused").detail(why);
            if let Some(id) = id {
                entry = entry.subject(format_args!("token {id}"));
            }
            context.record(entry);
            Error::unauthenticated()
                .public(Message::new("api-token-invalid"))
                .challenge("Bearer realm=\"api\", error=\"invalid_token\"")
                .because(why)
        }
        TokenRejection::Throttled(wait) => {
            let entry = Entry::new(Event::ExcessRateLimitExceeded);
            context.record(entry.detail("refused API tokens"));
            Error::new(ErrorKind::TooManyRequests).retry_after(wait)
        }
        TokenRejection::Database(error) => error.into(),
    }
}
