//! A certificate authority for tests that speaks ACME (RFC 8555) as far as an order needs it, with renewal information
//! (RFC 9773) and profiles. It reads signed requests and verifies no signature, which is not what the tests are about.

use super::TestAuthority;
use crate::audit::Clock;
use crate::https::{Listener, RequestLimits};
use crate::secrets::random;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderName, HeaderValue, StatusCode};
use rcgen::{CertificateParams, KeyPair, PublicKeyData, SignatureAlgorithm};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::JoinHandle;

/// A mistake of an [`AcmeServer`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcmeMistake {
    /// No mistake.
    #[default]
    None,
    /// It sends renewal windows that end before they begin.
    EmptyWindow,
    /// It sends no renewal information.
    Mute,
    /// It sends something that is no certificate.
    Nonsense,
    /// It certifies another key.
    OtherKey,
    /// It certifies another host.
    OtherName,
    /// Its certificates ended a second ago.
    PastItsEnd,
}

/// An order that an [`AcmeServer`] received.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AcmeOrder {
    /// The identifier of the certificate that the order replaces (RFC 9773).
    pub replaces: Option<String>,
    /// The profile that the order requests.
    pub profile: Option<String>,
    host: String,
    /// Whether the client said that the challenge is ready.
    looked: bool,
    certificate: Option<String>,
}

/// The record of an [`AcmeServer`], and the settings of its behaviour.
#[derive(Debug)]
#[non_exhaustive]
pub struct AcmeBooks {
    /// All orders, the latest at the end.
    pub orders: Vec<AcmeOrder>,
    /// The number of accounts.
    pub accounts: usize,
    /// The number of requests for renewal information.
    pub asked: usize,
    /// The mistake that it makes from now on.
    pub mistake: AcmeMistake,
    /// Whether it goes on validating, so that an order stays open and its response stays stored.
    pub waits: bool,
    /// Seconds from an order to the end of its certificate.
    pub life: i64,
    /// Seconds before an order at which its certificate begins.
    pub backdated: i64,
    /// Seconds after an order at which the window for its renewal begins and ends.
    pub window: (i64, i64),
    issued_at: i64,
}

/// A certificate authority on `127.0.0.1` that issues any requested certificate by ACME; it stops when it is dropped.
///
/// It does not validate challenges, so a test needs no name in the DNS; a test can request the challenge response itself.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use dewar::audit::Clock;
/// use dewar::testing::{AcmeMistake, AcmeServer};
/// let authority = AcmeServer::open(&Clock::system(), 90 * 86_400);
/// assert!(authority.directory().starts_with("https://127.0.0.1:")); // `https.acme.directory`
/// assert!(authority.authority_pem().starts_with(b"-----BEGIN")); // in the file of `https.acme.ca_file`
/// authority.books().mistake = AcmeMistake::OtherName;
/// assert!(authority.books().orders.is_empty());
/// # }
/// ```
#[derive(Debug)]
pub struct AcmeServer {
    office: Office,
    serving: JoinHandle<()>,
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl AcmeServer {
    /// The token of every challenge.
    pub const TOKEN: &str = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0";

    /// Starts it on a free port, with certificates that are valid for `life` seconds of this clock.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn open(clock: &Clock, life: i64) -> Self {
        Self::opened(clock, life)
            .unwrap_or_else(|problem| panic!("no ACME server for the test: {problem}"))
    }

    fn opened(clock: &Clock, life: i64) -> Result<Self, Box<dyn std::error::Error>> {
        let authority = TestAuthority::made()?;
        let tls = authority.serving(&["127.0.0.1"])?;
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let office = Office {
            books: Arc::new(Mutex::new(AcmeBooks {
                orders: Vec::new(),
                accounts: 0,
                asked: 0,
                mistake: AcmeMistake::None,
                waits: false,
                life,
                backdated: 0,
                window: (life / 2, life / 2 + 3_600),
                issued_at: clock.now(),
            })),
            authority: Arc::new(authority),
            clock: clock.clone(),
            origin: format!("https://{}", listener.address()),
        };
        let router = routes(office.clone());
        let serving = tokio::spawn(async move {
            let never = std::future::pending();
            let served = listener.serve(router, Some(tls), RequestLimits::default(), never);
            drop(served.await);
        });
        Ok(Self { office, serving })
    }

