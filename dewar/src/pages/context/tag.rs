use super::attribute::{Attribute, Quote};
use super::html::attribute;
use super::script::ScriptType;
use super::{Escape, TemplateRejection};

/// An open tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TagWriter {
    pub(super) element: String,
    pub(super) closing: bool,
    pub(super) at: At,
    /// The content type of a `<script>`, after its first `type`.
    pub(super) language: Option<ScriptType>,
    pub(super) nonce: bool,
    meta: Meta,
}

/// Whether a `<meta>` has an `http-equiv`, and a value in its `content`: it may not have both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Meta {
    equiv: bool,
    filled: bool,
}

/// The position in a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum At {
    Element,
    /// The place for an attribute: after white space, a slash, or a value in quotes.
    Between,
    Name(String),
    AfterName(String),
    BeforeValue(String),
    Value(Attribute),
    /// The end of two branches, one of which may have left a name unfinished. White space or the tag's end must follow.
    Met {
        spaced: bool,
    },
}

impl TagWriter {
    pub(super) fn named(element: &str, closing: bool) -> Self {
        Self {
            element: element.to_owned(),
            closing,
            at: At::Element,
            language: None,
            nonce: false,
            meta: Meta::default(),
        }
    }

    pub(super) fn opening(first: char) -> Self {
        Self::named(&first.to_ascii_lowercase().to_string(), false)
    }

    pub(super) fn closing(first: char) -> Self {
        Self::named(&first.to_ascii_lowercase().to_string(), true)
    }

    /// Reads one more character, and returns whether it ends the tag.
    pub(super) fn ends(&mut self, c: char) -> Result<bool, TemplateRejection> {
        let next = match &mut self.at {
            At::Value(value) => match after_value(value, c)? {
                None => return Ok(false),
                Some(()) => {
                    let (name, text) = (value.name.clone(), value.text.clone());
                    self.know(&name, &text)?;
                    if c == '>' {
                        return Ok(true);
                    }
                    At::Between
                }
            },
            At::BeforeValue(_) if c.is_ascii_whitespace() => return Ok(false),
            _ if c == '>' => return Ok(true),
            At::BeforeValue(name) => {
                let mut value = attribute(&self.element, name, c);
                if value.quote == Quote::Unquoted {
                    value.step(c)?;
                }
                At::Value(value)
            }
            At::Element if c.is_ascii_whitespace() || c == '/' => At::Between,
            At::Element => {
                self.element.push(c.to_ascii_lowercase());
                return Ok(false);
            }
            At::Met { .. } if c.is_ascii_whitespace() => At::Met { spaced: true },
            At::Met { .. } if c == '/' => At::Between,
            At::Met { spaced: false } => return Err(TemplateRejection::Unfinished),
            At::Met { spaced: true } if c == '=' => return Err(TemplateRejection::Unfinished),
            At::AfterName(name) if c == '=' => At::BeforeValue(std::mem::take(name)),
            At::Between | At::AfterName(_) | At::Met { .. } => match c {
                c if c.is_ascii_whitespace() => return Ok(false),
                '/' => At::Between,
                c => At::Name(letter(c)?.to_string()),
            },
            At::Name(name) => match c {
                c if c.is_ascii_whitespace() => At::AfterName(std::mem::take(name)),
                '/' => At::Between,
                '=' => At::BeforeValue(std::mem::take(name)),
                c => {
                    name.push(letter(c)?);
                    return Ok(false);
                }
            },
        };
        self.at = next;
        Ok(false)
    }

