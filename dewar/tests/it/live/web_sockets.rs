//! WebSockets, from outside: who opens one, what it may send, and how it ends.

use dewar::live::WebSocket;
use dewar::pages::JsonSchema;
use dewar::testing::WebSocketClient;

use super::*;

#[derive(Form)]
struct NewMessage {
    text: Line<40>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Shown {
    by: String,
    text: String,
}

const SHOWN: Topic<Shown> = Topic::new("shown");

/// Says what somebody says to everybody, and some words do something else.
async fn chat(caller: CurrentUser, live: Live) -> WebSocket<NewMessage, Shown> {
    let publisher = live.clone();
    live.web_socket([&SHOWN], Some, move |message: NewMessage| {
        let (by, live) = (caller.name().to_owned(), publisher.clone());
        let text = message.text.to_string();
        async move {
            match &*text {
                "only me" => return Ok(Some(Shown { by, text })),
                "refuse" => return Err(dewar::Error::forbidden()),
                "break" => return Err(dewar::Error::internal("broken")),
                "panic" => panic!("a message"),
                _ => {}
            }
            live.publish(&SHOWN, &Shown { by, text }).await?;
            Ok(None)
        }
    })
}

/// A handler that writes before the connection is open.
async fn writes_at_once(live: Live) -> dewar::Result<WebSocket<NewMessage, Shown>> {
    let (by, text) = ("nobody".to_owned(), "at once".to_owned());
    live.publish(&SHOWN, &Shown { by, text }).await?;
    Ok(live.web_socket([&SHOWN], Some, async |_: NewMessage| Ok(None)))
}

async fn for_all(live: Live) -> WebSocket<NewMessage, Shown> {
    live.web_socket([&SHOWN], Some, async |_: NewMessage| Ok(None))
}

fn chatting(served: App) -> App {
    app(served)
        .public([get("/open-socket", for_all)])
        .signed_in([get("/chat", chat), get("/writes-at-once", writes_at_once)])
        .role(Staff::Reviewer, [get("/reviewers-chat", chat)])
}

async fn token(browser: &Browser) -> String {
    let page = browser.get("/notes").await;
    page.attribute("input[name=csrf_token]", "value").unwrap()
}

async fn enter(browser: &Browser, path: &str) -> WebSocketClient {
    let socket = browser.web_socket(path, &token(browser).await).await;
    assert_eq!(socket.status(), 101);
    socket
}

async fn send(socket: &mut WebSocketClient, text: &str) {
    let message = format!("{{\"text\":\"{text}\"}}");
    socket.send(&message).await.unwrap();
}

fn said(by: &str, text: &str) -> Option<String> {
    Some(format!("{{\"by\":\"{by}\",\"text\":\"{text}\"}}"))
}

fn ended(status: u16, reason: &str) -> Option<(u16, String)> {
    Some((status, reason.to_owned()))
}

/// How many events the table has.
async fn published(site: &Site) -> i64 {
    let db = site.running.dewar().db();
    let rows = db.query("SELECT count(*) FROM dewar_live_events", []);
    rows.await.unwrap()[0].get(0).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_changes_rows_and_reaches_those_who_watch() {
    let site = Site::of(chatting).await;
    let (ada, bob) = (site.member("ada", &[]).await, site.member("bob", &[]).await);
    let (mut of_ada, mut of_bob) = (enter(&ada, "/chat").await, enter(&bob, "/chat").await);
    assert_eq!(of_ada.header("sec-websocket-protocol"), Some("dewar"));
    assert_eq!(of_ada.header("sec-websocket-extensions"), None);
    send(&mut of_ada, "only me").await;
    assert_eq!(of_ada.next().await, said("ada", "only me"));
    send(&mut of_bob, "tea is ready").await;
    for socket in [&mut of_ada, &mut of_bob] {
        assert_eq!(socket.next().await, said("bob", "tea is ready"));
    }
    let goodbye = WebSocketClient::frame(0x88, &1000_u16.to_be_bytes());
    of_ada.send_bytes(&goodbye).await.unwrap();
    assert_eq!(of_ada.closed().await, ended(1000, ""));
    assert_eq!(published(&site).await, 1);
}

/// ASVS: V4.4.1
#[tokio::test(flavor = "multi_thread")]
async fn plain_http_has_no_web_socket() {
    let settings = [("DEWAR_HTTPS_HTTP_ADDRESS", "127.0.0.1:0")];
    let site = Site::with(chatting, &settings).await;
    let plain = site.running.http().unwrap();
    let authority = std::fs::read(site.running.authority_file().unwrap()).unwrap();
    let plain = Browser::new(&format!("http://localhost:{}", plain.port()), &authority);
    for origin in [site.running.url(), plain.base()] {
        let request = plain.raw("GET", "/open-socket").header("origin", origin);
        let refused = request.web_socket().await.unwrap();
        assert_eq!(refused.status(), 301, "{origin}");
    }
}

/// ASVS: V4.4.2, V3.5.1, V3.5.3
#[tokio::test(flavor = "multi_thread")]
async fn another_site_opens_no_web_socket() {
    let site = Site::of(chatting).await;
    let ada = site.member("ada", &[]).await;
    let offer = format!("dewar, {}", token(&ada).await);
    let own = site.running.url().to_owned();
    let from = async |headers: &[(&str, &str)]| {
        let mut request = ada.raw("GET", "/chat");
        request = request.header("sec-websocket-protocol", &offer);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.web_socket().await.unwrap().status().as_u16()
    };
    assert_eq!(from(&[("origin", &own)]).await, 101);
    let plain = own.replacen("https://", "http://", 1);
    for hostile in [
        // No browser: it sends the origin with every handshake.
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", &plain)],
        &[("origin", "https://localhost.evil.example")],
        &[("origin", &own), ("origin", "https://evil.example")],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
        &[("origin", &own), ("sec-fetch-site", "same-site")],
        &[
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "same-origin"),
        ],
    ] {
        assert_eq!(from(hostile).await, 403, "{hostile:?}");
    }
    assert!(site.log().await.contains("malicious_csrf"));
}

/// ASVS: V3.5.1, V8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_needs_its_own_csrf_token_a_session_and_the_role() {
    let site = Site::of(chatting).await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let (of_ada, of_eve) = (token(&ada).await, token(&eve).await);
    let status = async |browser: &Browser, path: &str, token: &str| {
        let socket = browser.web_socket(path, token).await;
        socket.status().as_u16()
    };
    assert_eq!(status(&ada, "/chat", &of_ada).await, 101);
    for wrong in ["", "a", &of_eve, of_ada.get(1..).unwrap()] {
        assert_eq!(status(&ada, "/chat", wrong).await, 403, "{wrong}");
    }
    // In the address it is none.
    let in_address = format!("/chat?csrf_token={of_ada}&x-csrf-token={of_ada}");
    assert_eq!(status(&ada, &in_address, "").await, 403);
    assert_eq!(status(&site.visitor, "/chat", &of_ada).await, 401);
    assert_eq!(status(&ada, "/reviewers-chat", &of_ada).await, 403);
    // Not even a visitor's is open to a handshake without the token of the visitor's own page.
    assert_eq!(status(&site.visitor, "/open-socket", &of_ada).await, 403);
    // The session is over.
    site.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    assert_eq!(status(&ada, "/chat", &of_ada).await, 401);
}

