//! The responses to ACME challenges: a file over plain HTTP, or a certificate in a handshake.

use super::store::{AcmeStore, Challenge};
use crate::https::headers::{Transport, apply};
use crate::https::redirect::ToHttps;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ClientHello;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::Service;

/// The path of an HTTP challenge (RFC 8555, 8.3).
const PREFIX: &str = "/.well-known/acme-challenge/";
/// The one ALPN protocol of a challenge handshake (RFC 8737, 4).
const ACME_TLS: &[u8] = b"acme-tls/1";

/// The stored challenge responses, for the two listeners.
#[derive(Debug, Clone)]
pub(crate) struct ChallengeResponses(AcmeStore);

impl ChallengeResponses {
    pub(super) const fn new(store: AcmeStore) -> Self {
        Self(store)
    }

    /// Whether a handshake is a challenge: it offers `acme-tls/1` and nothing else.
    pub(crate) fn is_question(hello: &ClientHello<'_>) -> bool {
        hello.alpn().is_some_and(|mut protocols| {
            protocols.next() == Some(ACME_TLS) && protocols.next().is_none()
        })
    }

    /// The TLS configuration for a challenge handshake; `None` if no challenge for this host is open.
    pub(crate) async fn handshake(&self, host: &str) -> Option<Arc<ServerConfig>> {
        let found = self.0.answer(Challenge::TlsAlpn01, host).await;
        let answer = found
            .inspect_err(
                |error| tracing::warn!(%error, "cannot read the response to an ACME challenge"),
            )
            .ok()??;
        question_config(host, &answer)
            .inspect_err(|error| {
                tracing::warn!(error, "cannot build the response to an ACME challenge")
            })
            .ok()
    }

    /// The response to an HTTP challenge; `None` for any other request.
    async fn file<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        let token = request.uri().path().strip_prefix(PREFIX)?;
        let mut response = match self.of_token(request.method(), token).await {
            Some(answer) => Response::new(Body::from(answer)),
            None => {
                let mut nothing = Response::new(Body::from("Unknown challenge.\n"));
                *nothing.status_mut() = StatusCode::NOT_FOUND;
                nothing
            }
        };
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
        apply(response.headers_mut(), None, Transport::Plain, None);
        Some(response)
    }

    async fn of_token(&self, method: &Method, token: &str) -> Option<String> {
        if *method != Method::GET || !is_token(token) {
            return None;
        }
        let found = self.0.answer(Challenge::Http01, token).await;
        found
            .inspect_err(
                |error| tracing::warn!(%error, "cannot read the response to an ACME challenge"),
            )
            .ok()?
    }
}

/// Base64url of at least 128 bits (RFC 8555, 8.3), with no character that a path needs.
fn is_token(text: &str) -> bool {
    (22..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A configuration for `acme-tls/1` alone, with the certificate that RFC 8737, 3 describes.
fn question_config(host: &str, answer: &str) -> Result<Arc<ServerConfig>, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let digest = crate::secrets::sha256(answer.as_bytes());
    let mut params = CertificateParams::new(vec![host.to_owned()]).map_err(|e| told(&e))?;
    params.distinguished_name = DistinguishedName::new();
    params
        .custom_extensions
        .push(CustomExtension::new_acme_identifier(&digest));
    let key = KeyPair::generate().map_err(|e| told(&e))?;
    let certificate = params.self_signed(&key).map_err(|e| told(&e))?;
    let provider = Arc::new(crate::https::tls::provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // Deliberately not `from_der`: it parses the certificate and refuses one with an unknown critical extension.
    let signing = provider
        .key_provider
        .load_private_key(key)
        .map_err(|e| told(&e))?;
    let certified = CertifiedKey::new(vec![certificate.der().clone()], signing);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| told(&e))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![ACME_TLS.to_vec()];
    Ok(Arc::new(config))
}

/// The plain HTTP listener with ACME: it serves HTTP challenges and treats every other request as usual.
#[derive(Debug, Clone)]
pub(crate) struct PlainHttp {
    pub(crate) answers: Option<ChallengeResponses>,
    pub(crate) others: ToHttps,
}

impl<B: Send + 'static> Service<Request<B>> for PlainHttp {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { answers, others } = self.clone();
        let (parts, _body) = request.into_parts();
        let request = Request::from_parts(parts, ());
        Box::pin(async move {
            if let Some(answers) = answers
                && let Some(answer) = answers.file(&request).await
            {
                return Ok(answer);
            }
            Ok(others.answer(&request))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_token;

    #[test]
    fn a_token_is_base64url_and_no_path() {
        assert!(is_token("LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"));
        for wrong in [
            "",
            "short",
            "../../etc/passwd-and-some-more",
            "LoqXcYV8q5ONbJQxbmR7SCTNo3ti/DfowyjxAjEuX0",
            "LoqXcYV8q5ONbJQxbmR7SCTNo3ti%2fowyjxAjEuX0",
            "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0=",
        ] {
            assert!(!is_token(wrong), "{wrong}");
        }
    }
}
