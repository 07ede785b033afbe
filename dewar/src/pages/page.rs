use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use minijinja::value::{Object, Serde, Value};
use serde::Serialize;

use super::untrusted::untrusted;
use super::{Language, Outcome};
use crate::csrf::CsrfTokens;

/// Something on a page that carries the CSRF token: a form.
///
/// Dewar renders a page after the handler has returned. Only then is the token known, and Dewar passes it to this trait.
///
/// ```
/// use dewar::pages::{NeedsToken, Page};
/// #[derive(Debug)]
/// struct Button;
/// impl NeedsToken for Button {
///     fn value(&self, token: &str) -> minijinja::Value { minijinja::Value::from(token.to_owned()) }
/// }
/// let page = Page::new("button.html").form("button", Button);
/// ```
pub trait NeedsToken: Debug + Send + Sync + 'static {
    /// The value that the template sees.
    fn value(&self, token: &str) -> Value;

    /// The same for a form that also seals values for the session of the page, or that is translated for its reader.
    /// `_person` is the e-mail address of the signed-in person, if there is one.
    #[doc(hidden)]
    fn value_at(&self, gate: &CsrfTokens, _language: &Language, _person: Option<&str>) -> Value {
        self.value(&gate.token())
    }

    /// The names of its parts, to suggest one for a name that is wrong.
    #[doc(hidden)]
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// Forms by the ids of the records in a list: `{{ forms[note.id] }}`.
impl<F: NeedsToken> NeedsToken for BTreeMap<i64, F> {
    fn value(&self, token: &str) -> Value {
        let forms = self.iter().map(|(id, form)| (*id, form.value(token)));
        Value::from_object(ById(forms.collect()))
    }

    fn value_at(&self, gate: &CsrfTokens, language: &Language, person: Option<&str>) -> Value {
        let forms = self.iter();
        let forms = forms.map(|(id, form)| (*id, form.value_at(gate, language, person)));
        Value::from_object(ById(forms.collect()))
    }

    fn names(&self) -> Vec<&'static str> {
        self.values().next().map_or_else(Vec::new, F::names)
    }
}

/// The forms as a template finds them.
#[derive(Debug)]
struct ById(BTreeMap<i64, Value>);

impl Object for ById {
    fn get_value(self: &Arc<Self>, id: &Value) -> Option<Value> {
        self.0.get(&id.as_i64()?).cloned()
    }
}

/// A template with its values; the output of most handlers.
///
/// Beside the values of [`with`](Self::with), a template sees `user` (the signed-in person or none), `path`, `flash`,
/// `nonce`, `csrf_field` (the token as a hidden input, for a form that is only a button) and `static("file.css")`.
///
/// ```
/// use dewar::pages::Page;
/// #[derive(serde::Serialize)]
/// struct Note { title: String }
/// let page = Page::new("notes/show.html").with("note", Note { title: "Milk".into() });
/// assert_eq!(page.template(), "notes/show.html");
/// ```
#[derive(Debug, Clone)]
#[must_use = "a page does nothing until a handler returns it"]
pub struct Page {
    template: Cow<'static, str>,
    values: Values,
    forms: Vec<(&'static str, Arc<dyn NeedsToken>)>,
    status: StatusCode,
}

impl Page {
    /// The page of the template with this name.
    pub fn new(template: impl Into<Cow<'static, str>>) -> Self {
        let template = template.into();
        Self {
            template,
            values: Vec::new(),
            forms: Vec::new(),
            status: StatusCode::OK,
        }
    }

    /// Gives the template a value by a name.
    pub fn with(self, name: &'static str, value: impl Serialize) -> Self {
        self.with_value(name, Value::from(Serde(value)))
    }

    /// Gives the template a value of the template engine's own type, such as that of a
    /// [`CleanHtml`](crate::forms::CleanHtml). Dewar escapes a text that is marked as safe (`Value::from_safe_string`) like
    /// any other, also inside the value. It prints only sanitized HTML as it is, and a value with `dangerous_html` in the
    /// template.
    ///
    /// ```
    /// use dewar::forms::CleanHtml;
    /// use dewar::pages::Page;
    /// let body = CleanHtml::<200>::clean("<p>Kept</p>");
    /// let page = Page::new("notes/show.html").with_value("body", body.to_value());
    /// ```
    pub fn with_value(mut self, name: &'static str, value: Value) -> Self {
        self.values.push((name, untrusted(value)));
        self
    }

    /// Gives the template a form by a name.
    pub fn form(mut self, name: &'static str, form: impl NeedsToken) -> Self {
        self.forms.push((name, Arc::new(form)));
        self
    }

    /// Responds with a status other than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) const fn status_code(&self) -> StatusCode {
        self.status
    }

    /// The template's name.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The page's value with this name, as templates may see it.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        named(&self.values, name)
    }

    /// The name of each value, and the value unless it is a form.
    pub(super) fn names_and_values(&self) -> impl Iterator<Item = (&'static str, Option<&Value>)> {
        let values = self.values.iter();
        let values = values.map(|(name, value)| (*name, Some(value)));
        values.chain(self.forms.iter().map(|(name, _)| (*name, None)))
    }

    /// The names of the parts of all forms.
    pub(super) fn names_of_forms(&self) -> impl Iterator<Item = &'static str> {
        self.forms.iter().flat_map(|(_, form)| form.names())
    }

    /// All values of the page without its forms.
    pub(super) fn given(&self) -> Value {
        Value::from_object(Given(self.values.clone()))
    }

    /// The page's form with this name, and its place among the forms.
    pub(crate) fn form_named(&self, name: &str) -> Option<(usize, &dyn NeedsToken)> {
        let mut forms = self.forms.iter().enumerate().rev();
        let found = forms.find(|(_, (known, _))| *known == name);
        found.map(|(place, (_, form))| (place, form.as_ref()))
    }

    pub(super) fn number_of_forms(&self) -> usize {
        self.forms.len()
    }
}

type Values = Vec<(&'static str, Value)>;

/// The last value of a name.
fn named(values: &Values, name: &str) -> Option<Value> {
    let found = values.iter().rev().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.clone())
}

/// The values of a page, as a template sees them.
#[derive(Debug)]
struct Given(Values);

impl Object for Given {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        named(&self.0, name)
    }
}

impl From<&'static str> for Page {
    fn from(template: &'static str) -> Self {
        Self::new(template)
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        Outcome::page(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Button(&'static str);

    impl NeedsToken for Button {
        fn value(&self, token: &str) -> Value {
            Value::from(format!("{} {token}", self.0))
        }
    }

    #[test]
    fn a_form_of_a_list_is_found_by_the_id_of_its_record() {
        let forms = BTreeMap::from([(7, Button("delete")), (-8, Button("keep"))]);
        let forms = forms.value("THE-TOKEN");
        let found = |id: Value| forms.get_item(&id).unwrap();
        assert_eq!(found(Value::from(7)), Value::from("delete THE-TOKEN"));
        assert_eq!(found(Value::from(-8)), Value::from("keep THE-TOKEN"));
        for none in [Value::from(9), Value::from("7"), Value::from(())] {
            assert!(found(none.clone()).is_undefined(), "{none:?}");
        }
    }
}
