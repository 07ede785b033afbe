use std::sync::{Arc, OnceLock};

use super::Language;

/// What was typed into a field, and where.
#[derive(Debug)]
pub(crate) struct TypedField {
    pub(crate) form: &'static str,
    pub(crate) field: String,
    /// What the program calls the field; a language may have another word.
    pub(crate) label: String,
    pub(crate) text: String,
}

impl TypedField {
    /// Labels in the language of the reader, and texts.
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

/// The texts of the form that came with a request. The guard of the route leaves it empty, the form fills it, and the error
/// page of an error that a handler returns later shows them: nobody types them twice because the database was busy.
#[derive(Clone, Debug, Default)]
pub(crate) struct TypedInForm(Arc<OnceLock<Vec<TypedField>>>);

impl TypedInForm {
    /// Keeps the texts of the one form of a request.
    pub(crate) fn keep(&self, typed: Vec<TypedField>) {
        self.0.get_or_init(|| typed);
    }

    pub(super) fn texts(&self) -> &[TypedField] {
        self.0.get().map_or(&[], Vec::as_slice)
    }
}
