//! WebSockets (RFC 6455), without extensions: JSON as text in both directions.
//!
//! The protocol is written here, and not taken from a crate: only so does every frame count, also the empty part of a message
//! that never ends, and a connection stays in the task of the listener that bounds it.

mod conversation;
mod frames;
mod handshake;
mod output;

pub use output::WebSocket;

pub(crate) use handshake::Handshake;

pub(super) use conversation::Conversation;
pub(super) use output::take;
