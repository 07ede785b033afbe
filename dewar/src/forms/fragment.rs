use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;

use super::UntypedView;
use super::html::{self, Html};
use super::rendered_field::RenderedField;
use crate::csrf::CsrfTokens;
use crate::pages::{Attributes, Fragment, Language, Languages, Markup, NeedsToken, trusted_html};

impl NeedsToken for UntypedView {
    fn value(&self, token: &str) -> Value {
        Markup::value(WholeForm {
            view: Arc::new(self.clone()),
            token: token.to_owned(),
            gate: None,
            language: Languages::english().first(),
            person: None,
        })
    }

    fn names(&self) -> Vec<&'static str> {
        let fields = self.fields.iter().map(|spec| spec.name);
        fields
            .chain(["attributes", "errors", "fields", "token"])
            .collect()
    }

    fn value_at(&self, gate: &CsrfTokens, language: &Language, person: Option<&str>) -> Value {
        Markup::value(WholeForm {
            view: Arc::new(self.clone()),
            token: gate.token(),
            gate: Some(gate.clone()),
            language: language.clone(),
            person: person.map(Box::from),
        })
    }
}

/// `{{ form }}`.
struct WholeForm {
    view: Arc<UntypedView>,
    token: String,
    /// Seals hidden values.
    gate: Option<CsrfTokens>,
    language: Language,
    /// The address of the signed-in user.
    person: Option<Box<str>>,
}

impl fmt::Debug for WholeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({})", self.view.name)
    }
}

impl Fragment for WholeForm {
    fn html(&self) -> Cow<'_, str> {
        let mut html = Html::default();
        self.view.token(&mut html, &self.token);
        self.view.whose(&mut html, self.person.as_deref());
        self.view.summary(&mut html, &self.language);
        html::fields(&mut html, self.view.all(self.gate.as_ref(), &self.language));
        html.finish().into()
    }

    fn part(&self, name: &str) -> Option<Value> {
        let mut html = Html::default();
        match name {
            "attributes" => {
                return Some(Value::from_object(Attributes(self.view.attributes())));
            }
            "errors" => self.view.summary(&mut html, &self.language),
            "token" => {
                self.view.token(&mut html, &self.token);
                self.view.whose(&mut html, self.person.as_deref());
            }
            "fields" => {
                let names = self.view.fields.iter().map(|spec| spec.name);
                return Some(names.filter_map(|name| self.part(name)).collect());
            }
            name => {
                let place = self.view.fields.iter().position(|spec| spec.name == name)?;
                return Some(Markup::value(OneField {
                    view: Arc::clone(&self.view),
                    place,
                    way: Vec::new(),
                    gate: self.gate.clone(),
                    language: self.language.clone(),
                }));
            }
        }
        Some(trusted_html(html.finish()))
    }
}

/// `{{ form.title }}`; of a list also `{{ form.items.rows[0].title }}`.
#[derive(Clone)]
struct OneField {
    view: Arc<UntypedView>,
    place: usize,
    /// The path from a list to one of its rows and to a field of the row.
    way: Vec<(usize, usize)>,
    gate: Option<CsrfTokens>,
    language: Language,
}

impl fmt::Debug for OneField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Field({}, {}, {:?})",
            self.view.name, self.place, self.way
        )
    }
}

impl OneField {
    fn drawn(&self) -> Option<RenderedField<'_>> {
        let mut drawn = self
            .view
            .drawn_at(self.place, self.gate.as_ref(), &self.language)?;
        for (row, cell) in &self.way {
            let next = drawn.rows().nth(*row);
            let next = next.and_then(|row| row.cells().nth(*cell))?;
            drawn = next;
        }
        Some(drawn)
    }

    fn rows(&self, drawn: &RenderedField<'_>) -> Value {
        let rows = drawn.rows().enumerate().map(|(number, _)| {
            Markup::value(OneRow {
                list: self.clone(),
                number,
            })
        });
        rows.collect()
    }
}

impl Fragment for OneField {
    fn html(&self) -> Cow<'_, str> {
        let mut html = Html::default();
        if let Some(drawn) = self.drawn() {
            html::field(&mut html, &drawn);
        }
        html.finish().into()
    }

    fn part(&self, name: &str) -> Option<Value> {
        let drawn = self.drawn()?;
        let mut html = Html::default();
        match name {
            "error" => html::errors(&mut html, &drawn),
            "hint" => html::hint(&mut html, &drawn),
            "input" => html::input(&mut html, &drawn),
            "label" => html::label(&mut html, &drawn),
            "rows" if !drawn.spec.kind.items.is_empty() => return Some(self.rows(&drawn)),
            // These are text, and a template escapes them like any other text.
            "id" => return Some(Value::from(drawn.id())),
            "name" => return Some(Value::from(&*drawn.name)),
            "value" => return Some(Value::from(drawn.shown.as_text())),
            _ => return None,
        }
        Some(trusted_html(html.finish()))
    }
}

/// `{{ form.items.rows[0] }}`: its fields by their names, and all of them as `fields`.
struct OneRow {
    list: OneField,
    number: usize,
}

impl fmt::Debug for OneRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({:?}, {})", self.list, self.number)
    }
}

impl OneRow {
    fn cell(&self, cell: usize) -> Value {
        let mut field = self.list.clone();
        field.way.push((self.number, cell));
        Markup::value(field)
    }
}

impl Fragment for OneRow {
    fn html(&self) -> Cow<'_, str> {
        let mut html = Html::default();
        let list = self.list.drawn();
        if let Some(row) = list.as_ref().and_then(|list| list.rows().nth(self.number)) {
            html::row(&mut html, &row);
        }
        html.finish().into()
    }

    fn part(&self, name: &str) -> Option<Value> {
        let list = self.list.drawn()?;
        let items = list.spec.kind.items;
        if let Some(cell) = items.iter().position(|spec| spec.name == name) {
            return Some(self.cell(cell));
        }
        let row = list.rows().nth(self.number)?;
        let mut html = Html::default();
        match name {
            "error" => html::errors(&mut html, &row),
            "fields" => return Some((0..items.len()).map(|cell| self.cell(cell)).collect()),
            "id" => return Some(Value::from(row.id())),
            _ => return None,
        }
        Some(trusted_html(html.finish()))
    }
}
