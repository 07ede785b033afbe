//! Plain HTTP from a proxy that ends TLS: the setting `https.behind_proxy`.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use futures_util::future::Either;
use hyper::body::Incoming;
use tower::Service;

use super::config::Config;
use super::connection::HttpService;
use super::headers::{Transport, apply};
use super::redirect::ToHttps;
use super::rejection::RequestRejection;
use super::request_info::RequestInfo;
use crate::audit::owner_only::{self, TooOpen};
use crate::audit::{Finding, Practice, Section, Severity};

/// Where a proxy that ends TLS reaches the application in plain HTTP: the setting `https.behind_proxy`.
///
/// ```
/// use dewar::audit::{Mode, Settings};
/// use dewar::https::{BehindProxy, Config};
/// let socket = ("DEWAR_HTTPS_BEHIND_PROXY".to_owned(), "unix:/run/portal/http".to_owned());
/// let config = Config::read(&Settings::read(None, [socket]), Mode::Production);
/// assert_eq!(config.behind, Some(BehindProxy::Socket("/run/portal/http".into())));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BehindProxy {
    /// A loopback address of this machine.
    Loopback(SocketAddr),
    /// Any address, for the networks of `https.trusted_proxies` alone: a platform for containers ends TLS.
    Platform,
    /// A Unix socket, whose mode decides who may connect.
    Socket(PathBuf),
}

/// Where the port of a platform comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlatformPort {
    /// No variable names it.
    Missing,
    /// The variable has another value than a port.
    Unusable,
    /// `PORT` or `https.address` names it, or none is needed.
    Known,
    /// The variable is set, and no setting says that anything reads it.
    Ignored,
}

impl PlatformPort {
    const fn is_ignored(self) -> bool {
        matches!(self, Self::Ignored)
    }
}

const RIGHT: &str = "\"off\", a loopback address with a port such as \"127.0.0.1:8000\", a Unix socket such as \
    \"unix:/run/portal/http\", or \"platform\"";

/// Reads the setting.
pub(super) fn read(section: &Section<'_>) -> Option<BehindProxy> {
    let text = section.optional_text("behind_proxy")?;
    let behind = match text.as_str() {
        "off" => return None,
        "platform" => Some(BehindProxy::Platform),
        text => match text.strip_prefix("unix:") {
            Some(path) => Some(PathBuf::from(path))
                .filter(|path| path.is_absolute() && path.file_name().is_some())
                .map(BehindProxy::Socket),
            None => text
                .parse()
                .ok()
                .filter(|address: &SocketAddr| address.ip().is_loopback())
                .map(BehindProxy::Loopback),
        },
    };
    if behind.is_none() {
        section.refuse("behind_proxy", RIGHT);
    }
    behind
}

/// The findings about a proxy that ends TLS.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let Some(behind) = &config.behind else {
        return config
            .platform_port
            .is_ignored()
            .then(port_ignored)
            .into_iter()
            .collect();
    };
    let mut findings = Vec::new();
    if config.files.is_some() || config.acme.is_some() {
        findings.push(two_ends());
    }
    if *behind == BehindProxy::Platform {
        // The finding about a missing network also says that a form is there without one.
        if config.proxies.is_of_nobody() && !config.proxies.has_form() {
            findings.push(nobody());
        }
        match config.platform_port {
            PlatformPort::Known | PlatformPort::Ignored => {}
            PlatformPort::Missing => findings.push(no_port("PORT is not set")),
            PlatformPort::Unusable => findings.push(no_port("PORT is no port")),
        }
    }
    if let BehindProxy::Socket(path) = behind {
        findings.extend(of_socket(path));
    }
    findings
}

fn port_ignored() -> Finding {
    Finding::warn(
        Practice::Https,
        "https-port-ignored",
        "PORT is set, and Dewar does not read it",
    )
    .why("PORT names a port for plain HTTP. Without a setting that names the proxy in front, Dewar ends TLS itself.")
    .fix("On a platform that ends TLS, set https.behind_proxy = \"platform\" and https.trusted_proxies; elsewhere, remove PORT.")
    .severity(Severity::Info)
}

fn two_ends() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-behind-and-certificate",
        "https.behind_proxy is set beside a certificate",
    )
    .why("The proxy ends TLS, so the application's certificate would protect no connection.")
    .fix("Remove https.certificate, https.key and section https.acme; or remove https.behind_proxy, and let the proxy connect by TLS.")
}

fn nobody() -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-behind-nobody",
        "https.behind_proxy is \"platform\", and https.trusted_proxies is empty",
    )
    .why("Dewar takes plain HTTP from the platform's proxies alone: from everyone else it would be a visitor's password in clear.")
    .fix("Set https.trusted_proxies to the networks of the platform's proxies, and https.client_ip_source to the header that they write.")
    .severity(Severity::Critical)
    .cwe(319)
    .asvs(&["4.1.3", "12.2.1"])
}

fn no_port(what: &str) -> Finding {
    Finding::refuse(
        Practice::Https,
        "https-platform-port",
        format!("https.behind_proxy is \"platform\", and {what}"),
    )
    .why("The platform chooses the port on which it reaches the program.")
    .fix("Start it on the platform, which sets PORT, or set https.address.")
}

