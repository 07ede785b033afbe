//! The resources of RFC 8555, 7.1: directory, accounts, orders, authorizations, challenges and certificates.

use super::{AcmeBooks, AcmeMistake, AcmeOrder, AcmeServer, Office, moment};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use time::format_description::well_known::Rfc3339;

pub(super) fn routes(office: Office) -> Router {
    let empty = async || answer(StatusCode::OK, Body::empty(), None);
    Router::new()
        .route("/directory", get(directory))
        .route("/nonce", head(empty))
        .route("/account", post(account))
        .route("/order", post(order))
        .route("/order/{number}", post(look_at_order))
        .route("/authorization/{number}", post(authorization))
        .route("/challenge/{number}", post(challenge))
        .route("/finalize/{number}", post(finalize))
        .route("/certificate/{number}", post(certificate))
        .route("/renewal/{id}", get(renewal))
        .with_state(office)
}

type Answered = Result<Response, StatusCode>;

const MALFORMED: StatusCode = StatusCode::BAD_REQUEST;

/// The number of the next nonce. Nobody needs to guess one, because the server accepts any.
static NONCES: AtomicU64 = AtomicU64::new(0);

/// Adds a nonce, as to every response, and the location of a new resource.
fn answer(status: StatusCode, body: impl Into<Body>, place: Option<String>) -> Response {
    let mut response = (status, body.into()).into_response();
    let nonce = NONCES.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let nonce = BASE64URL_NOPAD.encode(&nonce);
    for (name, value) in [("replay-nonce", Some(nonce)), ("location", place)] {
        let value = value.and_then(|value| HeaderValue::try_from(value).ok());
        response
            .headers_mut()
            .extend(value.map(|value| (HeaderName::from_static(name), value)));
    }
    response
}

/// The payload of a signed request.
fn said(body: &[u8]) -> Option<Value> {
    let envelope: Value = serde_json::from_slice(body).ok()?;
    serde_json::from_slice(&decoded(&envelope, "/payload")?).ok()
}

fn text<'a>(said: &'a Value, at: &str) -> Option<&'a str> {
    said.pointer(at)?.as_str()
}

fn decoded(said: &Value, at: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text(said, at)?.as_bytes()).ok()
}

async fn directory(State(office): State<Office>) -> Response {
    let at = |path: &str| office.at(path);
    let places = json!({
        "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("order"),
        "revokeCert": at("revoke"), "keyChange": at("key"), "renewalInfo": at("renewal"),
        "meta": { "profiles": { "classic": "long", "shortlived": "six days" } },
    });
    answer(StatusCode::OK, places.to_string(), None)
}

async fn account(State(office): State<Office>) -> Response {
    let mut books = office.books();
    books.accounts += 1;
    let place = office.at(&format!("account/{}", books.accounts));
    let account = json!({ "status": "valid" });
    answer(StatusCode::CREATED, account.to_string(), Some(place))
}

async fn order(State(office): State<Office>, body: Bytes) -> Answered {
    let said = said(&body).ok_or(MALFORMED)?;
    let text = |at: &str| text(&said, at).map(str::to_owned);
    let mut books = office.books();
    books.orders.push(AcmeOrder {
        replaces: text("/replaces"),
        profile: text("/profile"),
        host: text("/identifiers/0/value").ok_or(MALFORMED)?,
        looked: false,
        certificate: None,
    });
    let number = books.orders.len() - 1;
    let place = office.at(&format!("order/{number}"));
    let order = office.order(&books, number).ok_or(MALFORMED)?;
    Ok(answer(StatusCode::CREATED, order.to_string(), Some(place)))
}

async fn look_at_order(State(office): State<Office>, Path(number): Path<usize>) -> Answered {
    let order = office.order(&office.books(), number).ok_or(MALFORMED)?;
    Ok(answer(StatusCode::OK, order.to_string(), None))
}

