//! A WebSocket in a real browser, on a page of the site and under its policy.

use std::fs;

use dewar::forms::Line;
use dewar::live::{Live, Topic, WebSocket};
use dewar::testing::{Browser, wait_until};
use dewar::{App, Form, Page, get};
use rust_embed::RustEmbed;

use crate::chromium;

#[derive(Form)]
struct Word {
    word: Line<20>,
}

#[derive(RustEmbed)]
#[folder = "tests/it/socket_templates"]
struct Templates;

async fn page() -> Page {
    Page::new("echo.html")
}

async fn echo(live: Live) -> WebSocket<Word, String> {
    const NOTHING: Topic<String> = Topic::new("nothing");
    live.web_socket([&NOTHING], Some, async |word: Word| {
        Ok(Some(word.word.to_string()))
    })
}

/// The page says a word, and has then heard so many.
async fn says(page: &chromium::Page, word: &str, heard: u64) {
    let send = format!(
        "document.querySelector('main').dispatchEvent(new CustomEvent('live-send', \
         {{ detail: {{ word: '{word}' }}, cancelable: true }}))"
    );
    assert_eq!(page.evaluate(&send).await, true);
    wait_until("the answer is heard", async || {
        page.evaluate("window.heard.length").await == heard
    })
    .await;
}

/// The page says something and hears it.
///
/// ASVS: V4.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_page_talks_under_its_policy() {
    let data = tempfile::tempdir().unwrap();
    let app = App::in_directory(&data).unwrap().templates::<Templates>();
    let app = app.public([get("/page", page), get("/echo", echo)]);
    let running = app.start().await.unwrap();
    let url = running.url().to_owned();
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    let visitor = Browser::new(&url, &authority);
    let Some(chromium) = chromium::or_skip(&[&visitor]).await else {
        return running.stop().await.unwrap();
    };
    let person = chromium.person().await;
    let page = person.page().await;
    page.goto(&format!("{url}/page")).await;
    let state = "document.querySelector('main').dataset.liveState ?? ''";
    let is_open = async || page.evaluate(state).await == "open";
    wait_until("the page is connected", is_open).await;
    page.evaluate(
        "window.heard = []; document.querySelector('main').addEventListener('live-message', \
         (message) => { window.heard.push(message.detail); })",
    )
    .await;
    says(&page, "hello", 1).await;
    assert_eq!(page.evaluate("window.heard[0]").await, "hello");
    // This application has no icon.
    let mut troubles = page.troubles().await;
    troubles.retain(|trouble| !trouble.text.contains("/favicon.ico"));
    assert!(troubles.is_empty(), "{troubles:?}");
    running.stop().await.unwrap();
}
