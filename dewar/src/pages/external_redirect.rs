use std::fmt;
use std::marker::PhantomData;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use url::Url;

use super::{Danger, Error, HandlerOutput, Outputs, Redirect, Sealed};
use crate::https::HttpsOrigin;

/// The longest address that Dewar redirects to.
const LONGEST: usize = 8 * 1024;

/// The other sites that an [`ExternalRedirect`] may lead to: a payment service, an identity provider.
///
/// The list belongs to a type, so the route table has it before the first request. Each entry is an origin, such as
/// `https://pay.example.com`. Anything else refuses the start.
///
/// ```
/// use dewar::pages::ExternalHosts;
/// struct Payment;
/// impl ExternalHosts for Payment {
///     const ORIGINS: &'static [&'static str] = &["https://pay.example.com"];
/// }
/// # let _ = Payment::ORIGINS;
/// ```
pub trait ExternalHosts {
    /// The origins, without a path.
    const ORIGINS: &'static [&'static str];
}

/// Redirects the browser to one of the sites of a list, with `303 See Other`.
///
/// The address can be put together at run time, also from a visitor's text: an address of another site is an error, and the
/// browser stays here (open redirect, CWE-601). [`Redirect`] converts into it, for a handler that returns either.
///
/// ```
/// use dewar::pages::{ExternalHosts, ExternalRedirect, Redirect};
/// struct Payment;
/// impl ExternalHosts for Payment {
///     const ORIGINS: &'static [&'static str] = &["https://pay.example.com"];
/// }
/// async fn pay() -> dewar::Result<ExternalRedirect<Payment>> {
///     let order = "2027-19";
///     Ok(Redirect::external("https://pay.example.com/checkout")?.query("order", order))
/// }
/// assert!(Redirect::external::<Payment>("https://pay.example.com.evil.example/").is_err());
/// # fn mounted(app: dewar::App) -> dewar::App { app.signed_in([dewar::post("/pay", pay)]) }
/// ```
#[must_use = "a redirect does nothing until a handler returns it"]
pub struct ExternalRedirect<H> {
    target: Target,
    hosts: PhantomData<fn() -> H>,
}

#[derive(Debug)]
enum Target {
    External(Box<Url>),
    Local(Redirect),
}

/// The address does not lead to a site of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not lead to a site of the list")]
struct NotListed(String);

impl Redirect {
    /// Redirects to an address of one of the sites that `H` lists.
    ///
    /// # Errors
    /// An internal error if the address leads anywhere else, has a user or a password, or is not HTTPS.
    pub fn external<H: ExternalHosts>(url: impl AsRef<str>) -> Result<ExternalRedirect<H>, Error> {
        ExternalRedirect::to(url)
    }
}

impl<H: ExternalHosts> ExternalRedirect<H> {
    /// Redirects to an address of one of the sites that `H` lists.
    ///
    /// # Errors
    /// As [`Redirect::external`].
    pub fn to(url: impl AsRef<str>) -> Result<Self, Error> {
        let text = url.as_ref();
        match listed(text, H::ORIGINS) {
            Some(url) => Ok(Self {
                target: Target::External(Box::new(url)),
                hosts: PhantomData,
            }),
            None => Err(Error::internal(NotListed(text.chars().take(200).collect()))),
        }
    }

    /// Adds a parameter to the query, escaped.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Target::External(url) = &mut self.target {
            url.query_pairs_mut().append_pair(name, value);
        }
        self
    }
}

