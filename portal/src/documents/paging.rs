//! The list's pages and the links between them.

use serde::Serialize;

/// How many documents stand on a page.
pub(crate) const SIZE: u64 = 20;

/// A link of the pagination, or the gap between two.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    pub(crate) number: u64,
    /// None for a gap.
    pub(crate) url: Option<String>,
    pub(crate) current: bool,
}

/// The first page, the last, and those around the current one.
pub(crate) fn links(current: u64, total: u64, address: impl Fn(u64) -> String) -> Vec<Link> {
    let last = last(total);
    let mut links: Vec<Link> = Vec::new();
    let near = current.saturating_sub(2)..=current.saturating_add(2);
    for number in std::iter::once(1)
        .chain(near.filter(|n| *n > 1 && *n < last))
        .chain((last > 1).then_some(last))
    {
        if links
            .last()
            .is_some_and(|before| before.number + 1 < number)
        {
            links.push(Link {
                number,
                url: None,
                current: false,
            });
        }
        links.push(Link {
            number,
            url: Some(address(number)),
            current: number == current,
        });
    }
    links
}

/// The number of the last page.
pub(crate) fn last(total: u64) -> u64 {
    total.div_ceil(SIZE).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(current: u64, total: u64) -> String {
        let links = links(current, total, |page| page.to_string());
        let text = links.iter().map(|link| match (&link.url, link.current) {
            (None, _) => "…".to_owned(),
            (Some(_), true) => format!("[{}]", link.number),
            (Some(_), false) => link.number.to_string(),
        });
        text.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_current_page_has_its_neighbours_and_both_ends() {
        assert_eq!(numbers(1, 3), "[1]");
        assert_eq!(numbers(2, 41), "1 [2] 3");
        assert_eq!(numbers(10, 400), "1 … 8 9 [10] 11 12 … 20");
        assert_eq!(numbers(20, 400), "1 … 18 19 [20]");
    }
}
