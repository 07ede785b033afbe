//! A file that is too large, and the values typed beside it.

use super::*;
use crate::forms::FieldPath;
use crate::forms::{Many, Model, URLENCODED};
use crate::https::{BodyError, Hosts, HttpsLayer, RequestLimits, Transport};
use crate::pages::ErrorKind;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of any body here.
const BODY: usize = 10_000;
const PIECE: usize = 500;

#[derive(crate::forms::Form, Debug)]
struct Report {
    title: Line<20>,
    scan: Option<Small>,
    pages: Many<Small, 0, 3>,
    about: Option<Text<500>>,
}

const TITLE: (&str, &str) = ("title\"", "Kept title");
const ABOUT: (&str, &str) = ("about\"", "Kept words");

fn scan(bytes: usize) -> (&'static str, String) {
    ("scan\"; filename=\"scan.txt\"", "x".repeat(bytes))
}

/// The form comes back with the typed values, and with this message at the field of the file.
fn comes_again<F>(form: Form<Report>, field: FieldPath<Report, F>, said: &str) {
    let again = form.result().unwrap_err();
    let problem = again.problems().of(field).next().unwrap().to_string();
    assert!(problem.contains(said), "{problem}");
    let html = shown(&again);
    assert!(
        html.contains("Kept title") && html.contains("Kept words"),
        "{html}"
    );
}

/// ASVS: V5.2.1
#[tokio::test]
async fn a_file_over_its_limit_leaves_nothing_and_loses_no_word() {
    let browser = Browser::new().await;
    let send = async |bytes: usize| {
        let (head, file) = scan(bytes);
        let page = ("pages\"; filename=\"page.txt\"", "a page");
        let parts = [TITLE, page, (head, &file), page, ABOUT];
        browser.send_parts::<Report>(&parts).await.unwrap()
    };
    let form = send(101).await;
    assert_eq!(
        browser.quarantined(),
        0,
        "the others are not kept for nobody"
    );
    let again = send(101).await.result().unwrap_err();
    assert_eq!(
        again.problems().of(Report::PAGES).count(),
        0,
        "nothing is wrong with them"
    );
    assert_eq!(shown(&again).matches("Choose the file again.").count(), 2);
    comes_again(form, Report::SCAN, "larger than 100 bytes");
    let again = send(101).await.or_rerender("new.html").unwrap_err();
    assert_eq!(again.into_response().status(), 413);
    assert_eq!(
        browser.events().await,
        ["upload_validation"; 3],
        "it is noted as every other refused file"
    );
    let report = send(100).await.or_rerender("new.html").unwrap();
    assert_eq!(
        (report.scan.unwrap().0.size(), report.pages.len()),
        (100, 2)
    );
}

/// ASVS: V5.2.1
#[tokio::test]
async fn texts_beside_files_are_taken_up_to_their_bound_together() {
    let mut browser = Browser::new().await;
    let words = "x".repeat(400);
    let together = TITLE.1.len() + words.len();
    for (most, fits) in [(together, true), (together - 1, false)] {
        browser.config.body = most;
        let parts = [TITLE, ("about\"", &words)];
        let sent = browser.send_parts::<Report>(&parts).await;
        let sent = sent
            .map_err(|error| error.kind())
            .map(|form| form.result().is_ok());
        assert_eq!(
            sent,
            if fits {
                Ok(true)
            } else {
                Err(ErrorKind::TooLarge)
            }
        );
    }
}

/// A text that is too long for its field comes back with the form up to a limit of bytes, and is not read beyond it.
#[tokio::test]
async fn a_text_beside_files_is_read_up_to_the_bytes_that_its_field_may_have() {
    let browser = Browser::new().await;
    let about = Report::FIELDS.iter().find(|spec| spec.name == "about");
    let most = about.unwrap().kind.text_bytes();
    for (bytes, found) in [(most, Ok(false)), (most + 1, Err(ErrorKind::TooLarge))] {
        let words = "x".repeat(bytes);
        let parts = [TITLE, ("about\"", &words)];
        let sent = browser.send_parts::<Report>(&parts).await;
        let sent = sent.map_err(|error| error.kind());
        assert_eq!(sent.map(|form| form.result().is_ok()), found, "{bytes}");
    }
}

