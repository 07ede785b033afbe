use axum::http::{HeaderMap, HeaderValue, header};

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

/// Whether an address has a token in its query: under the name of RFC 6750, 2.3, or as the value of any name.
pub(crate) fn in_query(query: Option<&str>) -> bool {
    let mut pairs = query.unwrap_or_default().split('&');
    pairs.any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        name.eq_ignore_ascii_case("access_token") || TokenSecret::parse(value).is_some()
    })
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
    fn a_token_in_an_address_is_found_under_any_name() {
        let text = TokenSecret::new().reveal("dewar");
        for query in [
            "access_token=x",
            "a=1&ACCESS_TOKEN=",
            &format!("key={}", &*text),
        ] {
            assert!(in_query(Some(query)), "{query}");
        }
        for query in [None, Some(""), Some("a=1&b=dewar_x"), Some("token=1")] {
            assert!(!in_query(query), "{query:?}");
        }
    }
}
