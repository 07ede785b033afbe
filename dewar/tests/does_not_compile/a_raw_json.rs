// JSON of any shape, without a token. `Form<T>` takes the same fields as JSON.
use axum::Json;
use dewar::{App, Redirect, post};

#[derive(serde::Deserialize)]
struct Note {
    title: String,
}

async fn create(note: Json<Note>) -> Redirect {
    drop(note.title.clone());
    Redirect::to("/notes")
}

fn app(app: App) -> App {
    app.signed_in([post("/notes", create)])
}

fn main() {}
