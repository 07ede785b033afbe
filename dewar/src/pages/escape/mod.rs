//! The filters that escape a value for each context except text. Only `context` inserts them into templates.

mod address;
mod style;

use std::borrow::Cow;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};

use super::markup::{self, Attributes, Markup};
use crate::database::html_text;
use address::{UrlPart, address, below_root, encoded, local_address, srcset};

/// The filter that prints unescaped HTML, for a reason.
pub(super) const DANGEROUS: &str = "dangerous_html";

/// How a value is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// As words: in a quoted attribute, a `<title>`, a `<textarea>`. HTML prints its words there and never its markup.
    Plain,
    /// The attributes of a form, in its tag.
    Attributes,
    /// A whole address, or its beginning.
    Address,
    /// A whole address of this application only.
    LocalAddress,
    /// After text that could be a scheme.
    AddressJoined,
    AddressHost,
    /// After the first slash.
    AddressRoot,
    AddressPath,
    AddressQuery,
    /// After `mailto:` or `tel:`.
    AddressOpaque,
    Srcset,
    Style,
    StyleText,
    StyleAddress,
    Json,
}

/// Filters whose output is plain text without `<`, `>`, `&` or a quote, or is never HTML.
const NEVER_HTML: [&str; 8] = [
    "iso",
    "date",
    "datetime",
    "filesize",
    "length",
    "int",
    "float",
    "urlencode",
];

impl Escape {
    /// The name of the filter. A template that uses it itself is refused. Words in quotes, the most frequent context, have
    /// the name that sorts first, because the engine finds it fastest.
    pub(super) const fn filter(self) -> &'static str {
        match self {
            Self::Plain => "_",
            Self::Attributes => "_attributes",
            Self::Address => "_address",
            Self::LocalAddress => "_local",
            Self::AddressJoined => "_joined",
            Self::AddressHost => "_host",
            Self::AddressRoot => "_root",
            Self::AddressPath => "_path",
            Self::AddressQuery => "_query",
            Self::AddressOpaque => "_opaque",
            Self::Srcset => "_srcset",
            Self::Style => "_style",
            Self::StyleText => "_style_text",
            Self::StyleAddress => "_style_address",
            Self::Json => "_json",
        }
    }

    pub(super) fn is_reserved(filter: &str) -> bool {
        filter.starts_with('_')
    }

    /// The filter that is still needed after the template's own last filter.
    pub(super) fn after(self, last: Option<&str>) -> Option<Self> {
        let Some(last) = last else {
            return Some(self);
        };
        let encoded = matches!(
            self,
            Self::AddressJoined | Self::AddressPath | Self::AddressQuery | Self::AddressOpaque
        );
        let done = match last {
            // It writes no `<`, `>`, `&` or `'`; in an attribute its quotes are escaped like others.
            "tojson" => self == Self::Json,
            "urlencode" => encoded || self == Self::Plain,
            last => self == Self::Plain && NEVER_HTML.contains(&last),
        };
        (!done).then_some(self)
    }
}

/// Adds the filters, and removes the engine's filter that prints HTML without a reason.
pub(super) fn add(engine: &mut Environment<'static>) {
    engine.remove_filter("safe");
    engine.add_filter(DANGEROUS, |html: &Value, _reason: &str| as_it_is(html));
    engine.add_filter(Escape::Plain.filter(), plain);
    engine.add_filter(Escape::Attributes.filter(), attributes);
    text(engine, Escape::Address, address);
    text(engine, Escape::LocalAddress, local_address);
    part(engine, Escape::AddressJoined, UrlPart::Joined);
    part(engine, Escape::AddressHost, UrlPart::Host);
    text(engine, Escape::AddressRoot, below_root);
    part(engine, Escape::AddressPath, UrlPart::Path);
    part(engine, Escape::AddressQuery, UrlPart::Query);
    part(engine, Escape::AddressOpaque, UrlPart::Opaque);
    text(engine, Escape::Srcset, srcset);
    text(engine, Escape::Style, style::value);
    text(engine, Escape::StyleText, style::text);
    text(engine, Escape::StyleAddress, style::address);
    engine.add_filter(Escape::Json.filter(), json);
}

/// A filter that turns the words of a value into finished HTML.
fn text(
    engine: &mut Environment<'static>,
    escape: Escape,
    make: impl Fn(&str) -> String + Send + Sync + 'static,
) {
    engine.add_filter(escape.filter(), move |value: &Value| finished(value, &make));
}

/// A filter for a part of an address. Most values are numbers, and digits need no encoding.
fn part(engine: &mut Environment<'static>, escape: Escape, keep: UrlPart) {
    engine.add_filter(escape.filter(), move |value: &Value| {
        if value.is_integer() {
            return value.clone();
        }
        finished(value, |text| encoded(text, keep))
    });
}

/// Makes finished HTML of a value's words. An undefined value stays undefined, and the engine reports it.
fn finished(value: &Value, make: impl Fn(&str) -> String) -> Value {
    if value.is_undefined() {
        return value.clone();
    }
    let made = match (html_of(value), value.as_str()) {
        (Some(html), _) => make(&html_text(&html)),
        (None, Some(text)) => make(text),
        (None, None) => make(&value.to_string()),
    };
    markup::trusted_html(made)
}

/// The HTML of a value that is HTML.
fn html_of(value: &Value) -> Option<Cow<'_, str>> {
    if value.is_safe() {
        return value.as_str().map(Cow::Borrowed);
    }
    let markup = value.downcast_object_ref::<Markup>()?;
    Some(markup.html())
}

/// A value that the engine escapes as words; HTML becomes its words first.
fn plain(value: Value) -> Value {
    match html_of(&value) {
        Some(html) => Value::from(html_text(&html).into_owned()),
        None => value,
    }
}

/// The audit gets the reason from the template's source.
fn as_it_is(value: &Value) -> Value {
    if value.is_undefined() {
        return value.clone();
    }
    let html = html_of(value).map_or_else(|| value.to_string(), Cow::into_owned);
    markup::trusted_html(html)
}

fn attributes(value: &Value) -> Result<Value, Error> {
    let Some(Attributes(text)) = value.downcast_object_ref::<Attributes>() else {
        let text = "only a form's own attributes are printed in its tag";
        return Err(Error::new(ErrorKind::InvalidOperation, text));
    };
    Ok(markup::trusted_html((*text).to_owned()))
}

/// JSON that ends no script and begins no comment in one, in HTML and in XML.
fn json(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(value.clone());
    }
    let value = plain(value.clone());
    let json = serde_json::to_string(&value)
        .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    Ok(markup::trusted_html(text))
}
