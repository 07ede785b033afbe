//! Real files, made here, and what Dewar does with them.

mod corpus;
mod documents;
pub(super) mod made;
mod pictures;
mod served;
mod signatures;
mod stored;
mod texts;
mod viruses;
