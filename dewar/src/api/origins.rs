use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use serde::{Serialize, Serializer};

/// The origins whose scripts may read a route (CORS, Fetch standard): an exact list.
///
/// Dewar never sends `Access-Control-Allow-Credentials`, so a browser sends no cookie along and gives a script no response that
/// belongs to a signed-in person.
///
/// ```
/// use dewar::{App, api::{ApiScope, Origins}, get, pages::Text};
/// #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Scope { TicketsRead }
/// async fn tickets() -> Text { Text::new("[]") }
/// async fn status() -> Text { Text::new("all is well") }
/// fn app(app: App) -> App {
///     app.api(Scope::TicketsRead, [get("/api/tickets", tickets).cors(Origins::of(["https://app.example"]))])
///         .public([get("/api/status", status).cors(Origins::any())])
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Listed);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Listed {
    Any,
    FromSettings,
    Named(Arc<[String]>),
}

impl Origins {
    /// These origins: a scheme, a host and, unless it is the scheme's own, a port. Dewar does not start with a wildcard, `null`, a
    /// path, or plain HTTP beyond this machine.
    #[must_use]
    pub fn of(origins: impl IntoIterator<Item = &'static str>) -> Self {
        Self::named(origins.into_iter().map(str::to_owned))
    }

    /// Every origin, for public reads alone: what everybody may fetch without a browser, every page may read.
    #[must_use]
    pub const fn any() -> Self {
        Self(Listed::Any)
    }

    /// The origins of the setting `api.cors_origins`, for an origin that differs between installations.
    #[must_use]
    pub const fn from_settings() -> Self {
        Self(Listed::FromSettings)
    }

    pub(super) fn named(origins: impl IntoIterator<Item = String>) -> Self {
        Self(Listed::Named(origins.into_iter().collect()))
    }

    /// These origins, with those of the settings in their place.
    pub(crate) fn resolved(&self, of_settings: &Self) -> Self {
        match self.0 {
            Listed::FromSettings => of_settings.clone(),
            Listed::Any | Listed::Named(_) => self.clone(),
        }
    }

    pub(super) fn is_any(&self) -> bool {
        self.0 == Listed::Any
    }

    /// What is wrong with the list, one text for each origin.
    pub(super) fn wrong(&self) -> Vec<String> {
        match &self.0 {
            Listed::Any | Listed::FromSettings => Vec::new(),
            Listed::Named(origins) => parse_all(origins.iter().map(String::as_str)).1,
        }
    }

    /// The value of `Access-Control-Allow-Origin` for a request of this origin. None: it may not read the response.
    pub(super) fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.0 {
            Listed::Any => Some(HeaderValue::from_static("*")),
            Listed::FromSettings => None,
            Listed::Named(origins) => {
                let listed = |listed: &String| origin.as_bytes() == listed.as_bytes();
                origins.iter().any(listed).then(|| origin.clone())
            }
        }
    }
}

/// As the route table shows them.
impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Listed::Any => f.write_str("*"),
            Listed::FromSettings => f.write_str("api.cors_origins"),
            Listed::Named(origins) => f.write_str(&origins.join(",")),
        }
    }
}

impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Listed::Named(origins) => origins.serialize(serializer),
            Listed::Any | Listed::FromSettings => [self.to_string()].serialize(serializer),
        }
    }
}

/// The origins of a list, and what is wrong with the others.
pub(super) fn parse_all<'a>(origins: impl Iterator<Item = &'a str>) -> (Vec<&'a str>, Vec<String>) {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for origin in origins {
        match judge(origin) {
            Ok(()) => right.push(origin),
            Err(why) => wrong.push(format!("`{origin}` {why}")),
        }
    }
    (right, wrong)
}

/// Whether a text is an origin as browsers write it (RFC 6454, 6.2).
fn judge(text: &str) -> Result<(), &'static str> {
    if text.contains('*') {
        return Err("is a pattern: name each origin, or use `Origins::any()` for public reads");
    }
    if text == "null" {
        return Err(
            "is the origin of every sandboxed frame and local file, which anybody can make",
        );
    }
    let uri: Uri = text.parse().map_err(|_| "is no origin")?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err("has no scheme or no host");
    };
    if text != format!("{scheme}://{authority}") {
        return Err("has a path or a query: an origin ends with its host or port");
    }
    if authority.as_str().contains('@') {
        return Err("has a user name");
    }
    if text.contains(char::is_uppercase) {
        return Err("has capital letters, and browsers send small ones");
    }
    let port = match authority.as_str().rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => Some(port),
        Some(_) | None => None,
    };
    let is_default =
        port.is_some_and(|port| matches!((scheme, port), ("https", "443") | ("http", "80")));
    if is_default || port == Some("") || port.is_some_and(|port| port.starts_with('0')) {
        return Err("has a port that browsers do not send");
    }
    match scheme {
        "https" => Ok(()),
        "http" if ["localhost", "127.0.0.1", "[::1]"].contains(&authority.host()) => Ok(()),
        "http" => Err("is plain HTTP: anybody on the way could write its scripts"),
        _ => Err("has a scheme other than https"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for right in [
            "https://app.example",
            "https://app.example:8443",
            "https://[2001:db8::1]:8443",
            "https://192.0.2.7",
            "http://localhost:5173",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert_eq!(judge(right), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "*",
            "https://*.example",
            "null",
            "app.example",
            "https://app.example/",
            "https://app.example/path",
            "https://app.example?x",
            "https://user@app.example",
            "https://App.example",
            "HTTPS://app.example",
            "https://app.example:443",
            "https://app.example:",
            "https://app.example:08443",
            "http://app.example",
            "http://localhost:80",
            "ftp://app.example",
            "https://app.example, https://b.example",
            "https://",
        ] {
            assert!(judge(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_listed_origin_is_allowed_and_no_part_of_one() {
        let origins = Origins::of(["https://app.example"]);
        let allowed = |origin| origins.allowed(&HeaderValue::from_static(origin));
        assert_eq!(
            allowed("https://app.example").unwrap(),
            "https://app.example"
        );
        for other in [
            "https://app.example.evil.example",
            "https://evilapp.example",
            "http://app.example",
            "https://app.example:8443",
            "https://APP.example",
            "null",
            "",
        ] {
            assert_eq!(allowed(other), None, "{other}");
        }
        let any = Origins::any();
        assert_eq!(any.allowed(&HeaderValue::from_static("null")).unwrap(), "*");
        let settings = Origins::from_settings();
        let resolved = settings.resolved(&origins);
        assert_eq!(
            (resolved, settings.to_string().as_str()),
            (origins, "api.cors_origins")
        );
    }
}
