//! The HTML of a letter: what it must not have, and its text for readers without HTML.

use crate::audit::{Finding, Practice};
use crate::database::html_text;

/// Elements that mail programs remove, or that load something from elsewhere.
const REFUSED: [&str; 14] = [
    "applet", "audio", "base", "embed", "form", "frame", "iframe", "input", "link", "math",
    "object", "script", "svg", "video",
];

/// Attributes with an address that a mail program would load.
const LOADS: [&str; 4] = ["background", "poster", "src", "srcset"];

/// The elements whose end begins a new line.
const BLOCKS: [&str; 16] = [
    "address",
    "blockquote",
    "div",
    "dl",
    "dt",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "li",
    "ol",
    "p",
    "table",
    "tr",
    "ul",
];

/// Something that the HTML of a letter must not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) title: String,
    fix: &'static str,
}

impl Fault {
    pub(super) fn finding(&self, name: &str) -> Finding {
        let title = format!("template {name}, line {}: {}", self.line, self.title);
        Finding::refuse(Practice::Pages, "mail-html", title)
            .why("Mail programs remove it, or it would tell a stranger when the letter is read.")
            .fix(self.fix)
    }
}

/// A tag of HTML: its name in lower case, and what stands in it after the name.
struct Tag<'a> {
    line: usize,
    name: String,
    is_end: bool,
    rest: &'a str,
}

/// The tags of HTML, each with the text before it.
fn tags(html: &str) -> impl Iterator<Item = (&str, Tag<'_>)> {
    let (mut rest, mut line) = (html, 1);
    std::iter::from_fn(move || {
        let mut before_end = 0;
        loop {
            let found = rest.get(before_end..)?.find('<')? + before_end;
            let (before, from) = rest.split_at(found);
            let inside = from.get(1..)?;
            let (is_end, inside) = match inside.strip_prefix('/') {
                Some(inside) => (true, inside),
                None => (false, inside),
            };
            if !inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') {
                before_end = found + 1;
                continue;
            }
            let end = end_of(inside);
            let (tag, after) = inside.split_at(end);
            let after = after.strip_prefix('>').unwrap_or(after);
            let name_end = tag.find(|c: char| c.is_ascii_whitespace() || c == '/');
            let (name, attributes) = tag.split_at(name_end.unwrap_or(tag.len()));
            let at = line + before.matches('\n').count();
            line = at + tag.matches('\n').count();
            rest = after;
            let tag = Tag {
                line: at,
                name: name.to_ascii_lowercase(),
                is_end,
                rest: attributes,
            };
            return Some((before, tag));
        }
    })
}

/// The end of a tag: the first `>` outside quotes.
fn end_of(tag: &str) -> usize {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '>') => return at,
            _ => {}
        }
    }
    tag.len()
}

/// The attributes of a tag, with their names in lower case.
fn attributes(mut rest: &str) -> Vec<(String, &str)> {
    let mut all = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '/'));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if name.is_empty() && after.is_empty() {
            return all;
        }
        let Some(value) = after.trim_start().strip_prefix('=') else {
            rest = after;
            all.push((name.to_ascii_lowercase(), ""));
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inside = quote.and_then(|quote| value.get(1..)?.split_once(quote));
        let (value, after) = inside.unwrap_or_else(|| {
            let end = value.find(|c: char| c.is_ascii_whitespace());
            value.split_at(end.unwrap_or(value.len()))
        });
        all.push((name.to_ascii_lowercase(), value));
        rest = after;
    }
}

/// Everything in this HTML, or in the source of a template, that a letter must not have. A value of a template passes here, and
/// is checked in the letter.
pub(super) fn faults(html: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (_, tag) in tags(html) {
        if tag.is_end {
            continue;
        }
        let line = tag.line;
        let mut fault = |title: String, fix| faults.push(Fault { line, title, fix });
        if REFUSED.contains(&tag.name.as_str()) {
            let title = format!("a letter has no <{}>", tag.name);
            fault(
                title,
                "leave the element out; write styles into `style` attributes",
            );
        }
        for (name, value) in attributes(tag.rest) {
            let value = html_text(value);
            let value = value.trim().to_ascii_lowercase();
            let is_inside = value.starts_with("data:") && name != "srcset";
            if LOADS.contains(&name.as_str()) && !value.is_empty() && !is_inside {
                let title = format!(
                    "`{name}` in <{}> loads something when the letter is read",
                    tag.name
                );
                fault(title, "leave the picture out, or write it as `data:`");
            } else if name == "style" && style_loads(&value) {
                let title = "a style loads something when the letter is read".to_owned();
                fault(title, "use colours, and no picture");
            } else if name.starts_with("on") {
                let title = format!("`{name}` is a script");
                fault(title, "leave it out: no mail program runs scripts");
            } else if matches!(name.as_str(), "href" | "action") && !is_absolute(&value) {
                let title = format!("the link {value:?} leads nowhere from a letter");
                fault(title, "begin it with `{{ origin }}`");
            }
        }
    }
    faults.extend(style_faults(html));
    faults
}

