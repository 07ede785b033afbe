use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use minijinja::value::{Object, Value};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::{Slip, ToShow};
use super::languages::RenderScope;
use super::markup::trusted_html;
use super::negotiation::Prefers;
use super::page::ToRender;
use super::translate_function::Say;
use super::untrusted::untrusted;
use super::user::user;
use super::{
    Error, ErrorKind, Language, Message, Mounted, Page, Templates, TypedField, TypedInForm,
};
use crate::audit::{LoggablePath, RoutePattern};
use crate::csrf::CsrfTokens;
use crate::https::{Nonce, RequestId};
use crate::sessions::{Principal, Session};

/// Who will read the answer, as much of the request as rendering needs: kept from the request while the handler has it.
pub(crate) struct RequestContext {
    pub(crate) templates: Templates,
    pub(crate) gate: CsrfTokens,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The route that the request met, for the log.
    pub(crate) route: Option<RoutePattern>,
    pub(crate) session: Session,
    pub(crate) flash: Option<Value>,
    pub(crate) nonce: Nonce,
    pub(crate) request_id: RequestId,
    pub(crate) prefers: Prefers,
    pub(crate) sign_in: &'static str,
    pub(crate) mounted: Mounted,
    pub(crate) language: Language,
}

/// Renders what the handler left to be rendered: a page, or an error as a page or as problem details.
pub(crate) fn finish(mut response: Response, reader: &Arc<RequestContext>) -> Response {
    let form = response.extensions_mut().remove::<TypedInForm>();
    let form = form.unwrap_or_default();
    if let Some(ToRender(page)) = response.extensions_mut().remove::<ToRender>() {
        return match render(&page, reader) {
            Ok(html) => with_html(response, html, reader),
            Err(error) => {
                let told = reader.templates.told(&error, &page);
                let mut fault = Error::internal(error);
                if let Some(told) = told {
                    fault = fault.public(told);
                }
                tracing::error!(error = ?fault, template = page.template(), "a page could not be rendered");
                show(
                    blank(StatusCode::INTERNAL_SERVER_ERROR),
                    &fault,
                    &form,
                    reader,
                )
            }
        };
    }
    if let Some(ToShow(error)) = response.extensions_mut().remove::<ToShow>() {
        log(&error, reader);
        if let Some(told) = error.told().filter(|_| reader.templates.tell()) {
            let told = Error::internal("told").public(told);
            return show(response, &told, &form, reader);
        }
        return show(response, &error, &form, reader);
    }
    response
}

