//! Recognises text that the sanitiser wrote and would not change, in one pass and without a tree.
//!
//! Dewar cleans what it reads from the database each time, and nearly always it is clean already. This check says yes only if it
//! is sure. Everything else goes through the sanitiser, so a wrong no costs time and nothing more.

use url::Url;

use super::names_a_user;

/// The deepest nesting that this check follows; it leaves deeper text to the sanitiser.
const DEPTH: usize = 16;

/// The text that the sanitiser writes after the address of every link.
const LINK_END: &str = "\" rel=\"noopener nofollow ugc\">";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Words and phrases.
    Phrases,
    /// Items of a list and nothing else.
    Items,
    /// Words, phrases and blocks.
    Flow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Block,
    Item,
    Phrase,
}

struct OpenElement {
    name: &'static str,
    is: Is,
    holds: Holds,
}

const fn element(name: &'static str, is: Is, holds: Holds) -> OpenElement {
    OpenElement { name, is, holds }
}

static ELEMENTS: [OpenElement; 13] = [
    element("p", Is::Block, Holds::Phrases),
    element("li", Is::Item, Holds::Flow),
    element("ul", Is::Block, Holds::Items),
    element("ol", Is::Block, Holds::Items),
    element("h3", Is::Block, Holds::Phrases),
    element("h4", Is::Block, Holds::Phrases),
    element("pre", Is::Block, Holds::Phrases),
    element("blockquote", Is::Block, Holds::Flow),
    element("em", Is::Phrase, Holds::Phrases),
    element("strong", Is::Phrase, Holds::Phrases),
    element("u", Is::Phrase, Holds::Phrases),
    element("code", Is::Phrase, Holds::Phrases),
    element("a", Is::Phrase, Holds::Phrases),
];

/// Whether the sanitiser would return exactly this text. It may say no for text that the sanitiser would not change, and never
/// yes for text that it would.
pub(super) fn is_clean(html: &str) -> bool {
    if html.trim().len() != html.len() {
        return false;
    }
    let mut reading = HtmlReader {
        rest: html,
        open: [None; DEPTH],
        depth: 0,
        has_block: false,
    };
    while !reading.rest.is_empty() {
        if reading.step().is_none() {
            return false;
        }
    }
    reading.depth == 0 && reading.has_block
}

struct HtmlReader<'a> {
    rest: &'a str,
    open: [Option<&'static OpenElement>; DEPTH],
    depth: usize,
    /// Without a block, the sanitiser would wrap the words into paragraphs.
    has_block: bool,
}

impl<'a> HtmlReader<'a> {
    /// Reads one tag, or the words before the next.
    fn step(&mut self) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix("</") {
            return self.close(rest);
        }
        if let Some(rest) = self.rest.strip_prefix('<') {
            return self.begin(rest);
        }
        if self.holds() == Holds::Items {
            return None;
        }
        let (words, rest) = self
            .rest
            .split_at(self.rest.find('<').unwrap_or(self.rest.len()));
        self.rest = rest;
        are_words(words).then_some(())
    }

    fn begin(&mut self, rest: &'a str) -> Option<()> {
        if let Some(rest) = rest.strip_prefix("br>") {
            self.has_block = true;
            self.rest = rest;
            return (self.holds() != Holds::Items).then_some(());
        }
        let name_end = rest.find(['>', ' '])?;
        let (name, rest) = rest.split_at(name_end);
        let element = ELEMENTS.iter().find(|element| element.name == name)?;
        let fits = match (self.holds(), element.is) {
            (Holds::Items, Is::Item) | (Holds::Flow, Is::Block | Is::Phrase) => true,
            (Holds::Phrases, Is::Phrase) => !self.is_open(element),
            (Holds::Items, Is::Block | Is::Phrase)
            | (Holds::Flow, Is::Item)
            | (Holds::Phrases, Is::Block | Is::Item) => false,
        };
        if !fits {
            return None;
        }
        self.rest = if element.name == "a" {
            let (address, rest) = rest.strip_prefix(" href=\"")?.split_once(LINK_END)?;
            is_address(address).then_some(rest)?
        } else {
            after_start(element, rest).strip_prefix('>')?
        };
        // The sanitiser removes an empty paragraph.
        let next = self.rest.trim_ascii_start();
        if element.name == "p" && next.starts_with("</p>") {
            return None;
        }
        // The first line break in a `pre` is not part of the text, so each round would lose one.
        if element.name == "pre" && self.rest.starts_with('\n') {
            return None;
        }
        self.has_block |= element.is == Is::Block;
        *self.open.get_mut(self.depth)? = Some(element);
        self.depth += 1;
        Some(())
    }

    fn close(&mut self, rest: &'a str) -> Option<()> {
        let element = self.innermost()?;
        self.rest = rest.strip_prefix(element.name)?.strip_prefix('>')?;
        self.depth -= 1;
        Some(())
    }

    fn holds(&self) -> Holds {
        self.innermost()
            .map_or(Holds::Flow, |element| element.holds)
    }

    fn innermost(&self) -> Option<&'static OpenElement> {
        *self.open.get(self.depth.checked_sub(1)?)?
    }

    fn is_open(&self, element: &OpenElement) -> bool {
        let mut open = self.open.iter().take(self.depth).flatten();
        open.any(|open| open.name == element.name)
    }
}