/// The faults of every `<style>`. Its text has no tags, whatever stands in it.
fn style_faults(html: &str) -> Vec<Fault> {
    let html = html.to_ascii_lowercase();
    let (mut rest, mut line) = (html.as_str(), 1);
    let mut faults = Vec::new();
    while let Some((before, after)) = rest.split_once("<style") {
        line += before.matches('\n').count();
        let (style, end) = after.split_once("</style").unwrap_or((after, ""));
        if style_loads(style) {
            faults.push(Fault {
                line,
                title: "a style loads something when the letter is read".to_owned(),
                fix: "use colours, and no picture; write styles into `style` attributes",
            });
        }
        line += style.matches('\n').count();
        rest = end;
    }
    faults
}

/// Whether a style, in lower case, loads something from elsewhere. An escape (`u\72l(`) could hide that.
fn style_loads(style: &str) -> bool {
    let loads = ["@import", "image(", "image-set(", "src(", "\\"];
    loads.iter().any(|word| style.contains(word))
        || style.split("url(").skip(1).any(|inside| {
            let inside = inside.trim_start().trim_start_matches(['"', '\'']);
            !inside.trim_start().starts_with("data:")
        })
}

/// Whether a link leads somewhere from a letter. In the source of a template it may begin with a value.
fn is_absolute(address: &str) -> bool {
    let schemes = ["https://", "http://", "mailto:", "tel:", "{{", "#"];
    schemes.iter().any(|scheme| address.starts_with(scheme)) && address != "#"
}

/// The text of the element `<title>`.
pub(super) fn title_of(html: &str) -> Option<String> {
    let mut inside = tags(html).skip_while(|(_, tag)| tag.name != "title" || tag.is_end);
    inside.next()?;
    let (title, _) = inside.next()?;
    Some(
        html_text(title)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// The text of a letter for a reader without HTML: a line for each block, and the address of a link behind its words.
pub(super) fn plain_text(html: &str) -> String {
    let mut text = String::new();
    let mut hidden: Option<String> = None;
    let mut link: Option<(String, usize)> = None;
    let mut rest = html;
    for (before, tag) in tags(html) {
        if hidden.is_none() {
            add_words(&mut text, before);
        }
        rest = after_tag(rest, before);
        match (&hidden, tag.is_end) {
            (Some(name), true) if *name == tag.name => hidden = None,
            (Some(_), _) => {}
            (None, false) if ["head", "style", "title", "script"].contains(&&*tag.name) => {
                hidden = Some(tag.name);
            }
            (None, is_end) => turn(&mut text, &tag, is_end, &mut link),
        }
    }
    if hidden.is_none() {
        add_words(&mut text, rest);
    }
    let lines = text.lines().map(str::trim);
    let mut lines: Vec<&str> = lines.collect();
    lines.dedup_by(|a, b| a.is_empty() && b.is_empty());
    lines.join("\n").trim().to_owned()
}

/// What a tag does to the text.
fn turn(text: &mut String, tag: &Tag<'_>, is_end: bool, link: &mut Option<(String, usize)>) {
    match (tag.name.as_str(), is_end) {
        ("a", false) => {
            let all = attributes(tag.rest);
            let href = all.into_iter().find(|(name, _)| name == "href");
            *link = href.map(|(_, href)| (html_text(href).into_owned(), text.len()));
        }
        ("a", true) => {
            if let Some((href, at)) = link.take()
                && text.get(at..).is_some_and(|words| words.trim() != href)
            {
                text.push_str(&format!(" <{href}>"));
            }
        }
        ("br", _) => text.push('\n'),
        ("li", false) => text.push_str("\n- "),
        ("td" | "th", true) => text.push(' '),
        (name, true) if BLOCKS.contains(&name) => {
            let is_paragraph = !["li", "tr", "div"].contains(&name);
            text.push_str(if is_paragraph { "\n\n" } else { "\n" });
        }
        _ => {}
    }
}

fn after_tag<'a>(rest: &'a str, before: &str) -> &'a str {
    let from = rest.get(before.len()..).unwrap_or_default();
    let inside = from.get(1..).unwrap_or_default();
    let skipped = inside.strip_prefix('/').unwrap_or(inside);
    let end = skipped.get(end_of(skipped)..).unwrap_or_default();
    end.strip_prefix('>').unwrap_or(end)
}

