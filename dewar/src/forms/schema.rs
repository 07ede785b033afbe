//! The JSON schema of a form, from the same description as its HTML.

use serde_json::{Map, Value, json};

use super::{
    Choice, Choices, CleanHtml, Colour, Date, DateTime, Decimal, Email, Field, FieldKind,
    FieldSpec, Int, Line, Many, Markdown, Name, Schemes, Slug, Telephone, Text, Time, Url, Uuid,
    Widget, list,
};
use crate::pages::{JsonSchema, Schemas, or_null};

/// How the values of a form are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormEncoding {
    /// `application/json`: it has no files.
    Json,
    /// `multipart/form-data`: every value is a text or a file, and an empty one is left out.
    Multipart,
}

/// The object of these fields (JSON Schema 2020-12).
pub(super) fn of(fields: &[FieldSpec]) -> Value {
    let mut schema = json_body(fields);
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    Value::Object(schema)
}

/// The same for a document that states the dialect itself.
pub(super) fn body(fields: &[FieldSpec], encoding: FormEncoding) -> Value {
    Value::Object(match encoding {
        FormEncoding::Json => json_body(fields),
        FormEncoding::Multipart => parts(fields),
    })
}

/// An object, or an array of objects.
fn json_body(fields: &[FieldSpec]) -> Map<String, Value> {
    match list::array(fields) {
        Some(only) => array(&only.kind, object(only.kind.items)),
        None => object(fields),
    }
}

fn object(fields: &[FieldSpec]) -> Map<String, Value> {
    let sent = || fields.iter().filter(|spec| !spec.kind.is_file());
    let properties = sent().map(|spec| (spec.name.to_owned(), field(spec)));
    closed(properties.collect(), sent())
}

/// An object with these members and no other.
fn closed<'a>(
    properties: Map<String, Value>,
    fields: impl Iterator<Item = &'a FieldSpec>,
) -> Map<String, Value> {
    let required: Vec<&str> = fields
        .filter(|spec| spec.kind.required && !spec.kind.may_be_left_out)
        .map(|spec| spec.name)
        .collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    object.insert("required".to_owned(), json!(required));
    object.insert("additionalProperties".to_owned(), json!(false));
    object
}

/// The parts of a multipart body. A field of a row is `items.0.title`.
fn parts(fields: &[FieldSpec]) -> Map<String, Value> {
    let single = || fields.iter().filter(|spec| spec.kind.items.is_empty());
    let properties = single().map(|spec| (spec.name.to_owned(), part(spec)));
    let mut object = closed(properties.collect(), single());
    let mut rows = Map::new();
    for list in fields {
        of_rows(
            &format!("^{}\\.[0-9]+\\.", list.name),
            list.kind.items,
            &mut rows,
        );
    }
    if !rows.is_empty() {
        object.insert("patternProperties".to_owned(), Value::Object(rows));
    }
    object
}

fn of_rows(prefix: &str, fields: &[FieldSpec], rows: &mut Map<String, Value>) {
    for spec in fields {
        if spec.kind.items.is_empty() {
            rows.insert(format!("{prefix}{}$", spec.name), part(spec));
        }
        let prefix = format!("{prefix}{}\\.[0-9]+\\.", spec.name);
        of_rows(&prefix, spec.kind.items, rows);
    }
}

/// A value as a text of its own: of a multipart body, or of a query.
pub(super) fn part(spec: &FieldSpec) -> Value {
    let kind = &spec.kind;
    let mut one = one(kind);
    if kind.widget == Widget::Checkbox {
        one = Map::from_iter([
            ("type".to_owned(), json!("string")),
            ("enum".to_owned(), json!(["on"])),
        ]);
    } else if kind.is_file() {
        one.extend(file(kind));
    } else if kind.may_be_quoted() {
        one.insert("type".to_owned(), json!("number"));
        one.remove("pattern");
    }
    let mut schema = if kind.repeated { array(kind, one) } else { one };
    put(&mut schema, "title", Some(spec.label));
    put(&mut schema, "description", spec.hint);
    Value::Object(schema)
}

/// A file stands in its part as bytes. JSON Schema counts characters, so the most bytes are words.
fn file(kind: &FieldKind) -> Map<String, Value> {
    let mut schema = Map::new();
    put(&mut schema, "format", Some("binary"));
    put(
        &mut schema,
        "contentMediaType",
        Some("application/octet-stream"),
    );
    let size = kind.max_bytes.map(crate::audit::size);
    let told = match (kind.file_kinds, size) {
        (Some(kinds), Some(size)) => Some(format!("{kinds}, at most {size}")),
        (None, Some(size)) => Some(format!("At most {size}")),
        (kinds, None) => kinds.map(str::to_owned),
    };
    put(&mut schema, "$comment", told);
    schema
}

fn array(kind: &FieldKind, items: Map<String, Value>) -> Map<String, Value> {
    let mut array = Map::new();
    array.insert("type".to_owned(), json!("array"));
    array.insert("items".to_owned(), Value::Object(items));
    put(&mut array, "minItems", kind.min_items);
    put(&mut array, "maxItems", kind.max_items);
    array
}

fn field(spec: &FieldSpec) -> Value {
    let kind = &spec.kind;
    let mut schema = if !kind.items.is_empty() {
        array(kind, object(kind.items))
    } else if kind.repeated {
        array(kind, one(kind))
    } else {
        one(kind)
    };
    if !kind.required
        && let Value::Object(nullable) = or_null(Value::Object(schema.clone()))
    {
        schema = nullable;
    }
    schema.insert("title".to_owned(), json!(spec.label));
    put(&mut schema, "description", spec.hint);
    Value::Object(schema)
}

