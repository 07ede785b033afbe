use std::fmt;
use std::mem;

use smallvec::SmallVec;
use zeroize::Zeroizing;

use super::error::FormRejection;
use super::incoming::Shortage;
use super::{
    Field, FieldKind, FieldSpec, FormValue, Incoming, Model, Problem, RawValue, UntypedProblems,
    UntypedView, Widget,
};
use super::{password, rows};
use crate::audit::near;
use crate::csrf::CsrfTokens;
use crate::pages::Message;

/// The input of a form, by field, and the problems that were found in it.
pub struct Received {
    pub(super) form: &'static str,
    /// Opens the sealed values of this session's pages. A query has none.
    gate: Option<CsrfTokens>,
    altered: Option<String>,
    pub(super) fields: &'static [FieldSpec],
    pub(super) values: Vec<Value>,
    pub(super) problems: UntypedProblems,
    /// Whether the files are over a limit. Then none of them is stored.
    over: bool,
    /// Why none of the files had a place.
    shortage: Option<Shortage>,
    /// The fewest characters of a new password, if the settings require more than its type.
    min_password_length: usize,
    /// Whether an empty row is a row: a program sends no spare one.
    pub(super) keeps_blank_rows: bool,
}

#[derive(Default)]
pub(super) struct Value {
    /// Nearly always one text.
    pub(super) texts: SmallVec<[Zeroizing<String>; 1]>,
    /// Rows by their numbers, which may have gaps.
    pub(super) rows: Vec<(usize, Received)>,
    files: Vec<Incoming>,
    had_file: bool,
    /// Whether JSON has the member, also as `null`, `false` or an empty array.
    has_member: bool,
    /// Why a file was read and not stored.
    refused: Option<Problem>,
}

/// One value that arrived.
pub(super) enum Arrived {
    File(Incoming),
    Text(Zeroizing<String>),
}

impl Received {
    /// For a query string: nothing in it was sealed.
    pub(super) fn query<T: Model>() -> Self {
        Self::of(T::NAME, T::FIELDS, None)
    }

    /// For a form whose CSRF token these tokens check.
    pub(super) fn form<T: Model>(gate: &CsrfTokens) -> Self {
        let sealed = T::FIELDS.iter().any(|field| field.kind.is_hidden());
        Self::of(T::NAME, T::FIELDS, sealed.then(|| gate.clone()))
    }

    pub(super) fn of(
        form: &'static str,
        fields: &'static [FieldSpec],
        gate: Option<CsrfTokens>,
    ) -> Self {
        let values = fields.iter().map(|_| Value::default()).collect();
        Self {
            form,
            gate,
            altered: None,
            fields,
            values,
            problems: UntypedProblems::default(),
            over: false,
            shortage: None,
            min_password_length: 0,
            keeps_blank_rows: false,
        }
    }

    /// Requires so many characters of a new password.
    pub(super) fn asking(mut self, min_password_length: usize) -> Self {
        self.min_password_length = min_password_length;
        self
    }

    /// For a row of this form.
    pub(super) fn row(&self, items: &'static [FieldSpec]) -> Self {
        let mut row = Self::of(self.form, items, None).asking(self.min_password_length);
        row.keeps_blank_rows = self.keeps_blank_rows;
        row
    }

    /// Reads every row of a list, also an empty one.
    pub(super) fn keep_blank_rows(&mut self) {
        self.keeps_blank_rows = true;
    }

    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The field of this name, if it may have one more value. Unknown and repeated fields are refused (mass assignment; CWE-915,
    /// ASVS 15.3.7).
    pub(super) fn expects(&self, name: &str) -> Result<&'static FieldSpec, FormRejection> {
        let spec = rows::find(self.fields, name).ok_or_else(|| FormRejection::UnknownField {
            near: near(name, self.fields.iter().map(|field| field.name)).map(str::to_owned),
            name: name.to_owned(),
        })?;
        if spec.kind.repeated || !self.holds(name) {
            Ok(spec)
        } else {
            Err(FormRejection::TwiceSent(spec.name))
        }
    }

    /// Whether a value of this name arrived.
    fn holds(&self, name: &str) -> bool {
        let value = |name| self.values.get(self.place(name)?);
        if let Some(value) = value(name) {
            return !value.texts.is_empty() || value.had_file;
        }
        let cell = name.split_once('.').and_then(|(list, cell)| {
            let (row, name) = cell.split_once('.')?;
            Some((value(list)?, row, name))
        });
        cell.is_some_and(|(list, number, name)| {
            let mut rows = list.rows.iter();
            rows.any(|(row, cells)| row.to_string() == number && cells.holds(name))
        })
    }

    /// Records that JSON has this member, whatever its value.
    pub(super) fn has_member(&mut self, name: &str) {
        if let Some(value) = self.value_at(name) {
            value.has_member = true;
        }
    }

    /// Whether the request has this field at all.
    pub(super) fn was_sent(&self, name: &str) -> bool {
        let value = self.place(name).and_then(|place| self.values.get(place));
        value.is_some_and(|value| {
            value.has_member || value.had_file || !value.texts.is_empty() || !value.rows.is_empty()
        })
    }

