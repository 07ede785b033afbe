//! A tower layer around the routes. It sees no session token and passes no guard.

use dewar::axum::extract::Request;
use dewar::axum::middleware::{Next, from_fn};
use dewar::axum::response::Response;
use dewar::http::HeaderValue;
use dewar::pages::RequestContext;
use dewar::{App, get};

async fn name_the_route(context: RequestContext, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let route = context.route().unwrap_or("none");
    if let Ok(route) = HeaderValue::from_str(route) {
        response.headers_mut().insert("x-route", route);
    }
    response
}

async fn index() -> &'static str {
    "Look at the header x-route."
}

pub fn app(app: App) -> App {
    app.public([get("/", index)])
        .layer_inside(from_fn(name_the_route))
}

#[cfg(test)]
mod tests {
    use dewar::testing::Site;

    #[tokio::test]
    async fn the_layer_adds_a_header() {
        let site = Site::start(super::app).await;
        let answer = site.visitor().get("/").await;
        assert_eq!(answer.header("x-route"), Some("/"));
    }
}
