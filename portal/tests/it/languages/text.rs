//! The texts that a user reads in HTML, and the attributes that are shown or read aloud.

/// Attributes that are shown, or read aloud.
const SHOWN: [&str; 8] = [
    "alt",
    "aria-description",
    "aria-label",
    "aria-roledescription",
    "data-label",
    "label",
    "placeholder",
    "title",
];

/// Words, and the line where they begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) line: usize,
    pub(super) text: String,
}

/// The texts of HTML with letters, without code and without elements that are marked as English.
pub(super) fn texts(html: &str) -> Vec<Words> {
    let mut found = Vec::new();
    let mut left_out: Option<(String, usize)> = None;
    let mut rest = html;
    while !rest.is_empty() {
        let (text, tail) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        let (_, from) = rest.split_at(text.len() - text.trim_start().len());
        let line = line_at(html, from);
        if left_out.is_none() {
            found.extend(words(line, text));
        }
        let (tag, after) = tag_of(tail);
        let line = line_at(html, tail);
        let attributes = attributes(tag);
        let name: String = tag
            .chars()
            .skip(1)
            .take_while(|c| c.is_alphanumeric() || matches!(c, '/' | '!'))
            .collect();
        match &mut left_out {
            Some((open, depth)) if *open == name => *depth += 1,
            Some((open, depth)) if name.strip_prefix('/') == Some(open) => {
                *depth -= 1;
                if *depth == 0 {
                    left_out = None;
                }
            }
            Some(_) => {}
            None => {
                let is_shown = |(name, _): &&(&str, &str)| SHOWN.contains(name);
                let shown = attributes.iter().filter(is_shown);
                found.extend(shown.filter_map(|(_, value)| words(line, value)));
                let is_foreign = name != "html" && attributes.contains(&("lang", "en"));
                if is_foreign || ["code", "script", "style"].contains(&&*name) {
                    left_out = Some((name, 1));
                }
            }
        }
        rest = after;
    }
    found
}

/// The texts of a template that are not messages: in its HTML, and as literals in its expressions.
pub(super) fn bare(template: &str) -> Vec<Words> {
    let mut html = String::new();
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(at) = ["{{", "{%", "{#"].iter().filter_map(|b| rest.find(b)).min() {
        let (before, inside) = rest.split_at(at);
        html.push_str(before);
        let end = match inside.chars().nth(1) {
            Some('{') => "}}",
            Some('%') => "%}",
            _ => "#}",
        };
        let length = inside.find(end).map_or(inside.len(), |at| at + end.len());
        let (code, after) = inside.split_at(length);
        if end != "#}" {
            let line = line_at(template, inside);
            found.extend(literals(code).filter_map(|literal| words(line, literal)));
        }
        html.extend(code.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
    }
    html.push_str(rest);
    found.extend(texts(&html));
    found
}

/// Literals that look like words: message ids, template names and paths have neither capitals nor blanks.
fn literals(code: &str) -> impl Iterator<Item = &str> {
    let quoted = code.split(['"', '\'']).skip(1).step_by(2);
    quoted.filter(|text| {
        let inner = text.trim_matches(|c: char| !c.is_alphanumeric());
        inner.contains(|c: char| c.is_uppercase() || c.is_whitespace())
    })
}

fn words(line: usize, text: &str) -> Option<Words> {
    let folded: Vec<&str> = text.split_whitespace().collect();
    let text = decoded(&folded.join(" "));
    let has_letters = text.contains(char::is_alphabetic);
    has_letters.then_some(Words { line, text })
}

fn line_at(whole: &str, rest: &str) -> usize {
    let (before, _) = whole.split_at(whole.len() - rest.len());
    before.matches('\n').count() + 1
}

/// The tag at the beginning, and the text after it; quotes may hold a `>`.
fn tag_of(html: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, c) in html.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return html.split_at(at + 1),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    (html, "")
}

fn attributes(tag: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    let mut rest = tag;
    while let Some(at) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(at);
        let quote = if quoted.starts_with('"') { '"' } else { '\'' };
        let mut parts = quoted.splitn(3, quote).skip(1);
        let value = parts.next().unwrap_or_default();
        let name = before.trim_end_matches(['=', ' ']);
        all.push((name.rsplit(char::is_whitespace).next().unwrap(), value));
        rest = parts.next().unwrap_or_default();
    }
    all
}

/// Character references of the kinds that the framework writes.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut all = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (reference, rest) = piece.split_once(';').unwrap_or((piece, ""));
        let number = reference.strip_prefix('#').and_then(|number| {
            let hex = number.strip_prefix(['x', 'X']);
            let number = hex.map_or(number.parse(), |hex| u32::from_str_radix(hex, 16));
            char::from_u32(number.ok()?)
        });
        match reference {
            "amp" => all.push('&'),
            "lt" => all.push('<'),
            "gt" => all.push('>'),
            "quot" => all.push('"'),
            "nbsp" => all.push('\u{a0}'),
            _ => all.push(number.unwrap_or_else(|| panic!("&{reference}; is new"))),
        }
        all.push_str(rest);
    }
    all
}

#[test]
fn a_bare_text_is_found_wherever_it_stands() {
    let template = "{% from \"a/b.html\" import table %}\n<h1>{{ t(\"a-b\") }}</h1>\n<p title='Tea'>Milk &amp; {{ honey }}</p>\n\
                    <input placeholder=\"Search > here\"{% if x %} aria-label=\"{{ t(\"c\", d=\"e\") }}\"{% endif %}>\n\
                    {{ table(\"Notes\", 'two words') }}{# A comment #}<code>c0de</code>\
                    <p lang=\"en\">As <p>it</p> is</p> · 12\n<td data-label=\"Who\">{{ \"–\" }}</td>";
    let found: Vec<_> = bare(template)
        .into_iter()
        .map(|words| (words.line, words.text))
        .collect();
    let expected = [
        (5, "Notes"),
        (5, "two words"),
        (3, "Tea"),
        (3, "Milk &"),
        (4, "Search > here"),
        (6, "Who"),
    ];
    let expected = expected.map(|(line, text)| (line, text.to_owned()));
    assert_eq!(found, expected);
}
