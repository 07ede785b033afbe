use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use minijinja::value::{Object, Value};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::Slip;
use super::languages::RenderScope;
use super::layout::{self, LayoutValues};
use super::markup::trusted_html;
use super::negotiation::Prefers;
use super::outcome::{Answer, Outcome};
use super::request_context::{Facts, RequestContext};
use super::translate_function::Say;
use super::untrusted::untrusted;
use super::user::user;
use super::{AccountPage, Error, ErrorKind, Page, TypedField, TypedInForm, Words};
use crate::csrf::CsrfTokens;
use crate::sessions::Principal;

/// Renders the outcome of a handler: a page from its template, an error as a page or as problem details (RFC 9457). Nothing
/// else does so, and [`Prefers`] is the only content negotiation.
pub(crate) fn render(response: Response, outcome: Outcome, context: &RequestContext) -> Response {
    let facts = &context.facts;
    let typed = outcome.typed.unwrap_or_default();
    match outcome.answer {
        None => response,
        Some(Answer::Page(page)) => match html_of(&page, facts) {
            Ok(html) => with_html(response, html, facts),
            Err(error) => {
                let blank = blank(StatusCode::INTERNAL_SERVER_ERROR);
                show(blank, &broken(error, &page, facts), &typed, facts)
            }
        },
        Some(Answer::Error(error)) => {
            log(&error, facts);
            let told = error.told();
            if let Some(told) = told.filter(|_| facts.services.templates.tell()) {
                let told = Error::internal("told").public(told);
                return show(response, &told, &typed, facts);
            }
            show(response, &error, &typed, facts)
        }
        // Only the stack resumes a form, and it has looked for one before.
        Some(Answer::Resume(_)) => show(response, &Error::missing("the stack"), &typed, facts),
    }
}

/// The error of a page that could not be rendered. In development it names the reason.
fn broken(error: minijinja::Error, page: &Page, facts: &Facts) -> Error {
    let told = facts.services.templates.told(&error, page);
    let mut fault = Error::internal(error);
    if let Some(told) = told {
        fault = fault.public(told);
    }
    tracing::error!(error = ?fault, template = page.template(), "cannot render a page");
    fault
}

fn blank(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn log(error: &Error, facts: &Facts) {
    if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Launch) {
        tracing::error!(?error, route = %facts.loggable_path(), request = %facts.request_id, "a request failed");
    } else {
        tracing::debug!(?error, route = %facts.loggable_path(), request = %facts.request_id, "Dewar refused a request");
    }
}

/// Renders an error for the reader of a request.
fn show(
    mut response: Response,
    error: &Error,
    form: &TypedInForm,
    request: &Arc<Facts>,
) -> Response {
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept"));
    if request.prefers == Prefers::Json {
        return with_problem(response, error, request);
    }
    if error.kind() == ErrorKind::Unauthenticated && request.method == Method::GET {
        return to_sign_in(request);
    }
    let of_form = match error.what_was_typed() {
        [] => form.texts(),
        _ => Vec::new(),
    };
    let typed = if of_form.is_empty() {
        error.what_was_typed()
    } else {
        &of_form
    };
    let page = Page::new("errors/error.html")
        .with("status", error.status().as_u16())
        .with("title", request.language.translate(&error.title()))
        .with("text", request.language.translate(&error.words()))
        .with("problems", problems_for_people(error, request))
        .with("typed", TypedField::list(typed, &request.language))
        .with("explained", explained(error, request));
    match html_of(&Arc::new(page), request) {
        Ok(html) => with_html(response, html, request),
        Err(broken) => {
            tracing::error!(error = %broken, "cannot render the error page itself");
            with_problem(response, error, request)
        }
    }
}

/// The developer's explanation beside the error; none in production.
fn explained(error: &Error, request: &Facts) -> Option<String> {
    match error.is_slip()? {
        Slip::NoToken => {
            let path = request.path_without_query();
            let templates = &request.services.templates;
            templates.missing_token(request.method.as_str(), path)
        }
    }
}

