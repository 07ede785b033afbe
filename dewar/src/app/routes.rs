use std::fmt;
use std::future::Future;
use std::pin::Pin;

use axum::body::Body;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use http::request::Parts;

use super::{Answers, Dewar, confirm};
use crate::audit::{Entry as Noted, Event, Log};
use crate::csrf::{Gate, HEADER, Refusal, Signed, Webhooks};
use crate::forms::{Arguments, Described};
use crate::https::ClientAddress;
use crate::pages::{Error, ErrorKind};
use crate::roles::{Access, admit};

/// What is read of a button's form, which holds its token and nothing else.
const TOKEN_FORM: usize = 4 * 1024;

/// What is read of a delivery.
const DELIVERY: usize = 1024 * 1024;

/// A method, a path and a handler, before a heading says who may enter.
///
/// ```
/// use dewar::{App, get};
/// async fn hello() -> &'static str { "Hello" }
/// fn greeting(app: App) -> App { app.public([get("/hello", hello)]) }
/// ```
#[must_use = "a route is reached when it stands under a heading"]
pub struct Route<S = Dewar> {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) described: Described,
    pub(super) mount: Mount<S>,
}

/// Puts a handler behind its guard, once its heading is known.
type Mount<S> = Box<dyn FnOnce(Access, &Described) -> MethodRouter<S> + Send>;

impl<S> fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident, $method:ident;)*) => {$(
        $(#[$doc])*
        pub fn $name<H, T, S>(path: &'static str, handler: H) -> Route<S>
        where
            H: Handler<T, S> + Answers<T>,
            T: Arguments + Send + Sync + 'static,
            S: Clone + Send + Sync + 'static,
        {
            route(Method::$method, MethodFilter::$method, path, handler)
        }
    )*};
}

methods! {
    /// Reads something; it changes nothing, so that a link may lead here.
    ///
    /// ```
    /// async fn hello() -> &'static str { "Hello" }
    /// let route: dewar::app::Route = dewar::get("/", hello);
    /// # drop(route);
    /// ```
    get, GET;
    /// Changes something; the request is checked twice before the handler is asked (`csrf`).
    ///
    /// ```
    /// use dewar::{Redirect, post};
    /// async fn empty_the_bin() -> Redirect { Redirect::to("/bin") }
    /// let route: dewar::app::Route = post("/bin", empty_the_bin);
    /// # drop(route);
    /// ```
    post, POST;
    /// Puts something in a place; for `fetch()` callers, with the token in a header.
    ///
    /// ```
    /// async fn put_note() -> &'static str { "kept" }
    /// let route: dewar::app::Route = dewar::app::put("/note", put_note);
    /// # drop(route);
    /// ```
    put, PUT;
    /// Changes a part of something; for `fetch()` callers.
    ///
    /// ```
    /// async fn amend() -> &'static str { "amended" }
    /// let route: dewar::app::Route = dewar::app::patch("/note", amend);
    /// # drop(route);
    /// ```
    patch, PATCH;
    /// Removes something; for `fetch()` callers.
    ///
    /// ```
    /// async fn remove() -> &'static str { "gone" }
    /// let route: dewar::app::Route = dewar::app::delete("/note", remove);
    /// # drop(route);
    /// ```
    delete, DELETE;
}

fn route<H, T, S>(method: Method, filter: MethodFilter, path: &'static str, handler: H) -> Route<S>
where
    H: Handler<T, S>,
    T: Arguments + Send + Sync + 'static,
    S: Clone + Send + Sync + 'static,
{
    let mut described = Described::default();
    T::describe(&mut described);
    let asks = Asks::of(&method, &described);
    let mount = move |access, described: &Described| {
        on(
            filter,
            Guarded {
                handler,
                access,
                asks: asks.under(access),
                recently: described.recently,
            },
        )
    };
    Route {
        method,
        path,
        described,
        mount: Box::new(mount),
    }
}

/// What an unsafe request has to prove before its handler is asked.
#[derive(Clone, Copy, Debug)]
enum Asks {
    /// Nothing: a method that changes nothing.
    Nothing,
    /// The handler's own form holds the token, and `Form` cannot be had without checking it.
    Form,
    /// The token alone, in a header or in a form that is only a button.
    Token,
    /// A sender's signature over the body.
    Signature(Signed),
}

impl Asks {
    fn of(method: &Method, described: &Described) -> Self {
        if matches!(*method, Method::GET | Method::HEAD) {
            Self::Nothing
        } else if described.form.is_some() {
            Self::Form
        } else {
            Self::Token
        }
    }

    fn under(self, access: Access) -> Self {
        match access {
            Access::Webhook(by) => Self::Signature(by),
            Access::Public | Access::Role(_) | Access::SignedIn => self,
        }
    }
}

/// A handler behind its heading's guard.
#[derive(Clone)]
struct Guarded<H> {
    handler: H,
    access: Access,
    asks: Asks,
    recently: bool,
}

impl<H, T, S> Handler<T, S> for Guarded<H>
where
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, state: S) -> Self::Future {
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            if let Err(error) = admit(self.access, &parts) {
                return error.into_response();
            }
            if self.recently && !confirm::leave_proof(&mut parts) {
                return confirm::ask(parts, body).await;
            }
            match prove(self.asks, parts, body).await {
                Ok(request) => self.handler.call(request, state).await,
                Err(error) => error.into_response(),
            }
        })
    }
}

