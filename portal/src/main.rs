//! The portal: `portal` serves it, `portal --help` lists the other commands.

use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    portal::app(App::from_env()?).serve().await
}
