//! Dewar's requests to a provider: for its description (OpenID Connect Discovery 1.0), its keys, and the token for a code.
//!
//! The application's own client for [other servers](crate::outgoing) asks: it reaches nothing inside the network that the operator
//! does not list. A provider that is away, slow or sends too much fails this sign-in and nothing else.
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use http::{StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::timeout;
use url::Url;

use super::config::{ProviderConfig, is_endpoint};
use super::id_token::{Claims, Expected, TokenFault};
use super::keys::{KeySet, Keys};
use crate::audit::Clock;
use crate::outgoing::{self, Client, OutgoingRequest};
use crate::secrets::Secret;

/// The most bytes of a response of a provider.
const LARGEST: u64 = 256 * 1024;
/// How long a visitor waits for one response of a provider.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the description and the keys are used, in seconds.
const USED_FOR: i64 = 3600;
/// After a failure Dewar asks again no earlier than after this many seconds.
const PAUSE: i64 = 10;
/// Unknown keys make Dewar fetch the keys again at most this often, in seconds: a token with a made-up key costs no request.
const KEYS_EVERY: i64 = 60;

/// Why a provider did not sign the user in. The text is for the audit log.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderFault {
    /// It does not answer, or not as it should.
    #[error("the provider does not answer: {0}")]
    Away(String),
    /// It said something that is refused.
    #[error("{0}")]
    Refused(&'static str),
    #[error("{0}")]
    Token(#[from] TokenFault),
}

/// The description of a provider.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    id_token_signing_alg_values_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: Option<bool>,
}

/// The checked description.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorization: Url,
    token: Url,
    keys: Url,
    algorithms: Option<Vec<String>>,
    /// Whether the secret goes into the body, because the provider reads no header (RFC 6749, 2.3.1).
    secret_in_body: bool,
    /// Whether every return names the issuer (RFC 9207).
    pub(super) names_issuer: bool,
}

/// A provider's description and keys, with the times when they were fetched.
#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, i64)>,
    keys: Option<(Arc<Keys>, i64)>,
    failed_at: Option<i64>,
}

/// A provider of the settings.
pub(crate) struct Provider {
    pub(super) config: ProviderConfig,
    secret: Option<Secret<String>>,
    client: Client,
    clock: Clock,
    /// Held while Dewar asks: of many visitors at once one asks, and the others wait for the same response.
    known: Mutex<Known>,
}

/// The response of the token endpoint. The tokens beside this one open the provider's own services; nobody keeps them.
#[derive(Deserialize)]
struct TokenResponse {
    id_token: String,
}

/// The code of a return, and what belongs to it.
#[derive(Debug)]
pub(super) struct CodeExchange<'a> {
    pub(super) code: &'a str,
    pub(super) verifier: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) nonce: &'a str,
    pub(super) left: i64,
    pub(super) fresh: bool,
}

impl Provider {
    pub(crate) fn new(
        config: ProviderConfig,
        secret: Option<Secret<String>>,
        client: Client,
        clock: Clock,
    ) -> Self {
        Self {
            config,
            secret,
            client,
            clock,
            known: Mutex::default(),
        }
    }

    /// The text on its button.
    pub(crate) fn label(&self) -> &str {
        &self.config.label
    }

    /// Whether the provider is a program of this machine, asked without TLS.
    fn is_plain(&self) -> bool {
        self.config.issuer.starts_with("http:")
    }

