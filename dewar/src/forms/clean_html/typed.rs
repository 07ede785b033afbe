//! What somebody typed, before it is cleaned: which `<` begins a tag, and which is one of their words. The sanitiser would take
//! out what it does not know, and nobody would hear of it, so such a tag becomes text here.

use std::borrow::Cow;
use std::collections::HashMap;

use super::allowed::ELEMENTS;
use super::{filtered, turned};

/// Elements within a line that leave their words, and that no more than an editor of formatted text would send.
const PHRASES: [&str; 18] = [
    "abbr", "big", "cite", "del", "font", "ins", "kbd", "label", "mark", "q", "s", "samp", "small",
    "span", "strike", "sub", "sup", "tt",
];

/// Elements that are turned into others, and in which a reader of HTML drops tags.
const CONTROLS: [&str; 5] = ["button", "optgroup", "option", "select", "textarea"];

/// Elements that never end.
const VOID: [&str; 2] = ["br", "hr"];

/// Elements whose end may be left out, each with the elements in which that is so.
const LEFT_OPEN: [(&str, &[&str]); 10] = [
    ("li", &["ul", "ol", "menu", "dir"]),
    ("dt", &["dl"]),
    ("dd", &["dl"]),
    ("caption", &["table"]),
    ("tbody", &["table"]),
    ("td", &["table"]),
    ("tfoot", &["table"]),
    ("th", &["table"]),
    ("thead", &["table"]),
    ("tr", &["table"]),
];

/// Attributes that hold words or an address, which would be lost with the attribute.
const WORDS: [&str; 4] = ["alt", "cite", "src", "title"];

/// Attributes that may stand without a value.
const BARE: [&str; 8] = [
    "checked", "compact", "disabled", "hidden", "noshade", "nowrap", "open", "reversed",
];

/// What was typed, as markup or as words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed<'a> {
    /// Markup, in which each `<` that begins no tag is spelled as a reference.
    Markup(Cow<'a, str>),
    /// Plain text.
    Words,
}

/// Reads what was typed. It is markup where an element that is known here begins and ends, or where a `<br>` stands.
///
/// Whoever names a tag, compares with `<` or writes `List<K>` ends no element, so these are words, also in markup. So is a tag
/// that would lose a part of what was typed: an address that no link may have, a `title`.
pub(super) fn read(text: &str) -> Typed<'_> {
    let tags = tags(text);
    let is_tag = paired(&tags);
    let makes_markup = |(tag, is_tag): (&Tag<'_>, &bool)| *is_tag && tag.name != "hr";
    if !tags.iter().zip(&is_tag).any(makes_markup) {
        return Typed::Words;
    }
    let mut known = tags.iter().zip(&is_tag).filter(|(_, is_tag)| **is_tag);
    let mut next = known.next();
    let mut out = String::new();
    let (mut rest, mut changed) = (text, false);
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let place = text.len() - after.len() - 1;
        match next {
            Some((tag, _)) if tag.place == place => {
                let (inside, behind) = after.split_at_checked(tag.length).unwrap_or((after, ""));
                out.extend(["<", inside]);
                rest = behind;
                next = known.next();
            }
            _ => {
                out.push_str("&lt;");
                changed = true;
                rest = after;
            }
        }
    }
    if !changed {
        return Typed::Markup(Cow::Borrowed(text));
    }
    out.push_str(rest);
    Typed::Markup(Cow::Owned(out))
}

/// Something that could be a tag.
struct Tag<'a> {
    /// Where its `<` stands.
    place: usize,
    /// How many bytes follow its `<`, with the `>`.
    length: usize,
    /// The name in small letters.
    name: Cow<'a, str>,
    is_end: bool,
}

/// All that is spelled as a tag of an element that is known here and loses nothing but its formatting.
fn tags(text: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        let (is_end, open) = match after.strip_prefix('/') {
            Some(open) => (true, open),
            None => (false, after),
        };
        let end = open.find(|c: char| !c.is_ascii_alphanumeric());
        let (name, attributes) = open.split_at(end.unwrap_or(open.len()));
        let name = match name.contains(|c: char| c.is_ascii_uppercase()) {
            true => Cow::Owned(name.to_ascii_lowercase()),
            false => Cow::Borrowed(name),
        };
        if !is_known(&name) {
            continue;
        }
        let Some(behind) = behind_attributes(&name, is_end, attributes) else {
            continue;
        };
        found.push(Tag {
            place: text.len() - after.len() - 1,
            length: after.len() - behind.len(),
            name,
            is_end,
        });
        rest = behind;
    }
    found
}

