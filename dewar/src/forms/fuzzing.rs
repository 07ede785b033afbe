//! The parsers, for `fuzz/`: compiled only by cargo-fuzz, which sets `cfg(fuzzing)`. Each function panics where a bound or a
//! promise does not hold.

use axum::body::Body;
use bytes::Bytes;
use futures_util::{FutureExt, stream};

use super::multipart::Multipart;
use super::received::Received;
use super::{
    CleanHtml, Colour, Date, DateTime, Decimal, Email, Field, Int, Line, List, Raw, Shown,
    Telephone, Text, Time, Url, disposition, json, urlencoded,
};

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

/// The head of a part of a multipart body.
pub fn disposition(bytes: &[u8]) {
    if let Ok(head) = disposition::head(bytes) {
        assert!(!head.name.is_empty() && head.name.len() <= super::config::NAME);
    }
}

/// A form as JSON.
pub fn json(bytes: &[u8]) {
    let mut received = Received::query::<Order>();
    if json::read(bytes, FIELDS, &mut received).is_ok() {
        is_right_or_says_why(received);
    }
}

/// A multipart body; the first byte says in pieces of which size it comes.
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
    // All of it is here already, so nothing is waited for.
    let length = read.now_or_never();
    assert!(length.is_some_and(|length| length <= body.len()));
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
        assert_eq!(order.is_some(), view.problems().is_empty());
    }
}

/// Every value type: what passed passes again, unchanged.
pub fn values(text: &str) {
    // Clean markup may be longer than what was typed.
    again::<CleanHtml<100_000>>(text);
    again::<Colour>(text);
    again::<Date>(text);
    again::<DateTime>(text);
    again::<Decimal<2, -1_000, 1_000>>(text);
    again::<Email>(text);
    again::<Int<-1_000, 1_000>>(text);
    again::<Line<200>>(text);
    again::<Telephone>(text);
    again::<Text<200>>(text);
    again::<Time>(text);
    again::<Url>(text);
}

fn again<F: Field>(text: &str) {
    let Ok(once) = F::parse(Raw::Text(text)) else {
        return;
    };
    if let Shown::Text(shown) = once.show() {
        let twice = F::parse(Raw::Text(&shown)).map(|value| value.show());
        assert_eq!(twice.ok(), Some(Shown::Text(shown)));
    }
}
