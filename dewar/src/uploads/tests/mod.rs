//! Real files, made here, and what Dewar does with them.

mod animations;
#[cfg(feature = "s3")]
mod binding;
#[cfg(feature = "s3")]
mod bucket;
mod colours;
mod corpus;
#[cfg(feature = "s3")]
mod direct;
mod documents;
pub(super) mod made;
mod media;
mod moved;
mod pictures;
#[cfg(feature = "s3")]
mod s3;
mod served;
mod signatures;
mod stored;
mod svg;
mod texts;
mod thumbnails;
mod viruses;