fn blank(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn log(error: &Error, reader: &RequestContext) {
    if matches!(error.kind(), ErrorKind::Internal | ErrorKind::Launch) {
        tracing::error!(?error, route = %reader.loggable_path(), request = %reader.request_id, "a request failed");
    } else {
        tracing::debug!(?error, route = %reader.loggable_path(), request = %reader.request_id, "a request was refused");
    }
}

impl RequestContext {
    fn loggable_path(&self) -> LoggablePath {
        match self.route {
            Some(RoutePattern(pattern)) => LoggablePath::on_route(pattern, &self.path),
            None => LoggablePath::new(&self.path),
        }
    }
}

/// An error as its reader can read it.
fn show(
    mut response: Response,
    error: &Error,
    form: &TypedInForm,
    reader: &Arc<RequestContext>,
) -> Response {
    response
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept"));
    if reader.prefers == Prefers::Json {
        return with_problem(response, error, reader);
    }
    if error.kind() == ErrorKind::Unauthenticated && reader.method == Method::GET {
        return to_sign_in(reader);
    }
    let (status, title, _) = error.kind().face();
    let typed = match error.what_was_typed() {
        [] => form.texts(),
        typed => typed,
    };
    let page = Page::new("errors/error.html")
        .with("status", status.as_u16())
        .with(
            "title",
            reader.language.translate(&Message::new(title).into()),
        )
        .with("text", reader.language.translate(&error.words()))
        .with("typed", TypedField::list(typed, &reader.language))
        .with("explained", explained(error, reader));
    match render(&Arc::new(page), reader) {
        Ok(html) => with_html(response, html, reader),
        Err(broken) => {
            tracing::error!(error = %broken, "the error page itself could not be rendered");
            with_problem(response, error, reader)
        }
    }
}

/// What whoever writes the application reads beside it; nobody in production.
fn explained(error: &Error, reader: &RequestContext) -> Option<String> {
    match error.is_slip()? {
        Slip::NoToken => {
            let path = reader.path.split('?').next().unwrap_or_default();
            reader.templates.missing_token(reader.method.as_str(), path)
        }
    }
}

/// People who must sign in are sent there and come back to the page that they wanted.
fn to_sign_in(reader: &RequestContext) -> Response {
    let mut response = blank(StatusCode::SEE_OTHER);
    let next = utf8_percent_encode(&reader.path, NON_ALPHANUMERIC);
    if let Ok(place) = HeaderValue::from_str(&format!("{}?next={next}", reader.sign_in)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// RFC 9457.
fn with_problem(response: Response, error: &Error, reader: &RequestContext) -> Response {
    let (status, title, _) = error.kind().face();
    let mut problem = serde_json::json!({
        "type": "about:blank",
        "title": reader.language.translate(&Message::new(title).into()),
        "status": status.as_u16(),
        "detail": reader.language.translate(&error.words()),
        "instance": reader.request_id.to_string(),
    });
    if !error.field_problems().is_empty() {
        let fields = error.field_problems().iter().map(|(field, detail)| {
            let mut pointer = String::from("#");
            for step in field.split('.').filter(|step| !step.is_empty()) {
                pointer.push('/');
                pointer.push_str(step);
            }
            serde_json::json!({ "detail": reader.language.translate(detail), "pointer": pointer })
        });
        if let Some(members) = problem.as_object_mut() {
            members.insert("errors".to_owned(), fields.collect());
        }
    }
    let json = HeaderValue::from_static("application/problem+json");
    let mut response = with_body(response, json, problem.to_string());
    // It says back what was sent; saved, it has a name of ours (reflected file download).
    let name = HeaderValue::from_static("attachment; filename=\"problem.json\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, name);
    response
}

fn with_html(mut response: Response, html: String, reader: &RequestContext) -> Response {
    if reader.language.is_one_of_several() {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("accept-language"));
        if let Ok(tag) = HeaderValue::from_str(reader.language.tag()) {
            headers.insert(header::CONTENT_LANGUAGE, tag);
        }
    }
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    with_body(response, kind, html)
}

fn with_body(mut response: Response, kind: HeaderValue, body: String) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    // The router wrote the length of the empty body that stood for this one.
    headers.remove(header::CONTENT_LENGTH);
    *response.body_mut() = Body::from(body);
    response
}

fn render(page: &Arc<Page>, reader: &Arc<RequestContext>) -> Result<String, minijinja::Error> {
    let context = TemplateContext {
        page: Arc::clone(page),
        reader: Arc::clone(reader),
        say: OnceLock::new(),
        user: OnceLock::new(),
    };
    let _drawing = RenderScope::begin(&reader.language);
    reader
        .templates
        .render(page.template(), Value::from_object(context))
}

/// What a template sees: what the page gives, then what every page has. Nothing is copied to look a name up, and the
/// token is made only where a template asks for it, so a page without a form costs no token and sets no cookie.
#[derive(Debug)]
struct TemplateContext {
    page: Arc<Page>,
    reader: Arc<RequestContext>,
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
        if let Some(form) = self.page.form_named(name) {
            let person = self.reader.session.principal().map(Principal::email);
            let value = form.value_at(&self.reader.gate, &self.reader.language, person);
            return Some(untrusted(value));
        }
        let reader = &self.reader;
        match name {
            "user" => Some(self.user.get_or_init(|| user(&reader.session)).clone()),
            "path" => Some(Value::from(&*reader.path)),
            "flash" => Some(
                reader
                    .flash
                    .clone()
                    .unwrap_or_else(|| Value::from(Vec::<Value>::new())),
            ),
            "lang" => Some(Value::from(reader.language.tag())),
            "t" => {
                let say = || Value::from_object(Say(reader.language.clone()));
                Some(self.say.get_or_init(say).clone())
            }
            "mounted" => Some(reader.mounted.to_value()),
            "nonce" => Some(Value::from(reader.nonce.to_string())),
            "request_id" => Some(Value::from(reader.request_id.to_string())),
            "csrf_field" => Some(token_field(&reader.gate)),
            "csrf_token" => Some(Value::from(reader.gate.token())),
            _ => None,
        }
    }
}

/// The token as a hidden input; it is base64url, so nothing in it needs escaping.
fn token_field(gate: &CsrfTokens) -> Value {
    let token = gate.token();
    let name = crate::csrf::FIELD;
    trusted_html(format!(
        "<input type=\"hidden\" name=\"{name}\" value=\"{token}\">"
    ))
}

impl fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
