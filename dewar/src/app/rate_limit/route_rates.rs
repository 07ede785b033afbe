//! The limits of one route: its own, those of its heading and of the application, and the one of the settings.

use std::collections::HashMap;
use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{CountedSender, Counter, OF_ROUTE, Posts, RateLimit, SharedCounts};
use crate::accounts::Accounts;
use crate::forms;
use crate::pages::{Error, RateCheck, RateRefusal, RequestContext};

/// The rate limits of a route, before the rooms are open and after.
#[derive(Clone, Debug, Default)]
pub(in crate::app) struct RouteRates {
    usual: UsualLimit,
    declared: Vec<RateLimit>,
    counters: Arc<[Arc<Counter>]>,
}

/// The limit of the settings, which all routes count together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UsualLimit {
    #[default]
    Counts,
    /// The route has limits of its own, or none.
    Off,
}

/// Which requests a route counts now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::app) enum Counted {
    /// A request that changes something.
    Change,
    /// A webhook's delivery, which no person sends.
    Delivery,
    /// A request that reads, or that may not enter.
    Read,
}

impl RouteRates {
    /// Adds a limit of its own or of its heading, in place of that of the settings.
    pub(in crate::app) fn add(&mut self, limit: RateLimit) {
        self.usual = UsualLimit::Off;
        self.declared.push(limit);
    }

    #[cfg(test)]
    pub(in crate::app) fn unlimited() -> Self {
        Self {
            usual: UsualLimit::Off,
            ..Self::default()
        }
    }

    /// Takes the limit of the settings away.
    pub(in crate::app) fn without_usual(&mut self) {
        self.usual = UsualLimit::Off;
    }

    pub(in crate::app) fn declared(&self) -> &[RateLimit] {
        &self.declared
    }

    /// Begins to count: limits of one name together, those of the application after the route's own.
    pub(in crate::app) fn open(
        mut self,
        (method, path): (&str, &str),
        of_all: &[RateLimit],
        counters: &mut Counters,
    ) -> Self {
        let own = self.declared.iter().chain(of_all).enumerate();
        let opened = own.map(|(number, limit)| {
            let id = match limit.name {
                // A route's own limits have no name: a space is in no name.
                None => format!("{method} {path} {number}"),
                Some(_) => limit.to_string(),
            };
            counters.find(*limit, id)
        });
        self.counters = opened.collect();
        self
    }

    /// Whether reads count too.
    pub(in crate::app) fn counts_reads(&self) -> bool {
        self.counters
            .iter()
            .any(|counter| counter.limit().counts_reads())
    }

    /// Whether a webhook's deliveries count.
    pub(in crate::app) fn counts_deliveries(&self) -> bool {
        !self.counters.is_empty()
    }

    /// The counts of a request's sender, to tell them in the response.
    pub(in crate::app) fn standing(&self, context: &RequestContext) -> Vec<Standing> {
        let counters = self.counters.iter();
        let standing = counters.filter_map(|counter| {
            Some(Standing {
                sender: counter.limit().sender(context)?,
                counter: Arc::clone(counter),
            })
        });
        standing.collect()
    }

    /// Puts the rate check into the request's context. Its form runs the check before it reads the body.
    pub(in crate::app) async fn note_in(
        &self,
        parts: &mut Parts,
        counted: Counted,
    ) -> Result<(), Error> {
        let context = RequestContext::of(parts)?;
        let counts_usual = self.usual == UsualLimit::Counts && counted == Counted::Change;
        let counters = self.counters.iter().cloned();
        let counters: Vec<Arc<Counter>> = counters
            .filter(|counter| counted != Counted::Read || counter.limit().counts_reads())
            .collect();
        if counters.is_empty() && !counts_usual {
            return Ok(());
        }
        let needs_usual = counts_usual || counters.iter().any(|one| !one.limit().counts_reads());
        let usual = if needs_usual {
            senders(context).await
        } else {
            None
        };
        let check = Check {
            posts: context.service::<Posts>()?.clone(),
            counts_usual,
            usual,
            counters: counters.into(),
            context: context.clone(),
        };
        let check = Arc::new(check);
        let check = RateCheck::new(move || Arc::clone(&check).run());
        RequestContext::of_mut(parts)?.admission.rate = Some(check);
        Ok(())
    }
}

/// The counters of an application, so that the routes of one limit share one.
#[derive(Debug)]
pub(in crate::app) struct Counters {
    counts: SharedCounts,
    opened: HashMap<String, Arc<Counter>>,
}

