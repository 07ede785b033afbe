use super::attribute::{Attribute, Quote};
use super::script::{Script, ScriptType};
use super::style::StyleContext;
use super::tag::{At, TagWriter};
use super::{Escape, TemplateRejection};

/// The state of the HTML standard's tokenizer at a position in a document (section 13.2.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HtmlContext {
    Text,
    /// After `<`.
    Opened,
    /// After `</`.
    OpenedEnd,
    /// After `<!`, with the text so far, until its meaning is clear.
    Declaration(String),
    /// Until the next `>`: a doctype, or a comment to a browser.
    Skipped,
    Comment(Comment),
    Tag(Box<TagWriter>),
    /// Inside an element whose content holds no elements.
    Raw(Box<RawText>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    dashes: u8,
    /// Only dashes so far: `<!-->` is a complete comment.
    fresh: bool,
    bang: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawText {
    element: String,
    content: ElementContent,
    /// The end tag so far.
    end: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ElementContent {
    /// `<title>` and `<textarea>`: text with entities.
    Words,
    Script(Script),
    Style(StyleContext),
    Other,
}

impl HtmlContext {
    /// Reads a text of the template. Returns the byte position where it last left the text state; so does the refusal.
    pub(super) fn read(&mut self, text: &str) -> Result<Option<usize>, (TemplateRejection, usize)> {
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

    fn step(&mut self, c: char) -> Result<(), TemplateRejection> {
        let next = match self {
            Self::Text if c == '<' => Self::Opened,
            Self::Text => return Ok(()),
            Self::Opened => opened(c),
            Self::OpenedEnd => match c {
                c if c.is_ascii_alphabetic() => Self::Tag(Box::new(TagWriter::closing(c))),
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
                let mut tag = TagWriter::named(&raw.element, true);
                tag.at = At::Between;
                *self = Self::Tag(Box::new(tag));
                return self.step(c);
            }
        };
        *self = next;
        Ok(())
    }

    /// How a value is escaped here; `None` for text. Afterwards the context is the one after the value.
    pub(super) fn value(&mut self) -> Result<Option<Escape>, TemplateRejection> {
        match self {
            Self::Text => Ok(None),
            Self::Opened | Self::OpenedEnd => Err(TemplateRejection::TagName),
            Self::Declaration(_) | Self::Skipped | Self::Comment(_) => {
                Err(TemplateRejection::Comment)
            }
            Self::Tag(tag) => tag.value().map(Some),
            Self::Raw(raw) => raw.value().map(Some),
        }
    }

    /// Whether the attributes of a form may be printed here. Afterwards the context is the one after them.
    pub(super) fn attributes(&mut self) -> bool {
        if let Self::Tag(tag) = self {
            tag.attributes()
        } else {
            false
        }
    }

    /// Whether this position takes HTML or words with entities, so that a value means the same as in text.
    pub(super) fn is_words(&self) -> bool {
        let raw_words = matches!(self, Self::Raw(raw) if raw.content == ElementContent::Words);
        raw_words || *self == Self::Text
    }

    /// The context at the end of two branches, if they have a common one.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (one, two) if one == two => Some(one.clone()),
            (Self::Tag(one), Self::Tag(two)) => Some(Self::Tag(Box::new(one.join(two)?))),
            (Self::Raw(one), Self::Raw(two)) => Some(Self::Raw(Box::new(one.join(two)?))),
            _ => None,
        }
    }

    /// The context after a block, which another template may fill.
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

    /// The position in words, for a message.
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

fn opened(c: char) -> HtmlContext {
    match c {
        c if c.is_ascii_alphabetic() => HtmlContext::Tag(Box::new(TagWriter::opening(c))),
        '/' => HtmlContext::OpenedEnd,
        '!' => HtmlContext::Declaration(String::new()),
        '?' => HtmlContext::Skipped,
        '<' => HtmlContext::Opened,
        _ => HtmlContext::Text,
    }
}

fn declaration(so_far: &mut String, c: char) -> Result<HtmlContext, TemplateRejection> {
    so_far.push(c.to_ascii_lowercase());
    match so_far.as_str() {
        "--" => Ok(HtmlContext::Comment(Comment {
            dashes: 0,
            fresh: true,
            bang: false,
        })),
        "-" | "[" | "[c" | "[cd" | "[cda" | "[cdat" | "[cdata" => {
            Ok(HtmlContext::Declaration(std::mem::take(so_far)))
        }
        "[cdata[" => Err(TemplateRejection::Cdata),
        _ if c == '>' => Ok(HtmlContext::Text),
        _ => Ok(HtmlContext::Skipped),
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

/// The context after a tag.
fn after_tag(tag: &TagWriter) -> HtmlContext {
    let content = match tag.element.as_str() {
        _ if tag.closing => return HtmlContext::Text,
        "title" | "textarea" => ElementContent::Words,
        "script" => {
            let language = tag.language.unwrap_or(ScriptType::Code);
            ElementContent::Script(Script::new(language, tag.nonce))
        }
        "style" => ElementContent::Style(StyleContext::new()),
        "iframe" | "noembed" | "noframes" | "plaintext" | "xmp" => ElementContent::Other,
        _ => return HtmlContext::Text,
    };
    HtmlContext::Raw(Box::new(RawText {
        element: tag.element.clone(),
        content,
        end: String::new(),
    }))
}

impl RawText {
    /// Reads one more character, and returns whether the element's end tag has its name now.
    fn ends(&mut self, c: char) -> Result<bool, TemplateRejection> {
        let named = self.end.strip_prefix("</") == Some(&*self.element);
        if named && (c.is_ascii_whitespace() || c == '/' || c == '>') {
            return Ok(true);
        }
        let in_tag = self.end == "<" && (c.is_ascii_alphabetic() || c == '!' || c == '?');
        if in_tag
            && matches!(
                self.content,
                ElementContent::Words | ElementContent::Style(_)
            )
        {
            // Inside an SVG this would be an element, or a comment.
            return Err(TemplateRejection::MarkupInRaw(self.element.clone()));
        }
        self.end.push(c.to_ascii_lowercase());
        if !format!("</{}", self.element).starts_with(&self.end) {
            self.end.clear();
            if c == '<' {
                self.end.push(c);
            }
        }
        match &mut self.content {
            ElementContent::Script(script) => script.step(c),
            ElementContent::Style(style) => style.step(c)?,
            ElementContent::Words | ElementContent::Other => {}
        }
        Ok(false)
    }

    fn value(&mut self) -> Result<Escape, TemplateRejection> {
        if !self.end.is_empty() {
            return Err(TemplateRejection::TagName);
        }
        match &mut self.content {
            ElementContent::Words => Ok(Escape::Plain),
            ElementContent::Script(script) => script.value(),
            ElementContent::Style(style) => style.value(),
            ElementContent::Other => Err(TemplateRejection::RawElement(self.element.clone())),
        }
    }

    fn join(&self, other: &Self) -> Option<Self> {
        let content = match (&self.content, &other.content) {
            (ElementContent::Script(one), ElementContent::Script(two)) => {
                ElementContent::Script(one.join(two)?)
            }
            (ElementContent::Style(one), ElementContent::Style(two)) => {
                ElementContent::Style(one.join(two)?)
            }
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
            ElementContent::Script(script) => ElementContent::Script(script.widest()),
            ElementContent::Words | ElementContent::Style(_) | ElementContent::Other => {
                self.content.clone()
            }
        };
        Self {
            content,
            ..self.clone()
        }
    }
}

/// An attribute at its value's first character.
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

    /// HTML, 13.2.5.43 to 13.2.5.52: if a comment ended earlier than this parser reads, a value after it would be markup.
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
        let read = |content: ElementContent, text: &str| {
            let (element, end) = ("title".to_owned(), String::new());
            let mut raw = RawText {
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
            assert_eq!(read(ElementContent::Words, text), Ok(Some(last)), "{text}");
            assert_eq!(read(ElementContent::Other, text), Ok(Some(last)), "{text}");
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
            assert_eq!(read(ElementContent::Words, text), Ok(None), "{text}");
        }
        let markup = Err(TemplateRejection::MarkupInRaw("title".to_owned()));
        for text in ["<b", "a<!", "<?"] {
            assert_eq!(read(ElementContent::Words, text), markup, "{text}");
            assert_eq!(
                read(ElementContent::Style(StyleContext::new()), text),
                markup,
                "{text}"
            );
            assert_eq!(read(ElementContent::Other, text), Ok(None), "{text}");
        }
        for text in ["<1", "<<", "< b", "b<"] {
            assert_eq!(read(ElementContent::Words, text), Ok(None), "{text}");
        }
    }
}
