mod allowed;
mod known;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::LazyLock;

use allowed::{ELEMENTS, EMPTIED, REL, SCHEMES};
use ammonia::{Builder, UrlRelative};
use minijinja::Value;

use super::{Field, Kind, Problem, Raw, Shown};
use crate::pages::{Fragment, Markup};

/// Formatted text that a visitor wrote, with nothing in it but what is on this list:
///
/// `p br strong em u ul ol li blockquote code pre h3 h4`, and `a` with an `href` of `http`, `https` or `mailto`, which
/// gets `rel="noopener nofollow ugc"`. No other element, no other attribute.
///
/// 1. The sanitiser is the only way to make one, so a page may show it as it is: `{{ note.body }}` needs no filter
///    when it was given as [`to_value`](Self::to_value).
/// 2. What was typed has at most `MAX` characters, and the words are subject to the rules of [`Text`](super::Text).
/// 3. Typed as plain text, a blank line begins a paragraph and a line break stays one.
/// 4. Cleaning what is clean changes nothing, so that what comes out of the database is cleaned again
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

const BLOCKS: [&str; 9] = [
    "<p>",
    "<br>",
    "<ul>",
    "<ol>",
    "<li>",
    "<blockquote>",
    "<pre>",
    "<h3>",
    "<h4>",
];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let attributes = ELEMENTS
        .iter()
        .filter(|element| !element.attributes.is_empty())
        .map(|element| (element.name, element.attributes.iter().copied().collect()));
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.iter().map(|element| element.name).collect())
        .clean_content_tags(HashSet::from(EMPTIED))
        .tag_attributes(attributes.collect::<HashMap<_, _>>())
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some(REL))
        .strip_comments(true);
    builder
});

impl<const MAX: usize> CleanHtml<MAX> {
    /// Cleans a text. Also for what comes out of the database: clean text stays as it is.
    #[must_use]
    pub fn clean(text: &str) -> Self {
        if known::is_clean(text) {
            return Self(text.to_owned());
        }
        let mut now = text.to_owned();
        for _ in 0..ROUNDS {
            let cleaned = paragraphs(&SANITISER.clean(&now).to_string());
            if cleaned == now {
                return Self(now);
            }
            now = cleaned;
        }
        // It changes each time it is read: then its words are all that is kept of it.
        let words = format!("<p>{}</p>", ammonia::clean_text(&now));
        // Written as the sanitiser writes it, which spells fewer characters as references.
        Self(SANITISER.clean(&words).to_string())
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
        Markup::value(Cleaned(self.0.clone()))
    }
}

/// What was cleaned, for a template. A page tells it from a text that only calls itself safe.
#[derive(Debug)]
struct Cleaned(String);

impl Fragment for Cleaned {
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

impl<const MAX: usize> Field for CleanHtml<MAX> {
    const KIND: Kind = Kind::text(MAX);

    fn parse(raw: Raw<'_>) -> Result<Self, Problem> {
        let clean = Self::clean(&raw.lines(MAX)?);
        // `&#x202e;` is a character only now, and the rules of a text are for it too.
        let words = Raw::Text(&clean.0).lines(usize::MAX)?;
        let clean = if words == clean.0 {
            clean
        } else {
            Self::clean(&words)
        };
        if has_words(&clean.0.replace("&nbsp;", " ")) {
            Ok(clean)
        } else {
            Err(Problem::missing())
        }
    }

