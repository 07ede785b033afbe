//! The parsers, for `fuzz/`.
//!
//! cargo-fuzz compiles it with `cfg(fuzzing)`, and so do this crate's tests, which call each function with a few hundred inputs.
//! Each function panics if a limit or a promise does not hold.

#![expect(
    clippy::missing_panics_doc,
    reason = "each function panics if a promise is broken"
)]

use std::sync::LazyLock;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{FutureExt, stream};

use super::multipart::Multipart;
use super::received::Received;
use super::{
    Choice, Choices, CleanHtml, Colour, Date, DateTime, Decimal, Email, Field, FormValue,
    FromPathParams, Int, Line, List, Many, Markdown, Name, NewPassword, Password, RawValue,
    Telephone, Text, Time, Url, clean_html, disposition, json, multipart, rows, urlencoded,
};
use crate::https::media_type::MediaType;
use crate::secrets::{KeyRing, Purpose};
use crate::{csrf, pages};

const FIELDS: usize = 16;

#[derive(super::Form)]
struct Order {
    reference: Line<40>,
    price: Option<Decimal<2, 0, 1_000>>,
    urgent: bool,
    tags: Vec<Line<10>>,
    items: List<Item, 0, 4>,
}

#[derive(super::Form)]
struct Item {
    title: Line<20>,
    count: Int<1, 9>,
    notes: List<Note, 0, 2>,
}

#[derive(super::Form)]
struct Note {
    text: Text<50>,
}

#[derive(Choices, Clone, Copy, Debug, PartialEq)]
enum Sort {
    Newest,
    Title,
}

/// `Accept-Language`.
pub fn accept_language(text: &str) {
    pages::fuzzing::accept_language(text);
}

/// The content type of a multipart body.
pub fn boundary(text: &str) {
    let Ok(value) = http::HeaderValue::from_bytes(text.as_bytes()) else {
        return;
    };
    if let Some(boundary) = multipart::boundary(MediaType::of(&value)) {
        assert!((1..=70).contains(&boundary.len()) && !boundary.contains(['\r', '\n', '"']));
    }
}

/// HTML, and whether `known` calls it clean although the sanitiser would change it.
pub fn clean(text: &str) {
    assert!(clean_html::agrees(text), "{text:?}");
    let once = CleanHtml::<1_000>::clean(text);
    assert!(clean_html::agrees(once.as_str()), "{text:?}");
    assert_eq!(CleanHtml::<1_000>::clean(once.as_str()), once);
}

/// The head of a part of a multipart body.
pub fn disposition(bytes: &[u8]) {
    if let Ok(head) = disposition::head(bytes) {
        assert!(!head.name.is_empty() && head.name.len() <= super::config::NAME);
    }
}

/// A hidden value that comes back: Dewar opens only what it sealed.
pub fn hidden(text: &str) {
    static RING: LazyLock<(KeyRing, String)> = LazyLock::new(|| {
        let ring = KeyRing::ephemeral();
        let sealed = ring
            .seal(Purpose::Hidden, b"here", b"7")
            .unwrap_or_default();
        (ring, sealed)
    });
    let (ring, sealed) = &*RING;
    let key = sealed.split_once('.').map_or("", |(key, _)| key);
    for altered in [
        text.to_owned(),
        format!("{key}.{text}"),
        format!("{sealed}{text}"),
    ] {
        let opened = ring.open(Purpose::Hidden, b"here", &altered);
        assert_eq!(opened.is_ok(), altered == *sealed, "{text:?}");
    }
    assert!(
        sealed.is_empty()
            || ring.open(Purpose::Hidden, text.as_bytes(), sealed).is_err()
            || text == "here"
    );
}

/// A form as JSON.
pub fn json(bytes: &[u8]) {
    let mut received = Received::query::<Order>();
    if json::read(bytes, FIELDS, &mut received).is_ok() {
        is_right_or_says_why(received);
    }
}

/// A local path to redirect to.
pub fn local_path(text: &str) {
    pages::fuzzing::local_path(text);
}

/// Markdown becomes clean HTML, whatever it contains.
pub fn markdown(text: &str) {
    if let Ok(markdown) = Markdown::<10_000>::parse(text) {
        let html = markdown.to_html();
        assert_eq!(CleanHtml::<10_000>::clean(html.as_str()), html);
    }
}

