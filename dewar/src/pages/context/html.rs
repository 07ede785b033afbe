use super::attribute::{Attribute, Quote};
use super::script::{Language, Script};
use super::style::Style;
use super::tag::{At, Tag};
use super::{Escape, Refusal};

/// Where in a document a place is, as the HTML standard's tokenizer would have it there (section 13.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Context {
    Text,
    /// After `<`.
    Opened,
    /// After `</`.
    OpenedEnd,
    /// After `<!`, with what followed until it is known what it is.
    Declaration(String),
    /// To the next `>`: a doctype or what browsers read as a comment.
    Skipped,
    Comment(Comment),
    Tag(Box<Tag>),
    /// Inside an element whose content holds no elements.
    Raw(Box<Raw>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    dashes: u8,
    /// Nothing but dashes came yet: `<!-->` is a whole comment.
    fresh: bool,
    bang: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raw {
    element: String,
    content: Content,
    /// What came of the end tag.
    end: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// `<title>` and `<textarea>`: text with entities.
    Words,
    Script(Script),
    Style(Style),
    Other,
}

impl Context {
    /// Reads a text of the template: where it last ceased to be text, in bytes. So does the refusal.
    pub(super) fn read(&mut self, text: &str) -> Result<Option<usize>, (Refusal, usize)> {
        let mut left = None;
        for (place, c) in text.char_indices() {
            left = if *self == Self::Text {
                Some(place)
            } else {
                left
            };
            // Browsers read CR as LF.
            let c = if c == '\r' { '\n' } else { c };
            self.step(c).map_err(|refusal| (refusal, place))?;
        }
        Ok(left)
    }

    fn step(&mut self, c: char) -> Result<(), Refusal> {
        let next = match self {
            Self::Text if c == '<' => Self::Opened,
            Self::Text => return Ok(()),
            Self::Opened => opened(c),
            Self::OpenedEnd => match c {
                c if c.is_ascii_alphabetic() => Self::Tag(Box::new(Tag::closing(c))),
                '>' => Self::Text,
                _ => Self::Skipped,
            },
            Self::Declaration(so_far) => declaration(so_far, c)?,
            Self::Skipped if c == '>' => Self::Text,
            Self::Skipped => return Ok(()),
            Self::Comment(comment) => {
                if !comment.ends(c) {
                    return Ok(());
                }
                Self::Text
            }
            Self::Tag(tag) => {
                if !tag.ends(c)? {
                    return Ok(());
                }
                after_tag(tag)
            }
            Self::Raw(raw) => {
                if !raw.ends(c)? {
                    return Ok(());
                }
                let mut tag = Tag::named(&raw.element, true);
                tag.at = At::Between;
                *self = Self::Tag(Box::new(tag));
                return self.step(c);
            }
        };
        *self = next;
        Ok(())
    }

    /// How a value is escaped here; none for text. Afterwards the context is the one behind the value.
    pub(super) fn value(&mut self) -> Result<Option<Escape>, Refusal> {
        match self {
            Self::Text => Ok(None),
            Self::Opened | Self::OpenedEnd => Err(Refusal::TagName),
            Self::Declaration(_) | Self::Skipped | Self::Comment(_) => Err(Refusal::Comment),
            Self::Tag(tag) => tag.value().map(Some),
            Self::Raw(raw) => raw.value().map(Some),
        }
    }

    /// Whether the attributes of a form may be printed here. Afterwards the context is the one behind them.
    pub(super) fn attributes(&mut self) -> bool {
        if let Self::Tag(tag) = self {
            tag.attributes()
        } else {
            false
        }
    }

    /// Whether what stands here is HTML or words with entities, so that it means the same in text.
    pub(super) fn is_words(&self) -> bool {
        let raw_words = matches!(self, Self::Raw(raw) if raw.content == Content::Words);
        raw_words || *self == Self::Text
    }

    /// The context where two branches meet, if there is one.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (one, two) if one == two => Some(one.clone()),
            (Self::Tag(one), Self::Tag(two)) => Some(Self::Tag(Box::new(one.join(two)?))),
            (Self::Raw(one), Self::Raw(two)) => Some(Self::Raw(Box::new(one.join(two)?))),
            _ => None,
        }
    }

    /// The context behind a block, which another template may fill.
    pub(super) fn widest(&self) -> Self {
        match self {
            Self::Tag(tag) => Self::Tag(Box::new(tag.widest())),
            Self::Raw(raw) => Self::Raw(Box::new(raw.widest())),
            Self::Text
            | Self::Opened
            | Self::OpenedEnd
            | Self::Declaration(_)
            | Self::Skipped
            | Self::Comment(_) => self.clone(),
        }
    }

    /// The place in words, for a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Opened | Self::OpenedEnd => "the name of a tag".to_owned(),
            Self::Declaration(_) | Self::Skipped | Self::Comment(_) => "a comment".to_owned(),
            Self::Tag(tag) => tag.describe(),
            Self::Raw(raw) => format!("a <{}>", raw.element),
        }
    }
}