    pub(super) fn add(&mut self, name: &str, arrived: Arrived) -> Result<(), FormRejection> {
        self.expects(name)?;
        if let Some(value) = self.value_at(name) {
            match arrived {
                Arrived::Text(text) => value.texts.push(text),
                Arrived::File(file) => {
                    value.files.push(file);
                    value.had_file = true;
                }
            }
        }
        Ok(())
    }

    /// The most files of this field, if it has that many already.
    pub(super) fn full(&self, spec: &FieldSpec) -> Option<usize> {
        let most = spec.kind.max_items.filter(|_| spec.kind.is_file())?;
        let value = self.values.get(self.place(spec.name)?)?;
        (value.files.len() >= most).then_some(most)
    }

    /// Records that a file arrived which is not stored, and the reason, if its field is the reason.
    pub(super) fn turn_away(&mut self, spec: &FieldSpec, problem: Option<Problem>) {
        let place = self.place(spec.name);
        if let Some(value) = place.and_then(|place| self.values.get_mut(place)) {
            value.had_file = true;
            value.refused = value.refused.take().or(problem);
        }
    }

    /// Records that a file is over a limit. The form is not taken, so all its other files are deleted too.
    pub(super) fn too_large(&mut self, spec: &FieldSpec, problem: Problem) {
        self.let_all_files_go();
        self.turn_away(spec, Some(problem));
    }

    /// The form and its files are not taken: deletes those that arrived, and skips those that follow.
    pub(super) fn let_all_files_go(&mut self) {
        self.over = true;
        for value in &mut self.values {
            value.files.clear();
        }
    }

    /// The same, because the files have no place.
    pub(super) fn stop(&mut self, shortage: Shortage) {
        self.shortage = self.shortage.or(Some(shortage));
        self.let_all_files_go();
    }

    /// Why none of the files had a place.
    pub(super) fn shortage(&self) -> Option<Shortage> {
        self.shortage
    }

    /// Whether the files are over a limit.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes the value of a field. It records a problem, so that the page shows it.
    pub(super) fn take<F: Field>(&mut self, name: &'static str) -> Option<F> {
        let place = self.place(name)?;
        let short = self.too_short(place);
        let value = self.values.get_mut(place)?;
        if let Some(problem) = value.refused.take() {
            return self.kept(name, Err(problem));
        }
        if self.over && value.had_file {
            // A file arrived, and was deleted because another one was too large.
            return None;
        }
        let mut files = mem::take(&mut value.files);
        let raw = if F::KIND.repeated {
            let texts = value.texts.iter().map(|text| RawValue::Text(text));
            RawValue::Many(texts.chain(files.into_iter().map(RawValue::File)).collect())
        } else if let Some(file) = files.pop() {
            RawValue::File(file)
        } else {
            value
                .texts
                .first()
                .map_or(RawValue::Absent, |text| RawValue::Text(text))
        };
        let parsed = short.map_or_else(|| F::parse(raw), Err);
        let bounds = self.fields.get(place).map(|spec| spec.kind);
        let within =
            parsed.and_then(
                |value| match bounds.and_then(|kind| outside(&kind, &value)) {
                    Some(problem) => Err(problem),
                    None => Ok(value),
                },
            );
        self.kept(name, within)
    }

    /// The problem, if the new password has fewer characters than the settings require.
    fn too_short(&self, place: usize) -> Option<Problem> {
        let least = self.fields.get(place)?.kind.new_password()?;
        let least = least.max(self.min_password_length);
        let typed = self.values.get(place)?.texts.first()?;
        let is_short = !typed.is_empty() && password::is_short(typed, least);
        is_short.then(|| password::too_short(least))
    }

    /// The value; if it is wrong, records its problem and returns none.
    fn kept<F>(&mut self, name: &'static str, parsed: Result<F, Problem>) -> Option<F> {
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                if problem.is_altered() {
                    self.altered = Some(name.to_owned());
                }
                self.problems.add(name, problem);
                None
            }
        }
    }

    /// Takes a sealed value of this session's page. It stays sealed, so that the page can carry it again.
    pub(super) fn take_sealed<F: Field>(&mut self, name: &'static str) -> Option<F> {
        let place = self.place(name)?;
        let sealed = self.values.get(place)?.texts.first();
        let opened = sealed
            .zip(self.gate.as_ref())
            .and_then(|(sealed, gate)| gate.open(&[self.form, name], sealed));
        let parsed = match &opened {
            Some(text) => F::parse(RawValue::Text(text)),
            None => Err(Problem::altered()),
        };
        self.kept(name, parsed)
    }

    /// The same for a value that the page need not carry; none if it was altered.
    pub(crate) fn take_sealed_if_any<F: Field>(&mut self, name: &'static str) -> Option<Option<F>> {
        let value = self.values.get(self.place(name)?)?;
        if value.texts.first().is_none_or(|text| text.is_empty()) {
            return Some(None);
        }
        self.take_sealed(name).map(Some)
    }

    /// The form, if all of it is right, and the input, to show it again.
    pub(super) fn read<T: Model>(mut self) -> Result<(Option<T>, Self), FormRejection> {
        let mut model = T::read(&mut self).filter(|_| self.problems.is_empty() && !self.over);
        if let Some(Err(problems)) = model.as_ref().map(T::check) {
            self.problems.extend(problems.untyped());
            model = None;
        }
        match self.altered.take() {
            Some(field) => Err(FormRejection::Altered(field)),
            None => Ok((model, self)),
        }
    }

    pub(super) fn into_view<T: Model>(self) -> UntypedView {
        let had_file = self.fields.iter().zip(&self.values);
        let had_file = had_file
            .map(|(spec, value)| value.had_file || (spec.kind.direct && !value.texts.is_empty()))
            .collect();
        let shown = show(self.fields, self.values);
        UntypedView::again::<T>(shown, had_file, self.problems)
    }
}

