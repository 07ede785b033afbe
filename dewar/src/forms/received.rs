use std::fmt;
use std::mem;

use zeroize::Zeroizing;

use super::error::Refused;
use super::{Field, FieldSpec, FormView, Incoming, Model, Problems, Raw, Shown};

/// What came in for a form, by field, with what turned out to be wrong with it.
pub struct Received {
    fields: &'static [FieldSpec],
    values: Vec<Value>,
    problems: Problems,
    discrete: bool,
}

#[derive(Default)]
struct Value {
    texts: Vec<Zeroizing<String>>,
    files: Vec<Incoming>,
    had_file: bool,
}

/// One value on its way in.
pub(super) enum Arrived {
    File(Incoming),
    Text(Zeroizing<String>),
}

impl Received {
    pub(super) fn new(fields: &'static [FieldSpec]) -> Self {
        let values = fields.iter().map(|_| Value::default()).collect();
        Self {
            fields,
            values,
            problems: Problems::default(),
            discrete: false,
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The field of this name, if one more value of it may come: unknown and repeated fields are refused (CWE-915,
    /// ASVS 15.3.7).
    pub(super) fn expects(&self, name: &str) -> Result<&'static FieldSpec, Refused> {
        let place = self
            .place(name)
            .ok_or_else(|| Refused::UnknownField(name.to_owned()))?;
        let (Some(spec), Some(value)) = (self.fields.get(place), self.values.get(place)) else {
            return Err(Refused::UnknownField(name.to_owned()));
        };
        let first = value.texts.is_empty() && !value.had_file;
        if first || spec.kind.repeated {
            Ok(spec)
        } else {
            Err(Refused::TwiceSent(spec.name))
        }
    }

    pub(super) fn add(&mut self, name: &str, arrived: Arrived) -> Result<(), Refused> {
        self.expects(name)?;
        let place = self.place(name);
        if let Some(value) = place.and_then(|place| self.values.get_mut(place)) {
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

    /// Takes the value of a field; what is wrong with it is kept to be shown.
    pub(super) fn take<F: Field>(&mut self, name: &'static str) -> Option<F> {
        let place = self.place(name)?;
        let value = self.values.get_mut(place)?;
        let mut files = mem::take(&mut value.files);
        let raw = if F::KIND.repeated {
            let texts = value.texts.iter().map(|text| Raw::Text(text));
            Raw::Many(texts.chain(files.into_iter().map(Raw::File)).collect())
        } else if let Some(file) = files.pop() {
            Raw::File(file)
        } else {
            value
                .texts
                .first()
                .map_or(Raw::Absent, |text| Raw::Text(text))
        };
        match F::parse(raw) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.discrete |= problem.is_discrete();
                self.problems.add(name, problem);
                None
            }
        }
    }

    /// The form, if all of it is right, and what to show of what was typed.
    pub(super) fn read<T: Model>(mut self) -> (Option<T>, FormView, Discrete) {
        let mut model = T::read(&mut self).filter(|_| self.problems.is_empty());
        if let Some(Err(problems)) = model.as_ref().map(T::check) {
            self.problems.extend(problems);
            model = None;
        }
        let discrete = if self.discrete {
            Discrete::Failed
        } else {
            Discrete::Held
        };
        (model, self.into_view::<T>(), discrete)
    }

    fn into_view<T: Model>(self) -> FormView {
        let had_file = self.values.iter().map(|value| value.had_file).collect();
        let shown = self
            .fields
            .iter()
            .zip(self.values)
            .map(|(spec, value)| value.show(spec))
            .collect();
        FormView::again::<T>(shown, had_file, self.problems)
    }
}

/// Whether a value was none of those that were offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discrete {
    Failed,
    Held,
}

impl Value {
    fn show(mut self, spec: &FieldSpec) -> Shown {
        if spec.kind.is_secret() || spec.kind.is_file() {
            return Shown::Nothing;
        }
        let mut texts = self.texts.iter_mut().map(|text| mem::take(&mut **text));
        if spec.kind.repeated {
            Shown::Texts(texts.collect())
        } else {
            texts.next().map_or(Shown::Nothing, Shown::Text)
        }
    }
}

/// The names of what came in, never what was typed.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let came = self
            .fields
            .iter()
            .zip(&self.values)
            .filter(|(_, value)| !value.texts.is_empty() || value.had_file);
        f.debug_list()
            .entries(came.map(|(spec, _)| spec.name))
            .finish()
    }
}
