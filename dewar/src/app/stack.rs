use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tower::ServiceExt;

use super::Dewar;
use super::early_errors::AcceptHeaders;
use super::patterns::Patterns;
use super::request_log::{RequestLine, RequestLog};
use super::routes::refused;
use super::scan_detector::ScanDetector;
use crate::accounts::{CONFIRM, KNOWN_BROWSER, Resume, SIGN_IN, Way};
use crate::audit::{Entry, Event};
use crate::csrf::{CsrfRejection, CsrfTokens, MissingOrigin, Origin, RequestHead, judge};
use crate::forms::ShowOnly;
use crate::https::{
    ClientAddress, HttpsLayer, Nonce, REPORTS_PATH, RequestId, SECURITY_TXT_PATH, about_request,
};
use crate::pages::{
    Error, ErrorKind, FlashToCome, LocalPath, Prefers, Redirect, RequestContext, STATIC_PREFIX,
    finish,
};
use crate::sessions::{Flash, NotSealedHere, Session, remove_all_but};

const FIRST_CHECK: HeaderValue =
    HeaderValue::from_static("sec-fetch-site, sec-fetch-mode, sec-fetch-dest, origin");

/// Everything that stands between the listener and a handler.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) dewar: Dewar,
    pub(super) protect: HttpsLayer,
    pub(super) router: Router,
    pub(super) searching: ScanDetector,
    pub(super) patterns: Patterns,
    pub(super) requests: RequestLog,
    /// The rooms' handles, ready to be given to each request.
    pub(super) handles: Extensions,
    /// Whom to tell of a hole, as it is served.
    pub(super) security_txt: Option<String>,
}

impl Stack {
    /// The way of a request. This is the order, and this is the only place where it stands:
    ///
    /// 1. `https`, around all the rest: is the request well-formed, of a bearable size and for a host of ours? On the
    ///    way out it writes the headers, last, so that no answer leaves without them and no handler weakens them.
    /// 2. `pages`: a static file needs no session; neither do browsers' reports and `security.txt`.
    /// 3. `csrf`, first check: did our own page make it? Before the session: a forged request is not worth a query. One
    ///    that says nothing, as no browser does, goes on with a mark that only a webhook's guard lets pass.
    /// 4. `sessions`: who is it? The one read that the framework makes.
    /// 5. `csrf`, second check: a gate for this session, which the route's guard or its form must pass.
    /// 6. the router: the `roles` guard, `accounts` where the password is asked for once more, `forms`, the handler. A
    ///    form that was kept for the right password goes the same way once more, in the same request.
    /// 7. `pages`: what the handler left is rendered, errors too, for only now everything is known.
    /// 8. `sessions`, `csrf`: what the browser is to remember.
    pub(super) fn walk(&self, mut request: Request) -> impl Future<Output = Response> {
        let route = self.patterns.of(request.uri());
        let id = RequestId::new();
        // Shared and not lent: a future that holds both would hold the request twice.
        let line = self.requests.begin(&request, route, id).map(Arc::new);
        let extensions = request.extensions_mut();
        extensions.insert(id);
        if let Some(route) = route {
            extensions.insert(route);
        }
        let asked = AcceptHeaders::of(request.headers());
        let of_inside = line.clone();
        let inside = move |request| self.inside(request, of_inside);
        let show = move |refused| self.show(refused, asked);
        let handled = self.protect.around_with(request, inside, show);
        handled.inspect(move |response| {
            if let Some(line) = line {
                line.end(response);
            }
        })
    }

    fn inside(
        &self,
        request: Request,
        line: Option<Arc<RequestLine>>,
    ) -> impl Future<Output = Response> {
        let from = request.extensions().get::<ClientAddress>().copied();
        self.answer(request, line).inspect(move |response| {
            if response.status() == StatusCode::NOT_FOUND
                && let Some(from) = from
            {
                self.searching.missed(from, &self.dewar.rooms().log);
            }
        })
    }

    async fn answer(&self, request: Request, line: Option<Arc<RequestLine>>) -> Response {
        let (mut parts, body) = request.into_parts();
        if parts.uri.path().starts_with(STATIC_PREFIX) {
            let found = self.dewar.rooms().assets.serve(&parts);
            return found.unwrap_or_else(|| self.turn_away(&parts, Error::not_found()));
        }
        if let Some(answer) = self.provided(&parts) {
            return answer;
        }
        if parts.uri.path() == REPORTS_PATH && parts.method == Method::POST {
            return self.dewar.rooms().reports.take(&parts, body).await;
        }
        parts.extensions.extend(self.handles.clone());
        let mut response = match first_check(&parts) {
            Ok(origin) => {
                if origin == Origin::Unsaid {
                    parts.extensions.insert(MissingOrigin);
                }
                self.admitted(parts, body, line).await
            }
            Err(refusal) => self.turn_away(&parts, refused(refusal, &parts)),
        };
        // What the first check looks at decides the answer, so a cache may not give it to a request that says otherwise.
        response.headers_mut().append(header::VARY, FIRST_CHECK);
        response
    }

