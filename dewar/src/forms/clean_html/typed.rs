//! Typed text before it is cleaned: decides which `<` begins a tag and which one is text. The sanitiser would silently remove
//! what it does not know, so unknown tags become text here.

use std::borrow::Cow;
use std::collections::HashMap;

use super::allowed::{ELEMENTS, VOID};
use super::{filtered, turned};

/// Inline elements whose words stay. An editor of formatted text sends no others.
const PHRASES: [&str; 18] = [
    "abbr", "big", "cite", "del", "font", "ins", "kbd", "label", "mark", "q", "s", "samp", "small",
    "span", "strike", "sub", "sup", "tt",
];

/// Elements that are replaced, and inside which an HTML parser drops tags.
const CONTROLS: [&str; 5] = ["button", "optgroup", "option", "select", "textarea"];

/// Elements whose end tag may be omitted, each with the elements inside which that holds.
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

/// No character reference has a longer name.
const LONGEST_REFERENCE: usize = 40;

/// The deepest nesting of elements. In a deeper tree, each element costs an HTML parser more time (CWE-407).
const DEPTH: usize = 32;

/// A typed text, as markup or as words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TypedPiece<'a> {
    /// Markup in which each `<` that begins no tag is escaped.
    Markup(Cow<'a, str>),
    /// Plain text.
    Words,
}

/// Reads a typed text. It is markup if a known element begins and ends in it, or if it has a `<br>`.
///
/// A user who names a tag, compares with `<` or writes `List<K>` ends no element, so these are words, in markup too. A tag is
/// also text if it would lose a part of the typed text: an address that no link may have, or a `title`.
pub(super) fn read(text: &str) -> TypedPiece<'_> {
    let tags = tags(text);
    let partners = partners(&tags);
    let makes_markup =
        |(tag, partner): (&TypedTag<'_>, &Option<usize>)| partner.is_some() && tag.name != "hr";
    if !tags.iter().zip(&partners).any(makes_markup) {
        return TypedPiece::Words;
    }
    let is_deep = too_deep(&tags, &partners);
    let known = tags.iter().zip(&partners).zip(&is_deep);
    let mut known = known.filter(|((_, partner), _)| partner.is_some());
    let mut next = known.next();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        words(&mut out, before);
        let place = text.len() - after.len() - 1;
        match next {
            Some(((tag, _), is_deep)) if tag.place == place => {
                let (inside, behind) = after.split_at_checked(tag.length).unwrap_or((after, ""));
                match is_deep {
                    true => out.push(' '),
                    false => out.extend(["<", inside]),
                }
                rest = behind;
                next = known.next();
            }
            _ => {
                out.push_str("&lt;");
                rest = after;
            }
        }
    }
    words(&mut out, rest);
    if out == text {
        return TypedPiece::Markup(Cow::Borrowed(text));
    }
    TypedPiece::Markup(Cow::Owned(out))
}

/// Adds the text between tags. It escapes a `&` that begins no reference, because an HTML parser scans the text after each of
/// them (CWE-407).
fn words(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.extend([before, if is_reference(after) { "&" } else { "&amp;" }]);
        rest = after;
    }
    out.push_str(rest);
}

/// Whether the text after a `&` is a character reference, such as `&eacute;` or `&#233;`.
fn is_reference(after: &str) -> bool {
    let name = after.strip_prefix('#').unwrap_or(after);
    let end = name
        .bytes()
        .take(LONGEST_REFERENCE)
        .position(|byte| byte == b';');
    let name = end.and_then(|end| name.get(..end)).unwrap_or_default();
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Something that could be a tag.
struct TypedTag<'a> {
    /// The index of its `<`.
    place: usize,
    /// The number of bytes after its `<`, including the `>`.
    length: usize,
    /// The name in lower case.
    name: Cow<'a, str>,
    is_end: bool,
}

