//! The findings about rate limits that cannot hold what they say.

use std::time::Duration;

use super::{CountedBy, OF_ALL, OF_ROUTE, RateLimit};
use crate::app::RouteEntry;
use crate::audit::{Finding, Practice};
use crate::roles::Access;

/// The longest time of a limit.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);

/// The longest name of a limit.
const LONGEST_NAME: usize = 40;

/// The findings about the limits of one route and of its heading.
pub(in crate::app) fn of_entry(entry: &RouteEntry) -> Vec<Finding> {
    let place = format!("{} {}", entry.method, entry.path);
    let mut findings = Vec::new();
    for limit in &entry.rate_limits {
        findings.extend(numbers(&place, *limit));
        findings.extend(name(&place, *limit));
        findings.extend(nobody(&place, *limit, entry.access));
    }
    findings
}

/// The findings about the limits of the whole application, and about limits beside each other.
pub(in crate::app) fn of_all(entries: &[RouteEntry], of_all: &[RateLimit]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for limit in of_all {
        findings.extend(numbers("the application", *limit));
        let has_token = |entry: &RouteEntry| matches!(entry.access, Access::Api(_));
        if limit.is_by_token() && !entries.iter().any(has_token) {
            findings.push(no_token("the application"));
        }
    }
    let mut named: Vec<RateLimit> = Vec::new();
    for entry in entries {
        for limit in &entry.rate_limits {
            findings.extend(unreachable(entry, *limit, of_all));
            let Some(name) = limit.name else { continue };
            match named.iter().find(|other| other.name == limit.name) {
                Some(other) if other != limit => findings.extend(two_of_one_name(name, &mut named)),
                Some(_) => {}
                None => named.push(*limit),
            }
        }
    }
    findings
}

fn numbers(place: &str, limit: RateLimit) -> Option<Finding> {
    let within = limit.rate.within;
    let is_odd = limit.rate.times == 0 || within < Duration::from_secs(1) || within > LONGEST;
    is_odd.then(|| {
        let title = format!("{place}: the rate limit {limit} cannot be counted");
        Finding::refuse(Practice::Roles, "app-rate-numbers", title)
            .why("it admits nothing, or its time is not one from a second to 31 days")
            .fix("write at least one request, within a time such as `Duration::from_secs(60)`; leave out a route that nobody may call")
    })
}

