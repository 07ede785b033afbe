use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, Uri, header};

use super::token::TokenSecret;

/// The `Authorization` headers of a request to a route for programs, on their way past the application's layers, which do not
/// see them.
#[derive(Clone, Default)]
pub(crate) struct Authorization(Vec<HeaderValue>);

/// What the headers say.
#[derive(Debug)]
pub(super) enum Presented {
    /// No `Authorization`, or one of another scheme.
    Nothing,
    /// Two headers, or one that cannot be read.
    Malformed,
    /// A text that is no token: a typing mistake, or the token of another service.
    NoToken,
    Token(TokenSecret),
}

impl Authorization {
    /// Takes the headers out of a request.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        match headers.entry(header::AUTHORIZATION) {
            header::Entry::Occupied(found) => Self(found.remove_entry_mult().1.collect()),
            header::Entry::Vacant(_) => Self::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn presented(&self) -> Presented {
        let line = match self.0.as_slice() {
            [] => return Presented::Nothing,
            [line] => line,
            // One reader could take the first, and another one the last.
            _ => return Presented::Malformed,
        };
        let Ok(line) = line.to_str() else {
            return Presented::Malformed;
        };
        let (scheme, token) = line.split_once(' ').unwrap_or((line, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Presented::Nothing;
        }
        match token.trim_matches(' ') {
            "" => Presented::Malformed,
            token => TokenSecret::parse(token).map_or(Presented::NoToken, Presented::Token),
        }
    }
}

/// They hold a secret.
impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authorization([redacted]; {})", self.0.len())
    }
}

/// Whether an address has a token: in its query under the name of RFC 6750, 2.3, as any name or value, or as a part of its path;
/// percent-encoded too.
pub(crate) fn in_address(uri: &Uri) -> bool {
    let is_token = |text: &str| TokenSecret::parse(decoded(text).trim()).is_some();
    let mut parts = uri.path().split('/');
    let mut pairs = uri.query().unwrap_or_default().split('&');
    parts.any(is_token)
        || pairs.any(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            decoded(name).eq_ignore_ascii_case("access_token") || is_token(name) || is_token(value)
        })
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(lines: &[&str]) -> Presented {
        let lines = lines
            .iter()
            .map(|line| HeaderValue::from_str(line).unwrap());
        let mut headers: HeaderMap = lines.map(|line| (header::AUTHORIZATION, line)).collect();
        let taken = Authorization::take(&mut headers);
        assert!(headers.is_empty(), "a layer sees none of it");
        taken.presented()
    }

    #[test]
    fn the_header_has_one_reading() {
        assert!(matches!(presented(&[]), Presented::Nothing));
        assert!(matches!(presented(&["Basic YTpi"]), Presented::Nothing));
        assert!(matches!(presented(&["Bearer"]), Presented::Malformed));
        assert!(matches!(presented(&["Bearer  "]), Presented::Malformed));
        assert!(matches!(presented(&["Bearer ghp_abc"]), Presented::NoToken));
        let twice = ["Bearer a", "Bearer a"];
        assert!(matches!(presented(&twice), Presented::Malformed));
        let text = TokenSecret::new().reveal("dewar");
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let line = format!("{scheme} {}", &*text);
            assert!(
                matches!(presented(&[&line]), Presented::Token(_)),
                "{scheme}"
            );
        }
    }

    #[test]
    fn a_token_in_an_address_is_found_under_any_name_and_in_any_spelling() {
        let text = TokenSecret::new().reveal("dewar");
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for address in [
            "/a?access_token=x",
            "/a?a=1&ACCESS_TOKEN=",
            "/a?%61ccess%5Ftoken=x",
            &format!("/a?key={}", &*text),
            &format!("/a?key={encoded}"),
            &format!("/a?{}", &*text),
            &format!("/a?key=+{}", &*text).replace('+', "%20"),
            &format!("/a/{}", &*text),
            &format!("/a/{encoded}/b"),
        ] {
            assert!(in_address(&address.parse().unwrap()), "{address}");
        }
        for address in [
            "/a",
            "/a?",
            "/a?a=1&b=dewar_x",
            "/dewar_x?token=1",
            "/%ff?%ff=%ff",
        ] {
            assert!(!in_address(&address.parse().unwrap()), "{address}");
        }
    }
}