#[tokio::test]
async fn a_program_is_told_which_file_is_too_large() {
    let browser = Browser::new().await;
    let (head, file) = scan(101);
    let body = multipart(&[
        ("csrf_token\"", &browser.gate.token()),
        TITLE,
        (head, &file),
    ]);
    let mut request = browser.request("multipart/form-data; boundary=b0", body);
    accept(&mut request, "application/json");
    let form = Form::<Report>::from_request(request, &()).await.unwrap();
    let error = form.or_rerender("new.html").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
}

/// The response to a form, and how many bytes of it were read.
struct Read {
    status: StatusCode,
    form: Option<Form<Report>>,
    bytes: usize,
    /// The most bytes in quarantine while the form was read.
    written: u64,
}

/// Sends a body through the room that limits bodies. It announces no length, unless `said` does.
async fn through_the_door(browser: &Browser, body: Bytes, said: Option<usize>) -> Read {
    let limits = RequestLimits {
        body_bytes: BODY as u64,
        ..RequestLimits::default()
    };
    let hosts = Hosts::new(["localhost"]).unwrap();
    let protect = HttpsLayer::new(hosts, limits, Transport::LocalAuthority);
    let (bytes, written) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut request = browser.request("multipart/form-data; boundary=b0", Body::empty());
    let host = HeaderValue::from_static("localhost");
    request.headers_mut().insert(header::HOST, host);
    let quarantine = browser.directory.path().join("quarantine");
    let (count, most) = (Arc::clone(&bytes), Arc::clone(&written));
    let pieces = body.chunks(PIECE).map(Bytes::copy_from_slice);
    let pieces: Vec<_> = pieces.collect();
    let stream = futures_util::stream::iter(pieces.into_iter().map(move |piece| {
        count.fetch_add(piece.len(), Ordering::Relaxed);
        let files = std::fs::read_dir(&quarantine).unwrap();
        let sizes = files.map(|file| file.unwrap().metadata().unwrap().len());
        let size = usize::try_from(sizes.sum::<u64>()).unwrap();
        most.fetch_max(size, Ordering::Relaxed);
        Ok::<_, Infallible>(piece)
    }));
    let body = match said {
        Some(length) => Body::new(Announced(Body::from_stream(stream), length as u64)),
        None => Body::from_stream(stream),
    };
    let (parts, _) = request.into_parts();
    let mut form = None;
    let read = async |request: Request| -> Response {
        match Form::<Report>::from_request(request, &()).await {
            Ok(read) => {
                form = Some(read);
                StatusCode::OK.into_response()
            }
            Err(error) => error.into_response(),
        }
    };
    let answer = protect.around(Request::from_parts(parts, body), read).await;
    Read {
        status: answer.status(),
        form,
        bytes: bytes.load(Ordering::Relaxed),
        written: written.load(Ordering::Relaxed) as u64,
    }
}

/// A body that announces its length.
struct Announced(Body, u64);

impl http_body::Body for Announced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        std::pin::Pin::new(&mut self.0).poll_frame(context)
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.1)
    }
}

fn form(token: &str, parts: &[(&str, &str)]) -> Bytes {
    let mut all = vec![("csrf_token\"", token)];
    all.extend_from_slice(parts);
    Bytes::from(multipart(&all))
}

