//! Requests to other servers, which lead to the public internet and to what the operator allows, and nowhere else
//! (server-side request forgery, CWE-918).
//!
//! ```
//! use dewar::outgoing::Client;
//! use dewar::pages::Json;
//! async fn rates(client: Client) -> dewar::Result<Json<serde_json::Value>> {
//!     let response = client.get("https://rates.example.com/latest").send().await?;
//!     Ok(Json(response.json()?))
//! }
//! # fn app(app: dewar::App) -> dewar::App { app.public([dewar::get("/rates", rates)]) }
//! ```

mod address;
mod config;
mod error;
mod exchange;
mod permits;
mod request;
mod resolver;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use rustls::ClientConfig;
use tokio::time::timeout;
use url::{Host, Url};

pub use config::Config;
pub use error::Error;
pub use request::{OutgoingRequest, OutgoingResponse};

use crate::database::client_tls;
use exchange::{Outgoing, Reach, Redirects, addresses, exchange};
use permits::Permits;
use resolver::Resolver;

/// A request follows at most this many redirects.
const MOST_REDIRECTS: usize = 5;

/// Asks other servers. A handler takes it as an argument, and the start needs nothing for it.
///
/// It asks HTTPS addresses of the public internet. Whatever a name resolves to and whatever a server redirects to is judged before
/// the connection, which goes to exactly the judged address. It reads no proxy from the environment, unpacks nothing, keeps no
/// cookie and no connection, and ends at a time and a size.
///
/// ```
/// use dewar::outgoing::Client;
/// use dewar::Redirect;
/// async fn notify(client: Client) -> dewar::Result<Redirect> {
///     client.post("https://hooks.example.com/notes").json(&serde_json::json!({ "note": 7 })).send().await?;
///     Ok(Redirect::to("/notes"))
/// }
/// # fn app(app: dewar::App) -> dewar::App { app.signed_in([dewar::post("/notify", notify)]) }
/// ```
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<SharedParts>,
    reach: Reach,
}

#[derive(Debug)]
struct SharedParts {
    config: Config,
    /// The hosts of `https.outgoing.internal`.
    inner_hosts: Vec<Host>,
    resolver: Resolver,
    /// Visitors' addresses cannot use up the requests to the operator's own servers.
    of_internal: Permits,
    of_public: Permits,
    /// Made at the first request: an application that asks nobody reads no CAs.
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl Client {
    /// A client with these limits.
    #[must_use]
    pub(crate) fn new(config: Config) -> Self {
        Self::with(config, Resolver::System)
    }

    fn with(config: Config, resolver: Resolver) -> Self {
        let origins = config.internal.iter();
        let inner_hosts = origins.filter_map(|origin| {
            let url = Url::parse(origin).ok()?;
            url.host().map(|host| spelled_once(host.to_owned()))
        });
        Self {
            shared: Arc::new(SharedParts {
                inner_hosts: inner_hosts.collect(),
                of_internal: Permits::new(config.concurrent, config.concurrent),
                of_public: Permits::new(config.concurrent, config.concurrent_per_host),
                config,
                resolver,
                tls: OnceLock::new(),
            }),
            reach: Reach::Public,
        }
    }

    /// The client for the origins in `https.outgoing.internal`, and for no others. Give it addresses that the program wrote: a
    /// visitor's address belongs to the client for the public internet.
    ///
    /// ```
    /// use dewar::outgoing::Client;
    /// use dewar::pages::Text;
    /// async fn count(client: Client) -> dewar::Result<Text> {
    ///     let response = client.internal().get("http://search.internal:9200/_count").send().await?;
    ///     Ok(Text::new(response.text()))
    /// }
    /// # fn app(app: dewar::App) -> dewar::App { app.public([dewar::get("/count", count)]) }
    /// ```
    #[must_use]
    pub fn internal(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            reach: Reach::Internal,
        }
    }

    /// Whether the operator lists the origin of this address as a server of the own network.
    pub(crate) fn is_internal(&self, url: &Url) -> bool {
        let origin = url.origin().ascii_serialization();
        self.shared.config.internal.contains(&origin)
    }

    /// Asks for something.
    pub fn get(&self, url: impl AsRef<str>) -> OutgoingRequest {
        self.request(Method::GET, url)
    }

    /// Sends something.
    pub fn post(&self, url: impl AsRef<str>) -> OutgoingRequest {
        self.request(Method::POST, url)
    }