/// The text after the number of a list's first item, if it has one.
fn after_start<'a>(element: &OpenElement, rest: &'a str) -> &'a str {
    let number = rest
        .strip_prefix(" start=\"")
        .filter(|_| element.name == "ol");
    let end = number.and_then(|number| {
        let (digits, after) = number.split_once('"')?;
        let is_number =
            (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(after)
    });
    end.unwrap_or(rest)
}

/// Words in which the sanitiser escapes nothing more: plain characters and its four references.
fn are_words(words: &str) -> bool {
    let mut rest = words;
    while let Some(place) = rest.find('&') {
        let (before, after) = rest.split_at(place);
        let known = ["&amp;", "&lt;", "&gt;", "&nbsp;"];
        let Some(after) = known.iter().find_map(|known| after.strip_prefix(known)) else {
            return false;
        };
        if !are_plain(before) {
            return false;
        }
        rest = after;
    }
    are_plain(rest)
}

/// Characters that an HTML parser neither drops nor changes, and that nobody spells as a reference.
fn are_plain(text: &str) -> bool {
    text.chars().all(|c| match c {
        '\n' | '\t' => true,
        '>' | '\u{a0}' | '\u{feff}' => false,
        c => !c.is_control(),
    })
}

/// An address that a link keeps unchanged.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\'' | '`' | '\\');
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let Some(after) = after.strip_prefix("amp;") else {
            return false;
        };
        if !before.chars().all(plain) {
            return false;
        }
        rest = after;
    }
    let schemes = ["https://", "http://", "mailto:"];
    rest.chars().all(plain)
        && schemes.iter().any(|scheme| text.starts_with(scheme))
        && Url::parse(&text.replace("&amp;", "&")).is_ok_and(|url| !names_a_user(&url))
}

#[cfg(test)]
mod tests {
    use super::super::once;
    use super::*;
    use proptest::prelude::*;

    fn sanitised(html: &str) -> String {
        once(html)
    }

    const LINK: &str =
        "<a href=\"https://example.org/?a=1&amp;b=2\" rel=\"noopener nofollow ugc\">";

    #[test]
    fn what_people_write_is_recognised_once_it_was_cleaned() {
        for typed in [
            "Two words",
            "One\n\nTwo\nlines & <more>",
            "<p>A <strong>list</strong>:</p><ul><li>one</li><li>two<ol><li>deeper</li></ol></li></ul>",
            "<h3>Head</h3><p>See <a href='https://example.org/?a=1&b=2'>there</a> or <a href='mailto:ada@example.org'>write</a>.</p>",
            "<blockquote><p>Quoted, \"so\"</p></blockquote><pre><code>let a = 1;\nlet b = 2;</code></pre>",
            "<ol start='3'><li>three</li></ol>",
            "<p>fixed&nbsp;space, caf\u{e9}, \u{65e5}\u{672c}</p>",
        ] {
            let once = sanitised(typed);
            assert!(is_clean(&once), "{once}");
            assert_eq!(sanitised(&once), once);
        }
    }

