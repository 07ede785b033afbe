//! A provider of OpenID Connect for tests, which can misbehave in one way at a time.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SystemRandom, fill};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::body::{Body, Bytes, to_bytes};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{Request, Response, StatusCode, header};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The id of the application at the provider.
const CLIENT: &str = "portal";
/// Its secret.
const SECRET: &str = "a secret: of the portal+";

/// How the provider signs its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSigning {
    /// With its key (ES256).
    Right,
    /// Not at all: `alg` is `none`.
    Unsigned,
    /// With HMAC, and its public key as the secret (HS256).
    HmacWithPublicKey,
    /// With a key that is not its own, under the id of its own.
    ForeignKey,
    /// With its key, and a signature of which one bit is changed.
    Damaged,
}

/// The response of one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderReply {
    /// As it should be.
    Right,
    /// This status.
    Status(u16),
    /// A redirect to this address.
    Redirect(String),
    /// Megabytes.
    Giant,
    /// None, as long as the connection lives.
    Silent,
}

type Patch = Box<dyn Fn(&mut Map<String, Value>) + Send + Sync>;

/// The behaviour of the provider.
#[non_exhaustive]
pub struct ProviderBehaviour {
    /// The time of its clock, in Unix seconds.
    pub now: i64,
    /// How it signs.
    pub signing: TokenSigning,
    /// Changes the claims of its tokens.
    pub claims: Option<Patch>,
    /// Changes its description.
    pub description: Option<Patch>,
    /// The response of the token endpoint.
    pub token: ProviderReply,
    /// The response of the description.
    pub discovery: ProviderReply,
    /// Whether a code can be exchanged again and again, and by anybody.
    pub is_careless: bool,
    /// How often its addresses were asked.
    pub asked: HashMap<String, usize>,
    keys: Vec<Key>,
    /// The sign-ins that users of the provider have allowed, by the code.
    grants: HashMap<String, Grant>,
    used: HashSet<String>,
}

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

/// A user of the provider.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a test's instrument")]
pub struct ProviderUser {
    /// Its subject.
    pub subject: String,
    /// Its claims beside the subject.
    pub claims: Value,
}

impl ProviderUser {
    /// A user whose address is verified.
    #[must_use]
    pub fn verified(subject: &str, email: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            claims: json!({ "email": email, "email_verified": true }),
        }
    }
}

#[derive(Clone)]
struct Grant {
    user: ProviderUser,
    asked: HashMap<String, String>,
}

/// A provider on a port of this machine; it stops when it is dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use test_servers::{Provider, ProviderUser};
/// let provider = Provider::open(1_800_000_000).await;
/// let user = ProviderUser::verified("248289761001", "ada@example.org");
/// let left = format!("{}/authorize?state=a&redirect_uri=https%3A%2F%2Fportal.test%2Freturn", provider.issuer());
/// assert!(provider.allow(&left, &user).starts_with("https://portal.test/return?code="));
/// # }
/// ```
pub struct Provider {
    issuer: String,
    shared: Arc<Mutex<ProviderBehaviour>>,
    listening: JoinHandle<()>,
}

impl Provider {
    /// Starts it on a free port, with a clock that stands at this time.
    ///
    /// # Panics
    /// No port is free.
    pub async fn open(now: i64) -> Self {
        let opened = TcpListener::bind("127.0.0.1:0").await;
        let opened = opened.and_then(|listener| listener.local_addr().map(|at| (at, listener)));
        let (address, listener) =
            opened.unwrap_or_else(|problem| panic!("no port for the provider: {problem}"));
        let issuer = format!("http://127.0.0.1:{}", address.port());
        let shared = Arc::new(Mutex::new(ProviderBehaviour {
            now,
            signing: TokenSigning::Right,
            claims: None,
            description: None,
            token: ProviderReply::Right,
            discovery: ProviderReply::Right,
            is_careless: false,
            asked: HashMap::new(),
            keys: vec![Key::new()],
            grants: HashMap::new(),
            used: HashSet::new(),
        }));
        let listening = tokio::spawn(listen(listener, issuer.clone(), Arc::clone(&shared)));
        Self {
            issuer,
            shared,
            listening,
        }
    }

