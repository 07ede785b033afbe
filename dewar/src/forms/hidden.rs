use std::fmt;
use std::ops::Deref;

use super::{Field, FieldKind, FormValue, Problem, RawValue, Received};

/// A hidden value, which travels through the page and comes back unchanged: it is sealed, so nobody reads or changes it.
///
/// It is sealed for this form, this field and this session, with keys that have no other use
/// ([`Purpose::Hidden`](crate::secrets::Purpose::Hidden)). If the value was altered, or comes from another form, field or
/// session, Dewar refuses the request with 400 and logs a security event (CWE-472, CWE-642). If a form arrives after its session
/// ended, Dewar shows it again after the sign-in, only to the same user, with the value sealed for the new session.
///
/// A hidden value does not prove that the user may still do what the page offered, nor that it comes from the latest page. Load a
/// record through its [scope](crate::roles), and put its [`RecordVersion`](super::RecordVersion) into a page that leads to a
/// decision about it.
///
/// ```
/// use dewar::forms::{Hidden, Int, Line};
/// use dewar::{Form, Page};
/// #[derive(Form)]
/// struct Rename { version: Hidden<Int<0, { i64::MAX }>>, title: Line<80> }
///
/// async fn edit() -> Page {
///     Page::new("rename.html").form("form", Rename::view().fill(Rename::VERSION, 7).fill(Rename::TITLE, "Minutes"))
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

    /// Always refuses: the form opens a hidden value and calls the inner field.
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