    fn show(&self) -> Shown {
        Shown::text(&self.0)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Html = CleanHtml<2_000>;

    fn clean(text: &str) -> String {
        Html::clean(text).0
    }

    #[test]
    fn a_text_that_loses_a_line_break_each_time_it_is_read_becomes_one_that_stays() {
        let text = format!("<pre>{}words</pre>", "\n".repeat(9));
        let once = CleanHtml::<80>::clean(&text);
        assert_eq!(CleanHtml::<80>::clean(once.as_str()), once);
        assert!(once.as_str().contains("words"), "{once}");
    }

    #[test]
    fn a_character_that_is_spelled_as_a_reference_is_held_to_the_same_rules() {
        for hidden in [
            "exe&#x202e;gpj",
            "a&#4;b",
            "ad&#8203;min",
            "&#xfeff;",
            "&#x2066;a",
        ] {
            assert!(
                CleanHtml::<80>::parse(Raw::Text(hidden)).is_err(),
                "{hidden}"
            );
        }
        let composed = CleanHtml::<80>::parse(Raw::Text("Cafe&#x301;")).unwrap();
        assert_eq!(composed.as_str(), "<p>Caf\u{e9}</p>");
    }

    #[test]
    fn hostile_markup_leaves_its_words_at_most() {
        for (typed, kept) in [
            ("<img src=x onerror=alert(1)>hi", "<p>hi</p>"),
            ("<svg><animate onbegin=alert(1)></svg>hi", "<p>hi</p>"),
            ("<p style='position:fixed'>hi</p>", "<p>hi</p>"),
            (
                "<a href='javascript:alert(1)'>hi</a>",
                "<p><a rel=\"noopener nofollow ugc\">hi</a></p>",
            ),
            (
                "<a href='//evil.example'>hi</a>",
                "<p><a rel=\"noopener nofollow ugc\">hi</a></p>",
            ),
            (
                "<p><b>hi</b><form action=/sign-out><button>x</button></form></p>",
                "<p>hi</p>x",
            ),
            ("<!-- --><p>hi</p><!-- -->", "<p>hi</p>"),
        ] {
            let cleaned = clean(typed);
            assert!(
                !cleaned.contains("javascript") && !cleaned.contains("alert(1)"),
                "{cleaned}"
            );
            assert!(
                cleaned.starts_with(kept.trim_end_matches('x')),
                "{typed} -> {cleaned}"
            );
        }
    }

    #[test]
    fn a_link_keeps_its_address_and_is_no_recommendation() {
        assert_eq!(
            clean("<p><a href=\"https://example.org/?a=1&b=2\" target=_blank>x</a></p>"),
            "<p><a href=\"https://example.org/?a=1&amp;b=2\" rel=\"noopener nofollow ugc\">x</a></p>"
        );
    }

    #[test]
    fn plain_text_becomes_paragraphs() {
        assert_eq!(
            clean("one\ntwo\n\n5 < 6 & so on"),
            "<p>one<br>two</p><p>5 &lt; 6 &amp; so on</p>"
        );
    }

    #[test]
    fn markup_without_words_is_missing() {
        for typed in ["<p></p>", "<script>x</script>", "<p>&nbsp;</p>", "<br>"] {
            assert!(Html::parse(Raw::Text(typed)).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_preformatted_text_is_not_eaten_line_by_line() {
        let once = clean("<pre>\n\n\nkeep</pre>");
        assert_eq!(clean(&once), once);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn cleaning_what_is_clean_changes_nothing(
            parts in prop::collection::vec(prop_oneof![
                Just("<p>".to_owned()), Just("</p>".to_owned()), Just("<b>".to_owned()), Just("<a href=http://x.y>".to_owned()),
                Just("</a>".to_owned()), Just("<pre>\n".to_owned()), Just("<svg><p>".to_owned()), Just("<table><tr>".to_owned()),
                Just("<math><mi>".to_owned()), Just("&lt;".to_owned()), Just("\n\n".to_owned()), Just("<!--".to_owned()),
                Just("<ul><li>".to_owned()), Just("<h3>".to_owned()), Just("<script>".to_owned()), "[a-z<>\"'&/ =]{0,8}",
            ], 0..12),
        ) {
            let once = clean(&parts.concat());
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(!once.contains("<script") && !once.contains("<svg") && !once.contains("<b>"));
        }
    }
}
