use std::fmt;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::{CleanHtml, Field, FieldKind, FormValue, Problem, RawValue};

/// Text of 1 to `MAX` characters in Markdown (`CommonMark`), stored as typed and shown as [`CleanHtml`].
///
/// 1. The typed text obeys the rules of [`Text`](super::Text), but the first line keeps its indentation, because it may make the
///    line code.
/// 2. HTML in it is text: `<b>` is shown as `<b>`. A picture becomes its description. Headings begin at `h3`, below those of the
///    page.
/// 3. Quotes and lists nest at most 16 deep; deeper ones stand beside each other.
/// 4. A Markdown parser makes the HTML, and the sanitiser cleans it. It holds only what [`CleanHtml`] allows, whatever was typed.
///
/// ```
/// use dewar::forms::Markdown;
/// let text = Markdown::<200>::parse("# Plan\n\n*Soon*: [see](https://example.org) <script>").unwrap();
/// assert_eq!(
///     text.to_html().as_str(),
///     "<h3>Plan</h3>\n<p><em>Soon</em>: <a href=\"https://example.org\" rel=\"noopener nofollow ugc\">see</a> &lt;script&gt;</p>"
/// );
/// assert_eq!(text.as_str().lines().next(), Some("# Plan"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markdown<const MAX: usize>(String);

/// The deepest nesting of quotes and lists.
const DEPTH: usize = 16;

impl<const MAX: usize> Markdown<MAX> {
    /// Parses a text.
    ///
    /// # Errors
    /// The rule of [`Text`](super::Text) that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        RawValue::Text(text).indented_lines(MAX).map(Self)
    }

    /// The Markdown, as it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The HTML that a page shows.
    #[must_use]
    pub fn to_html(&self) -> CleanHtml<MAX> {
        let mut open = Open::default();
        let events =
            // No extension of `CommonMark`, whatever a later version of the library enables.
            Parser::new_ext(&self.0, Options::empty()).filter_map(|event| open.kept(event));
        let mut written = String::with_capacity(self.0.len() * 2);
        html::push_html(&mut written, events);
        CleanHtml::whole(&written)
    }
}

/// The open elements at the current position.
#[derive(Default)]
struct Open {
    depth: usize,
    /// How many of the innermost elements were left out.
    left_out: usize,
}

impl Open {
    /// The event, if it is written.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "text, and the elements of CleanHtml; the sanitizer checks the result in any case"
    )]
    fn kept<'a>(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match event {
            Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::Item) if self.depth >= DEPTH => {
                self.left_out += 1;
                None
            }
            Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::Item) => {
                self.depth += 1;
                Some(event)
            }
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item)
                if self.left_out > 0 =>
            {
                self.left_out -= 1;
                None
            }
            Event::End(TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item) => {
                self.depth = self.depth.saturating_sub(1);
                Some(event)
            }
            Event::Start(Tag::Heading { level, .. }) => Some(Event::Start(Tag::Heading {
                level: below(level),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            })),
            Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(below(level)))),
            // A picture would reveal to its host who reads the page, and when.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
            Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
            Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
            Event::Rule => Some(Event::Text(CowStr::Borrowed("\n"))),
            other => Some(other),
        }
    }
}

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 | HeadingLevel::H2 | HeadingLevel::H3 => HeadingLevel::H3,
        HeadingLevel::H4 | HeadingLevel::H5 | HeadingLevel::H6 => HeadingLevel::H4,
    }
}

impl<const MAX: usize> Field for Markdown<MAX> {
    const KIND: FieldKind = FieldKind::text(MAX);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        raw.indented_lines(MAX).map(Self)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

impl<const MAX: usize> fmt::Display for Markdown<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn html(text: &str) -> String {
        Markdown::<300_000>::parse(text)
            .unwrap()
            .to_html()
            .as_str()
            .to_owned()
    }

    #[test]
    fn what_people_write_is_shown() {
        for (typed, shown) in [
            ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
            ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
            ("> quoted", "<blockquote>\n<p>quoted</p>\n</blockquote>"),
            ("##### small", "<h4>small</h4>"),
            (
                "3. three\n4. four",
                "<ol start=\"3\">\n<li>three</li>\n<li>four</li>\n</ol>",
            ),
            ("1. one", "<ol>\n<li>one</li>\n</ol>"),
            (
                "\n    let a = 1;\n    let b;\n\nwords",
                "<pre><code>let a = 1;\nlet b;\n</code></pre>\n<p>words</p>",
            ),
            ("\tcode", "<pre><code>code</code></pre>"),
            ("  words", "<p>words</p>"),
            (
                "[x](https://a.org \"T\")",
                "<p><a href=\"https://a.org\" rel=\"noopener nofollow ugc\">x</a></p>",
            ),
            ("`a < b`", "<p><code>a &lt; b</code></p>"),
            (
                "**bold** __too__",
                "<p><strong>bold</strong> <strong>too</strong></p>",
            ),
        ] {
            assert_eq!(html(typed), shown);
        }
    }

