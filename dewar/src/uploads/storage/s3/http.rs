//! HTTP to the storage: hyper with rustls, as the rest of the program, in the place of the client that the crate brings.

use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Uri, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use tokio::time::{Instant, Sleep};

use crate::database::Host;
use crate::database::client_tls;
use crate::uploads::storage::PIECE;

/// How long Dewar waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long Dewar waits for the head of a response. The request may have a part of a file, which takes its time.
const HEAD: Duration = Duration::from_secs(120);
/// How long Dewar waits for the next bytes of a response, while somebody waits for them.
const NEXT: Duration = Duration::from_secs(30);
/// Unused connections that stay open.
const IDLE: usize = 16;

/// The one client of a storage.
#[derive(Clone, Debug)]
pub(super) struct Http {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
}

impl Http {
    /// # Errors
    /// The file with the CA, or the CAs of this machine, cannot be read.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(client_tls(ca_file)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(NEXT)
            .pool_max_idle_per_host(IDLE)
            // A download holds one piece in memory.
            .http1_max_buf_size(PIECE)
            .build(connector);
        Ok(Self { client })
    }
}

impl HttpConnector for Http {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Http {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if !is_private(request.uri()) {
            let text = "a request without TLS would leave this machine";
            return Err(failed(HttpErrorKind::Unknown, text));
        }
        // A file is created and never replaced. The crate asks for that with a small object; this is the end of a large one.
        // The signature covers the headers that it names, and a server takes others too.
        let query = request.uri().query().unwrap_or_default();
        if request.method() == Method::POST && query.contains("uploadId=") {
            let any = HeaderValue::from_static("*");
            request.headers_mut().insert(header::IF_NONE_MATCH, any);
        }
        let response = tokio::time::timeout(HEAD, self.client.request(request)).await;
        let response = response
            .map_err(|_| failed(HttpErrorKind::Timeout, "the storage sends no response"))?
            .map_err(|error| {
                let kind = if error.is_connect() {
                    HttpErrorKind::Connect
                } else {
                    // Perhaps it arrived: only a request that may be repeated is sent again.
                    HttpErrorKind::Interrupted
                };
                HttpError::new(kind, error)
            })?;
        Ok(response.map(|body| HttpResponseBody::new(Patient::new(body))))
    }
}

/// Encrypted, or to this machine. A cloud gives a machine its credentials at an address that no router forwards.
fn is_private(uri: &Uri) -> bool {
    let Some(host) = uri.host() else {
        return false;
    };
    let is_link_local = |text: &str| {
        text.trim_matches(['[', ']'])
            .parse::<IpAddr>()
            .is_ok_and(|address| match address {
                IpAddr::V4(address) => address.is_link_local(),
                IpAddr::V6(address) => address.is_unicast_link_local(),
            })
    };
    uri.scheme_str() == Some("https") || Host::named(host).is_local() || is_link_local(host)
}

fn failed(kind: HttpErrorKind, text: &'static str) -> HttpError {
    HttpError::new(kind, std::io::Error::other(text))
}

/// A body that ends with an error if its next bytes do not come. Time in which nobody asks for them does not count.
struct Patient {
    body: Incoming,
    waits: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(body: Incoming) -> Self {
        Self { body, waits: None }
    }
}

impl Body for Patient {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                self.waits = None;
                let frame = frame.map(|frame| {
                    frame.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))
                });
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let waits = self.waits.get_or_insert_with(|| {
                    Box::pin(tokio::time::sleep_until(Instant::now() + NEXT))
                });
                ready!(waits.as_mut().poll(context));
                let error = failed(HttpErrorKind::Timeout, "the storage stopped sending");
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS: V12.3.1
    #[test]
    fn nothing_leaves_this_machine_in_clear() {
        let asked = |text: &str| is_private(&text.parse().unwrap());
        for text in [
            "https://s3.example.org/a",
            "http://localhost:9000/a",
            "http://[::1]:9000/a",
            "http://169.254.169.254/latest",
        ] {
            assert!(asked(text), "{text}");
        }
        for text in ["http://s3.example.org/a", "http://10.0.0.1/a", "/a"] {
            assert!(!asked(text), "{text}");
        }
    }
}
