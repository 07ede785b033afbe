// A route that says nothing about who may enter.
use dewar::{App, get};

async fn index() -> &'static str {
    "for whom?"
}

fn app(app: App) -> App {
    app.route("/", get("/", index))
}

fn main() {}
