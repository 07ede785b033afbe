//! A WebSocket in a real browser, on a page of the site and under its policy.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};

use dewar::app::AccountPages;
use dewar::forms::Line;
use dewar::live::{Live, Topic, WebSocket};
use dewar::testing::{Browser, Site, wait_until};
use dewar::{App, Form, Page, get};
use rust_embed::RustEmbed;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::chromium;
use crate::elsewhere::Elsewhere;

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

const STATE: &str = "document.querySelector('main').dataset.liveState ?? ''";

/// Waits until the page says that its connection stands like this.
async fn stands(page: &chromium::Page, state: &str) {
    wait_until("the connection stands as it should", async || {
        page.evaluate(STATE).await == state
    })
    .await;
}

/// Notes what the page hears from now on.
async fn listen(page: &chromium::Page) {
    page.evaluate(
        "window.heard = []; document.querySelector('main').addEventListener('live-message', \
         (message) => { window.heard.push(message.detail); })",
    )
    .await;
}

/// Goes to a page that has a WebSocket, and keeps what it hears.
async fn opens(page: &chromium::Page, address: &str) {
    page.goto(address).await;
    stands(page, "open").await;
    listen(page).await;
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
    opens(&page, &format!("{url}/page")).await;
    says(&page, "hello", 1).await;
    assert_eq!(page.evaluate("window.heard[0]").await, "hello");
    // This application has no icon.
    let mut troubles = page.troubles().await;
    troubles.retain(|trouble| !trouble.text.contains("/favicon.ico"));
    assert!(troubles.is_empty(), "{troubles:?}");
    running.stop().await.unwrap();
}

/// An address that stays while the program behind it is replaced, as that of a machine does. Connections go to the program that runs now.
async fn front_of(now: watch::Receiver<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let to = *now.borrow();
            tokio::spawn(async move {
                // Without a program, the connection is closed, as one that is refused.
                if let Ok(mut far) = TcpStream::connect(to).await {
                    drop(copy_bidirectional(&mut near, &mut far).await);
                }
            });
        }
    });
    address
}

/// The program is replaced by another one, as in a deploy. The page comes back by itself and talks on.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_back_after_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let app = || {
        let app = App::in_directory(&data).unwrap().templates::<Templates>();
        app.public([get("/page", page), get("/echo", echo)])
    };
    let running = app().start().await.unwrap();
    let (now, of_now) = watch::channel(running.https());
    let url = format!("https://localhost:{}", front_of(of_now).await.port());
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    let visitor = Browser::new(&url, &authority);
    let Some(chromium) = chromium::or_skip(&[&visitor]).await else {
        return running.stop().await.unwrap();
    };
    let person = chromium.person().await;
    let page = person.page().await;
    opens(&page, &format!("{url}/page")).await;
    says(&page, "before", 1).await;
    running.stop().await.unwrap();
    stands(&page, "waiting").await;
    let running = app().start().await.unwrap();
    now.send_replace(running.https());
    stands(&page, "open").await;
    says(&page, "after", 2).await;
    assert_eq!(page.evaluate("window.heard[1]").await, "after");
    running.stop().await.unwrap();
}

/// A page of another origin, of the same site and of another one, opens no connection in the browser of a visitor.
///
/// ASVS: V4.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_opens_no_web_socket() {
    let data = tempfile::tempdir().unwrap();
    let app = App::in_directory(&data).unwrap().templates::<Templates>();
    let app = app.public([get("/page", page), get("/echo", echo)]);
    let running = app.start().await.unwrap();
    let url = running.url().to_owned();
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    let visitor = Browser::new(&url, &authority);
    let elsewhere = Elsewhere::open(HashMap::new()).await;
    let Some(chromium) = chromium::or_skip(&[&visitor, &elsewhere.visitor]).await else {
        return running.stop().await.unwrap();
    };
    let person = chromium.person().await;
    let own = person.page().await;
    own.goto(&format!("{url}/page")).await;
    stands(&own, "open").await;
    let token = own
        .evaluate("document.querySelector('main').dataset.liveToken")
        .await;
    let socket = url.replacen("https://", "wss://", 1);
    for origin in elsewhere.origins() {
        let page = person.page().await;
        page.goto(&origin).await;
        // The attacker knows a token that is right.
        let attempt = format!(
            "window.ended = ''; (() => {{ const socket = new WebSocket('{socket}/echo', ['dewar', {token}]); \
             socket.onopen = () => {{ window.ended = 'opened'; }}; \
             socket.onclose = (close) => {{ window.ended ||= `closed ${{close.code}}`; }}; }})()"
        );
        page.evaluate(&attempt).await;
        wait_until("the attempt has ended", async || {
            page.evaluate("window.ended").await != ""
        })
        .await;
        assert_eq!(
            page.evaluate("window.ended").await,
            "closed 1006",
            "{origin}"
        );
    }
    // The page of the site itself still talks.
    listen(&own).await;
    says(&own, "hello", 1).await;
    let log = data.path().join("audit.jsonl");
    wait_until("both refusals are logged", async || {
        let log = fs::read_to_string(&log).unwrap();
        log.matches("malicious_csrf").count() >= 2
    })
    .await;
    running.stop().await.unwrap();
}

/// The session ends elsewhere while the page is open: its connection ends, and the page does not come back.
///
/// ASVS: V7.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_closes_the_connection_of_its_page() {
    let site = Site::start(|app: App| {
        let app = app
            .templates::<Templates>()
            .account_pages(AccountPages::new());
        app.signed_in([get("/page", page), get("/echo", echo)])
    })
    .await;
    let Some(chromium) = chromium::or_skip(&[&site.visitor()]).await else {
        return site.stop().await;
    };
    let user = site.add_user("ada@example.org", &[]).await;
    let person = chromium.person().await;
    let page = person.page().await;
    page.goto(&format!("{}/sign-in", site.url())).await;
    page.fill("input[name=email]", "ada@example.org").await;
    page.fill("input[name=password]", dewar::testing::PASSWORD)
        .await;
    page.led_by("document.querySelector('main form').requestSubmit()")
        .await;
    opens(&page, &format!("{}/page", site.url())).await;
    says(&page, "hello", 1).await;
    site.dewar().sessions().end_all_of(user).await.unwrap();
    stands(&page, "over").await;
    let send = "document.querySelector('main').dispatchEvent(new CustomEvent('live-send', \
        { detail: { word: 'late' }, cancelable: true }))";
    assert_eq!(page.evaluate(send).await, false);
    site.stop().await;
}
