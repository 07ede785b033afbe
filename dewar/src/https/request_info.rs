use axum::http::Extensions;

use super::address::ClientAddress;
use super::drain::Drain;
use super::held_body::HeldBody;
use super::held_responses::UnreadOfConnection;
use super::nonce::Nonce;
use super::rejection::RequestRejection;
use super::request_id::RequestId;
use crate::audit::RoutePattern;

/// The facts of a request that are known before its session: one value in its extensions.
///
/// The listener makes it when the request arrives. The stack adds the route, and [`HttpsLayer`](super::HttpsLayer) adds the
/// counters of the body.
#[derive(Clone, Debug)]
pub(crate) struct RequestInfo {
    /// None for a request that came through no listener.
    pub(crate) address: Option<ClientAddress>,
    /// Whether a trusted proxy names the clients of this connection in headers. An address on this machine is then its word.
    pub(crate) is_forwarded: bool,
    /// Whether that proxy named no client, so that the address is its own.
    pub(crate) client_unnamed: bool,
    pub(crate) id: RequestId,
    pub(crate) nonce: Nonce,
    pub(crate) route: Option<RoutePattern>,
    /// Lets a reader read on after the body is over its limit.
    pub(crate) drain: Option<Drain>,
    /// Counts the buffered bytes of the body.
    pub(crate) held: Option<HeldBody>,
    /// The reason why the head was refused before it was parsed. The request then has a substitute head, whose method and
    /// path nobody sent.
    pub(crate) rejected_head: Option<RequestRejection>,
    /// The responses of the same connection that the client has not read yet.
    pub(super) unread: Option<UnreadOfConnection>,
}

impl RequestInfo {
    pub(crate) fn new() -> Self {
        Self {
            address: None,
            is_forwarded: false,
            client_unnamed: false,
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

    /// The facts of a request. It makes them if the request came through no listener.
    pub(crate) fn of(extensions: &mut Extensions) -> &mut Self {
        extensions.get_or_insert_with(Self::new)
    }
}
