use http::{HeaderMap, Method, header};

use super::CsrfRejection;

/// The parts of a request that the first check reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a Method,
    /// The host of the request, already checked against the application's list.
    pub(crate) host: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// The origin of a request, from its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The request comes from one of our own pages, or it changes nothing.
    Own,
    /// Both headers are missing and the request would change something. No browser made it, so it needs another proof.
    Unsaid,
}

/// The first check: did this application's own page make the request? No body is read for it.
///
/// # Errors
/// [`CsrfRejection`], with the rule that was broken.
pub(crate) fn judge(call: RequestHead<'_>) -> Result<Origin, CsrfRejection> {
    let site = single(call.headers, "sec-fetch-site")?;
    // Deliberately not `Method::is_safe`: that counts TRACE as safe, and a list that stands here cannot grow elsewhere.
    if matches!(*call.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return isolate(site, call.headers).map(|()| Origin::Own);
    }
    let origin = single(call.headers, header::ORIGIN.as_str())?;
    match site {
        Some("same-origin" | "none") => {}
        Some(_) => return Err(CsrfRejection::OtherSite),
        None if origin.is_none() => return Ok(Origin::Unsaid),
        None => {}
    }
    match origin {
        Some(origin) if !is_own(origin, call.host) => Err(CsrfRejection::OtherOrigin),
        _ => Ok(Origin::Own),
    }
}

/// The check of a connection that stays open, before it is opened (RFC 6455, 10.2; CWE-1385). It is stricter than that of a page:
/// nothing of another site may hold a connection, and a link to it has no use.
///
/// # Errors
/// [`CsrfRejection`], with the rule that was broken.
pub(crate) fn judge_live(call: RequestHead<'_>) -> Result<(), CsrfRejection> {
    if !matches!(
        single(call.headers, "sec-fetch-site")?,
        None | Some("same-origin" | "none")
    ) {
        return Err(CsrfRejection::OtherSite);
    }
    match single(call.headers, header::ORIGIN.as_str())? {
        Some(origin) if !is_own(origin, call.host) => Err(CsrfRejection::OtherOrigin),
        // Browsers send none with a `GET` of their own origin.
        _ => Ok(()),
    }
}

/// The check of a WebSocket's handshake (RFC 6455, 10.2; CWE-1385; ASVS 4.4.2). Every browser sends the origin with it, so a handshake
/// without one is refused as well.
///
/// # Errors
/// [`CsrfRejection`], with the rule that was broken.
pub(crate) fn judge_web_socket(call: RequestHead<'_>) -> Result<(), CsrfRejection> {
    judge_live(call)?;
    match single(call.headers, header::ORIGIN.as_str())? {
        Some(_) => Ok(()),
        None => Err(CsrfRejection::NoOrigin),
    }
}

/// Lets another site only link to a page of ours: no frame, image, script or `fetch` (resource isolation; OWASP
/// *Cross-Site Leaks*; ASVS 3.5.8).
fn isolate(site: Option<&str>, headers: &HeaderMap) -> Result<(), CsrfRejection> {
    if matches!(site, None | Some("same-origin" | "none")) {
        return Ok(());
    }
    let navigates = single(headers, "sec-fetch-mode")? == Some("navigate");
    let on_top = single(headers, "sec-fetch-dest")? == Some("document");
    if navigates && on_top {
        Ok(())
    } else {
        Err(CsrfRejection::OtherSite)
    }
}

/// Whether an origin is that of this host.
pub(crate) fn is_own(origin: &str, host: &str) -> bool {
    let own = host.strip_suffix(":443").unwrap_or(host);
    origin
        .strip_prefix("https://")
        .is_some_and(|claimed| claimed.eq_ignore_ascii_case(own))
}

/// The value of a header that may come once. Two of them are an attempt to be read in two ways.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, CsrfRejection> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(CsrfRejection::Ambiguous);
    }
    first
        .map(|value| value.to_str().map_err(|_| CsrfRejection::Ambiguous))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(site: Option<&'static str>, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    const OWN: Option<&str> = Some("https://localhost:8443");

    /// The rule as a table: every site by every origin for an unsafe method.
    #[test]
    fn an_unsafe_request_passes_only_from_our_own_pages() {
        let sites = [
            None,
            Some("same-origin"),
            Some("none"),
            Some("same-site"),
            Some("cross-site"),
            Some("new-word"),
            Some(""),
        ];
        let origins = [
            None,
            OWN,
            Some("null"),
            Some("https://evil.example"),
            Some("http://localhost:8443"),
            Some("https://localhost"),
            Some("https://localhost:8443.evil.example"),
        ];
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for site in sites {
                for origin in origins {
                    let headers = headers(site, origin);
                    let call = RequestHead {
                        method: &method,
                        host: "localhost:8443",
                        headers: &headers,
                    };
                    let ours = matches!(site, Some("same-origin" | "none"))
                        || site.is_none() && origin.is_some();
                    let wanted = ours && (origin.is_none() || origin == OWN);
                    let judged = judge(call);
                    let passes = judged == Ok(Origin::Own);
                    assert_eq!(passes, wanted, "{method} {site:?} {origin:?}");
                    // Dewar refuses a wrong header at once, on every route.
                    let says_nothing = site.is_none() && origin.is_none();
                    let unsaid = judged == Ok(Origin::Unsaid);
                    assert_eq!(unsaid, says_nothing, "{method} {site:?} {origin:?}");
                }
            }
        }
    }

    #[test]
    fn a_page_may_be_linked_to_but_not_framed_or_fetched() {
        let mut from_afar = headers(Some("cross-site"), None);
        let get = |headers: &HeaderMap| {
            judge(RequestHead {
                method: &Method::GET,
                host: "localhost",
                headers,
            })
        };
        assert!(get(&from_afar).is_err());
        from_afar.insert("sec-fetch-mode", "navigate".parse().unwrap());
        from_afar.insert("sec-fetch-dest", "iframe".parse().unwrap());
        assert!(get(&from_afar).is_err());
        from_afar.insert("sec-fetch-dest", "document".parse().unwrap());
        assert!(get(&from_afar).is_ok());
    }

    #[test]
    fn a_header_sent_twice_is_refused() {
        let mut twice = headers(Some("same-origin"), OWN);
        twice.append("sec-fetch-site", "cross-site".parse().unwrap());
        let call = RequestHead {
            method: &Method::POST,
            host: "localhost:8443",
            headers: &twice,
        };
        assert!(matches!(judge(call), Err(CsrfRejection::Ambiguous)));
    }
}
