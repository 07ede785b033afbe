//! One exchange with one server: the addresses are looked up once, judged, and connected to exactly.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::address::is_public;
use super::error::Error;
use super::loggable;
use super::resolver::Resolver;

/// At most this many addresses of one name are tried.
const MOST_ADDRESSES: usize = 4;

/// The most bytes of a response's head.
const LARGEST_HEAD: usize = 64 * 1024;

/// Which addresses a connection may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The origins that the operator names, wherever they are.
    Internal,
    /// The public internet.
    Public,
}

/// A request as it goes to one server.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether a redirect is followed.
    pub(super) redirects: Redirects,
    /// The most bytes of the response's body, if they are fewer than the setting's.
    pub(super) most: Option<u64>,
}

/// The treatment of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    Followed,
    /// It is the response.
    Returned,
}

/// A response whose body is read.
#[derive(Debug)]
pub(super) struct ReadResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The addresses that a connection to this host may use.
///
/// The system is asked once, and the connection goes to what it said: a name that has another address a moment later leads nowhere
/// else (DNS rebinding). If one address of several is inside a network, none is used.
pub(super) async fn addresses(
    (resolver, lookups): (&Resolver, &Arc<Semaphore>),
    url: &Url,
    reach: Reach,
) -> Result<Vec<SocketAddr>, Error> {
    let wrong = || Error::Url(loggable(url.as_str()));
    // The parser has read every spelling of an IPv4 address, such as `http://2130706433/`, as the address that it is.
    let found = match url.host().ok_or_else(wrong)? {
        Host::Domain(name) => resolver.addresses(name, lookups).await?,
        Host::Ipv4(address) => vec![IpAddr::V4(address)],
        Host::Ipv6(address) => vec![IpAddr::V6(address)],
    };
    if reach == Reach::Public
        && let Some(address) = found.iter().find(|address| !is_public(**address))
    {
        let host = url.host_str().unwrap_or_default().to_owned();
        return Err(Error::Address {
            host,
            address: *address,
        });
    }
    let port = url.port_or_known_default().ok_or_else(wrong)?;
    let found = found.into_iter().take(MOST_ADDRESSES);
    Ok(found
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

/// Sends a request to one of these addresses, and reads the response to its end, or to the limit.
pub(super) async fn exchange(
    request: &Outgoing,
    addresses: &[SocketAddr],
    tls: Option<Arc<ClientConfig>>,
    most: u64,
) -> Result<ReadResponse, Error> {
    let stream = connect(addresses).await?;
    match tls {
        None => converse(stream, request, most).await,
        Some(config) => {
            let name = server_name(&request.url)?;
            let connected = TlsConnector::from(config).connect(name, stream).await;
            converse(connected.map_err(Error::Connect)?, request, most).await
        }
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Error> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(Error::Connect(last))
}

fn server_name(url: &Url) -> Result<ServerName<'static>, Error> {
    let wrong = || Error::Url(loggable(url.as_str()));
    match url.host().ok_or_else(wrong)? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| wrong()),
        Host::Ipv4(address) => Ok(ServerName::IpAddress(IpAddr::V4(address).into())),
        Host::Ipv6(address) => Ok(ServerName::IpAddress(IpAddr::V6(address).into())),
    }
}

async fn converse<S>(stream: S, request: &Outgoing, most: u64) -> Result<ReadResponse, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(Error::Http)?;
    let asked = async {
        let response = sender
            .send_request(message(request)?)
            .await
            .map_err(Error::Http)?;
        read(response, &request.method, most).await
    };
    // The connection lives as long as its one request, and ends with it, also where the request is given up.
    let mut connection = std::pin::pin!(connection);
    let mut asked = std::pin::pin!(asked);
    tokio::select! {
        biased;
        answered = &mut asked => answered,
        ended = &mut connection => {
            ended.map_err(Error::Http)?;
            // The rest of the body is buffered already.
            asked.await
        }
    }
}

fn message(request: &Outgoing) -> Result<Request<Full<Bytes>>, Error> {
    let url = &request.url;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let wrong = |_| Error::Url(loggable(url.as_str()));
    let mut message = Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = target
        .parse()
        .map_err(|_| Error::Url(loggable(url.as_str())))?;
    let headers = message.headers_mut();
    headers.clone_from(&request.headers);
    headers.insert(header::HOST, HeaderValue::try_from(host).map_err(wrong)?);
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(message)
}

async fn read(
    response: Response<Incoming>,
    method: &Method,
    most: u64,
) -> Result<ReadResponse, Error> {
    let (parts, mut body) = response.into_parts();
    let mut encodings = parts.headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Error::Encoded);
    }
    if *method != Method::HEAD && body.size_hint().lower() > most {
        return Err(Error::TooLarge(most));
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Error::Http)?.into_data() else {
            continue;
        };
        let length = u64::try_from(read.len() + data.len()).unwrap_or(u64::MAX);
        if length > most {
            return Err(Error::TooLarge(most));
        }
        read.extend_from_slice(&data);
    }
    Ok(ReadResponse {
        status: parts.status,
        headers: parts.headers,
        body: read.freeze(),
    })
}