    async fn admitted(&self, parts: Parts, body: Body, line: Option<Arc<RequestLine>>) -> Response {
        let address = parts.extensions.get::<ClientAddress>();
        let address = address.map(|ClientAddress(address)| *address);
        let sessions = &self.dewar.rooms().sessions;
        match sessions.of_request(&parts.headers, address).await {
            Ok(session) => {
                if let (Some(line), Some(person)) = (line, session.principal()) {
                    line.by(person.id());
                }
                self.visit(session, parts, body).await
            }
            Err(error) => self.turn_away(&parts, error.into()),
        }
    }

    /// What is the same for everyone and needs nothing of the rooms.
    fn provided(&self, parts: &Parts) -> Option<Response> {
        let text = self.security_txt.as_ref()?;
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        if !reads || parts.uri.path() != SECURITY_TXT_PATH {
            return None;
        }
        let mut response = Response::new(Body::from(text.clone()));
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Some(response)
    }

    /// An answer to a request that got no further than the door.
    fn turn_away(&self, parts: &Parts, error: Error) -> Response {
        let reader = self.reader(parts, self.dewar.rooms().sessions.visitor());
        finish(error.into_response(), &reader)
    }

    async fn visit(&self, session: Session, parts: Parts, body: Body) -> Response {
        // Only the pages that confirm and sign in let a kept form come once more, so only there is the request copied.
        let confirming =
            parts.method == Method::POST && [CONFIRM, SIGN_IN].contains(&parts.uri.path());
        let again = confirming.then(|| Box::new(parts.clone()));
        let cookies = SentCookies::of(&parts);
        let reader = self.reader(&parts, session);
        let mut response = self.handle(&reader, parts, body).await;
        if let (Some(parts), Some(resume)) = (again, response.extensions_mut().remove::<Resume>()) {
            // In a box: a request under way is small, and few come here.
            return Box::pin(self.resume(&reader, *parts, resume, &cookies)).await;
        }
        let mut response = finish(response, &reader);
        self.remember(&mut response, &reader, &cookies);
        response
    }

    /// Goes the way of a form that was kept: it is shown again after a sign-in, and sent after the right password.
    async fn resume(
        &self,
        before: &RequestContext,
        mut parts: Parts,
        resume: Resume,
        cookies: &SentCookies,
    ) -> Response {
        if resume.way == Way::Show {
            return self.show_again(before, parts, resume, cookies).await;
        }
        let body = resume.applied(&mut parts);
        let reader = self.reader(&parts, before.session.clone());
        let response = self.handle(&reader, parts, Body::from(body)).await;
        self.close(response, &reader, cookies)
    }

    /// The page of a form that was kept while its sender signed in, filled with what they typed. Nothing of it is done: its
    /// handler gets a form that it can only show.
    async fn show_again(
        &self,
        before: &RequestContext,
        mut parts: Parts,
        resume: Resume,
        cookies: &SentCookies,
    ) -> Response {
        let session = match before.session.begun().await {
            Ok(session) => session,
            Err(error) => return self.turn_away(&parts, error.into()),
        };
        let reader = self.reader(&parts, session.clone());
        let mut response = match resume.with_session(&reader.gate) {
            Ok(resume) => {
                let body = resume.applied(&mut parts);
                let reader = self.reader(&parts, session);
                parts.extensions.insert(ShowOnly);
                let mut response = self.handle(&reader, parts, Body::from(body)).await;
                if response.status() == StatusCode::UNPROCESSABLE_ENTITY {
                    *response.status_mut() = StatusCode::OK;
                }
                self.close(response, &reader, cookies)
            }
            Err(to) => self.close(Redirect::to(to).into_response(), &reader, cookies),
        };
        let accounts = self.dewar.accounts();
        accounts.remember(&before.session, cookies.headers(), response.headers_mut());
        // The visitor's cookie is worth nothing any more.
        before.gate.write(&before.session, response.headers_mut());
        response
    }

    /// Ends the way of a form that was kept: no other follows it.
    fn close(
        &self,
        mut response: Response,
        reader: &Arc<RequestContext>,
        cookies: &SentCookies,
    ) -> Response {
        drop(response.extensions_mut().remove::<Resume>());
        let mut response = finish(response, reader);
        self.remember(&mut response, reader, cookies);
        response
    }

