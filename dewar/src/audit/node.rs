//! The name of a node: one of several copies of an application that share a database.

use std::fmt;
use std::sync::Arc;

use super::Settings;

const MAX_CHARS: usize = 32;

/// The name of this node, from the setting `node`. Each node has an audit log of its own, and the database records under
/// this name where that log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeName(Arc<str>);

impl NodeName {
    /// Reads the setting `node`.
    pub(crate) fn read(settings: &Settings) -> Self {
        let top = settings.top();
        Self::parse(&top.text("node", Self::DEFAULT)).unwrap_or_else(|| {
            top.refuse(
                "node",
                "a name of 1 to 32 lower-case letters, digits and hyphens, such as \"web-1\"",
            );
            Self::default()
        })
    }

    const DEFAULT: &str = "main";

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=MAX_CHARS).contains(&text.len()) && text.chars().all(is_plain);
        fits.then(|| Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for NodeName {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_a_short_plain_name() {
        for name in ["main", "web-1", "7", &"a".repeat(32)] {
            assert!(NodeName::parse(name).is_some(), "{name}");
        }
        for name in ["", "Web", "a b", "a_b", "ä", "../x", &"a".repeat(33)] {
            assert!(NodeName::parse(name).is_none(), "{name}");
        }
    }
}
