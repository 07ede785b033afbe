// axum's own form: no bounds, no CSRF check, unknown fields ignored.
use dewar::{App, Redirect, post};

#[derive(serde::Deserialize)]
struct Note {
    title: String,
}

async fn create(note: axum::extract::Form<Note>) -> Redirect {
    drop(note.title.clone());
    Redirect::to("/notes")
}

fn app(app: App) -> App {
    app.signed_in([post("/notes", create)])
}

fn main() {}
