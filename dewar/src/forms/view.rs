use std::fmt;
use std::sync::Arc;

use minijinja::Value;

use super::html::{self, Html};
use super::{FieldSpec, Model, Problem, Problems, Shown};
use crate::csrf;
use crate::pages::{Attributes, Fragment, Markup, NeedsToken};

/// A form on a page.
///
/// In a template: `{{ form }}` is the token, what is wrong and all fields; `{{ form.attributes }}` stands in the
/// `<form>` tag. For a page of its own making there are `{{ form.token }}`, `{{ form.errors }}`, `{{ form.title }}` (a
/// field with its label, hint and error) and of a field its `input`, `label`, `hint`, `error`, `value`, `id` and `name`.
///
/// ```html
/// <form action="/notes" {{ form.attributes }}>{{ form }}<button>Publish</button></form>
/// ```
///
/// ```
/// use dewar::Form;
/// use dewar::forms::Line;
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
/// let blank = NewNote::view();
/// let filled = NewNote::view().fill("title", "Minutes");
/// # let _ = (blank, filled);
/// ```
#[derive(Debug, Clone)]
pub struct FormView {
    name: &'static str,
    fields: &'static [FieldSpec],
    shown: Vec<Shown>,
    had_file: Vec<bool>,
    problems: Problems,
    method: Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Get,
    Post,
}

impl FormView {
    /// To be filled in.
    #[must_use]
    pub fn blank<T: Model>() -> Self {
        Self::again::<T>(
            vec![Shown::Nothing; T::FIELDS.len()],
            Vec::new(),
            Problems::default(),
        )
    }

    /// Filled with values.
    #[must_use]
    pub fn filled<T: Model>(values: &T) -> Self {
        Self::again::<T>(values.show(), Vec::new(), Problems::default())
    }

    pub(super) fn again<T: Model>(
        shown: Vec<Shown>,
        had_file: Vec<bool>,
        problems: Problems,
    ) -> Self {
        Self {
            name: T::NAME,
            fields: T::FIELDS,
            shown,
            had_file,
            problems,
            method: Method::Post,
        }
    }

    /// With a field filled: on a page that changes something, with what it was. Passwords and files stay empty.
    #[must_use]
    pub fn fill(mut self, field: &str, value: impl fmt::Display) -> Self {
        let place = self.fields.iter().position(|spec| spec.name == field);
        match place.and_then(|place| Some((self.fields.get(place)?, self.shown.get_mut(place)?))) {
            Some((spec, shown)) if !spec.kind.is_secret() && !spec.kind.is_file() => {
                *shown = Shown::text(value)
            }
            Some(_) => {}
            None => tracing::error!(
                form = self.name,
                field,
                "a field was filled that the form does not have"
            ),
        }
        self
    }

    /// For a `GET`: a search, without a token, with nothing marked as optional.
    #[must_use]
    pub fn searching(mut self) -> Self {
        self.method = Method::Get;
        self
    }

    /// What is wrong.
    #[must_use]
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    pub(super) fn add(&mut self, problems: Problems) {
        self.problems.extend(problems);
    }

    fn attributes(&self) -> &'static str {
        match self.method {
            Method::Get => "method=\"get\"",
            Method::Post if self.fields.iter().any(|field| field.kind.is_file()) => {
                "method=\"post\" enctype=\"multipart/form-data\""
            }
            Method::Post => "method=\"post\"",
        }
    }

    fn drawn<'a>(&'a self, name: &str) -> Option<Drawn<'a>> {
        let place = self.fields.iter().position(|spec| spec.name == name)?;
        self.drawn_at(place)
    }

    fn drawn_at(&self, place: usize) -> Option<Drawn<'_>> {
        Some(Drawn {
            form: self,
            spec: self.fields.get(place)?,
            shown: self.shown.get(place)?,
            had_file: self.had_file.get(place).copied().unwrap_or(false),
        })
    }

    fn all(&self) -> impl Iterator<Item = Drawn<'_>> {
        (0..self.fields.len()).filter_map(|place| self.drawn_at(place))
    }

    /// What is wrong, with a link to each field, where a screen reader begins.
    fn summary(&self, html: &mut Html) {
        if self.problems.is_empty() {
            return;
        }
        html.raw("<div class=\"errors\" role=\"alert\" tabindex=\"-1\">\n<p>Something needs correcting:</p>\n<ul>\n");
        for (field, problem) in self.problems.iter() {
            html.raw("<li>");
            match self.drawn(field) {
                Some(drawn) => {
                    html.raw("<a")
                        .attribute("href", format_args!("#{}", drawn.id()))
                        .raw(">");
                    html.text(drawn.spec.label)
                        .raw(": ")
                        .text(problem)
                        .raw("</a>");
                }
                None => {
                    html.text(problem);
                }
            }
            html.raw("</li>\n");
        }
        html.raw("</ul>\n</div>\n");
    }

    fn token(&self, html: &mut Html, token: &str) {
        if self.method == Method::Post {
            html.raw("<input type=\"hidden\"")
                .attribute("name", csrf::FIELD)
                .attribute("value", token)
                .raw(">\n");
        }
    }
}

