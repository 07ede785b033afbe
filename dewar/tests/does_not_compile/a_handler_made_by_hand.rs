// A handler that names a form among its arguments, and never takes it.
use std::future::{Ready, ready};

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use dewar::forms::Line;
use dewar::Form;

#[derive(Form)]
struct Rename {
    name: Line<80>,
}

#[derive(Clone)]
struct Mine;

type HandlerInputs = ((), Form<Rename>);

impl<S> Handler<HandlerInputs, S> for Mine {
    type Future = Ready<Response>;

    fn call(self, _: Request, _: S) -> Self::Future {
        ready(Response::default())
    }
}

impl dewar::app::HandlerFn<HandlerInputs> for Mine {}

fn main() {}
