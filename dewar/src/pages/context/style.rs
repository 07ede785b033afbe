use super::address::{Part, Reach};
use super::{Escape, TemplateRejection};

/// The state at a position in a style sheet, or in a `style` attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StyleContext {
    within: StyleState,
    /// The word so far: `url` or `@import` change the meaning of the next token.
    word: String,
    /// A slash that may begin a comment.
    slash: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum StyleState {
    Rules,
    Text {
        quote: char,
        escaped: bool,
        import: bool,
    },
    /// After `url(`, before its content.
    Opened,
    Address {
        quote: Option<char>,
        part: Part,
    },
    Comment {
        star: bool,
    },
}

impl StyleContext {
    pub(super) fn new() -> Self {
        Self {
            within: StyleState::Rules,
            word: String::new(),
            slash: false,
        }
    }

    pub(super) fn step(&mut self, c: char) -> Result<(), TemplateRejection> {
        match &mut self.within {
            StyleState::Rules => self.rules(c),
            StyleState::Comment { star: true } if c == '/' => self.within = StyleState::Rules,
            StyleState::Comment { star } => *star = c == '*',
            StyleState::Text { escaped, .. } if *escaped => *escaped = false,
            StyleState::Text { escaped, .. } if c == '\\' => *escaped = true,
            // A text that does not end on its line is no text.
            StyleState::Text { quote, .. } if c == *quote || c == '\n' => self.rules_again(),
            StyleState::Text { .. } => {}
            StyleState::Opened => self.opened(c)?,
            StyleState::Address { quote, part } => {
                let ends = quote.map_or(c == ')' || c.is_ascii_whitespace(), |quote| c == quote);
                if c == '\\' {
                    *part = Part::Closed;
                } else if ends {
                    self.rules_again();
                } else {
                    part.step(c)?;
                }
            }
        }
        Ok(())
    }

    fn rules_again(&mut self) {
        *self = Self::new();
    }

    fn rules(&mut self, c: char) {
        let slash = std::mem::take(&mut self.slash);
        match c {
            '*' if slash => self.within = StyleState::Comment { star: false },
            '"' | '\'' => {
                let import = self.word == "@import";
                self.within = StyleState::Text {
                    quote: c,
                    escaped: false,
                    import,
                };
            }
            '(' if self.word == "url" => self.within = StyleState::Opened,
            '/' => self.slash = true,
            c if c.is_alphanumeric() || matches!(c, '@' | '-' | '_' | '\\') => {
                if self.word.len() < 64 {
                    self.word.extend(c.to_lowercase());
                }
                return;
            }
            // `@import "…"` has a space before its text.
            c if c.is_whitespace() && self.word == "@import" => return,
            _ => {}
        }
        self.word.clear();
    }

    fn opened(&mut self, c: char) -> Result<(), TemplateRejection> {
        let mut part = Part::Start;
        let quote = match c {
            c if c.is_ascii_whitespace() => return Ok(()),
            ')' => {
                self.rules_again();
                return Ok(());
            }
            '"' | '\'' => Some(c),
            c => {
                part.step(c)?;
                None
            }
        };
        self.within = StyleState::Address { quote, part };
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<Escape, TemplateRejection> {
        match &mut self.within {
            StyleState::Rules if !self.slash => {
                self.word.clear();
                Ok(Escape::Style)
            }
            StyleState::Text {
                escaped: false,
                import: false,
                ..
            } => Ok(Escape::StyleText),
            StyleState::Address { part, .. } => address(part),
            StyleState::Opened => {
                let mut part = Part::Start;
                let escape = address(&mut part)?;
                let quote = None;
                self.within = StyleState::Address { quote, part };
                Ok(escape)
            }
            StyleState::Rules | StyleState::Text { .. } | StyleState::Comment { .. } => {
                Err(TemplateRejection::StylePlace)
            }
        }
    }

    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let within = match (&self.within, &other.within) {
            (StyleState::Address { quote, part }, StyleState::Address { quote: q, part: p })
                if quote == q =>
            {
                let (quote, part) = (*quote, part.join(p));
                StyleState::Address { quote, part }
            }
            (one, two) if one == two => one.clone(),
            _ => return None,
        };
        let alike = self.slash == other.slash;
        let word = if self.word == other.word {
            self.word.clone()
        } else {
            String::new()
        };
        alike.then_some(Self {
            within,
            word,
            slash: self.slash,
        })
    }
}