/// All tags of known elements that lose nothing but formatting.
fn tags(text: &str) -> Vec<TypedTag<'_>> {
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
        found.push(TypedTag {
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

/// The text after the tag; none if it is not a tag, or if its attributes hold something that would be lost.
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

/// Whether this separates attributes.
fn is_gap(c: char) -> bool {
    is_blank(c) || c == '/'
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_:@.".contains(c)
}

/// The value of an attribute, and the text after it. A value never holds a `<`, so no text is read more than twice (CWE-407).
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

/// Whether a link keeps this address, as its tag spells it.
fn stays(address: &str) -> bool {
    let mut spelled = address.to_owned();
    for (reference, letter) in [("&nbsp;", "\u{a0}"), ("&quot;", "\""), ("&gt;", ">")] {
        spelled = spelled.replace(reference, letter);
    }
    // Any other reference spells a character that needs no reference, such as the `@` after a false host.
    let has_other = spelled.split('&').skip(1).any(|after| {
        let end = after.find(|c: char| !c.is_ascii_alphanumeric());
        let (name, behind) = after.split_at(end.unwrap_or(after.len()));
        (name != "amp" && behind.starts_with(';')) || behind.starts_with('#') && name.is_empty()
    });
    let spelled = spelled.replace("&amp;", "&");
    !has_other && filtered("a", "href", &spelled).is_some()
}

/// The partner of each tag: of a begin tag its end tag, and the other way round; of an element without an end, itself. A
/// text without a partner is no tag. The end of a list item, of a row or of a cell may be left out.
fn partners(tags: &[TypedTag<'_>]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tags.len()];
    let mut open: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, tag) in tags.iter().enumerate() {
        if VOID.contains(&&*tag.name) {
            mark(&mut partners, number, (!tag.is_end).then_some(number));
        } else if !tag.is_end {
            open.entry(&tag.name).or_default().push(number);
        } else if let Some(begun) = open.get_mut(&*tag.name).and_then(Vec::pop) {
            mark(&mut partners, begun, Some(number));
            mark(&mut partners, number, Some(begun));
        }
    }
    // How many of each element are open.
    let mut inside: HashMap<&str, usize> = HashMap::new();
    for (number, tag) in tags.iter().enumerate() {
        if partners.get(number).copied().flatten().is_some() {
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
        let alone = is_within && !tag.is_end;
        mark(&mut partners, number, alone.then_some(number));
    }
    partners
}

/// The tags of elements that stand too deep. They leave their words, as all formatting does that Dewar does not keep.
///
/// The end of an item, a row or a cell may be left out, so these do not count; the list or the table around them does.
fn too_deep(tags: &[TypedTag<'_>], partners: &[Option<usize>]) -> Vec<bool> {
    let mut is_deep = vec![false; tags.len()];
    let mut depth = 0_usize;
    for (number, (tag, partner)) in tags.iter().zip(partners).enumerate() {
        let may_be_left_open = LEFT_OPEN.iter().any(|(name, _)| *name == tag.name);
        let Some(partner) = partner.filter(|partner| *partner != number && !may_be_left_open)
        else {
            continue;
        };
        let deep = match tag.is_end {
            true => is_deep.get(partner).copied().unwrap_or(false),
            false => depth >= DEPTH,
        };
        mark(&mut is_deep, number, deep);
        depth = match tag.is_end {
            true => depth.saturating_sub(usize::from(!deep)),
            false => depth + usize::from(!deep),
        };
    }
    is_deep
}

fn mark<T>(marks: &mut [T], number: usize, value: T) {
    if let Some(mark) = marks.get_mut(number) {
        *mark = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markup(text: &str) -> Option<String> {
        match read(text) {
            TypedPiece::Markup(markup) => Some(markup.into_owned()),
            TypedPiece::Words => None,
        }
    }

    #[test]
    fn an_element_that_begins_and_ends_makes_a_text_markup() {
        for words in [
            "", "a", "<p>a", "a</p>", "a<b", "List<K>", "</p><p>", "<K>a</K>", "a<hr>b", "</br>",
        ] {
            assert_eq!(read(words), TypedPiece::Words, "{words}");
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
            "<p>&lt;K&gt; &amp; &eacute;&#233;&#xe9; a</p>",
        ] {
            assert_eq!(markup(whole).as_deref(), Some(whole));
        }
    }

    #[test]
    fn a_sign_that_begins_no_reference_is_spelled_as_one() {
        for (typed, read) in [
            ("a & b", "a &amp; b"),
            ("&&&", "&amp;&amp;&amp;"),
            ("&a&b;", "&amp;a&b;"),
            ("&#;&;&# 1;", "&amp;#;&amp;;&amp;# 1;"),
            ("&copy", "&amp;copy"),
            ("&lt;K&gt;", "&lt;K&gt;"),
        ] {
            let whole = format!("<p>{typed}</p>");
            assert_eq!(markup(&whole), Some(format!("<p>{read}</p>")), "{typed}");
        }
        let address = "<a href=\"https://a.example/?a=1&b=2\">a</a>";
        assert_eq!(markup(address).as_deref(), Some(address));
    }

    /// A list of thousands of levels kept a thread busy for seconds, each time somebody viewed its page.
    ///
    /// ASVS: V15.2.2
    #[test]
    fn what_stands_too_deep_leaves_its_words() {
        for (begin, end) in [
            ("<ul><li>", "</ul>"),
            ("<ul><li>", "</li></ul>"),
            ("<div>", "</div>"),
            ("<b>", "</b>"),
            ("<blockquote><p>", "</p></blockquote>"),
            ("<dl><dt>", "</dt></dl>"),
        ] {
            let nested = |levels: usize| {
                let text = format!("{}words{}", begin.repeat(levels), end.repeat(levels));
                markup(&text).unwrap()
            };
            let of = |text: &str, tag: &str| text.matches(tag).count();
            let first = begin.split_inclusive('>').next().unwrap();
            assert_eq!(of(&nested(10), first), 10, "{begin}");
            let deep = nested(2_000);
            let kept = of(&deep, first);
            assert!((DEPTH / 2..=DEPTH).contains(&kept), "{begin}: {kept}");
            assert!(deep.contains("words"), "{begin}");
            let ends = of(&deep, end.split_inclusive('>').next_back().unwrap());
            assert_eq!(ends, kept, "{begin}");
        }
        // Side by side is not inside each other.
        let flat = "<ul><li>a<li>b</ul>".repeat(100);
        assert_eq!(markup(&flat), Some(flat));
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
            ("a<b && b>c", "a&lt;b &amp;&amp; b>c"),
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
