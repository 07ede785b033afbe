//! What a template finds in a value: the names of its parts, known before any page is rendered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Schemas;

/// The parts of a value, as a template sees them.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// Nothing is known: every name may be there.
    Any,
    /// A text, a number, a yes or no: it has no parts.
    Leaf,
    /// Items of one shape.
    List(Arc<Self>),
    /// Values of one shape by keys that only the running program knows.
    Map(Arc<Self>),
    /// Parts with names.
    Parts(Arc<BTreeMap<String, Self>>),
    /// A type that has a name in [`Schemas`], because it may contain itself.
    Named(String),
}

/// The result of a look for a part.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Found(Shape),
    /// The value has no such part, but these.
    Missing(Vec<String>),
}

impl Shape {
    /// Parts with these names.
    pub(crate) fn parts(parts: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let parts = parts.into_iter();
        Self::Parts(Arc::new(
            parts
                .map(|(name, shape)| (name.to_owned(), shape))
                .collect(),
        ))
    }

    pub(crate) fn list(items: Self) -> Self {
        Self::List(Arc::new(items))
    }

    /// The shape of the JSON that serde writes for a value, which is what a template gets.
    pub(super) fn of_schema(schema: &Value) -> Self {
        let Some(members) = schema.as_object() else {
            return Self::Any;
        };
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            return Self::Named(name.to_owned());
        }
        for several in ["anyOf", "oneOf", "allOf"] {
            if let Some(all) = members.get(several).and_then(Value::as_array) {
                return all.iter().map(Self::of_schema).fold(Self::Leaf, Self::or);
            }
        }
        if let Some(parts) = members.get("properties").and_then(Value::as_object) {
            let parts = parts.iter();
            let parts = parts.map(|(name, schema)| (name.clone(), Self::of_schema(schema)));
            return Self::Parts(Arc::new(parts.collect()));
        }
        if let Some(items) = members.get("items") {
            return Self::list(Self::of_schema(items));
        }
        if members.contains_key("prefixItems") {
            return Self::list(Self::Any);
        }
        match members.get("additionalProperties") {
            Some(Value::Bool(_)) => Self::Any,
            Some(values) => Self::Map(Arc::new(Self::of_schema(values))),
            None if is_plain(members) => Self::Leaf,
            None => Self::Any,
        }
    }

    /// A value of one shape or the other: a part is known if one of them has it.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Leaf, one) | (one, Self::Leaf) => one,
            (Self::Parts(one), Self::Parts(two)) => {
                let mut both = (*one).clone();
                for (name, shape) in two.iter() {
                    let known = both.remove(name).unwrap_or(Self::Leaf);
                    both.insert(name.clone(), known.or(shape.clone()));
                }
                Self::Parts(Arc::new(both))
            }
            (one, two) if one == two => one,
            _ => Self::Any,
        }
    }

    /// The shape itself, where this is the name of a type.
    fn resolved(&self, schemas: &Schemas) -> Self {
        let mut shape = self.clone();
        // Each name stands for a schema; a chain of names ends.
        for _ in 0..8 {
            let Self::Named(name) = &shape else {
                return shape;
            };
            let Some(schema) = schemas.named().get(name) else {
                return Self::Any;
            };
            shape = Self::of_schema(schema);
        }
        Self::Any
    }

    pub(super) fn part(&self, name: &str, schemas: &Schemas) -> Part {
        match self.resolved(schemas) {
            Self::Any | Self::Named(_) => Part::Found(Self::Any),
            Self::Map(values) => Part::Found((*values).clone()),
            Self::Leaf | Self::List(_) => Part::Missing(Vec::new()),
            Self::Parts(parts) => match parts.get(name) {
                Some(shape) => Part::Found(shape.clone()),
                None => Part::Missing(parts.keys().cloned().collect()),
            },
        }
    }

    /// The shape of each item, where a template repeats something for each.
    pub(super) fn items(&self, schemas: &Schemas) -> Self {
        match self.resolved(schemas) {
            Self::List(items) => (*items).clone(),
            Self::Any | Self::Leaf | Self::Map(_) | Self::Named(_) | Self::Parts(_) => Self::Any,
        }
    }

    /// The shape behind a key that only the running program knows.
    pub(super) fn item(&self, schemas: &Schemas) -> Self {
        match self.resolved(schemas) {
            Self::List(items) | Self::Map(items) => (*items).clone(),
            Self::Any | Self::Leaf | Self::Named(_) | Self::Parts(_) => Self::Any,
        }
    }
}

/// Whether a schema is that of a text, a number or the like.
fn is_plain(members: &serde_json::Map<String, Value>) -> bool {
    let plain = |name: &Value| !matches!(name.as_str(), Some("object" | "array"));
    match members.get("type") {
        Some(Value::Array(names)) => names.iter().all(plain),
        Some(name) => plain(name),
        None => members.contains_key("const") || members.contains_key("enum"),
    }
}