/// One field on its way to the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<'a> {
    form: &'a FormView,
    pub(super) spec: &'a FieldSpec,
    pub(super) shown: &'a Shown,
    had_file: bool,
}

impl<'a> Drawn<'a> {
    /// Begins with the form's name, so that two forms on a page do not share an id.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.form.name, self.spec.name)
    }

    pub(super) fn part_id(&self, part: &'static str) -> String {
        format!("{}-{}-{part}", self.form.name, self.spec.name)
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &'a Problem> {
        self.form.problems.of(self.spec.name)
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.problems().next().is_some()
    }

    pub(super) fn has_hint(&self) -> bool {
        self.spec.hint.is_some() || self.choose_again()
    }

    /// A file does not come back: the browser shows none, and what came was dropped with the rest.
    pub(super) fn choose_again(&self) -> bool {
        self.had_file && !self.form.problems.is_empty()
    }

    pub(super) fn searching(&self) -> bool {
        self.form.method == Method::Get
    }
}

impl NeedsToken for FormView {
    fn value(&self, token: &str) -> Value {
        Markup::value(WholeForm {
            view: Arc::new(self.clone()),
            token: token.to_owned(),
        })
    }
}

/// `{{ form }}`.
struct WholeForm {
    view: Arc<FormView>,
    token: String,
}

impl fmt::Debug for WholeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Form({})", self.view.name)
    }
}

impl Fragment for WholeForm {
    fn html(&self) -> String {
        let mut html = Html::default();
        self.view.token(&mut html, &self.token);
        self.view.summary(&mut html);
        for drawn in self.view.all() {
            html::field(&mut html, &drawn);
        }
        html.finish()
    }

    fn part(&self, name: &str) -> Option<Value> {
        let mut html = Html::default();
        match name {
            "attributes" => {
                return Some(Value::from_object(Attributes(self.view.attributes())));
            }
            "errors" => self.view.summary(&mut html),
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
                }));
            }
        }
        Some(Value::from_safe_string(html.finish()))
    }
}

/// `{{ form.title }}`.
struct OneField {
    view: Arc<FormView>,
    place: usize,
}

impl fmt::Debug for OneField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}, {})", self.view.name, self.place)
    }
}

impl Fragment for OneField {
    fn html(&self) -> String {
        let mut html = Html::default();
        if let Some(drawn) = self.view.drawn_at(self.place) {
            html::field(&mut html, &drawn);
        }
        html.finish()
    }

    fn part(&self, name: &str) -> Option<Value> {
        let drawn = self.view.drawn_at(self.place)?;
        let mut html = Html::default();
        match name {
            "error" => html::errors(&mut html, &drawn),
            "hint" => html::hint(&mut html, &drawn),
            "input" => html::input(&mut html, &drawn),
            "label" => html::label(&mut html, &drawn),
            // These are text, and a template escapes them like any other.
            "id" => return Some(Value::from(drawn.id())),
            "name" => return Some(Value::from(drawn.spec.name)),
            "value" => return Some(Value::from(drawn.shown.as_text())),
            _ => return None,
        }
        Some(Value::from_safe_string(html.finish()))
    }
}
