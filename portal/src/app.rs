use dewar::{App, get, post};
use rust_embed::RustEmbed;

use crate::{Role, audit_log, comments, documents, front, notices, people, profile, reviews, schema, shares};

/// The whole route table: who may enter what.
///
/// Signing up, in and out, setting up the first administrator and forgotten passwords are the framework's pages.
pub fn app(app: App) -> App {
    app.public([get("/", front::index)])
        .signed_in([
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
        ])
        .role(Role::Reviewer, [
            get("/reviews", reviews::queue),
            get("/reviews/{id}", reviews::show),
            post("/reviews/{id}", reviews::decide),
        ])
        .role(Role::Administrator, [
            get("/admin/users", people::list),
            post("/admin/users/{id}/roles", people::change_roles),
            post("/admin/users/{id}/disable", people::disable),
            post("/admin/users/{id}/enable", people::enable),
            get("/admin/audit", audit_log::list),
            get("/notices/new", notices::new),
            post("/notices", notices::publish),
            post("/notices/{id}/withdraw", notices::withdraw),
        ])
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