    /// A request of any method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> OutgoingRequest {
        OutgoingRequest::new(self.clone(), method, url.as_ref())
    }

    /// Sends a request, within its time.
    async fn send(&self, request: Outgoing) -> Result<OutgoingResponse, Error> {
        let within = timeout(self.shared.config.timeout, async {
            self.follow(request).await
        });
        let answered = within.await.unwrap_or(Err(Error::TimedOut));
        if let Err(error @ (Error::Address { .. } | Error::Inner(_) | Error::NotListed(_))) =
            &answered
        {
            tracing::warn!(%error, "Dewar refused a request to another server");
        }
        answered
    }

    async fn follow(&self, mut request: Outgoing) -> Result<OutgoingResponse, Error> {
        for _ in 0..=MOST_REDIRECTS {
            self.judge(&request.url)?;
            let permits = self.permits();
            // For this hop alone: a request that waits for its next host holds back no other one.
            let _permit = permits.of_host(&request.url).await?;
            let found = self.addresses(&request.url).await?;
            let tls = match request.url.scheme() {
                "https" => Some(self.tls()?),
                _ => None,
            };
            let most = self.shared.config.body;
            let most = request.most.map_or(most, |own| own.min(most));
            let answered = exchange(&request, &found, tls, most).await?;
            match next(&request, answered.status, &answered.headers)? {
                Some(next) => request = next,
                None => return Ok(OutgoingResponse::new(answered)),
            }
        }
        Err(Error::TooManyRedirects)
    }

    fn permits(&self) -> &Permits {
        match self.reach {
            Reach::Internal => &self.shared.of_internal,
            Reach::Public => &self.shared.of_public,
        }
    }

    /// The judged addresses of a host.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Error> {
        let lookups = self.permits().lookups();
        let found = addresses((&self.shared.resolver, lookups), url, self.reach).await?;
        if self.reach == Reach::Public {
            // Another name of a listed address.
            for address in &found {
                let host = match address.ip().to_canonical() {
                    IpAddr::V4(address) => Host::Ipv4(address),
                    IpAddr::V6(address) => Host::Ipv6(address),
                };
                self.refuse_inner(host)?;
            }
        }
        Ok(found)
    }

    /// The client for the public internet does not ask a host of `https.outgoing.internal`, also where its address is public.
    fn refuse_inner(&self, host: Host) -> Result<(), Error> {
        let host = spelled_once(host);
        if self.shared.inner_hosts.contains(&host) {
            return Err(Error::Inner(host.to_string()));
        }
        Ok(())
    }

    /// Whether an address has the scheme and the origin that this client asks. The addresses of its name come later.
    fn judge(&self, url: &Url) -> Result<(), Error> {
        let has_user = !url.username().is_empty() || url.password().is_some();
        let origin = url.origin().ascii_serialization();
        match self.reach {
            _ if has_user || !url.has_host() => Err(Error::Url(loggable(url.as_str()))),
            Reach::Internal if !self.shared.config.internal.contains(&origin) => {
                Err(Error::NotListed(origin))
            }
            Reach::Public if url.scheme() != "https" => Err(Error::Url(loggable(url.as_str()))),
            Reach::Internal => Ok(()),
            Reach::Public => match url.host() {
                Some(host) => self.refuse_inner(host.to_owned()),
                None => Ok(()),
            },
        }
    }

    fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let made = self
            .shared
            .tls
            .get_or_init(|| client_tls(None).map(Arc::new));
        made.clone().map_err(Error::Tls)
    }
}

/// The request that a response redirects to. Only requests that change nothing are redirected: a body does not go to a server that the
/// program did not choose. Another origin gets neither the headers nor the body of the program, which may hold its password.
fn next(
    request: &Outgoing,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Outgoing>, Error> {
    let follows = matches!(request.method, Method::GET | Method::HEAD)
        && request.redirects == Redirects::Followed;
    let moved = [301, 302, 303, 307, 308].contains(&status.as_u16());
    let Some(location) = headers.get(header::LOCATION).filter(|_| follows && moved) else {
        return Ok(None);
    };
    let wrong = || Error::Url(loggable(&String::from_utf8_lossy(location.as_bytes())));
    let text = location.to_str().map_err(|_| wrong())?;
    let mut url = request.url.join(text).map_err(|_| wrong())?;
    url.set_fragment(None);
    let mut next = request.clone();
    if url.origin() != request.url.origin() {
        next.headers.clear();
        next.body = Bytes::new();
    }
    next.url = url;
    Ok(Some(next))
}

/// A host in the one spelling in which hosts are compared: `search.internal.` is `search.internal`.
fn spelled_once(host: Host) -> Host {
    match host {
        Host::Domain(name) => Host::Domain(name.trim_end_matches('.').to_owned()),
        Host::Ipv6(address) => match IpAddr::V6(address).to_canonical() {
            IpAddr::V4(inner) => Host::Ipv4(inner),
            IpAddr::V6(address) => Host::Ipv6(address),
        },
        Host::Ipv4(address) => Host::Ipv4(address),
    }
}

/// The beginning of an address, for an error. Its user, its password and its query stay out of the log.
fn loggable(text: &str) -> String {
    let parsed = Url::parse(text).ok().filter(Url::has_host);
    let named = parsed.and_then(|mut url| {
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        Some(url.to_string())
    });
    let named = named.unwrap_or_else(|| without_user(text));
    let path = named.split(['?', '#']).next().unwrap_or_default();
    path.chars().take(200).collect()
}

/// A text that is no address, without what may be a password in it: a password with `/`, `?` or `#` is why it is none.
fn without_user(text: &str) -> String {
    let Some((before, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let scheme = before.split_once("://").map(|(scheme, _)| scheme);
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match scheme.filter(is_word) {
        Some(scheme) => format!("{scheme}://{host}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests;
