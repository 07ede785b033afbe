//! The front page.

use dewar::Page;

/// `GET /`
pub async fn index() -> Page {
    Page::new("front/index.html")
}
