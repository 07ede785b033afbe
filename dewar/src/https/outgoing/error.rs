use std::io;
use std::net::IpAddr;

/// Why a request to another server failed. None of them is a text for a visitor: it would tell which addresses exist inside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name leads to an address that is not on the public internet (CWE-918).
    #[error("{host} leads to {address}, which is not an address of the public internet")]
    Address {
        /// The host of the address.
        host: String,
        /// The address that its name has.
        address: IpAddr,
    },
    /// Too many requests were under way for the whole time.
    #[error("too many requests to other servers are under way")]
    Busy,
    /// No address of the host answers.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The response is compressed, although the request asked for no compression: a few bytes could become gigabytes.
    #[error("the response is compressed, and Dewar does not unpack it")]
    Encoded,
    /// The request has a header that the client sets itself, or a value that no header can have.
    #[error("the header {0} cannot be set")]
    Header(String),
    /// The other server does not speak HTTP as it should.
    #[error("the HTTP exchange failed")]
    Http(#[source] hyper::Error),
    /// The operator lists the host as a server of the own network: `Client::internal` asks it, with an address of the program.
    #[error(
        "{0} is a host of `https.outgoing.internal`, which the client for the public internet does not ask"
    )]
    Inner(String),
    /// The body is not JSON of the expected type, or a value cannot be written as JSON.
    #[error("the body is not the expected JSON")]
    Json(#[source] serde_json::Error),
    /// The origin is not one that the operator allows.
    #[error("{0} is not in `https.outgoing.internal`")]
    NotListed(String),
    /// The name does not resolve.
    #[error("cannot resolve the host")]
    Resolve(#[source] io::Error),
    /// The time for the whole request is over.
    #[error("the server took too long")]
    TimedOut,
    /// The CAs of this machine cannot be read.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The body is larger than `https.outgoing.body`.
    #[error("the body has more than {0} bytes")]
    TooLarge(u64),
    /// The server redirected more often than anybody needs.
    #[error("too many redirects")]
    TooManyRedirects,
    /// The text is no address that this client asks: not HTTPS, or with a user.
    #[error("{0:?} is not an https address without a user")]
    Url(String),
}