/// The address as this function read it, if it leads to one of these origins. Dewar sends this spelling and not the one that
/// came, so no browser reads it in another way.
fn listed(text: &str, origins: &[&str]) -> Option<Url> {
    if text.len() > LONGEST
        || text
            .bytes()
            .any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\')
    {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let has_user = !url.username().is_empty() || url.password().is_some();
    let origin = url.origin().ascii_serialization();
    let mut known = origins
        .iter()
        .filter_map(|origin| HttpsOrigin::parse(origin).ok());
    (url.scheme() == "https" && !has_user && known.any(|known| known.as_str() == origin))
        .then_some(url)
}

impl<H> From<Redirect> for ExternalRedirect<H> {
    fn from(redirect: Redirect) -> Self {
        Self {
            target: Target::Local(redirect),
            hosts: PhantomData,
        }
    }
}

impl<H> fmt::Debug for ExternalRedirect<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)
    }
}

impl<H> IntoResponse for ExternalRedirect<H> {
    fn into_response(self) -> Response {
        let url = match self.target {
            Target::External(url) => url,
            Target::Local(redirect) => return redirect.into_response(),
        };
        let too_long = url.as_str().len() > LONGEST;
        let location = HeaderValue::from_str(url.as_str())
            .ok()
            .filter(|_| !too_long);
        let Some(location) = location else {
            return Error::internal(NotListed("an address that is too long".to_owned()))
                .into_response();
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, location);
        response
    }
}

impl<H: ExternalHosts> HandlerOutput for ExternalRedirect<H> {
    fn dangers(_: Sealed) -> Vec<Danger> {
        Vec::new()
    }

    fn redirects_to(_: Sealed) -> &'static [&'static str] {
        H::ORIGINS
    }

    fn describe(outputs: &mut Outputs, _: Sealed) {
        outputs.add(303, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Payment;

    impl ExternalHosts for Payment {
        const ORIGINS: &'static [&'static str] =
            &["https://pay.example.com", "https://id.example:8443"];
    }

    /// ASVS: V3.7.2, V3.7.3
    #[test]
    fn no_spelling_leads_to_a_site_that_is_not_listed() {
        for (url, sent) in [
            ("https://pay.example.com", "https://pay.example.com/"),
            (
                "https://PAY.example.com/a?b=c#d",
                "https://pay.example.com/a?b=c#d",
            ),
            ("https://pay.example.com:443/a", "https://pay.example.com/a"),
            ("https://id.example:8443/x", "https://id.example:8443/x"),
            ("https:pay.example.com/a", "https://pay.example.com/a"),
        ] {
            let response = Redirect::external::<Payment>(url).unwrap().into_response();
            assert_eq!(response.status(), 303);
            assert_eq!(response.headers()[header::LOCATION], sent);
        }
        for url in [
            "https://evil.example/",
            "https://pay.example.com.evil.example/",
            "https://pay.example.com@evil.example/",
            "https://u:p@pay.example.com/",
            "https://evil.example/https://pay.example.com",
            "https://evil.example#@pay.example.com",
            "https://evil.example\\@pay.example.com",
            "https:/\\pay.example.com/",
            "http://pay.example.com/",
            "//pay.example.com/",
            "https://pay.example.com:8443/",
            "https://id.example/",
            "https://pay.example.com%2eevil.example/",
            "https://pay.example.com./",
            "https://sub.pay.example.com/",
            "https://example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://pay.example.com/\r\nset-cookie: a=b",
            " https://pay.example.com/",
            "/",
            "",
        ] {
            assert!(Redirect::external::<Payment>(url).is_err(), "{url:?}");
        }
        let long = format!("https://pay.example.com/{}", "a".repeat(LONGEST));
        assert!(Redirect::external::<Payment>(long).is_err());
    }

    #[test]
    fn a_parameter_stays_one() {
        let redirect = Redirect::external::<Payment>("https://pay.example.com/a?b=c").unwrap();
        let response = redirect.query("order", "7&admin=1#x").into_response();
        let wanted = "https://pay.example.com/a?b=c&order=7%26admin%3D1%23x";
        assert_eq!(response.headers()[header::LOCATION], wanted);
        let local: ExternalRedirect<Payment> = Redirect::to("/orders").into();
        assert_eq!(local.into_response().headers()[header::LOCATION], "/orders");
    }
}
