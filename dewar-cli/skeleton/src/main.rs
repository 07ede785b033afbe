//! `__name__` serves the application, `__name__ --help` lists the other commands.

use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    __crate__::app(App::from_env()?).serve().await
}
