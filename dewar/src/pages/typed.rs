use std::sync::{Arc, OnceLock};

use super::Language;

/// The typed text of a field, and the field's label.
#[derive(Debug)]
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

/// The texts of the form that came with a request. The guard of the route creates it empty and the form fills it. If a
/// handler fails later, its error page shows the texts: nobody types them twice because the database was busy.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedInForm(Arc<OnceLock<Vec<TypedField>>>);

impl TypedInForm {
    /// Stores the texts of a request's one form.
    pub(crate) fn keep(&self, typed: Vec<TypedField>) {
        self.0.get_or_init(|| typed);
    }

    pub(super) fn texts(&self) -> &[TypedField] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
}
