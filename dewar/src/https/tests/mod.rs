//! Tests of the room over real sockets.

mod heads;
mod http2;
mod proxied;
mod redirecting;
mod server;
mod shutdown;
mod slow;
mod strict_rules;
mod too_much;