impl Counters {
    pub(in crate::app) fn new(counts: SharedCounts) -> Self {
        Self {
            counts,
            opened: HashMap::new(),
        }
    }

    fn find(&mut self, limit: RateLimit, id: String) -> Arc<Counter> {
        let counter = self.opened.entry(id.clone());
        let new = || Arc::new(Counter::new(limit, id, self.counts.clone()));
        Arc::clone(counter.or_insert_with(new))
    }
}

/// The rate check of one request.
#[derive(Debug)]
struct Check {
    posts: Posts,
    counts_usual: bool,
    usual: Option<CountedSenders>,
    counters: Arc<[Arc<Counter>]>,
    context: RequestContext,
}

impl Check {
    /// Counts the request for each limit, and stops at the first that refuses it.
    async fn run(self: Arc<Self>) -> Result<(), RateRefusal> {
        for counter in self.counters.iter() {
            let sender = counter.limit().sender(&self.context);
            let senders = match sender {
                Some(usual) => Some(CountedSenders { own: None, usual }),
                None if counter.limit().counts_reads() => None,
                None => self.usual,
            };
            let Some(senders) = senders else { continue };
            let taken = senders.take(|sender| counter.take(sender)).await;
            self.say(taken, senders)?;
        }
        if let (true, Some(senders)) = (self.counts_usual, self.usual) {
            let take = |sender| std::future::ready(self.posts.take(sender));
            self.say(senders.take(take).await, senders)?;
        }
        Ok(())
    }

    fn say(
        &self,
        taken: Result<(), RateRefusal>,
        senders: CountedSenders,
    ) -> Result<(), RateRefusal> {
        if matches!(taken, Err(RateRefusal::TooMany(_))) {
            self.posts.say(senders.usual, &self.context);
        }
        taken
    }
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
    async fn take<F: Future<Output = Result<(), RateRefusal>>>(
        self,
        from: impl Fn(CountedSender) -> F,
    ) -> Result<(), RateRefusal> {
        let Some(own) = self.own else {
            return from(self.usual).await;
        };
        let Err(own) = from(own).await else {
            return Ok(());
        };
        match from(self.usual).await {
            Err(usual) if own.wait() < usual.wait() => Err(own),
            usual => usual,
        }
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

/// The count of one sender.
#[derive(Debug)]
pub(in crate::app) struct Standing {
    sender: CountedSender,
    counter: Arc<Counter>,
}

impl Standing {
    /// Tells a client its limits and what is left of them.
    pub(in crate::app) fn write(all: &[Self], headers: &mut HeaderMap) {
        let (mut policies, mut counts) = (Vec::new(), Vec::new());
        let name_of = |one: &Self| one.counter.limit().name.unwrap_or(OF_ROUTE);
        for (number, one) in all.iter().enumerate() {
            let (limit, name) = (one.counter.limit(), name_of(one));
            let before = all.iter().take(number);
            let name = match before.filter(|other| name_of(other) == name).count() {
                0 => name.to_owned(),
                others => format!("{name}-{}", others + 1),
            };
            let (left, reset) = one.counter.left(&one.sender);
            let (times, within) = (limit.rate.times.max(1), limit.rate.within.as_secs().max(1));
            policies.push(format!("\"{name}\";q={times};w={within}"));
            let reset = reset.as_millis().div_ceil(1000);
            counts.push(format!("\"{name}\";r={left};t={reset}"));
        }
        for (name, values) in [("ratelimit-policy", policies), ("ratelimit", counts)] {
            if let Ok(value) = HeaderValue::from_str(&values.join(", ")) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_ones_own_is_used_before_what_is_everybodys() {
        let own = CountedSender::Usual(forms::RequestSender::Person(1));
        let usual = CountedSender::Usual(forms::RequestSender::Network(None));
        let wait = |seconds| Err(RateRefusal::TooMany(Duration::from_secs(seconds)));
        let senders = |own| CountedSenders { own, usual };
        for (own, of_own, of_usual, taken) in [
            (Some(own), Ok(()), wait(9), Ok(())),
            (Some(own), wait(5), Ok(()), Ok(())),
            (Some(own), wait(5), wait(9), wait(5)),
            (Some(own), wait(9), wait(5), wait(5)),
            (None, Ok(()), wait(9), wait(9)),
            (None, wait(5), Ok(()), Ok(())),
        ] {
            let from = |of| std::future::ready(if of == usual { of_usual } else { of_own });
            let found = senders(own).take(from).await;
            assert_eq!(found, taken, "{of_own:?}, {of_usual:?}");
        }
    }
}
