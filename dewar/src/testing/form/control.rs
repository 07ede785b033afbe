use super::super::body::Entry;
use bytes::Bytes;
use scraper::{ElementRef, Selector};
use std::sync::LazyLock;

#[expect(
    clippy::expect_used,
    reason = "the selector is a literal, and a test reads it"
)]
static OPTIONS: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("option").expect("a CSS selector"));

/// A control of a form that can contribute to what is sent.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
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
        options: Vec<Choice>,
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
pub(super) struct Choice {
    value: String,
    chosen: bool,
    offered: bool,
}

impl Control {
    /// None where the control never contributes: disabled, nameless (buttons aside), reset, in a `datalist`.
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
        let contributes = !name.is_empty() || matches!(kind, Kind::Button { .. });
        contributes.then_some(Self { name, kind })
    }

    pub(super) fn is_for_people(&self) -> bool {
        !matches!(self.kind, Kind::Hidden { .. } | Kind::Button { .. })
    }

    /// What it contributes to the form's data.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |value: &String| Entry::Text {
            name: self.name.clone(),
            value: value.clone(),
        };
        match &self.kind {
            Kind::Box { value, on } | Kind::Radio { value, on } => {
                on.then(|| entry(value)).into_iter().collect()
            }
            Kind::Button { value, pressed, .. } => (*pressed && !self.name.is_empty())
                .then(|| entry(value))
                .into_iter()
                .collect(),
            // A field without a file still sends an empty one.
            Kind::Files { files, .. } if files.is_empty() => {
                vec![self.file("", "application/octet-stream", Bytes::new())]
            }
            Kind::Files { files, .. } => files
                .iter()
                .map(|(file_name, kind, bytes)| self.file(file_name, kind, bytes.clone()))
                .collect(),
            Kind::Hidden { value } | Kind::Text { value, .. } => vec![entry(value)],
            Kind::Options { options, .. } => options
                .iter()
                .filter(|option| option.chosen)
                .map(|option| entry(&option.value))
                .collect(),
        }
    }

    /// Whether a person can choose this value here.
    pub(super) fn offers(&self, wanted: &str) -> bool {
        match &self.kind {
            Kind::Box { value, .. } | Kind::Radio { value, .. } => value == wanted,
            Kind::Options { options, .. } => options
                .iter()
                .any(|option| option.offered && option.value == wanted),
            Kind::Button { .. } | Kind::Files { .. } | Kind::Hidden { .. } | Kind::Text { .. } => {
                false
            }
        }
    }

    /// A choice was made under this control's name: at this very control, or at a neighbour.
    pub(super) fn choose(&mut self, wanted: &str, here: bool) {
        match &mut self.kind {
            Kind::Box { on, .. } => *on |= here,
            Kind::Radio { on, .. } => *on = here,
            Kind::Options { options, several } => {
                for option in options.iter_mut().filter(|_| here) {
                    option.chosen = option.value == wanted || (*several && option.chosen);
                }
            }
            Kind::Button { .. } | Kind::Files { .. } | Kind::Hidden { .. } | Kind::Text { .. } => {}
        }
    }

    fn file(&self, file_name: &str, kind: &str, bytes: Bytes) -> Entry {
        let (name, file_name, kind) = (self.name.clone(), file_name.to_owned(), kind.to_owned());
        Entry::File {
            name,
            file_name,
            kind,
            bytes,
        }
    }
}

fn input(element: ElementRef<'_>) -> Option<Kind> {
    let value = element.attr("value").map(ToOwned::to_owned);
    let on = element.attr("checked").is_some();
    Some(match lower(element, "type").as_str() {
        "button" | "image" | "reset" => return None,
        "checkbox" => Kind::Box {
            value: value.unwrap_or_else(|| "on".to_owned()),
            on,
        },
        "file" => Kind::Files {
            files: Vec::new(),
            several: element.attr("multiple").is_some(),
        },
        "hidden" => Kind::Hidden {
            value: value.unwrap_or_default(),
        },
        "radio" => Kind::Radio {
            value: value.unwrap_or_else(|| "on".to_owned()),
            on,
        },
        "submit" => button(element, &value.unwrap_or_default()),
        _ => text(element, value.unwrap_or_default()),
    })
}

fn text(element: ElementRef<'_>, value: String) -> Kind {
    Kind::Text {
        value,
        writable: element.attr("readonly").is_none(),
    }
}

fn button(element: ElementRef<'_>, label: &str) -> Kind {
    let attribute = |name| element.attr(name).map(ToOwned::to_owned);
    Kind::Button {
        value: attribute("value").unwrap_or_default(),
        label: label.trim().to_owned(),
        pressed: false,
        action: attribute("formaction"),
        method: attribute("formmethod"),
    }
}

fn options(element: ElementRef<'_>) -> Kind {
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
        Choice {
            value: option.attr("value").map_or_else(label, ToOwned::to_owned),
            chosen: option.attr("selected").is_some(),
            offered: option.attr("disabled").is_none(),
        }
    };
    let mut options: Vec<Choice> = element.select(&OPTIONS).map(read).collect();
    if !several && !options.iter().any(|option| option.chosen) {
        // A list that shows one line always has one chosen.
        if let Some(first) = options.iter_mut().find(|option| option.offered) {
            first.chosen = true;
        }
    }
    Kind::Options { options, several }
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
