//! Request smuggling and the like: bytes that one parser reads in one way and the next in another.

use dewar::testing::{Browser, PATIENCE};

use crate::company::{Portal, document, files_below};

/// The status of every response to these bytes, until the server closes the connection.
async fn answers(browser: &Browser, bytes: &str) -> Vec<String> {
    let mut socket = browser.socket().await.unwrap();
    socket.send(bytes.as_bytes()).await.unwrap();
    let text = socket.hear(PATIENCE).await.text();
    text.split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer.chars().take(3).collect())
        .collect()
}

/// Request smuggling: a second request in the body of the first, which would hit the next user of the connection.
///
/// ASVS: V4.2.1, V4.2.2, V1.5.3
#[tokio::test]
async fn a_request_inside_a_request_is_never_answered() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let hidden = "GET /sign-in HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let length = hidden.len();
    // The tests rest on this: two complete requests on one connection get two responses.
    let two = format!("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n{hidden}");
    assert_eq!(answers(&visitor, &two).await, ["200", "200"]);
    for head in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("content-length: 0\r\ncontent-length: {length}\r\n\r\n"),
        format!("content-length: {length}, 0\r\n\r\n"),
        format!("content-length: +{length}\r\n\r\n"),
        "content-length: 0x10\r\n\r\n".to_owned(),
        "content-length: -1\r\n\r\n".to_owned(),
        "transfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "transfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "transfer-encoding : chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "transfer-encoding:\tchunked\r\n\r\n0\r\n\r\n".to_owned(),
        "x: y\r\n transfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n\r\n".to_owned(),
        "content-length: 0\r\nx: y\rtransfer-encoding: chunked\r\n\r\n".to_owned(),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: localhost\r\n{head}{hidden}");
        let answers = answers(&visitor, &request).await;
        assert!(answers.len() <= 1, "{head:?}: {answers:?}");
        assert!(
            answers.iter().all(|status| status.starts_with('4')),
            "{head:?}: {answers:?}"
        );
    }
}

/// ASVS: V4.2.4, V1.2.1
#[tokio::test]
async fn no_line_break_gets_from_a_request_into_an_answer() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let visitor = portal.visitor();
    for line in [
        "%0d%0aset-cookie:%20a=b",
        "%0aset-cookie:a=b",
        "%c4%8d%c4%8aset-cookie:a=b",
        "%E5%98%8A%E5%98%8Dset-cookie:a=b",
    ] {
        for path in [
            format!("/sign-in?next=/{line}"),
            format!("/documents?next={line}"),
            format!("/{line}"),
            format!("/documents/{line}"),
            format!("/static/{line}"),
        ] {
            for browser in [&ada, &visitor] {
                let answer = browser.raw("GET", &path).send().await.unwrap();
                let cookies = answer.headers().get_all("set-cookie");
                assert!(
                    cookies
                        .iter()
                        .all(|cookie| cookie.as_bytes().starts_with(b"__Host-")),
                    "{path}"
                );
                let place = answer.location().unwrap_or_default();
                assert!(!place.contains(['\r', '\n']), "{path}: {place}");
            }
        }
    }
}

/// A visitor sends a proxy's headers: they name another host, another scheme, another address.
///
/// ASVS: V4.1.3, V15.3.4, V6.4.3
#[tokio::test]
async fn headers_of_a_proxy_that_is_not_there_count_for_nothing() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let visitor = portal.visitor();
    let form = visitor
        .get("/forgot")
        .await
        .form("/forgot")
        .fill("email", "ada@example.org");
    let (kind, body) = form.encoded();
    let answer = visitor
        .raw("POST", "/forgot")
        .header("sec-fetch-site", "same-origin")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("x-forwarded-for", "203.0.113.9")
        .header("x-real-ip", "203.0.113.9")
        .header("forwarded", "for=203.0.113.9;host=evil.example;proto=http")
        .header("x-original-url", "/admin/users")
        .header("x-rewrite-url", "/admin/users")
        .header("content-type", kind)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 303);
    portal.running.dewar().accounts().settle().await;
    let letters = files_below(&portal.data.path().join("outbox"));
    let letter = std::fs::read_to_string(&letters[0])
        .unwrap()
        .replace("=\r\n", "");
    assert!(
        letter.contains(&format!("{}/reset/", portal.running.url())),
        "{letter}"
    );
    assert!(!letter.contains("evil.example"));
    let log = portal.log().await;
    assert!(
        log.contains("127.0.0.1") && !log.contains("203.0.113.9"),
        "{log}"
    );
    // The address in the header is not the requested one.
    let page = visitor
        .raw("GET", "/")
        .header("x-original-url", "/admin/users")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
}

