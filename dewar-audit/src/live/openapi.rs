//! Reads an OpenAPI document: its paths only, because `servers` may name somebody else's host.

use serde_json::{Map, Value};

use super::call::{Body, Call};
use super::crawl::sample;

/// The requests that a document describes; `None` if it is no OpenAPI document.
pub(super) fn routes(document: &Value) -> Option<Vec<Call>> {
    let is_document = document.get("openapi").is_some() || document.get("swagger").is_some();
    let paths = document.get("paths")?.as_object().filter(|_| is_document)?;
    let base = document
        .get("basePath")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim_end_matches('/');
    let mut calls = Vec::new();
    for (path, item) in paths.iter().take(300) {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if matches!(method.as_str(), "get" | "post" | "put" | "patch") {
                calls.push(call(
                    document,
                    &format!("{base}{path}"),
                    method,
                    item,
                    operation,
                ));
            }
        }
    }
    Some(calls)
}

fn call(document: &Value, path: &str, method: &str, item: &Value, operation: &Value) -> Call {
    let mut target = String::new();
    let mut parts = path.split('{');
    target += parts.next().unwrap_or_default();
    for part in parts {
        target += "1";
        target += part.split_once('}').map_or("", |(_, rest)| rest);
    }
    let mut call = Call::get(&target);
    call.method = method.to_uppercase();
    let parameters = [item.get("parameters"), operation.get("parameters")];
    let mut form = Vec::new();
    for parameter in parameters
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
    {
        let parameter = resolve(document, parameter);
        let name = parameter
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        match parameter.get("in").and_then(Value::as_str) {
            Some("query") => call.query.push((name.to_owned(), sample(name, "text"))),
            Some("header") if !name.is_empty() => {
                call.headers.push((name.to_owned(), sample(name, "text")))
            }
            Some("formData") => form.push((name.to_owned(), sample(name, "text"))),
            Some("body") => {
                let schema = parameter.get("schema").unwrap_or(&Value::Null);
                call.body = Body::Json(example(document, schema, name, 0));
            }
            _ => {}
        }
    }
    if !form.is_empty() {
        call.body = Body::Form(form);
    }
    if let Some(body) = body(document, operation) {
        call.body = body;
    }
    call
}

fn body(document: &Value, operation: &Value) -> Option<Body> {
    let request = resolve(document, operation.get("requestBody")?);
    let (kind, media) = request.get("content")?.as_object()?.iter().next()?;
    let value = example(document, media.get("schema").unwrap_or(&Value::Null), "", 0);
    if !kind.contains("form") {
        return Some(Body::Json(value));
    }
    let fields = value.as_object()?.iter();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    Some(Body::Form(
        fields
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    ))
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    reference
        .and_then(|reference| document.pointer(reference.strip_prefix('#')?))
        .unwrap_or(value)
}

/// A value that a schema permits.
fn example(document: &Value, schema: &Value, name: &str, depth: usize) -> Value {
    let schema = resolve(document, schema);
    if depth > 6 {
        return Value::Null;
    }
    if let Some(value) = schema.get("example").or_else(|| schema.get("default")) {
        return value.clone();
    }
    if let Some(first) = schema
        .get("enum")
        .and_then(Value::as_array)
        .and_then(|all| all.first())
    {
        return first.clone();
    }
    for join in ["allOf", "anyOf", "oneOf"] {
        if let Some(first) = schema
            .get(join)
            .and_then(Value::as_array)
            .and_then(|all| all.first())
        {
            return example(document, first, name, depth + 1);
        }
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("integer" | "number") => Value::from(1),
        Some("boolean") => Value::Bool(true),
        Some("array") => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            Value::Array(vec![example(document, items, name, depth + 1)])
        }
        Some("string") => Value::String(sample(
            name,
            schema
                .get("format")
                .and_then(Value::as_str)
                .unwrap_or("text"),
        )),
        _ => match schema.get("properties").and_then(Value::as_object) {
            Some(fields) => Value::Object(object(document, fields, depth)),
            None if name.is_empty() => Value::Object(Map::new()),
            None => Value::String(sample(name, "text")),
        },
    }
}

fn object(document: &Value, fields: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let fields = fields.iter().take(50);
    fields
        .map(|(name, schema)| (name.clone(), example(document, schema, name, depth + 1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_gives_requests_without_its_servers() {
        let document = serde_json::json!({
            "openapi": "3.0.0", "servers": [{"url": "https://elsewhere.example/"}],
            "paths": {"/items/{id}": {
                "get": {"parameters": [{"name": "q", "in": "query"}]},
                "post": {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}}}},
            "components": {"schemas": {"Item": {"type": "object", "properties": {"title": {"type": "string"}, "count": {"type": "integer"}}}}}});
        let calls = routes(&document).unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[0].target(), "/items/1?q=auditor");
        assert_eq!(
            calls[1].body,
            Body::Json(serde_json::json!({"title": "auditor", "count": 1}))
        );
        assert!(routes(&serde_json::json!({"paths": {}})).is_none());
    }
}