fn is_known(name: &str) -> bool {
    let listed = ELEMENTS.iter().any(|element| element.name == name);
    listed
        || PHRASES.contains(&name)
        || (turned::names().any(|known| known == name) && !CONTROLS.contains(&name))
}

/// What follows the tag; none where it is not one, or where something would be lost with its attributes.
fn behind_attributes<'a>(element: &str, is_end: bool, attributes: &'a str) -> Option<&'a str> {
    let mut rest = attributes;
    let mut has_address = false;
    loop {
        let apart = rest.trim_start_matches(is_gap);
        if let Some(behind) = apart.strip_prefix('>') {
            return Some(behind);
        }
        if apart.len() == rest.len() || is_end {
            return None;
        }
        let end = apart.find(|c: char| !is_in_name(c))?;
        let (name, after) = apart.split_at(end);
        let name = name.to_ascii_lowercase();
        let Some(value) = after
            .trim_start_matches(is_blank)
            .strip_prefix('=')
            .map(|value| value.trim_start_matches(is_blank))
        else {
            if !BARE.contains(&&*name) {
                return None;
            }
            rest = after;
            continue;
        };
        let (value, after) = value_of(value)?;
        if WORDS.contains(&&*name) {
            return None;
        }
        if name == "href" {
            if element != "a" || has_address || !stays(value) {
                return None;
            }
            has_address = true;
        }
        rest = after;
    }
}

/// Between attributes.
fn is_gap(c: char) -> bool {
    is_blank(c) || c == '/'
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_:@.".contains(c)
}

/// The value of an attribute, and what follows it. None holds a `<`: so no text is read more than twice, whatever stands in it
/// (CWE-407).
fn value_of(rest: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let end = quoted.find([quote, '<'])?;
            let (value, after) = quoted.split_at(end);
            let after = after.strip_prefix(quote)?;
            let is_apart = after.starts_with(is_gap) || after.starts_with('>');
            return is_apart.then_some((value, after));
        }
    }
    let end = rest.find(|c: char| is_blank(c) || matches!(c, '>' | '<' | '"' | '\'' | '`'))?;
    let (value, after) = rest.split_at(end);
    let is_apart = after.starts_with(|c: char| is_blank(c) || c == '>');
    (is_apart && !value.is_empty()).then_some((value, after))
}

/// Whether a link keeps this address, as it is spelled in its tag.
fn stays(address: &str) -> bool {
    let mut spelled = address.to_owned();
    for (reference, letter) in [("&nbsp;", "\u{a0}"), ("&quot;", "\""), ("&gt;", ">")] {
        spelled = spelled.replace(reference, letter);
    }
    // Any other reference spells a letter that nobody needs to spell, such as the `@` behind a false host.
    let has_other = spelled.split('&').skip(1).any(|after| {
        let end = after.find(|c: char| !c.is_ascii_alphanumeric());
        let (name, behind) = after.split_at(end.unwrap_or(after.len()));
        (name != "amp" && behind.starts_with(';')) || behind.starts_with('#') && name.is_empty()
    });
    let spelled = spelled.replace("&amp;", "&");
    !has_other && filtered("a", "href", &spelled).is_some()
}

/// Which of them are tags: those that begin an element that ends, and end it. The end of an item of a list, of a row or of a
/// cell may be left out.
fn paired(tags: &[Tag<'_>]) -> Vec<bool> {
    let mut is_tag = vec![false; tags.len()];
    let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, tag) in tags.iter().enumerate() {
        if VOID.contains(&&*tag.name) {
            mark(&mut is_tag, number, !tag.is_end);
        } else if !tag.is_end {
            open.entry(&tag.name).or_default().push(number);
        } else if let Some(begun) = open.get_mut(&*tag.name).and_then(Vec::pop) {
            mark(&mut is_tag, begun, true);
            mark(&mut is_tag, number, true);
        }
    }
    // How many of each element are open.
    let mut inside: HashMap<&str, usize> = HashMap::new();
    for (number, tag) in tags.iter().enumerate() {
        if is_tag.get(number) == Some(&true) {
            let count = inside.entry(&tag.name).or_default();
            *count = match tag.is_end {
                true => count.saturating_sub(1),
                false => *count + 1,
            };
            continue;
        }
        let around = LEFT_OPEN.iter().find(|(name, _)| *name == tag.name);
        let is_within = around.is_some_and(|(_, around)| {
            let mut counts = around.iter().filter_map(|name| inside.get(name));
            counts.any(|count| *count > 0)
        });
        mark(&mut is_tag, number, is_within && !tag.is_end);
    }
    is_tag
}

