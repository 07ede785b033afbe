//! An authority of the test: as much of RFC 8555 as an order needs. It waits with an order for as long as the test wants,
//! and does wrong where the test wants. It checks no signature and looks at no answer: Pebble does.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, head, post};
use data_encoding::BASE64URL_NOPAD;
use dewar::audit::Clock;
use dewar::https::{CertificateFiles, Hosts, Limits, Listener, TlsProfile, server_config};
use dewar::testing;
use http::{HeaderValue, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use super::{HOST, TOKEN};

/// What the authority gives in place of the certificate that was ordered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mistake {
    None,
    OtherKey,
    OtherName,
    PastItsEnd,
}

/// What it does, and what it was asked.
pub(super) struct Books {
    pub(super) mistake: Mistake,
    /// Whether it goes on looking, so that an order stays open and its answer laid out.
    pub(super) waits: bool,
    pub(super) accounts: usize,
    /// Whether it was told to look, and the certificate, order by order.
    orders: Vec<(bool, Option<String>)>,
}

impl Books {
    pub(super) fn orders(&self) -> usize {
        self.orders.len()
    }

    /// Whether the latest order waits for the authority, which is looking.
    pub(super) fn is_asking(&self) -> bool {
        let latest = self.orders.last();
        latest.is_some_and(|(looking, certificate)| *looking && certificate.is_none())
    }
}

/// It ends with this value.
pub(super) struct Authority {
    office: Office,
    /// Whom visitors trust, in PEM.
    pub(super) pem: String,
    files: TempDir,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Authority {
    pub(super) fn open(clock: &Clock) -> Self {
        let files = tempfile::tempdir().unwrap();
        let own = testing::Authority::new();
        std::fs::write(files.path().join("root.pem"), own.pem()).unwrap();
        let now = clock.now();
        let certified = own.certify(files.path(), &["127.0.0.1"], now, 1).unwrap();
        let certified = CertificateFiles::new(certified.certificate, certified.key);
        let hosts = Hosts::new(["127.0.0.1"]).unwrap();
        let (certificates, _) = certified.load(&hosts, now).unwrap();
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (pem, issuer) = issuer();
        let office = Office {
            books: Arc::new(Mutex::new(Books {
                mistake: Mistake::None,
                waits: false,
                accounts: 0,
                orders: Vec::new(),
            })),
            issuer: Arc::new(issuer),
            clock: clock.clone(),
            origin: format!("https://{}", listener.address()),
        };
        let tls = server_config(certificates, TlsProfile::Intermediate).unwrap();
        let router = routes(office.clone());
        let serving = tokio::spawn(async move {
            let never = std::future::pending();
            let served = listener.serve(router, Some(tls), Limits::default(), never);
            drop(served.await);
        });
        Self {
            office,
            pem,
            files,
            serving,
        }
    }

    pub(super) fn directory(&self) -> String {
        format!("{}/directory", self.office.origin)
    }

    /// What its own listener is trusted by.
    pub(super) fn root(&self) -> PathBuf {
        self.files.path().join("root.pem")
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.office.books.lock().unwrap()
    }
}

fn issuer() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let pem = params.self_signed(&key).unwrap().pem();
    (pem, Issuer::new(params, key))
}

#[derive(Clone)]
struct Office {
    books: Arc<Mutex<Books>>,
    issuer: Arc<Issuer<'static, KeyPair>>,
    clock: Clock,
    origin: String,
}

fn routes(office: Office) -> Router {
    let empty = async || answer(StatusCode::OK, &Value::Null, None);
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
        .with_state(office)
}

