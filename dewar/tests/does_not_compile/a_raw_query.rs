// axum's own query: unknown and duplicate parameters pass, text has no bounds.
use std::collections::HashMap;

use dewar::{App, Page, get};

async fn search(query: axum::extract::Query<HashMap<String, String>>) -> Page {
    Page::new("search.html").with("query", query.0)
}

fn app(app: App) -> App {
    app.public([get("/search", search)])
}

fn main() {}
