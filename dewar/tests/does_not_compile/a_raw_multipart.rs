// Files as they come: without a limit, a type or a policy.
use dewar::{App, Redirect, post};

async fn receive(_files: axum::extract::Multipart) -> Redirect {
    Redirect::to("/")
}

fn app(app: App) -> App {
    app.signed_in([post("/files", receive)])
}

fn main() {}
