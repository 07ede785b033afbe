//! `live`: connections that stay open, from outside.

use std::time::Duration;

use dewar::accounts;
use dewar::api::{ApiScope, TokenHolder, TokenRequest};
use dewar::live::{EventStream, Live, LivePage, Topic};
use dewar::testing::{Browser, EventReader, wait_until};
use dewar::{App, CurrentUser, Db, Form, Page, Redirect, forms::Line, get, post};
use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};

use super::site::{self, Site, Staff};

mod web_sockets;

#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    AllRead,
}

const SAID: Topic<Said> = Topic::new("said");

#[derive(Serialize, Deserialize)]
struct Said {
    to: String,
    text: String,
}

#[derive(Form)]
struct Words {
    to: Line<80>,
    text: Line<200>,
}

#[derive(RustEmbed)]
#[folder = "tests/it/live_templates"]
struct Parts;

async fn say(db: Db, live: Live, form: Form<Words>) -> dewar::Result<Redirect> {
    let words = form.or_reject()?;
    let said = Said {
        to: words.to.to_string(),
        text: words.text.to_string(),
    };
    let tx = db.begin().await?;
    live.publish_in(&tx, &SAID, &said).await?;
    if said.text == "never mind" {
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(Redirect::to("/notes"))
}

/// What was said to the caller.
async fn heard(caller: CurrentUser, live: Live) -> EventStream<String> {
    let me = caller.name().to_owned();
    live.events([&SAID], move |said: Said| {
        (said.to == me || said.to == "all").then_some(said.text)
    })
}

async fn of_all(live: Live) -> EventStream<String> {
    live.events([&SAID], |said: Said| Some(said.text))
}

async fn part(caller: CurrentUser, db: Db, live: Live) -> LivePage {
    let name = caller.name().to_owned();
    live.page([&SAID], move || {
        let (name, db) = (name.clone(), db.clone());
        async move {
            let sql = "SELECT event FROM dewar_live_events ORDER BY id DESC LIMIT 1";
            let rows = db.query(sql, []).await?;
            let last: Option<String> = rows.first().map(|row| row.get(0)).transpose()?;
            Ok(Page::new("part.html").with("name", name).with("last", last))
        }
    })
}

async fn writes(db: Db, live: Live) -> LivePage {
    live.page([&SAID], move || {
        let db = db.clone();
        async move {
            db.execute("DELETE FROM dewar_live_events", []).await?;
            Ok(Page::new("part.html").with("name", "").with("last", ""))
        }
    })
}

/// Its part is gone for this reader.
async fn gone(live: Live) -> LivePage {
    live.page([&SAID], || async { Err(dewar::Error::not_found()) })
}

async fn publishes_on_get(live: Live) -> dewar::Result<&'static str> {
    let said = Said {
        to: "all".to_owned(),
        text: "from a link".to_owned(),
    };
    live.publish(&SAID, &said).await?;
    Ok("published")
}

fn app(app: App) -> App {
    site::app(app)
        .public([get("/all", of_all), get("/link", publishes_on_get)])
        .signed_in([
            get("/heard", heard),
            get("/part", part),
            get("/writes", writes),
            get("/gone", gone),
            post("/say", say),
            get("/confirm", accounts::confirm_page),
            post("/confirm", accounts::confirm),
        ])
        .role(Staff::Reviewer, [get("/reviewers", part)])
        .api(Scope::AllRead, [get("/api/all", of_all)])
        .templates::<Parts>()
}

async fn say_to(browser: &Browser, to: &str, text: &str) {
    let token = browser.get("/notes").await;
    let token = token.attribute("input[name=csrf_token]", "value").unwrap();
    let text: String = form_urlencoded(text);
    let body = format!("to={to}&text={text}&csrf_token={token}");
    let request = browser.raw("POST", "/say");
    let request = request.header("sec-fetch-site", "same-origin").form(&body);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 303, "{}", answer.text());
}

fn form_urlencoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
    bytes.collect()
}

