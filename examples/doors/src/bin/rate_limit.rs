use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::rate_limit::app(App::from_env()?).serve().await
}
