// A secret in an answer.
use dewar::{pages::Json, secrets::Secret};

async fn settings(key: Secret<String>) -> Json<Secret<String>> {
    Json(key)
}

fn app(app: dewar::App) -> dewar::App {
    app.public([dewar::get("/settings", settings)])
}

fn main() {}
