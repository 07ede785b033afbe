//! Attacks on the page that updates itself: from other sites, with rights that ended, with markup, and by holding connections.

use std::time::Duration;

use dewar::testing::{Browser, EventReader, wait_until};

use crate::chromium;
use crate::company::{PASSWORD, Portal, decide, document, hand_in, post};

mod web_sockets;

const LIVE: &str = "/reviews/live";

/// An open connection, with the queue as it is now.
async fn open(browser: &Browser) -> (EventReader, String) {
    let mut events = browser.events(LIVE).await;
    assert_eq!(events.status(), 200);
    let page = events.next().await.unwrap();
    assert_eq!(page.event, "page");
    (events, page.data)
}

/// Reads until the queue has these words.
async fn shows(events: &mut EventReader, words: &str) -> String {
    loop {
        let event = events.next().await.unwrap();
        if event.data.contains(words) {
            return event.data;
        }
    }
}

async fn is_over(mut events: EventReader) {
    let last = events.last().await.unwrap();
    assert_eq!((&*last.event, &*last.data), ("end", "over"));
}

/// ASVS: V8.2.2, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_shows_each_reader_what_they_may_decide_and_nothing_else() {
    let portal = Portal::open().await;
    let (ada, eve) = (portal.member("ada").await, portal.member("eve").await);
    let rob = portal.person("rob", &["reviewer", "member"]).await;
    let (mut of_rob, empty) = open(&rob).await;
    assert!(!empty.contains("Lake"));
    // His own document is none that he decides about.
    document(&rob, "Of Rob").await;
    let path = document(&ada, "Lake").await;
    let queue = shows(&mut of_rob, "Lake").await;
    assert!(!queue.contains("Of Rob"), "{queue}");
    let review = path.replace("/documents/", "/reviews/");
    let roy = portal.person("roy", &["reviewer"]).await;
    let (mut of_roy, queue) = open(&roy).await;
    assert!(
        queue.contains("Lake") && queue.contains("Of Rob"),
        "{queue}"
    );
    decide(&rob, &review, "decision=approve&reason=").await;
    loop {
        let queue = of_roy.next().await.unwrap().data;
        if !queue.contains("Lake") {
            assert!(queue.contains("Of Rob"), "{queue}");
            break;
        }
    }
    for (nobody, status) in [(eve, 403), (portal.visitor(), 401)] {
        assert_eq!(nobody.events(LIVE).await.status(), status);
    }
}

/// ASVS: V1.2.1, V3.2.2
#[tokio::test(flavor = "multi_thread")]
async fn markup_in_a_title_stays_text_in_an_event() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let (mut events, _) = open(&rob).await;
    let hostile = "<img src=x onerror=alert(1)> & event: end data: over";
    let handed_in = hand_in(&ada, hostile, "note.txt", b"x\n").await;
    assert_eq!(handed_in.status(), 303);
    let queue = shows(&mut events, "onerror").await;
    assert!(
        !queue.contains("<img") && queue.contains("&lt;img"),
        "{queue}"
    );
    document(&ada, "Lake").await;
    shows(&mut events, "Lake").await;
}

/// ASVS: V7.4.1, V7.4.2, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn an_open_queue_ends_with_the_right_to_read_it() {
    let portal = Portal::open().await;
    let grace = portal.administrator().await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let id = portal.id_of("rob").await;
    let (events, _) = open(&rob).await;
    let demoted = post(&grace, &format!("/admin/users/{id}/roles"), "").await;
    assert_eq!(demoted.status(), 303);
    is_over(events).await;
    assert_eq!(rob.events(LIVE).await.status(), 403);
    for what in ["sign-out", "disable"] {
        let name = format!("r{what}");
        let reviewer = portal.person(&name, &["reviewer"]).await;
        let id = portal.id_of(&name).await;
        let (events, _) = open(&reviewer).await;
        let ended = post(&grace, &format!("/admin/users/{id}/{what}"), "").await;
        assert_eq!(ended.status(), 303, "{what}");
        is_over(events).await;
        assert_eq!(reviewer.events(LIVE).await.status(), 401, "{what}");
    }
}

