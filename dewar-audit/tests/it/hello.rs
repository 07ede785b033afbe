//! An application built on `dewar` without findings.

use std::fs;

use dewar::accounts::{self, NewUser};
use dewar::csrf::{VerifiedWebhook, WebhookAuth};
use dewar::forms::{Line, Path, Query};
use dewar::pages::Text;
use dewar::roles::Role;
use dewar::{App, Form, Page, get, post};
use dewar_audit::audit;
use dewar_audit::sources::{HttpOptions, HttpSource, LockFile, Person, RouteList, Sources};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Role)]
enum Rank {
    #[role(administrator)]
    Chief,
}

#[derive(Debug, Form)]
struct Search {
    q: Option<Line<80>>,
}

async fn search(Query(search): Query<Search>) -> Page {
    let text = search.q.map_or_else(String::new, |q| q.as_str().to_owned());
    Page::new("errors/error.html")
        .with("title", "Found")
        .with("text", text)
        .with("status", 200)
}

async fn show(Path(id): Path<i64>) -> Text {
    Text::new(format!("Note {id}"))
}

async fn mine() -> Page {
    Page::new("errors/error.html")
        .with("title", "Mine")
        .with("text", "yours")
        .with("status", 200)
}

async fn on_paid(_delivery: VerifiedWebhook) -> &'static str {
    "noted"
}

fn app(directory: &std::path::Path) -> App {
    App::in_directory(directory)
        .unwrap()
        .public([
            get("/", search),
            get("/notes/{id}", show),
            get("/sign-in", accounts::sign_in_page),
            post("/sign-in", accounts::sign_in),
            get("/sign-up", accounts::sign_up_page),
            post("/sign-up", accounts::sign_up),
        ])
        .signed_in([get("/mine", mine), post("/sign-out", accounts::sign_out)])
        .role(Rank::Chief, [get("/users", mine)])
        .webhook(
            WebhookAuth::hmac("billing"),
            [post("/hooks/billing", on_paid)],
        )
}

/// The key that the application and the sender share.
fn share_a_key(data: &std::path::Path) {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let webhooks = data.join("keys/webhooks");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&webhooks)
        .unwrap();
    fs::write(webhooks.join("billing"), dewar::secrets::random::<32>()).unwrap();
    fs::set_permissions(webhooks.join("billing"), fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_in_an_application_built_on_dewar() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    share_a_key(&data);
    let app = app(&data);
    let routes = serde_json::to_string(&app.route_table()).unwrap();
    let running = app.start().await.unwrap();
    let (email, password) = ("ada@example.org", "correct horse battery staple");
    let person = NewUser {
        email,
        name: "Ada",
        password,
    };
    running.dewar().accounts().add(person, &[]).await.unwrap();

    let mut manner = HttpOptions::new(running.url(), running.authority_file().unwrap());
    manner.plain = running
        .http()
        .map(|address| format!("http://localhost:{}", address.port()));
    manner.rate = 1000;
    let mut looks = Sources::new(
        HttpSource::open(&manner).unwrap(),
        RouteList::read(&routes).unwrap(),
    );
    looks.lock_file = Some(LockFile::read(include_str!("../../../Cargo.lock")).unwrap());
    looks.data = Some(data);
    looks.person = Some(Person::new(email, password, Vec::new()));
    let report = audit(&looks).await;

    let found: Vec<&str> = report.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(found, ["audit-contact-missing"], "{report}");
    // All other checks ran: a check with nothing to look at proves nothing.
    let unasked: Vec<&str> = report
        .asked
        .iter()
        .filter(|asked| !matches!(asked.result, dewar_audit::report::CheckOutcome::Found(_)))
        .map(|asked| asked.id)
        .collect();
    assert_eq!(unasked, ["audit-contact", "audit-panics"], "{report}");
    running.stop().await.unwrap();
}
