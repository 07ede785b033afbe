// A part of a path is a visitor's text: it needs a type with rules.
use dewar::forms::Path;
use dewar::{App, Page, get};

async fn show(Path(name): Path<String>) -> Page {
    Page::new("show.html").with("name", name)
}

fn app(app: App) -> App {
    app.public([get("/notes/{name}", show)])
}

fn main() {}
