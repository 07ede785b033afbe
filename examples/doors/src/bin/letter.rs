use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::letter::app(App::from_env()?).serve().await
}
