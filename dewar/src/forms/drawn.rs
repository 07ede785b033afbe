use std::borrow::Cow;

use super::view::Method;
use super::{FieldSpec, FormView, Problem, Shown};
use crate::csrf::Gate;

/// One field on its way to the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<'a> {
    pub(super) form: &'a FormView,
    pub(super) gate: Option<&'a Gate>,
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

    /// What there is to choose from, as it is sent and as it is read.
    pub(super) fn offers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let known = self.spec.kind.offers.iter();
        let offered = self.form.offered(self.spec.name).iter();
        known
            .map(|offer| (offer.value, offer.label))
            .chain(offered.map(|(value, label)| (value.as_str(), label.as_str())))
    }

    /// What the page carries of a hidden value: sealed now, or as it came.
    pub(super) fn sealed(&self) -> Option<Cow<'a, str>> {
        match (self.shown, self.gate) {
            (Shown::Text(sealed), _) => Some(Cow::Borrowed(sealed)),
            (Shown::ToSeal(text), Some(gate)) => {
                let place = [self.form.name, self.spec.name];
                gate.seal(&place, text).ok().map(Cow::Owned)
            }
            (Shown::Nothing | Shown::Texts(_) | Shown::ToSeal(_), _) => None,
        }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.problems().next().is_some()
    }

    /// Whether the page opens with the cursor here.
    pub(super) fn is_focused(&self) -> bool {
        self.form.focus() == Some(self.spec.name)
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
