//! Forms and files in progress: what is counted, and what is deleted if the disk or the quota is full.

use super::super::concurrency::{MostUnderWay, RequestSender};
use super::super::incoming::{Shortage, Stop};
use super::super::spec::largest;
use super::*;
use crate::audit::{FreeSpace, Reserve};
use crate::forms::{Model, URLENCODED};
use crate::pages::ErrorKind;
use crate::pages::{RateCheck, RateRefusal, RequestContext};
use crate::testing::PATIENCE;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;

const SEVEN: RateRefusal = RateRefusal::TooMany(Duration::from_secs(7));

const MULTIPART: &str = "multipart/form-data; boundary=b0";

#[derive(crate::forms::Form, Debug)]
struct Enter {
    email: Email,
    password: crate::forms::Password,
}

/// A form of an address and a password may not be as large as any form.
#[tokio::test]
async fn a_form_takes_as_many_bytes_as_its_fields_can_bring() {
    let most = largest(Enter::FIELDS).unwrap();
    assert!((8 * 1024..64 * 1024).contains(&most), "{most}");
    let browser = Browser::new().await;
    let send = async |more: usize| {
        let long = "a".repeat(more);
        browser
            .send::<Enter>(&format!("email=a%40example.org&password={long}"))
            .await
    };
    assert!(send(1_000).await.unwrap().result().is_ok());
    assert_eq!(send(most).await.unwrap_err().kind(), ErrorKind::TooLarge);
    // For a field that may come any number of times, the setting is the only limit.
    assert_eq!(largest(NewNote::FIELDS), None);
    let longest = "%F0%9F%A5%9B".repeat(500);
    let fields = format!("email=a%40example.org&password=fifteen.letters&about={longest}");
    assert!(
        browser
            .send::<SignUp>(&fields)
            .await
            .unwrap()
            .result()
            .is_ok()
    );
}

/// A header with the token, the title, and the beginning of a file.
fn beginning(browser: &Browser) -> String {
    let token = browser.gate.token();
    let parts = [("csrf_token\"", token.as_str()), ("title\"", "Kept title")];
    let whole = multipart(&parts);
    let before = whole.strip_suffix("--b0--\r\n").unwrap();
    format!(
        "{before}--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{}",
        "x".repeat(90)
    )
}

type Pieces = mpsc::Sender<Bytes>;

fn slow(browser: &Browser, intake: Option<Intake>) -> (Pieces, Request) {
    let (pieces, arrived) = mpsc::channel(4);
    let body = stream::unfold(arrived, |mut arrived| async {
        let piece: Bytes = arrived.recv().await?;
        Some((Ok::<_, Infallible>(piece), arrived))
    });
    let mut request = browser.request(MULTIPART, Body::from_stream(body));
    if let Some(intake) = intake {
        RequestContext::in_test(&mut request)
            .later_mut()
            .insert(intake);
    }
    (pieces, request)
}

/// Reads a form as far as it arrived.
macro_rules! is_waiting {
    ($form:expr) => {
        std::future::poll_fn(|context| Poll::Ready($form.as_mut().poll(context).is_pending())).await
    };
}

/// Ends a form with a file, which Dewar then does not accept.
async fn ended<F>(pieces: Pieces, form: F) -> Form<NewFile>
where
    F: Future<Output = Result<Form<NewFile>, Error>>,
{
    pieces.send("\r\n--b0--\r\n".into()).await.unwrap();
    drop(pieces);
    form.await.unwrap()
}

/// It comes back with the typed values and with this message, and says when to retry.
fn comes_again<T: Model + std::fmt::Debug>(form: Form<T>, words: &str, status: StatusCode) {
    let html = shown(&form.view());
    assert!(
        html.contains("Kept title") && html.contains(words),
        "{html}"
    );
    let answer = form.or_rerender("new.html").unwrap_err().into_response();
    assert_eq!(answer.status(), status);
    // After 507 no program may repeat the request by itself (RFC 4918, 11.5).
    let waits = status != StatusCode::INSUFFICIENT_STORAGE;
    assert_eq!(answer.headers().contains_key(header::RETRY_AFTER), waits);
}

