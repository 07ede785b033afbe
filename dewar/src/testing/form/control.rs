use super::super::body::BodyEntry;
use bytes::Bytes;
use scraper::{ElementRef, Selector};
use std::sync::LazyLock;

#[expect(
    clippy::expect_used,
    reason = "the selector is a literal, and a test reads it"
)]
static OPTIONS: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("option").expect("a CSS selector"));

/// A control of a form that may contribute to its data.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) name: String,
    pub(super) kind: ControlKind,
}

#[derive(Debug, Clone)]
pub(super) enum ControlKind {
    Box {
        value: String,
        on: bool,
    },
    Button {
        value: String,
        label: String,
        pressed: bool,
        action: Option<String>,
        method: Option<String>,
    },
    Files {
        files: Vec<(String, String, Bytes)>,
        several: bool,
    },
    Hidden {
        value: String,
    },
    Options {
        options: Vec<SelectOption>,
        several: bool,
    },
    Radio {
        value: String,
        on: bool,
    },
    Text {
        value: String,
        writable: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) struct SelectOption {
    value: String,
    chosen: bool,
    offered: bool,
}

impl Control {
    /// `None` for a control that never contributes: disabled, nameless (except buttons), reset, in a `datalist`.
    pub(super) fn read(element: ElementRef<'_>) -> Option<Self> {
        if is_disabled(element) {
            return None;
        }
        let name = element.attr("name").unwrap_or_default().to_owned();
        let kind = match element.value().name() {
            "textarea" => text(element, element.text().collect()),
            "select" => options(element),
            "button" => match lower(element, "type").as_str() {
                "button" | "reset" => return None,
                _ => button(element, &element.text().collect::<String>()),
            },
            _ => input(element)?,
        };
        let contributes = !name.is_empty() || matches!(kind, ControlKind::Button { .. });
        contributes.then_some(Self { name, kind })
    }

    pub(super) fn is_for_people(&self) -> bool {
        !matches!(
            self.kind,
            ControlKind::Hidden { .. } | ControlKind::Button { .. }
        )
    }

    /// Its entries in the form's data.
    pub(super) fn entries(&self) -> Vec<BodyEntry> {
        let entry = |value: &String| BodyEntry::Text {
            name: self.name.clone(),
            value: value.clone(),
        };
        match &self.kind {
            ControlKind::Box { value, on } | ControlKind::Radio { value, on } => {
                on.then(|| entry(value)).into_iter().collect()
            }
            ControlKind::Button { value, pressed, .. } => (*pressed && !self.name.is_empty())
                .then(|| entry(value))
                .into_iter()
                .collect(),
            // A field without a file still sends an empty one.
            ControlKind::Files { files, .. } if files.is_empty() => {
                vec![self.file("", "application/octet-stream", Bytes::new())]
            }
            ControlKind::Files { files, .. } => files
                .iter()
                .map(|(file_name, kind, bytes)| self.file(file_name, kind, bytes.clone()))
                .collect(),
            ControlKind::Hidden { value } | ControlKind::Text { value, .. } => vec![entry(value)],
            ControlKind::Options { options, .. } => options
                .iter()
                .filter(|option| option.chosen)
                .map(|option| entry(&option.value))
                .collect(),
        }
    }

    /// Whether a user can choose this value here.
    pub(super) fn offers(&self, wanted: &str) -> bool {
        match &self.kind {
            ControlKind::Box { value, .. } | ControlKind::Radio { value, .. } => value == wanted,
            ControlKind::Options { options, .. } => options
                .iter()
                .any(|option| option.offered && option.value == wanted),
            ControlKind::Button { .. }
            | ControlKind::Files { .. }
            | ControlKind::Hidden { .. }
            | ControlKind::Text { .. } => false,
        }
    }

    /// Applies a choice under this control's name: of this very control, or of another one.
    pub(super) fn choose(&mut self, wanted: &str, here: bool) {
        match &mut self.kind {
            ControlKind::Box { on, .. } => *on |= here,
            ControlKind::Radio { on, .. } => *on = here,
            ControlKind::Options { options, several } => {
                for option in options.iter_mut().filter(|_| here) {
                    option.chosen = option.value == wanted || (*several && option.chosen);
                }
            }
            ControlKind::Button { .. }
            | ControlKind::Files { .. }
            | ControlKind::Hidden { .. }
            | ControlKind::Text { .. } => {}
        }
    }

    fn file(&self, file_name: &str, kind: &str, bytes: Bytes) -> BodyEntry {
        let (name, file_name, kind) = (self.name.clone(), file_name.to_owned(), kind.to_owned());
        BodyEntry::File {
            name,
            file_name,
            kind,
            bytes,
        }
    }
}

fn input(element: ElementRef<'_>) -> Option<ControlKind> {
    let value = element.attr("value").map(ToOwned::to_owned);
    let on = element.attr("checked").is_some();
    Some(match lower(element, "type").as_str() {
        "button" | "image" | "reset" => return None,
        "checkbox" => ControlKind::Box {
            value: value.unwrap_or_else(|| "on".to_owned()),
            on,
        },
        "file" => ControlKind::Files {
            files: Vec::new(),
            several: element.attr("multiple").is_some(),
        },
        "hidden" => ControlKind::Hidden {
            value: value.unwrap_or_default(),
        },
        "radio" => ControlKind::Radio {
            value: value.unwrap_or_else(|| "on".to_owned()),
            on,
        },
        "submit" => button(element, &value.unwrap_or_default()),
        _ => text(element, value.unwrap_or_default()),
    })
}

fn text(element: ElementRef<'_>, value: String) -> ControlKind {
    ControlKind::Text {
        value,
        writable: element.attr("readonly").is_none(),
    }
}

fn button(element: ElementRef<'_>, label: &str) -> ControlKind {
    let attribute = |name| element.attr(name).map(ToOwned::to_owned);
    ControlKind::Button {
        value: attribute("value").unwrap_or_default(),
        label: label.trim().to_owned(),
        pressed: false,
        action: attribute("formaction"),
        method: attribute("formmethod"),
    }
}

fn options(element: ElementRef<'_>) -> ControlKind {
    let several = element.attr("multiple").is_some();
    let read = |option: ElementRef<'_>| {
        let label = || {
            option
                .text()
                .collect::<String>()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        SelectOption {
            value: option.attr("value").map_or_else(label, ToOwned::to_owned),
            chosen: option.attr("selected").is_some(),
            offered: option.attr("disabled").is_none(),
        }
    };
    let mut options: Vec<SelectOption> = element.select(&OPTIONS).map(read).collect();
    if !several && !options.iter().any(|option| option.chosen) {
        // A list that shows one line always has a selected option.
        if let Some(first) = options.iter_mut().find(|option| option.offered) {
            first.chosen = true;
        }
    }
    ControlKind::Options { options, several }
}

fn is_disabled(element: ElementRef<'_>) -> bool {
    let above = element.ancestors().filter_map(ElementRef::wrap);
    let mut fenced = above.filter(|above| match above.value().name() {
        "datalist" => true,
        "fieldset" => above.attr("disabled").is_some(),
        _ => false,
    });
    element.attr("disabled").is_some() || fenced.next().is_some()
}

fn lower(element: ElementRef<'_>, name: &str) -> String {
    element.attr(name).unwrap_or_default().to_ascii_lowercase()
}
