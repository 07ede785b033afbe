use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::webhook::app(App::from_env()?).serve().await
}
