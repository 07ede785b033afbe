mod allowed;
mod known;
mod turned;
mod typed;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::LazyLock;

use allowed::{ELEMENTS, EMPTIED, REL, SCHEMES};
use ammonia::{Builder, UrlRelative};
use minijinja::Value;
use typed::TypedPiece;
use url::Url;

use super::composed::shortest;
use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::{Fragment, Markup};

/// Formatted text that a visitor wrote, with nothing in it but what is on this list:
///
/// `p br strong em u ul li blockquote code pre h3 h4`, `ol` with a `start` of digits, and `a` with an `href` of `http`,
/// `https` or `mailto`, which gets `rel="noopener nofollow ugc"`. A link whose address names a user in front of the host, as
/// `https://bank.example@evil.example` does, keeps its words and loses its address. No other element, no other attribute: no `title`, no
/// `lang`, whatever the element.
///
/// 1. The sanitiser is the only way to make one, so a page may show it as it is: `{{ note.body }}` needs no filter
///    when it was given as [`to_value`](Self::to_value).
/// 2. The words have at most `MAX` characters, and are subject to the rules of [`Text`](super::Text). What a form shows of it is
///    taken when it comes back, however long its markup is.
/// 3. A field in which no element that is known here begins and ends, and without a `<br>`, is plain text, and every character
///    of it stays: `List<String>`, `a<b && b>c` and `the <script> tag` are words. They are words in markup too, as is every other tag
///    that the sanitiser would take out with what stands in it: a comment, a link whose address it would not keep. So nothing
///    that was typed is lost. A blank line begins a paragraph, a line break stays one. [`from_text`](Self::from_text) is for text
///    that is never markup.
/// 4. Other elements leave their words. `b`, `i` and the other headings become what is on the list; a block and a cell of a
///    table stay apart from the next one, as a paragraph or by a blank.
/// 5. Cleaning what is clean changes nothing, so that what comes out of the database is cleaned again
///    ([`clean`](Self::clean)) and never believed.
///
/// ```
/// use dewar::forms::CleanHtml;
/// let body = CleanHtml::<2_000>::clean("<p onclick=x()>Hello <script>alert(1)</script><em>there</em></p>");
/// assert_eq!(body.as_str(), "<p>Hello <em>there</em></p>");
/// ```
///
/// Do not change the text afterwards and call it clean: what is added after the sanitiser has not been seen by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanHtml<const MAX: usize>(String);

/// How often a text is cleaned until it stays as it is. Two are enough for all but texts made to be different.
const ROUNDS: usize = 4;

/// A text in which more tags may be open at once is taken for its words: a tree of so many levels takes the sanitiser more
/// time with each of them (CWE-407). What a form takes has fewer, however deep it was typed.
const DEEPEST: usize = 256;

const BLOCKS: [&str; 10] = [
    "<p>",
    "<br>",
    "<ul>",
    "<ol>",
    "<ol ",
    "<li>",
    "<blockquote>",
    "<pre>",
    "<h3>",
    "<h4>",
];

/// What stays; it has the last word.
static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| builder(std::iter::empty()));

/// What stays for a moment, to be [`turned`].
static FIRST: LazyLock<Builder<'static>> = LazyLock::new(|| builder(turned::names()));

/// A sanitiser for the elements of the list and these. Each setting of the library is written here, also where it is its
/// default: `lang` and `title` on every element were one.
fn builder(more: impl Iterator<Item = &'static str>) -> Builder<'static> {
    let attributes = ELEMENTS
        .iter()
        .filter(|element| !element.attributes.is_empty())
        .map(|element| (element.name, element.attributes.iter().copied().collect()));
    let mut builder = Builder::empty();
    builder
        .tags(
            ELEMENTS
                .iter()
                .map(|element| element.name)
                .chain(more)
                .collect(),
        )
        .clean_content_tags(HashSet::from(EMPTIED))
        .tag_attributes(attributes.collect::<HashMap<_, _>>())
        .tag_attribute_values(HashMap::new())
        .set_tag_attribute_values(HashMap::new())
        .generic_attributes(HashSet::new())
        .generic_attribute_prefixes(HashSet::new())
        .allowed_classes(HashMap::new())
        .filter_style_properties(HashSet::new())
        .id_prefix(None)
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(REL))
        .attribute_filter(filtered)
        .strip_comments(true);
    builder
}

