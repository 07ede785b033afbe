use crate::https::request_rules::{Scheme, check};
use crate::https::{Hosts, RequestLimits, RequestRejection};
use axum::http::{Request, Version};

fn judge(request: http::request::Builder) -> u16 {
    let hosts = Hosts::new(["example.org", "[::1]"]).unwrap();
    let request = request.body(()).unwrap();
    let verdict = check(&request, Scheme::Https, &hosts, &RequestLimits::default());
    verdict.map_or_else(
        |refusal: RequestRejection| refusal.answer().0.as_u16(),
        |_| 200,
    )
}

fn path(path: &str) -> u16 {
    judge(Request::get(path).header("host", "example.org"))
}

#[test]
fn paths_have_one_reading() {
    let good = [
        "/",
        "/a",
        "/a/",
        "/a/b.css?x=1&y=%00",
        "/.well-known/security.txt",
        "/a..b",
        "/...",
        "/%C3%A4",
        "/a%20b",
        "/100%25",
        "/?next=//x",
        "/a;b=c/@d",
    ];
    for text in good {
        assert_eq!(path(text), 200, "{text}");
    }
    let bad = [
        "//",
        "//evil.example/",
        "/a//b",
        "/a//",
        "/.",
        "/..",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "/%2e%2e/b",
        "/%2E/",
        "/.%2e/x",
        "/a%2fb",
        "/a%2Fb",
        "/a%5cb",
        "/a%00b",
        "/a%0d%0ab",
        "/a%7f",
        "/a%",
        "/a%2",
        "/a%zz",
        "/\u{e4}",
    ];
    for text in bad {
        assert_eq!(path(text), 400, "{text}");
    }
    assert_eq!(path(&format!("/{}", "a".repeat(8192))), 414);
    assert_eq!(path(&format!("/?{}", "a".repeat(8000))), 200);
}

#[test]
fn there_is_exactly_one_host_and_it_is_ours() {
    let get = || Request::get("/");
    assert_eq!(judge(get()), 400);
    assert_eq!(
        judge(
            get()
                .header("host", "example.org")
                .header("host", "example.org")
        ),
        400
    );
    let hosts = [
        ("example.org", 200),
        ("EXAMPLE.ORG:8443", 200),
        ("[::1]:8443", 200),
        ("evil.example", 421),
        ("example.org.evil.example", 421),
        ("a b", 400),
        ("example.org/x", 400),
        ("", 400),
        ("example.org:", 400),
        ("user@example.org", 400),
        ("a\\b", 400),
        ("example.org.", 400),
    ];
    for (host, status) in hosts {
        assert_eq!(judge(get().header("host", host)), status, "{host:?}");
    }
}

#[test]
fn an_absolute_target_must_agree_with_the_host() {
    let absolute = |target: &str, host: &str| judge(Request::get(target).header("host", host));
    assert_eq!(absolute("https://example.org/", "example.org"), 200);
    assert_eq!(absolute("https://example.org/", "[::1]"), 400);
    assert_eq!(absolute("http://example.org/", "example.org"), 400);
    assert_eq!(absolute("https://evil.example/", "evil.example"), 421);
    assert_eq!(judge(Request::get("https://example.org/")), 400);
    assert_eq!(
        judge(Request::get("https://example.org/").version(Version::HTTP_2)),
        200
    );
    assert_eq!(
        judge(Request::options("*").header("host", "example.org")),
        400
    );
}

#[test]
fn methods_are_those_a_route_can_have() {
    let statuses = [
        ("GET", 200),
        ("HEAD", 200),
        ("POST", 200),
        ("OPTIONS", 200),
        ("DELETE", 200),
        ("TRACE", 405),
        ("CONNECT", 405),
        ("PROPFIND", 501),
        ("get", 501),
    ];
    for (method, status) in statuses {
        let request = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "example.org");
        assert_eq!(judge(request), status, "{method}");
    }
}

#[test]
fn a_body_has_one_length() {
    let post = || Request::post("/").header("host", "example.org");
    assert_eq!(judge(post().header("content-length", "3")), 200);
    assert_eq!(
        judge(
            post()
                .header("content-length", "3")
                .header("content-length", "4")
        ),
        400
    );
    assert_eq!(judge(post().header("transfer-encoding", "chunked")), 411);
    assert_eq!(
        judge(
            post()
                .header("transfer-encoding", "chunked")
                .version(Version::HTTP_2)
        ),
        400
    );
    assert_eq!(judge(post().header("expect", "100-Continue")), 200);
    assert_eq!(judge(post().header("expect", "tea")), 417);
}

#[test]
fn there_are_at_most_sixty_four_headers() {
    let with = |count: usize| {
        let request = Request::get("/").header("host", "example.org");
        judge((1..count).fold(request, |request, n| request.header(format!("x-{n}"), "1")))
    };
    assert_eq!((with(64), with(65)), (200, 431));
}
