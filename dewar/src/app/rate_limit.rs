//! Rate limits: of requests that change something, and those that a route, a heading or the application declares.

mod counter;
mod findings;
mod posts;
mod route_rates;

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Route;
use crate::accounts::{Rate, RateKey};
use crate::forms;
use crate::https::ClientAddress;
use crate::pages::RequestContext;

use counter::Counter;
pub(super) use counter::SharedCounts;
pub(super) use findings::{of_all, of_entry};
pub(super) use posts::Posts;
pub(super) use route_rates::{Counted, Counters, RouteRates, Standing};

/// The most senders that a limit remembers. It forgets those that came least recently.
const MOST_SENDERS: usize = 20_000;

/// A rate limit: a number of requests within a time, for each sender. All nodes count together, in the store of the sessions.
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
/// Without a word about whom it counts, it counts requests that change something, by person or by a visitor's network. A limit that
/// says whom it counts is for reads too, and every response has the headers `RateLimit` and `RateLimit-Policy`
/// (draft-ietf-httpapi-ratelimit-headers-10):
///
/// ```
/// use dewar::{App, api::ApiScope, app::RateLimit, get, pages::Text};
/// #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Scope { TicketsRead }
/// async fn tickets() -> Text { Text::new("[]") }
/// fn app(app: App) -> App {
///     let (token, address) = (RateLimit::per_minute(60).by_token(), RateLimit::per_minute(300).by_address());
///     app.api(Scope::TicketsRead, [get("/api/tickets", tickets).rate_limit(token).rate_limit(address)])
/// }
/// ```
///
/// A sender may send all of them at once, and gets them back evenly over the time. A limit below 20 is exact over all nodes. From 20
/// on each node may admit a tenth more within the time, and most requests cost no query ([`over`](Self::over) has an example for a heading).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    rate: Rate,
    by: CountedBy,
    uncounted: Uncounted,
    name: Option<&'static str>,
}

/// Whose requests a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CountedBy {
    Address,
    Token,
    /// A person, or the network of a visitor; requests that change something alone.
    Usual,
    User,
    UserOrAddress,
}

/// What happens to a request while the store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Uncounted {
    /// Each node counts alone.
    CountAlone,
    Refuse,
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.rate.times, self.rate.within.as_secs())?;
        match self.by {
            CountedBy::Address => f.write_str(":address")?,
            CountedBy::Token => f.write_str(":token")?,
            CountedBy::Usual => {}
            CountedBy::User => f.write_str(":user")?,
            CountedBy::UserOrAddress => f.write_str(":user-or-address")?,
        }
        if self.uncounted == Uncounted::Refuse {
            f.write_str(":fail-closed")?;
        }
        match self.name {
            Some(name) => write!(f, "@{name}"),
            None => Ok(()),
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
    ///
    /// ```
    /// assert_eq!(dewar::app::RateLimit::per_minute(60).by_token().to_string(), "60/60s:token");
    /// ```
    #[must_use]
    pub const fn per_minute(times: u32) -> Self {
        Self::new(times, Duration::from_secs(60))
    }

    /// Allows this number of requests in an hour.
    #[must_use]
    pub const fn per_hour(times: u32) -> Self {
        Self::new(times, Duration::from_secs(3600))
    }

    /// Allows this number of requests within this time.
    #[must_use]
    pub const fn new(times: u32, within: Duration) -> Self {
        Self {
            rate: Rate { times, within },
            by: CountedBy::Usual,
            uncounted: Uncounted::CountAlone,
            name: None,
        }
    }

    /// Counts each API token alone. It is for routes under [`App::api`](crate::App::api).
    #[must_use]
    pub const fn by_token(self) -> Self {
        self.counted_by(CountedBy::Token)
    }

    /// Counts each person, over all their browsers, tokens and addresses. It is for routes that people sign in for; a visitor who is turned
    /// away there counts by their network.
    #[must_use]
    pub const fn by_user(self) -> Self {
        self.counted_by(CountedBy::User)
    }

    /// Counts each person who is signed in, and visitors by their network address: for routes under
    /// [`App::public`](crate::App::public).
    #[must_use]
    pub const fn by_user_or_address(self) -> Self {
        self.counted_by(CountedBy::UserOrAddress)
    }

    /// Counts each network address, whoever calls from it. All addresses of an IPv6 /64 are one.
    #[must_use]
    pub const fn by_address(self) -> Self {
        self.counted_by(CountedBy::Address)
    }

    const fn counted_by(self, by: CountedBy) -> Self {
        Self { by, ..self }
    }

    /// Refuses a request (503) while the store does not answer. Without it, each node then counts alone: for a route where guessing
    /// must end, such as a form that takes a code.
    ///
    /// ```
    /// let limit = dewar::app::RateLimit::per_hour(10).by_address().fail_closed();
    /// assert_eq!(limit.to_string(), "10/3600s:address:fail-closed");
    /// ```
    #[must_use]
    pub const fn fail_closed(self) -> Self {
        Self {
            uncounted: Uncounted::Refuse,
            ..self
        }
    }

    /// Counts all these routes together: for a heading, or a part of one. The name is that of the limit in the header `RateLimit`.
    /// Routes under several headings count together if their limits have the same name.
    ///
    /// ```
    /// use dewar::{App, app::RateLimit, get, pages::Text};
    /// async fn search() -> Text { Text::new("found") }
    /// async fn export() -> Text { Text::new("all") }
    /// fn app(app: App) -> App {
    ///     let limit = RateLimit::per_minute(30).by_user();
    ///     app.signed_in(limit.over("search", [get("/search", search), get("/export", export)]))
    /// }
    /// ```
    pub fn over<S>(
        self,
        name: &'static str,
        routes: impl IntoIterator<Item = Route<S>>,
    ) -> impl Iterator<Item = Route<S>> {
        let limit = Self {
            name: Some(name),
            ..self
        };
        routes.into_iter().map(move |route| route.rate_limit(limit))
    }

    /// The limit of the whole application.
    pub(super) const fn of_all(self) -> Self {
        Self {
            name: Some(OF_ALL),
            ..self
        }
    }

    pub(super) fn is_by_token(self) -> bool {
        self.by == CountedBy::Token
    }

    /// Whether reads count too.
    fn counts_reads(self) -> bool {
        self.by != CountedBy::Usual
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
            CountedBy::User | CountedBy::UserOrAddress => match forms::RequestSender::of(context) {
                person @ forms::RequestSender::Person(_) => Some(CountedSender::Usual(person)),
                forms::RequestSender::Network(_) => network(),
            },
            CountedBy::Token => {
                let id = context.bearer()?.token.as_bytes();
                id.try_into().ok().map(CountedSender::Token)
            }
        }
    }
}

/// The name of the limit of the whole application.
const OF_ALL: &str = "app";

/// The name of a limit of one route.
const OF_ROUTE: &str = "route";

/// The sender that a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum CountedSender {
    /// A visitor in a known browser, or with a valid link.
    Known(RateKey),
    /// An API token, by its id.
    Token([u8; 16]),
    Usual(forms::RequestSender),
}