async fn prove(asks: Asks, parts: Parts, body: Body) -> Result<Request, Error> {
    match asks {
        Asks::Nothing | Asks::Form => Ok(Request::from_parts(parts, body)),
        Asks::Token => token(parts, body).await,
        Asks::Signature(by) => signature(by, parts, body).await,
    }
}

async fn token(parts: Parts, body: Body) -> Result<Request, Error> {
    let gate = parts
        .extensions
        .get::<Gate>()
        .ok_or_else(|| Error::missing("Gate"))?;
    let checked = match parts.headers.get(HEADER) {
        Some(token) => gate.verify(token.to_str().ok()),
        None => {
            let body = read(body, TOKEN_FORM).await?;
            let mut fields = form_urlencoded::parse(&body);
            let token = fields.find(|(name, _)| name == crate::csrf::FIELD);
            gate.verify(token.as_ref().map(|(_, value)| value.as_ref()))
        }
    };
    match checked {
        Ok(_checked) => Ok(Request::from_parts(parts, Body::empty())),
        Err(refusal) => Err(refused(refusal, &parts)),
    }
}

/// A refusal by `csrf` as an answer and as a security event.
pub(super) fn refused(refusal: Refusal, parts: &Parts) -> Error {
    if let Some(log) = parts.extensions.get::<Log>() {
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let mut entry = Noted::new(Event::MaliciousCsrf)
            .request(method, path)
            .detail(refusal);
        if let Some(ClientAddress(address)) = parts.extensions.get() {
            entry = entry.address(*address);
        }
        log.record(entry);
    }
    let text = "This request did not come from a page of ours, or the page was too old. Go back, load the page again \
                and repeat what you did.";
    Error::forbidden().public(text).because(refusal)
}

async fn signature(by: Signed, mut parts: Parts, body: Body) -> Result<Request, Error> {
    let webhooks = parts
        .extensions
        .get::<Webhooks>()
        .ok_or_else(|| Error::missing("Webhooks"))?
        .clone();
    let body = read(body, DELIVERY).await?;
    match webhooks.check(by, &parts.headers, body) {
        Ok(delivery) => {
            parts.extensions.insert(delivery);
            Ok(Request::from_parts(parts, Body::empty()))
        }
        Err(refusal) => {
            tracing::warn!(%refusal, sender = by.sender(), "a delivery was refused");
            Err(Error::unauthenticated()
                .public("The delivery is not signed as agreed.")
                .because(refusal))
        }
    }
}

async fn read(body: Body, most: usize) -> Result<bytes::Bytes, Error> {
    axum::body::to_bytes(body, most)
        .await
        .map_err(|error| Error::new(ErrorKind::TooLarge).because(error))
}
