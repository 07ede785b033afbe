use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::command::app(App::from_env()?).serve().await
}