/// ASVS: V4.1.4
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_no_web_socket() {
    let site = Site::of(chatting).await;
    let ada = site.member("ada", &[]).await;
    let own = site.running.url().to_owned();
    let offer = format!("dewar, {}", token(&ada).await);
    let asked = async |method: &str, headers: &[(&str, &str)]| {
        let mut request = ada.raw(method, "/chat").header("origin", &own);
        request = request.header("sec-websocket-protocol", &offer);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket")];
    assert_eq!(asked("GET", &[]).await, 400);
    assert_eq!(asked("GET", &upgrade).await, 400);
    let old = [upgrade[0], upgrade[1], key, ("sec-websocket-version", "8")];
    assert_eq!(asked("GET", &old).await, 400);
    assert_eq!(asked("POST", &[]).await, 405);
    assert_eq!(asked("CONNECT", &[]).await, 405);
    // The handler of the handshake only reads, as that of every `GET`.
    let writes = ada.web_socket("/writes-at-once", &token(&ada).await).await;
    assert_eq!(writes.status(), 500);
    assert_eq!(published(&site).await, 0);
}

/// On another route nothing is upgraded, and the connection goes on.
///
/// ASVS: V4.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_served_to_a_handshake_and_the_connection_goes_on() {
    let site = Site::of(chatting).await;
    let mut socket = site.visitor.socket().await.unwrap();
    let host = site.running.url().replacen("https://", "", 1);
    let asks =
        |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n");
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let both = asks("/", upgrade) + &asks("/missing", "connection: close\r\n");
    socket.send(both.as_bytes()).await.unwrap();
    let heard = socket.hear(dewar::testing::PATIENCE).await;
    let text = heard.text();
    let first = text.find("HTTP/1.1 200 OK").unwrap();
    let second = text.find("HTTP/1.1 404 Not Found").unwrap();
    assert!(first < second && !text.contains("HTTP/1.1 101"), "{text}");
}

