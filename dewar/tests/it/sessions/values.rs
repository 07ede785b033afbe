//! The session's values for the application.

use dewar::accounts;
use dewar::database::Engine;
use dewar::sessions::{Error, Session, SessionValue, Sessions};
use dewar::{App, get, post};
use serde::{Deserialize, Serialize};

use crate::site::{PASSWORD, Site, sign_in};

#[derive(Default, Serialize, Deserialize)]
struct Basket {
    count: u32,
}

impl SessionValue for Basket {
    const NAME: &'static str = "basket";
}

#[derive(Serialize, Deserialize)]
struct Large(String);

impl SessionValue for Large {
    const NAME: &'static str = "large";
}

async fn put(session: Session) -> dewar::Result<dewar::pages::Text> {
    let add = |basket: &mut Option<Basket>| {
        let basket = basket.get_or_insert_default();
        basket.count += 1;
        basket.count
    };
    let count = session.update(add).await?;
    Ok(dewar::pages::Text::new(count.to_string()))
}

async fn look(session: Session) -> dewar::Result<dewar::pages::Text> {
    let basket = session.value::<Basket>().await?;
    let count = basket.map_or(0, |basket| basket.count);
    Ok(dewar::pages::Text::new(count.to_string()))
}

async fn empty(session: Session) -> dewar::Result<&'static str> {
    session
        .update(|basket: &mut Option<Basket>| *basket = None)
        .await?;
    Ok("empty")
}

async fn too_large(session: Session) -> dewar::Result<&'static str> {
    let put = |large: &mut Option<Large>| *large = Some(Large("x".repeat(17_000)));
    match session.update(put).await {
        Err(Error::TooLarge { .. }) => Ok("too large"),
        _ => Ok("taken"),
    }
}

/// The session ends while a handler uses it.
async fn too_late(session: Session, sessions: Sessions) -> dewar::Result<&'static str> {
    if let (Some(person), Some(id)) = (session.principal(), session.id()) {
        sessions.end(person.id(), id).await?;
    }
    let put = |basket: &mut Option<Basket>| *basket = Some(Basket { count: 7 });
    match session.update(put).await {
        Err(Error::Ended) => Ok("too late"),
        _ => Ok("taken"),
    }
}

fn app(app: App) -> App {
    app.public([
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
        // A GET that changes something, for brevity: these are not pages.
        get("/put", put),
        get("/look", look),
        get("/empty", empty),
        get("/large", too_large),
        get("/late", too_late),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_kept_with_its_session_and_read_when_it_is_asked_for() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let eve = site.member("eve", &[]).await;
    let text = async |browser: &dewar::testing::Browser, path| browser.get(path).await.text();
    assert_eq!(text(&ada, "/put").await, "1");
    assert_eq!(text(&ada, "/put").await, "2");
    assert_eq!(text(&eve, "/look").await, "0");
    let db = site.running.dewar().db();
    let before = db.statements();
    ada.get("/sign-in").await;
    assert_eq!(db.statements() - before, 1, "the session, and no value");
    assert_eq!(text(&ada, "/look").await, "2");
    // PostgreSQL is asked for the session again.
    let reads = match db.engine() {
        Engine::Sqlite => 2,
        Engine::Postgres => 3,
    };
    assert_eq!(db.statements() - before, reads, "the value");
    assert_eq!(text(&ada, "/empty").await, "empty");
    assert_eq!(text(&ada, "/look").await, "0");
    assert_eq!(text(&ada, "/large").await, "too large");
    // Another person in the same browser finds none of it.
    text(&ada, "/put").await;
    sign_in(&ada, "eve@example.org", PASSWORD).await;
    assert_eq!(text(&ada, "/look").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_moment_lose_nothing() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    let put = || ada.get("/put");
    let (a, b, c, d) = tokio::join!(put(), put(), put(), put());
    for answer in [a, b, c, d] {
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(ada.get("/look").await.text(), "4");
}

/// ASVS: V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_is_not_written_to() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(ada.get("/put").await.text(), "1");
    assert_eq!(ada.get("/late").await.text(), "too late");
    let db = site.running.dewar().db();
    for table in [
        "SELECT 1 FROM dewar_sessions",
        "SELECT 1 FROM dewar_session_values",
    ] {
        assert!(db.query(table, []).await.unwrap().is_empty(), "{table}");
    }
    assert_eq!(ada.get("/look").await.text(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_for_a_visitor() {
    let site = Site::of(app).await;
    assert_eq!(site.visitor.get("/look").await.text(), "0");
    let request = site.visitor.raw("GET", "/put");
    assert_eq!(request.send().await.unwrap().status(), 401);
    let db = site.running.dewar().db();
    let rows = db
        .query("SELECT 1 FROM dewar_session_values", [])
        .await
        .unwrap();
    assert!(rows.is_empty());
}
