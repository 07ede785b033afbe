//! The input of a list, row by row.

use super::received::{Received, Value};
use super::{FieldSpec, Problem, UntypedProblems};
use crate::pages::Message;

/// The field of this name: `title`, or `items.0.title` in a row. A list itself has no value.
pub(super) fn find(fields: &'static [FieldSpec], name: &str) -> Option<&'static FieldSpec> {
    if let Some(named) = fields.iter().find(|spec| spec.name == name) {
        return Some(named).filter(|spec| spec.kind.items.is_empty());
    }
    let (list, rest) = name.split_once('.')?;
    let list = fields.iter().find(|spec| spec.name == list)?;
    let (row, rest) = rest.split_once('.')?;
    number(row, list)?;
    find(list.kind.items, rest)
}

/// The label of a field, after that of its row: `Items 1: Title`.
pub(super) fn label(fields: &'static [FieldSpec], name: &str) -> Option<String> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let spec = fields.iter().find(|spec| spec.name == first)?;
    if rest.is_empty() {
        return Some(spec.label.to_owned());
    }
    let (row, rest) = rest.split_once('.').unwrap_or((rest, ""));
    let row = number(row, spec)? + 1;
    if rest.is_empty() {
        return Some(format!("{} {row}", spec.label));
    }
    let inner = label(spec.kind.items, rest)?;
    Some(format!("{} {row}: {inner}", spec.label))
}

/// A row's number, if it has its only valid spelling and the list may be that long.
pub(super) fn number(text: &str, list: &FieldSpec) -> Option<usize> {
    let number: usize = text.parse().ok()?;
    let most = list.kind.max_items.unwrap_or(0);
    (number < most && number.to_string() == text).then_some(number)
}

impl Received {
    /// The place for the value of this name; creates its row if it does not exist.
    pub(super) fn value_at(&mut self, name: &str) -> Option<&mut Value> {
        if let Some(place) = self.place(name) {
            return self.values.get_mut(place);
        }
        let (list, rest) = name.split_once('.')?;
        let place = self.place(list)?;
        let spec = self.fields.get(place)?;
        let (row, rest) = rest.split_once('.')?;
        let number = number(row, spec)?;
        let new = self.row(spec.kind.items);
        let rows = &mut self.values.get_mut(place)?.rows;
        let at = match rows.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => at,
            Err(at) => {
                rows.insert(at, (number, new));
                at
            }
        };
        rows.get_mut(at)?.1.value_at(rest)
    }

    /// Begins the row of this prefix, `items.0.`, so that it exists even if no value follows.
    pub(super) fn begin_row(&mut self, prefix: &str) {
        let _no_value_of_its_own = self.value_at(prefix);
    }

    /// Records that a list has more rows than it may have.
    pub(super) fn too_many_rows(&mut self, name: &str, most: usize) {
        let text = Message::new("forms-list-at-most").with("max", most);
        self.problems.add(name.to_owned(), Problem::new(text));
    }

    /// Reads each row that is not empty, and keeps the rows for the page, with new numbers. None if one is wrong.
    pub(super) fn take_rows<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let place = self.place(name)?;
        let mut rows = std::mem::take(&mut self.values.get_mut(place)?.rows);
        if !self.keeps_blank_rows {
            rows.retain(|(_, row)| !row.is_blank());
        }
        let mut all = Some(Vec::with_capacity(rows.len()));
        for (number, (place, row)) in rows.iter_mut().enumerate() {
            *place = number;
            match (read(row), &mut all) {
                (Some(value), Some(values)) => values.push(value),
                _ => all = None,
            }
            for (field, problem) in std::mem::take(&mut row.problems).into_iter() {
                let dot = if field.is_empty() { "" } else { "." };
                self.problems
                    .add(format!("{name}.{number}{dot}{field}"), problem);
            }
        }
        self.values.get_mut(place)?.rows = rows;
        all
    }

    /// Whether the row is empty.
    fn is_blank(&self) -> bool {
        self.values.iter().all(|value| {
            let blank = |text: &str| text.trim().is_empty();
            value.texts.iter().all(|text| blank(text))
                && value.rows.iter().all(|(_, row)| row.is_blank())
        })
    }

    /// Whether no problem was found so far.
    pub(super) fn is_right(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn refuse(&mut self, problems: UntypedProblems) {
        self.problems.extend(problems);
    }
}
