mod allowed;
mod known;
mod turned;
mod typed;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::LazyLock;

use allowed::{ELEMENTS, EMPTIED, REL, SCHEMES, VOID};
use ammonia::{Builder, UrlRelative};
use minijinja::Value;
use typed::TypedPiece;
use url::Url;

use super::composed::shortest;
use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::{Fragment, Markup};

/// Sanitised HTML: formatted text of a visitor, with nothing in it but this allow-list:
///
/// `p br strong em u ul li blockquote code pre h3 h4`, `ol` with a `start` of digits, and `a` with an `href` of `http`, `https`
/// or `mailto`, which gets `rel="noopener nofollow ugc"`. If the address of a link names a user before the host, such as
/// `https://bank.example@evil.example`, the link keeps its words and loses its address. No other element and no other attribute
/// stays: no `title` and no `lang` on any element.
///
/// 1. Only the sanitiser makes one, so a page may show it unescaped: `{{ note.body }}` needs no filter if the handler passed
///    [`to_value`](Self::to_value).
/// 2. The words have at most `MAX` characters. A form refuses more, as [`from_text`](Self::from_text) does;
///    [`clean`](Self::clean) cuts. In a form they obey the rules of [`Text`](super::Text), and it takes back what it shows of the
///    text, however long its markup is.
/// 3. A field is plain text if no known element begins and ends in it and it has no `<br>`. Every character of plain text stays:
///    `List<String>`, `a<b && b>c` and `the <script> tag` are words. They are words in markup too, and so is every other tag that
///    the sanitiser would remove together with its content: a comment, or a link whose address it would not keep. So no typed
///    word is lost. A blank line begins a paragraph, a line break stays one. [`from_text`](Self::from_text) is for text that is
///    never markup.
/// 4. Of other elements the words stay. `b`, `i` and the other headings become elements of the list. A paragraph or a blank
///    separates a block or a table cell from the next one.
/// 5. Cleaning is idempotent: [`clean`](Self::clean) does not change clean text. Dewar cleans again what it reads from the
///    database and never trusts it.
/// ```
/// use dewar::forms::CleanHtml;
/// let body = CleanHtml::<2_000>::clean("<p onclick=x()>Hello <script>alert(1)</script><em>there</em></p>");
/// assert_eq!(body.as_str(), "<p>Hello <em>there</em></p>");
/// ```
///
/// Do not change the text afterwards and call it clean: the sanitiser has not seen what you add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanHtml<const MAX: usize>(String);

/// The most rounds of cleaning until a text stays the same. Two are enough, except for texts that were made to need more.
const ROUNDS: usize = 4;

/// The most tags that may be open at once. Of a deeper text only the words are taken, because each further level costs the
/// sanitiser more time (CWE-407). A form accepts fewer levels, however deep the text was typed.
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

/// The sanitiser that has the last word.
static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| builder(std::iter::empty()));

/// The first pass; it also keeps the elements that [`turned`] replaces.
static FIRST: LazyLock<Builder<'static>> = LazyLock::new(|| builder(turned::names()));

/// A sanitiser for the elements of the list and for these. It sets every option of the library, even to its default: `lang` and
/// `title` on every element were a default.
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

/// Drops a list's first number of more than nine digits (the limit of `CommonMark`), and an address with a user name before its
/// host.
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

/// Whether an address is absolute for a browser, whatever page it stands on: on a page of `https`, `https:sign-out` is relative
/// (WHATWG *URL*, special relative or authority state).
fn is_absolute(value: &str) -> bool {
    let value = value.trim_matches(|c: char| c.is_ascii_whitespace() || c.is_ascii_control());
    ["https://", "http://", "mailto:"].iter().any(|start| {
        let begun = value.get(..start.len());
        begun.is_some_and(|begun| begun.eq_ignore_ascii_case(start))
    })
}

/// Whether a user name stands before the host, so that `https://bank.example@evil.example` looks like the bank's address
/// (CWE-451). A `mailto` address has no host.
fn names_a_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// One pass.
fn once(text: &str) -> String {
    let first = sanitised(&FIRST, &turned::with_loose_cells_apart(text));
    let turned = turned::turned(&first);
    // If no element was replaced, the first pass let nothing through that this one would not.
    let clean = if turned == first {
        first
    } else {
        sanitised(&SANITISER, &turned)
    };
    paragraphs(&turned::without_empty(&clean))
}

