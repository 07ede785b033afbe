//! __title__.

mod front;
mod schema;

use dewar::roles::Role;
use dewar::rust_embed::RustEmbed;
use dewar::{App, accounts, get, post};

/// The roles. A user may have several, or none.
#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staff {
    Member,
    #[role(administrator)]
    Administrator,
}

/// The route table: who may enter which page.
pub fn app(app: App) -> App {
    app.public([
        get("/", front::index),
        get("/sign-up", accounts::sign_up_page),
        post("/sign-up", accounts::sign_up),
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
        get("/second-factor", accounts::second_factor_page),
        post("/second-factor", accounts::second_factor),
        get("/forgot", accounts::forgot_page),
        post("/forgot", accounts::forgot),
        get("/reset/{token}", accounts::reset_page),
        post("/reset/{token}", accounts::reset),
        get("/setup/{token}", accounts::set_up_page),
        post("/setup/{token}", accounts::set_up),
    ])
    .signed_in([
        post("/sign-out", accounts::sign_out),
        get("/account/password", accounts::change_password_page),
        post("/account/password", accounts::change_password),
        get("/account/second-factor", accounts::factors_page),
        post("/account/second-factor", accounts::add_factor),
        post("/account/second-factor/codes", accounts::renew_recovery_codes),
        post("/account/second-factor/remove", accounts::remove_factor),
        get("/account/sessions", accounts::sessions_page),
        post("/account/sessions/{id}/end", accounts::end_session),
        post("/account/sessions/end-others", accounts::end_other_sessions),
        get("/confirm", accounts::confirm_page),
        post("/confirm", accounts::confirm),
    ])
    .sign_up_as(Staff::Member)
    .templates::<Templates>()
    .static_files::<Static>()
    .migrations(schema::MIGRATIONS.iter().copied())
    .models(schema::models())
    .lock_file(include_str!("../Cargo.lock"))
}

/// The templates.
#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates"]
pub struct Templates;

/// The style sheet.
#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "static"]
struct Static;