    /// A new version of the library might enable an extension by default.
    #[test]
    fn it_is_commonmark_and_none_of_its_extensions() {
        for typed in [
            "~~a~~",
            "a[^1]",
            "- [ ] a",
            "\"a\" -- b...",
            "$a$",
            "$$a$$",
            "[[a]]",
            "H~2~O",
            "a^2^",
            "==a==",
            ":::a",
            "| a | b |",
            "a {#id}",
            "https://example.org",
            "||a||",
        ] {
            let shown = html(typed);
            let words = CleanHtml::<200>::clean(&shown).words();
            assert_eq!(words, typed.trim_start_matches("- "), "{shown}");
            assert!(!shown.contains("<a") && !shown.contains("id="), "{shown}");
        }
        let table = html("| a |\n|---|\n| b |");
        assert!(table.contains("|---|"), "{table}");
        assert!(html("---\na: b\n---\n\nc").contains("a: b"));
    }

    #[test]
    fn what_was_typed_is_kept_with_the_blanks_in_front() {
        let typed = Markdown::<80>::parse("\r\n \r\n    code  \r\n\r\n").unwrap();
        assert_eq!(typed.as_str(), "    code");
        assert_eq!(Markdown::<80>::parse(typed.as_str()), Ok(typed));
        assert!(Markdown::<80>::parse(" \n\t\n ").is_err());
    }

    #[test]
    fn hostile_markdown_leaves_its_words_at_most() {
        for (typed, never) in [
            ("<script>alert(1)</script>", "<script"),
            ("<img src=x onerror=alert(1)>", "<img"),
            ("[x](javascript:alert(1))", "javascript:"),
            ("[x](<javascript:alert(1)>)", "href=\"javascript"),
            ("[x](data:text/html,<b>)", "href=\"data"),
            ("[x](/sign-out)", "href=\"/"),
            ("![x](https://evil.example/pixel.png)", "evil.example"),
            ("[x](https://example.org \"\" onclick=\"alert(1)\")", "<a"),
            (
                "<https://example.org/\"onmouseover=alert(1)>",
                "\" onmouseover",
            ),
            ("```html\n<script>\n```", "<script"),
            ("<div\nonclick=alert(1)>\n\n*a*", "<div"),
            ("a<!-- b -->", "<!--"),
        ] {
            let shown = html(typed);
            assert!(!shown.contains(never), "{typed}: {shown}");
        }
        assert!(html("<script>alert(1)</script>").contains("&lt;script&gt;"));
    }

    #[test]
    fn what_is_nested_without_end_is_bounded() {
        for piece in [
            ">", "- ", "1. ", "*", "[", "![", "`", "<", "&", "\\", "_a_", "[a](b ",
        ] {
            let shown = html(&format!("a {0}\n\n{0}a", piece.repeat(20_000)));
            assert!(
                shown.matches("<blockquote>").count() <= DEPTH
                    && shown.matches("<ul>").count() <= DEPTH,
                "{piece}"
            );
        }
    }

    proptest! {
        /// ASVS: V1.3.5
        #[test]
        fn whatever_is_typed_is_clean(text in "([ -~\n]|[*_`<>#&!\\[\\]()-]|https://a\\.b|<b>|javascript:|\n> |\n- ){1,60}") {
            if let Ok(typed) = Markdown::<2_000>::parse(&text) {
                let shown = typed.to_html();
                prop_assert_eq!(CleanHtml::<2_000>::clean(shown.as_str()), shown);
            }
        }
    }

    /// An element that is left out is left out with its end; otherwise that end would close an outer element.
    #[test]
    fn what_is_too_deep_is_left_out_with_its_end() {
        let pairs = [
            (Tag::BlockQuote(None), TagEnd::BlockQuote(None)),
            (Tag::List(None), TagEnd::List(false)),
            (Tag::Item, TagEnd::Item),
        ];
        let mut open = Open::default();
        let mut written = Vec::new();
        for round in 0..DEPTH + 4 {
            let (start, _) = pairs[round % 3].clone();
            written.push(open.kept(Event::Start(start)).is_some());
        }
        assert_eq!((open.depth, open.left_out), (DEPTH, 4));
        let starts = [[true; DEPTH].as_slice(), &[false; 4]].concat();
        assert_eq!(written, starts);
        written.clear();
        for round in (0..DEPTH + 4).rev() {
            let (_, end) = pairs[round % 3].clone();
            written.push(open.kept(Event::End(end)).is_some());
        }
        assert_eq!((open.depth, open.left_out), (0, 0));
        assert_eq!(written, starts.into_iter().rev().collect::<Vec<_>>());
    }
}