/// An upper bound of the tags that are open at once.
fn levels(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for piece in text.split('<').skip(1) {
        if piece.starts_with('/') {
            open = open.saturating_sub(1);
        } else if piece.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let is_void = VOID.iter().any(|name| {
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
    /// Cleans a text. Use it for text from the database too: clean text stays the same. Of more than `MAX` characters it keeps the
    /// first, as plain text.
    ///
    /// ```
    /// use dewar::forms::CleanHtml;
    /// assert_eq!(CleanHtml::<5>::clean("<p><em>Hello</em></p>").as_str(), "<p><em>Hello</em></p>");
    /// assert_eq!(CleanHtml::<5>::clean("<p><em>Hello</em> there</p>").as_str(), "<p>Hello</p>");
    /// ```
    #[must_use]
    pub fn clean(text: &str) -> Self {
        let whole = Self::whole(text);
        // The markup has a byte at least for each character of the words.
        if whole.0.len() <= MAX {
            return whole;
        }
        let words = whole.words();
        if shortest(&words).chars().count() <= MAX {
            return whole;
        }
        let first: String = words.chars().take(MAX).collect();
        Self::of_words(&first)
    }

    /// Cleans a text, however long.
    pub(super) fn whole(text: &str) -> Self {
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
        // The text changes with each round, so only its words are kept.
        Self(once(&escaped(&crate::database::words(&now))))
    }

    /// Plain text: a page shows every character of it.
    ///
    /// # Errors
    /// The rule of a [`Text`](super::Text) that the text breaks; also if it has more than `MAX` characters.
    ///
    /// ```
    /// use dewar::forms::CleanHtml;
    /// assert!(CleanHtml::<5>::from_text("0123456789").is_err());
    /// let note = CleanHtml::<80>::from_text("The <script> tag.\n\nA List<String> & more").unwrap();
    /// assert_eq!(note.as_str(), "<p>The &lt;script&gt; tag.</p><p>A List&lt;String&gt; &amp; more</p>");
    /// ```
    pub fn from_text(text: &str) -> Result<Self, Problem> {
        let words = RawValue::Text(text).lines(MAX)?;
        Ok(Self::of_words(&words))
    }

    fn of_words(words: &str) -> Self {
        Self::whole(&paragraphs(&escaped(words)))
    }

    /// The allow-list for people: a Markdown table, made from the same list as the sanitiser.
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

    /// The markup as a value that a template does not escape.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Markup::value(CleanMarkup(self.0.clone()))
    }
}

/// As a field of a template's value it is markup that is not escaped; elsewhere, in JSON, it is its text.
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
/// let page = dewar::Page::new("book/entry.html").with("entry", &entry);
/// # let _ = page;
/// ```
impl<const MAX: usize> serde::Serialize for CleanHtml<MAX> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

/// Cleaned markup for a template. A page distinguishes it from a text that only claims to be safe.
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

/// Wraps text without block elements into paragraphs.
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

/// Checks that the sanitiser does not change a text that `known` calls clean; for `fuzz/`.
#[cfg(any(fuzzing, test))]
pub(super) fn agrees(text: &str) -> bool {
    !known::is_clean(text) || SANITISER.clean(text).to_string() == text
}

/// The bytes of a text in a browser's request: a line break is two.
fn in_a_body(text: &str) -> usize {
    text.len() + text.matches('\n').count()
}

/// Reads a typed text and loses no word of it.
fn read<const MAX: usize>(typed: &str) -> CleanHtml<MAX> {
    match typed::read(typed) {
        TypedPiece::Markup(markup) => CleanHtml::whole(&markup),
        TypedPiece::Words => CleanHtml::of_words(typed),
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
        // Only now `&#x202e;` is a character, and the rules of a text apply to it too.
        let words = RawValue::Text(&clean.0).lines(usize::MAX)?;
        let clean = if words == clean.0 {
            clean
        } else {
            Self::whole(&words)
        };
        let words = clean.words();
        if words.is_empty() {
            return Err(Problem::missing());
        }
        // The limit counts words, because the markup may be longer than the typed text (`<` becomes `&lt;`, a link gets its
        // `rel`); a limit on the markup would refuse what the form itself showed. A letter that NFC takes apart counts as the one
        // that was typed.
        let length = shortest(&words).chars().count();
        if length > MAX {
            return Err(Problem::too_long(MAX, length));
        }
        // A form could not send back more than that.
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
