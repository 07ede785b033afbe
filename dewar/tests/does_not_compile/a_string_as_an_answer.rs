// A `String` is no answer: nobody knows what a browser would take it for.
use dewar::{App, CurrentUser, get};

async fn greet(person: CurrentUser) -> String {
    format!("<b>Hello, {}</b>", person.name())
}

fn app(app: App) -> App {
    app.signed_in([get("/", greet)])
}

fn main() {}