/// The connection is open: its place is taken and its topics are known.
async fn open(browser: &Browser, path: &str) -> EventReader {
    let mut events = browser.events(path).await;
    assert_eq!(events.status(), 200);
    assert_eq!(
        events.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert!(events.more().await, "its first line");
    events
}

async fn data(events: &mut EventReader) -> String {
    events.next().await.unwrap().data
}

/// ASVS: V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn events_reach_those_whom_the_handler_shows_them() {
    let site = Site::of(app).await;
    let (ada, bob) = (site.member("ada", &[]).await, site.member("bob", &[]).await);
    let (mut of_ada, mut of_bob) = (open(&ada, "/heard").await, open(&bob, "/heard").await);
    say_to(&ada, "bob", "psst").await;
    say_to(&ada, "all", "never mind").await;
    say_to(&bob, "all", "tea is ready").await;
    assert_eq!(data(&mut of_bob).await, "\"psst\"");
    assert_eq!(data(&mut of_bob).await, "\"tea is ready\"");
    // The first is none of hers, and the second was rolled back.
    assert_eq!(data(&mut of_ada).await, "\"tea is ready\"");
}

/// ASVS: V1.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_page_is_rendered_at_once_and_after_each_event_and_escaped() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let mut part = open(&ada, "/part").await;
    let first = part.next().await.unwrap();
    assert_eq!(first.event, "page");
    assert!(first.data.contains("ada"), "{first:?}");
    say_to(&ada, "all", "<script>alert(1)</script>").await;
    let next = part.next().await.unwrap();
    assert!(!next.data.contains("<script>"), "{next:?}");
    assert!(next.data.contains("&lt;script&gt;"), "{next:?}");
}

/// ASVS: V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn a_get_neither_publishes_nor_writes_while_it_is_open() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(ada.get("/link").await.status(), 500);
    say_to(&ada, "all", "stays").await;
    assert_eq!(ada.events("/writes").await.status(), 500);
    let mut part = open(&ada, "/part").await;
    assert!(data(&mut part).await.contains("stays"));
}

/// The page learns why, and does not come back for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_fails_at_once_is_the_response() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let refused = ada.events("/gone").await;
    assert_eq!(refused.status(), 404);
    let kind = refused.header("content-type").unwrap();
    assert!(kind.starts_with("application/problem+json"), "{kind}");
    let counts = site.running.dewar().live().clone();
    wait_until("its place is given back", async || {
        format!("{counts:?}").contains("open: 0")
    })
    .await;
}

/// A client that comes back says what it has seen, and gets what it missed.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let mut events = open(&ada, "/heard").await;
    say_to(&ada, "all", "one").await;
    let one = events.next().await.unwrap();
    drop(events);
    say_to(&ada, "bob", "not hers").await;
    say_to(&ada, "all", "two").await;
    say_to(&ada, "all", "three").await;
    let again = async |last: &str| {
        let request = ada
            .raw("GET", "/heard")
            .header("accept", "text/event-stream");
        request
            .header("last-event-id", last)
            .events()
            .await
            .unwrap()
    };
    let mut events = again(one.id.as_deref().unwrap()).await;
    assert_eq!(data(&mut events).await, "\"two\"");
    assert_eq!(data(&mut events).await, "\"three\"");
    say_to(&ada, "all", "four").await;
    assert_eq!(data(&mut events).await, "\"four\"");
    // What it has seen is gone: it reads everything again.
    for unknown in ["0-999999", "7-1"] {
        assert_eq!(again(unknown).await.next().await.unwrap().event, "reload");
    }
    // It is no id, so it counts as none.
    let mut events = again("1; DROP TABLE").await;
    assert!(events.more().await);
    say_to(&ada, "all", "five").await;
    assert_eq!(data(&mut events).await, "\"five\"");
}