fn address(part: &mut Part) -> Result<Escape, TemplateRejection> {
    let escape = part.value(Reach::Anywhere)?;
    let whole = escape == Escape::Address;
    Ok(if whole { Escape::StyleAddress } else { escape })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(text: &str) -> StyleContext {
        let mut style = StyleContext::new();
        text.chars().for_each(|c| style.step(c).unwrap());
        style
    }

    /// A value in a text or an address is escaped for it; a comment and an import take no value.
    #[test]
    fn a_value_is_escaped_for_what_is_open() {
        use Escape::{AddressPath, AddressRoot, Style, StyleAddress, StyleText};
        const CLOSED: Result<Escape, TemplateRejection> = Err(TemplateRejection::AddressClosed);
        const PLACE: Result<Escape, TemplateRejection> = Err(TemplateRejection::StylePlace);
        for (text, expected) in [
            ("", Ok(Style)),
            ("a{b:c", Ok(Style)),
            ("/", PLACE),
            ("/a", Ok(Style)),
            ("//", PLACE),
            ("/*", PLACE),
            ("/* * /", PLACE),
            ("/* a **/", Ok(Style)),
            ("/*'*/", Ok(Style)),
            ("'", Ok(StyleText)),
            ("\"", Ok(StyleText)),
            ("'a'", Ok(Style)),
            ("'a\"", Ok(StyleText)),
            ("'a\n", Ok(Style)),
            ("'\\", PLACE),
            ("'\\'", Ok(StyleText)),
            ("'\\''", Ok(Style)),
            ("'/*", Ok(StyleText)),
            ("@import '", PLACE),
            ("@IMPORT  \"", PLACE),
            ("@import'a';'", Ok(StyleText)),
            ("import '", Ok(StyleText)),
            ("url(", Ok(StyleAddress)),
            ("URL( ", Ok(StyleAddress)),
            ("url('", Ok(StyleAddress)),
            ("url()", Ok(Style)),
            ("url (", Ok(Style)),
            ("curl(", Ok(Style)),
            ("url(/", Ok(AddressRoot)),
            ("url(/a", Ok(AddressPath)),
            ("url(/a)", Ok(Style)),
            ("url(/a ", Ok(Style)),
            ("url('/a", Ok(AddressPath)),
            ("url('/a)", Ok(AddressPath)),
            ("url('/a\"", Ok(AddressPath)),
            ("url('/a'", Ok(Style)),
            ("url(\\", CLOSED),
            ("url('/a\\", CLOSED),
        ] {
            assert_eq!(after(text).value(), expected, "{text:?}");
        }
        let mut opened = after("url(");
        opened.value().unwrap();
        assert_eq!(opened.value(), Ok(Escape::AddressJoined));
        let mut named = after("url");
        named.value().unwrap();
        named.step('(').unwrap();
        assert_eq!(named.value(), Ok(Style), "the value ended the name");
    }

    #[test]
    fn two_branches_meet_where_they_agree() {
        let joined = |one: &str, two: &str| after(one).join(&after(two));
        for text in ["", "/", "'", "/*", "url(", "url('/a", "@import"] {
            assert_eq!(joined(text, text), Some(after(text)), "{text:?}");
        }
        for (one, two) in [
            ("", "/"),
            ("'", "\""),
            ("", "'"),
            ("'\\", "'"),
            ("/*", "/**"),
            ("url('/a", "url(\"/a"),
            ("url('/a", "url(/a"),
            ("url('/a", "url("),
        ] {
            assert_eq!(joined(one, two), None, "{one:?} {two:?}");
        }
        let mut mixed = joined("url('/a", "url('?a").unwrap();
        assert_eq!(mixed.value(), Err(TemplateRejection::AddressMixed));
        let mut path = joined("url('/a", "url('/b").unwrap();
        assert_eq!(path.value(), Ok(Escape::AddressPath));
        // A word that only one branch wrote opens nothing.
        for (one, two, word) in [("url", "url", "url"), ("url", "u", "")] {
            assert_eq!(joined(one, two).unwrap().word, word);
        }
    }
}