/// Redirects people to the sign-in page; after the sign-in they come back to the page that they wanted.
fn to_sign_in(request: &Facts) -> Response {
    let mut response = blank(StatusCode::SEE_OTHER);
    let next = utf8_percent_encode(&request.path, NON_ALPHANUMERIC);
    let page = request
        .services
        .mounted
        .accounts()
        .path(AccountPage::SignIn);
    if let Ok(place) = HeaderValue::from_str(&format!("{page}?next={next}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// The problems of the fields, where there is more than the one that the text of the page states.
fn problems_for_people(error: &Error, request: &Facts) -> Vec<(Option<String>, String)> {
    let problems = error.field_problems();
    let several = problems.iter().filter(|_| problems.len() > 1);
    several
        .map(|problem| problem.for_people(&request.language))
        .collect()
}

/// Problem details (RFC 9457), in the reader's language.
fn with_problem(mut response: Response, error: &Error, request: &Facts) -> Response {
    let say = |words: &Words| request.language.translate(words).into_owned();
    let mut problem = error.members().clone();
    let mut put = |name: &str, value: serde_json::Value| problem.insert(name.to_owned(), value);
    put("type", error.problem_type().into());
    put("title", say(&error.title()).into());
    put("status", error.status().as_u16().into());
    put("detail", say(&error.words()).into());
    put("instance", request.request_id.to_string().into());
    if !error.field_problems().is_empty() {
        let fields = error.field_problems().iter().map(|problem| {
            let mut entry = serde_json::Map::new();
            entry.insert("pointer".to_owned(), problem.pointer().into());
            if let Some(code) = problem.code() {
                entry.insert("code".to_owned(), code.into());
            }
            entry.insert("detail".to_owned(), say(&problem.words).into());
            serde_json::Value::Object(entry)
        });
        put("errors", fields.collect());
    }
    with_language(&mut response, request);
    let problem = serde_json::Value::Object(problem);
    let json = HeaderValue::from_static("application/problem+json");
    let mut response = with_body(response, json, problem.to_string());
    // The response repeats the visitor's input, so Dewar chooses the file name under which a browser saves it (reflected
    // file download).
    let name = HeaderValue::from_static("attachment; filename=\"problem.json\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, name);
    response
}

/// Names the locale of the response, where the application has several.
fn with_language(response: &mut Response, request: &Facts) {
    if request.language.is_one_of_several() {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("accept-language"));
        if let Ok(tag) = HeaderValue::from_str(request.language.tag()) {
            headers.entry(header::CONTENT_LANGUAGE).or_insert(tag);
        }
    }
}

fn with_html(mut response: Response, html: String, request: &Facts) -> Response {
    with_language(&mut response, request);
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    with_body(response, kind, html)
}

fn with_body(mut response: Response, kind: HeaderValue, body: String) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    // The router wrote the length of the empty body that this one replaces.
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
    response
}

/// Renders a part of a page, for an open page of the same reader.
///
/// # Errors
/// 500: the template fails. The log has the reason.
pub(crate) fn render_part(page: Page, context: &RequestContext) -> Result<String, Error> {
    let page = Arc::new(page);
    html_of(&page, &context.facts).map_err(|error| broken(error, &page, &context.facts))
}

fn html_of(page: &Arc<Page>, request: &Arc<Facts>) -> Result<String, minijinja::Error> {
    let context = TemplateContext {
        page: Arc::clone(page),
        request: Arc::clone(request),
        forms: vec![OnceLock::new(); page.number_of_forms()].into(),
        say: OnceLock::new(),
        user: OnceLock::new(),
    };
    let _drawing = RenderScope::begin(&request.language);
    request
        .services
        .templates
        .render(page.template(), Value::from_object(context))
}

/// The values that a template sees: first those of the page, then those of every page. A lookup copies nothing. Dewar makes
/// the CSRF token only if the template uses it, so a page without a form needs no token and sets no cookie.
#[derive(Debug)]
struct TemplateContext {
    page: Arc<Page>,
    request: Arc<Facts>,
    /// The page's forms, each made where the template first uses it.
    forms: Box<[OnceLock<Value>]>,
    say: OnceLock<Value>,
    user: OnceLock<Value>,
}

impl Object for TemplateContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        if let Some(value) = self.page.value(name) {
            return Some(value);
        }
        if let Some((place, form)) = self.page.form_named(name) {
            let value = || {
                let person = self.request.session.principal().map(Principal::email);
                let value = form.value_at(&self.request.tokens, &self.request.language, person);
                untrusted(value)
            };
            return Some(self.forms.get(place)?.get_or_init(value).clone());
        }
        let request = &self.request;
        match name {
            "user" => Some(self.user.get_or_init(|| user(&request.session)).clone()),
            "path" => Some(Value::from(&*request.path)),
            "flash" => Some(
                request
                    .flash
                    .clone()
                    .unwrap_or_else(|| Value::from(Vec::<Value>::new())),
            ),
            layout::NAME => {
                let values = request.services.later.get::<LayoutValues>()?;
                Some(values.value())
            }
            "lang" => Some(Value::from(request.language.tag())),
            "t" => {
                let say = || Value::from_object(Say(request.language.clone()));
                Some(self.say.get_or_init(say).clone())
            }
            "mounted" => Some(request.services.mounted.to_value()),
            "account_page" => Some(request.services.mounted.account_page_function()),
            "nonce" => Some(Value::from(request.nonce.to_string())),
            "request_id" => Some(Value::from(request.request_id.to_string())),
            "csrf_field" => Some(token_field(&request.tokens)),
            "csrf_token" => Some(Value::from(request.tokens.token())),
            _ => None,
        }
    }
}

/// The token as a hidden input. It is base64url, so it needs no escaping.
fn token_field(gate: &CsrfTokens) -> Value {
    let token = gate.token();
    let name = crate::csrf::FIELD;
    trusted_html(format!(
        "<input type=\"hidden\" name=\"{name}\" value=\"{token}\">"
    ))
}
