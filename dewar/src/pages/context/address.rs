use super::{Escape, TemplateRejection};

/// The part of an address before a position, as far as the template's own text shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing yet: the value is the whole address, or begins it.
    Start,
    /// Text that may still become a scheme.
    Scheme(String),
    /// A value began the address, and no delimiter has followed.
    Joined,
    /// `https:` and the slashes after it: a host follows.
    Slashes,
    Host,
    /// The first slash and nothing after it: a second one would begin a host.
    Root,
    Path,
    Query,
    /// After `mailto:` or `tel:`.
    Opaque,
    /// Two branches of the template ended in different parts, or a value is an address of this application.
    Mixed,
    /// A scheme that no value may follow, or one with entities.
    Closed,
}

/// The targets of an address: a page loads and posts only within this application, and links anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    Local,
}

impl Part {
    /// The part after one more character of the template's own text.
    pub(super) fn step(&mut self, c: char) -> Result<(), TemplateRejection> {
        let next = match (&mut *self, c) {
            // Browsers drop line ends and tabs anywhere in an address.
            (_, '\t' | '\n') => return Ok(()),
            (Self::Start, ' ') => Self::Start,
            // An entity could be a slash or a colon.
            (Self::Start | Self::Scheme(_) | Self::Joined, '&' | '\\') => Self::Closed,
            (Self::Slashes | Self::Host | Self::Root, '&') => Self::Closed,
            (Self::Start | Self::Joined, '/') => Self::Root,
            (Self::Start, ':') => Self::Closed,
            (Self::Start, c) if c != '?' && c != '#' => Self::Scheme(c.to_string()),
            (Self::Joined | Self::Mixed, ':') => return Err(TemplateRejection::SchemeFromValue),
            (Self::Joined, c) if c != '?' && c != '#' => Self::Joined,
            (Self::Scheme(scheme), ':') => after_scheme(scheme),
            (Self::Scheme(_), '/') => Self::Path,
            (Self::Scheme(scheme), c) if c != '?' && c != '#' => {
                scheme.push(c);
                return Ok(());
            }
            (Self::Root, '/' | '\\') => Self::Slashes,
            (Self::Root, c) if c != '?' && c != '#' => Self::Path,
            (Self::Slashes, '/') => Self::Slashes,
            (Self::Slashes, c) if c != '?' && c != '#' => Self::Host,
            (Self::Host, '/') => Self::Path,
            (Self::Closed, _) => Self::Closed,
            (_, '?' | '#') => Self::Query,
            _ => return Ok(()),
        };
        *self = next;
        Ok(())
    }

    /// How a value is escaped here. Afterwards the part is the one after the value.
    pub(super) fn value(&mut self, reach: Reach) -> Result<Escape, TemplateRejection> {
        let (escape, next) = match (&*self, reach) {
            (Self::Start, Reach::Anywhere) => (Escape::Address, Self::Joined),
            // Two slashes begin a host, so only a query may hold another value.
            (Self::Start, Reach::Local) => (Escape::LocalAddress, Self::Mixed),
            (Self::Scheme(_), _) | (Self::Joined, Reach::Anywhere) => {
                (Escape::AddressJoined, Self::Joined)
            }
            (Self::Slashes, Reach::Anywhere) => (Escape::AddressHost, Self::Host),
            (Self::Root, _) => (Escape::AddressRoot, Self::Root),
            (Self::Path, _) => (Escape::AddressPath, Self::Path),
            (Self::Query, _) => (Escape::AddressQuery, Self::Query),
            (Self::Opaque, _) => (Escape::AddressOpaque, Self::Opaque),
            (Self::Joined | Self::Slashes, Reach::Local) => {
                return Err(TemplateRejection::AddressElsewhere);
            }
            (Self::Host, _) => return Err(TemplateRejection::AddressHost),
            (Self::Mixed, _) => return Err(TemplateRejection::AddressMixed),
            (Self::Closed, _) => return Err(TemplateRejection::AddressClosed),
        };
        *self = next;
        Ok(escape)
    }

    /// The part at the end of two branches.
    pub(super) fn join(&self, other: &Self) -> Self {
        if self == other {
            self.clone()
        } else if matches!(self, Self::Closed) || matches!(other, Self::Closed) {
            Self::Closed
        } else {
            Self::Mixed
        }
    }
}

