// JSON whose members no document could state.
use dewar::pages::Json;
use dewar::{App, get};
use serde::Serialize;

#[derive(Serialize)]
struct Ticket {
    id: i64,
}

async fn ticket() -> Json<Ticket> {
    Json(Ticket { id: 7 })
}

fn app(app: App) -> App {
    app.public([get("/api/ticket", ticket)])
}

fn main() {}
