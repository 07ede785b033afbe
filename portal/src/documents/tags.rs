//! Tags: short words without blanks, so that a list of them is a line.

use std::collections::BTreeSet;

use dewar::pages::Message;

/// How many a document may have.
pub(crate) const MOST: usize = 8;

/// How long one may be.
pub(crate) const LONGEST: usize = 30;

/// Why a line is not a list of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A tag holds something else than letters, digits and hyphens.
    Letters(String),
    /// A tag is too long.
    Long(String),
    /// There are too many.
    Many,
}

impl From<Unfit> for Message {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Letters(tag) => Self::new("tags-letters").with("tag", tag),
            Unfit::Long(tag) => Self::new("tags-long").with("tag", tag).with("max", LONGEST),
            Unfit::Many => Self::new("tags-many").with("max", MOST),
        }
    }
}

/// Reads tags that stand apart by commas or blanks; capitals become small, and what stands twice counts once.
pub(crate) fn parse(line: &str) -> Result<BTreeSet<String>, Unfit> {
    let mut tags = BTreeSet::new();
    let words = line
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty());
    for word in words {
        let tag = word.to_lowercase();
        if !tag.chars().all(|c| c.is_alphanumeric() || c == '-') {
            return Err(Unfit::Letters(tag));
        }
        if tag.chars().count() > LONGEST {
            return Err(Unfit::Long(tag));
        }
        tags.insert(tag);
    }
    if tags.len() > MOST {
        Err(Unfit::Many)
    } else {
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_small_and_stand_once() {
        let tags = parse("Policy, travel policy,,  Ägypten").unwrap();
        assert_eq!(
            tags.into_iter().collect::<Vec<_>>(),
            ["policy", "travel", "ägypten"]
        );
    }

    #[test]
    fn a_tag_holds_no_markup_and_no_wildcard() {
        assert_eq!(parse("<b>"), Err(Unfit::Letters("<b>".into())));
        assert_eq!(parse("50%"), Err(Unfit::Letters("50%".into())));
    }

    #[test]
    fn there_are_bounds() {
        assert_eq!(parse("1 2 3 4 5 6 7 8 9"), Err(Unfit::Many));
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(parse(&long), Err(Unfit::Long(long)));
    }
}