fn after_scheme(scheme: &str) -> Part {
    match scheme.trim().to_ascii_lowercase().as_str() {
        "http" | "https" => Part::Slashes,
        "mailto" | "tel" => Part::Opaque,
        _ => Part::Closed,
    }
}

/// The candidates of a `srcset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Srcset {
    Start,
    Address(Part),
    /// After a value that is one candidate, or several.
    Value,
    Descriptor,
}

impl Srcset {
    pub(super) fn step(&mut self, c: char) -> Result<(), TemplateRejection> {
        let next = match (&mut *self, c) {
            (Self::Start, c) if c.is_ascii_whitespace() || c == ',' => Self::Start,
            (Self::Start, c) => {
                let mut part = Part::Start;
                part.step(c)?;
                Self::Address(part)
            }
            (Self::Address(_) | Self::Value, c) if c.is_ascii_whitespace() => Self::Descriptor,
            (Self::Descriptor | Self::Value, ',') => Self::Start,
            (Self::Address(_), ',') | (Self::Value, _) => Self::Address(Part::Mixed),
            (Self::Address(part), c) => return part.step(c),
            (Self::Descriptor, _) => Self::Descriptor,
        };
        *self = next;
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<Escape, TemplateRejection> {
        match self {
            Self::Start => {
                *self = Self::Value;
                Ok(Escape::Srcset)
            }
            Self::Address(part) => part.value(Reach::Anywhere),
            Self::Value => Err(TemplateRejection::AddressMixed),
            Self::Descriptor => Err(TemplateRejection::Descriptor),
        }
    }

    pub(super) fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Address(one), Self::Address(two)) => Self::Address(one.join(two)),
            (one, two) if one == two => one.clone(),
            _ => Self::Address(Part::Mixed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Part::{Closed, Host, Joined, Mixed, Opaque, Path, Query, Root, Slashes, Start};

    fn from(mut part: Part, text: &str) -> Result<Part, TemplateRejection> {
        text.chars().try_for_each(|c| part.step(c))?;
        Ok(part)
    }

    fn scheme(text: &str) -> Part {
        Part::Scheme(text.to_owned())
    }

    /// The part decides how a value is escaped: with an earlier part, a value could name the host or the scheme.
    #[test]
    fn the_part_is_what_a_browser_takes_it_for() {
        for (text, expected) in [
            ("", Start),
            (" \t\n", Start),
            ("&", Closed),
            ("\\", Closed),
            (":", Closed),
            ("/", Root),
            ("?", Query),
            ("#", Query),
            ("a", scheme("a")),
            ("a\tb\nc", scheme("abc")),
            ("a&", Closed),
            ("a\\", Closed),
            ("a/", Path),
            ("a?", Query),
            ("a#", Query),
            ("http:", Slashes),
            (" HTTPS:", Slashes),
            ("ht\ttps:", Slashes),
            ("mailto:", Opaque),
            ("tel:", Opaque),
            ("mailto:a/b:c", Opaque),
            ("mailto:a?", Query),
            ("javascript:", Closed),
            ("data:", Closed),
            ("javascript:a?b#c/", Closed),
            ("//", Slashes),
            ("/\\", Slashes),
            ("/\t/", Slashes),
            ("///", Slashes),
            ("/&", Closed),
            ("/a", Path),
            ("/?", Query),
            ("/#", Query),
            ("/a&b:c//d\\", Path),
            ("/a?b/c:d&e//", Query),
            ("https:&", Closed),
            ("https:?", Query),
            ("https://#", Query),
            ("https://h", Host),
            ("https://h:80", Host),
            ("https://h&", Closed),
            ("https://h/", Path),
            ("https://h?", Query),
            ("https://h#", Query),
            ("https://h//", Path),
        ] {
            assert_eq!(from(Start, text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_follows_a_value_makes_no_scheme_of_it() {
        for (text, expected) in [
            ("", Ok(Joined)),
            ("ab", Ok(Joined)),
            ("/", Ok(Root)),
            ("&", Ok(Closed)),
            ("\\", Ok(Closed)),
            ("?", Ok(Query)),
            ("a#", Ok(Query)),
            (":", Err(TemplateRejection::SchemeFromValue)),
            ("a:", Err(TemplateRejection::SchemeFromValue)),
        ] {
            assert_eq!(from(Joined, text), expected, "{text:?}");
        }
        for (text, expected) in [
            ("a/&\\", Ok(Mixed)),
            ("?", Ok(Query)),
            ("#", Ok(Query)),
            (":", Err(TemplateRejection::SchemeFromValue)),
        ] {
            assert_eq!(from(Mixed, text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_value_is_escaped_for_its_part() {
        use Reach::{Anywhere, Local};
        for (part, reach, expected) in [
            (Start, Anywhere, Ok((Escape::Address, Joined))),
            (Start, Local, Ok((Escape::LocalAddress, Mixed))),
            (scheme("a"), Anywhere, Ok((Escape::AddressJoined, Joined))),
            (scheme("a"), Local, Ok((Escape::AddressJoined, Joined))),
            (Joined, Anywhere, Ok((Escape::AddressJoined, Joined))),
            (Joined, Local, Err(TemplateRejection::AddressElsewhere)),
            (Slashes, Anywhere, Ok((Escape::AddressHost, Host))),
            (Slashes, Local, Err(TemplateRejection::AddressElsewhere)),
            (Root, Anywhere, Ok((Escape::AddressRoot, Root))),
            (Root, Local, Ok((Escape::AddressRoot, Root))),
            (Path, Local, Ok((Escape::AddressPath, Path))),
            (Query, Local, Ok((Escape::AddressQuery, Query))),
            (Opaque, Anywhere, Ok((Escape::AddressOpaque, Opaque))),
            (Host, Anywhere, Err(TemplateRejection::AddressHost)),
            (Host, Local, Err(TemplateRejection::AddressHost)),
            (Mixed, Anywhere, Err(TemplateRejection::AddressMixed)),
            (Closed, Anywhere, Err(TemplateRejection::AddressClosed)),
        ] {
            let mut after = part.clone();
            let escape = after.value(reach);
            let told = escape.map(|escape| (escape, after));
            assert_eq!(told, expected, "{part:?} {reach:?}");
        }
    }

    #[test]
    fn branches_that_end_in_different_parts_are_mixed() {
        for (one, two, expected) in [
            (Path, Path, Path),
            (Closed, Closed, Closed),
            (Path, Closed, Closed),
            (Closed, Path, Closed),
            (Path, Query, Mixed),
            (scheme("a"), scheme("b"), Mixed),
        ] {
            assert_eq!(one.join(&two), expected, "{one:?} {two:?}");
        }
    }

    #[test]
    fn the_candidates_of_a_srcset_begin_anew() {
        let from = |mut srcset: Srcset, text: &str| {
            text.chars()
                .try_for_each(|c| srcset.step(c))
                .map(|()| srcset)
        };
        for (text, expected) in [
            ("", Srcset::Start),
            (" ,\n", Srcset::Start),
            ("/", Srcset::Address(Root)),
            ("/a", Srcset::Address(Path)),
            ("/a,", Srcset::Address(Mixed)),
            ("/a ", Srcset::Descriptor),
            ("/a 2x", Srcset::Descriptor),
            ("/a 2x,", Srcset::Start),
            ("/a 2x, /b", Srcset::Address(Path)),
            ("data:", Srcset::Address(Closed)),
        ] {
            assert_eq!(from(Srcset::Start, text), Ok(expected), "{text:?}");
        }
        for (text, expected) in [
            (" ", Srcset::Descriptor),
            (",", Srcset::Start),
            ("/", Srcset::Address(Mixed)),
            ("a", Srcset::Address(Mixed)),
        ] {
            assert_eq!(from(Srcset::Value, text), Ok(expected), "{text:?}");
        }
        for (mut srcset, expected, after) in [
            (Srcset::Start, Ok(Escape::Srcset), Srcset::Value),
            (
                Srcset::Address(Path),
                Ok(Escape::AddressPath),
                Srcset::Address(Path),
            ),
            (
                Srcset::Address(Root),
                Ok(Escape::AddressRoot),
                Srcset::Address(Root),
            ),
            (
                Srcset::Value,
                Err(TemplateRejection::AddressMixed),
                Srcset::Value,
            ),
            (
                Srcset::Descriptor,
                Err(TemplateRejection::Descriptor),
                Srcset::Descriptor,
            ),
        ] {
            assert_eq!(srcset.value(), expected);
            assert_eq!(srcset, after);
        }
        let path = Srcset::Address(Path);
        assert_eq!(path.join(&path), path);
        assert_eq!(path.join(&Srcset::Address(Root)), Srcset::Address(Mixed));
        assert_eq!(Srcset::Value.join(&Srcset::Value), Srcset::Value);
        assert_eq!(Srcset::Value.join(&path), Srcset::Address(Mixed));
    }
}
