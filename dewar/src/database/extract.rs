//! `Db` as a handler's input.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};

use super::Db;

/// The request has no `Db`, because it did not pass the stack: 500, and a line in the log.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("there is no Db in the request: the handler runs outside the application's stack")]
#[non_exhaustive]
pub struct Missing;

impl IntoResponse for Missing {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "refused a request");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Db {
    type Rejection = Missing;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Missing> {
        parts.extensions.get::<Self>().cloned().ok_or(Missing)
    }
}