    /// Its issuer, which is its address too.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The id of the application.
    #[must_use]
    pub fn client_id(&self) -> &'static str {
        CLIENT
    }

    /// The secret of the application.
    #[must_use]
    pub fn client_secret(&self) -> &'static str {
        SECRET
    }

    /// Its behaviour from now on.
    pub fn behave(&self) -> MutexGuard<'_, ProviderBehaviour> {
        lock(&self.shared)
    }

    /// Signs with a new key from now on, and offers it beside the others.
    pub fn rotate(&self) {
        self.behave().keys.insert(0, Key::new());
    }

    /// Plays the user who signs in at the provider and allows the application to know it: the address to which the browser goes.
    ///
    /// # Panics
    /// The address that the browser came to lacks something.
    #[must_use]
    pub fn allow(&self, left_for: &str, user: &ProviderUser) -> String {
        let (_, query) = left_for.split_once('?').unwrap_or_default();
        let asked: HashMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let value = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let code = random();
        let mut back = form_urlencoded::Serializer::new(String::new());
        back.append_pair("code", &code);
        back.append_pair("state", &value("state"));
        back.append_pair("iss", &self.issuer);
        let back = format!("{}?{}", value("redirect_uri"), back.finish());
        let user = user.clone();
        self.behave().grants.insert(code, Grant { user, asked });
        back
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProviderBehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderBehaviour")
            .field("signing", &self.signing)
            .finish_non_exhaustive()
    }
}

impl Key {
    fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Self {
            id: random(),
            pair: pair.unwrap_or_else(|_| panic!("no key for the provider")),
        }
    }

    fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn written(&self) -> Value {
        let half = |from: usize| {
            let part = self.point().get(from..from + 32).unwrap_or_default();
            BASE64URL_NOPAD.encode(part)
        };
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": half(1), "y": half(33) })
    }

    fn sign(&self, message: &str) -> Vec<u8> {
        let signed = self.pair.sign(&SystemRandom::new(), message.as_bytes());
        signed.map_or_else(|_| panic!("no signature"), |made| made.as_ref().to_vec())
    }
}

impl ProviderBehaviour {
    fn key(&self) -> &Key {
        let first = self.keys.first();
        first.unwrap_or_else(|| panic!("the provider has no key"))
    }

    fn token(&self, issuer: &str, grant: &Grant) -> String {
        let mut claims = grant.user.claims.as_object().cloned().unwrap_or_default();
        let more = json!({
            "iss": issuer, "sub": grant.user.subject, "aud": CLIENT, "iat": self.now, "exp": self.now + 300,
            "auth_time": self.now, "nonce": grant.asked.get("nonce"),
        });
        claims.extend(more.as_object().cloned().unwrap_or_default());
        if let Some(patch) = &self.claims {
            patch(&mut claims);
        }
        let key = self.key();
        let algorithm = match self.signing {
            TokenSigning::Unsigned => "none",
            TokenSigning::HmacWithPublicKey => "HS256",
            TokenSigning::Right | TokenSigning::ForeignKey | TokenSigning::Damaged => "ES256",
        };
        let header = json!({ "alg": algorithm, "typ": "JWT", "kid": key.id });
        let part = |value: String| BASE64URL_NOPAD.encode(value.as_bytes());
        let message = format!(
            "{}.{}",
            part(header.to_string()),
            part(Value::Object(claims).to_string())
        );
        let signature = match self.signing {
            TokenSigning::Right => key.sign(&message),
            TokenSigning::ForeignKey => Key::new().sign(&message),
            TokenSigning::Unsigned => Vec::new(),
            TokenSigning::HmacWithPublicKey => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, key.point());
                hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            TokenSigning::Damaged => {
                let mut signature = key.sign(&message);
                if let Some(last) = signature.last_mut() {
                    *last ^= 1;
                }
                signature
            }
        };
        format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    fn describe(&self, issuer: &str) -> Value {
        let mut description = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "end_session_endpoint": format!("{issuer}/end"),
            "id_token_signing_alg_values_supported": ["ES256", "RS256"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        if let (Some(patch), Some(all)) = (&self.description, description.as_object_mut()) {
            patch(all);
        }
        description
    }

    /// Exchanges a code, as RFC 6749, 4.1.3 and RFC 7636, 4.6 have it.
    fn exchange(
        &mut self,
        issuer: &str,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Result<Value, &'static str> {
        let sent: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let value = |name: &str| sent.get(name).map(String::as_str).unwrap_or_default();
        let grant = self.grants.get(value("code")).cloned();
        let grant = grant.ok_or("invalid_grant")?;
        if !self.is_careless {
            let encoded =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(CLIENT), encoded(SECRET));
            let right = format!("Basic {}", BASE64.encode(pair.as_bytes()));
            if authorization != Some(&*right) {
                return Err("invalid_client");
            }
            let challenge = digest(&SHA256, value("code_verifier").as_bytes());
            let challenge = BASE64URL_NOPAD.encode(challenge.as_ref());
            let asked = |name: &str| grant.asked.get(name).map(String::as_str);
            let fits = value("grant_type") == "authorization_code"
                && asked("code_challenge_method") == Some("S256")
                && asked("code_challenge") == Some(&*challenge)
                && asked("redirect_uri") == Some(value("redirect_uri"));
            if !fits || !self.used.insert(value("code").to_owned()) {
                return Err("invalid_grant");
            }
        }
        Ok(json!({
            "access_token": "an-access-token-that-nobody-keeps", "refresh_token": "a-refresh-token-that-nobody-keeps",
            "token_type": "Bearer", "expires_in": 300, "id_token": self.token(issuer, &grant),
        }))
    }
}

