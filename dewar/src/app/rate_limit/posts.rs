//! The limit of the settings (`forms.rate_limit`), which each node counts alone, in memory.

use std::sync::Arc;
use std::time::Duration;

use super::{CountedSender, MOST_SENDERS};
use crate::accounts::{Rate, RateLimiter};
use crate::audit::{Clock, Entry, Event};
use crate::forms::{self, Rates};
use crate::pages::{RateRefusal, RequestContext};

/// How often Dewar logs that one sender exceeded the limit, so that a flood does not fill the log.
const SAID: Rate = Rate {
    times: 1,
    within: Duration::from_secs(600),
};

/// Counts the requests that change something, of all routes together.
#[derive(Clone, Debug)]
pub(in crate::app) struct Posts(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    people: RateLimiter<CountedSender>,
    addresses: RateLimiter<CountedSender>,
    said: RateLimiter<CountedSender>,
}

impl Posts {
    pub(in crate::app) fn new(rates: Rates, clock: &Clock) -> Self {
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

    pub(super) fn take(&self, sender: CountedSender) -> Result<(), RateRefusal> {
        let taken = match sender {
            CountedSender::Usual(forms::RequestSender::Network(_)) => self.0.addresses.take(sender),
            CountedSender::Known(_)
            | CountedSender::Token(_)
            | CountedSender::Usual(forms::RequestSender::Person(_)) => self.0.people.take(sender),
        };
        taken.map_err(RateRefusal::TooMany)
    }

    /// Logs that a sender exceeded a limit.
    pub(super) fn say(&self, sender: CountedSender, context: &RequestContext) {
        if self.0.said.take(sender).is_ok() {
            context.record(Entry::new(Event::ExcessRateLimitExceeded));
        }
    }
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
            let wait = posts.take(sender).expect_err("one too many").wait();
            assert!(!wait.is_zero() && wait <= within, "{sender:?}: {wait:?}");
        }
        clock.advance(within);
        assert!(posts.take(network(1)).is_ok());
    }
}
