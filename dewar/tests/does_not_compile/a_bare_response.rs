// A response put together by hand: any header, any body.
use dewar::{App, get};

async fn raw() -> axum::response::Response {
    axum::response::Response::new(axum::body::Body::from("<script>"))
}

fn app(app: App) -> App {
    app.public([get("/", raw)])
}

fn main() {}