    #[test]
    fn what_is_nearly_clean_is_left_to_the_sanitiser() {
        for html in [
            "words alone",
            " <p>a</p>",
            "<p>a</p>\n",
            "<p>a",
            "<p>a</p></p>",
            "<p></p>",
            "<p>a</p><p> \n</p>",
            "<ol start=\"x\"><li>a</li></ol>",
            "<ol start=\"1234567890\"><li>a</li></ol>",
            "<ul start=\"3\"><li>a</li></ul>",
            "<div>a</div>",
            "<p><b>a</b></p>",
            "<p>a<p>b</p></p>",
            "<p><ul><li>a</li></ul></p>",
            "<ul>a<li>b</li></ul>",
            "<p><li>a</li></p>",
            "<p><em>a</p></em>",
            "<p><em><em>a</em></em></p>",
            "<pre>\na</pre>",
            "<P>a</P>",
            "<p >a</p>",
            "<p onclick=\"x\">a</p>",
            "<p><script>a</script></p>",
            "<p>a & b</p>",
            "<p>a > b</p>",
            "<p>a\u{a0}b</p>",
            "<p>a\rb</p>",
            "<p>a\0b</p>",
            "<p>&quot;</p>",
            "<p>&#60;script></p>",
            "<p><a href=\"https://example.org\">a</a></p>",
            "<p><a href=\"javascript:alert(1)\" rel=\"noopener nofollow ugc\">a</a></p>",
            "<p><a href=\"/sign-out\" rel=\"noopener nofollow ugc\">a</a></p>",
            "<p><a href=\"https://bank.example@evil.example\" rel=\"noopener nofollow ugc\">a</a></p>",
            "<p><a href=\"https://\" rel=\"noopener nofollow ugc\">a</a></p>",
            "<p><a href=\"https://example.org\" onclick=\"x\" rel=\"noopener nofollow ugc\">a</a></p>",
            "<p><!-- a --></p>",
        ] {
            assert!(!is_clean(html), "{html}");
        }
        assert!(!is_clean(&format!(
            "<p>{}a{}</p>",
            LINK.repeat(2),
            "</a>".repeat(2)
        )));
        assert!(!is_clean(&format!(
            "{}a{}",
            "<blockquote>".repeat(99),
            "</blockquote>".repeat(99)
        )));
    }

    fn piece() -> impl Strategy<Value = String> {
        let tags = ELEMENTS.iter().flat_map(|element| {
            let name = element.name;
            [
                format!("<{name}>"),
                format!("</{name}>"),
                format!("<{name}>a</{name}>"),
            ]
        });
        let others = [
            LINK,
            "<br>",
            "&amp;",
            "&lt;",
            "&gt;",
            "&nbsp;",
            "&quot;",
            "&",
            ">",
            "\n",
            " ",
            "word",
            "\u{a0}",
            "\u{feff}",
            "\r",
            "\u{85}",
            "<li>",
            "</li>",
            "<div>",
            "<p class=\"a\">",
            "<ol start=\"3\">",
            "<p></p>",
            "<b>",
            "<table><tr><td>",
            "<td>",
            "</td>",
            "<a href=\"https://b@c.example\" rel=\"noopener nofollow ugc\">",
            "\"",
            "'",
        ];
        let all: Vec<String> = tags.chain(others.map(str::to_owned)).collect();
        prop_oneof![9 => prop::sample::select(all), 1 => any::<char>().prop_map(String::from)]
    }

    /// Markup that fits together more often than random text would.
    fn grown() -> impl Strategy<Value = String> {
        let leaf = prop::collection::vec(piece(), 0..4).prop_map(|pieces| pieces.concat());
        leaf.prop_recursive(5, 40, 4, |inner| {
            let name = prop::sample::select(ELEMENTS.iter().map(|it| it.name).collect::<Vec<_>>());
            (name, prop::collection::vec(inner, 0..4)).prop_map(|(name, inner)| {
                let begin = if name == "a" {
                    LINK.to_owned()
                } else {
                    format!("<{name}>")
                };
                format!("{begin}{}</{name}>", inner.concat())
            })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn what_is_recognised_the_sanitiser_does_not_change(html in grown()) {
            if is_clean(&html) {
                prop_assert_eq!(sanitised(&html), html);
            }
        }

        #[test]
        fn what_is_recognised_in_any_order_the_sanitiser_does_not_change(pieces in prop::collection::vec(piece(), 0..12)) {
            let html = pieces.concat();
            if is_clean(&html) {
                prop_assert_eq!(sanitised(&html), html);
            }
        }
    }
}