fn opened(c: char) -> Context {
    match c {
        c if c.is_ascii_alphabetic() => Context::Tag(Box::new(Tag::opening(c))),
        '/' => Context::OpenedEnd,
        '!' => Context::Declaration(String::new()),
        '?' => Context::Skipped,
        '<' => Context::Opened,
        _ => Context::Text,
    }
}

fn declaration(so_far: &mut String, c: char) -> Result<Context, Refusal> {
    so_far.push(c.to_ascii_lowercase());
    match so_far.as_str() {
        "--" => Ok(Context::Comment(Comment {
            dashes: 0,
            fresh: true,
            bang: false,
        })),
        "-" | "[" | "[c" | "[cd" | "[cda" | "[cdat" | "[cdata" => {
            Ok(Context::Declaration(std::mem::take(so_far)))
        }
        "[cdata[" => Err(Refusal::Cdata),
        _ if c == '>' => Ok(Context::Text),
        _ => Ok(Context::Skipped),
    }
}

impl Comment {
    fn ends(&mut self, c: char) -> bool {
        let ready = self.dashes >= 2 || self.fresh || self.bang;
        match c {
            '>' if ready => return true,
            '-' => {
                self.dashes = if self.bang {
                    1
                } else {
                    (self.dashes + 1).min(2)
                };
                self.fresh = self.fresh && self.dashes < 2;
                self.bang = false;
            }
            c => {
                self.bang = c == '!' && self.dashes >= 2;
                self.dashes = 0;
                self.fresh = false;
            }
        }
        false
    }
}

/// What stands behind a tag.
fn after_tag(tag: &Tag) -> Context {
    let content = match tag.element.as_str() {
        _ if tag.closing => return Context::Text,
        "title" | "textarea" => Content::Words,
        "script" => {
            let language = tag.language.unwrap_or(Language::Code);
            Content::Script(Script::new(language, tag.nonce))
        }
        "style" => Content::Style(Style::new()),
        "iframe" | "noembed" | "noframes" | "plaintext" | "xmp" => Content::Other,
        _ => return Context::Text,
    };
    Context::Raw(Box::new(Raw {
        element: tag.element.clone(),
        content,
        end: String::new(),
    }))
}

impl Raw {
    /// Reads one more character; whether the element's end tag has its name now.
    fn ends(&mut self, c: char) -> Result<bool, Refusal> {
        let named = self.end.strip_prefix("</") == Some(&*self.element);
        if named && (c.is_ascii_whitespace() || c == '/' || c == '>') {
            return Ok(true);
        }
        let in_tag = self.end == "<" && (c.is_ascii_alphabetic() || c == '!' || c == '?');
        if in_tag && matches!(self.content, Content::Words | Content::Style(_)) {
            // Inside an SVG this would be an element, or a comment.
            return Err(Refusal::MarkupInRaw(self.element.clone()));
        }
        self.end.push(c.to_ascii_lowercase());
        if !format!("</{}", self.element).starts_with(&self.end) {
            self.end.clear();
            if c == '<' {
                self.end.push(c);
            }
        }
        match &mut self.content {
            Content::Script(script) => script.step(c),
            Content::Style(style) => style.step(c)?,
            Content::Words | Content::Other => {}
        }
        Ok(false)
    }

