//! The values of the application that every page shows, the framework's own pages and error pages among them.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::JsonSchema;
use super::page_data::PageValues;
use super::untrusted::untrusted;

/// The name of the values in a template.
pub(super) const NAME: &str = "layout";

/// The values, made once at the start. No page reads a database for them.
#[derive(Debug, Clone)]
pub(crate) struct LayoutValues(Value);

/// The parts of the values, for the checks of the templates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayoutType(fn(&mut PageValues));

impl LayoutValues {
    pub(crate) fn of(values: impl Serialize) -> Self {
        Self(untrusted(Value::from(Serde(values))))
    }

    pub(super) fn value(&self) -> Value {
        self.0.clone()
    }
}

impl LayoutType {
    pub(crate) fn of<T: Serialize + JsonSchema>() -> Self {
        Self(|values| values.add::<T>(NAME))
    }

    pub(super) fn describe(self, values: &mut PageValues) {
        (self.0)(values);
    }
}
