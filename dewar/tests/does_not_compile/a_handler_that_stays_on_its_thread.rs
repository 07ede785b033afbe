// An `Rc` that lives across an `.await` keeps the handler on one thread.
use std::rc::Rc;

use dewar::{App, get};

async fn hello() -> &'static str {
    let name = Rc::new("Ada");
    std::future::ready(()).await;
    drop(name);
    "Hello"
}

fn app(app: App) -> App {
    app.public([get("/", hello)])
}

fn main() {}
