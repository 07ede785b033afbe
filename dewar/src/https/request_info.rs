use axum::http::Extensions;

use super::address::ClientAddress;
use super::drain::Drain;
use super::held_body::HeldBody;
use super::held_responses::UnreadOfConnection;
use super::nonce::Nonce;
use super::rejection::RequestRejection;
use super::request_id::RequestId;
use crate::audit::RoutePattern;

/// The facts of a request that are known before its session is: one value in its extensions.
///
/// The listener makes it where the request arrives, the stack adds the route, and [`HttpsLayer`](super::HttpsLayer) adds
/// how the body is counted.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    /// None for a request that came through no listener.
    pub(crate) address: Option<ClientAddress>,
    pub(crate) id: RequestId,
    pub(crate) nonce: Nonce,
    pub(crate) route: Option<RoutePattern>,
    /// Lets a reader read on where the body is over its limit.
    pub(crate) drain: Option<Drain>,
    /// Counts the bytes of the body that are held.
    pub(crate) held: Option<HeldBody>,
    /// The reason for which the head was refused before it was read. Another head stands in its place, whose method and
    /// path nobody sent.
    pub(crate) rejected_head: Option<RequestRejection>,
    /// The answers of the same connection that are not read yet.
    pub(super) unread: Option<UnreadOfConnection>,
}

impl RequestInfo {
    pub(crate) fn new() -> Self {
        Self {
            address: None,
            id: RequestId::new(),
            nonce: Nonce::new(),
            route: None,
            drain: None,
            held: None,
            rejected_head: None,
            unread: None,
        }
    }

    pub(crate) fn get(extensions: &Extensions) -> Option<&Self> {
        extensions.get()
    }

    /// The facts of a request, made here where it came through no listener.
    pub(crate) fn of(extensions: &mut Extensions) -> &mut Self {
        extensions.get_or_insert_with(Self::new)
    }
}
