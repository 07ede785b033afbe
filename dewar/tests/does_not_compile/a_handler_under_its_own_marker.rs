// It looks like a function that axum calls and gives a page. Its own `Handler` answers with HTML of its own instead.
use std::future::{Ready, ready};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{Html, IntoResponse, Response};
use dewar::app::Route;
use dewar::{Db, Page, get};

struct Marker;

#[derive(Clone)]
struct State;

type Looks = fn(Db) -> Ready<Page>;

impl Handler<(Marker, Db), State> for Looks {
    type Future = Ready<Response>;

    fn call(self, request: Request, _: State) -> Ready<Response> {
        ready(Html(format!("<b>{}</b>", request.uri())).into_response())
    }
}

fn route() -> Route<State> {
    let looks: Looks = |_| ready(Page::new("index.html"));
    get::<_, (Marker, Db), _>("/", looks)
}

fn main() {}
