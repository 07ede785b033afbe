//! Uploads.

mod archive;
mod disposition;
mod kind;
mod name;
mod pdf;
mod picture;
mod policy;
mod recognise;
mod refused;
mod scan;
mod tags;
mod text;
mod whole;

pub use kind::FileKind;
pub use policy::{Bytes, Document, Picture, Policy};
pub use refused::Refused;

#[cfg(test)]
mod tests;
