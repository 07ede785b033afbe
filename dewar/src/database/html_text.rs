//! The text of HTML, for a search, a letter and a page: the one reader of tags and character references.

use std::borrow::Cow;

/// Elements inside a word: their tags end no word.
const INSIDE: [&str; 5] = ["a", "code", "em", "strong", "u"];

/// How the HTML was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// By anybody. A `<` that begins no tag is text.
    Any,
    /// By the sanitiser. Every `<` begins a tag, and a tag that ends a word leaves a blank.
    Sanitised,
}

/// The words of sanitised HTML, with one blank between them. In a statement it is the function `words`.
pub(crate) fn words(html: &str) -> String {
    let text = read(html, Source::Sanitised);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of HTML, without tags and comments; each character reference that escaping writes becomes its character.
///
/// The caller escapes the result again as text, so odd HTML breaks out of nothing.
pub(crate) fn html_text(html: &str) -> Cow<'_, str> {
    read(html, Source::Any)
}

fn read(html: &str, source: Source) -> Cow<'_, str> {
    if !html.bytes().any(|byte| matches!(byte, b'<' | b'&')) {
        return Cow::Borrowed(html);
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(place) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(place);
        text.push_str(before);
        rest = match from.strip_prefix('<') {
            Some(tag) if source == Source::Sanitised => {
                let (tag, after) = until_end(tag);
                if !INSIDE.contains(&name(tag)) {
                    text.push(' ');
                }
                after
            }
            Some(tag) if tag.starts_with(begins_tag) => until_end(tag).1,
            Some(after) => {
                text.push('<');
                after
            }
            None => character_reference(from, &mut text),
        };
    }
    text.push_str(rest);
    Cow::Owned(text)
}

fn begins_tag(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')
}

/// The inside of a tag or a comment, and the text after it. No text follows one that does not end, and a `>` in quotes does not
/// end it.
fn until_end(tag: &str) -> (&str, &str) {
    if let Some(comment) = tag.strip_prefix("!--") {
        return comment.split_once("-->").unwrap_or((comment, ""));
    }
    let mut quote = None;
    let end = tag.find(|c| {
        match (quote, c) {
            (None, '>') => return true,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        false
    });
    end.and_then(|end| tag.split_at_checked(end))
        .map_or((tag, ""), |(tag, after)| {
            (tag, after.strip_prefix('>').unwrap_or(after))
        })
}

fn name(tag: &str) -> &str {
    let tag = tag.strip_prefix('/').unwrap_or(tag);
    tag.split(|c: char| c.is_whitespace() || c == '/')
        .next()
        .unwrap_or(tag)
}

const NAMED: [(&str, char); 6] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
];

/// The most bytes of a reference between its `&` and its `;`, so that many `&` without a `;` take no quadratic time (CWE-407).
const LONGEST: usize = 16;

/// Reads a character reference. Any other `&` stays.
fn character_reference<'a>(html: &'a str, text: &mut String) -> &'a str {
    let rest = html.strip_prefix('&').unwrap_or(html);
    let end = rest.bytes().take(LONGEST).position(|byte| byte == b';');
    let read = end.and_then(|end| {
        let (name, rest) = rest.split_at_checked(end)?;
        let rest = rest.strip_prefix(';')?;
        let c = match name.strip_prefix('#') {
            Some(number) => character(number)?,
            None => NAMED.iter().find(|(known, _)| *known == name)?.1,
        };
        Some((c, rest))
    });
    match read {
        Some((c, rest)) => {
            text.push(c);
            rest
        }
        None => {
            text.push('&');
            rest
        }
    }
}

fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|c| *c != '\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_no_word() {
        let html = "<p>Ques<strong>tions</strong> &amp; Answers</p><ul><li>a &lt; b</li><li>5&nbsp;%</li></ul>";
        assert_eq!(words(html), "Questions & Answers a < b 5 %");
        assert_eq!(
            words("<a href=\"https://a.example/?a>b\" rel=\"x\">here</a>"),
            "here"
        );
        assert_eq!(words("<p>&amp;lt;b&amp;gt;</p>"), "&lt;b&gt;");
        assert_eq!(words("one<br>two"), "one two");
        assert_eq!(words("a < b"), "a");
    }

    #[test]
    fn the_words_of_html_are_what_a_reader_sees() {
        for (html, seen) in [
            ("plain", "plain"),
            ("<p>a <em>b</em></p>", "a b"),
            ("&lt;b&gt; &amp; &#x2f;&#39;&quot;", "<b> & /'\""),
            ("a<!-- > -->b", "ab"),
            ("1 < 2 <3", "1 < 2 <3"),
            ("<a title=\">\" href='>'>x</a>", "x"),
            (
                "&amp;lt; &unknown; & &#0; &#x110000;",
                "&lt; &unknown; & &#0; &#x110000;",
            ),
            ("cut <b title=\"", "cut "),
            ("&#0000000000000039; &é;", "&#0000000000000039; &é;"),
        ] {
            assert_eq!(html_text(html), seen, "{html}");
        }
    }
}