/// A sender that began many forms and ended none was never counted.
#[tokio::test]
async fn a_form_is_counted_before_its_body_is_read() {
    let browser = Browser::new().await;
    let counted = Arc::new(AtomicUsize::new(0));
    let (_pieces, mut request) = slow(&browser, None);
    let count = Arc::clone(&counted);
    let rate = RateCheck::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(()))
    });
    RequestContext::in_test(&mut request).admission.rate = Some(rate);
    let mut form = Box::pin(Form::<NewFile>::from_request(request, &()));
    assert!(is_waiting!(form));
    assert_eq!(counted.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn who_sends_too_often_has_no_file_written_and_loses_no_word() {
    let browser = Browser::new().await;
    let (pieces, mut request) = slow(&browser, None);
    let refuse = RateCheck::new(|| std::future::ready(Err(SEVEN)));
    RequestContext::in_test(&mut request).admission.rate = Some(refuse);
    let mut form = Box::pin(Form::<NewFile>::from_request(request, &()));
    // More pieces than the channel holds: when it has taken all, the file's beginning was read, and would have been written.
    let pieces_sent = async {
        pieces.send(beginning(&browser).into()).await.unwrap();
        for _ in 0..8 {
            pieces.send("x".repeat(90).into()).await.unwrap();
        }
    };
    tokio::select! {
        () = pieces_sent => {}
        form = &mut form => panic!("it ended before its file: {form:?}"),
    }
    assert_eq!(browser.quarantined(), 0);
    let form = ended(pieces, form).await;
    comes_again(form, "seconds", StatusCode::TOO_MANY_REQUESTS);
}

/// A file that began before the disk was full went on into the reserve for users who sign in.
#[tokio::test]
async fn a_file_under_way_goes_at_once_when_the_disk_is_full() {
    let browser = Browser::new().await;
    let quarantine = browser.directory.path().join("quarantine");
    let reserve = Reserve::take(browser.directory.path(), 4_096);
    let intake = Intake::new(browser.config, quarantine).beside(reserve.clone());
    let (pieces, request) = slow(&browser, Some(intake));
    let mut form = Box::pin(Form::<NewFile>::from_request(request, &()));
    pieces.send(beginning(&browser).into()).await.unwrap();
    // Another thread opens the file.
    while browser.quarantined() == 0 {
        assert!(is_waiting!(form));
        tokio::task::yield_now().await;
    }
    reserve.give_up();
    pieces.send(Bytes::from_static(&[b'x'; 9])).await.unwrap();
    let end = std::time::Instant::now() + PATIENCE;
    while browser.quarantined() > 0 {
        assert!(is_waiting!(form), "it waits for the rest of the texts");
        assert!(std::time::Instant::now() < end, "the file stays");
        tokio::task::yield_now().await;
    }
    let form = ended(pieces, form).await;
    comes_again(
        form,
        "no room on our disk",
        StatusCode::INSUFFICIENT_STORAGE,
    );
}

/// A file that would leave less than the margin is not written, though the disk has room for it.
///
/// ASVS: V5.1.1
#[tokio::test]
async fn a_file_for_which_too_little_space_is_free_is_not_written() {
    let browser = Browser::new().await;
    let quarantine = browser.directory.path().join("quarantine");
    for (least, room) in [(0, true), (u64::MAX, false)] {
        let free = FreeSpace::new(browser.directory.path(), least);
        let intake = Intake::new(browser.config, &quarantine).keeping_free(free);
        let (pieces, request) = slow(&browser, Some(intake));
        let mut form = Box::pin(Form::<NewFile>::from_request(request, &()));
        pieces.send(beginning(&browser).into()).await.unwrap();
        if room {
            while browser.quarantined() == 0 {
                assert!(is_waiting!(form));
                tokio::task::yield_now().await;
            }
            continue;
        }
        let form = ended(pieces, form).await;
        assert_eq!(browser.quarantined(), 0);
        comes_again(
            form,
            "no room on our disk",
            StatusCode::INSUFFICIENT_STORAGE,
        );
    }
}

/// Text used up the reserve for users who sign in.
#[tokio::test]
async fn a_form_that_comes_while_the_disk_is_full_is_shown_again() {
    let browser = Browser::new().await;
    let body = format!(
        "csrf_token={}&title=Kept+title&colour=red",
        browser.gate.token()
    );
    let mut request = browser.request(URLENCODED, body);
    RequestContext::in_test(&mut request).admission.disk_is_full = true;
    let form = Form::<NewNote>::from_request(request, &()).await.unwrap();
    comes_again(
        form,
        "no room on our disk",
        StatusCode::INSUFFICIENT_STORAGE,
    );
}

#[derive(crate::forms::Form, Debug)]
struct Ending {
    _version: crate::forms::RecordVersion,
}

/// The error page of a lone button was the page of another form, which lacked its values: 500.
#[tokio::test]
async fn a_form_of_hidden_values_alone_draws_no_page_where_it_has_to_wait() {
    let browser = Browser::new().await;
    let send = async |full: bool| {
        let sealed = browser.gate.seal(&["ending", "_version"], &"0".repeat(64));
        let (token, sealed) = (browser.gate.token(), sealed.unwrap());
        let sealed: String = form_urlencoded::byte_serialize(sealed.as_bytes()).collect();
        let body = format!("csrf_token={token}&_version={sealed}");
        let mut request = browser.request(URLENCODED, body);
        accept(&mut request, "text/html");
        let admission = &mut RequestContext::in_test(&mut request).admission;
        if full {
            admission.disk_is_full = true;
        } else {
            admission.rate = Some(RateCheck::new(|| std::future::ready(Err(SEVEN))));
        }
        Form::<Ending>::from_request(request, &()).await.unwrap()
    };
    for (full, kind, text) in [
        (true, ErrorKind::InsufficientStorage, "no room on our disk"),
        (false, ErrorKind::TooManyRequests, "7"),
    ] {
        let shown = send(full)
            .await
            .or_rerender("needs/values.html")
            .unwrap_err();
        let error = send(full).await.or_reject().unwrap_err();
        for error in [shown, error] {
            assert_eq!(error.kind(), kind);
            assert!(error.to_string().contains(text), "{error}");
            let answer = error.into_response();
            // After 507 no program may repeat the request by itself (RFC 4918, 11.5).
            let waits = answer.headers().contains_key(header::RETRY_AFTER);
            assert_eq!(waits, !full);
        }
    }
}

/// A full disk inside a request was an internal error.
#[test]
fn a_database_without_room_is_507() {
    let error = Error::from(crate::database::Error::DiskFull).into_response();
    assert_eq!(error.status(), StatusCode::INSUFFICIENT_STORAGE);
}

/// Many files of one sender that began and never ended filled the quarantine.
#[tokio::test]
async fn one_sender_has_only_so_many_files_under_way() {
    let browser = Browser::new().await;
    let quarantine = browser.directory.path().join("quarantine");
    let intake = Intake::new(browser.config, quarantine).bounded(MostUnderWay {
        files: 2,
        bytes: 1_000,
        all_files: 1_000,
        all: 1_000,
    });
    let mut forms = Vec::new();
    for number in 1..=5 {
        let (pieces, request) = slow(&browser, Some(intake.clone()));
        let mut form = Box::pin(Form::<NewFile>::from_request(request, &()));
        pieces.send(beginning(&browser).into()).await.unwrap();
        while browser.quarantined() < number.min(2) {
            assert!(is_waiting!(form));
            tokio::task::yield_now().await;
        }
        assert!(is_waiting!(form));
        forms.push((pieces, form));
    }
    assert_eq!(browser.quarantined(), 2);
    let (pieces, form) = forms.pop().unwrap();
    let form = ended(pieces, form).await;
    comes_again(form, "Too many files", StatusCode::SERVICE_UNAVAILABLE);
    drop(forms);
    let file = ("file\"; filename=\"a.txt\"", "short");
    let token = browser.gate.token();
    let parts = [("csrf_token\"", token.as_str()), ("title\"", "After"), file];
    let mut request = browser.request(MULTIPART, multipart(&parts));
    RequestContext::in_test(&mut request)
        .later_mut()
        .insert(intake);
    let form = Form::<NewFile>::from_request(request, &()).await.unwrap();
    assert!(form.result().is_ok(), "what was given up leaves room");
}

/// A user who stored as much as the quota allows had as much again in quarantine.
#[tokio::test]
async fn a_file_that_does_not_fit_beside_those_that_are_kept_is_not_written() {
    let browser = Browser::new().await;
    let quarantine = browser.directory.path().join("quarantine");
    std::fs::create_dir_all(&quarantine).unwrap();
    let intake = |kept: u64| {
        let intake = Intake::new(browser.config, &quarantine).bounded(MostUnderWay {
            files: 2,
            bytes: 100,
            all_files: 1_000,
            all: 1_000,
        });
        intake.beside_kept(move |person| async move {
            assert_eq!(person, 7);
            Ok(kept)
        })
    };
    let full = Stop::Full(Shortage::Kept);
    let person = RequestSender::Person(7);
    let begun = intake(100).arriving(person).await;
    assert_eq!(format!("{:?}", begun.unwrap_err()), format!("{full:?}"));
    let mut begun = intake(96).arriving(person).await.unwrap();
    begun.write("four".into()).await.unwrap();
    let more = begun.write("5".into()).await;
    assert_eq!(format!("{:?}", more.unwrap_err()), format!("{full:?}"));
    // A visitor stores nothing.
    let mut of_visitor = intake(100)
        .arriving(RequestSender::Network(None))
        .await
        .unwrap();
    of_visitor.write("four".into()).await.unwrap();
    drop((begun, of_visitor));
    assert_eq!(browser.quarantined(), 0);
}
