use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;

use super::FormView;
use super::html::{self, Html};
use crate::csrf::Gate;
use crate::pages::{Attributes, Fragment, Language, Languages, Markup, NeedsToken, made};

impl NeedsToken for FormView {
    fn value(&self, token: &str) -> Value {
        Markup::value(WholeForm {
            view: Arc::new(self.clone()),
            token: token.to_owned(),
            gate: None,
            language: Languages::english().first(),
        })
    }

    fn value_at(&self, gate: &Gate, language: &Language) -> Value {
        Markup::value(WholeForm {
            view: Arc::new(self.clone()),
            token: gate.token(),
            gate: Some(gate.clone()),
            language: language.clone(),
        })
    }
}

/// `{{ form }}`.
struct WholeForm {
    view: Arc<FormView>,
    token: String,
    /// Seals what is hidden.
    gate: Option<Gate>,
    language: Language,
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
            "token" => self.view.token(&mut html, &self.token),
            "fields" => {
                let names = self.view.fields.iter().map(|spec| spec.name);
                return Some(names.filter_map(|name| self.part(name)).collect());
            }
            name => {
                let place = self.view.fields.iter().position(|spec| spec.name == name)?;
                return Some(Markup::value(OneField {
                    view: Arc::clone(&self.view),
                    place,
                    gate: self.gate.clone(),
                    language: self.language.clone(),
                }));
            }
        }
        Some(made(html.finish()))
    }
}

/// `{{ form.title }}`.
struct OneField {
    view: Arc<FormView>,
    place: usize,
    gate: Option<Gate>,
    language: Language,
}

impl fmt::Debug for OneField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}, {})", self.view.name, self.place)
    }
}

impl Fragment for OneField {
    fn html(&self) -> Cow<'_, str> {
        let mut html = Html::default();
        if let Some(drawn) = self
            .view
            .drawn_at(self.place, self.gate.as_ref(), &self.language)
        {
            html::field(&mut html, &drawn);
        }
        html.finish().into()
    }

    fn part(&self, name: &str) -> Option<Value> {
        let drawn = self
            .view
            .drawn_at(self.place, self.gate.as_ref(), &self.language)?;
        let mut html = Html::default();
        match name {
            "error" => html::errors(&mut html, &drawn),
            "hint" => html::hint(&mut html, &drawn),
            "input" => html::input(&mut html, &drawn),
            "label" => html::label(&mut html, &drawn),
            // These are text, and a template escapes them like any other.
            "id" => return Some(Value::from(drawn.id())),
            "name" => return Some(Value::from(&*drawn.name)),
            "value" => return Some(Value::from(drawn.shown.as_text())),
            _ => return None,
        }
        Some(made(html.finish()))
    }
}
