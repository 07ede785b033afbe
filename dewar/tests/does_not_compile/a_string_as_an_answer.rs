// A `String` is no output: a browser would have to guess its type.
use dewar::{App, CurrentUser, get};

async fn greet(person: CurrentUser) -> String {
    format!("<b>Hello, {}</b>", person.name())
}

fn app(app: App) -> App {
    app.signed_in([get("/", greet)])
}

fn main() {}
