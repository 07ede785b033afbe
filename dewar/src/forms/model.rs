use super::{FieldSpec, FormValue, Problems, Received};

/// A form as data. `#[derive(Form)]` writes it; nobody implements it by hand.
///
/// ```
/// use dewar::Form;
/// use dewar::forms::{CleanHtml, Line, Model};
/// #[derive(Form)]
/// struct NewNote {
///     title: Line<80>,
///     #[field(hint = "Some formatting is kept.", rows = 12)]
///     body: CleanHtml<20_000>,
/// }
/// assert_eq!(NewNote::FIELDS[0].label, "Title");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form",
    note = "write `#[derive(Form)]` on a struct whose fields are value types, such as `Line<80>`"
)]
pub trait Model: Sized + Send + 'static {
    /// The type's name in `kebab-case`; the ids of its fields on a page begin with it.
    const NAME: &'static str;

    /// The fields, in the order of the form.
    const FIELDS: &'static [FieldSpec];

    /// Reads the form from a request's input; `from` collects the problems.
    fn read(from: &mut Received) -> Option<Self>;

    /// The value that each field shows, in the order of [`FIELDS`](Self::FIELDS).
    fn show(&self) -> Vec<FormValue>;

    /// The rule between fields, `#[form(check = …)]`.
    ///
    /// # Errors
    /// The problems.
    fn check(&self) -> Result<(), Problems<Self>> {
        Ok(())
    }
}