/// The number of a list's first item is at most nine digits (`CommonMark`), and an address has no name in front of its host;
/// anything else is none.
fn filtered<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let stays = match (element, attribute) {
        ("ol", "start") => {
            (1..=9).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        ("a", "href") => {
            is_absolute(value) && Url::parse(value).is_ok_and(|url| !names_a_user(&url))
        }
        _ => true,
    };
    stays.then_some(Cow::Borrowed(value))
}

/// Whether a browser reads an address without that of the page: on a page of `https`, `https:sign-out` is relative (WHATWG
/// *URL*, special relative or authority state).
fn is_absolute(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace() || c.is_ascii_control());
    ["https://", "http://", "mailto:"].iter().any(|start| {
        let begun = value.get(..start.len());
        begun.is_some_and(|begun| begun.eq_ignore_ascii_case(start))
    })
}

/// Whether somebody is named in front of the host, so that `https://bank.example@evil.example` looks like the bank's
/// (CWE-451). The address of a letter has no host.
fn names_a_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// One pass.
fn once(text: &str) -> String {
    let first = sanitised(&FIRST, &turned::with_loose_cells_apart(text));
    let turned = turned::turned(&first);
    // Where nothing was turned, there is nothing that the first pass alone lets through.
    let clean = if turned == first {
        first
    } else {
        sanitised(&SANITISER, &turned)
    };
    paragraphs(&turned::without_empty(&clean))
}

/// How many tags may be open at once, at most.
fn levels(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for piece in text.split('<').skip(1) {
        if piece.starts_with('/') {
            open = open.saturating_sub(1);
        } else if piece.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let is_void = ["br", "hr", "img", "input"].iter().any(|name| {
                let rest = piece
                    .get(..name.len())
                    .filter(|start| start.eq_ignore_ascii_case(name));
                let next = piece.get(name.len()..).and_then(|rest| rest.chars().next());
                rest.is_some() && next.is_none_or(|c| !c.is_ascii_alphanumeric())
            });
            open += usize::from(!is_void);
            most = most.max(open);
        }
    }
    most
}

/// Words as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn sanitised(sanitiser: &Builder<'_>, text: &str) -> String {
    #[cfg(test)]
    tests::PASSES.set(tests::PASSES.get() + 1);
    sanitiser.clean(text).to_string()
}

impl<const MAX: usize> CleanHtml<MAX> {
    /// Cleans a text. Also for what comes out of the database: clean text stays as it is.
    #[must_use]
    pub fn clean(text: &str) -> Self {
        if known::is_clean(text) {
            return Self(text.to_owned());
        }
        if levels(text) > DEEPEST {
            return Self(once(&escaped(&crate::database::words(text))));
        }
        let mut now = text.to_owned();
        for _ in 0..ROUNDS {
            let cleaned = once(&now);
            if cleaned == now || known::is_clean(&cleaned) {
                return Self(cleaned);
            }
            now = cleaned;
        }
        // It changes each time it is read: then its words are all that is kept of it.
        Self(once(&escaped(&crate::database::words(&now))))
    }

    /// Plain text, every character of which is shown as it is.
    ///
    /// ```
    /// use dewar::forms::CleanHtml;
    /// let note = CleanHtml::<80>::from_text("The <script> tag.\n\nA List<String> & more");
    /// assert_eq!(note.as_str(), "<p>The &lt;script&gt; tag.</p><p>A List&lt;String&gt; &amp; more</p>");
    /// ```
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self::clean(&paragraphs(&escaped(text)))
    }

    /// What may stand in it, for people: a table in Markdown, made of the list that the sanitiser is made of.
    ///
    /// ```
    /// use dewar::forms::CleanHtml;
    /// assert!(CleanHtml::<80>::allowed().contains("| `a` | `href` | a link |"));
    /// ```
    #[must_use]
    pub fn allowed() -> String {
        allowed::printed()
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words without the markup, with one blank between them: for a search, or a line in a letter.
    ///
    /// ```
    /// let body = dewar::forms::CleanHtml::<2_000>::clean("<p>Questions &amp; <em>answers</em></p>");
    /// assert_eq!(body.words(), "Questions & answers");
    /// ```
    #[must_use]
    pub fn words(&self) -> String {
        crate::database::words(&self.0)
    }

    /// The markup as a value that a template shows as it is.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Markup::value(CleanMarkup(self.0.clone()))
    }
}

