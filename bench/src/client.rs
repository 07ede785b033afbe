//! The browsers: HTTP/1.1 over TLS, one connection kept alive for many requests.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use crate::Result;
use crate::world::{EMAIL, PASSWORD};

/// A server's address for browsers.
#[derive(Clone)]
pub(crate) struct Site {
    port: u16,
    tls: TlsConnector,
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
}

/// A session of the portal.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) cookie: String,
    pub(crate) token: String,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Site {
    pub(crate) fn new(port: u16, authority: &Path) -> Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            port,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Connects, from one of this machine's many loopback addresses.
    pub(crate) async fn connect_from(&self, from: Ipv4Addr) -> Result<Connection> {
        let sender = self.sender_from(from).await?;
        Ok(Connection { sender })
    }

    /// A connection for one request with a body of any type.
    pub(crate) async fn sender_from<B>(&self, from: Ipv4Addr) -> Result<http1::SendRequest<B>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<crate::Error>,
    {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = socket
            .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))
            .await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = self.tls.connect(name, stream).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The sender reports how it ends.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    pub(crate) async fn connect(&self) -> Result<Connection> {
        self.connect_from(Ipv4Addr::LOCALHOST).await
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The request of a browser whose user types an address.
    pub(crate) fn get(&self, path: &str, cookie: Option<&str>) -> Result<Request<Full<Bytes>>> {
        let builder = browser(Request::get(path), cookie)
            .header(header::HOST, format!("localhost:{}", self.port))
            .header("sec-fetch-site", "none");
        Ok(builder.body(Full::default())?)
    }

    /// The request of a browser that submits a form of this site.
    pub(crate) fn post(
        &self,
        path: &str,
        cookie: Option<&str>,
        fields: &[(&str, &str)],
    ) -> Result<Request<Full<Bytes>>> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        self.post_encoded(path, cookie, body.extend_pairs(fields).finish())
    }

    /// The same, with encoded fields.
    pub(crate) fn post_encoded(
        &self,
        path: &str,
        cookie: Option<&str>,
        body: String,
    ) -> Result<Request<Full<Bytes>>> {
        let builder = browser(Request::post(path), cookie)
            .header(header::HOST, format!("localhost:{}", self.port))
            .header(header::ORIGIN, self.origin())
            .header(header::REFERER, format!("{}{path}", self.origin()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::CONTENT_LENGTH, body.len())
            .header("sec-fetch-site", "same-origin");
        Ok(builder.body(Full::from(body))?)
    }

    /// The request of a browser that submits a form of this site, without its body.
    pub(crate) fn stream(&self, path: &str, cookie: &str) -> Result<Request<()>> {
        let cookie = Some(cookie).filter(|cookie| !cookie.is_empty());
        let builder = browser(Request::post(path), cookie)
            .header(header::HOST, format!("localhost:{}", self.port))
            .header(header::ORIGIN, self.origin())
            .header("sec-fetch-site", "same-origin");
        Ok(builder.body(())?)
    }

    /// A sign-in page's token and its cookie.
    pub(crate) async fn sign_in_form(&self) -> Result<(String, String)> {
        let mut connection = self.connect().await?;
        let page = connection.ask(self.get("/sign-in", None)?).await?;
        Ok((page.token()?.to_owned(), page.cookies()))
    }

    /// Signs in through the form, like a user; returns the session's cookie.
    pub(crate) async fn sign_in(&self) -> Result<String> {
        let (token, cookie) = self.sign_in_form().await?;
        let fields = [
            ("csrf_token", &*token),
            ("email", EMAIL),
            ("password", PASSWORD),
        ];
        let mut connection = self.connect().await?;
        let answer = connection
            .ask(self.post("/sign-in", Some(&cookie), &fields)?)
            .await?;
        if answer.status == StatusCode::SEE_OTHER {
            return Ok(answer.cookies());
        }
        Err(format!("signing in was answered with {}", answer.status).into())
    }

    /// Signs in, and reads a token of the session from a page with a form.
    pub(crate) async fn session(&self) -> Result<Session> {
        let cookie = self.sign_in().await?;
        let mut connection = self.connect().await?;
        let page = connection.ask(self.get("/account", Some(&cookie))?).await?;
        Ok(Session {
            token: page.token()?.to_owned(),
            cookie,
        })
    }
}

/// The headers of a current browser, the same for both servers except for the compression.
fn browser(builder: http::request::Builder, cookie: Option<&str>) -> http::request::Builder {
    let builder = builder
        .header(
            header::USER_AGENT,
            "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
        )
        .header(
            header::ACCEPT,
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        )
        .header(header::ACCEPT_LANGUAGE, "en-GB,en;q=0.5")
        // The bare server compresses nothing, and both must send the same bytes.
        .header(header::ACCEPT_ENCODING, "identity")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-mode", "navigate");
    match cookie {
        Some(cookie) => builder.header(header::COOKIE, cookie),
        None => builder,
    }
}

/// The value of a page's first hidden token.
pub(crate) fn token(page: &str) -> Option<&str> {
    let (_, field) = page.split_once("name=\"csrf_token\" value=\"")?;
    field.split_once('"').map(|(token, _)| token)
}

impl Connection {
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}

impl Answer {
    /// The token of a page with a form.
    pub(crate) fn token(&self) -> Result<&str> {
        Ok(token(std::str::from_utf8(&self.body)?).ok_or("a page has no token")?)
    }

    /// The cookies that it sets and does not remove, as the browser sends them back.
    pub(crate) fn cookies(&self) -> String {
        let set = self.headers.get_all(header::SET_COOKIE).iter();
        let pairs = set
            .filter_map(|value| value.to_str().ok()?.split_once(';'))
            .filter(|(_, attributes)| !attributes.contains("Max-Age=0"))
            .map(|(pair, _)| pair);
        pairs.collect::<Vec<_>>().join("; ")
    }
}
