use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::job::app(App::from_env()?).serve().await
}
