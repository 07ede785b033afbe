use dewar::{App, accounts, get, post};
use rust_embed::RustEmbed;

use crate::{
    Role, audit_log, comments, documents, front, notices, people, profile, reviews, schema, shares,
};

/// The whole route table: who may enter what.
///
/// The pages of accounts are the framework's.
#[expect(clippy::too_many_lines, reason = "a table, and on one page")]
pub fn app(app: App) -> App {
    app.public([
        get("/", front::index),
        get("/sign-up", accounts::sign_up_page),
        post("/sign-up", accounts::sign_up),
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
        get("/forgot", accounts::forgot_page),
        post("/forgot", accounts::forgot),
        get("/reset/{token}", accounts::reset_page),
        post("/reset/{token}", accounts::reset),
        get("/setup/{token}", accounts::set_up_page),
        post("/setup/{token}", accounts::set_up),
    ])
    .signed_in([
        post("/sign-out", accounts::sign_out),
        get("/documents", documents::list),
        post("/documents", documents::create),
        get("/documents/new", documents::new),
        get("/documents/{id}", documents::show),
        get("/documents/{id}/file", documents::download),
        get("/documents/{id}/delete", documents::confirm),
        post("/documents/{id}/delete", documents::delete),
        post("/documents/{id}/comments", comments::create),
        post("/documents/{id}/shares", shares::create),
        post("/documents/{id}/shares/{user}/end", shares::end),
        get("/account", profile::show),
        get("/account/picture", profile::picture),
        post("/account/picture", profile::change_picture),
        get("/account/password", accounts::change_password_page),
        post("/account/password", accounts::change_password),
        get("/account/sessions", accounts::sessions_page),
        post("/account/sessions/{id}/end", accounts::end_session),
        post("/account/sessions/end-others", accounts::end_other_sessions),
        get("/confirm", accounts::confirm_page),
        post("/confirm", accounts::confirm),
    ])
    .role(
        Role::Reviewer,
        [
            get("/reviews", reviews::queue),
            get("/reviews/{id}", reviews::show),
            post("/reviews/{id}", reviews::decide),
        ],
    )
    .role(
        Role::Administrator,
        [
            get("/admin/users", people::list),
            get("/admin/users.csv", people::export),
            post("/admin/users/{id}/roles", people::change_roles),
            post("/admin/users/{id}/disable", people::disable),
            post("/admin/users/{id}/enable", people::enable),
            post("/admin/users/{id}/sign-out", people::sign_out),
            get("/admin/audit", audit_log::list),
            get("/notices/new", notices::new),
            post("/notices", notices::publish),
            post("/notices/{id}/withdraw", notices::withdraw),
        ],
    )
    .templates::<Templates>()
    .static_files::<Static>()
    .migrations(schema::MIGRATIONS.iter().copied())
    .models(schema::models())
    .lock_file(include_str!("../../Cargo.lock"))
}

#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "static"]
struct Static;