    /// The description, fetched if the one before is old.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, ProviderFault> {
        let mut known = self.known.lock().await;
        self.metadata_in(&mut known).await
    }

    async fn metadata_in(&self, known: &mut Known) -> Result<Arc<Metadata>, ProviderFault> {
        let now = self.clock.now();
        if let Some((metadata, fetched)) = &known.metadata
            && now - fetched < USED_FOR
        {
            return Ok(Arc::clone(metadata));
        }
        if known.failed_at.is_some_and(|failed| now - failed < PAUSE) {
            return Err(ProviderFault::Away("it did not a moment ago".to_owned()));
        }
        match self.fetch_metadata().await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                known.metadata = Some((Arc::clone(&metadata), now));
                known.failed_at = None;
                Ok(metadata)
            }
            Err(fault) => {
                known.failed_at = Some(now);
                Err(fault)
            }
        }
    }

    async fn fetch_metadata(&self) -> Result<Metadata, ProviderFault> {
        let issuer = self.config.issuer.trim_end_matches('/');
        let address = format!("{issuer}/.well-known/openid-configuration");
        let address = Url::parse(&address).map_err(|_| ProviderFault::Refused("no address"))?;
        let document: Document = self.fetch(&address).await?;
        // Another issuer could speak for this one (Discovery 1.0, 4.3).
        if document.issuer != self.config.issuer {
            return Err(ProviderFault::Refused(
                "the provider's description names another issuer",
            ));
        }
        let plain = self.is_plain();
        let endpoint = |text: &str| {
            let url = Url::parse(text).ok().filter(|url| is_endpoint(url, plain));
            url.ok_or(ProviderFault::Refused(
                "the provider's description has an address that is no endpoint, or one without TLS",
            ))
        };
        let methods = document.token_endpoint_auth_methods_supported;
        let has = |name: &str| {
            let methods = methods.as_ref();
            methods.is_some_and(|methods| methods.iter().any(|method| method == name))
        };
        Ok(Metadata {
            authorization: endpoint(&document.authorization_endpoint)?,
            token: endpoint(&document.token_endpoint)?,
            keys: endpoint(&document.jwks_uri)?,
            algorithms: document.id_token_signing_alg_values_supported,
            secret_in_body: has("client_secret_post") && !has("client_secret_basic"),
            names_issuer: document
                .authorization_response_iss_parameter_supported
                .unwrap_or_default(),
        })
    }

    /// The keys. With `lacking`, keys that do not have the one that a token names: then others, if Dewar may ask again already.
    async fn keys(
        &self,
        metadata: &Metadata,
        lacking: Option<&Arc<Keys>>,
    ) -> Result<Arc<Keys>, ProviderFault> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some((keys, fetched)) = &known.keys {
            let is_lacking = lacking.is_some_and(|lacking| Arc::ptr_eq(lacking, keys));
            let used_for = if is_lacking { KEYS_EVERY } else { USED_FOR };
            if now - fetched < used_for {
                return Ok(Arc::clone(keys));
            }
        }
        if known.failed_at.is_some_and(|failed| now - failed < PAUSE) {
            return Err(ProviderFault::Away("it did not a moment ago".to_owned()));
        }
        let set: KeySet = match self.fetch(&metadata.keys).await {
            Ok(set) => set,
            Err(fault) => {
                known.failed_at = Some(now);
                return Err(fault);
            }
        };
        known.failed_at = None;
        let keys = Arc::new(Keys::read(set));
        known.keys = Some((Arc::clone(&keys), now));
        Ok(keys)
    }

    /// Exchanges the code for a token, and verifies the token.
    pub(super) async fn claims(
        &self,
        metadata: &Metadata,
        exchange: &CodeExchange<'_>,
    ) -> Result<Claims, ProviderFault> {
        let response: TokenResponse = ask(self.token_request(metadata, exchange)).await?;
        let expected = Expected {
            issuer: &self.config.issuer,
            client: &self.config.client_id,
            nonce: exchange.nonce,
            now: self.clock.now(),
            left: exchange.left,
            algorithms: metadata.algorithms.as_deref(),
            fresh: exchange.fresh,
        };
        let keys = self.keys(metadata, None).await?;
        match Claims::verify(&response.id_token, &keys, &expected) {
            Err(TokenFault::UnknownKey) => {
                let newer = self.keys(metadata, Some(&keys)).await?;
                Ok(Claims::verify(&response.id_token, &newer, &expected)?)
            }
            verified => Ok(verified?),
        }
    }

    /// The request that exchanges a code (OpenID Connect Core 1.0, 3.1.3.1).
    fn token_request(&self, metadata: &Metadata, exchange: &CodeExchange<'_>) -> OutgoingRequest {
        let client = &*self.config.client_id;
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("grant_type", "authorization_code")
            .append_pair("code", exchange.code)
            .append_pair("redirect_uri", exchange.redirect_uri)
            .append_pair("code_verifier", exchange.verifier);
        let mut request = self.client_for(&metadata.token).post(&metadata.token);
        match &self.secret {
            Some(secret) if metadata.secret_in_body => {
                body.append_pair("client_id", client)
                    .append_pair("client_secret", secret.expose());
            }
            Some(secret) => {
                // Both are encoded as a form's values first (RFC 6749, 2.3.1).
                let pair = format!("{}:{}", encoded(client), encoded(secret.expose()));
                let basic = format!("Basic {}", BASE64.encode(pair.as_bytes()));
                request = request.header(header::AUTHORIZATION, &basic);
            }
            None => {
                body.append_pair("client_id", client);
            }
        }
        request.body("application/x-www-form-urlencoded", body.finish())
    }

    async fn fetch<T: DeserializeOwned>(&self, url: &Url) -> Result<T, ProviderFault> {
        ask(self.client_for(url).get(url)).await
    }

    /// The client that may ask this address. What a provider of the internet describes is never inside the network.
    fn client_for(&self, url: &Url) -> Client {
        let issuer = Url::parse(&self.config.issuer);
        let is_internal = issuer.is_ok_and(|issuer| self.client.is_internal(&issuer));
        if is_internal && self.client.is_internal(url) {
            self.client.internal()
        } else {
            self.client.clone()
        }
    }
}

/// Sends a request, and reads the JSON of its response.
async fn ask<T: DeserializeOwned>(request: OutgoingRequest) -> Result<T, ProviderFault> {
    let request = request
        .header(header::ACCEPT, "application/json")
        .without_redirects()
        .at_most(LARGEST);
    let away = |error: outgoing::Error| ProviderFault::Away(error.to_string());
    let response = match timeout(PATIENCE, request.send()).await {
        Ok(response) => response.map_err(away)?,
        Err(_) => return Err(ProviderFault::Away("it took too long".to_owned())),
    };
    if response.status() != StatusCode::OK {
        let status = response.status().as_u16();
        return Err(ProviderFault::Away(format!("its status is {status}")));
    }
    let unreadable = |_| ProviderFault::Refused("the provider's response is not the expected JSON");
    response.json().map_err(unreadable)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.config.name)
            .finish_non_exhaustive()
    }
}
