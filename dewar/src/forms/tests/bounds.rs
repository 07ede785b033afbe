//! Limits on number and size. Dewar accepts each case again without its excess.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;

use super::*;
use crate::csrf::HEADER;
use crate::forms::{FormSpec, Model, Query, button, unsent};
use crate::pages::ErrorKind;

fn kind<T: Model>(outcome: Result<Form<T>, Error>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

const PASSWORD: &str = "a quiet lake before the rain";

/// Two programs may read different values from a header that a request repeats.
///
/// ASVS: V4.2.1
#[tokio::test]
async fn a_header_that_decides_comes_once() {
    let browser = Browser::new().await;
    let fields = format!("email=ada%40example.org&password={PASSWORD}");
    let urlencoded = "application/x-www-form-urlencoded";
    for (tokens, types, outcome) in [
        (1, 1, None),
        (2, 1, Some(ErrorKind::Forbidden)),
        (1, 2, Some(ErrorKind::UnsupportedMediaType)),
    ] {
        let mut request = browser.request(urlencoded, fields.clone());
        let headers = request.headers_mut();
        for _ in 0..tokens {
            headers.append(HEADER, browser.gate.token().parse().unwrap());
        }
        for _ in 1..types {
            headers.append(header::CONTENT_TYPE, urlencoded.parse().unwrap());
        }
        let sent = Form::<SignUp>::from_request(request, &()).await;
        assert_eq!(kind(sent), outcome, "{tokens} {types}");
    }
}

/// ASVS: V2.2.1, V15.2.2
#[tokio::test]
async fn parts_tokens_and_files_are_counted() {
    let mut browser = Browser::new().await;
    let texts = [("email\"", "ada@example.org"), ("password\"", PASSWORD)];
    browser.config.fields = 3;
    assert!(browser.send_parts::<SignUp>(&texts).await.is_ok());
    browser.config.fields = 2;
    let outcome = browser.send_parts::<SignUp>(&texts).await;
    assert_eq!(kind(outcome), Some(ErrorKind::TooLarge));

    let mut browser = Browser::new().await;
    let token = browser.gate.token();
    let twice = [texts[0], ("csrf_token\"", token.as_str()), texts[1]];
    assert!(browser.send_parts::<SignUp>(&twice).await.is_err());

    let files = [
        ("title\"", "a"),
        ("file\"; filename=\"a.txt\"", "a"),
        ("more\"; filename=\"b.txt\"", "b"),
    ];
    for (most, is_taken) in [(2, true), (1, false)] {
        browser.config.files = most;
        let form = browser.send_parts::<NewFile>(&files).await.unwrap();
        assert_eq!(form.or_rerender("new.html").is_ok(), is_taken, "{most}");
    }
}

#[tokio::test]
async fn the_head_of_a_part_is_bounded_when_it_comes_in_one_piece() {
    let browser = Browser::new().await;
    for (length, outcome) in [(100, None), (5_000, Some(ErrorKind::BadRequest))] {
        let more = "x".repeat(length);
        let head = format!("file\"; filename=\"a.txt\"\r\nContent-Type: text/plain; a={more}");
        let parts = [("title\"", "a"), (head.as_str(), "hello")];
        let sent = browser.send_parts::<NewFile>(&parts).await;
        assert_eq!(kind(sent), outcome, "{length}");
    }
}

/// Before it reads anything of the body.
#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_not_read() {
    let mut browser = Browser::new().await;
    browser.config.body = 4_096;
    for (said, outcome) in [("80", None), ("4097", Some(ErrorKind::TooLarge))] {
        let token = browser.gate.token();
        let body = format!("email=ada%40example.org&password={PASSWORD}&csrf_token={token}");
        let mut request = browser.request("application/x-www-form-urlencoded", body);
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_LENGTH, said.parse().unwrap());
        let sent = Form::<SignUp>::from_request(request, &()).await;
        assert_eq!(kind(sent), outcome, "{said}");
    }
}

#[tokio::test]
async fn a_query_is_bounded_also_where_nothing_of_it_is_known() {
    #[derive(crate::forms::Form, Debug)]
    struct Search {
        q: Option<Line<5>>,
    }
    let browser = Browser::new().await;
    for (length, is_taken) in [(8_000, true), (9_000, false)] {
        let address = format!("/?x={}", "a".repeat(length));
        let mut parts = browser.head(&address);
        let read = Query::<Search>::from_request_parts(&mut parts, &()).await;
        let read = read.map(|Query(search)| search.q.is_none());
        assert_eq!(read.ok(), is_taken.then_some(true), "{length}");
    }
}

#[tokio::test]
async fn a_button_whose_token_is_in_the_header_has_no_body() {
    let browser = Browser::new().await;
    for (body, is_taken) in [("", true), ("title=a", false)] {
        let mut request = browser.request("text/plain", "");
        let headers = request.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.insert(HEADER, browser.gate.token().parse().unwrap());
        let (parts, _) = request.into_parts();
        let checked = button(&parts, Body::from(body)).await;
        assert_eq!(checked.is_ok(), is_taken, "{body:?}");
    }
}

/// The page that refuses a form shows its texts again, but no password and no sealed value.
///
/// ASVS: V14.2.1
#[tokio::test]
async fn what_is_given_back_holds_no_password_and_nothing_sealed() {
    #[derive(crate::forms::Form, Debug)]
    struct Edit {
        of: crate::forms::Hidden<Line<20>>,
        email: Email,
        password: NewPassword,
    }
    let _fields = |edit: Edit| (edit.of, edit.email, edit.password);
    let browser = Browser::new().await;
    let spec = FormSpec::new(Edit::FIELDS);
    let fields = [("of", "sealed"), ("email", "ada"), ("password", PASSWORD)];
    let urlencoded = fields
        .map(|(name, text)| format!("{name}={text}"))
        .join("&");
    let heads = fields.map(|(name, text)| (format!("{name}\""), text));
    let parts: Vec<(&str, &str)> = heads.iter().map(|(head, text)| (&**head, *text)).collect();
    for (kind, body) in [
        ("application/x-www-form-urlencoded", urlencoded),
        ("multipart/form-data; boundary=b0", multipart(&parts)),
    ] {
        let (head, body) = browser.request(kind, body).into_parts();
        let typed = unsent(&head, body, &spec).await.unwrap().typed;
        let typed: BTreeSet<String> = typed.into_iter().map(|typed| typed.text).collect();
        assert_eq!(typed, BTreeSet::from(["ada".to_owned()]), "{kind}");
    }
}
