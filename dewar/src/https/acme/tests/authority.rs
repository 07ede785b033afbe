//! A small authority: what RFC 8555, RFC 9773 and the profiles' draft ask of one, and the mistakes that a test wants. It
//! reads what is signed and checks no signature: who signs is the client's business, and Pebble checks it.

use crate::audit::Clock;
use crate::https::certificate::tests::public_key_of_request;
use crate::https::{Certificates, Limits, Listener, TlsProfile, server_config};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use data_encoding::BASE64URL_NOPAD;
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData, SignatureAlgorithm,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;
use time::OffsetDateTime;

/// What the authority does wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mistake {
    #[default]
    None,
    /// It vouches for another host.
    OtherName,
    /// It vouches for another key.
    OtherKey,
    /// It gives something that is no certificate.
    Nonsense,
    /// It answers every question about renewals with a window that ends before it begins.
    EmptyWindow,
    /// It answers no question about renewals.
    Mute,
}

/// What was ordered, and how.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    pub(super) replaces: Option<String>,
    pub(super) profile: Option<String>,
    certificate: Option<String>,
    proved: bool,
}

pub(super) struct Books {
    pub(super) orders: Vec<Ordered>,
    pub(super) accounts: usize,
    pub(super) asked: usize,
    pub(super) mistake: Mistake,
    /// Seconds that a certificate lives.
    pub(super) life: i64,
    /// Seconds into the life at which the window begins and ends.
    pub(super) window: (i64, i64),
    issued_at: i64,
}

#[derive(Clone)]
struct Office {
    books: Arc<Mutex<Books>>,
    issuer: Arc<Issuer<'static, KeyPair>>,
    clock: Clock,
    origin: String,
}

/// It ends with this value.
pub(super) struct Authority {
    books: Arc<Mutex<Books>>,
    files: TempDir,
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Authority {
    pub(super) fn start(clock: &Clock, life: i64) -> Self {
        let files = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        std::fs::write(
            files.path().join("root.pem"),
            params.self_signed(&key).unwrap().pem(),
        )
        .unwrap();
        let issuer = Arc::new(Issuer::new(params, key));
        let own = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&own, &*issuer).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
        let certified = CertifiedKey::from_der(
            vec![leaf.der().clone()],
            private,
            &crate::https::tls::provider(),
        );
        let tls = server_config(
            Certificates::new(certified.unwrap()),
            TlsProfile::Intermediate,
        )
        .unwrap();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.address();
        let books = Arc::new(Mutex::new(Books {
            orders: Vec::new(),
            accounts: 0,
            asked: 0,
            mistake: Mistake::None,
            life,
            window: (life / 2, life / 2 + 3_600),
            issued_at: clock.now(),
        }));
        let office = Office {
            books: Arc::clone(&books),
            issuer,
            clock: clock.clone(),
            origin: format!("https://{address}"),
        };
        let router = routes(office);
        let serving = tokio::spawn(async move {
            let never = std::future::pending();
            drop(
                listener
                    .serve(router, Some(tls), Limits::default(), never)
                    .await,
            );
        });
        Self {
            books,
            files,
            address,
            serving,
        }
    }

    pub(super) fn directory(&self) -> String {
        format!("https://{}/dir", self.address)
    }

    pub(super) fn root(&self) -> PathBuf {
        self.files.path().join("root.pem")
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }
}

