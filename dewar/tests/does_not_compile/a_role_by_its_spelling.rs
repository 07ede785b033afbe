// A role as text: a typing error would open or close a route.
use dewar::{App, get};

async fn queue() -> &'static str {
    "reviews"
}

fn app(app: App) -> App {
    app.role("reviwer", [get("/reviews", queue)])
}

fn main() {}