/// As a field of what a page is given, it is shown as markup; elsewhere, in JSON, it is its text.
///
/// ```
/// use dewar::forms::CleanHtml;
///
/// #[derive(serde::Serialize)]
/// struct Entry {
///     by: String,
///     body: CleanHtml<2_000>,
/// }
///
/// let entry = Entry { by: "Ada".to_owned(), body: CleanHtml::clean("<p>Hello</p>") };
/// assert_eq!(serde_json::to_string(&entry).unwrap(), r#"{"by":"Ada","body":"<p>Hello</p>"}"#);
/// let page = dewar::Page::new("markdown_table/entry.html").with("entry", &entry);
/// # let _ = page;
/// ```
impl<const MAX: usize> serde::Serialize for CleanHtml<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

/// What was cleaned, for a template. A page tells it from a text that only calls itself safe.
#[derive(Debug)]
struct CleanMarkup(String);

impl Fragment for CleanMarkup {
    fn html(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn part(&self, _name: &str) -> Option<Value> {
        None
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes paragraphs of what has no structure of its own.
fn paragraphs(cleaned: &str) -> String {
    let trimmed = cleaned.trim();
    if trimmed.is_empty() || BLOCKS.iter().any(|block| cleaned.contains(block)) {
        return trimmed.to_owned();
    }
    let paragraphs = trimmed
        .split("\n\n")
        .map(str::trim)
        .filter(|words| !words.is_empty());
    paragraphs
        .map(|words| format!("<p>{}</p>", words.replace('\n', "<br>")))
        .collect()
}

/// What is recognised as clean the sanitiser does not change; for `fuzz/`.
#[cfg(any(fuzzing, test))]
pub(super) fn agrees(text: &str) -> bool {
    !known::is_clean(text) || SANITISER.clean(text).to_string() == text
}

/// Whether there is anything to read between the tags.
fn has_words(html: &str) -> bool {
    let mut inside = false;
    html.chars().any(|c| {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c => return !inside && !c.is_whitespace(),
        }
        false
    })
}

/// Bytes of a text as a browser sends it: a new line comes as two.
fn in_a_body(text: &str) -> usize {
    text.len() + text.matches('\n').count()
}

/// Reads what was typed, and loses none of it.
fn read<const MAX: usize>(typed: &str) -> CleanHtml<MAX> {
    match typed::read(typed) {
        TypedPiece::Markup(markup) => CleanHtml::clean(&markup),
        TypedPiece::Words => CleanHtml::from_text(typed),
    }
}

impl<const MAX: usize> Field for CleanHtml<MAX> {
    const KIND: FieldKind = FieldKind::text(MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let typed = raw.lines(usize::MAX)?;
        if typed.len() > Self::KIND.text_bytes() {
            return Err(Problem::too_long(MAX, typed.chars().count()));
        }
        let clean: Self = read(&typed);
        // `&#x202e;` is a character only now, and the rules of a text are for it too.
        let words = RawValue::Text(&clean.0).lines(usize::MAX)?;
        let clean = if words == clean.0 {
            clean
        } else {
            Self::clean(&words)
        };
        if !has_words(&clean.0.replace("&nbsp;", " ")) {
            return Err(Problem::missing());
        }
        // As HTML it may be longer than what somebody typed, since a `<` is `&lt;` and a link has its `rel`: a limit on that would
        // refuse what the form itself showed. A letter that normal form C takes apart counts as the one that was typed.
        let length = shortest(&clean.words()).chars().count();
        if length > MAX {
            return Err(Problem::too_long(MAX, length));
        }
        // More than that would not be taken when it comes back.
        let length = in_a_body(&clean.0);
        if length > Self::KIND.text_bytes() {
            return Err(Problem::too_long(Self::KIND.text_bytes(), length));
        }
        Ok(clean)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

impl<const MAX: usize> fmt::Display for CleanHtml<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> From<CleanHtml<MAX>> for String {
    fn from(html: CleanHtml<MAX>) -> Self {
        html.0
    }
}

#[cfg(test)]
mod tests;
