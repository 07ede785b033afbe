//! `helpdesk` serves the application, `helpdesk --help` lists the other commands.

use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    helpdesk::app(App::from_env()?).serve().await
}
