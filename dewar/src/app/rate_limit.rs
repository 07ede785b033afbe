//! The rate limit of requests that change something, by person or by network.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};

use crate::accounts::{Accounts, Rate, RateKey, RateLimiter};
use crate::audit::{Clock, Entry, Event};
use crate::forms::{self, Rates};
use crate::https::ClientAddress;
use crate::pages::{Error, RateCheck, RequestContext};

/// The most senders whose requests are counted.
const MOST_SENDERS: usize = 20_000;

/// How often Dewar logs that one sender exceeded the limit, so that a flood does not fill the log.
const SAID: Rate = Rate {
    times: 1,
    within: Duration::from_secs(600),
};

/// A rate limit on requests that change something: a number of requests within a time, for each person, or for each network
/// of visitors.
///
/// ```
/// use std::time::Duration;
/// use dewar::app::RateLimit;
/// use dewar::{Redirect, post};
/// async fn import() -> Redirect { Redirect::to("/") }
/// let route: dewar::app::Route = post("/import", import).rate_limit(RateLimit::new(5, Duration::from_secs(3600)));
/// # drop(route);
/// ```
///
/// A limit that says by whom it counts is for reads too, and every response has the headers `RateLimit` and `RateLimit-Policy`
/// (draft-ietf-httpapi-ratelimit-headers-10):
///
/// ```
/// use dewar::{App, api::ApiScope, app::RateLimit, get, pages::Text};
/// #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Scope { TicketsRead }
/// async fn tickets() -> Text { Text::new("[]") }
/// fn app(app: App) -> App {
///     app.api(Scope::TicketsRead, [get("/api/tickets", tickets).rate_limit(RateLimit::per_minute(60).by_token())])
/// }
/// ```
/// Each process counts its own requests, in memory: a request costs no query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    rate: Rate,
    by: CountedBy,
}

/// Whose requests a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CountedBy {
    Address,
    Token,
    /// A person, or the network of a visitor; requests that change something alone.
    Usual,
    User,
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.rate.times, self.rate.within.as_secs())?;
        match self.by {
            CountedBy::Address => f.write_str(":address"),
            CountedBy::Token => f.write_str(":token"),
            CountedBy::Usual => Ok(()),
            CountedBy::User => f.write_str(":user"),
        }
    }
}

impl Serialize for RateLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl RateLimit {
    /// Allows this number of requests in a minute.
    #[must_use]
    pub const fn per_minute(times: u32) -> Self {
        Self::new(times, Duration::from_secs(60))
    }

    /// Allows this number of requests in an hour.
    #[must_use]
    pub const fn per_hour(times: u32) -> Self {
        Self::new(times, Duration::from_secs(3600))
    }

    /// Counts each API token alone. It is for routes under [`App::api`](crate::App::api).
    #[must_use]
    pub const fn by_token(self) -> Self {
        Self {
            by: CountedBy::Token,
            ..self
        }
    }

    /// Counts each person, over all their browsers and tokens, and visitors by their network.
    #[must_use]
    pub const fn by_user(self) -> Self {
        Self {
            by: CountedBy::User,
            ..self
        }
    }

    /// Counts each network address, whoever calls from it.
    #[must_use]
    pub const fn by_address(self) -> Self {
        Self {
            by: CountedBy::Address,
            ..self
        }
    }

    pub(super) fn is_by_token(self) -> bool {
        self.by == CountedBy::Token
    }

    /// The sender of a request, where the limit says by whom it counts.
    fn sender(self, context: &RequestContext) -> Option<CountedSender> {
        let network = || {
            let address = context.address().map(ClientAddress::network);
            address.map(|at| CountedSender::Usual(forms::RequestSender::Network(Some(at))))
        };
        match self.by {
            CountedBy::Usual => None,
            CountedBy::Address => network(),
            CountedBy::User => match forms::RequestSender::of(context) {
                person @ forms::RequestSender::Person(_) => Some(CountedSender::Usual(person)),
                forms::RequestSender::Network(_) => network(),
            },
            CountedBy::Token => {
                let id = context.bearer()?.token.as_bytes();
                id.try_into().ok().map(CountedSender::Token)
            }
        }
    }

