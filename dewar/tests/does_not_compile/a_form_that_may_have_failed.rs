// A handler that goes on where the form, and with it the token, was refused.
use dewar::forms::Line;
use dewar::{App, Error, Form, Redirect, post};

#[derive(Form)]
struct Rename {
    name: Line<80>,
}

async fn rename(form: Result<Form<Rename>, Error>) -> Redirect {
    drop(form);
    Redirect::to("/renamed-all-the-same")
}

fn app(app: App) -> App {
    app.public([post("/name", rename)])
}

fn main() {}