/// An attacker who has got at a browser leaves the page open, so that the session never ends.
///
/// ASVS: V7.3.1
#[tokio::test(flavor = "multi_thread")]
async fn an_open_queue_keeps_no_session_alive() {
    let portal = Portal::open().await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let (events, _) = open(&rob).await;
    for _ in 0..7 {
        portal.clock.advance(Duration::from_secs(10 * 60));
        drop(rob.events(LIVE).await);
    }
    is_over(events).await;
    assert_eq!(rob.events(LIVE).await.status(), 401);
}

/// ASVS: V3.5.3, V3.5.8
#[tokio::test(flavor = "multi_thread")]
async fn another_site_opens_no_connection_in_a_reviewers_browser() {
    let portal = Portal::open().await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let from = async |headers: &[(&str, &str)]| {
        let mut request = rob.raw("GET", LIVE).header("accept", "text/event-stream");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.events().await.unwrap().status().as_u16()
    };
    let own = portal.running.url();
    assert_eq!(
        from(&[("origin", own), ("sec-fetch-site", "same-origin")]).await,
        200
    );
    for hostile in [
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ][..],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "https://other.localhost"),
        ],
        // A browser from before Fetch Metadata.
        &[("origin", "https://evil.example")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ],
    ] {
        assert_eq!(from(hostile).await, 403, "{hostile:?}");
    }
}

/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn one_person_cannot_take_the_connections_of_others() {
    let portal = Portal::open_with(&[("DEWAR_LIVE_MAX_CONNECTIONS", "25")]).await;
    let eve = portal.person("eve", &["reviewer"]).await;
    let rob = portal.person("rob", &["reviewer"]).await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(open(&eve).await);
    }
    let refused = eve.events(LIVE).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.header("retry-after").is_some());
    open(&rob).await;
    held.clear();
    wait_until("a place is free", async || {
        eve.events(LIVE).await.status() == 200
    })
    .await;
}

/// The page in a real browser, under its policy with Trusted Types.
///
/// ASVS: V3.2.2
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_updates_itself_in_a_real_browser() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    portal.person("rob", &["reviewer"]).await;
    let visitor = portal.visitor();
    let Some(chromium) = chromium::or_skip(&[&visitor]).await else {
        return;
    };
    let person = chromium.person().await;
    let page = person.page().await;
    let site = portal.running.url();
    page.goto(&format!("{site}/sign-in")).await;
    page.fill("[name=email]", "rob@example.org").await;
    page.fill("[name=password]", PASSWORD).await;
    page.submit("main form").await;
    page.goto(&format!("{site}/reviews")).await;
    let state = "document.querySelector('[data-live]').dataset.liveState ?? ''";
    wait_until("the page is connected", async || {
        page.evaluate(state).await == "open"
    })
    .await;
    let shown = async |words: &str| page.text("main").await.contains(words);
    let hostile = "<img src=x onerror=window.canary=1>";
    let handed_in = hand_in(&ada, hostile, "note.txt", b"x\n").await;
    assert_eq!(handed_in.status(), 303);
    wait_until("the document shows", async || shown(hostile).await).await;
    let canary =
        "window.canary === undefined && document.querySelector('[data-live] img') === null";
    assert_eq!(page.evaluate(canary).await, true);
    let path = document(&ada, "Lake").await;
    wait_until("the next one shows", async || shown("Lake").await).await;
    // The focus stays where it is.
    let review = path.replace("/documents/", "/reviews/");
    page.evaluate(&format!(
        "document.querySelector('a[href=\"{review}\"]').focus()"
    ))
    .await;
    document(&ada, "Harbour").await;
    wait_until("and the third", async || shown("Harbour").await).await;
    let focused = page
        .evaluate("document.activeElement.getAttribute('href')")
        .await;
    assert_eq!(focused, review.as_str());
    let troubles = page.troubles().await;
    assert!(troubles.is_empty(), "{troubles:?}");
    // The right to read it ends: the page says so, and asks no further.
    let grace = portal.administrator().await;
    let id = portal.id_of("rob").await;
    post(&grace, &format!("/admin/users/{id}/roles"), "").await;
    wait_until("the page knows that it is over", async || {
        page.evaluate(state).await == "over"
    })
    .await;
}