    async fn handle(&self, reader: &RequestContext, mut parts: Parts, body: Body) -> Response {
        parts.extensions.insert(reader.session.clone());
        parts.extensions.insert(reader.gate.clone());
        let handler = self
            .router
            .clone()
            .oneshot(Request::from_parts(parts, body));
        match AssertUnwindSafe(handler).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_panic) => {
                Error::internal("a handler panicked; what it said stands above").into_response()
            }
        }
    }

    fn remember(&self, response: &mut Response, reader: &RequestContext, brought: &SentCookies) {
        let coming = response.extensions_mut().remove::<FlashToCome>();
        let headers = response.headers_mut();
        let kind = headers.get(header::CONTENT_TYPE);
        let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        // Whoever is signed out finds no message for the one who was there before.
        let forgets = headers.contains_key("clear-site-data");
        if let Some(FlashToCome(words)) = coming.filter(|_| !forgets) {
            Flash::leave(
                &reader.language.translate(&words),
                headers,
                &self.dewar.rooms().ring,
            );
        } else if is_page && reader.flash.is_some() {
            Flash::shown(headers);
        }
        reader.session.write(headers);
        reader.gate.write(&reader.session, headers);
        if forgets {
            remove_all_but(KNOWN_BROWSER, brought.headers(), headers);
        }
        let accounts = self.dewar.accounts();
        accounts.remember(&reader.session, brought.headers(), headers);
    }

    pub(super) fn reader(&self, parts: &Parts, session: Session) -> Arc<RequestContext> {
        let rooms = self.dewar.rooms();
        let flash = Flash::read(&parts.headers, &rooms.ring).unwrap_or_else(|NotSealedHere| {
            self.not_sealed_here(parts);
            None
        });
        Arc::new(RequestContext {
            templates: rooms.templates.clone(),
            gate: CsrfTokens::new(rooms.ring.clone(), &session, &parts.headers),
            method: parts.method.clone(),
            path: parts
                .uri
                .path_and_query()
                .map_or("/", |whole| whole.as_str())
                .to_owned(),
            route: parts.extensions.get().copied(),
            flash,
            session,
            nonce: parts
                .extensions
                .get::<Nonce>()
                .copied()
                .unwrap_or_else(Nonce::new),
            request_id: parts
                .extensions
                .get::<RequestId>()
                .copied()
                .unwrap_or_else(RequestId::new),
            prefers: Prefers::of(&parts.headers),
            sign_in: SIGN_IN,
            mounted: rooms.mounted.clone(),
            language: rooms.languages.of(&parts.headers),
        })
    }

    /// Notes a message for the next page that we did not leave.
    fn not_sealed_here(&self, parts: &Parts) {
        let entry = Entry::new(Event::CryptDecryptFail);
        let entry = entry.detail("the cookie of a message for the next page");
        let log = &self.dewar.rooms().log;
        log.record(about_request(entry, parts));
    }
}

/// The cookies that came with a request which may change something; nothing else changes what a browser is to remember.
///
/// In a box, and only where there are any: most requests change nothing, and each is kept small.
struct SentCookies(Option<Box<HeaderMap>>);

impl SentCookies {
    fn of(parts: &Parts) -> Self {
        if parts.method.is_safe() || !parts.headers.contains_key(header::COOKIE) {
            return Self(None);
        }
        let mut cookies = Box::<HeaderMap>::default();
        for line in parts.headers.get_all(header::COOKIE) {
            cookies.append(header::COOKIE, line.clone());
        }
        Self(Some(cookies))
    }

    fn headers(&self) -> &HeaderMap {
        static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        self.0.as_deref().unwrap_or(&NONE)
    }
}

/// The host is on the application's list already; HTTP/2 names it in the target, HTTP/1 in a header.
fn first_check(parts: &Parts) -> Result<Origin, CsrfRejection> {
    let named = parts
        .headers
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let host = parts
        .uri
        .authority()
        .map(http::uri::Authority::as_str)
        .or(named);
    judge(RequestHead {
        method: &parts.method,
        host: host.unwrap_or_default(),
        headers: &parts.headers,
    })
}

/// What the router answers where it knows no such path.
pub(super) async fn nothing_here() -> Error {
    Error::not_found()
}

/// What the router answers where the path has a slash too many: the page without it, for good.
pub(super) async fn without_slash(method: Method, uri: Uri) -> Result<Response, Error> {
    let path = uri.path().strip_suffix('/').unwrap_or_default().to_owned();
    if !matches!(method, Method::GET | Method::HEAD) {
        return Err(Error::not_found());
    }
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    // `//evil.example/` is refused at the door, and once more here (CWE-601).
    let to = LocalPath::parse(whole).map_err(|_| Error::not_found())?;
    let location = HeaderValue::from_str(to.as_str()).map_err(Error::internal)?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// What the router answers where it knows the path but not the method.
pub(super) async fn not_this_method() -> Error {
    Error::new(ErrorKind::MethodNotAllowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each request under way is kept small: a box for cookies is made for those that need one.
    #[test]
    fn cookies_are_copied_where_there_are_any_and_something_may_change() {
        for (method, cookie, copied) in [
            ("GET", Some("a=1"), 0),
            ("GET", None, 0),
            ("POST", None, 0),
            ("POST", Some("a=1"), 1),
        ] {
            let mut request = http::Request::new(());
            *request.method_mut() = method.parse().unwrap();
            if let Some(cookie) = cookie {
                let cookie = HeaderValue::from_static(cookie);
                request.headers_mut().insert(header::COOKIE, cookie);
            }
            let (parts, ()) = request.into_parts();
            let brought = SentCookies::of(&parts);
            assert_eq!(brought.headers().len(), copied, "{method} {cookie:?}");
            assert_eq!(brought.0.is_some(), copied > 0, "{method} {cookie:?}");
        }
    }
}