/// Whoever may write into the socket's directory can put a socket of their own in its place.
fn of_socket(path: &Path) -> Option<Finding> {
    let directory = path.parent()?;
    let refused = |title: String, fix: String| {
        Finding::refuse(Practice::Https, "https-socket-directory", title)
            .why("Whoever may write there can answer visitors in the application's place, and read their passwords.")
            .fix(fix)
            .cwe(732)
    };
    if !directory.is_dir() {
        let title = format!(
            "https.behind_proxy: {} is no directory",
            directory.display()
        );
        return Some(refused(
            title,
            "Make it for the application's user and the proxy's group: `RuntimeDirectory=` of systemd does.".to_owned(),
        ));
    }
    let metadata = directory.metadata().ok()?;
    if owner_only::foreign(&metadata) == Some(true) && !owner_only::is_roots(&metadata) {
        let title = format!(
            "https.behind_proxy: {} belongs to another user",
            directory.display()
        );
        let fix = "Give it to the application's user or to root with chown: `RuntimeDirectory=` of systemd does.";
        return Some(refused(title, fix.to_owned()));
    }
    let open = TooOpen::of(directory, &metadata, 0o022)?;
    Some(refused(
        format!("https.behind_proxy: {}", open.title()),
        open.fix(),
    ))
}

/// How the visitor connected to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum VisitorScheme {
    Http,
    Https,
    /// The proxy did not say it, or a visitor's text is beside the proxy's.
    Unreadable,
}

impl VisitorScheme {
    /// The one value of `X-Forwarded-Proto`. Two values would be one of the visitor's and one of the proxy's.
    fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all("x-forwarded-proto").iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Self::Unreadable;
        };
        if value.as_bytes().eq_ignore_ascii_case(b"https") {
            Self::Https
        } else if value.as_bytes().eq_ignore_ascii_case(b"http") {
            Self::Http
        } else {
            Self::Unreadable
        }
    }
}

/// The service of the listener for the proxy: it passes on requests whose visitor came by HTTPS.
#[derive(Debug, Clone)]
pub(crate) struct FromProxy<S> {
    inner: S,
    others: ToHttps,
}

impl<S> FromProxy<S> {
    /// Visitors who came by plain HTTP are redirected.
    pub(crate) const fn new(inner: S, others: ToHttps) -> Self {
        Self { inner, others }
    }
}

