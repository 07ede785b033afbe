// A scope as text: a typing error would open or close a route for programs.
use dewar::{App, get};

async fn tickets() -> &'static str {
    "tickets"
}

fn app(app: App) -> App {
    app.api("tickets_raed", [get("/api/tickets", tickets)])
}

fn main() {}