fn routes(office: Office) -> Router {
    Router::new()
        .route("/dir", get(directory))
        .route(
            "/nonce",
            head(async || with_nonce(StatusCode::OK, Body::empty())),
        )
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

fn with_nonce(status: StatusCode, body: impl IntoResponse) -> Response {
    let nonce = BASE64URL_NOPAD.encode(&crate::secrets::random::<12>());
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert("replay-nonce", HeaderValue::try_from(nonce).unwrap());
    response
}

fn json_with_nonce(status: StatusCode, value: &Value) -> Response {
    with_nonce(status, value.to_string())
}

/// What a signed request says.
fn said(body: &[u8]) -> Value {
    let envelope: Value = serde_json::from_slice(body).unwrap();
    let payload = BASE64URL_NOPAD
        .decode(envelope["payload"].as_str().unwrap().as_bytes())
        .unwrap();
    serde_json::from_slice(&payload).unwrap_or(Value::Null)
}

async fn directory(State(office): State<Office>) -> Response {
    let at = |path: &str| format!("{}/{path}", office.origin);
    json_with_nonce(
        StatusCode::OK,
        &json!({
            "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("order"),
            "revokeCert": at("revoke"), "keyChange": at("key"), "renewalInfo": at("renewal"),
            "meta": { "profiles": { "classic": "long", "shortlived": "six days" } },
        }),
    )
}

async fn account(State(office): State<Office>) -> Response {
    let mut books = office.books.lock().unwrap();
    books.accounts += 1;
    let mut response = json_with_nonce(StatusCode::CREATED, &json!({ "status": "valid" }));
    let location = format!("{}/account/{}", office.origin, books.accounts);
    response
        .headers_mut()
        .insert("location", HeaderValue::try_from(location).unwrap());
    response
}

async fn order(State(office): State<Office>, body: Bytes) -> Response {
    let said = said(&body);
    let text = |key: &str| said[key].as_str().map(str::to_owned);
    let number = {
        let mut books = office.books.lock().unwrap();
        books.orders.push(Ordered {
            replaces: text("replaces"),
            profile: text("profile"),
            certificate: None,
            proved: false,
        });
        books.orders.len() - 1
    };
    let mut response = office.order(number, StatusCode::CREATED);
    let location = format!("{}/order/{number}", office.origin);
    response
        .headers_mut()
        .insert("location", HeaderValue::try_from(location).unwrap());
    response
}

async fn look_at_order(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    office.order(number, StatusCode::OK)
}

async fn authorization(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    let proved = office.books.lock().unwrap().orders[number].proved;
    let status = if proved { "valid" } else { "pending" };
    let challenge = |kind: &str| {
        json!({
            "type": kind, "url": format!("{}/challenge/{number}", office.origin), "status": status,
            "token": "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0",
        })
    };
    json_with_nonce(
        StatusCode::OK,
        &json!({
            "identifier": { "type": "dns", "value": super::HOST }, "status": status,
            "challenges": [challenge("http-01"), challenge("tls-alpn-01")],
        }),
    )
}

async fn challenge(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    office.books.lock().unwrap().orders[number].proved = true;
    let url = format!("{}/challenge/{number}", office.origin);
    json_with_nonce(
        StatusCode::OK,
        &json!({ "type": "http-01", "url": url, "status": "valid", "token": "x" }),
    )
}

async fn finalize(
    State(office): State<Office>,
    Path(number): Path<usize>,
    body: Bytes,
) -> Response {
    let request = BASE64URL_NOPAD
        .decode(said(&body)["csr"].as_str().unwrap().as_bytes())
        .unwrap();
    let issued = office.issue(&request);
    let mut books = office.books.lock().unwrap();
    books.orders[number].certificate = Some(issued);
    books.issued_at = office.clock.now();
    drop(books);
    office.order(number, StatusCode::OK)
}

async fn certificate(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    let books = office.books.lock().unwrap();
    let text = books.orders[number].certificate.clone().unwrap();
    with_nonce(StatusCode::OK, text)
}

async fn renewal(State(office): State<Office>, Path(_): Path<String>) -> Response {
    let mut books = office.books.lock().unwrap();
    books.asked += 1;
    if books.mistake == Mistake::Mute {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let (start, end) = books.window;
    let end = if books.mistake == Mistake::EmptyWindow {
        start - 1
    } else {
        end
    };
    let iso = |offset| super::super::iso(books.issued_at + offset);
    let body = json!({ "suggestedWindow": { "start": iso(start), "end": iso(end) } });
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", HeaderValue::from_static("21600"));
    (headers, body.to_string()).into_response()
}

/// The key that a certificate request is for.
struct Asked(Vec<u8>);

impl PublicKeyData for Asked {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Office {
    fn order(&self, number: usize, status: StatusCode) -> Response {
        let books = self.books.lock().unwrap();
        let order = &books.orders[number];
        let at = |what: &str| format!("{}/{what}/{number}", self.origin);
        let state = match (&order.certificate, order.proved) {
            (Some(_), _) => "valid",
            (None, true) => "ready",
            (None, false) => "pending",
        };
        let mut value = json!({
            "status": state, "identifiers": [{ "type": "dns", "value": super::HOST }],
            "authorizations": [at("authorization")], "finalize": at("finalize"),
        });
        if order.certificate.is_some() {
            value["certificate"] = at("certificate").into();
        }
        if let Some(replaces) = &order.replaces {
            value["replaces"] = replaces.clone().into();
        }
        drop(books);
        json_with_nonce(status, &value)
    }

    fn issue(&self, request: &[u8]) -> String {
        let (mistake, life) = {
            let books = self.books.lock().unwrap();
            (books.mistake, books.life)
        };
        let name = if mistake == Mistake::OtherName {
            "evil.test"
        } else {
            super::HOST
        };
        if mistake == Mistake::Nonsense {
            return "no certificate at all".to_owned();
        }
        let moment = |at| OffsetDateTime::from_unix_timestamp(at).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = moment(self.clock.now());
        params.not_after = moment(self.clock.now() + life);
        params.use_authority_key_identifier_extension = true;
        let key = Asked(public_key_of_request(request).unwrap());
        let other = KeyPair::generate().unwrap();
        let certificate = match mistake {
            Mistake::OtherKey => params.signed_by(&other, &*self.issuer),
            Mistake::EmptyWindow
            | Mistake::Mute
            | Mistake::None
            | Mistake::Nonsense
            | Mistake::OtherName => params.signed_by(&key, &*self.issuer),
        };
        certificate.unwrap().pem()
    }
}