async fn authorization(State(office): State<Office>, Path(number): Path<usize>) -> Answered {
    let books = office.books();
    let order = books.orders.get(number).ok_or(MALFORMED)?;
    let challenge = |kind: &str| office.challenge(&books, order, kind, number);
    let asked = json!({
        "identifier": { "type": "dns", "value": order.host }, "status": proved(&books, order),
        "challenges": [challenge("http-01"), challenge("tls-alpn-01")],
    });
    Ok(answer(StatusCode::OK, asked.to_string(), None))
}

async fn challenge(State(office): State<Office>, Path(number): Path<usize>) -> Answered {
    let mut books = office.books();
    let order = books.orders.get_mut(number).ok_or(MALFORMED)?;
    order.looked = true;
    let order = books.orders.get(number).ok_or(MALFORMED)?;
    let challenge = office.challenge(&books, order, "http-01", number);
    Ok(answer(StatusCode::OK, challenge.to_string(), None))
}

async fn finalize(
    State(office): State<Office>,
    Path(number): Path<usize>,
    body: Bytes,
) -> Answered {
    let request = said(&body).and_then(|said| decoded(&said, "/csr"));
    let mut books = office.books();
    let order = books.orders.get(number).ok_or(MALFORMED)?;
    let issued = office.issue(&books, &order.host, &request.ok_or(MALFORMED)?);
    books.issued_at = (office.clock)();
    let order = books.orders.get_mut(number).ok_or(MALFORMED)?;
    order.certificate = Some(issued.ok_or(MALFORMED)?);
    let order = office.order(&books, number).ok_or(MALFORMED)?;
    Ok(answer(StatusCode::OK, order.to_string(), None))
}

async fn certificate(State(office): State<Office>, Path(number): Path<usize>) -> Answered {
    let books = office.books();
    let order = books.orders.get(number).ok_or(MALFORMED)?;
    let text = order.certificate.clone().ok_or(MALFORMED)?;
    Ok(answer(StatusCode::OK, text, None))
}

async fn renewal(State(office): State<Office>, Path(_): Path<String>) -> Answered {
    let mut books = office.books();
    books.asked += 1;
    let (start, end) = match (books.mistake, books.window) {
        (AcmeMistake::Mute, _) => return Err(StatusCode::INTERNAL_SERVER_ERROR),
        (AcmeMistake::EmptyWindow, (start, _)) => (start, start - 1),
        (_, window) => window,
    };
    let iso = |after: i64| {
        let moment = moment(books.issued_at + after)?;
        moment.format(&Rfc3339).ok()
    };
    let window = json!({ "start": iso(start), "end": iso(end) });
    let body = json!({ "suggestedWindow": window });
    let mut response = answer(StatusCode::OK, body.to_string(), None);
    let headers = response.headers_mut();
    headers.insert("retry-after", HeaderValue::from_static("21600"));
    Ok(response)
}

/// The state of an authorization and its challenges.
fn proved(books: &AcmeBooks, order: &AcmeOrder) -> &'static str {
    match books.state(order) {
        "pending" => "pending",
        _ => "valid",
    }
}

impl Office {
    fn order(&self, books: &AcmeBooks, number: usize) -> Option<Value> {
        let order = books.orders.get(number)?;
        let at = |what: &str| self.at(&format!("{what}/{number}"));
        let mut said = json!({
            "status": books.state(order), "identifiers": [{ "type": "dns", "value": order.host }],
            "authorizations": [at("authorization")], "finalize": at("finalize"),
        });
        let members = said.as_object_mut()?;
        if order.certificate.is_some() {
            members.insert("certificate".to_owned(), at("certificate").into());
        }
        if let Some(replaces) = &order.replaces {
            members.insert("replaces".to_owned(), replaces.clone().into());
        }
        Some(said)
    }

    fn challenge(&self, books: &AcmeBooks, order: &AcmeOrder, kind: &str, number: usize) -> Value {
        let url = self.at(&format!("challenge/{number}"));
        json!({ "type": kind, "url": url, "status": proved(books, order), "token": AcmeServer::TOKEN })
    }
}
