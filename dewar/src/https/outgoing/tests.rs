//! Attacks on the client: whatever a visitor writes, resolves, redirects or answers, it reaches nothing inside and ends.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// A server on this machine: it answers each connection with what the function returns for the request's head, and counts them.
struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    async fn of(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::then(answer, false).await
    }

    /// `endless`: after the answer it sends bytes until nobody reads them.
    async fn then(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, endless: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (counted, answer) = (Arc::clone(&asked), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                        let mut part = [0; 1024];
                        match stream.read(&mut part).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => head.extend_from_slice(&part[..read]),
                        }
                    }
                    let answer = answer(&String::from_utf8_lossy(&head));
                    let mut sent = stream.write_all(&answer).await;
                    while endless && sent.is_ok() {
                        sent = stream.write_all(&[b'a'; 1024]).await;
                    }
                    // It stays open until the client goes away.
                    let mut rest = [0; 1024];
                    while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
                });
            }
        });
        Self {
            address,
            asked,
            task,
        }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

fn resolver(answers: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Resolver {
    Resolver::Test(Arc::new(answers))
}

/// A client whose operator allows these origins, and whose names all lead to this machine.
fn client(internal: &[String]) -> Client {
    client_with(internal, Duration::from_secs(120))
}

fn client_with(internal: &[String], timeout: Duration) -> Client {
    let config = Config {
        internal: internal.iter().cloned().collect::<BTreeSet<_>>(),
        body: 64 * 1024,
        timeout,
        ..Config::default()
    };
    Client::with(config, resolver(|_| vec![IpAddr::from([127, 0, 0, 1])]))
}

/// ASVS: V1.3.6, V15.3.2
#[tokio::test]
async fn no_spelling_of_an_inner_address_is_reached() {
    let server = Server::of(|_| ok("inside")).await;
    let port = server.address.port();
    let client = client(&[server.origin()]);
    for host in [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "0",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "①②⑦.⓪.⓪.①",
        "metadata.google.internal",
        "evil.example",
    ] {
        let url = format!("https://{host}:{port}/latest/meta-data");
        let refused = client.get(&url).send().await.unwrap_err();
        assert!(
            matches!(
                refused,
                Error::Address { .. } | Error::Inner(_) | Error::Url(_)
            ),
            "{url}: {refused:?}"
        );
    }
    for url in [
        server.origin(),
        "http://example.com/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1/".to_owned(),
        "https://user@example.com/".to_owned(),
        "https://user:password@example.com/".to_owned(),
        "//example.com".to_owned(),
        "/etc/passwd".to_owned(),
        String::new(),
    ] {
        let refused = client.get(&url).send().await.unwrap_err();
        assert!(matches!(refused, Error::Url(_)), "{url}: {refused:?}");
    }
    assert_eq!(server.asked(), 0);
    // The operator's own origin, by the client that is for it.
    let answered = client.internal().get(server.origin()).send().await.unwrap();
    assert_eq!(
        (answered.status().as_u16(), answered.text().as_str()),
        (200, "inside")
    );
    assert_eq!(server.asked(), 1);
}

/// The name has a public address when it is judged, and an inner one a moment later.
///
/// ASVS: V1.3.6
#[tokio::test]
async fn a_name_is_looked_up_once_and_the_judged_address_is_the_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let rebinding = resolver(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => vec![IpAddr::from([1, 1, 1, 1])],
        _ => vec![IpAddr::from([127, 0, 0, 1])],
    });
    let url = Url::parse("https://evil.example/").unwrap();
    let lookups = Arc::new(Semaphore::new(4));
    let found = addresses((&rebinding, &lookups), &url, Reach::Public)
        .await
        .unwrap();
    assert_eq!(found, [SocketAddr::from(([1, 1, 1, 1], 443))]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let again = addresses((&rebinding, &lookups), &url, Reach::Public)
        .await
        .unwrap_err();
    assert!(matches!(again, Error::Address { .. }), "{again:?}");
    // One inner address among public ones: the name is no name of the public internet.
    let mixed = resolver(|_| vec![IpAddr::from([1, 1, 1, 1]), IpAddr::from([10, 0, 0, 1])]);
    let refused = addresses((&mixed, &lookups), &url, Reach::Public)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Address { .. }), "{refused:?}");
    let none = Client::with(Config::default(), resolver(|_| Vec::new()));
    let refused = none.get("https://evil.example/").send().await.unwrap_err();
    assert!(matches!(refused, Error::Connect(_)), "{refused:?}");
}

/// The exchange connects to the address that it is given, whatever the name of the address is.
#[tokio::test]
async fn a_connection_goes_to_the_judged_address() {
    let server =
        Server::of(|head| ok(head.lines().find(|line| line.starts_with("host")).unwrap())).await;
    let origin = format!("http://search.internal:{}", server.address.port());
    let answered = client(std::slice::from_ref(&origin))
        .internal()
        .get(&origin)
        .send()
        .await
        .unwrap();
    assert_eq!(
        answered.text(),
        format!("host: search.internal:{}", server.address.port())
    );
}

