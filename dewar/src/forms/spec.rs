use serde::Serialize;

use super::FieldKind;
use super::config::NAME;

/// The bytes besides the fields: the CSRF token, and an unknown name that the refusal then quotes.
const MARGIN: usize = 8 * 1024;

/// The most bytes that a request needs for these fields, with three for each byte of a value; none if a field may come any number
/// of times.
pub(super) fn largest(fields: &[FieldSpec]) -> Option<usize> {
    Some(of_fields(fields)?.saturating_add(MARGIN))
}

fn of_fields(fields: &[FieldSpec]) -> Option<usize> {
    fields.iter().try_fold(0_usize, |sum, spec| {
        let kind = &spec.kind;
        let times = match kind.max_items {
            Some(most) => most,
            None if kind.repeated => return None,
            None => 1,
        };
        let once = if kind.items.is_empty() {
            (NAME + kind.text_bytes())
                .saturating_mul(3)
                .saturating_add(2)
        } else {
            of_fields(kind.items)?
        };
        Some(sum.saturating_add(once.saturating_mul(times)))
    })
}

/// A field of a form by its name; `#[derive(Form)]` writes a list of them.
///
/// ```
/// use dewar::forms::{FieldSpec, FieldKind};
/// const TITLE: FieldSpec = FieldSpec::new("title", "Title", FieldKind::line(80)).hint("In a few words.");
/// assert_eq!(TITLE.label, "Title");
/// ```
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct FieldSpec {
    /// The name that the form sends.
    pub name: &'static str,
    /// The name that people read.
    pub label: &'static str,
    /// The kind of its values, and its look.
    #[serde(flatten)]
    pub kind: FieldKind,
    /// A sentence beside the label.
    #[serde(skip)]
    pub hint: Option<&'static str>,
    /// An example inside the empty field.
    #[serde(skip)]
    pub placeholder: Option<&'static str>,
    /// The legend over this field and its neighbours of the same group.
    #[serde(skip)]
    pub group: Option<&'static str>,
    /// The height of a field of several lines.
    #[serde(skip)]
    pub rows: u16,
    /// Values that people often enter, offered while they type; any other value is accepted too.
    #[serde(skip)]
    pub suggestions: &'static [&'static str],
    /// Whether screen readers read the label and the page does not show it.
    #[serde(skip)]
    pub unlabelled: bool,
}

impl FieldSpec {
    /// A field of a kind.
    ///
    /// # Panics
    /// If a `DirectUpload` names no route for its tickets; in a constant it does not compile.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, kind: FieldKind) -> Self {
        assert!(
            !kind.direct || kind.tickets.is_some(),
            "a `DirectUpload` names the route that gives out its tickets: `#[field(tickets = \"/documents/tickets\")]`"
        );
        Self {
            name,
            label,
            kind,
            hint: None,
            placeholder: None,
            group: None,
            rows: 6,
            suggestions: &[],
            unlabelled: false,
        }
    }

    /// Adds a sentence beside the label.
    #[must_use]
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// Adds an example inside the empty field.
    #[must_use]
    pub const fn placeholder(mut self, placeholder: &'static str) -> Self {
        self.placeholder = Some(placeholder);
        self
    }

    /// Puts it into a group; neighbours of one group share a `<fieldset>`.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// Adds values that people often enter, offered while they type.
    #[must_use]
    pub const fn suggest(mut self, suggestions: &'static [&'static str]) -> Self {
        self.suggestions = suggestions;
        self
    }

    /// Hides the label, which screen readers still read: for a field whose place explains it, such as a search.
    #[must_use]
    pub const fn unlabelled(mut self) -> Self {
        self.unlabelled = true;
        self
    }

    /// Sets the height.
    #[must_use]
    pub const fn rows(mut self, rows: u16) -> Self {
        self.rows = rows;
        self
    }
}
