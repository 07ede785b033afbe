use std::fmt;
use std::sync::{Arc, OnceLock};

use super::Language;

/// The typed text of a field, and the field's label.
#[derive(Clone, Debug)]
pub(crate) struct TypedField {
    pub(crate) form: &'static str,
    pub(crate) field: String,
    /// The label in the code; another language may have its own.
    pub(crate) label: String,
    pub(crate) text: String,
}

impl TypedField {
    /// The labels in the reader's locale, and the texts.
    pub(super) fn list<'a>(typed: &'a [Self], language: &Language) -> Vec<(String, &'a str)> {
        let typed = typed.iter();
        typed
            .map(|typed| {
                let label = language.label(typed.form, &typed.field, None);
                (label.unwrap_or_else(|| typed.label.clone()), &*typed.text)
            })
            .collect()
    }
}

/// A form that can say what was typed into it. Only an error page asks, so most forms never do.
pub(crate) trait TypedForm: fmt::Debug + Send + Sync {
    fn texts(&self) -> Vec<TypedField>;
}

impl TypedForm for Vec<TypedField> {
    fn texts(&self) -> Self {
        self.clone()
    }
}

/// The form that came with a request. The guard of the route creates it empty and the form fills it. If a handler fails
/// later, its error page shows the texts: nobody types them twice because the database was busy.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedInForm(Arc<OnceLock<Box<dyn TypedForm>>>);

impl TypedInForm {
    /// Stores a request's one form.
    pub(crate) fn keep(&self, form: impl TypedForm + 'static) {
        self.0.get_or_init(|| Box::new(form));
    }

    pub(super) fn texts(&self) -> Vec<TypedField> {
        self.0.get().map_or_else(Vec::new, |form| form.texts())
    }
}
