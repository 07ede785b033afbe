use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::token::app(App::from_env()?).serve().await
}