/// ASVS: V7.4.1, V7.4.2, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_when_its_session_or_role_does() {
    let site = Site::of(app).await;
    let accounts = site.running.dewar().accounts();
    let id = async |name: &str| {
        let email = format!("{name}@example.org");
        accounts.find_by_email(&email).await.unwrap().unwrap().id
    };
    let over = async |mut events: EventReader| {
        let last = events.last().await.unwrap();
        assert_eq!((&*last.event, &*last.data), ("end", "over"));
    };
    // Signed out.
    let ada = site.member("ada", &["reviewer"]).await;
    let events = open(&ada, "/heard").await;
    let page = ada.get("/notes").await;
    let token = page.attribute("input[name=csrf_token]", "value").unwrap();
    let request = ada
        .raw("POST", "/sign-out")
        .header("sec-fetch-site", "same-origin");
    let request = request.form(&format!("csrf_token={token}"));
    assert_eq!(request.send().await.unwrap().status(), 303);
    over(events).await;
    // A role is gone.
    let bob = site.member("bob", &["reviewer"]).await;
    let events = open(&bob, "/reviewers").await;
    site.member("grace", &["head_of_office"]).await;
    let (grace, of_bob) = (id("grace").await, id("bob").await);
    accounts.set_roles(grace, of_bob, &[]).await.unwrap();
    over(events).await;
    assert_eq!(bob.events("/reviewers").await.status(), 403);
    // Disabled, and signed out everywhere.
    let cleo = site.member("cleo", &[]).await;
    let events = open(&cleo, "/part").await;
    accounts.disable(None, id("cleo").await).await.unwrap();
    over(events).await;
    assert_eq!(cleo.events("/part").await.status(), 401);
    let counts = site.running.dewar().live().clone();
    wait_until("all places are given back", async || {
        format!("{counts:?}").contains("open: 0")
    })
    .await;
}

/// An open page and one that comes back keep no session alive.
///
/// ASVS: V7.3.1, V7.3.2
#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_keeps_no_session_alive() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let mut events = open(&ada, "/heard").await;
    for _ in 0..5 {
        site.clock.advance(Duration::from_secs(10 * 60));
        drop(ada.events("/heard").await);
    }
    let last = events.last().await.unwrap();
    assert_eq!(last.data, "over");
    assert_eq!(ada.events("/heard").await.status(), 401);
}

/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_for_a_person_an_address_and_in_all() {
    let settings = [
        ("DEWAR_LIVE_MAX_CONNECTIONS", "7"),
        ("DEWAR_LIVE_MAX_CONNECTIONS_PER_USER", "2"),
        ("DEWAR_LIVE_MAX_CONNECTIONS_PER_ADDRESS", "3"),
    ];
    let site = Site::with(app, &settings).await;
    let mut held = Vec::new();
    let mut count = async |browser: &Browser, path: &str| {
        let mut opened = 0;
        loop {
            let events = browser.events(path).await;
            if events.status() != 200 {
                assert!(events.header("retry-after").is_some());
                return (opened, events.status().as_u16());
            }
            held.push(events);
            opened += 1;
        }
    };
    let (ada, bob) = (site.member("ada", &[]).await, site.member("bob", &[]).await);
    assert_eq!(count(&ada, "/heard").await, (2, 429));
    assert_eq!(count(&bob, "/part").await, (2, 429));
    assert_eq!(count(&site.visitor, "/all").await, (3, 429));
    let cleo = site.member("cleo", &[]).await;
    assert_eq!(count(&cleo, "/heard").await, (0, 503));
    held.clear();
    wait_until("the places are free again", async || {
        cleo.events("/heard").await.status() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_connections_at_once_and_tells_their_clients_to_come_back() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let mut events = open(&ada, "/heard").await;
    let reading = tokio::spawn(async move { events.last().await });
    site.running.stop().await.unwrap();
    let last = reading.await.unwrap().unwrap();
    assert_eq!((&*last.event, &*last.data), ("end", "restart"));
}

/// ASVS: V3.5.3, V3.5.8
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_opens_no_connection() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let from = async |headers: &[(&str, &str)]| {
        let mut request = ada.raw("GET", "/heard");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.events().await.unwrap().status().as_u16()
    };
    let own = site.running.url().to_owned();
    assert_eq!(from(&[]).await, 200);
    assert_eq!(from(&[("origin", &own)]).await, 200);
    for hostile in [
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")][..],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")],
        // A link to it: a page may have one, a connection may not.
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ],
    ] {
        assert_eq!(from(hostile).await, 403, "{hostile:?}");
    }
    assert!(site.log().await.contains("malicious_csrf"));
}

