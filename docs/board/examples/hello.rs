use dewar::{App, get};

async fn hello() -> &'static str {
    "Hello, world!"
}

#[tokio::main]
async fn main() -> dewar::Result {
    App::from_env()?.public([get("/", hello)]).serve().await
}