/// ASVS: V1.3.6, V15.3.2
#[tokio::test]
async fn a_redirect_leads_no_further_than_the_first_address() {
    let inside = Server::of(|_| ok("inside")).await;
    let inner = inside.origin();
    for target in [
        "http://127.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "https://2130706433/".to_owned(),
        "//127.0.0.1/".to_owned(),
        inner.clone(),
        "file:///etc/passwd".to_owned(),
    ] {
        let to = target.clone();
        let server = Server::of(move |_| redirect(&to)).await;
        let refused = client(&[server.origin()])
            .internal()
            .get(server.origin())
            .send()
            .await;
        let refused = refused.unwrap_err();
        let is_refused = matches!(
            refused,
            Error::NotListed(_) | Error::Url(_) | Error::Address { .. } | Error::Inner(_)
        );
        assert!(is_refused, "{target}: {refused:?}");
    }
    assert_eq!(inside.asked(), 0);
    // A listed origin that redirects to another listed one, with a password of the program.
    let second = Server::of(ok).await;
    let to = second.origin();
    let first = Server::of(move |_| redirect(&to)).await;
    let listed = [first.origin(), second.origin()];
    let asking = || client(&listed).internal();
    let secret = |request: OutgoingRequest| request.header(header::AUTHORIZATION, "Bearer secret");
    let answered = secret(asking().get(first.origin())).send().await.unwrap();
    assert!(!answered.text().contains("secret"), "{}", answered.text());
    let direct = secret(asking().get(second.origin())).send().await.unwrap();
    assert!(direct.text().contains("secret"));
    // A body goes nowhere else.
    let posted = asking()
        .post(first.origin())
        .json("x")
        .send()
        .await
        .unwrap();
    assert_eq!(posted.status(), 302);
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::of(|_| redirect("/again")).await;
    let refused = client(&[server.origin()])
        .internal()
        .get(server.origin())
        .send()
        .await;
    assert!(matches!(refused, Err(Error::TooManyRedirects)));
    assert_eq!(server.asked(), MOST_REDIRECTS + 1);
}

/// ASVS: V15.2.2, V5.2.3
#[tokio::test]
async fn an_answer_ends_at_its_size_and_is_not_unpacked() {
    let ask = async |server: &Server| {
        let client = client(&[server.origin()]);
        client.internal().get(server.origin()).send().await
    };
    let announced =
        Server::of(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\nx".to_vec()).await;
    assert!(matches!(ask(&announced).await, Err(Error::TooLarge(_))));
    let endless = Server::then(|_| b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), true).await;
    assert!(matches!(ask(&endless).await, Err(Error::TooLarge(_))));
    let head = Server::then(|_| b"HTTP/1.1 200 OK\r\nx-long: ".to_vec(), true).await;
    assert!(matches!(ask(&head).await, Err(Error::Http(_))));
    let packed = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nbomb";
    let packed = Server::of(|_| packed.as_bytes().to_vec()).await;
    assert!(matches!(ask(&packed).await, Err(Error::Encoded)));
    let fits = Server::of(|_| ok(&"a".repeat(64 * 1024))).await;
    assert_eq!(ask(&fits).await.unwrap().body().len(), 64 * 1024);
}

/// The server accepts and says nothing more, or stops in the middle of its body.
#[tokio::test]
async fn a_slow_answer_ends_at_its_time() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx"] {
        let server = Server::of(move |_| answer.as_bytes().to_vec()).await;
        let client = client_with(&[server.origin()], Duration::from_millis(50));
        let ended = client.internal().get(server.origin()).send().await;
        assert!(matches!(ended, Err(Error::TimedOut)), "{ended:?}");
    }
}

#[tokio::test]
async fn a_header_has_no_second_reading() {
    let server = Server::of(|_| ok("")).await;
    let client = client(&[server.origin()]).internal();
    for (name, value) in [
        (header::HOST, "evil.example"),
        (header::CONTENT_LENGTH, "0"),
        (header::TRANSFER_ENCODING, "chunked"),
        (header::ACCEPT, "a\r\nhost: evil.example"),
    ] {
        let refused = client.get(server.origin()).header(name, value).send().await;
        assert!(matches!(refused, Err(Error::Header(_))), "{refused:?}");
    }
    assert_eq!(server.asked(), 0);
}

fn waits(future: &mut (impl Future + Unpin)) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(future).poll(&mut context).is_pending()
}

