//! Parts of a file: to whom they go, and what they are.

use dewar::testing::{Browser, TestResponse};

use crate::company::{Portal, document, hand_in};

async fn asked(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    let mut request = browser.raw("GET", path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

const TEXT: &[u8] = b"0123456789 <script>alert(1)</script>\n";

/// A file of ada's: who she is, its path, and its entity tag.
async fn handed_in(portal: &Portal) -> (Browser, String, String) {
    let ada = portal.member("ada").await;
    let sent = hand_in(&ada, "Parts", "parts.txt", TEXT).await;
    let path = format!("{}/file", sent.location().unwrap());
    let whole = ada.get(&path).await;
    assert_eq!((whole.status().as_u16(), &whole.bytes()[..]), (200, TEXT));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let tag = whole.header("etag").unwrap().to_owned();
    (ada, path, tag)
}

/// A part is as inert as the whole.
///
/// ASVS: V5.4.1, V3.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_file_is_served_like_the_whole() {
    let portal = Portal::open().await;
    let (ada, path, tag) = handed_in(&portal).await;
    let whole = ada.get(&path).await;
    let part = [("range", "bytes=11-18"), ("if-range", tag.as_str())];
    let part = asked(&ada, &path, &part).await;
    assert_eq!(
        (part.status().as_u16(), &part.bytes()[..]),
        (206, &TEXT[11..19])
    );
    assert_eq!(part.header("content-range"), Some("bytes 11-18/37"));
    for name in [
        "cache-control",
        "content-disposition",
        "content-security-policy",
        "content-type",
        "cross-origin-resource-policy",
        "etag",
        "x-content-type-options",
    ] {
        let value = whole.header(name);
        assert!(value.is_some() && part.header(name) == value, "{name}");
    }
    let head = ada.raw("HEAD", &path).header("range", "bytes=0-1");
    let head = head.send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), head.header("content-length")),
        (200, Some("37"))
    );
}

/// Every kind of response about a file has its tag and its policy, and says what it is a part of.
#[tokio::test(flavor = "multi_thread")]
async fn a_condition_or_a_range_gets_the_response_of_the_standard() {
    let portal = Portal::open().await;
    let (ada, path, tag) = handed_in(&portal).await;
    let older = [("range", "bytes=0-1"), ("if-range", "\"older\"")];
    for (headers, status, range) in [
        (&[("range", "bytes=37-")][..], 416, Some("bytes */37")),
        (&[("range", "bytes=-0")], 416, Some("bytes */37")),
        (&[("range", "bytes=0-1,3-4")], 200, None),
        (&older, 200, None),
        (&[("if-none-match", tag.as_str())], 304, None),
        (&[("if-match", "\"older\"")], 412, None),
    ] {
        let answer = asked(&ada, &path, headers).await;
        assert_eq!(answer.status(), status, "{headers:?}");
        assert_eq!(answer.header("content-range"), range, "{headers:?}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()), "{headers:?}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox"), "{headers:?}");
        assert_eq!(answer.bytes().is_empty(), status != 200, "{headers:?}");
    }
}

/// The part of a file that is not the visitor's does not exist, and no condition tells that the file does.
///
/// ASVS: V8.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_another_user_s_file_is_missing() {
    let portal = Portal::open().await;
    let (_, path, tag) = handed_in(&portal).await;
    let eve = portal.member("eve").await;
    document(&eve, "Of her own").await;
    for headers in [
        [("range", "bytes=0-1")],
        [("if-none-match", tag.as_str())],
        [("if-match", "\"older\"")],
    ] {
        let answer = asked(&eve, &path, &headers).await;
        assert_eq!(answer.status(), 404, "{headers:?}");
        assert_eq!(answer.header("etag"), None, "{headers:?}");
    }
}
