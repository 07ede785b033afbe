mod notices;

use dewar::database::Migration;
use dewar::roles::Role;
use dewar::rust_embed::RustEmbed;
use dewar::{App, accounts, get, post};

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staff {
    Editor,
    #[role(administrator)]
    Administrator,
}

pub fn app(app: App) -> App {
    app.public([
        get("/", notices::index),
        get("/notices/{id}/paper", notices::paper),
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
        get("/setup/{token}", accounts::set_up_page),
        post("/setup/{token}", accounts::set_up),
    ])
    .signed_in([post("/sign-out", accounts::sign_out)])
    .role(
        Staff::Editor,
        [
            get("/notices/new", notices::new),
            post("/notices", notices::publish),
        ],
    )
    .templates::<Templates>()
    .migrations([Migration::new(
        "board_0001_notices",
        include_str!("../migrations/0001_notices.sql"),
    )])
    .lock_file(include_str!("../Cargo.lock"))
}

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates"]
pub struct Templates;
