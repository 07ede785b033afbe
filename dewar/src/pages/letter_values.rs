//! The values in the text of a letter: each takes one line, and none is a link to elsewhere.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value};
use minijinja::{Error, ErrorKind, Output, State};

use super::Language;
use super::translate_function::message_of;

/// The most characters of a value on one line. A longer text is for `quoted`.
const LONGEST_VALUE: usize = 300;

/// The most characters of a link.
const LONGEST_LINK: usize = 2_000;

thread_local! {
    /// The origin of the application whose letter is being rendered. A macro has no access to the letter, and a letter is rendered on
    /// one thread.
    static ORIGIN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Sets the origin for rendering until it is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct OwnOrigin {
    before: Option<String>,
}

impl OwnOrigin {
    pub(super) fn begin(origin: &str) -> Self {
        let before = ORIGIN.replace(Some(origin.to_owned()));
        Self { before }
    }
}

impl Drop for OwnOrigin {
    fn drop(&mut self) {
        ORIGIN.set(self.before.take());
    }
}

/// A text of several lines that the program has made one by one.
#[derive(Debug)]
struct Lines(String);

impl Object for Lines {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A link that the template allows to lead elsewhere.
#[derive(Debug)]
struct Link(String);

impl Object for Link {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A value on one line. Control characters become spaces, the invisible ones that turn the direction of a text too (CWE-93,
/// CWE-451).
pub(super) fn one_line(text: &str) -> String {
    let visible = |c: char| {
        let breaks = c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if breaks || turns { ' ' } else { c }
    };
    let text: String = text.chars().map(visible).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as a letter shows it on a line: short, and without an address that a mail program would make a link of. Only the
/// application's own links stay as they are.
fn shown(text: &str) -> String {
    let line = one_line(text);
    if is_own_link(&line) {
        return line;
    }
    let line = match line.char_indices().nth(LONGEST_VALUE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    };
    if !has_address(&line) {
        return line;
    }
    format!("\"{}\"", without_links(&line))
}

fn is_own_link(line: &str) -> bool {
    let is_own = |origin: &String| {
        let rest = line.strip_prefix(origin.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    };
    line.len() <= LONGEST_LINK
        && !line.contains(' ')
        && ORIGIN.with_borrow(|origin| origin.as_ref().is_some_and(is_own))
}

fn has_address(text: &str) -> bool {
    text.contains("://") || text.to_ascii_lowercase().contains("www.")
}

/// The same text with `https[:]//evil[.]example` for each address.
fn without_links(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        if has_address(word) {
            word.replace("://", "[:]//").replace('.', "[.]")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// `{{ comment|quoted }}`: a text of several lines, each with `> ` before it, as mail programs quote.
pub(super) fn quoted(value: &Value) -> Value {
    if value.is_undefined() {
        return value.clone();
    }
    let text = text_of(value);
    let lines = text
        .trim_end()
        .lines()
        .map(|line| format!("> {}", without_links(&one_line(line))));
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    Value::from_object(Lines(lines.join("\n")))
}

/// `{{ payment|external_link }}`: a link that leads elsewhere, which the program has made.
pub(super) fn external_link(value: &Value) -> Result<Value, Error> {
    let text = text_of(value);
    let is_link = text.starts_with("https://")
        && text.len() <= LONGEST_LINK
        && one_line(&text) == text
        && !text.contains(' ');
    if !is_link {
        let told = "the value of `external_link` is no address that begins with https://";
        return Err(Error::new(ErrorKind::InvalidOperation, told));
    }
    Ok(Value::from_object(Link(text)))
}

/// Prints a value on one line.
pub(super) fn print(
    out: &mut Output<'_>,
    _: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if let Some(lines) = value.downcast_object_ref::<Lines>() {
        return Ok(out.write_str(&lines.0)?);
    }
    Ok(out.write_str(&on_a_line(value))?)
}

fn on_a_line(value: &Value) -> String {
    match value.downcast_object_ref::<Link>() {
        Some(link) => link.0.clone(),
        None => shown(&text_of(value)),
    }
}

/// `{{ t("letter-reset.text", link=link) }}` in a text: the message has the lines of its translator, an argument has one.
#[derive(Debug)]
pub(super) struct SayLines(pub(super) Language);

impl Object for SayLines {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, values: &[Value]) -> Result<Value, Error> {
        let said = message_of(&self.0, values, on_a_line)?;
        Ok(Value::from_object(Lines(said)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that reads like a sentence of the letter, with a link (CWE-451).
    #[test]
    fn a_value_is_short_and_no_link_to_elsewhere() {
        let _own = OwnOrigin::begin("https://portal.test");
        for (value, seen) in [
            ("Ada Lovelace", "Ada Lovelace"),
            (
                "Ada. Your account is locked: https://evil.example/x",
                "\"Ada. Your account is locked: https[:]//evil[.]example/x\"",
            ),
            ("go to WWW.evil.example", "\"go to WWW[.]evil[.]example\""),
            (
                "https://portal.test/reset/a.b",
                "https://portal.test/reset/a.b",
            ),
            ("https://portal.test", "https://portal.test"),
            (
                "https://portal.test.evil.example/",
                "\"https[:]//portal[.]test[.]evil[.]example/\"",
            ),
            (
                "https://portal.test@evil.example/",
                "\"https[:]//portal[.]test@evil[.]example/\"",
            ),
            (
                "https://portal.test/ https://evil.example",
                "\"https[:]//portal[.]test/ https[:]//evil[.]example\"",
            ),
        ] {
            assert_eq!(shown(value), seen);
        }
        assert_eq!(shown(&"ä".repeat(301)), format!("{}…", "ä".repeat(300)));
        let lines = quoted(&Value::from("a\nhttps://evil.example")).to_string();
        assert_eq!(lines, "> a\n> https[:]//evil[.]example");
    }

    #[test]
    fn a_template_allows_a_link_to_elsewhere() {
        let link = external_link(&Value::from("https://pay.test/7")).unwrap();
        assert_eq!(on_a_line(&link), "https://pay.test/7");
        for other in [
            "http://pay.test",
            "https://pay.test/ now",
            "https://a\nb",
            "x",
        ] {
            assert!(external_link(&Value::from(other)).is_err(), "{other}");
        }
    }
}