    fn value(&mut self) -> Result<Escape, Refusal> {
        if !self.end.is_empty() {
            return Err(Refusal::TagName);
        }
        match &mut self.content {
            Content::Words => Ok(Escape::Plain),
            Content::Script(script) => script.value(),
            Content::Style(style) => style.value(),
            Content::Other => Err(Refusal::RawElement(self.element.clone())),
        }
    }

    fn join(&self, other: &Self) -> Option<Self> {
        let content = match (&self.content, &other.content) {
            (Content::Script(one), Content::Script(two)) => Content::Script(one.join(two)?),
            (Content::Style(one), Content::Style(two)) => Content::Style(one.join(two)?),
            (one, two) if one == two => one.clone(),
            _ => return None,
        };
        let alike = self.element == other.element && self.end == other.end;
        alike.then(|| Self {
            content,
            ..self.clone()
        })
    }

    fn widest(&self) -> Self {
        let content = match &self.content {
            Content::Script(script) => Content::Script(script.widest()),
            Content::Words | Content::Style(_) | Content::Other => self.content.clone(),
        };
        Self {
            content,
            ..self.clone()
        }
    }
}

/// The attribute that begins with its value's first character.
pub(super) fn attribute(element: &str, name: &str, c: char) -> Attribute {
    let quote = match c {
        '"' => Quote::Double,
        '\'' => Quote::Single,
        _ => Quote::Unquoted,
    };
    Attribute::new(element, name, quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HTML, 13.2.5.43 to 13.2.5.52: where a comment ends earlier than it is read here, a value would be markup.
    #[test]
    fn a_comment_ends_where_browsers_end_it() {
        let read = |text: &str| {
            let (dashes, fresh, bang) = (0, true, false);
            let mut comment = Comment {
                dashes,
                fresh,
                bang,
            };
            text.chars().position(|c| comment.ends(c))
        };
        for text in [
            ">", "->", "-->", "a-->", "--->", "a--->", "a--!>", "--!>", "a--!-->", "a-b-->",
            "a!-->",
        ] {
            assert_eq!(read(text), Some(text.len() - 1), "{text}");
        }
        for text in [
            "", "a>", "a->", "a- ->", "!>", "a!>", "a-!>", "a-- >", "a--!!>", "a--!->", "a--! >",
            "--a>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_markup_ends_with_the_tag_of_its_element() {
        let read = |content: Content, text: &str| {
            let (element, end) = ("title".to_owned(), String::new());
            let mut raw = Raw {
                element,
                content,
                end,
            };
            for (place, c) in text.chars().enumerate() {
                if raw.ends(c)? {
                    return Ok(Some(place));
                }
            }
            Ok(None)
        };
        for text in [
            "</title>",
            "</TITLE\n",
            "</title/",
            "a < b</title ",
            "<</title>",
        ] {
            let last = text.len() - 1;
            assert_eq!(read(Content::Words, text), Ok(Some(last)), "{text}");
            assert_eq!(read(Content::Other, text), Ok(Some(last)), "{text}");
        }
        for text in [
            "",
            "</title",
            "</titles>",
            "</ title>",
            "< /title>",
            "</tit/le>",
            "a/>",
        ] {
            assert_eq!(read(Content::Words, text), Ok(None), "{text}");
        }
        let markup = Err(Refusal::MarkupInRaw("title".to_owned()));
        for text in ["<b", "a<!", "<?"] {
            assert_eq!(read(Content::Words, text), markup, "{text}");
            assert_eq!(read(Content::Style(Style::new()), text), markup, "{text}");
            assert_eq!(read(Content::Other, text), Ok(None), "{text}");
        }
        for text in ["<1", "<<", "< b", "b<"] {
            assert_eq!(read(Content::Words, text), Ok(None), "{text}");
        }
    }
}
