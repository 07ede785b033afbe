use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// A type whose JSON has a known form: what a [`Json`](super::Json) holds. `#[derive(JsonSchema)]` beside
/// `#[derive(Serialize)]` writes it.
///
/// The derive reads serde's attributes, so the schema has the names that serde writes. It refuses an attribute whose effect
/// it cannot see (`with`, `into`). The first paragraph of a documentation comment becomes the description.
///
/// ```
/// use dewar::pages::{JsonSchema, Schemas};
/// /// A ticket of the help desk.
/// #[derive(serde::Serialize, JsonSchema)]
/// #[serde(rename_all = "camelCase")]
/// struct Ticket {
///     id: i64,
///     title: String,
///     closed_at: Option<i64>,
/// }
/// let mut schemas = Schemas::default();
/// assert_eq!(Ticket::schema(&mut schemas)["$ref"], "#/components/schemas/Ticket");
/// let ticket = &schemas.named()["Ticket"];
/// assert_eq!(ticket["properties"]["closedAt"]["type"], serde_json::json!(["integer", "null"]));
/// ```
#[diagnostic::on_unimplemented(
    message = "the JSON of `{Self}` has no known form",
    label = "not a `dewar::pages::JsonSchema`",
    note = "write `#[derive(serde::Serialize, dewar::pages::JsonSchema)]` on it",
    note = "a type of another crate goes into `Json(Untyped(it))`; the route table and OpenAPI then say that its form is unknown"
)]
pub trait JsonSchema {
    /// The schema (JSON Schema 2020-12); a type with a name adds itself to `schemas` and returns a reference.
    fn schema(schemas: &mut Schemas) -> Value;
}

/// The schemas of types with a name, as OpenAPI lists them under `components`.
///
/// ```
/// use dewar::pages::{JsonSchema, Schemas};
/// struct Colour(u8);
/// impl JsonSchema for Colour {
///     fn schema(schemas: &mut Schemas) -> serde_json::Value {
///         schemas.define::<Self>("Colour", |_| serde_json::json!({ "type": "integer", "maximum": 255 }))
///     }
/// }
/// # let _ = Colour(1).0;
/// assert_eq!(Colour::schema(&mut Schemas::default())["$ref"], "#/components/schemas/Colour");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    named: BTreeMap<String, Value>,
    /// The name of each type, by its path in the program.
    names: HashMap<&'static str, String>,
}

