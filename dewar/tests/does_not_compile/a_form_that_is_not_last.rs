// A form reads the body, and the body can be read once: it is the last argument.
use dewar::forms::Line;
use dewar::{App, CurrentUser, Form, Redirect, post};

#[derive(Form)]
struct Rename {
    name: Line<80>,
}

async fn rename(form: Form<Rename>, _person: CurrentUser) -> dewar::Result<Redirect> {
    form.or_rerender("rename.html").map(|_| Redirect::to("/"))
}

fn app(app: App) -> App {
    app.signed_in([post("/name", rename)])
}

fn main() {}
