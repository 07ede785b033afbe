use std::fmt;
use std::ops::Deref;

use super::{Field, FieldKind, FormValue, Problem, RawValue, Received};

/// A value that travels through the page and comes back as it went: sealed, so that nobody reads or changes it.
///
/// It is sealed for this form, this field and this session, with keys that do nothing else
/// ([`Purpose::Hidden`](crate::secrets::Purpose::Hidden)). One that was altered, or comes from another form, field or
/// session, ends the request with 400 and is noted as a security event (CWE-472, CWE-642). A form that was sent after its
/// session ended is shown again after the sign-in, to the same person alone, with the value sealed for the new session.
///
/// What it does not say: that the visitor may still do with it what the page was made for, or that this is the only page
/// that it was sealed for. A record is still loaded through its [scope](crate::roles), and a page that leads to a decision
/// about a record carries its [`RecordVersion`](super::RecordVersion).
///
/// ```
/// use dewar::forms::{Hidden, Int, Line};
/// use dewar::{Form, Page};
/// #[derive(Form)]
/// struct Rename { version: Hidden<Int<0, { i64::MAX }>>, title: Line<80> }
///
/// async fn edit() -> Page {
///     Page::new("rename.html").form("form", Rename::view().fill("version", 7).fill("title", "Minutes"))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden<F>(F);

impl<F: Field> Hidden<F> {
    /// A value to hide, to fill a form with.
    pub const fn new(value: F) -> Self {
        Self(value)
    }

    /// The value.
    pub fn into_inner(self) -> F {
        self.0
    }
}

impl<F> Deref for Hidden<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.0
    }
}

impl<F: Field> Field for Hidden<F> {
    const KIND: FieldKind = FieldKind::hidden(F::KIND);

    /// Always refused: a hidden value is opened by its form, which calls the field within.
    fn parse(_raw: RawValue<'_>) -> Result<Self, Problem> {
        Err(Problem::altered())
    }

    fn show(&self) -> FormValue {
        match self.0.show() {
            FormValue::Text(text) => FormValue::ToSeal(text),
            FormValue::Nothing
            | FormValue::Rows(_)
            | FormValue::Texts(_)
            | FormValue::ToSeal(_) => FormValue::Nothing,
        }
    }

    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        from.take_sealed(name).map(Self)
    }
}

impl<F: fmt::Display> fmt::Display for Hidden<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
