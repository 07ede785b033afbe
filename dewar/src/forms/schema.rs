//! The JSON schema of a form, from the same description as its HTML.

use serde_json::{Map, Value, json};

use super::{FieldKind, FieldSpec, Widget};

/// The object of these fields (JSON Schema 2020-12).
pub(super) fn of(fields: &[FieldSpec]) -> Value {
    let mut schema = object(fields);
    schema.insert(
        "$schema".to_owned(),
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    Value::Object(schema)
}

fn object(fields: &[FieldSpec]) -> Map<String, Value> {
    let sent = || fields.iter().filter(|spec| !spec.kind.is_file());
    let properties: Map<String, Value> = sent()
        .map(|spec| (spec.name.to_owned(), field(spec)))
        .collect();
    let required: Vec<&str> = sent()
        .filter(|spec| spec.kind.required)
        .map(|spec| spec.name)
        .collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    object.insert("required".to_owned(), json!(required));
    object.insert("additionalProperties".to_owned(), json!(false));
    object
}

fn field(spec: &FieldSpec) -> Value {
    let kind = &spec.kind;
    let is_list = !kind.items.is_empty();
    let mut schema = if is_list || kind.repeated {
        let items = if is_list {
            object(kind.items)
        } else {
            one(kind)
        };
        let mut array = Map::new();
        array.insert("type".to_owned(), json!("array"));
        array.insert("items".to_owned(), Value::Object(items));
        put(&mut array, "minItems", kind.min_items);
        put(&mut array, "maxItems", kind.max_items);
        array
    } else {
        one(kind)
    };
    if !kind.required
        && let Some(name) = schema.remove("type")
    {
        schema.insert("type".to_owned(), json!([name, "null"]));
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.push(Value::Null);
        }
    }
    schema.insert("title".to_owned(), json!(spec.label));
    put(&mut schema, "description", spec.hint);
    Value::Object(schema)
}

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
    put(&mut schema, "minimum", kind.min);
    put(&mut schema, "maximum", kind.max);
    let step: Option<f64> = kind.step.and_then(|step| step.parse().ok());
    put(&mut schema, "multipleOf", step);
    // A sealed value is longer than its content.
    if !kind.is_hidden() {
        put(&mut schema, "minLength", kind.min_length);
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
        schema.insert("enum".to_owned(), values.collect());
    }
    schema
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
