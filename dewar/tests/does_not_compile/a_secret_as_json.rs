// A secret in a response.
use dewar::{App, get, pages::Json, secrets::Secret};

async fn settings() -> Json<Secret<String>> {
    Json(Secret::new("the key".to_owned()))
}

fn app(app: App) -> App {
    app.public([get("/settings", settings)])
}

fn main() {}
