//! Tiny applications, each with one fault, and the same without it.

mod access;
mod inject;
mod noise;
pub(crate) mod server;
