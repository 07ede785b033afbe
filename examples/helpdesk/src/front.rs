//! The front page.

use dewar::{Page, Settings};

use crate::settings::DeskSettings;

/// `GET /`
pub async fn index(settings: Settings<DeskSettings>) -> Page {
    Page::new("front/index.html").with("desk", &settings.name)
}
