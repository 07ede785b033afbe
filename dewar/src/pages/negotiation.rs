//! Content negotiation (RFC 9110, 12.5.1). Only this file decides whether an error is a page or problem details.

use std::cmp::Ordering;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

use crate::https::list::weighted;

/// More ranges than any browser sends.
const MOST: usize = 64;

/// The preferred type of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefers {
    /// Problem details (RFC 9457).
    Json,
    /// A page.
    Page,
}

/// The ranges that match a page, the exact ones first. Dewar sends `text/html`, so a refusal of it counts.
const PAGE: [(&str, Specificity); 4] = [
    ("text/html", Specificity::Itself),
    ("application/xhtml+xml", Specificity::Itself),
    ("text/*", Specificity::Family),
    ("*/*", Specificity::Anything),
];

const PROBLEM: [(&str, Specificity); 4] = [
    ("application/problem+json", Specificity::Itself),
    ("application/json", Specificity::Itself),
    ("application/*", Specificity::Family),
    ("*/*", Specificity::Anything),
];

/// How exactly a range names a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Specificity {
    #[default]
    Nowhere,
    Anything,
    Family,
    Itself,
}

impl Prefers {
    /// Chooses the type of the greater weight. If both weigh the same, it chooses the type that was named more exactly. If
    /// both were named alike, it chooses the page where they were named, and problem details for `*/*` and without the
    /// header: every browser names `text/html` when it opens a page or sends a form.
    ///
    /// It does not choose a type of weight 0 unless the other one is refused just as clearly.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        // No range can outweigh this one, and every browser begins with it.
        let first = headers.get(ACCEPT).map(HeaderValue::as_bytes);
        if first.is_some_and(|first| first.starts_with(b"text/html,")) {
            return Self::Page;
        }
        let (mut page, mut problem) = (Weights::default(), Weights::default());
        for range in weighted(headers, ACCEPT).take(MOST) {
            page.add(&PAGE, range.name, range.weight);
            problem.add(&PROBLEM, range.name, range.weight);
        }
        let (page, page_named) = page.first(&PAGE);
        let (problem, problem_named) = problem.first(&PROBLEM);
        let named = page_named.cmp(&problem_named);
        // If both are refused, it chooses the one that was refused less clearly.
        let named = if page == 0 { named.reverse() } else { named };
        match page.cmp(&problem).then(named) {
            Ordering::Greater => Self::Page,
            Ordering::Equal if page > 0 && page_named > Specificity::Anything => Self::Page,
            Ordering::Equal | Ordering::Less => Self::Json,
        }
    }
}

/// The greatest weight that the client gives to each of four ranges.
#[derive(Default)]
struct Weights([Option<u16>; 4]);

impl Weights {
    fn add(&mut self, names: &[(&str, Specificity); 4], range: &str, weight: u16) {
        for (greatest, (name, _)) in self.0.iter_mut().zip(names) {
            if range.eq_ignore_ascii_case(name) {
                *greatest = (*greatest).max(Some(weight));
            }
        }
    }

    /// The weight of the first range that the client names; the ranges stand from exact to general.
    fn first(&self, names: &[(&str, Specificity); 4]) -> (u16, Specificity) {
        let mut ranges = self.0.iter().zip(names);
        let found = ranges.find_map(|(weight, (_, named))| Some(((*weight)?, *named)));
        found.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn prefers(lines: &[&[u8]]) -> Prefers {
        let values = lines
            .iter()
            .map(|line| HeaderValue::from_bytes(line).unwrap());
        Prefers::of(&values.map(|value| (ACCEPT, value)).collect())
    }

    #[test]
    fn what_is_wanted_more_is_sent() {
        use Prefers::{Json, Page};
        for (accept, wanted) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Page,
            ),
            ("text/html", Page),
            ("TEXT/HTML", Page),
            ("text/html;charset=utf-8", Page),
            ("application/xhtml+xml", Page),
            ("text/*", Page),
            ("text/*;q=0.5, application/*;q=0.4", Page),
            ("text/html, */*;q=0.01", Page),
            ("text/html, application/json", Page),
            ("text/html, application/json;q=0.9", Page),
            ("application/jsonx, text/html;q=0.3", Page),
            ("application/json;q=9, text/html;q=0.3", Page),
            ("application/json;q=0, text/html;q=0.001", Page),
            ("application/json;q=0, */*", Page),
            ("application/json;q=0", Page),
            ("grün, text/html", Page),
            ("application/json, text/html;q=0.9", Json),
            ("text/html;q=0.1, application/json", Json),
            ("text/html;q=0, application/json;q=0.2", Json),
            ("text/html;q=0, application/xhtml+xml, */*", Json),
            ("text/html;q=0", Json),
            ("text/html;q=0.0, text/*", Json),
            ("application/json, text/plain, */*", Json),
            ("APPLICATION/PROBLEM+JSON", Json),
            ("application/*", Json),
            ("*/*", Json),
            ("image/png", Json),
            ("text/htmlx", Json),
            ("x-text/html", Json),
            ("", Json),
        ] {
            assert_eq!(prefers(&[accept.as_bytes()]), wanted, "{accept}");
        }
        assert_eq!(prefers(&[]), Json);
        assert_eq!(prefers(&[b"application/json;q=0.5", b"text/html"]), Page);
    }

    #[test]
    fn the_range_that_browsers_begin_with_needs_no_second_look() {
        for rest in [
            "",
            "application/json",
            "application/problem+json;q=1",
            "*/*;q=0.8",
            "text/html;q=0",
        ] {
            let long = format!("text/html , {rest}");
            let short = format!("text/html,{rest}");
            assert_eq!(prefers(&[long.as_bytes()]), Prefers::Page, "{rest}");
            assert_eq!(prefers(&[short.as_bytes()]), Prefers::Page, "{rest}");
        }
    }

    proptest! {
        #[test]
        fn a_foreign_range_never_matters(foreign in "[^,\"\\x00-\\x1f\\x7f*]{0,30}", first in any::<bool>()) {
            prop_assume!(!foreign.contains("/"));
            for (known, wanted) in [("text/html", Prefers::Page), ("application/json", Prefers::Json)] {
                let line = if first { format!("{foreign},{known}") } else { format!("{known},{foreign}") };
                prop_assert_eq!(prefers(&[line.as_bytes()]), wanted);
            }
        }
    }
}