/// With a nonce, as every answer; and with the place of what was made.
fn answer(status: StatusCode, value: &Value, place: Option<String>) -> Response {
    let mut response = (status, value.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert("replay-nonce", HeaderValue::from_static("bm9uY2U"));
    if let Some(place) = place {
        headers.insert("location", HeaderValue::try_from(place).unwrap());
    }
    response
}

async fn directory(State(office): State<Office>) -> Response {
    let at = |path: &str| office.at(path);
    let places = json!({
        "newNonce": at("nonce"), "newAccount": at("account"), "newOrder": at("order"),
        "revokeCert": at("revoke"), "keyChange": at("key"),
    });
    answer(StatusCode::OK, &places, None)
}

async fn account(State(office): State<Office>) -> Response {
    let mut books = office.books.lock().unwrap();
    books.accounts += 1;
    let place = office.at(&format!("account/{}", books.accounts));
    answer(
        StatusCode::CREATED,
        &json!({ "status": "valid" }),
        Some(place),
    )
}

async fn order(State(office): State<Office>) -> Response {
    let mut books = office.books.lock().unwrap();
    books.orders.push((false, None));
    let number = books.orders.len() - 1;
    let place = office.at(&format!("order/{number}"));
    answer(
        StatusCode::CREATED,
        &office.order(&books, number),
        Some(place),
    )
}

async fn look_at_order(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    let books = office.books.lock().unwrap();
    answer(StatusCode::OK, &office.order(&books, number), None)
}

async fn authorization(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    let challenge = |kind: &str| office.challenge(kind, number);
    let asked = json!({
        "identifier": { "type": "dns", "value": HOST }, "status": "pending",
        "challenges": [challenge("http-01"), challenge("tls-alpn-01")],
    });
    answer(StatusCode::OK, &asked, None)
}

async fn challenge(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    office.books.lock().unwrap().orders[number].0 = true;
    answer(StatusCode::OK, &office.challenge("http-01", number), None)
}

async fn finalize(
    State(office): State<Office>,
    Path(number): Path<usize>,
    body: Bytes,
) -> Response {
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    let decoded = |text: &Value| {
        BASE64URL_NOPAD
            .decode(text.as_str().unwrap().as_bytes())
            .unwrap()
    };
    let said: Value = serde_json::from_slice(&decoded(&envelope["payload"])).unwrap();
    let mut books = office.books.lock().unwrap();
    books.orders[number].1 = Some(office.issue(&decoded(&said["csr"]), books.mistake));
    answer(StatusCode::OK, &office.order(&books, number), None)
}

async fn certificate(State(office): State<Office>, Path(number): Path<usize>) -> Response {
    let text = office.books.lock().unwrap().orders[number].1.clone();
    let mut response = answer(StatusCode::OK, &Value::Null, None);
    *response.body_mut() = text.unwrap().into();
    response
}

impl Office {
    fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }

    fn order(&self, books: &Books, number: usize) -> Value {
        let at = |what: &str| self.at(&format!("{what}/{number}"));
        let status = match &books.orders[number] {
            (_, Some(_)) => "valid",
            (true, None) if !books.waits => "ready",
            (_, None) => "pending",
        };
        let mut order = json!({
            "status": status, "identifiers": [{ "type": "dns", "value": HOST }],
            "authorizations": [at("authorization")], "finalize": at("finalize"),
        });
        if status == "valid" {
            order["certificate"] = at("certificate").into();
        }
        order
    }

    fn challenge(&self, kind: &str, number: usize) -> Value {
        let url = self.at(&format!("challenge/{number}"));
        json!({ "type": kind, "url": url, "status": "pending", "token": TOKEN })
    }

    fn issue(&self, request: &[u8], mistake: Mistake) -> String {
        let name = match mistake {
            Mistake::OtherName => "evil.test",
            Mistake::None | Mistake::OtherKey | Mistake::PastItsEnd => HOST,
        };
        let now = OffsetDateTime::from_unix_timestamp(self.clock.now()).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = now - Duration::days(1);
        params.not_after = match mistake {
            Mistake::PastItsEnd => now - Duration::seconds(1),
            Mistake::None | Mistake::OtherKey | Mistake::OtherName => now + Duration::days(89),
        };
        let signed = match mistake {
            Mistake::OtherKey => params.signed_by(&KeyPair::generate().unwrap(), &*self.issuer),
            Mistake::None | Mistake::OtherName | Mistake::PastItsEnd => {
                params.signed_by(&Asked::by(request), &*self.issuer)
            }
        };
        signed.unwrap().pem()
    }
}

/// The key that a certificate request is for: a point of P-256.
struct Asked([u8; 65]);

impl Asked {
    /// What stands before the point in every request for such a key (RFC 5480).
    const BEFORE: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

    fn by(request: &[u8]) -> Self {
        let length = Self::BEFORE.len();
        let at = request
            .windows(length)
            .position(|bytes| bytes == Self::BEFORE);
        let (_, rest) = request.split_at(at.unwrap() + length);
        Self(*rest.first_chunk().unwrap())
    }
}

impl PublicKeyData for Asked {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}