/// An event reaches the connections of every node, and a session that ends on one node ends them on every node.
///
/// ASVS: V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn events_and_ends_reach_the_connections_of_another_node() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let settings = [("DEWAR_NODE", "web-2")];
    let served = App::in_directory_with(&site.data, settings).unwrap();
    let second = app(served).clock(site.clock.clone()).start().await.unwrap();
    let authority = std::fs::read(second.authority_file().unwrap()).unwrap();
    let there = Browser::new(second.url(), &authority);
    let session = ada.cookie("__Host-session").unwrap();
    there.plant_cookie("__Host-session", session.value());
    let mut events = open(&there, "/heard").await;
    say_to(&ada, "all", "hello").await;
    assert_eq!(data(&mut events).await, "\"hello\"");
    let dewar = site.running.dewar();
    let id = dewar.accounts().find_by_email("ada@example.org").await;
    let id = id.unwrap().unwrap().id;
    dewar.sessions().end_all_of(id).await.unwrap();
    assert_eq!(events.last().await.unwrap().data, "over");
    second.stop().await.unwrap();
}

/// The scope needs no role, but the handler may show more to those who have one.
///
/// ASVS: V7.4.2, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_programs_connection_ends_when_the_roles_of_its_owner_change() {
    let site = Site::of(app).await;
    site.member("ada", &["reviewer"]).await;
    site.member("grace", &["head_of_office"]).await;
    let dewar = site.running.dewar();
    let id = async |email: &str| dewar.accounts().find_by_email(email).await.unwrap();
    let ada = id("ada@example.org").await.unwrap().id;
    let grace = id("grace@example.org").await.unwrap().id;
    let request = TokenRequest {
        name: "nightly",
        scopes: &["all_read"],
        days: 30,
    };
    let tokens = dewar.api_tokens();
    let made = tokens.create(None, TokenHolder::Person(ada), request).await;
    let bearer = format!("Bearer {}", made.unwrap().0.expose());
    let program = site.visitor.raw("GET", "/api/all");
    let program = program.header("authorization", &bearer);
    let mut events = program.events().await.unwrap();
    assert_eq!(events.status(), 200);
    assert!(events.more().await);
    let changed = dewar.accounts().set_roles(grace, ada, &[]).await;
    changed.unwrap();
    let last = events.last().await.unwrap();
    assert_eq!((&*last.event, &*last.data), ("end", "over"));
}

/// ASVS: V7.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_programs_connection_ends_when_its_token_does() {
    let site = Site::of(app).await;
    site.member("ada", &[]).await;
    let dewar = site.running.dewar();
    let ada = dewar.accounts().find_by_email("ada@example.org").await;
    let holder = TokenHolder::Person(ada.unwrap().unwrap().id);
    let request = TokenRequest {
        name: "nightly",
        scopes: &["all_read"],
        days: 30,
    };
    let tokens = dewar.api_tokens();
    let (text, info) = tokens.create(None, holder, request).await.unwrap();
    let bearer = format!("Bearer {}", text.expose());
    let program = async |path: &str| {
        let request = site
            .visitor
            .raw("GET", path)
            .header("authorization", &bearer);
        request.events().await.unwrap()
    };
    let mut events = program("/api/all").await;
    assert_eq!(events.status(), 200);
    assert!(events.more().await);
    let in_address = format!("/api/all?access_token={}", text.expose());
    assert_eq!(program(&in_address).await.status(), 400);
    assert_eq!(site.visitor.events("/api/all").await.status(), 401);
    tokens.revoke(None, holder, &info.id).await.unwrap();
    let last = events.last().await.unwrap();
    assert_eq!((&*last.event, &*last.data), ("end", "over"));
    assert_eq!(program("/api/all").await.status(), 401);
}

/// A route that nobody could read, or that has no reader to look at again, refuses the start.
#[tokio::test]
async fn a_route_of_events_is_a_get() {
    let data = tempfile::tempdir().unwrap();
    let served = App::in_directory(&data).unwrap();
    let app = app(served).signed_in([post("/heard", heard)]);
    let findings = app.route_table().findings();
    let ids: Vec<_> = findings.iter().map(|finding| finding.id).collect();
    assert!(ids.contains(&"live-route"), "{ids:?}");
}