impl<S: HttpService> Service<Request<Incoming>> for FromProxy<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, Ready<Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let info = RequestInfo::get(request.extensions());
        // Its head is a substitute, without the headers that came. The stack refuses it.
        let is_refused = info.is_some_and(|info| info.rejected_head.is_some());
        let is_unnamed = info.is_some_and(|info| info.client_unnamed);
        let refused = |what| {
            let refusal = RequestRejection::Malformed(what);
            let mut response = refusal.response(request.version());
            apply(response.headers_mut(), None, Transport::Plain, None);
            response
        };
        let answer = match VisitorScheme::of(request.headers()) {
            _ if is_refused => return Either::Left(self.inner.call(request)),
            VisitorScheme::Https if is_unnamed => {
                tracing::warn!(
                    "the proxy names no client in the header of `https.client_ip_source`; all visitors would have its address"
                );
                refused("client address")
            }
            VisitorScheme::Https => return Either::Left(self.inner.call(request)),
            VisitorScheme::Http => self.others.answer(&request),
            VisitorScheme::Unreadable => {
                tracing::warn!(
                    "the proxy sent no single `X-Forwarded-Proto: https` or `http`; it must set the header itself, over the visitor's"
                );
                refused("X-Forwarded-Proto")
            }
        };
        Either::Right(ready(Ok(answer)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Mode, Settings};
    use crate::https::check;

    fn read_with(env: &[(&str, &str)], port: Option<&str>) -> (Config, Vec<&'static str>) {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, env);
        let config = Config::read(&settings, Mode::Production).with_port(port);
        let found = settings
            .finish()
            .into_iter()
            .chain(check(&config, Mode::Production));
        let found = found.map(|finding| finding.id).collect();
        (config, found)
    }

    const BEHIND: &str = "DEWAR_HTTPS_BEHIND_PROXY";
    const HOSTS: (&str, &str) = ("DEWAR_HTTPS_HOSTS", "example.org");
    const FORM: (&str, &str) = ("DEWAR_HTTPS_CLIENT_IP_SOURCE", "x-forwarded-for");
    const NETWORK: (&str, &str) = ("DEWAR_HTTPS_TRUSTED_PROXIES", "10.0.0.0/8");

    #[test]
    fn plain_http_is_taken_on_loopback_and_from_named_networks_alone() {
        for wrong in [
            "192.0.2.7:80",
            "0.0.0.0:80",
            "[::]:80",
            "127.0.0.1",
            "unix:run/http",
            "unix:/",
            "unix:",
            "on",
        ] {
            let (config, found) = read_with(&[HOSTS, (BEHIND, wrong)], None);
            assert_eq!(config.behind, None, "{wrong}");
            assert_eq!(found, ["settings-value"], "{wrong}");
        }
        let (config, found) = read_with(&[HOSTS, FORM, (BEHIND, "127.0.0.1:8000")], None);
        assert_eq!((config.address.port(), config.public_port), (8000, 443));
        assert_eq!(config.transport(), Transport::Certificate);
        assert!(config.http_address.is_none());
        assert_eq!(found, Vec::<&str>::new());
        let redirect = ("DEWAR_HTTPS_HTTP_ADDRESS", "0.0.0.0:80");
        let (config, found) = read_with(&[HOSTS, FORM, (BEHIND, "127.0.0.1:8000"), redirect], None);
        assert_eq!(config.http_address, None);
        assert_eq!(found, Vec::<&str>::new());
        assert!(config.proxies.trusts([127, 0, 0, 1].into()));
        assert!(!config.proxies.trusts([10, 0, 0, 1].into()));
        let (_, found) = read_with(&[HOSTS, (BEHIND, "[::1]:8000")], None);
        assert_eq!(
            found,
            ["https-proxy-form"],
            "the proxy must name its visitors"
        );
    }

    #[test]
    fn the_port_of_a_platform_needs_the_networks_of_its_proxies() {
        let platform = (BEHIND, "platform");
        let (config, found) = read_with(&[HOSTS, FORM, NETWORK, platform], Some("5000"));
        assert_eq!((config.address.port(), config.public_port), (5000, 443));
        assert_eq!(found, Vec::<&str>::new());
        assert!(!config.proxies.trusts([127, 0, 0, 1].into()));
        for (settings, port, wanted) in [
            (&[HOSTS, platform][..], Some("5000"), "https-behind-nobody"),
            (&[HOSTS, FORM, platform], Some("5000"), "https-proxy-nobody"),
            (
                &[HOSTS, NETWORK, platform],
                Some("5000"),
                "https-proxy-form",
            ),
            (
                &[HOSTS, FORM, NETWORK, platform],
                None,
                "https-platform-port",
            ),
            (
                &[HOSTS, FORM, NETWORK, platform],
                Some("http"),
                "https-platform-port",
            ),
            (
                &[HOSTS, FORM, NETWORK, platform],
                Some("0"),
                "https-platform-port",
            ),
        ] {
            assert_eq!(read_with(settings, port).1, [wanted], "{settings:?}");
        }
        let address = ("DEWAR_HTTPS_ADDRESS", "127.0.0.1:9000");
        let (config, found) = read_with(&[HOSTS, FORM, NETWORK, platform, address], None);
        assert_eq!((config.address.port(), found), (9000, Vec::new()));
        // Without the setting the port is no reason to speak plain HTTP.
        let (config, found) = read_with(&[HOSTS], Some("5000"));
        assert_eq!(
            (config.address.port(), found),
            (443, vec!["https-port-ignored"])
        );
    }

    #[test]
    fn a_certificate_of_the_application_s_own_is_for_no_connection() {
        let files = [
            HOSTS,
            FORM,
            (BEHIND, "127.0.0.1:8000"),
            ("DEWAR_HTTPS_CERTIFICATE", "/etc/chain.pem"),
            ("DEWAR_HTTPS_KEY", "/etc/key.pem"),
        ];
        assert_eq!(read_with(&files, None).1, ["https-behind-and-certificate"]);
    }

    #[test]
    fn a_socket_is_in_a_directory_that_others_cannot_write() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let socket = format!("unix:{}", directory.path().join("http").display());
        let gone = format!("unix:{}", directory.path().join("gone/http").display());
        let found = |socket: &str| read_with(&[HOSTS, FORM, (BEHIND, socket)], None).1;
        assert_eq!(found(&socket), Vec::<&str>::new());
        assert_eq!(found(&gone), ["https-socket-directory"]);
        for (mode, is_refused) in [
            (0o1777, true),
            (0o770, true),
            (0o702, true),
            (0o755, false),
            (0o750, false),
        ] {
            let open = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(directory.path(), open).unwrap();
            assert_eq!(found(&socket).len(), usize::from(is_refused), "{mode:o}");
        }
        // Only root can give a directory to another user.
        if std::os::unix::fs::chown(directory.path(), Some(65_534), None).is_ok() {
            assert_eq!(found(&socket), ["https-socket-directory"]);
        }
    }

    #[test]
    fn only_one_word_of_the_proxy_says_how_a_visitor_came() {
        for (values, wanted) in [
            (&["https"][..], VisitorScheme::Https),
            (&["HTTPS"], VisitorScheme::Https),
            (&["http"], VisitorScheme::Http),
            (&[], VisitorScheme::Unreadable),
            (&["https", "https"], VisitorScheme::Unreadable),
            (&["http", "https"], VisitorScheme::Unreadable),
            (&["https, http"], VisitorScheme::Unreadable),
            (&["https "], VisitorScheme::Unreadable),
            (&["wss"], VisitorScheme::Unreadable),
            (&[""], VisitorScheme::Unreadable),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-proto", value.parse().unwrap());
            }
            assert_eq!(VisitorScheme::of(&headers), wanted, "{values:?}");
        }
    }
}
