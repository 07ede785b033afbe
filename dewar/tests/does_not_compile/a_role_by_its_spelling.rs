// A role as text: a slip of the pen would open or close the door.
use dewar::{App, get};

async fn queue() -> &'static str {
    "reviews"
}

fn app(app: App) -> App {
    app.role("reviwer", [get("/reviews", queue)])
}

fn main() {}
