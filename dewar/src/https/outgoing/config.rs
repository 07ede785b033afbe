use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use crate::audit::{Section, Settings};

const MIB: u64 = 1 << 20;

/// The settings of section `https.outgoing`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The origins inside the operator's network that the application may ask, such as `http://search.internal:9200`.
    pub internal: BTreeSet<String>,
    /// The most bytes of a response's body.
    pub body: u64,
    /// The most requests at the same moment; the next ones wait. The internal origins have as many of their own.
    pub concurrent: u64,
    /// The most requests to one host of the public internet at the same moment; the next ones wait.
    pub concurrent_per_host: u64,
    /// The time for a whole request: name, connection, all redirects and the body.
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            internal: BTreeSet::new(),
            body: 2 * MIB,
            concurrent: 32,
            concurrent_per_host: 4,
            timeout: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// Reads section `https.outgoing`. Invalid values become findings of [`Settings::finish`].
    ///
    /// ```
    /// use dewar::audit::Settings;
    /// use dewar::outgoing::Config;
    /// let name = "DEWAR_HTTPS_OUTGOING_INTERNAL".to_owned();
    /// let settings = Settings::read(None, [(name, "http://10.0.0.5:9200".to_owned())]);
    /// assert_eq!(Config::read(&settings).internal.len(), 1);
    /// ```
    #[must_use]
    pub fn read(settings: &Settings) -> Self {
        let section = settings.section("https.outgoing");
        let preset = Self::default();
        let second = Duration::from_secs(1);
        Self {
            internal: internal(&section),
            body: section.bytes("body", preset.body, 1024..=256 * MIB),
            concurrent: section.integer("concurrent", preset.concurrent, 1..=1024),
            concurrent_per_host: section.integer(
                "concurrent_per_host",
                preset.concurrent_per_host,
                1..=1024,
            ),
            timeout: section.duration("timeout", preset.timeout, second..=120 * second),
        }
    }
}

fn internal(section: &Section<'_>) -> BTreeSet<String> {
    let written = section.list("internal", &[]);
    let read: Option<BTreeSet<String>> = written.iter().map(|text| origin(text)).collect();
    read.unwrap_or_else(|| {
        let right = "a list of origins, each with its scheme and without a path, such as [\"http://search.internal:9200\"]";
        section.refuse("internal", right);
        BTreeSet::new()
    })
}

/// The origin that a text is, in the spelling that addresses are compared with.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_plain = ["http", "https"].contains(&url.scheme())
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && !text.ends_with(['/', '?', '#'])
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.contains('*');
    is_plain.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_origin_names_its_scheme_and_nothing_behind_the_port() {
        let read = |value: &str| {
            let name = "DEWAR_HTTPS_OUTGOING_INTERNAL".to_owned();
            let settings = Settings::read(None, [(name, value.to_owned())]);
            let config = Config::read(&settings);
            (config.internal.len(), settings.finish().len())
        };
        assert_eq!(
            read("http://10.0.0.5:9200, https://Search.internal"),
            (2, 0)
        );
        for wrong in [
            "10.0.0.5",
            "search.internal:9200",
            "http://search.internal/",
            "http://search.internal/path",
            "http://*.internal",
            "http://user@search.internal",
            "ftp://search.internal",
            "http://search.internal?x",
        ] {
            assert_eq!(read(wrong), (0, 1), "{wrong}");
        }
    }
}
