use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::error::Error;
use super::exchange::{Outgoing, ReadResponse, Redirects};
use super::{Client, loggable};

/// The headers that the client sets itself. Another value could give the request a second reading (request smuggling, CWE-444).
const OURS: [HeaderName; 10] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A request to another server, until it is sent.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct OutgoingRequest {
    client: Client,
    method: Method,
    url: Result<Url, Error>,
    headers: HeaderMap,
    body: Result<Bytes, Error>,
    redirects: Redirects,
    most: Option<u64>,
}

impl OutgoingRequest {
    pub(super) fn new(client: Client, method: Method, url: &str) -> Self {
        let parsed = Url::parse(url).map_err(|_| Error::Url(loggable(url)));
        Self {
            client,
            method,
            url: parsed.map(|mut url| {
                url.set_fragment(None);
                url
            }),
            headers: HeaderMap::new(),
            body: Ok(Bytes::new()),
            redirects: Redirects::Followed,
            most: None,
        }
    }

    /// Returns a redirect instead of following it.
    pub(crate) fn without_redirects(mut self) -> Self {
        self.redirects = Redirects::Returned;
        self
    }

    /// Reads at most this many bytes of the response's body, or fewer if the settings say so.
    pub(crate) fn at_most(mut self, bytes: u64) -> Self {
        self.most = Some(bytes);
        self
    }

    /// Adds a header. After a redirect to another origin it is left out.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::try_from(value)
            .ok()
            .filter(|_| !OURS.contains(&name))
        {
            Some(mut value) => {
                value.set_sensitive(name == header::AUTHORIZATION || name == header::COOKIE);
                self.headers.append(name, value);
            }
            None => self.body = Err(Error::Header(name.to_string())),
        }
        self
    }

    /// Sets the body.
    pub fn body(mut self, kind: &'static str, body: impl Into<Bytes>) -> Self {
        if self.body.is_ok() {
            self.body = Ok(body.into());
        }
        self.headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        self
    }

    /// Sets a JSON body.
    pub fn json<T: Serialize + ?Sized>(mut self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(json) => self.body("application/json", json),
            Err(error) => {
                self.body = Err(Error::Json(error));
                self
            }
        }
    }

    /// Sends the request and reads the response.
    ///
    /// # Errors
    /// [`Error`]: the address is not allowed, the server does not respond, or the response is above a limit. A status of 400 or
    /// above is no error.
    pub async fn send(self) -> Result<OutgoingResponse, Error> {
        let request = Outgoing {
            method: self.method,
            url: self.url?,
            headers: self.headers,
            body: self.body?,
            redirects: self.redirects,
            most: self.most,
        };
        self.client.send(request).await
    }
}

/// The response of another server, with its whole body.
///
/// Everything in it is untrusted, like a visitor's input.
#[derive(Debug)]
pub struct OutgoingResponse(ReadResponse);

impl OutgoingResponse {
    pub(super) fn new(response: ReadResponse) -> Self {
        Self(response)
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.0.body
    }

    /// The body as text. Bytes that are not UTF-8 become `U+FFFD`.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`Error::Json`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.0.body).map_err(Error::Json)
    }
}