async fn listen(listener: TcpListener, issuer: String, shared: Arc<Mutex<ProviderBehaviour>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (issuer, shared) = (issuer.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            let service = service_fn(|request: Request<hyper::body::Incoming>| {
                let (issuer, shared) = (issuer.clone(), Arc::clone(&shared));
                async move {
                    let request = request.map(Body::new);
                    Ok::<_, Infallible>(answer(request, &issuer, &shared).await)
                }
            });
            // The other side may go away at any time.
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            drop(connection.await);
        });
    }
}

async fn answer(
    request: Request<Body>,
    issuer: &str,
    shared: &Mutex<ProviderBehaviour>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let path = parts.uri.path();
    let reply = {
        let mut behaviour = lock(shared);
        *behaviour.asked.entry(path.to_owned()).or_default() += 1;
        match path {
            "/token" => behaviour.token.clone(),
            "/.well-known/openid-configuration" => behaviour.discovery.clone(),
            _ => ProviderReply::Right,
        }
    };
    match reply {
        ProviderReply::Right => {}
        ProviderReply::Status(status) => return with_status(status, Bytes::new()),
        ProviderReply::Giant => return with_status(200, vec![b' '; 3 << 20].into()),
        ProviderReply::Silent => {
            // Longer than anybody waits.
            tokio::time::sleep(Duration::from_secs(3600)).await;
            return with_status(200, Bytes::new());
        }
        ProviderReply::Redirect(to) => {
            let mut response = with_status(302, Bytes::new());
            if let Ok(to) = to.parse() {
                response.headers_mut().insert(header::LOCATION, to);
            }
            return response;
        }
    }
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let mut behaviour = lock(shared);
    let said = match path {
        "/.well-known/openid-configuration" => Ok(behaviour.describe(issuer)),
        "/keys" => {
            Ok(json!({ "keys": behaviour.keys.iter().map(Key::written).collect::<Vec<_>>() }))
        }
        "/token" => behaviour.exchange(issuer, authorization, &body),
        _ => return with_status(404, Bytes::new()),
    };
    match said {
        Ok(value) => with_status(200, value.to_string().into()),
        Err(error) => with_status(400, json!({ "error": error }).to_string().into()),
    }
}

fn with_status(status: u16, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn random() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes).unwrap_or_else(|_| panic!("no random bytes"));
    BASE64URL_NOPAD.encode(&bytes)
}

fn lock(shared: &Mutex<ProviderBehaviour>) -> MutexGuard<'_, ProviderBehaviour> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
