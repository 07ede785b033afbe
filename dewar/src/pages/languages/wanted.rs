//! Content negotiation for the language (RFC 9110, 12.5.4; RFC 4647, 3.4 "Lookup").

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

use crate::https::list::weighted;

/// The most languages that Dewar reads; a browser names a handful.
const MOST: usize = 16;

/// The position of the best language among these tags, such as `en` and `de-CH`; the first if none matches.
pub(in crate::pages) fn best<T: AsRef<str>>(headers: &HeaderMap, tags: &[T]) -> usize {
    let mut best = (0, 0);
    for range in weighted(headers, ACCEPT_LANGUAGE).take(MOST) {
        // Of two with the same weight, the one named first wins.
        if range.weight > best.0
            && !range.has_parameters
            && let Some(place) = place(range.name, tags)
        {
            best = (range.weight, place);
        }
    }
    best.1
}

/// The tag itself, a shorter one, or one of the same language: a reader who requests `de-AT` gets `de-CH`.
fn place<T: AsRef<str>>(range: &str, tags: &[T]) -> Option<usize> {
    let of = |wanted: &str| {
        let mut tags = tags.iter().map(T::as_ref);
        tags.position(|tag| tag.eq_ignore_ascii_case(wanted))
    };
    let mut shorter = range;
    loop {
        if let Some(place) = of(shorter) {
            return Some(place);
        }
        let Some((rest, _)) = shorter.rsplit_once('-') else {
            break;
        };
        shorter = rest;
    }
    let language = |tag: &str| tag.split('-').next().map_or(0, str::len);
    let wanted = range.get(..language(range))?;
    tags.iter().map(T::as_ref).position(|tag| {
        tag.get(..language(tag))
            .is_some_and(|language| language.eq_ignore_ascii_case(wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TAGS: [&str; 3] = ["en", "de-CH", "fr"];

    fn asked(header: &str) -> &'static str {
        let value = http::HeaderValue::from_bytes(header.as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, value)]);
        TAGS[best(&headers, &TAGS)]
    }

    #[test]
    fn a_browser_gets_what_it_reads_best() {
        for (header, language) in [
            ("de", "de-CH"),
            ("de-AT,de;q=0.9,en;q=0.8", "de-CH"),
            ("DE-ch", "de-CH"),
            ("fr-CA, en", "fr"),
            ("en;q=0.5, fr;q=0.7", "fr"),
            ("it, fr;q=0.1", "fr"),
            ("fr;q=0, de", "de-CH"),
            ("fr;q=0", "en"),
            ("*", "en"),
            ("", "en"),
            ("fr;q=2", "en"),
            ("fr;level=1", "en"),
            ("fr;q=0.0001", "en"),
            ("fr;Q=0.2, en;q=0.1", "fr"),
            ("grün, fr", "fr"),
            ("x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,fr", "en"),
        ] {
            assert_eq!(asked(header), language, "{header}");
        }
        assert_eq!(best(&HeaderMap::new(), &TAGS), 0);
        let lines = ["it", "fr"].map(|line| (ACCEPT_LANGUAGE, line.parse().unwrap()));
        assert_eq!(TAGS[best(&lines.into_iter().collect(), &TAGS)], "fr");
    }

    proptest! {
        #[test]
        fn any_header_chooses_one_of_the_languages(header in "[ -~]{0,80}") {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, header.parse().unwrap())]);
            prop_assert!(best(&headers, &TAGS) < TAGS.len());
        }
    }
}