impl Schemas {
    /// Adds the schema of a type under this name, once, and returns a reference to it. A type may contain itself. If
    /// another type has the name already, this one gets a number behind it.
    pub fn define<T: ?Sized>(
        &mut self,
        name: &str,
        schema: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let path = std::any::type_name::<T>();
        if let Some(name) = self.names.get(path) {
            return reference(name);
        }
        let is_free = |name: &String| !self.named.contains_key(name);
        let numbered = (2_u32..).map(|number| format!("{name}{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let name = names.find(is_free).unwrap_or_default();
        // Before the schema is written, because the type may contain itself.
        self.names.insert(path, name.clone());
        self.named.insert(name.clone(), Value::Null);
        let schema = schema(self);
        self.named.insert(name.clone(), schema);
        reference(&name)
    }

    /// All schemas, by their names.
    #[must_use]
    pub const fn named(&self) -> &BTreeMap<String, Value> {
        &self.named
    }
}

/// The schema with a description, for the derive. A reference keeps its own members beside `$ref` (JSON Schema 2020-12, 8.2.3.1).
#[doc(hidden)]
#[must_use]
pub fn described(mut schema: Value, description: &str) -> Value {
    if let Some(members) = schema.as_object_mut().filter(|_| !description.is_empty()) {
        members.insert("description".to_owned(), description.into());
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// A value of the template engine can be anything.
impl JsonSchema for minijinja::Value {
    fn schema(_: &mut Schemas) -> Value {
        json!({})
    }
}

/// The schema of a value that may be `null`.
pub(crate) fn or_null(mut schema: Value) -> Value {
    let nullable = schema.as_object_mut().is_some_and(|members| {
        if members.contains_key("const") {
            return false;
        }
        match members.get_mut("type") {
            Some(Value::String(name)) => {
                let both = json!([name, "null"]);
                members.insert("type".to_owned(), both);
            }
            Some(Value::Array(names)) => {
                if !names.contains(&json!("null")) {
                    names.push(json!("null"));
                }
            }
            _ => return false,
        }
        if let Some(Value::Array(values)) = members.get_mut("enum") {
            values.push(Value::Null);
        }
        true
    });
    if nullable || schema.as_object().is_some_and(Map::is_empty) {
        schema
    } else {
        json!({ "anyOf": [schema, { "type": "null" }] })
    }
}

macro_rules! plain {
    ($($kind:ty => $schema:tt),* $(,)?) => {$(
        impl JsonSchema for $kind {
            fn schema(_: &mut Schemas) -> Value {
                json!($schema)
            }
        }
    )*};
}

plain! {
    bool => { "type": "boolean" },
    String => { "type": "string" },
    str => { "type": "string" },
    char => { "type": "string", "minLength": 1, "maxLength": 1 },
    () => { "type": "null" },
    // serde_json writes a number that is not finite as null.
    f32 => { "type": ["number", "null"], "format": "float" },
    f64 => { "type": ["number", "null"], "format": "double" },
    i8 => { "type": "integer", "minimum": -128, "maximum": 127 },
    i16 => { "type": "integer", "minimum": -32_768, "maximum": 32_767 },
    i32 => { "type": "integer", "format": "int32" },
    i64 => { "type": "integer", "format": "int64" },
    isize => { "type": "integer", "format": "int64" },
    u8 => { "type": "integer", "minimum": 0, "maximum": 255 },
    u16 => { "type": "integer", "minimum": 0, "maximum": 65_535 },
    u32 => { "type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32 },
    u64 => { "type": "integer", "minimum": 0 },
    usize => { "type": "integer", "minimum": 0 },
    // Any JSON.
    Value => {},
}

macro_rules! same {
    ($($kind:ty),* $(,)?) => {$(
        impl<T: JsonSchema + ?Sized> JsonSchema for $kind {
            fn schema(schemas: &mut Schemas) -> Value {
                T::schema(schemas)
            }
        }
    )*};
}

same! { &T, Box<T>, Rc<T>, Arc<T> }

macro_rules! array {
    ($($kind:ty),* $(,)?) => {$(
        impl<T: JsonSchema> JsonSchema for $kind {
            fn schema(schemas: &mut Schemas) -> Value {
                json!({ "type": "array", "items": T::schema(schemas) })
            }
        }
    )*};
}

array! { Vec<T>, [T], BTreeSet<T>, HashSet<T> }

impl<T: JsonSchema, const N: usize> JsonSchema for [T; N] {
    fn schema(schemas: &mut Schemas) -> Value {
        let items = T::schema(schemas);
        json!({ "type": "array", "items": items, "minItems": N, "maxItems": N })
    }
}

impl<T: JsonSchema> JsonSchema for Option<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        or_null(T::schema(schemas))
    }
}

impl<T: JsonSchema + ToOwned + ?Sized> JsonSchema for std::borrow::Cow<'_, T> {
    fn schema(schemas: &mut Schemas) -> Value {
        T::schema(schemas)
    }
}

macro_rules! map {
    ($($kind:ident),*) => {$(
        /// JSON has texts alone as the names of members.
        impl<K, T: JsonSchema> JsonSchema for $kind<K, T> {
            fn schema(schemas: &mut Schemas) -> Value {
                json!({ "type": "object", "additionalProperties": T::schema(schemas) })
            }
        }
    )*};
}

map! { BTreeMap, HashMap }

macro_rules! tuple {
    ($($part:ident)*) => {
        impl<$($part: JsonSchema),*> JsonSchema for ($($part,)*) {
            fn schema(schemas: &mut Schemas) -> Value {
                let parts = [$($part::schema(schemas)),*];
                let length = parts.len();
                json!({ "type": "array", "prefixItems": parts, "minItems": length, "maxItems": length })
            }
        }
    };
}

tuple! { A B }
tuple! { A B C }
tuple! { A B C D }

#[cfg(test)]
mod tests;
