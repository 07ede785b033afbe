//! Documents: handing in, finding, reading, downloading, changing, deleting.

pub(crate) mod api;
mod count;
mod delete;
pub(crate) mod document;
mod edit;
mod file;
mod filter;
mod list;
mod new;
mod reach;
mod search;
mod show;
mod tags;
mod view;

pub(crate) use count::CountDocuments;
pub(crate) use delete::{confirm, delete};
pub(crate) use document::DocumentStatus;
pub(crate) use edit::{change, edit};
pub(crate) use file::{download, thumbnail};
pub(crate) use list::list;
pub(crate) use new::{create, new, ticket};
pub(crate) use reach::{Mine, Readable, Reviewable};
pub(crate) use search::{DOCUMENTS as SEARCH, IndexDocuments};
pub(crate) use show::show;
pub(crate) use view::DocumentView;
