//! Headers, addresses and templates, for `fuzz/`; reached through `forms::fuzzing`.

use http::header::ACCEPT_LANGUAGE;
use http::{HeaderMap, HeaderValue};

use super::{LocalPath, context, languages, ranges};

/// Parses `Accept-Language`.
pub(crate) fn accept_language(text: &str) {
    let Ok(value) = HeaderValue::from_str(text) else {
        return;
    };
    let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, value)]);
    let tags = ["en", "de-CH", "pt"];
    assert!(languages::best_language(&headers, &tags) < tags.len());
}

/// Parses a redirect's target: it stays on this host, in any browser.
pub(crate) fn local_path(text: &str) {
    let Ok(path) = LocalPath::parse(text.to_owned()) else {
        return;
    };
    let here = url::Url::parse("https://here.example/a/b").ok();
    let there = here.as_ref().and_then(|here| here.join(path.as_str()).ok());
    let origins = here
        .map(|url| url.origin())
        .zip(there.map(|url| url.origin()));
    assert!(
        origins.is_some_and(|(here, there)| here == there),
        "{text:?}"
    );
    assert!(HeaderValue::from_str(path.as_str()).is_ok(), "{text:?}");
}

/// Parses a `Range` of a file.
pub(crate) fn range(text: &str) {
    for length in [0, 1, 100] {
        if let Some(part) = ranges::part_of(text, length) {
            assert!(part.start < part.end && part.end <= length, "{text:?}");
        }
    }
}

/// Checks a template, if it parses.
pub(crate) fn template(text: &str) {
    let read = |name: &str| (name == "page.html").then(|| text.to_owned());
    if let Ok(judged) = context::judge("page.html", &read) {
        assert!(judged.is_some_and(|judged| judged.chain == ["page.html"]));
    }
}
