use std::time::Duration;

use dewar::api::Origins;
use dewar::app::RateLimit;
use dewar::{App, accounts, api, get, jobs, post};
use rust_embed::RustEmbed;

use crate::{
    Role, audit_log, comments, documents, front, notices, overview, people, profile, reviews,
    schema, scopes::Scope, shares,
};

/// A program's requests to the API, over all its routes.
const PROGRAMS: RateLimit = RateLimit::per_minute(600).by_token();

/// The list of all users reads every row.
const EXPORTS: RateLimit = RateLimit::per_hour(30).by_user();

/// The whole route table: who may enter which page.
///
/// A role opens its own pages and no others, and a user may have several roles. Members hand in, find, read and discuss
/// documents; everybody who signs up is a member. A reviewer reads the documents that wait for a decision and decides. An
/// administrator manages users, notices and the log. Reviewers and administrators need the role of a member too, if they are to
/// do what members do.
///
/// Programs call the routes below `/api` with the token of a member, and reach what the member reaches, with the scopes that the
/// token has. No session counts there.
///
/// The framework provides the pages of accounts and of tokens.
#[expect(
    clippy::too_many_lines,
    reason = "readers can see the whole access policy on one page"
)]
pub fn app(app: App) -> App {
    app.public([
        get("/", front::index),
        get("/sign-up", accounts::sign_up_page),
        post("/sign-up", accounts::sign_up),
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
        post("/sign-in/with/{provider}", accounts::sign_in_at_provider),
        get("/sign-in/return/{provider}", accounts::provider_return),
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
        get("/account", profile::show),
        post("/account/name", profile::change_name),
        get("/account/picture", profile::picture),
        post("/account/picture", profile::change_picture),
        get("/account/telephone", profile::telephone::edit),
        post("/account/telephone", profile::telephone::change),
        get("/account/password", accounts::change_password_page),
        post("/account/password", accounts::change_password),
        get("/account/second-factor", accounts::factors_page),
        post("/account/second-factor", accounts::add_factor),
        post(
            "/account/second-factor/codes",
            accounts::renew_recovery_codes,
        ),
        post("/account/second-factor/remove", accounts::remove_factor),
        get("/account/sessions", accounts::sessions_page),
        post("/account/sessions/{id}/end", accounts::end_session),
        post("/account/sessions/end-others", accounts::end_other_sessions),
        get("/account/providers", accounts::providers_page),
        post("/account/providers", accounts::connect_proven_provider),
        post(
            "/account/providers/{id}/connect",
            accounts::connect_provider,
        ),
        post(
            "/account/providers/{id}/disconnect",
            accounts::disconnect_provider,
        ),
        get(api::TOKENS, api::tokens_page),
        post(api::TOKENS, api::create_token),
        post("/account/tokens/{id}/revoke", api::revoke_token),
        get("/confirm", accounts::confirm_page),
        post("/confirm", accounts::confirm),
        post("/confirm/with/{provider}", accounts::confirm_at_provider),
    ])
    .role(
        Role::Member,
        [
            get("/documents", documents::list),
            post("/documents", documents::create),
            get("/documents/new", documents::new).direct_uploads(),
            post("/documents/tickets", documents::ticket),
            get("/documents/{id}", documents::show),
            get("/documents/{id}/file", documents::download),
            get("/documents/{id}/thumbnail", documents::thumbnail),
            get("/documents/{id}/edit", documents::edit),
            post("/documents/{id}/edit", documents::change),
            get("/documents/{id}/delete", documents::confirm),
            post("/documents/{id}/delete", documents::delete),
            post("/documents/{id}/comments", comments::create),
            post("/documents/{id}/shares", shares::create),
            post("/documents/{id}/shares/{user}/end", shares::end),
        ],
    )
    .role(
        Role::Reviewer,
        [
            get("/reviews", reviews::queue),
            get("/reviews/live", reviews::queue_live),
            get("/reviews/{id}", reviews::show),
            get("/reviews/{id}/file", reviews::download),
            post("/reviews/{id}", reviews::decide),
        ],
    )
    .role(
        Role::Administrator,
        [
            get("/admin", overview::show),
            get("/admin/users", people::list),
            get("/admin/users.csv", people::export).rate_limit(EXPORTS),
            post("/admin/users/{id}/roles", people::change_roles),
            post("/admin/users/{id}/disable", people::disable),
            post("/admin/users/{id}/enable", people::enable),
            post("/admin/users/{id}/sign-out", people::sign_out),
            post("/admin/users/{id}/unlock", people::unlock),
            get("/admin/audit", audit_log::list),
            get(jobs::PAGE, jobs::page),
            post("/admin/jobs/{id}/retry", jobs::retry),
            get("/notices/new", notices::new),
            post("/notices", notices::publish),
            post("/notices/{id}/withdraw", notices::withdraw),
        ],
    )
    .api(
        Scope::DocumentsRead,
        PROGRAMS.over(
            "api",
            [
                get("/api/documents", documents::api::list).cors(Origins::from_settings()),
                get("/api/documents/{id}", documents::api::show).cors(Origins::from_settings()),
            ],
        ),
    )
    .api(
        Scope::DocumentsWrite,
        PROGRAMS.over(
            "api",
            [
                post("/api/documents", documents::api::create),
                post("/api/documents/{id}", documents::api::change),
            ],
        ),
    )
    .api(
        Scope::CommentsWrite,
        PROGRAMS.over(
            "api",
            [post(
                "/api/documents/{id}/comments",
                comments::create_by_program,
            )],
        ),
    )
    .daily_at("03:30", &notices::RemoveOld)
    .every(Duration::from_secs(600), &documents::IndexDocuments)
    .sign_up_as(Role::Member)
    .templates::<Templates>()
    .static_files::<Static>()
    .languages::<Locales>("en")
    .migrations(schema::MIGRATIONS.iter().copied())
    .models(schema::models())
    .letter::<reviews::Decided<'_>>()
    .sealed([profile::telephone::TELEPHONE])
    .read_command::<documents::CountDocuments>()
    .lock_file(include_str!("../../Cargo.lock"))
}

#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "static"]
struct Static;

#[derive(RustEmbed)]
#[folder = "locales"]
struct Locales;