/// The limit of every body is below that of the files together: the typed values come back all the same, and no more is written
/// or read than allowed.
///
/// ASVS: V5.2.1, V15.2.2
#[tokio::test]
async fn a_body_over_the_limit_is_read_on_for_its_words_and_for_so_long() {
    let browser = Browser::new().await;
    let token = browser.gate.token();
    let (head, file) = scan(3 * BODY);
    let large = form(&token, &[TITLE, (head, &file), ABOUT]);
    for said in [None, Some(large.len())] {
        let read = through_the_door(&browser, large.clone(), said).await;
        assert_eq!(read.bytes, large.len(), "{said:?}");
        comes_again(read.form.unwrap(), Report::SCAN, "larger than 100 bytes");
        assert!(read.written <= 100, "{}", read.written);
    }
    // Each file is small; all together are not.
    let page = "x".repeat(99);
    let page = ("pages\"; filename=\"page.txt\"", page.as_str());
    let parts = [vec![TITLE], vec![page; 15], vec![ABOUT]].concat();
    let mut many = browser.config;
    many.files = 200;
    let mut patient = Browser::new().await;
    patient.config = many;
    let body = form(&patient.gate.token(), &parts);
    assert!(body.len() < BODY);
    let read = through_the_door(&patient, body, None).await;
    comes_again(read.form.unwrap(), Report::PAGES, "at most 3");
    let parts = [vec![TITLE], vec![page; 80], vec![ABOUT]].concat();
    let body = form(&patient.gate.token(), &parts);
    assert!((BODY..4 * BODY).contains(&body.len()));
    let read = through_the_door(&patient, body, None).await;
    assert!(read.form.unwrap().result().is_err());
    // Dewar never reads more than four times the limit, whether the length is announced or not.
    let (head, file) = scan(8 * BODY);
    let endless = form(&token, &[TITLE, ABOUT, (head, &file)]);
    let read = through_the_door(&browser, endless.clone(), Some(endless.len())).await;
    assert_eq!(
        (read.status, read.bytes),
        (StatusCode::PAYLOAD_TOO_LARGE, 0)
    );
    let read = through_the_door(&browser, endless, None).await;
    assert!(read.bytes <= 4 * BODY + PIECE, "{}", read.bytes);
    comes_again(read.form.unwrap(), Report::SCAN, "larger than 100 bytes");
    assert_eq!((browser.quarantined(), patient.quarantined()), (0, 0));
}

/// Only a form that is read on for its texts is read past the limit of every body.
#[tokio::test]
async fn only_a_file_that_is_thrown_away_is_read_past_the_limit() {
    let browser = Browser::new().await;
    let token = browser.gate.token();
    let long = "x".repeat(2 * BODY);
    let text = ("about\"", long.as_str());
    let page = ("pages\"; filename=\"page.txt\"", "a page");
    for parts in [vec![TITLE, text], vec![TITLE, page, text]] {
        let read = through_the_door(&browser, form(&token, &parts), None).await;
        assert_eq!(read.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(read.form.is_none() && read.bytes <= BODY + PIECE);
    }
    let limits = RequestLimits {
        body_bytes: 4,
        ..RequestLimits::default()
    };
    let hosts = Hosts::new(["localhost"]).unwrap();
    let protect = HttpsLayer::new(hosts, limits, Transport::LocalAuthority);
    for (kind, reads) in [
        ("multipart/form-data; boundary=b0", true),
        (URLENCODED, false),
    ] {
        let request = Request::post("/notes")
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, kind)
            .body(Body::from("12345"))
            .unwrap();
        let mut came = false;
        let read = async |request: Request| {
            came = true;
            let error = request.into_body().collect().await.unwrap_err();
            let status = BodyError::find(&error).unwrap().status();
            status.into_response()
        };
        let answer = protect.around(request, read).await;
        assert_eq!((answer.status().as_u16(), came), (413, reads), "{kind}");
    }
}

/// If the skipped rest arrives too slowly, the page shows the reason and the typed values.
#[tokio::test]
async fn a_large_file_that_comes_slowly_loses_no_word_either() {
    let browser = Browser::new().await;
    let (head, file) = scan(200);
    let ends = |error: BodyError| {
        let body = form(&browser.gate.token(), &[TITLE, ABOUT, (head, &file)]);
        let cut = body.len() - 20;
        let pieces = [Ok(body.slice(..cut)), Err(error)];
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let request = browser.request("multipart/form-data; boundary=b0", body);
        Form::<Report>::from_request(request, &())
    };
    for error in [BodyError::TooSlow, BodyError::TooLarge { limit: 1 }] {
        comes_again(
            ends(error).await.unwrap(),
            Report::SCAN,
            "larger than 100 bytes",
        );
    }
    let broken = ends(BodyError::Broken("reset".into())).await;
    assert_eq!(broken.unwrap_err().kind(), ErrorKind::BadRequest);
}