/// Days and times are spelled so that the later one is the greater text.
fn outside<F: Field>(kind: &FieldKind, value: &F) -> Option<Problem> {
    if kind.earliest.is_none() && kind.latest.is_none() {
        return None;
    }
    let FormValue::Text(shown) = value.show() else {
        return None;
    };
    match (kind.earliest, kind.latest) {
        // Times wrap around midnight: from 22:00 to 06:00 is the night (HTML, 4.10.5.3.7, *reversed range*).
        (Some(first), Some(last)) if kind.widget == Widget::Time && first > last => {
            (*shown < *first && *shown > *last).then(|| {
                Problem::new(
                    Message::new("forms-between-hours")
                        .with("first", first)
                        .with("last", last),
                )
            })
        }
        (Some(first), _) if *shown < *first => Some(Problem::new(
            Message::new("forms-earliest").with("first", first),
        )),
        (_, Some(last)) if *shown > *last => Some(Problem::new(
            Message::new("forms-latest").with("last", last),
        )),
        _ => None,
    }
}

fn show(fields: &[FieldSpec], values: Vec<Value>) -> Vec<FormValue> {
    let pairs = fields.iter().zip(values);
    pairs.map(|(spec, value)| value.show(spec)).collect()
}

impl Value {
    fn show(mut self, spec: &FieldSpec) -> FormValue {
        if !spec.kind.items.is_empty() {
            let rows = self.rows.into_iter();
            return FormValue::Rows(rows.map(|(_, row)| show(row.fields, row.values)).collect());
        }
        if spec.kind.is_secret() || spec.kind.is_file() {
            return FormValue::Nothing;
        }
        let mut texts = self.texts.iter_mut().map(|text| mem::take(&mut **text));
        if spec.kind.repeated {
            FormValue::Texts(texts.collect())
        } else {
            texts.next().map_or(FormValue::Nothing, FormValue::Text)
        }
    }
}

/// Prints the names of the fields, never the typed values.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = self.fields.iter().zip(&self.values).filter(|(_, value)| {
            !value.texts.is_empty() || !value.rows.is_empty() || value.had_file
        });
        f.debug_list()
            .entries(came.map(|(spec, _)| spec.name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::{Date, Time};

    /// The first and the last are within their limits; times wrap around midnight.
    #[test]
    fn a_moment_is_within_its_bounds_or_says_which_it_is_outside() {
        let kind = |widget: FieldKind, earliest, latest| FieldKind {
            earliest,
            latest,
            ..widget
        };
        let days = |earliest, latest| kind(Date::KIND, earliest, latest);
        let is_outside =
            |kind: &FieldKind, day: &str| outside(kind, &Date::parse(day).unwrap()).is_some();
        let (first, last) = (Some("2027-05-10"), Some("2027-05-20"));
        for (kind, day, expected) in [
            (days(first, last), "2027-05-09", true),
            (days(first, last), "2027-05-10", false),
            (days(first, last), "2027-05-20", false),
            (days(first, last), "2027-05-21", true),
            (days(first, None), "2027-05-09", true),
            (days(first, None), "2030-01-01", false),
            (days(None, last), "2027-05-21", true),
            (days(None, last), "2000-01-01", false),
            (days(None, None), "2000-01-01", false),
            // Days do not wrap.
            (days(last, first), "2027-05-25", true),
        ] {
            assert_eq!(is_outside(&kind, day), expected, "{day}");
        }
        let hours = |earliest, latest| kind(Time::KIND, Some(earliest), Some(latest));
        let is_outside =
            |kind: &FieldKind, hour: &str| outside(kind, &Time::parse(hour).unwrap()).is_some();
        let (day, night) = (hours("06:00", "22:00"), hours("22:00", "06:00"));
        for (hour, at_day, at_night) in [
            ("05:59", true, false),
            ("06:00", false, false),
            ("06:01", false, true),
            ("21:59", false, true),
            ("22:00", false, false),
            ("22:01", true, false),
        ] {
            assert_eq!(is_outside(&day, hour), at_day, "{hour}");
            assert_eq!(is_outside(&night, hour), at_night, "{hour}");
        }
    }
}