    /// The address of the directory.
    #[must_use]
    pub fn directory(&self) -> String {
        self.office.at("directory")
    }

    /// The certificate that its clients trust: of its listener, and of the certificates that it issues.
    #[must_use]
    pub fn authority_pem(&self) -> &[u8] {
        self.office.authority.pem()
    }

    /// The record and the settings. The server sends no response while the guard is held.
    pub fn books(&self) -> MutexGuard<'_, AcmeBooks> {
        self.office.books()
    }
}

impl AcmeBooks {
    /// Whether the latest order waits for the validation.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        let latest = self.orders.last();
        latest.is_some_and(|order| order.looked && order.certificate.is_none())
    }

    /// The state of an order, by its name in RFC 8555, 7.1.6.
    fn state(&self, order: &AcmeOrder) -> &'static str {
        match &order.certificate {
            Some(_) => "valid",
            None if order.looked && !self.waits => "ready",
            None => "pending",
        }
    }
}

#[derive(Clone, Debug)]
struct Office {
    books: Arc<Mutex<AcmeBooks>>,
    authority: Arc<TestAuthority>,
    clock: Clock,
    origin: String,
}

fn routes(office: Office) -> Router {
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

/// Adds a nonce, as to every response, and the location of a new resource.
fn answer(status: StatusCode, body: impl Into<Body>, place: Option<String>) -> Response {
    let mut response = (status, body.into()).into_response();
    let nonce = BASE64URL_NOPAD.encode(&random::<12>());
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
    books.issued_at = office.clock.now();
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

fn moment(unix_seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(unix_seconds).ok()
}

/// The state of an authorization and its challenges.
fn proved(books: &AcmeBooks, order: &AcmeOrder) -> &'static str {
    match books.state(order) {
        "pending" => "pending",
        _ => "valid",
    }
}

impl Office {
    fn books(&self) -> MutexGuard<'_, AcmeBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }

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

    fn issue(&self, books: &AcmeBooks, host: &str, request: &[u8]) -> Option<String> {
        let now = self.clock.now();
        let (mut begins, mut ends) = (now - books.backdated, now + books.life);
        let mut name = host;
        match books.mistake {
            AcmeMistake::Nonsense => return Some("no certificate at all".to_owned()),
            AcmeMistake::OtherName => name = "evil.test",
            AcmeMistake::PastItsEnd => {
                begins -= books.life;
                ends = now - 1;
            }
            AcmeMistake::EmptyWindow
            | AcmeMistake::Mute
            | AcmeMistake::None
            | AcmeMistake::OtherKey => {}
        }
        let mut params = CertificateParams::new(vec![name.to_owned()]).ok()?;
        params.not_before = moment(begins)?;
        params.not_after = moment(ends)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = if books.mistake == AcmeMistake::OtherKey {
            self.authority.vouches(&params, &KeyPair::generate().ok()?)
        } else {
            self.authority.vouches(&params, &Requested::by(request)?)
        };
        Some(certificate.ok()?.pem())
    }
}

/// The public key of a certificate request: a point of P-256.
struct Requested([u8; 65]);

impl Requested {
    /// The bytes before the point in every request for such a key (RFC 5480).
    const BEFORE: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

    fn by(request: &[u8]) -> Option<Self> {
        let length = Self::BEFORE.len();
        let mut windows = request.windows(length);
        let at = windows.position(|bytes| bytes == Self::BEFORE)?;
        let point = request.get(at + length..)?.first_chunk()?;
        Some(Self(*point))
    }
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}
