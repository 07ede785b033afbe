//! A layer of our own: each response says which version of the program sent it.

use dewar::axum::response::Response;
use dewar::http::HeaderValue;

const VERSION: HeaderValue = HeaderValue::from_static(env!("CARGO_PKG_VERSION"));

pub async fn add(mut response: Response) -> Response {
    response.headers_mut().insert("x-helpdesk-version", VERSION);
    response
}