/// Frames before the response could be a request to somebody else.
///
/// ASVS: V4.2.1
#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_the_handshake_end_the_connection() {
    let site = Site::of(chatting).await;
    let ada = site.member("ada", &[]).await;
    let cookie = ada.cookie("__Host-session").unwrap();
    let own = site.running.url();
    let host = own.replacen("https://", "", 1);
    let token = token(&ada).await;
    let head = format!(
        "GET /chat HTTP/1.1\r\nhost: {host}\r\norigin: {own}\r\ncookie: __Host-session={}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: dewar, {token}\r\n\r\n",
        cookie.value()
    );
    for early in [
        WebSocketClient::frame(0x81, b"{\"text\":\"early\"}"),
        b"GET /notes HTTP/1.1\r\n\r\n".to_vec(),
    ] {
        let mut socket = ada.socket().await.unwrap();
        let bytes = [head.as_bytes(), &early].concat();
        socket.send(&bytes).await.unwrap();
        let heard = socket.hear(dewar::testing::PATIENCE).await;
        assert_eq!(heard.status(), Some(101));
        assert!(heard.text().ends_with("\r\n\r\n"), "{}", heard.text());
        assert_eq!(heard.ending, dewar::testing::StreamEnd::Closed);
    }
    assert_eq!(published(&site).await, 0);
}

/// ASVS: V7.4.1, V7.4.2, V8.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_web_socket_ends_when_its_session_or_role_does_and_handles_nothing_after_it() {
    let site = Site::of(chatting).await;
    let accounts = site.running.dewar().accounts();
    let id = async |name: &str| {
        let email = format!("{name}@example.org");
        accounts.find_by_email(&email).await.unwrap().unwrap().id
    };
    // Signed out: the message that comes before Dewar looks again is not handled either.
    let ada = site.member("ada", &[]).await;
    let mut socket = enter(&ada, "/chat").await;
    let sessions = site.running.dewar().sessions();
    sessions.end_all_of(id("ada").await).await.unwrap();
    drop(socket.send("{\"text\":\"too late\"}").await);
    assert_eq!(socket.closed().await, ended(1008, "over"));
    // A role is gone.
    let bob = site.member("bob", &["reviewer"]).await;
    let mut socket = enter(&bob, "/reviewers-chat").await;
    site.member("grace", &["head_of_office"]).await;
    let (grace, of_bob) = (id("grace").await, id("bob").await);
    accounts.set_roles(grace, of_bob, &[]).await.unwrap();
    assert_eq!(socket.closed().await, ended(1008, "over"));
    // Disabled.
    let cleo = site.member("cleo", &[]).await;
    let mut socket = enter(&cleo, "/chat").await;
    accounts.disable(None, id("cleo").await).await.unwrap();
    assert_eq!(socket.closed().await, ended(1008, "over"));
    // Idle: an open connection is no use of the session.
    let dora = site.member("dora", &[]).await;
    let mut socket = enter(&dora, "/chat").await;
    site.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(socket.closed().await, ended(1008, "over"));
    assert_eq!(published(&site).await, 0);
    let counts = site.running.dewar().live().clone();
    wait_until("all places are given back", async || {
        format!("{counts:?}").contains("open: 0")
    })
    .await;
}

