use super::{Field, FieldKind, FormValue, IntoColumn, Problem, RawValue, Received};

/// A field of a partial change (HTTP `PATCH`): a program that leaves it out leaves the value as it is.
///
/// `null` is a value: it empties a `Patch<Option<F>>`, and a `Patch` of a field that must have a value refuses it. So a program
/// can send one member alone, as RFC 7396 (JSON Merge Patch) has it.
///
/// | in JSON | `Patch<Line<80>>` | `Patch<Option<Line<80>>>` |
/// |---|---|---|
/// | left out | `Unchanged` | `Unchanged` |
/// | `null` | 422, `missing` | `Set(None)` |
/// | `"Tea"` | `Set(…)` | `Set(Some(…))` |
///
/// A page shows every field and a browser sends it, so forms of pages need no `Patch`. There a box without its tick and a list
/// without a choice send nothing, and stay as they are.
///
/// ```
/// use dewar::forms::{Date, Line, Path, Patch};
/// use dewar::pages::NoContent;
/// use dewar::{App, CurrentUser, Form, app::patch};
///
/// #[derive(Form)]
/// struct TicketPatch { subject: Patch<Line<80>>, due: Patch<Option<Date>>, urgent: Patch<bool> }
///
/// async fn change(_member: CurrentUser, Path(_id): Path<i64>, form: Form<TicketPatch>) -> dewar::Result<NoContent> {
///     let patch = form.or_reject()?;
///     if let Patch::Set(due) = patch.due {
///         let _removed = due.is_none();
///     }
///     Ok(NoContent)
/// }
///
/// fn routes(app: App) -> App { app.signed_in([patch("/api/tickets/{id}", change)]) }
/// ```
///
/// In a form that [edits](super::Edits) a record, a field that was left out leaves its column alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "a field was sent or was not")]
pub enum Patch<F> {
    /// The request does not have the field.
    #[default]
    Unchanged,
    /// The request has this value.
    Set(F),
}

impl<F> Patch<F> {
    /// The value that was sent.
    ///
    /// ```
    /// use dewar::forms::Patch;
    /// assert_eq!(Patch::Set(5).sent(), Some(5));
    /// ```
    #[must_use]
    pub fn sent(self) -> Option<F> {
        match self {
            Self::Unchanged => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<F: Field> Field for Patch<F> {
    const KIND: FieldKind = F::KIND.patch();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        F::parse(raw).map(Self::Set)
    }

    fn show(&self) -> FormValue {
        match self {
            Self::Unchanged => FormValue::Nothing,
            Self::Set(value) => value.show(),
        }
    }

    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        if from.was_sent(name) {
            F::take(from, name).map(Self::Set)
        } else {
            Some(Self::Unchanged)
        }
    }
}

impl<C, F: IntoColumn<C>> IntoColumn<C> for Patch<F> {
    fn keep(self) -> Option<C> {
        self.sent().and_then(F::keep)
    }

    fn shown(kept: &C) -> FormValue {
        F::shown(kept)
    }
}