/// Adds words as HTML shows them: one space for any white space.
fn add_words(text: &mut String, html: &str) {
    let words = html_text(html);
    let begins = words.starts_with(char::is_whitespace);
    let ends = words.ends_with(char::is_whitespace);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_open = !text.is_empty() && !text.ends_with(char::is_whitespace);
    if begins && is_open {
        text.push(' ');
    }
    text.push_str(&words);
    if ends && !words.is_empty() {
        text.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_lines_with_the_addresses_of_its_links() {
        let html = "<head><title>Your\n document &amp; you</title><style>p { color: red }</style></head>\n\
            <h1>Hello,  Ada</h1>\n<p>It was\n approved: <a href=\"https://portal.test/d/7?a=1&amp;b=2\">read it</a>.</p>\
            <ul><li>one</li><li>two</li></ul><p><a href=\"https://portal.test\">https://portal.test</a></p>1 < 2";
        assert_eq!(title_of(html).as_deref(), Some("Your document & you"));
        assert_eq!(
            plain_text(html),
            "Hello, Ada\n\nIt was approved: read it <https://portal.test/d/7?a=1&b=2>.\n\n\
             - one\n\n- two\n\nhttps://portal.test\n\n1 < 2"
        );
    }

    /// CWE-359: a style can load a picture too, and hide it behind another.
    #[test]
    fn every_address_in_a_style_is_found() {
        for html in [
            "<p></p><STYLE>@IMPORT 'x'</STYLE>",
            "<style>p{background:url(https://track.test)}</style>",
            "<style>a{color:red}</style>\n<style>b{x:\"<\"}p{x:Url( 'https://track.test')}</style>",
            "<p style=\"background: url(data:,x), url(https://track.test)\">",
            "<p style=\"background: u\\72l(https://track.test)\">",
            "<p style=\"background: image-set('https://track.test' 1x)\">",
        ] {
            let found = faults(html);
            let told = found
                .iter()
                .any(|fault| fault.title.contains("loads something"));
            assert!(told, "{html}: {found:?}");
        }
        for html in [
            "<style>p { color: red; background: url( \"data:image/png;base64,AAAA\") }</style>",
            "<p style=\"background: URL('data:,x')\">",
        ] {
            assert_eq!(faults(html), [], "{html}");
        }
    }

    /// CWE-359: a picture from elsewhere tells its owner who reads the letter, and when.
    #[test]
    fn what_loads_runs_or_leads_nowhere_is_found() {
        for (html, told) in [
            ("<img src=\"https://track.test/1.gif\">", "loads something"),
            ("<img src=//track.test/1.gif>", "loads something"),
            ("<IMG\nSRC = 'cid:x'>", "loads something"),
            ("<td background=\"http://track.test\">", "loads something"),
            (
                "<p style=\"background: URL(https://track.test)\">",
                "loads something",
            ),
            (
                "<p style=\"background: &#117;rl(https://track.test)\">",
                "loads something",
            ),
            ("<style>@import url(x)</style>", "loads something"),
            (
                "<img srcset=\"data:image/png;base64,AAAA 1x, https://track.test 2x\">",
                "loads something",
            ),
            (
                "<link rel=stylesheet href=\"https://a.test/a.css\">",
                "no <link>",
            ),
            ("<script>1</script>", "no <script>"),
            ("<p onclick=\"x()\">", "is a script"),
            ("<a href=\"/documents\">", "leads nowhere"),
            ("<a href=\"javascript:x()\">", "leads nowhere"),
        ] {
            let found = faults(html);
            assert!(
                found.iter().any(|fault| fault.title.contains(told)),
                "{html}: {found:?}"
            );
        }
        for html in [
            "<p style=\"color: #333\">a > b and a < b</p>",
            "<a href=\"{{ origin }}/documents/{{ id }}\">",
            "<a href='https://portal.test'>",
            "<img alt=\"\" src=\"data:image/png;base64,AAAA\">",
        ] {
            assert_eq!(faults(html), [], "{html}");
        }
    }
}
