use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::setting::app(App::from_env()?).serve().await
}
