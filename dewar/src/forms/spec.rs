use serde::Serialize;

use super::FieldKind;
use super::config::NAME;

/// Room beside the fields: the token, and a name that the form does not know and that is then named in the refusal.
const MARGIN: usize = 8 * 1024;

/// The most bytes that a form of these fields has as it is sent, each byte spelled by three; none where a field may come any
/// number of times.
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
    /// The name that is sent.
    pub name: &'static str,
    /// The name that people read.
    pub label: &'static str,
    /// What it takes.
    #[serde(flatten)]
    pub kind: FieldKind,
    /// A sentence beside the label.
    #[serde(skip)]
    pub hint: Option<&'static str>,
    /// An example inside the empty field.
    #[serde(skip)]
    pub placeholder: Option<&'static str>,
    /// The words over this field and its neighbours of the same group.
    #[serde(skip)]
    pub group: Option<&'static str>,
    /// The height of a field of several lines.
    #[serde(skip)]
    pub rows: u16,
    /// What people often enter, offered while they type; anything else is taken as well.
    #[serde(skip)]
    pub suggestions: &'static [&'static str],
    /// Whether the label is read aloud and not shown.
    #[serde(skip)]
    pub unlabelled: bool,
}

impl FieldSpec {
    /// A field of a kind.
    #[must_use]
    pub const fn new(name: &'static str, label: &'static str, kind: FieldKind) -> Self {
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

    /// With a sentence beside the label.
    #[must_use]
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// With an example inside the empty field.
    #[must_use]
    pub const fn placeholder(mut self, placeholder: &'static str) -> Self {
        self.placeholder = Some(placeholder);
        self
    }

    /// In a group; neighbours of the same group stand in one `<fieldset>`.
    #[must_use]
    pub const fn group(mut self, group: &'static str) -> Self {
        self.group = Some(group);
        self
    }

    /// With what people often enter, offered while they type.
    #[must_use]
    pub const fn suggest(mut self, suggestions: &'static [&'static str]) -> Self {
        self.suggestions = suggestions;
        self
    }

    /// With a label that is read aloud and not shown: for a field whose place says what it is, such as a search.
    #[must_use]
    pub const fn unlabelled(mut self) -> Self {
        self.unlabelled = true;
        self
    }

    /// With a height.
    #[must_use]
    pub const fn rows(mut self, rows: u16) -> Self {
        self.rows = rows;
        self
    }
}
