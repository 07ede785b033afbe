//! The way of a delivery: signed, taken once, and given back where the handler failed.

use axum::body::Body;
use axum::extract::Request;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;

use crate::audit::{Entry, Log};
use crate::csrf::{AcceptedDelivery, CsrfTokens, WebhookAuth, WebhookRejection, Webhooks};
use crate::https::{BodyError, about_request};
use crate::pages::{Error, ErrorKind, handle};
use crate::sessions::Session;

/// What is read of a delivery.
const MOST: usize = 1024 * 1024;

/// The request with its [`VerifiedWebhook`](crate::csrf::Delivery), and what to [settle](settle) when it is answered.
pub(super) async fn take(
    by: WebhookAuth,
    mut parts: Parts,
    body: Body,
) -> Result<(Request, AcceptedDelivery), Error> {
    let webhooks = handle::<Webhooks>(&parts, "Webhooks")?.clone();
    let body = read(body).await?;
    let (delivery, taken) = webhooks
        .take(by, &parts, body)
        .await
        .map_err(|refusal| refused(refusal, by, &parts))?;
    // Whoever's cookies came along is not who signed.
    parts.extensions.remove::<Session>();
    parts.extensions.remove::<CsrfTokens>();
    parts.extensions.insert(delivery);
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

fn refused(refusal: WebhookRejection, by: WebhookAuth, parts: &Parts) -> Error {
    note(&refusal, by, parts);
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

fn note(refusal: &WebhookRejection, by: WebhookAuth, parts: &Parts) {
    let (Some(event), Some(log)) = (refusal.event(), parts.extensions.get::<Log>()) else {
        return;
    };
    let entry = Entry::new(event)
        .subject(format_args!("webhook {by}"))
        .outcome("refused")
        .detail(refusal);
    log.record(about_request(entry, parts));
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
