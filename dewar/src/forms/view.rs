use std::borrow::Cow;
use std::sync::Arc;

use super::html::Html;
use super::pick::Offers;
use super::rendered_field::RenderedField;
use super::rows;
use super::{FieldSpec, FormValue, Model, UntypedProblems};
use crate::csrf::{self, CsrfTokens};
use crate::pages::{Language, Message, TypedField, TypedForm};

/// A form on a page, whatever its type: what [`FormView`](super::FormView) holds.
#[derive(Debug, Clone)]
pub(super) struct UntypedView {
    pub(super) name: &'static str,
    pub(super) fields: &'static [FieldSpec],
    shown: Arc<[FormValue]>,
    had_file: Box<[bool]>,
    /// The options that a handler offers, by field; most forms have none.
    offers: Box<[(&'static str, Offers)]>,
    pub(super) problems: UntypedProblems,
    pub(super) method: FormMethod,
    focused: bool,
    /// The user whose password is entered.
    username: Option<Box<Username>>,
}

/// Boxed, because few forms have one, and a view travels in results.
#[derive(Debug, Clone)]
struct Username(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormMethod {
    Get,
    Post,
}

impl UntypedView {
    pub(super) fn again<T: Model>(
        shown: Vec<FormValue>,
        had_file: Vec<bool>,
        problems: UntypedProblems,
    ) -> Self {
        Self {
            name: T::NAME,
            fields: T::FIELDS,
            shown: shown.into(),
            had_file: had_file.into(),
            offers: Box::default(),
            problems,
            method: FormMethod::Post,
            focused: false,
            username: None,
        }
    }

    /// Fills a field. Passwords and files stay empty.
    pub(super) fn fill(&mut self, field: &str, value: FormValue) {
        let shown = Arc::make_mut(&mut self.shown);
        match place(self.fields, shown, field) {
            Some((spec, shown)) if !spec.kind.is_secret() && !spec.kind.is_file() => {
                *shown = value;
                if spec.kind.is_hidden()
                    && let FormValue::Text(text) = shown
                {
                    *shown = FormValue::ToSeal(std::mem::take(text));
                }
            }
            Some(_) => {}
            None => tracing::error!(
                form = self.name,
                field,
                "the application filled a row that the list of the form cannot have"
            ),
        }
    }

    /// Offers records for a [`Pick`](super::Pick).
    pub(super) fn offer(&mut self, field: &str, offered: &Offers) {
        if let Some(spec) = self.fields.iter().find(|spec| spec.name == field) {
            let mut offers = std::mem::take(&mut self.offers).into_vec();
            offers.retain(|(name, _)| *name != spec.name);
            offers.push((spec.name, Arc::clone(offered)));
            self.offers = offers.into();
        }
    }

    /// The options that a handler offers for a field.
    pub(super) fn offered(&self, field: &str) -> &[(String, String)] {
        let offers = self.offers.iter().find(|(name, _)| *name == field);
        offers.map_or(&[], |(_, offers)| offers)
    }

    /// Whether the value of this field is none of the options.
    pub(super) fn picked_otherwise(&self, field: &str) -> bool {
        let offered = self.offered(field);
        let unknown =
            |text: &str| !text.is_empty() && !offered.iter().any(|(value, _)| value == text);
        let place = self.fields.iter().position(|spec| spec.name == field);
        match place.and_then(|place| self.shown.get(place)) {
            Some(FormValue::Text(text)) => unknown(text),
            Some(FormValue::Texts(texts)) => texts.iter().any(|text| unknown(text)),
            Some(FormValue::Nothing | FormValue::Rows(_) | FormValue::ToSeal(_)) | None => false,
        }
    }

    pub(super) fn set_username(&mut self, name: String) {
        self.username = Some(Box::new(Username(name)));
    }

    /// Renders the name that belongs to the password of this form.
    pub(super) fn whose(&self, html: &mut Html, person: Option<&str>) {
        let asks = |spec: &FieldSpec| {
            let token = spec.kind.autocomplete.unwrap_or_default();
            token.contains("username") || token.contains("email")
        };
        let has_password = self.fields.iter().any(|spec| spec.kind.is_password());
        let name = self
            .username
            .as_ref()
            .map(|name| name.0.as_str())
            .or(person);
        let Some(name) = name.filter(|_| has_password && !self.fields.iter().any(asks)) else {
            return;
        };
        // Browsers require an id. No part of a field is called `owner`, so no other element has this id.
        html.raw("<input type=\"text\"")
            .attribute("id", format_args!("{}-password-owner", self.name))
            .raw(" autocomplete=\"username\"")
            .attribute("value", name)
            .raw(" readonly hidden>\n");
    }

    pub(super) fn set_method(&mut self, method: FormMethod) {
        self.method = method;
    }

    /// Opens the page with the cursor in the first field.
    pub(super) fn focus_first(&mut self) {
        self.focused = true;
    }

    /// The field with the cursor when the page opens.
    pub(super) fn focus(&self) -> Option<&str> {
        let mut seen = self.fields.iter().filter(|spec| !spec.kind.is_hidden());
        if self.problems.is_empty() {
            return seen.next().filter(|_| self.focused).map(|spec| spec.name);
        }
        let of = |spec: &FieldSpec, name: &str| {
            let rest = name.strip_prefix(spec.name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        seen.find_map(|spec| {
            let mut wrong = self.problems.iter().map(|(name, _)| name);
            wrong.find(|name| of(spec, name))
        })
    }

    /// Replaces the problems.
    pub(super) fn only(mut self, problems: UntypedProblems) -> Self {
        self.problems = problems;
        self
    }

    pub(super) fn add(&mut self, problems: UntypedProblems) {
        self.problems.extend(problems);
    }

    /// The typed value of a field, if it may be shown again.
    pub(super) fn typed(&self, field: &str) -> Option<&str> {
        let place = self.fields.iter().position(|spec| spec.name == field)?;
        let kind = &self.fields.get(place)?.kind;
        let hidden = kind.is_secret() || kind.is_file() || kind.is_hidden();
        if hidden || kind.repeated || !kind.items.is_empty() {
            return None;
        }
        self.shown.get(place).map(FormValue::as_text)
    }

    /// Whether it has only hidden values: a button.
    pub(super) fn is_hidden(&self) -> bool {
        self.fields.iter().all(|spec| spec.kind.is_hidden())
    }

    /// All typed or chosen values, without passwords, files and hidden values.
    pub(super) fn texts(&self) -> Vec<TypedField> {
        self.typed_form().texts()
    }

    /// The form for an error page, in case the handler fails.
    pub(super) fn typed_form(&self) -> TypedValues {
        TypedValues {
            form: self.name,
            fields: self.fields,
            shown: Arc::clone(&self.shown),
        }
    }

    pub(super) fn attributes(&self) -> &'static str {
        match self.method {
            FormMethod::Get => "method=\"get\"",
            FormMethod::Post if self.fields.iter().any(|field| field.kind.is_file()) => {
                "method=\"post\" enctype=\"multipart/form-data\""
            }
            FormMethod::Post => "method=\"post\"",
        }
    }

    pub(super) fn drawn_at<'a>(
        &'a self,
        place: usize,
        gate: Option<&'a CsrfTokens>,
        language: &'a Language,
    ) -> Option<RenderedField<'a>> {
        Some(RenderedField {
            form: self,
            gate,
            language,
            spec: self.fields.get(place)?,
            name: Cow::Borrowed(self.fields.get(place)?.name),
            number: 0,
            spare: false,
            shown: self.shown.get(place)?,
            had_file: self.had_file.get(place).copied().unwrap_or(false),
        })
    }

    pub(super) fn all<'a>(
        &'a self,
        gate: Option<&'a CsrfTokens>,
        language: &'a Language,
    ) -> impl Iterator<Item = RenderedField<'a>> {
        (0..self.fields.len()).filter_map(move |place| self.drawn_at(place, gate, language))
    }