    /// Notes an attribute that changes the meaning of the rest.
    fn know(&mut self, name: &str, text: &str) -> Result<(), TemplateRejection> {
        match (self.element.as_str(), name) {
            ("script", "type") => {
                // Browsers use the first of two.
                self.language.get_or_insert(ScriptType::of(text));
            }
            ("script", "nonce") => self.nonce = true,
            ("meta", "http-equiv") => {
                self.meta.equiv = true;
                if self.meta.filled {
                    return Err(TemplateRejection::Refresh);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<Escape, TemplateRejection> {
        match &mut self.at {
            At::Element => Err(TemplateRejection::TagName),
            At::BeforeValue(name) => {
                let mut value = attribute(&self.element, name, ' ');
                let refusal = value.value();
                self.at = At::Value(value);
                refusal
            }
            At::Value(value) => {
                if self.element == "meta" && value.name == "content" {
                    self.meta.filled = true;
                    if self.meta.equiv {
                        return Err(TemplateRejection::Refresh);
                    }
                }
                value.value()
            }
            At::Between | At::Name(_) | At::AfterName(_) | At::Met { .. } => {
                self.at = At::AfterName(String::new());
                Err(TemplateRejection::AttributeName)
            }
        }
    }

    /// Accepts the attributes of a form, if they may stand here. White space or the end of the tag must follow.
    pub(super) fn attributes(&mut self) -> bool {
        let between = matches!(self.at, At::Between | At::Met { spaced: true });
        let taken = between && self.element == "form" && !self.closing;
        if taken {
            self.at = At::Met { spaced: false };
        }
        taken
    }

    /// Whether an attribute could begin here after white space.
    fn is_between_attributes(&self) -> bool {
        match &self.at {
            At::Element | At::Between | At::Name(_) | At::AfterName(_) | At::Met { .. } => true,
            // A value without quotes may continue after the branch.
            At::BeforeValue(_) | At::Value(_) => false,
        }
    }

    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let between = self.is_between_attributes() && other.is_between_attributes();
        let at = match (&self.at, &other.at) {
            (one, two) if one == two => one.clone(),
            _ if between => At::Met { spaced: false },
            (At::Value(one), At::Value(two)) => At::Value(one.join(two)?),
            _ => return None,
        };
        let alike = self.element == other.element
            && self.closing == other.closing
            && self.language == other.language;
        alike.then(|| Self {
            at,
            nonce: self.nonce && other.nonce,
            meta: Meta {
                equiv: self.meta.equiv || other.meta.equiv,
                filled: self.meta.filled || other.meta.filled,
            },
            ..self.clone()
        })
    }

    pub(super) fn widest(&self) -> Self {
        let at = if let At::Value(value) = &self.at {
            At::Value(value.widest())
        } else if self.is_between_attributes() {
            At::Met { spaced: false }
        } else {
            self.at.clone()
        };
        Self { at, ..self.clone() }
    }

    pub(super) fn describe(&self) -> String {
        match &self.at {
            At::Element => "the name of a tag".to_owned(),
            At::BeforeValue(name) => format!("the attribute {name}"),
            At::Value(value) => format!("the attribute {}", value.name),
            At::Between | At::Name(_) | At::AfterName(_) | At::Met { .. } => {
                format!("the tag <{}>", self.element)
            }
        }
    }
}

/// Reads one more character of a value; `Some` at its end.
fn after_value(value: &mut Attribute, c: char) -> Result<Option<()>, TemplateRejection> {
    let ends = match value.quote {
        Quote::Double => c == '"',
        Quote::Single => c == '\'',
        Quote::Unquoted => c == '>' || c.is_ascii_whitespace(),
    };
    if ends {
        return Ok(Some(()));
    }
    value.step(c)?;
    Ok(None)
}

/// Checks a character of an attribute's name. These four are mistakes, and browsers would read the rest differently.
fn letter(c: char) -> Result<char, TemplateRejection> {
    if matches!(c, '"' | '\'' | '<' | '=') {
        Err(TemplateRejection::BrokenTag(c))
    } else {
        Ok(c.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(tag: TagWriter, text: &str) -> Result<(TagWriter, bool), TemplateRejection> {
        let mut tag = tag;
        let mut over = false;
        for c in text.chars() {
            assert!(!over, "{text:?} goes on behind the end");
            over = tag.ends(c)?;
        }
        Ok((tag, over))
    }

    fn open(text: &str) -> TagWriter {
        after(TagWriter::opening('a'), text).unwrap().0
    }

    #[test]
    fn a_tag_is_read_as_browsers_read_it() {
        for (text, ends) in [
            (">", true),
            (" >", true),
            ("/>", true),
            ("\n/ >", true),
            (" b>", true),
            (" b >", true),
            (" b=>", true),
            (" b=c>", true),
            (" b='>'>", true),
            (" b=\"'>\">", true),
            (" b = 'c' d>", true),
            (" b/c>", true),
            (" b='>", false),
            (" b=\"", false),
            (" b", false),
            ("", false),
        ] {
            let (_, over) = after(TagWriter::opening('A'), text).unwrap();
            assert_eq!(over, ends, "{text:?}");
        }
        assert_eq!(open("bC ").element, "abc");
        let name = |name: &str| name.to_owned();
        for (text, at) in [
            ("", At::Element),
            (" ", At::Between),
            ("/", At::Between),
            (" b", At::Name(name("b"))),
            (" b/", At::Between),
            (" b ", At::AfterName(name("b"))),
            (" b /", At::Between),
            (" b c", At::Name(name("c"))),
            (" b=", At::BeforeValue(name("b"))),
            (" b = ", At::BeforeValue(name("b"))),
            (" b='c'", At::Between),
        ] {
            assert_eq!(open(text).at, at, "{text:?}");
        }
    }

    #[test]
    fn a_value_stands_in_the_value_of_an_attribute() {
        for (text, expected) in [
            ("", Err(TemplateRejection::TagName)),
            (" ", Err(TemplateRejection::AttributeName)),
            (" b", Err(TemplateRejection::AttributeName)),
            (" b ", Err(TemplateRejection::AttributeName)),
            (" title='", Ok(Escape::Plain)),
            (" href=\"", Ok(Escape::Address)),
            (
                " title=",
                Err(TemplateRejection::Unquoted("title".to_owned())),
            ),
            (
                " title=b",
                Err(TemplateRejection::Unquoted("title".to_owned())),
            ),
        ] {
            assert_eq!(open(text).value(), expected, "{text:?}");
        }
        let meta = |text| after(TagWriter::named("meta", false), text);
        let mut refreshed = meta(" http-equiv='refresh' content='").unwrap().0;
        assert_eq!(refreshed.value(), Err(TemplateRejection::Refresh));
        let mut filled = meta(" name='b' content='").unwrap().0;
        assert_eq!(filled.value(), Ok(Escape::Plain));
        let (equiv, _) = (after(filled, "' http-equiv='refresh'"), ());
        assert_eq!(equiv.map(drop), Err(TemplateRejection::Refresh));
    }

    #[test]
    fn of_two_types_of_a_script_the_first_counts() {
        let script = |text| after(TagWriter::named("script", false), text).unwrap().0;
        let data = script(" type='application/json' type='module'");
        assert_eq!((data.language, data.nonce), (Some(ScriptType::Data), false));
        let code = script(" nonce='n' TYPE=module ");
        assert_eq!((code.language, code.nonce), (Some(ScriptType::Code), true));
        assert_eq!(open(" type='module' nonce='n'").language, None);
    }

    /// White space or the end of the tag follows the attributes of a form: they end with a name or a value.
    #[test]
    fn nothing_goes_on_what_a_branch_or_the_attributes_ended_with() {
        let form = |text| after(TagWriter::named("form", false), text).unwrap().0;
        for (text, taken) in [
            (" ", true),
            (" b='c' ", true),
            (" b", false),
            (" b='", false),
            ("", false),
        ] {
            assert_eq!(form(text).attributes(), taken, "{text:?}");
        }
        let mut closing = form(" ");
        closing.closing = true;
        assert!(!closing.attributes());
        assert!(!open(" ").attributes(), "no form");
        let mut met = form(" ");
        assert!(met.attributes());
        for (text, refused) in [
            (">", false),
            (" >", false),
            ("/>", false),
            (" b='c'>", false),
            (" /b>", false),
            ("b", true),
            ("=", true),
            ("\"", true),
            (" =", true),
        ] {
            let found = after(met.clone(), text);
            assert_eq!(
                found.err() == Some(TemplateRejection::Unfinished),
                refused,
                "{text:?}"
            );
        }
        assert_eq!(
            after(met.clone(), " ").unwrap().0.at,
            At::Met { spaced: true }
        );
        let mut spaced = after(met, "\n").unwrap().0;
        assert!(spaced.attributes(), "twice");
    }

    #[test]
    fn two_branches_meet_where_they_agree() {
        let met = At::Met { spaced: false };
        for (one, two, at) in [
            (" b", " b", Some(At::Name("b".to_owned()))),
            (" b", " c", Some(met.clone())),
            (" ", " b ", Some(met.clone())),
            (" b='c'", " ", Some(At::Between)),
            (" title='b", " title='c", Some(open(" title='b").at)),
            (" title='b", " href='c", None),
            (" title='", " ", None),
            (" b=", " ", None),
        ] {
            let joined = open(one).join(&open(two)).map(|tag| tag.at);
            let alike = match (&joined, &at) {
                (Some(At::Value(one)), Some(At::Value(two))) => one.name == two.name,
                (one, two) => one == two,
            };
            assert!(alike, "{one:?} {two:?}: {joined:?}");
        }
        let tag = |element, closing, language| TagWriter {
            language,
            ..TagWriter::named(element, closing)
        };
        let one = tag("a", false, None);
        assert_eq!(one.join(&one), Some(one.clone()));
        for other in [
            tag("b", false, None),
            tag("a", true, None),
            tag("a", false, Some(ScriptType::Data)),
        ] {
            assert_eq!(one.join(&other), None, "{other:?}");
        }
        let nonce = TagWriter {
            nonce: true,
            ..one.clone()
        };
        assert!(!nonce.join(&one).unwrap().nonce);
        assert!(!one.join(&nonce).unwrap().nonce);
        assert!(nonce.join(&nonce).unwrap().nonce);
        for (equiv, filled) in [(true, false), (false, true)] {
            let known = TagWriter {
                meta: Meta { equiv, filled },
                ..one.clone()
            };
            assert_eq!(known.join(&one).unwrap().meta, known.meta);
            assert_eq!(one.join(&known).unwrap().meta, known.meta);
        }
        assert_eq!(open(" b").widest().at, met);
        assert_eq!(open(" b=").widest().at, At::BeforeValue("b".to_owned()));
    }
}
