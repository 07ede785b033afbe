//! A rate limit of one route, stricter than the settings'.

use dewar::app::RateLimit;
use dewar::pages::NoContent;
use dewar::rust_embed::RustEmbed;
use dewar::{App, Page, get, post};

async fn index() -> Page {
    Page::new("import.html")
}

async fn import() -> NoContent {
    NoContent
}

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates/plain"]
struct Templates;

pub fn app(app: App) -> App {
    app.public([
        get("/", index),
        post("/import", import).rate_limit(RateLimit::per_minute(2)),
    ])
    .templates::<Templates>()
}

#[cfg(test)]
mod tests {
    use dewar::testing::Site;

    #[tokio::test]
    async fn the_third_request_within_a_minute_waits() {
        let site = Site::start(super::app).await;
        let visitor = site.visitor();
        let page = visitor.get("/").await;
        for status in [204, 204, 429] {
            let answer = visitor.submit(page.form("/import")).await;
            assert_eq!(answer.status(), status);
        }
        site.clock().advance(std::time::Duration::from_secs(60));
        assert_eq!(visitor.submit(page.form("/import")).await.status(), 204);
    }
}
