use std::borrow::Cow;

/// The words of HTML: without tags and comments, and with the entities of escaping decoded.
///
/// The result is text and is escaped again as text. So even odd HTML cannot break out.
pub(super) fn words(html: &str) -> Cow<'_, str> {
    if !html.bytes().any(|byte| matches!(byte, b'<' | b'&')) {
        return Cow::Borrowed(html);
    }
    let mut words = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(place) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(place);
        words.push_str(before);
        rest = match from.strip_prefix('<') {
            Some(after) if after.starts_with(begins_tag) => after_tag(from),
            Some(after) => {
                words.push('<');
                after
            }
            None => entity(from, &mut words),
        };
    }
    words.push_str(rest);
    Cow::Owned(words)
}

fn begins_tag(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')
}

/// The text after a tag or a comment; empty if it does not end.
fn after_tag(html: &str) -> &str {
    if let Some(comment) = html.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let mut quote = None;
    for (place, c) in html.char_indices() {
        match (quote, c) {
            (None, '>') => return html.get(place + 1..).unwrap_or_default(),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    ""
}

const NAMED: [(&str, char); 6] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
];

/// Decodes an entity; any other text stays unchanged.
fn entity<'a>(html: &'a str, words: &mut String) -> &'a str {
    let rest = html.strip_prefix('&').unwrap_or(html);
    let read = rest.split_once(';').and_then(|(name, rest)| {
        let c = match name.strip_prefix('#') {
            Some(number) => character(number)?,
            None => NAMED.iter().find(|(known, _)| *known == name)?.1,
        };
        Some((c, rest))
    });
    match read {
        Some((c, rest)) => {
            words.push(c);
            rest
        }
        None => {
            words.push('&');
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
    use super::words;

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
        ] {
            assert_eq!(words(html), seen, "{html}");
        }
    }
}
