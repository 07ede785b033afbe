use super::{Escape, Refusal};

/// Which part of an address stands before a place, as far as the template's own text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing: the value is the whole address, or begins it.
    Start,
    /// Text that may still turn out to be a scheme.
    Scheme(String),
    /// A value began it, and no delimiter came since.
    Joined,
    /// `https:` and the slashes after it: a host comes.
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
    /// A scheme that no value may stand after, or one that is spelled with entities.
    Closed,
}

/// Where an address leads to: what a page loads or posts to is of this application, a link may lead anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    Local,
}

impl Part {
    /// The part after one more character of the template's own text.
    pub(super) fn step(&mut self, c: char) -> Result<(), Refusal> {
        let next = match (&mut *self, c) {
            // Browsers drop line ends and tabs wherever they stand.
            (_, '\t' | '\n') => return Ok(()),
            (Self::Start, ' ') => Self::Start,
            // An entity could be a slash or a colon.
            (Self::Start | Self::Scheme(_) | Self::Joined, '&' | '\\') => Self::Closed,
            (Self::Slashes | Self::Host | Self::Root, '&') => Self::Closed,
            (Self::Start | Self::Joined, '/') => Self::Root,
            (Self::Start, ':') => Self::Closed,
            (Self::Start, c) if c != '?' && c != '#' => Self::Scheme(c.to_string()),
            (Self::Joined | Self::Mixed, ':') => return Err(Refusal::SchemeFromValue),
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

    /// How a value is escaped here; afterwards the part is the one behind the value.
    pub(super) fn value(&mut self, reach: Reach) -> Result<Escape, Refusal> {
        let (escape, next) = match (&*self, reach) {
            (Self::Start, Reach::Anywhere) => (Escape::Address, Self::Joined),
            // A slash and a slash begin a host: only a query may hold another value.
            (Self::Start, Reach::Local) => (Escape::LocalAddress, Self::Mixed),
            (Self::Scheme(_), _) | (Self::Joined, Reach::Anywhere) => {
                (Escape::AddressJoined, Self::Joined)
            }
            (Self::Slashes, Reach::Anywhere) => (Escape::AddressHost, Self::Host),
            (Self::Root, _) => (Escape::AddressRoot, Self::Root),
            (Self::Path, _) => (Escape::AddressPath, Self::Path),
            (Self::Query, _) => (Escape::AddressQuery, Self::Query),
            (Self::Opaque, _) => (Escape::AddressOpaque, Self::Opaque),
            (Self::Joined | Self::Slashes, Reach::Local) => return Err(Refusal::AddressElsewhere),
            (Self::Host, _) => return Err(Refusal::AddressHost),
            (Self::Mixed, _) => return Err(Refusal::AddressMixed),
            (Self::Closed, _) => return Err(Refusal::AddressClosed),
        };
        *self = next;
        Ok(escape)
    }

    /// What stands before a place that two branches lead to.
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
    /// After a value that is a candidate, or several.
    Value,
    Descriptor,
}

impl Srcset {
    pub(super) fn step(&mut self, c: char) -> Result<(), Refusal> {
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

    pub(super) fn value(&mut self) -> Result<Escape, Refusal> {
        match self {
            Self::Start => {
                *self = Self::Value;
                Ok(Escape::Srcset)
            }
            Self::Address(part) => part.value(Reach::Anywhere),
            Self::Value => Err(Refusal::AddressMixed),
            Self::Descriptor => Err(Refusal::Descriptor),
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