    /// The problems, with a link to each field; a screen reader begins here.
    pub(super) fn summary(&self, html: &mut Html, language: &Language) {
        if self.problems.is_empty() {
            return;
        }
        let heading = Message::new("forms-summary").into();
        html.raw("<div class=\"errors\" role=\"alert\" tabindex=\"-1\"");
        // If no field is wrong, the cursor goes to the summary.
        html.flag("autofocus", self.focus().is_none())
            .raw(">\n<p>")
            .text(language.translate(&heading))
            .raw("</p>\n<ul>\n");
        for (field, problem) in self.problems.iter() {
            html.raw("<li>");
            let words = language.translate(problem.words());
            match rows::label(self.fields, field) {
                Some(label) => {
                    html.raw("<a")
                        .attribute("href", format_args!("#{}-{field}", self.name))
                        .raw(">");
                    match language.label(self.name, field, None) {
                        Some(label) => html.text(label),
                        None => html.text(label),
                    };
                    html.raw(": ").text(words).raw("</a>");
                }
                None => {
                    html.text(words);
                }
            }
            html.raw("</li>\n");
        }
        html.raw("</ul>\n</div>\n");
    }

    pub(super) fn token(&self, html: &mut Html, token: &str) {
        if self.method == FormMethod::Post {
            html.raw("<input type=\"hidden\"")
                .attribute("name", csrf::FIELD)
                .attribute("value", token)
                .raw(">\n");
        }
    }
}

