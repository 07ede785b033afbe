// HTML put together by hand: nothing in it is escaped.
use dewar::{App, get};

async fn greet() -> axum::response::Html<String> {
    axum::response::Html(format!("<h1>Hello {}</h1>", "<script>"))
}

fn app(app: App) -> App {
    app.public([get("/", greet)])
}

fn main() {}
