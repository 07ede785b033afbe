use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::layer::app(App::from_env()?).serve().await
}
