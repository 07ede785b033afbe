use std::net::IpAddr;
use std::time::Duration;

use crate::accounts::{Rate, RateLimiter};
use crate::audit::{Clock, Entry, Event, Log};
use crate::https::ClientAddress;

/// The most missing pages that one address may request before Dewar logs a scan.
const MISSES: Rate = Rate {
    times: 20,
    within: Duration::from_secs(60),
};

/// How often Dewar logs a scan by one address, so that the scan does not fill the log.
const SAID: Rate = Rate {
    times: 1,
    within: Duration::from_secs(600),
};

const MOST_ADDRESSES: usize = 10_000;

/// Detects scans for pages: a person does not request twenty missing pages in a minute (ASVS 16.3.3).
#[derive(Debug)]
pub(super) struct ScanDetector {
    misses: RateLimiter<IpAddr>,
    said: RateLimiter<IpAddr>,
}

impl ScanDetector {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            misses: RateLimiter::new(MISSES, MOST_ADDRESSES, clock.clone()),
            said: RateLimiter::new(SAID, MOST_ADDRESSES, clock.clone()),
        }
    }

    /// Counts a response of 404.
    pub(super) fn missed(&self, from: ClientAddress, log: &Log) {
        let network = from.network();
        if self.misses.take(network).is_err() && self.said.take(network).is_ok() {
            let entry = Entry::new(Event::MaliciousExcess404).address(from.0);
            log.record(entry.detail(format_args!("over {} in a minute", MISSES.times)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scan of thousands of pages is one event.
    #[tokio::test]
    async fn somebody_who_searches_for_pages_is_told_of_once() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_800_000_000);
        let file = directory.path().join("audit.jsonl");
        let log = Log::open(&file, [7; 32], clock.clone()).unwrap();
        let searching = ScanDetector::new(&clock);
        for host in 0..60 {
            searching.missed(ClientAddress([192, 0, 2, 1].into()), &log);
            searching.missed(ClientAddress([198, 51, 100, host].into()), &log);
        }
        let told = log.latest(99, None).await.unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].event, "malicious_excess_404");
        assert_eq!(told[0].address.as_deref(), Some("192.0.2.1"));
    }
}