/// ASVS: V4.1.4, V13.4.4
#[tokio::test]
async fn methods_that_no_route_has_do_nothing_and_echo_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let document = document(&ada, "Plan").await;
    let before = portal.everything();
    for method in [
        "TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "COPY", "DEBUG",
        "QUERY", "get", "JEFF",
    ] {
        let request = format!(
            "{method} {document} HTTP/1.1\r\nhost: localhost\r\nx-secret: do-not-echo\r\nconnection: close\r\nsec-fetch-site: same-origin\r\n\r\n"
        );
        let mut socket = ada.socket().await.unwrap();
        socket.send(request.as_bytes()).await.unwrap();
        let heard = socket.hear(PATIENCE).await;
        let status = heard.status().unwrap_or(400);
        assert!(
            [400, 401, 403, 404, 405, 501].contains(&status),
            "{method}: {status}"
        );
        assert!(!heard.text().contains("do-not-echo"), "{method}");
    }
    assert_eq!(ada.get(&document).await.status(), 200);
    assert!(before == portal.everything());
}

/// The listener for plain HTTP redirects; no request may choose where to.
///
/// ASVS: V3.7.2, V4.1.2, V3.4.1
#[tokio::test]
async fn plain_http_sends_nobody_elsewhere() {
    let portal = Portal::open().await;
    let authority = std::fs::read(portal.running.authority_file().unwrap()).unwrap();
    let http = format!("http://localhost:{}", portal.running.http().unwrap().port());
    let visitor = Browser::new(&http, &authority);
    let own = format!("{}/", portal.running.url());
    let honest = visitor.get("/documents?page=2").await;
    let there = format!("{own}documents?page=2");
    assert_eq!(
        (honest.status().as_u16(), honest.location()),
        (301, Some(there.as_str()))
    );
    let lines = [
        ("//evil.example/", "localhost"),
        ("/\\evil.example/", "localhost"),
        ("/%5cevil.example/", "localhost"),
        ("/%2f/evil.example/", "localhost"),
        ("/.evil.example", "localhost"),
        ("@evil.example", "localhost"),
        (".evil.example", "localhost"),
        ("http://evil.example/", "localhost"),
        ("http://evil.example/", "evil.example"),
        ("https://evil.example/", "localhost"),
        ("/", "evil.example"),
        ("/", "localhost.evil.example"),
        ("/", "localhost:80@evil.example"),
        ("/", "localhost#evil.example"),
        ("/", "localhost/evil.example"),
        ("/", "evil.example\r\nhost: localhost"),
        ("/%0d%0alocation:https://evil.example", "localhost"),
        ("*", "localhost"),
        ("evil.example:443", "localhost"),
    ];
    for (target, host) in lines {
        let mut socket = visitor.socket().await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        socket.send(request.as_bytes()).await.unwrap();
        let text = socket.hear(PATIENCE).await.text().to_lowercase();
        let places: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("location: "))
            .collect();
        assert!(
            places.iter().all(|place| place.starts_with(&own)),
            "{target} {host}: {text}"
        );
        assert!(
            !text.contains("set-cookie") && !text.contains("strict-transport"),
            "{text}"
        );
        assert!(!text.starts_with("http/1.1 200"), "{text}");
    }
}

/// Dewar does not forward a form that was sent in clear, and does not let the browser repeat it over a redirect.
///
/// ASVS: V4.1.2, V12.2.1
#[tokio::test]
async fn a_password_sent_in_clear_signs_nobody_in() {
    let portal = Portal::open().await;
    portal.member("ada").await;
    let before = portal.everything();
    let http = format!(
        "http://localhost:{}/sign-in",
        portal.running.http().unwrap().port()
    );
    for method in ["POST", "PUT"] {
        let request = portal
            .visitor()
            .raw(method, &http)
            .form("email=ada%40example.org&password=x");
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.location()), (403, None));
        assert!(answer.headers().get("set-cookie").is_none());
    }
    assert!(before == portal.everything());
}