/// ASVS: V2.2.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_breaks_a_rule_closes_the_connection() {
    let site = Site::of(chatting).await;
    let ada = site.member("ada", &[]).await;
    let frame = WebSocketClient::frame;
    let text = |text: &str| frame(0x81, text.as_bytes());
    let large = format!("{{\"text\":\"{}\"}}", "a".repeat(17 * 1024));
    let long = format!("{{\"text\":\"{}\"}}", "a".repeat(41));
    for (bytes, status, reason) in [
        (frame(0x82, b"{\"text\":\"a\"}"), 1003, "text only"),
        (frame(0x81, b"\"\xC3\""), 1007, "not UTF-8"),
        (text(""), 1007, "no message of the form"),
        (text("text=a"), 1007, "no message of the form"),
        (text("[]"), 1007, "no message of the form"),
        (text("{\"text\":1}"), 1007, "no message of the form"),
        (
            text("{\"text\":\"a\",\"by\":\"bob\"}"),
            1007,
            "no message of the form",
        ),
        (text("{}"), 1007, "the field text breaks a rule"),
        (text(&long), 1007, "the field text breaks a rule"),
        (text(&large), 1009, "too large"),
        // Without a mask, and with the bit of a compressed message.
        (b"\x81\x0c{\"text\":\"a\"}".to_vec(), 1002, "protocol"),
        (frame(0xC1, b"{\"text\":\"a\"}"), 1002, "protocol"),
        (frame(0x00, b"").repeat(2), 1002, "protocol"),
        (
            [frame(0x01, b""), frame(0x00, b"").repeat(100)].concat(),
            1008,
            "too many parts",
        ),
        (frame(0x89, b"").repeat(1_000), 1008, "too many frames"),
        (text("{\"text\":\"refuse\"}"), 1008, "refused"),
        (text("{\"text\":\"break\"}"), 1011, "failed"),
        (text("{\"text\":\"panic\"}"), 1011, "failed"),
    ] {
        let mut socket = enter(&ada, "/chat").await;
        socket.send_bytes(&bytes).await.unwrap();
        assert_eq!(socket.closed().await, ended(status, reason));
    }
    let mut socket = enter(&ada, "/chat").await;
    send(&mut socket, "still there").await;
    assert_eq!(socket.next().await, said("ada", "still there"));
    assert_eq!(published(&site).await, 1);
}

/// ASVS: V2.4.1, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_bounded_for_a_person_over_all_connections() {
    let settings = [("DEWAR_LIVE_MESSAGES_PER_MINUTE", "3")];
    let site = Site::with(chatting, &settings).await;
    let (ada, bob) = (site.member("ada", &[]).await, site.member("bob", &[]).await);
    let (mut one, mut two) = (enter(&ada, "/chat").await, enter(&ada, "/chat").await);
    for socket in [&mut one, &mut two] {
        send(socket, "only me").await;
        assert_eq!(socket.next().await, said("ada", "only me"));
    }
    send(&mut one, "only me").await;
    assert_eq!(one.next().await, said("ada", "only me"));
    send(&mut two, "only me").await;
    assert_eq!(two.closed().await, ended(1008, "too many messages"));
    // A new connection begins with the same count, and another person has another one.
    let mut again = enter(&ada, "/chat").await;
    send(&mut again, "only me").await;
    assert_eq!(again.closed().await, ended(1008, "too many messages"));
    let mut of_bob = enter(&bob, "/chat").await;
    send(&mut of_bob, "only me").await;
    assert_eq!(of_bob.next().await, said("bob", "only me"));
    assert!(site.log().await.contains("messages of a WebSocket"));
}