/// A multipart body; the first byte is the size of its pieces.
pub fn multipart(bytes: &[u8]) {
    let Some((size, body)) = bytes.split_first() else {
        return;
    };
    let pieces: Vec<_> = body
        .chunks(usize::from(*size).max(1))
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    let mut multipart = Multipart::new(Body::from_stream(stream::iter(pieces)), "b0");
    let read = async {
        let mut length = 0;
        while let Ok(Some(_head)) = multipart.part().await {
            while let Ok(Some(chunk)) = multipart.chunk().await {
                length += chunk.len();
            }
        }
        length
    };
    // The whole body is already here, so nothing waits.
    let length = read.now_or_never();
    assert!(length.is_some_and(|length| length <= body.len()));
}

/// The parameters of a path: a value that passes has only one spelling.
pub fn path(text: &str) {
    if let Some(number) = <i64 as FromPathParams>::parse(&[text]) {
        assert_eq!(number.to_string(), text);
    }
    let parts: Vec<_> = text.split('/').collect();
    if let Some((number, sort)) = <(u32, Choice<Sort>) as FromPathParams>::parse(&parts) {
        assert_eq!(format!("{number}/{}", sort.value()), text);
    }
    if let Some(line) = <Line<20> as FromPathParams>::parse(&[text]) {
        assert!(line.as_str().chars().count() <= 20);
    }
}

/// `Range`.
pub fn range(text: &str) {
    pages::fuzzing::range(text);
}

/// The name of a field, which may be in a row.
pub fn rows(text: &str) {
    let fields = <Order as super::Model>::FIELDS;
    if let Some(spec) = rows::find(fields, text) {
        assert!(
            text == spec.name || text.ends_with(&format!(".{}", spec.name)),
            "{text:?}"
        );
        assert!(rows::label(fields, text).is_some(), "{text:?}");
        let mut received = Received::query::<Order>();
        let arrived = super::received::Arrived::Text("1".to_owned().into());
        assert!(received.add(text, arrived).is_ok(), "{text:?}");
        is_right_or_says_why(received);
    }
}

/// The signature of a webhook.
pub fn signature(text: &str) {
    csrf::fuzzing::signature(text);
}

/// A template.
pub fn template(text: &str) {
    pages::fuzzing::template(text);
}

/// A CSRF token.
pub fn token(text: &str) {
    csrf::fuzzing::token(text);
}

/// An urlencoded body or query.
pub fn urlencoded(bytes: &[u8]) {
    let Ok(pairs) = urlencoded::pairs(bytes, FIELDS) else {
        return;
    };
    let total: usize = pairs
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    assert!(pairs.len() <= FIELDS && total <= bytes.len());
    let mut received = Received::query::<Order>();
    for (name, value) in pairs {
        if received
            .add(&name, super::received::Arrived::Text(value))
            .is_err()
        {
            return;
        }
    }
    is_right_or_says_why(received);
}

fn is_right_or_says_why(received: Received) {
    if let Ok((order, received)) = received.read::<Order>() {
        let view = received.into_view::<Order>();
        assert_eq!(order.is_some(), view.problems.is_empty());
    }
}

/// Every value type: a value that passed passes again, unchanged.
pub fn values(text: &str) {
    // Clean HTML may be longer than the typed text.
    again::<CleanHtml<100_000>>(text);
    again::<Choice<Sort>>(text);
    again::<Colour>(text);
    again::<Date>(text);
    again::<DateTime>(text);
    again::<Decimal<2, -1_000, 1_000>>(text);
    again::<Email>(text);
    again::<Int<-1_000, 1_000>>(text);
    again::<Line<200>>(text);
    again::<Markdown<200>>(text);
    again::<Name<200>>(text);
    again::<Telephone>(text);
    again::<Text<200>>(text);
    again::<Time>(text);
    again::<Url>(text);
    let many = Many::<Choice<Sort>, 0, 2>::parse(RawValue::Many(
        text.split(' ').map(RawValue::Text).collect(),
    ));
    assert!(many.map_or(0, |many| many.len()) <= 2);
    if let Ok(password) = Password::parse(RawValue::Text(text)) {
        assert!((1..=1_024).contains(&password.expose().len()));
    }
    if let Ok(password) = NewPassword::parse(RawValue::Text(text)) {
        assert!(password.expose().len() <= 1_024 && password.expose().chars().count() >= 15);
    }
    if let Ok(name) = Name::<200>::parse(text) {
        assert!(name.looks_like(name.as_str()));
    }
}

fn again<F: Field>(text: &str) {
    let Ok(once) = F::parse(RawValue::Text(text)) else {
        return;
    };
    if let FormValue::Text(shown) = once.show() {
        let twice = F::parse(RawValue::Text(&shown)).map(|value| value.show());
        assert_eq!(twice.ok(), Some(FormValue::Text(shown)));
    }
}
