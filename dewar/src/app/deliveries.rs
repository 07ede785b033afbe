//! Webhook deliveries: the signature is checked and each delivery is accepted once; after a failed handler it may come
//! again.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use crate::audit::Entry;
use crate::csrf::{AcceptedDelivery, WebhookAuth, WebhookRejection, Webhooks};
use crate::https::BodyError;
use crate::pages::{Error, ErrorKind, RequestContext};

/// The most bytes of a delivery.
const MOST: usize = 1024 * 1024;

/// The request with its [`VerifiedWebhook`](crate::csrf::VerifiedWebhook), and the value to [settle](settle) after the
/// response.
pub(super) async fn take(
    by: WebhookAuth,
    mut parts: Parts,
    body: Body,
) -> Result<(Request, AcceptedDelivery), Error> {
    let webhooks = RequestContext::of(&parts)?.service::<Webhooks>()?.clone();
    let body = read(body).await?;
    let (delivery, taken) = webhooks.take(by, &parts, body).await.map_err(|rejection| {
        match RequestContext::of(&parts) {
            Ok(context) => refused(rejection, by, context),
            Err(missing) => missing,
        }
    })?;
    // From here on the request has no session: a cookie that came along is not the sender's proof.
    RequestContext::of_mut(&mut parts)?.admission.webhook = Some(Box::new(delivery));
    Ok((Request::from_parts(parts, Body::empty()), taken))
}

/// A handler that failed has not done its work. Its sender sends the same delivery again, and that is no replay.
pub(super) async fn settle(taken: AcceptedDelivery, answer: StatusCode) {
    if answer.is_server_error() {
        taken.give_back().await;
    } else {
        taken.keep();
    }
}

fn refused(refusal: WebhookRejection, by: WebhookAuth, context: &RequestContext) -> Error {
    note(&refusal, by, context);
    match refusal {
        WebhookRejection::Database(error) => error.into(),
        // The signature is valid, so the sender learns the reason.
        WebhookRejection::Replayed => Error::new(ErrorKind::Conflict)
            .public("This delivery was already taken.")
            .because(refusal),
        // Everybody else gets one text for all reasons.
        WebhookRejection::Forged
        | WebhookRejection::Stale
        | WebhookRejection::Twice
        | WebhookRejection::Unsigned => Error::unauthenticated()
            .public("The delivery is not signed as agreed.")
            .because(refusal),
    }
}

fn note(refusal: &WebhookRejection, by: WebhookAuth, context: &RequestContext) {
    if let Some(event) = refusal.event() {
        let entry = Entry::new(event)
            .subject(format_args!("webhook {by}"))
            .outcome("refused");
        context.record(entry.detail(refusal));
    }
}

async fn read(body: Body) -> Result<Bytes, Error> {
    axum::body::to_bytes(body, MOST).await.map_err(|error| {
        let kind = match BodyError::find(&error) {
            // The error of axum's own limit has no type.
            Some(BodyError::TooLarge { .. }) | None => ErrorKind::TooLarge,
            Some(BodyError::TooSlow) => ErrorKind::TooSlow,
            Some(BodyError::Busy) => ErrorKind::Busy,
            Some(BodyError::Broken(_)) => ErrorKind::BadRequest,
        };
        Error::new(kind).because(error)
    })
}