    /// Allows this number of requests within this time. Zero counts as one.
    #[must_use]
    pub const fn new(times: u32, within: Duration) -> Self {
        Self {
            rate: Rate { times, within },
            by: CountedBy::Usual,
        }
    }
}

/// The rate limit of a route.
#[derive(Clone, Debug, Default)]
pub(super) enum RouteRate {
    /// The limit of the settings, counted together with all other routes.
    #[default]
    OfAll,
    /// A limit of its own, counted separately.
    Own(RateLimit, Arc<OnceLock<RateLimiter<CountedSender>>>),
    /// No limit.
    Unlimited,
}

/// The sender that a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CountedSender {
    /// A visitor in a known browser, or with a valid link.
    Known(RateKey),
    /// An API token, by its id.
    Token([u8; 16]),
    Usual(forms::RequestSender),
}

/// The senders that a request is counted for. It counts for the first one that is below its limit.
#[derive(Clone, Copy, Debug)]
struct CountedSenders {
    /// An allowance that strangers in the same network cannot use up.
    own: Option<CountedSender>,
    /// A person, wherever they are, or the network of a visitor.
    usual: CountedSender,
}

impl CountedSenders {
    /// Counts one request, or returns how long the usual sender has to wait.
    fn take(
        self,
        mut from: impl FnMut(CountedSender) -> Result<(), Duration>,
    ) -> Result<(), Duration> {
        match self.own.map(&mut from) {
            Some(Ok(())) => Ok(()),
            Some(Err(own)) => from(self.usual).map_err(|usual| usual.min(own)),
            None => from(self.usual),
        }
    }
}

/// Counts the requests that change something, of all routes together.
#[derive(Clone, Debug)]
pub(super) struct Posts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    people: RateLimiter<CountedSender>,
    addresses: RateLimiter<CountedSender>,
    said: RateLimiter<CountedSender>,
}

impl Posts {
    pub(super) fn new(rates: Rates, clock: &Clock) -> Self {
        let buckets = |times| {
            let rate = Rate {
                times,
                within: rates.within,
            };
            RateLimiter::new(rate, MOST_SENDERS, clock.clone())
        };
        Self(Arc::new(Inner {
            people: buckets(rates.person),
            addresses: buckets(rates.address),
            said: RateLimiter::new(SAID, MOST_SENDERS, clock.clone()),
        }))
    }

    fn take(&self, sender: CountedSender) -> Result<(), Duration> {
        match sender {
            CountedSender::Usual(forms::RequestSender::Network(_)) => self.0.addresses.take(sender),
            CountedSender::Known(_)
            | CountedSender::Token(_)
            | CountedSender::Usual(forms::RequestSender::Person(_)) => self.0.people.take(sender),
        }
    }
}

/// The count of one sender.
pub(super) struct Standing {
    rate: Rate,
    sender: CountedSender,
    limiter: Arc<OnceLock<RateLimiter<CountedSender>>>,
}

impl Standing {
    /// Tells a client its limit and what is left of it.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Some(limiter) = self.limiter.get() else {
            return;
        };
        let (left, reset) = limiter.left(&self.sender);
        let Rate { times, within } = self.rate;
        let policy = format!("\"route\";q={};w={}", times.max(1), within.as_secs().max(1));
        let standing = format!("\"route\";r={left};t={}", reset.as_millis().div_ceil(1000));
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", standing)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

impl RouteRate {
    pub(super) fn own(limit: RateLimit) -> Self {
        Self::Own(limit, Arc::default())
    }

    /// Whether reads count too.
    pub(super) fn counts_reads(&self) -> bool {
        matches!(self, Self::Own(limit, _) if limit.by != CountedBy::Usual)
    }

    pub(super) fn limit(&self) -> Option<RateLimit> {
        match self {
            Self::Own(limit, _) => Some(*limit),
            Self::OfAll | Self::Unlimited => None,
        }
    }

    /// The count of a request's sender, to tell it in the response.
    pub(super) fn standing(&self, context: &RequestContext) -> Option<Standing> {
        let Self::Own(limit, limiter) = self else {
            return None;
        };
        Some(Standing {
            rate: limit.rate,
            sender: limit.sender(context)?,
            limiter: Arc::clone(limiter),
        })
    }

