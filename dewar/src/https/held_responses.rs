//! Bounds on the bytes of responses that nobody reads: for one connection, for one address and in all.

use super::address::ClientAddress;
pub(crate) use super::budget::BudgetFull;
use super::budget::{Account, Budget, Charge, Most};
use super::held_body::HeldBody;
use super::limits::RequestLimits;
use super::request_info::RequestInfo;
use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one connection that run at once. Others of the connection wait until the client has read a response.
const AT_ONCE: usize = 32;

/// Marks a response whose bytes are not held in memory for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldElsewhere {
    /// In a file, which is read while it is sent.
    File,
    /// In the program itself.
    Program,
}

/// The bytes that a listener holds: of unread responses, and of incomplete bodies.
#[derive(Clone, Debug)]
pub(crate) struct HeldResponses {
    answers: Budget,
    bodies: Budget,
}

/// The bytes of one connection.
#[derive(Clone, Debug)]
pub(crate) struct UnreadOfConnection(Arc<UnreadBytes>);

#[derive(Debug)]
struct UnreadBytes {
    answers: Account,
    bodies: Account,
    places: Arc<Semaphore>,
}

/// A slot for a request of a connection that runs, or whose response is unread.
#[derive(Debug)]
pub(crate) struct UnreadPermit(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

/// A request with its slot; a request without a listener needs none.
#[derive(Debug)]
pub(crate) struct CountedRequest(Option<Box<(UnreadOfConnection, ClientAddress, UnreadPermit)>>);

impl CountedRequest {
    /// Waits for the slot of a request.
    ///
    /// # Errors
    /// The response has no space in the budget.
    pub(crate) async fn of(info: &RequestInfo) -> Result<Self, BudgetFull> {
        let (Some(unread), Some(address)) = (&info.unread, info.address) else {
            return Ok(Self(None));
        };
        let place = unread.place(address).await?;
        Ok(Self(Some(Box::new((unread.clone(), address, place)))))
    }

    /// Counts the response until it is sent.
    ///
    /// # Errors
    /// The response does not fit into the budget and is dropped.
    pub(crate) fn hold(self, response: Response<Body>) -> Result<Response<Body>, BudgetFull> {
        match self.0 {
            Some(counted) => {
                let (unread, address, place) = *counted;
                unread.hold(address, place, response)
            }
            None => Ok(response),
        }
    }
}

impl HeldResponses {
    pub(crate) fn new(limits: &RequestLimits) -> Self {
        Self {
            answers: Budget::new(Most {
                connection: limits.unread_per_connection,
                address: limits.unread_per_address,
                all: limits.unread,
            }),
            bodies: Budget::new(Most {
                connection: limits.bodies_per_connection,
                address: limits.bodies_per_address,
                all: limits.bodies,
            }),
        }
    }

    pub(crate) fn connection(&self) -> UnreadOfConnection {
        UnreadOfConnection(Arc::new(UnreadBytes {
            answers: self.answers.account(),
            bodies: self.bodies.account(),
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }))
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> u64 {
        self.answers.bytes()
    }

    /// Bytes of bodies that are held while they arrive.
    #[cfg(test)]
    pub(crate) fn of_bodies(&self) -> u64 {
        self.bodies.bytes()
    }
}

impl UnreadOfConnection {
    /// Takes a slot for one more request; waits until the client has read an earlier response of the connection.
    ///
    /// # Errors
    /// The address or the total is at its limit of unread bytes.
    pub(crate) async fn place(&self, address: ClientAddress) -> Result<UnreadPermit, BudgetFull> {
        if self.0.answers.budget().is_full_for(address.network()) {
            return Err(BudgetFull);
        }
        let places = Arc::clone(&self.0.places);
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => Ok(UnreadPermit(place)),
            // This case is rare, so its future is boxed and does not enlarge that of every request.
            Err(_) => Box::pin(places.acquire_owned())
                .await
                .map(UnreadPermit)
                .map_err(|_| BudgetFull),
        }
    }

    /// Counts a response as unread until it is sent.
    ///
    /// # Errors
    /// The response does not fit into the budget and is dropped.
    pub(crate) fn hold(
        &self,
        address: ClientAddress,
        place: UnreadPermit,
        response: Response<Body>,
    ) -> Result<Response<Body>, BudgetFull> {
        let bytes = match response.extensions().get::<HeldElsewhere>() {
            Some(HeldElsewhere::Program) => return Ok(response),
            Some(HeldElsewhere::File) => 0,
            // A response without a known size is made while it is sent.
            None => response.body().size_hint().exact().unwrap_or_default(),
        };
        let mut charge = self.0.answers.charge(address.network());
        charge.try_add(bytes)?;
        Ok(response.map(|body| {
            Body::new(Holding {
                body,
                charge,
                // A response that is made while it is sent holds one frame at a time and may last for hours.
                place: (bytes > 0).then_some(Arc::new(place)),
            })
        }))
    }

    /// Counts the arriving body bytes of this address.
    pub(crate) fn body(&self, address: ClientAddress) -> HeldBody {
        HeldBody::new(self.0.bodies.charge(address.network()))
    }
}

/// A response that is being sent. The charge of the unsent bytes is here; handed-over bytes are charged until hyper and
/// h2 release them.
struct Holding {
    body: Body,
    charge: Charge,
    place: Option<Arc<UnreadPermit>>,
}

/// Bytes that hyper or h2 hold.
struct Underway {
    bytes: Bytes,
    _charge: Charge,
    _place: Option<Arc<UnreadPermit>>,
}

impl AsRef<[u8]> for Underway {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl HttpBody for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let Some(Ok(frame)) = frame else {
            return Poll::Ready(frame);
        };
        let frame = frame.map_data(|bytes| {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            Bytes::from_owner(Underway {
                _charge: this.charge.part(length),
                _place: this.place.clone(),
                bytes,
            })
        });
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use http_body_util::BodyExt;

    fn unread() -> HeldResponses {
        HeldResponses::new(&RequestLimits {
            unread_per_connection: 1_000,
            unread_per_address: 2_000,
            unread: 20_000,
            bodies_per_connection: 1_000,
            bodies_per_address: 2_000,
            bodies: 20_000,
            ..RequestLimits::default()
        })
    }

    fn address(last: u8) -> ClientAddress {
        ClientAddress([192, 0, 2, last].into())
    }

    fn page(bytes: usize) -> Response<Body> {
        Response::new(Body::from(vec![b'x'; bytes]))
    }

    async fn held(
        connection: &UnreadOfConnection,
        address: ClientAddress,
        bytes: usize,
    ) -> Result<Response<Body>, BudgetFull> {
        let place = connection.place(address).await?;
        connection.hold(address, place, page(bytes))
    }

    #[tokio::test]
    async fn unread_bytes_are_bounded_by_connection_address_and_in_all() {
        let unread = unread();
        let connection = || unread.connection();
        let first = connection();
        let one = held(&first, address(1), 600).await.unwrap();
        assert!(held(&first, address(1), 600).await.is_err(), "a connection");
        let two = held(&connection(), address(1), 600).await.unwrap();
        let three = held(&connection(), address(1), 600).await.unwrap();
        assert!(
            held(&connection(), address(1), 600).await.is_err(),
            "an address"
        );
        let four = held(&connection(), address(2), 1_000).await.unwrap();
        assert_eq!(unread.bytes(), 2_800);
        drop((one, two, three, four));
        assert_eq!(unread.bytes(), 0);
        assert!(unread.answers.knows_nobody());
        // A response that is alone is accepted, however large it is.
        let large = held(&first, address(1), 50_000).await.unwrap();
        assert!(first.place(address(1)).await.is_err());
        assert!(connection().place(address(3)).await.is_err());
        drop(large);
        held(&connection(), address(3), 600).await.unwrap();
    }

    /// A few addresses at their limits once blocked everybody else until their connections were closed.
    ///
    /// ASVS: V15.2.2
    #[tokio::test]
    async fn addresses_that_hold_what_they_may_leave_room_for_others() {
        let unread = unread();
        let mut all = Vec::new();
        for number in 1..=100 {
            let address = address(number);
            loop {
                let connection = unread.connection();
                let Ok(answer) = held(&connection, address, 10).await else {
                    break;
                };
                all.push(answer);
            }
        }
        // The first addresses reached the limit of an address. Together they hold more than half and leave the rest.
        let held_by_all = unread.bytes();
        assert!((10_000..19_800).contains(&held_by_all), "{held_by_all}");
        let share = (20_000 - held_by_all) / 33;
        let share = usize::try_from(share).unwrap();
        assert!(share > 0);
        let (large, small) = (share + 10, share);
        let other = unread.connection();
        assert!(held(&other, address(200), large).await.is_err());
        let small = held(&other, address(200), small).await.unwrap();
        // Bodies have the same rule and a budget of their own.
        let bodies: Vec<_> = (1..=100)
            .flat_map(|number| {
                std::iter::from_fn(|| Some(unread.connection().body(address(number))))
                    .take_while(|body| body.arrive(10).is_ok())
                    .collect::<Vec<_>>()
            })
            .collect();
        let of_bodies = unread.of_bodies();
        assert!((10_000..19_800).contains(&of_bodies), "{of_bodies}");
        unread.connection().body(address(200)).arrive(1).unwrap();
        drop((all, small, bodies));
        assert!(unread.answers.knows_nobody() && unread.bodies.knows_nobody());
    }

    /// An address that reads nothing gets no further slot, before any work is done for it; others do.
    #[tokio::test]
    async fn an_address_that_holds_all_its_bytes_gets_no_place() {
        let unread = unread();
        let connection = || unread.connection();
        let one = held(&connection(), address(1), 1_000).await.unwrap();
        let two = held(&connection(), address(1), 1_000).await.unwrap();
        assert!(connection().place(address(1)).await.is_err());
        assert!(connection().place(address(2)).await.is_ok());
        drop((one, two));
        assert!(connection().place(address(1)).await.is_ok());
    }

    /// ASVS: V15.2.2
    #[test]
    fn bodies_under_way_are_bounded_by_connection_address_and_in_all() {
        let unread = unread();
        let (first, other) = (unread.connection(), unread.connection());
        let (one, two) = (first.body(address(1)), first.body(address(1)));
        one.arrive(600).unwrap();
        assert_eq!(two.arrive(600), Err(BudgetFull), "a connection");
        one.let_go(300);
        two.arrive(600).unwrap();
        let three = other.body(address(1));
        three.arrive(1_000).unwrap();
        assert_eq!(
            unread.connection().body(address(1)).arrive(200),
            Err(BudgetFull)
        );
        let four = unread.connection().body(address(2));
        four.arrive(1_000).unwrap();
        assert_eq!(unread.of_bodies(), 2_900);
        let five = unread.connection().body(address(3));
        // Each kind has a budget of its own.
        assert_eq!(unread.bytes(), 0);
        one.end();
        two.end();
        drop((three, four));
        assert_eq!(unread.of_bodies(), 0);
        assert!(unread.bodies.knows_nobody());
        five.arrive(200).unwrap();
        // A body that is alone continues: its form bounds it.
        five.arrive(50_000).unwrap();
    }

    #[tokio::test]
    async fn an_empty_answer_is_at_its_end_before_anybody_asks() {
        let connection = unread().connection();
        for (bytes, ended) in [(0, true), (1, false)] {
            let answer = held(&connection, address(1), bytes).await.unwrap();
            assert_eq!(answer.body().is_end_stream(), ended, "{bytes}");
            assert_eq!(answer.body().size_hint().exact(), Some(bytes as u64));
        }
    }

    #[tokio::test]
    async fn bytes_are_held_until_whoever_sends_them_has_let_go() {
        let unread = unread();
        let connection = unread.connection();
        let answer = held(&connection, address(1), 600).await.unwrap();
        let mut body = answer.into_body();
        let frame = body.frame().await.unwrap().unwrap();
        drop(body);
        assert_eq!(unread.bytes(), 600, "it is in the hands of h2");
        let bytes = frame.into_data().unwrap();
        let part = bytes.slice(..1);
        drop(bytes);
        assert_eq!(unread.bytes(), 600);
        drop(part);
        assert_eq!(unread.bytes(), 0);
    }

    #[tokio::test]
    async fn requests_of_a_connection_that_reads_nothing_wait() {
        let unread = unread();
        let connection = unread.connection();
        let mut answers = Vec::new();
        for _ in 0..AT_ONCE {
            answers.push(held(&connection, address(1), 10).await.unwrap());
        }
        let waiting = connection.place(address(1));
        let mut waiting = std::pin::pin!(waiting);
        let is_ready =
            std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_ready()));
        assert!(!is_ready.await);
        drop(answers.pop());
        waiting.await.unwrap();
        // A response that is made while it is sent takes no slot, and only the bytes of its frames.
        let place = unread.connection().place(address(2)).await.unwrap();
        let file = Response::builder()
            .extension(HeldElsewhere::File)
            .body(Body::from(vec![0; 100_000]))
            .unwrap();
        let before = unread.bytes();
        let file = connection.hold(address(2), place, file).unwrap();
        assert_eq!(unread.bytes(), before);
        drop(file);
    }

    /// A response that lasts for hours, such as a stream of events, blocks no other request of its connection.
    #[tokio::test]
    async fn an_answer_that_is_made_as_it_is_sent_takes_no_place() {
        let connection = unread().connection();
        let mut answers = Vec::new();
        for _ in 0..=AT_ONCE {
            let place = connection.place(address(1)).now_or_never();
            let place = place.expect("a place is free").unwrap();
            let events = futures_util::stream::pending::<Result<Bytes, axum::Error>>();
            let events = Response::new(Body::from_stream(events));
            answers.push(connection.hold(address(1), place, events).unwrap());
        }
        assert!(!answers[0].body().is_end_stream());
        assert!(connection.0.places.available_permits() > 0);
    }
}
