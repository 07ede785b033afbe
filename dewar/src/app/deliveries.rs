//! The way of a delivery: signed, taken once, and given back where the handler failed.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use crate::audit::Entry;
use crate::csrf::{AcceptedDelivery, WebhookAuth, WebhookRejection, Webhooks};
use crate::https::BodyError;
use crate::pages::{Error, ErrorKind, RequestContext};

/// What is read of a delivery.
const MOST: usize = 1024 * 1024;

/// The request with its [`VerifiedWebhook`](crate::csrf::Delivery), and what to [settle](settle) when it is answered.
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
    // From now on the request has no session: cookies that came along are not the sender's proof.
    RequestContext::of_mut(&mut parts)?.admission.webhook = Some(Box::new(delivery));
    Ok((Request::from_parts(parts, Body::empty()), taken))
}

/// A handler that failed has not done its work, and its sender sends the same again: that is no replay.
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
        // The signature holds, so this is told to its sender.
        WebhookRejection::Replayed => Error::new(ErrorKind::Conflict)
            .public("This delivery was already taken.")
            .because(refusal),
        // To anybody else the reasons are one.
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
            // axum's own bound is an error without a name.
            Some(BodyError::TooLarge { .. }) | None => ErrorKind::TooLarge,
            Some(BodyError::TooSlow) => ErrorKind::TooSlow,
            Some(BodyError::Busy) => ErrorKind::Busy,
            Some(BodyError::Broken(_)) => ErrorKind::BadRequest,
        };
        Error::new(kind).because(error)
    })
}
