use dewar::App;

#[tokio::main]
async fn main() -> dewar::Result {
    doors::web_socket::app(App::from_env()?).serve().await
}
