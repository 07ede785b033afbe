// The body as a string: unchecked input.
use dewar::{App, Redirect, post};

async fn create(body: String) -> Redirect {
    drop(body);
    Redirect::to("/notes")
}

fn app(app: App) -> App {
    app.signed_in([post("/notes", create)])
}

fn main() {}
