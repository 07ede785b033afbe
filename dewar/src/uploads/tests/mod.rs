//! Real files, made here, and what Dewar does with them.

#[cfg(feature = "s3")]
mod bucket;
mod corpus;
mod documents;
pub(super) mod made;
mod moved;
mod pictures;
#[cfg(feature = "s3")]
mod s3;
mod served;
mod signatures;
mod stored;
mod texts;
mod viruses;