fn name(place: &str, limit: RateLimit) -> Option<Finding> {
    let name = limit.name?;
    let is_plain = (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_own = name == OF_ALL || name.starts_with(OF_ROUTE);
    (!is_plain || is_own).then(|| {
        let title = format!("{place}: a rate limit cannot have the name {name:?}");
        Finding::refuse(Practice::Roles, "app-rate-name", title)
            .why("the name stands in the header `RateLimit`, beside `app` and `route` of the framework")
            .fix("write a name of 1 to 40 lower-case letters, digits and hyphens, such as \"search\"")
    })
}

/// A limit that counts nobody where the route stands.
fn nobody(place: &str, limit: RateLimit, access: Access) -> Option<Finding> {
    match (limit.by, access) {
        (CountedBy::Token, Access::Api(_)) => None,
        (CountedBy::Token, _) => Some(no_token(place)),
        (
            CountedBy::User,
            Access::Public | Access::Webhook(_) | Access::BrowserReports | Access::Unsubscribe,
        ) => {
            let title = format!("{place} counts its requests by user, and nobody signs in for it");
            Some(
                Finding::refuse(Practice::Roles, "app-rate-by-user", title)
                    .why("a visitor has no user, so the limit would not count whom it names")
                    .fix("use `.by_address()`; or `.by_user_or_address()`, if people who are signed in use the route too"),
            )
        }
        (CountedBy::Address | CountedBy::User | CountedBy::UserOrAddress | CountedBy::Usual, _) => {
            None
        }
    }
}

/// A limit by token counts nobody where no token comes.
fn no_token(place: &str) -> Finding {
    let title = format!("{place} counts its requests by token, and takes none");
    Finding::refuse(Practice::Roles, "api-rate-by-token", title)
        .why("no request has a token there, so the limit would not hold")
        .fix("use `.by_user()` or `.by_address()`, or mount the route under `.api(…)`")
}

/// A limit that a stricter one of the application hides.
fn unreachable(entry: &RouteEntry, limit: RateLimit, of_all: &[RateLimit]) -> Option<Finding> {
    let rate = |limit: RateLimit| {
        u128::from(limit.rate.times) * LONGEST.as_millis() / limit.rate.within.as_millis().max(1)
    };
    let stricter = of_all.iter().find(|all| {
        let counts_same = all.by == limit.by;
        counts_same && all.rate.times <= limit.rate.times && rate(**all) <= rate(limit)
    })?;
    let title = format!(
        "{} {}: no request reaches the rate limit {limit}",
        entry.method, entry.path
    );
    Some(
        Finding::warn(Practice::Roles, "app-rate-hidden", title)
            .why(format!(
                "the application has the limit {stricter}, which admits no more"
            ))
            .fix("make the limit of the route stricter, or remove it"),
    )
}

fn two_of_one_name(name: &str, named: &mut Vec<RateLimit>) -> Option<Finding> {
    // Once for each name.
    named.retain(|limit| limit.name != Some(name));
    let title = format!("two different rate limits have the name {name:?}");
    Some(
        Finding::refuse(Practice::Roles, "app-rate-two", title)
            .why("limits of one name count together, and these differ")
            .fix("use one value for both, or give one of them another name"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csrf::WebhookAuth;
    use crate::forms::Described;
    use crate::pages::Outputs;

    const MINUTE: Duration = Duration::from_secs(60);

    fn entry(path: &'static str, access: Access, limits: &[RateLimit]) -> RouteEntry {
        RouteEntry {
            method: "GET".to_owned(),
            path,
            also: None,
            access,
            cors: None,
            rate_limits: limits.to_vec(),
            takes: Described::default(),
            gives: Outputs::default(),
        }
    }

    fn ids(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.id).collect()
    }

    fn named(limit: RateLimit, name: &'static str) -> RateLimit {
        RateLimit {
            name: Some(name),
            ..limit
        }
    }

    #[test]
    fn a_limit_that_cannot_hold_is_found() {
        const BILLING: Access = Access::Webhook(WebhookAuth::hmac("billing"));
        let ten = RateLimit::per_minute(10);
        for (access, limit, wanted) in [
            (Access::Public, ten, &[][..]),
            (Access::Public, ten.by_address(), &[]),
            (Access::Public, ten.by_user_or_address(), &[]),
            (Access::Public, ten.by_user(), &["app-rate-by-user"]),
            (BILLING, ten.by_user(), &["app-rate-by-user"]),
            (BILLING, ten, &[]),
            (Access::SignedIn, ten.by_user(), &[]),
            (Access::Api("read"), ten.by_user(), &[]),
            (Access::Api("read"), ten.by_token(), &[]),
            (Access::SignedIn, ten.by_token(), &["api-rate-by-token"]),
            (
                Access::Public,
                RateLimit::per_minute(0),
                &["app-rate-numbers"],
            ),
            (
                Access::Public,
                RateLimit::new(5, Duration::ZERO),
                &["app-rate-numbers"],
            ),
            (
                Access::Public,
                RateLimit::new(5, 100 * LONGEST),
                &["app-rate-numbers"],
            ),
            (Access::Public, named(ten, "search"), &[]),
            (Access::Public, named(ten, "app"), &["app-rate-name"]),
            (Access::Public, named(ten, "route-2"), &["app-rate-name"]),
            (Access::Public, named(ten, "a \"b\""), &["app-rate-name"]),
            (Access::Public, named(ten, ""), &["app-rate-name"]),
        ] {
            let found = of_entry(&entry("/a", access, &[limit]));
            assert_eq!(ids(&found), wanted, "{access:?} {limit}");
        }
    }

    #[test]
    fn limits_beside_each_other_are_looked_at() {
        let ten = RateLimit::per_minute(10).by_address();
        let search = named(ten, "search");
        let other = named(RateLimit::new(20, MINUTE).by_address(), "search");
        let all = |limit: RateLimit| vec![limit.of_all()];
        for (limits, of_app, wanted) in [
            ([search, search], vec![], &[][..]),
            ([search, other], vec![], &["app-rate-two"]),
            ([ten, ten], all(RateLimit::per_minute(11).by_address()), &[]),
            ([ten, ten.by_user()], all(ten), &["app-rate-hidden"]),
            (
                [ten, ten],
                all(RateLimit::per_hour(5).by_address()),
                &["app-rate-hidden"; 2],
            ),
            ([ten, ten], all(ten.by_user()), &[]),
            ([ten, ten], all(ten.by_token()), &["api-rate-by-token"]),
        ] {
            let [one, two] = limits;
            let entries = [
                entry("/a", Access::SignedIn, &[one]),
                entry("/b", Access::SignedIn, &[two]),
            ];
            assert_eq!(ids(&of_all(&entries, &of_app)), wanted, "{limits:?}");
        }
    }
}
