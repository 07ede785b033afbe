//! The portal: `portal` serves it, `portal --help` says what else it can do.

use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    portal::app(App::from_env()?).serve().await
}
