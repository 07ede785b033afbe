use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    board::app(App::from_env()?).serve().await
}
