use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::ApiScope;
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{BearerCaller, Error, RequestContext, Sealed};
use crate::sessions::UserId;

/// The program that calls a route under [`App::api`](crate::App::api): a person's own, or a service.
///
/// A handler that works for a person takes [`CurrentUser`](crate::CurrentUser) as well, or only. Dewar refuses a service
/// there with 403.
///
/// ```
/// use dewar::{App, api::{ApiCaller, ApiScope}, get, pages::Text};
/// #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Scope { TicketsRead, TicketsWrite }
/// async fn may(caller: ApiCaller) -> Text {
///     Text::new(if caller.has_scope(Scope::TicketsWrite) { "read and write" } else { "read" })
/// }
/// fn app(app: App) -> App { app.api(Scope::TicketsRead, [get("/api/me", may)]) }
/// ```
#[derive(Clone, Debug)]
pub struct ApiCaller(Arc<BearerCaller>);

impl ApiCaller {
    /// The id of the token, which is not secret.
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.0.token
    }

    /// The name of the token, as its owner wrote it.
    #[must_use]
    pub fn token_name(&self) -> &str {
        &self.0.name
    }

    /// The owner of a personal token; none for a service.
    #[must_use]
    pub fn person(&self) -> Option<UserId> {
        self.0.person.as_ref().map(crate::sessions::Principal::id)
    }

    /// Whether the token has a scope now.
    #[must_use]
    pub fn has_scope<S: ApiScope>(&self, scope: S) -> bool {
        self.0.scopes.contains(&scope.name())
    }

    /// The names of the token's scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.0.scopes.iter().copied()
    }
}

impl<S: Sync> FromRequestParts<S> for ApiCaller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let bearer = RequestContext::of(parts)?.bearer().cloned();
        bearer.map(Self).ok_or_else(|| Error::missing("ApiCaller"))
    }
}

impl HandlerInput for ApiCaller {
    fn describe(_: &mut Described, _: Sealed) {}
}

impl FromParts for ApiCaller {}
