//! The parsers of the CSRF headers and tokens of a request, for `fuzz/`; reached through `forms::fuzzing`.

use super::token::{mask, unmask};
use super::webhook_auth::SignatureScheme;
use http::{HeaderMap, HeaderValue};

/// Parses the signature header of a webhook delivery.
pub(crate) fn signature(text: &str) {
    let Ok(value) = HeaderValue::try_from(text) else {
        return;
    };
    for spelling in [
        SignatureScheme::Dewar,
        SignatureScheme::GitHub,
        SignatureScheme::Stripe,
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(spelling.header(), value.clone());
        let Ok(claim) = spelling.claim(&headers) else {
            continue;
        };
        assert!(!claim.macs.is_empty() && claim.at.is_none_or(|at| text.contains(at)));
        for mac in &claim.macs {
            assert!(text.contains(&data_encoding::HEXLOWER.encode(mac)));
        }
    }
}

/// Unmasks a token as a visitor may send it, then masks and unmasks these 32 bytes.
pub(crate) fn token(text: &str) {
    if let Some(mac) = unmask(text) {
        assert_eq!(text.len(), 86);
        assert_eq!(unmask(&mask(&mac)), Some(mac));
    }
}
