//! The page of one.

use dewar::Page;
use dewar::roles::Scoped;

use super::Mine;

/// `GET /__tickets__/{id}`
pub async fn show(__ticket__: Scoped<Mine>) -> Page {
    Page::new("__tickets__/show.html").with("__ticket__", &*__ticket__)
}
