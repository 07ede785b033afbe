// A weakening has a reason, which the audit reports.
use dewar::{App, post};

async fn heartbeat() -> &'static str {
    ""
}

fn app(app: App) -> App {
    app.public([post("/heartbeat", heartbeat).dangerous_without_rate_limit()])
}

fn main() {}