    /// Puts the rate check into the request's context. Its form runs the check before it reads the body.
    pub(super) async fn note_in(&self, parts: &mut Parts) -> Result<(), Error> {
        if matches!(self, Self::Unlimited) {
            return Ok(());
        }
        let context = RequestContext::of(parts)?;
        let counted = match self {
            Self::Own(limit, _) => limit.sender(context),
            Self::OfAll | Self::Unlimited => None,
        };
        let senders = match counted {
            Some(usual) => Some(CountedSenders { own: None, usual }),
            None => senders(context).await,
        };
        let Some(senders) = senders else {
            return Ok(());
        };
        let posts = context.service::<Posts>()?.clone();
        let own = match self {
            Self::OfAll | Self::Unlimited => None,
            Self::Own(limit, limiter) => {
                let clock = &context.services().clock;
                limiter.get_or_init(|| RateLimiter::new(limit.rate, MOST_SENDERS, clock.clone()));
                Some(Arc::clone(limiter))
            }
        };
        let noted = context.clone();
        let check = RateCheck::new(move || {
            let taken = senders.take(|sender| match own.as_ref().and_then(|own| own.get()) {
                Some(own) => own.take(sender),
                None => posts.take(sender),
            });
            if taken.is_err() && posts.0.said.take(senders.usual).is_ok() {
                noted.record(Entry::new(Event::ExcessRateLimitExceeded));
            }
            taken
        });
        RequestContext::of_mut(parts)?.admission.rate = Some(check);
        Ok(())
    }
}

/// Dewar counts a visitor by a known browser or a valid link first, then by network.
async fn senders(context: &RequestContext) -> Option<CountedSenders> {
    let usual = forms::RequestSender::of(context);
    let own = match usual {
        forms::RequestSender::Network(None) => return None,
        forms::RequestSender::Network(Some(_)) => match context.service::<Accounts>() {
            Ok(accounts) => accounts.rate_key(context).await.map(CountedSender::Known),
            Err(_) => None,
        },
        forms::RequestSender::Person(_) => None,
    };
    let usual = CountedSender::Usual(usual);
    Some(CountedSenders { own, usual })
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn person(number: i64) -> CountedSender {
        CountedSender::Usual(forms::RequestSender::Person(number))
    }

    fn network(last: u8) -> CountedSender {
        CountedSender::Usual(forms::RequestSender::Network(Some(IpAddr::from([
            192, 0, 2, last,
        ]))))
    }

    /// ASVS: V2.4.1
    #[test]
    fn a_person_and_a_network_have_their_own_times_and_no_more() {
        let clock = Clock::manual(1_800_000_000);
        let within = Duration::from_secs(60);
        let rates = Rates {
            person: 2,
            address: 1,
            within,
        };
        let posts = Posts::new(rates, &clock);
        for (sender, times) in [
            (person(1), 2),
            (person(2), 2),
            (network(1), 1),
            (network(2), 1),
        ] {
            for time in 1..=times {
                assert!(posts.take(sender).is_ok(), "{sender:?}, {time}");
            }
            let wait = posts.take(sender).expect_err("one too many");
            assert!(!wait.is_zero() && wait <= within, "{sender:?}: {wait:?}");
        }
        clock.advance(within);
        assert!(posts.take(network(1)).is_ok());
    }

    #[test]
    fn what_is_ones_own_is_used_before_what_is_everybodys() {
        let own = person(1);
        let usual = network(1);
        let wait = Duration::from_secs;
        let senders = |own| CountedSenders { own, usual };
        for (own, of_own, of_usual, taken) in [
            (Some(own), Ok(()), Err(wait(9)), Ok(())),
            (Some(own), Err(wait(5)), Ok(()), Ok(())),
            (Some(own), Err(wait(5)), Err(wait(9)), Err(wait(5))),
            (Some(own), Err(wait(9)), Err(wait(5)), Err(wait(5))),
            (None, Ok(()), Err(wait(9)), Err(wait(9))),
            (None, Err(wait(5)), Ok(()), Ok(())),
        ] {
            let found = senders(own).take(|of| if of == usual { of_usual } else { of_own });
            assert_eq!(found, taken, "{of_own:?}, {of_usual:?}");
        }
    }
}
