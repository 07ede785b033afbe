//! A help desk: customers open tickets, agents answer them.

mod api;
mod attachments;
mod closing;
mod front;
mod mail_gateway;
mod people;
mod replies;
mod report;
mod schema;
mod settings;
mod tickets;
mod version;

use dewar::app::AccountPages;
use dewar::axum::middleware::map_response;
use dewar::csrf::WebhookAuth;
use dewar::forms::Choices;
use dewar::roles::Role;
use dewar::rust_embed::RustEmbed;
use dewar::{App, CurrentUser, get, post};

use api::ApiAccess;
use closing::CloseUnanswered;
use report::Report;
use settings::{DeskSettings, Layout};
use tickets::OPENING_LIMIT;

/// The roles. A user may have several, or none.
#[derive(Role, Choices, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staff {
    Customer,
    Agent,
    #[role(administrator)]
    Administrator,
}

impl Staff {
    /// Whether somebody has this role.
    pub(crate) fn is_held_by(self, person: &CurrentUser) -> bool {
        person.has_role_named(self.name())
    }
}

/// The route table: who may enter which page.
pub fn app(app: App) -> App {
    parts(app)
        .account_pages(AccountPages::new().with_tokens())
        .sign_up_as(Staff::Customer)
        .public([get("/", front::index)])
        .signed_in([
            get("/tickets", tickets::list),
            post("/tickets", tickets::create).rate_limit(OPENING_LIMIT),
            get("/tickets/new", tickets::new),
            get("/tickets/{id}", tickets::show),
            post("/tickets/{id}/replies", replies::create),
            get("/attachments/{id}", attachments::download),
        ])
        .role(
            Staff::Agent,
            [
                get("/queue", tickets::queue),
                get("/queue/live", tickets::queue_live),
                get("/tickets/{id}/edit", tickets::edit),
                post("/tickets/{id}/edit", tickets::change),
            ],
        )
        .any_role(
            [Staff::Agent, Staff::Administrator],
            [get("/tickets.csv", tickets::export)],
        )
        .role(
            Staff::Administrator,
            [
                get("/people", people::list),
                post("/people", people::set_roles),
            ],
        )
        .api(ApiAccess::TicketsRead, [get("/api/tickets", api::list)])
        .api(
            ApiAccess::TicketsWrite,
            [post("/api/tickets", api::create).rate_limit(OPENING_LIMIT.by_user())],
        )
        .webhook(
            WebhookAuth::hmac("mail"),
            [post("/hooks/mail", mail_gateway::receive)],
        )
}

/// Everything that is no page.
fn parts(app: App) -> App {
    app.templates::<Templates>()
        .static_files::<Static>()
        .languages::<Languages>("en")
        .migrations(schema::MIGRATIONS.iter().copied())
        .models(schema::models())
        .settings::<DeskSettings>()
        .layout_values(Layout::of)
        .letter::<replies::Replied<'_>>()
        .daily_at("03:30", &CloseUnanswered)
        .read_command::<Report>()
        .layer_outside(map_response(version::add))
        .lock_file(include_str!("../../../Cargo.lock"))
}

/// The templates.
#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates"]
pub struct Templates;

/// The messages, a folder for each language.
#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "locales"]
pub struct Languages;

/// The style sheet.
#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "static"]
struct Static;
