use super::{BodyError, Bounded};
use crate::https::client_wait::ClientWait;
use crate::https::limits::RequestLimits;
use crate::testing::PATIENCE;
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use std::convert::Infallible;
use std::time::Duration;

fn limits() -> RequestLimits {
    RequestLimits {
        body_bytes: 10,
        body_timeout: Duration::from_millis(400),
        body_grace: Duration::from_millis(60),
        body_rate: 1000,
        ..RequestLimits::default()
    }
}

/// A body that sends a byte, waits, and repeats.
fn drip(bytes: usize, pause: Duration) -> Body {
    let drops = stream::unfold(0, move |sent| async move {
        if sent == bytes {
            return None;
        }
        tokio::time::sleep(pause).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), sent + 1))
    });
    Body::from_stream(drops)
}

async fn read(body: Body, limits: &RequestLimits) -> Result<usize, BodyError> {
    let bounded = Bounded::new(body, limits, ClientWait::new());
    Ok(bounded.collect().await?.to_bytes().len())
}

/// A reader that knows the length allocates once.
#[test]
fn the_length_of_a_body_is_known_where_its_sender_said_it() {
    use axum::body::HttpBody as _;
    let bounded = Bounded::new(Body::from("12345"), &limits(), ClientWait::new());
    assert_eq!(bounded.size_hint().exact(), Some(5));
}

#[tokio::test]
async fn a_body_within_the_limits_is_read() {
    assert_eq!(read(Body::from("1234567890"), &limits()).await.unwrap(), 10);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_too_large() {
    let refused = read(Body::from("12345678901"), &limits())
        .await
        .unwrap_err();
    assert!(matches!(refused, BodyError::TooLarge { limit: 10 }));
}

#[tokio::test]
async fn a_body_that_drips_is_too_slow() {
    let refused = read(drip(10, Duration::from_millis(25)), &limits())
        .await
        .unwrap_err();
    assert!(matches!(refused, BodyError::TooSlow), "{refused}");
}

#[tokio::test]
async fn a_body_has_an_end_even_if_its_rate_is_right() {
    let limits = RequestLimits {
        body_grace: Duration::from_secs(3600),
        ..limits()
    };
    // The body has no end, so it would be too large after eleven pieces.
    let refused = read(drip(usize::MAX, Duration::from_millis(100)), &limits)
        .await
        .unwrap_err();
    assert!(matches!(refused, BodyError::TooSlow), "{refused}");
}

#[tokio::test]
async fn a_slow_reader_is_not_a_slow_visitor() {
    let chunks = [Ok::<_, Infallible>("1234"), Ok("5678")];
    let limits = RequestLimits {
        body_timeout: Duration::from_secs(3600),
        ..limits()
    };
    let mut bounded = Bounded::new(
        Body::from_stream(stream::iter(chunks)),
        &limits,
        ClientWait::new(),
    );
    bounded.frame().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let second = bounded.frame().await.unwrap().unwrap();
    assert_eq!(second.into_data().unwrap(), "5678");
}

/// The total time ends it, however long the grace period is and however much has arrived.
#[tokio::test]
async fn a_body_that_is_waited_for_has_an_end() {
    let limits = RequestLimits {
        body_timeout: Duration::from_millis(20),
        body_grace: PATIENCE * 1_000,
        ..limits()
    };
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))]);
    let body = Body::from_stream(first.chain(stream::pending()));
    let refused = tokio::time::timeout(PATIENCE, read(body, &limits)).await;
    let refused = refused.expect("it is read without end").unwrap_err();
    assert!(matches!(refused, BodyError::TooSlow), "{refused}");
}

/// The total time counts too if the next part is always there and nobody waits.
#[tokio::test]
async fn a_body_that_comes_after_its_end_is_too_slow() {
    let limits = RequestLimits {
        body_timeout: Duration::ZERO,
        ..limits()
    };
    let bounded = Bounded::new(Body::from("x"), &limits, ClientWait::new());
    tokio::time::sleep(Duration::from_millis(2)).await;
    let refused = bounded.collect().await.unwrap_err();
    assert!(matches!(refused, BodyError::TooSlow), "{refused}");
}

/// hyper checks this before it reads, and then closes the connection or continues.
#[tokio::test]
async fn a_body_says_that_it_is_over_when_it_is() {
    use http_body::Body as _;
    let bounded = |body: Body| Bounded::new(body, &limits(), ClientWait::new());
    assert!(bounded(Body::empty()).is_end_stream());
    let mut whole = bounded(Body::from("1234567890"));
    assert!(!whole.is_end_stream());
    whole.frame().await.unwrap().unwrap();
    assert!(whole.is_end_stream());
    // A refused body is over too, however much of it is left.
    let mut refused = bounded(drip(20, Duration::ZERO));
    while refused.frame().await.unwrap().is_ok() {}
    assert!(refused.is_end_stream());
    assert!(refused.frame().await.is_none());
}
