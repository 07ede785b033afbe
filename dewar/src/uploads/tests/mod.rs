//! Real files, made here, and what becomes of them.

mod documents;
mod made;
mod pictures;
mod served;
mod signatures;
mod stored;
mod texts;
