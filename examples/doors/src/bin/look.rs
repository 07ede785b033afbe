use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::look::app(App::from_env()?).serve().await
}
