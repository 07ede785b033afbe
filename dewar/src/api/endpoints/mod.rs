//! The pages of API tokens. An application mounts them at the paths in this room's constants.
mod form;
mod service_tokens;
mod tokens;

pub use form::NewApiToken;
pub use service_tokens::{create_service_token, revoke_service_token, service_tokens_page};
pub use tokens::{create_token, revoke_token, tokens_page};

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::ApiTokens;
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{Error, RequestContext, Sealed};

impl<S: Sync> FromRequestParts<S> for ApiTokens {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        RequestContext::of(parts)?.service().cloned()
    }
}

impl HandlerInput for ApiTokens {
    fn describe(_: &mut Described, _: Sealed) {}
}

impl FromParts for ApiTokens {}
