//! The filters of the list, and the addresses with these filters.

use dewar::Form;
use dewar::forms::{Choice, Choices, Cursor, Line};
use dewar::pages::JsonSchema;
use form_urlencoded::Serializer;
use serde::Serialize;

use super::{DocumentStatus, tags};

/// The sort orders of the list.
#[derive(Choices, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DocumentOrder {
    /// Of a search for words; without one, the newest first.
    #[default]
    #[choice(label = "Best match, or newest")]
    Best,
    #[choice(label = "Largest first")]
    Largest,
    #[choice(label = "Newest first")]
    Newest,
    #[choice(label = "Oldest first")]
    Oldest,
    Title,
}

/// The query of the list; an empty field filters nothing.
#[derive(Form, Debug)]
pub(crate) struct DocumentFilter {
    q: Option<Line<80>>,
    status: Option<Choice<DocumentStatus>>,
    tag: Option<Line<30>>,
    sort: Option<Choice<DocumentOrder>>,
    page: Option<Cursor>,
}

/// The filters for the page.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FilterView {
    q: String,
    status: &'static str,
    tag: String,
    sort: &'static str,
    active: bool,
}

impl DocumentFilter {
    pub(super) fn text(&self) -> &str {
        self.q.as_ref().map_or("", Line::as_str)
    }

    pub(super) fn status(&self) -> &'static str {
        self.status.map_or("", Choice::value)
    }

    pub(super) fn tag(&self) -> String {
        tags::normal(self.tag.as_ref().map_or("", Line::as_str))
    }

    pub(super) fn sort(&self) -> DocumentOrder {
        self.sort.map(Choice::get).unwrap_or_default()
    }

    /// Whether the list searches for words, which the full-text index finds.
    pub(super) const fn has_words(&self) -> bool {
        self.q.is_some()
    }

    /// Whether the list looks for a tag alone, which no index of an order has.
    pub(super) const fn has_tag(&self) -> bool {
        self.tag.is_some()
    }

    /// The position where the page begins.
    pub(super) const fn place(&self) -> Option<&Cursor> {
        self.page.as_ref()
    }

    pub(super) fn shown(&self) -> FilterView {
        FilterView {
            q: self.text().to_owned(),
            status: self.status(),
            tag: self.tag.as_ref().map_or("", Line::as_str).to_owned(),
            sort: Choice::new(self.sort()).value(),
            active: self.q.is_some() || self.status.is_some() || self.tag.is_some(),
        }
    }

    /// The address of another page of the same list, which is at this path.
    pub(super) fn address(&self, path: &str, cursor: &str) -> String {
        let mut query = Serializer::for_suffix(format!("{path}?"), path.len() + 1);
        let parts = [
            ("q", self.text()),
            ("status", self.status()),
            ("tag", self.tag.as_ref().map_or("", Line::as_str)),
        ];
        query.extend_pairs(parts.into_iter().filter(|(_, value)| !value.is_empty()));
        if let Some(sort) = self.sort {
            query.append_pair("sort", sort.value());
        }
        query.append_pair("page", cursor).finish()
    }
}
