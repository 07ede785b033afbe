use std::time::Duration;

/// Why a request got no response.
///
/// ```
/// use dewar::testing::Error;
/// let late = Error::Late(std::time::Duration::from_secs(10));
/// assert_eq!(late.to_string(), "no answer within 10s");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is not `http` or `https`, or names no host.
    #[error("`{0}` is not an address that a browser can open")]
    Address(String),
    /// No connection, or no TLS over it (a certificate that the authority did not sign, for one).
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    /// The server closed the connection, or what it sent is not HTTP.
    #[error("no HTTP answer: {0}")]
    Http(#[from] hyper::Error),
    /// No response came in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// HTTP has no spelling for the request; use a `Socket` for such bytes.
    #[error("not a request: {0}")]
    Request(#[from] http::Error),
}