/// A listed host with a public address: a visitor's text must not ask it.
///
/// ASVS: V1.3.6, V15.3.2
#[tokio::test]
async fn the_public_client_asks_no_host_of_the_operator() {
    let internal = [
        "https://search.example:9200",
        "http://8.8.4.4",
        "https://[2606:4700::1]",
    ];
    let config = Config {
        internal: internal.map(str::to_owned).into(),
        ..Config::default()
    };
    let client = Client::with(config, resolver(|_| vec![IpAddr::from([8, 8, 4, 4])]));
    for url in [
        "https://search.example:9200/_count",
        "https://SEARCH.example./",
        "https://search.example/",
        "https://8.8.4.4/",
        "https://[::ffff:8.8.4.4]/",
        "https://134743044/",
        "https://[2606:4700::1]:8443/",
        "https://another-name.example/",
    ] {
        let refused = client.get(url).send().await.unwrap_err();
        assert!(matches!(refused, Error::Inner(_)), "{url}: {refused:?}");
    }
}

/// ASVS: V15.3.2
#[tokio::test]
async fn a_body_stays_with_its_origin() {
    let moved = |to: &str, status: u16| {
        let request = Outgoing {
            method: Method::GET,
            url: Url::parse("https://a.example/x").unwrap(),
            headers: HeaderMap::from_iter([(
                header::AUTHORIZATION,
                "Bearer secret".parse().unwrap(),
            )]),
            body: Bytes::from_static(b"secret"),
            redirects: Redirects::Followed,
            most: None,
        };
        let headers = HeaderMap::from_iter([(header::LOCATION, to.parse().unwrap())]);
        let status = StatusCode::from_u16(status).unwrap();
        let next = next(&request, status, &headers).unwrap().unwrap();
        (next.headers.len(), next.body.len())
    };
    for status in [301, 302, 303, 307, 308] {
        assert_eq!(moved("/y", status), (1, 6), "{status}");
        assert_eq!(moved("https://b.example/", status), (0, 0), "{status}");
        assert_eq!(moved("https://a.example:8443/", status), (0, 0), "{status}");
    }
}

/// ASVS: V15.2.2
#[tokio::test]
async fn one_slow_host_holds_back_no_other_and_visitors_hold_back_no_internal_request() {
    let url = |text: &str| Url::parse(text).unwrap();
    let permits = Permits::new(3, 2);
    let slow = url("https://slow.example/");
    let first = permits.of_host(&slow).await.unwrap();
    let _second = permits
        .of_host(&url("https://Slow.example.:8443/"))
        .await
        .unwrap();
    let mut third = Box::pin(permits.of_host(&slow));
    assert!(waits(&mut third));
    let _other = permits.of_host(&url("https://b.example/")).await.unwrap();
    drop(first);
    assert!(third.await.is_ok());
    // All places for visitors are taken.
    let server = Server::of(|_| ok("inside")).await;
    let client = client(&[server.origin()]);
    let hosts = (0..32).map(|host| url(&format!("https://{host}.example/")));
    let mut held = Vec::new();
    for host in hosts {
        held.push(client.permits().of_host(&host).await.unwrap());
    }
    let answered = client.internal().get(server.origin()).send().await.unwrap();
    assert_eq!(answered.text(), "inside");
}

/// ASVS: V15.2.2
#[tokio::test]
async fn a_look_up_that_nobody_waits_for_keeps_its_permit_to_its_end() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let hanging = resolver(move |_| {
        released.lock().unwrap().recv().unwrap();
        Vec::new()
    });
    let lookups = Arc::new(Semaphore::new(1));
    {
        let mut asked = Box::pin(hanging.addresses("slow.example", &lookups));
        assert!(waits(&mut asked));
    }
    tokio::task::yield_now().await;
    assert_eq!(lookups.available_permits(), 0);
    release.send(()).unwrap();
    assert!(lookups.acquire().await.is_ok());
}

/// ASVS: V14.2.1, V16.2.5
#[test]
fn no_log_has_the_password_or_the_query_of_an_address() {
    for text in [
        "https://user:secret@example.com/path?secret#secret",
        "http://secret@example.com/path?secret",
        "https://user:secret@example.com:port/path",
        "https://user:secr/et@example.com/path",
        "https://user:secret@a@example.com/path",
        "https:secret@example.com:port/path",
        "user:secret@example.com/path",
        "//user:secret@example.com/path",
    ] {
        let logged = loggable(text);
        assert!(!logged.contains("secr"), "{text}: {logged}");
        assert!(logged.contains("example.com"), "{text}: {logged}");
    }
    // These name the host `user`, as a browser reads them; the rest is query and fragment.
    for text in [
        "https://user:?secret@example.com/",
        "https://user:#secret@example.com/",
    ] {
        assert_eq!(loggable(text), "https://user/");
    }
    let plain = "https://example.com/@name/x";
    assert_eq!(loggable(plain), plain);
}
