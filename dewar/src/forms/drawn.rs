use super::view::Method;
use super::{FieldSpec, FormView, Problem, Shown};

/// One field on its way to the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<'a> {
    pub(super) form: &'a FormView,
    pub(super) spec: &'a FieldSpec,
    pub(super) shown: &'a Shown,
    pub(super) had_file: bool,
}

impl<'a> Drawn<'a> {
    /// Begins with the form's name, so that two forms on a page do not share an id.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.form.name, self.spec.name)
    }

    pub(super) fn part_id(&self, part: &'static str) -> String {
        format!("{}-{}-{part}", self.form.name, self.spec.name)
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &'a Problem> {
        self.form.problems.of(self.spec.name)
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.problems().next().is_some()
    }

    pub(super) fn has_hint(&self) -> bool {
        self.spec.hint.is_some() || self.choose_again()
    }

    /// A file does not come back: the browser shows none, and what came was dropped with the rest.
    pub(super) fn choose_again(&self) -> bool {
        self.had_file && !self.form.problems.is_empty()
    }

    pub(super) fn searching(&self) -> bool {
        self.form.method == Method::Get
    }
}