/// A number as a string (HTML, 2.3.4.3).
const QUOTED: &str = "^-?[0-9]*\\.?[0-9]+([eE][+-]?[0-9]+)?$";

/// One value of this kind.
fn one(kind: &FieldKind) -> Map<String, Value> {
    let mut schema = Map::new();
    let name = match kind.widget {
        Widget::Checkbox => "boolean",
        Widget::Number | Widget::Range if kind.step.is_none() => "integer",
        Widget::Number | Widget::Range => "number",
        Widget::Colour
        | Widget::Date
        | Widget::DateTime
        | Widget::Email
        | Widget::File
        | Widget::Hidden
        | Widget::Line
        | Widget::List
        | Widget::ListBox
        | Widget::Password
        | Widget::Radio
        | Widget::Select
        | Widget::Telephone
        | Widget::Text
        | Widget::Time
        | Widget::Url => "string",
    };
    schema.insert("type".to_owned(), json!(name));
    if kind.is_number() && kind.may_be_quoted() {
        schema.insert("type".to_owned(), json!([name, "string"]));
        put(&mut schema, "pattern", Some(QUOTED));
    }
    put(&mut schema, "minimum", kind.min);
    put(&mut schema, "maximum", kind.max);
    let step: Option<f64> = kind.step.and_then(|step| step.parse().ok());
    put(&mut schema, "multipleOf", step);
    // A sealed value is longer than its content.
    if !kind.is_hidden() {
        // An empty text is a missing one.
        let least = (kind.required && kind.max_length.is_some()).then_some(1);
        put(&mut schema, "minLength", kind.min_length.or(least));
        put(&mut schema, "maxLength", kind.max_length);
    }
    put(&mut schema, "format", format(kind.widget));
    let own = kind.pattern.map(|pattern| format!("^(?:{pattern})$"));
    let known = pattern(kind.widget).map(str::to_owned);
    // A sealed value looks different from its content.
    put(
        &mut schema,
        "pattern",
        own.or(known).filter(|_| !kind.is_hidden()),
    );
    if kind.is_secret() {
        schema.insert("writeOnly".to_owned(), json!(true));
    }
    if !kind.offers.is_empty() {
        let values = kind.offers.iter().map(|offer| offer.value);
        // An empty text is no choice, where there may be none.
        let none = (!kind.required && !kind.repeated).then_some("");
        schema.insert("enum".to_owned(), values.chain(none).collect());
    }
    schema
}

/// The schema of a value that a program reads: as Dewar serializes this type.
fn written(kind: &FieldKind) -> Value {
    let mut schema = one(kind);
    if kind.step.is_some() {
        // A `Decimal` is a text, because most programs read a JSON number as binary.
        schema.retain(|name, _| name == "title");
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("pattern".to_owned(), json!("^-?[0-9]+\\.[0-9]+$"));
    } else if let Some(min) = kind.min {
        schema.insert("type".to_owned(), json!("integer"));
        schema.insert("minimum".to_owned(), json!(min));
        schema.remove("pattern");
    }
    schema.remove("minLength");
    Value::Object(schema)
}

macro_rules! written {
    ($([$($generics:tt)*] $kind:ty),* $(,)?) => {$(
        impl<$($generics)*> JsonSchema for $kind {
            fn schema(_: &mut Schemas) -> Value {
                written(&<Self as Field>::KIND)
            }
        }
    )*};
}

written! {
    [const MAX: usize] Line<MAX>,
    [const MAX: usize] Markdown<MAX>,
    [const MAX: usize] Name<MAX>,
    [const MAX: usize] Slug<MAX>,
    [const MAX: usize] Text<MAX>,
    [const MIN: i64, const MAX: i64] Int<MIN, MAX>,
    [const PLACES: u32, const MIN: i64, const MAX: i64] Decimal<PLACES, MIN, MAX>,
    [E: Choices] Choice<E>,
    [S: Schemes] Url<S>,
    [] Colour,
    [] Date,
    [] DateTime,
    [] Email,
    [] Telephone,
    [] Time,
}

impl JsonSchema for Uuid {
    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string", "format": "uuid" })
    }
}

/// Its limit counts the words, and not the markup.
impl<const MAX: usize> JsonSchema for CleanHtml<MAX> {
    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string", "contentMediaType": "text/html" })
    }
}

impl<F: JsonSchema, const MIN: usize, const MAX: usize> JsonSchema for Many<F, MIN, MAX> {
    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "type": "array", "items": F::schema(schemas), "minItems": MIN, "maxItems": MAX, "uniqueItems": true })
    }
}

fn put(schema: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        schema.insert(name.to_owned(), value.into());
    }
}

fn format(widget: Widget) -> Option<&'static str> {
    [
        (Widget::Date, "date"),
        (Widget::Email, "email"),
        (Widget::Url, "uri"),
    ]
    .into_iter()
    .find(|(of, _)| *of == widget)
    .map(|(_, format)| format)
}

/// A pattern for what JSON Schema has no `format` for: its times have seconds and a time zone.
fn pattern(widget: Widget) -> Option<&'static str> {
    [
        (Widget::Colour, "^#[0-9A-Fa-f]{6}$"),
        (
            Widget::DateTime,
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$",
        ),
        (Widget::Time, "^[0-9]{2}:[0-9]{2}$"),
    ]
    .into_iter()
    .find(|(of, _)| *of == widget)
    .map(|(_, pattern)| pattern)
}