fn mark(is_tag: &mut [bool], number: usize, value: bool) {
    if let Some(mark) = is_tag.get_mut(number) {
        *mark = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markup(text: &str) -> Option<String> {
        match read(text) {
            Typed::Markup(markup) => Some(markup.into_owned()),
            Typed::Words => None,
        }
    }

    #[test]
    fn an_element_that_begins_and_ends_makes_a_text_markup() {
        for words in [
            "", "a", "<p>a", "a</p>", "a<b", "List<K>", "</p><p>", "<K>a</K>", "a<hr>b", "</br>",
        ] {
            assert_eq!(read(words), Typed::Words, "{words}");
        }
        for whole in [
            "a<br>b",
            "a<BR/>b",
            "<p>a</p>",
            "<P class=x>a</P >",
            "<b><i>a</b></i>",
            "<ul><li>a<li>b</ul>",
            "<table><tr><td nowrap>a<td>b</table>",
            "<p style=\"a > b\">a</p>",
            "<a href='https://a.example/?a=1&amp;b=%3Ctd&gt;'>a</a>",
            "<a href=https://a.example/?a=1&b=2>a</a>",
            "<p>&lt;K&gt; & a</p>",
        ] {
            assert_eq!(markup(whole).as_deref(), Some(whole));
        }
    }

    #[test]
    fn what_would_be_lost_in_markup_is_words() {
        for (typed, read) in [
            ("Map<K>", "Map&lt;K>"),
            ("<script>a</script>", "&lt;script>a&lt;/script>"),
            ("<!-- a -->", "&lt;!-- a -->"),
            ("<?php a ?>", "&lt;?php a ?>"),
            ("</3", "&lt;/3"),
            ("<b", "&lt;b"),
            ("a<b && b>c", "a&lt;b && b>c"),
            ("<em> is stress", "&lt;em> is stress"),
            ("a</em>", "a&lt;/em>"),
            ("<img src=x>", "&lt;img src=x>"),
            ("<li>a", "&lt;li>a"),
            ("<i title=x>a</i>", "&lt;i title=x>a&lt;/i>"),
            (
                "<i href=https://x.example>a</i>",
                "&lt;i href=https://x.example>a&lt;/i>",
            ),
            ("<i 'a'>a</i>", "&lt;i 'a'>a&lt;/i>"),
            ("<i a=\"b\"c>a</i>", "&lt;i a=\"b\"c>a&lt;/i>"),
            ("<i a=\"b>a</i>", "&lt;i a=\"b>a&lt;/i>"),
            ("<i a=b'c>a</i>", "&lt;i a=b'c>a&lt;/i>"),
            ("<i words here>a</i>", "&lt;i words here>a&lt;/i>"),
            ("<a href=/a>a</a>", "&lt;a href=/a>a&lt;/a>"),
            ("<a href=>a</a>", "&lt;a href=>a&lt;/a>"),
            (
                "<a href=javascript:a>a</a>",
                "&lt;a href=javascript:a>a&lt;/a>",
            ),
            (
                "<a href=https://b.example&#64;c.example>a</a>",
                "&lt;a href=https://b.example&#64;c.example>a&lt;/a>",
            ),
            (
                "<a href=https://b.example&commat;c.example>a</a>",
                "&lt;a href=https://b.example&commat;c.example>a&lt;/a>",
            ),
            (
                "<a href=https://a.example href=https://b.example>a</a>",
                "&lt;a href=https://a.example href=https://b.example>a&lt;/a>",
            ),
        ] {
            let whole = format!("<p>x</p>{typed}");
            assert_eq!(markup(&whole), Some(format!("<p>x</p>{read}")));
        }
    }
}