/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn web_sockets_and_streams_of_events_share_their_limits() {
    let settings = [("DEWAR_LIVE_MAX_CONNECTIONS_PER_USER", "2")];
    let site = Site::with(chatting, &settings).await;
    let ada = site.member("ada", &[]).await;
    let events = open(&ada, "/heard").await;
    let socket = enter(&ada, "/chat").await;
    let token = token(&ada).await;
    let refused = ada.web_socket("/chat", &token).await;
    assert_eq!(refused.status(), 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(ada.events("/heard").await.status(), 429);
    drop((events, socket));
    wait_until("the places are free again", async || {
        ada.web_socket("/chat", &token).await.status() == 101
    })
    .await;
}

/// ASVS: V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_closed() {
    let site = Site::of(chatting).await;
    let ada = site.member("ada", &[]).await;
    let reads_nothing = enter(&ada, "/chat").await;
    let dewar = site.running.dewar();
    let (db, live) = (dewar.db(), dewar.live());
    let long = Shown {
        by: "bob".to_owned(),
        text: "a".repeat(8_000),
    };
    // More than all buffers between the two together.
    for _ in 0..10 {
        let tx = db.begin().await.unwrap();
        for _ in 0..300 {
            live.publish_in(&tx, &SHOWN, &long).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
    wait_until("its place is given back", async || {
        format!("{live:?}").contains("open: 0")
    })
    .await;
    drop(reads_nothing);
}

/// One client answers the pings, and one is gone without a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_answers_no_ping_is_closed() {
    let site = Site::with(chatting, &[("DEWAR_LIVE_HEARTBEAT", "5s")]).await;
    let (ada, bob) = (site.member("ada", &[]).await, site.member("bob", &[]).await);
    let mut answers = enter(&ada, "/chat").await;
    let answering = tokio::spawn(async move { answers.next().await });
    let silent = enter(&bob, "/chat").await;
    let live = site.running.dewar().live().clone();
    wait_until("the silent one is closed", async || {
        format!("{live:?}").contains("open: 1")
    })
    .await;
    let (by, text) = ("bob".to_owned(), "hello".to_owned());
    live.publish(&SHOWN, &Shown { by, text }).await.unwrap();
    assert_eq!(answering.await.unwrap(), said("bob", "hello"));
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_web_sockets_at_once_and_tells_their_clients_to_come_back() {
    let site = Site::of(chatting).await;
    let ada = site.member("ada", &[]).await;
    let mut socket = enter(&ada, "/chat").await;
    let reading = tokio::spawn(async move { socket.closed().await });
    site.running.stop().await.unwrap();
    assert_eq!(reading.await.unwrap(), ended(1001, "restart"));
}

/// A program has no session that could be looked at again, and only a `GET` is a handshake.
#[tokio::test]
async fn a_web_socket_is_a_get_of_a_page() {
    let data = tempfile::tempdir().unwrap();
    let served = || App::in_directory(&data).unwrap();
    let ids = |app: App| -> Vec<_> {
        let findings = app.route_table().findings();
        findings.iter().map(|finding| finding.id).collect()
    };
    let id = "live-web-socket-route";
    assert!(ids(served().signed_in([post("/chat", chat)])).contains(&id));
    assert!(ids(served().api(Scope::AllRead, [get("/api/chat", for_all)])).contains(&id));
    let fits = served().signed_in([get("/chat", chat)]);
    let table = fits.route_table();
    let line = table.to_string();
    assert!(line.contains("websocket {text}"), "{line}");
    assert!(!ids(fits).contains(&id));
}
