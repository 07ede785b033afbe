use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use super::{Session, Sessions};

/// The stack finds the session before it calls the handler; a request that did not pass the stack has none.
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        from_stack(parts, "Session")
    }
}

impl<S: Sync> FromRequestParts<S> for Sessions {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        from_stack(parts, "Sessions")
    }
}

fn from_stack<T: Clone + Send + Sync + 'static>(
    parts: &Parts,
    what: &'static str,
) -> Result<T, StatusCode> {
    parts.extensions.get().cloned().ok_or_else(|| {
        tracing::error!("`{what}` is missing: this handler was not mounted through `App`");
        StatusCode::INTERNAL_SERVER_ERROR
    })
}