/// The place of a field's value: `title`, or `items.0.title`, whose row it adds if the list can have it.
fn place<'a>(
    fields: &'static [FieldSpec],
    shown: &'a mut [FormValue],
    field: &str,
) -> Option<(&'static FieldSpec, &'a mut FormValue)> {
    let (first, rest) = field.split_once('.').unwrap_or((field, ""));
    let at = fields.iter().position(|spec| spec.name == first)?;
    let (spec, shown) = (fields.get(at)?, shown.get_mut(at)?);
    if rest.is_empty() {
        return Some((spec, shown));
    }
    let (row, rest) = rest.split_once('.')?;
    let row = rows::number(row, spec)?;
    if !matches!(shown, FormValue::Rows(_)) {
        *shown = FormValue::Rows(Vec::new());
    }
    let FormValue::Rows(filled) = shown else {
        return None;
    };
    if filled.len() <= row {
        filled.resize(row + 1, vec![FormValue::Nothing; spec.kind.items.len()]);
    }
    place(spec.kind.items, filled.get_mut(row)?, rest)
}

/// The values of a form, for an error page.
#[derive(Debug)]
pub(super) struct TypedValues {
    form: &'static str,
    fields: &'static [FieldSpec],
    shown: Arc<[FormValue]>,
}

impl TypedForm for TypedValues {
    fn texts(&self) -> Vec<TypedField> {
        let mut texts = Vec::new();
        self.add(self.fields, &self.shown, "", &mut texts);
        texts
    }
}

impl TypedValues {
    fn add(
        &self,
        fields: &[FieldSpec],
        shown: &[FormValue],
        before: &str,
        texts: &mut Vec<TypedField>,
    ) {
        for (spec, shown) in fields.iter().zip(shown) {
            if spec.kind.is_secret() || spec.kind.is_hidden() {
                continue;
            }
            let field = format!("{before}{}", spec.name);
            let text = match shown {
                FormValue::Text(text) => text.clone(),
                FormValue::Texts(several) => several.join(", "),
                FormValue::Rows(rows) => {
                    for (number, row) in rows.iter().enumerate() {
                        let before = format!("{field}.{number}.");
                        self.add(spec.kind.items, row, &before, texts);
                    }
                    continue;
                }
                FormValue::Nothing | FormValue::ToSeal(_) => continue,
            };
            if let (false, Some(label)) = (text.is_empty(), rows::label(self.fields, &field)) {
                texts.push(TypedField {
                    form: self.form,
                    field,
                    label,
                    text,
                });
            }
        }
    }
}
