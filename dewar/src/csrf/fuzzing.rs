//! What a visitor's request says for itself, for `fuzz/`; reached through `forms::fuzzing`.

use super::token::{mask, unmask};
use super::webhook::read_signature;

/// The signature of a webhook's delivery.
pub(crate) fn signature(text: &str) {
    if let Some((at, signature)) = read_signature(text) {
        let hex = data_encoding::HEXLOWER.encode(&signature);
        assert!(text.ends_with(&hex) && text.contains(&at.unsigned_abs().to_string()));
    }
}

/// A token, as it comes, and as it is written for these 32 bytes.
pub(crate) fn token(text: &str) {
    if let Some(mac) = unmask(text) {
        assert_eq!(text.len(), 86);
        assert_eq!(unmask(&mask(&mac)), Some(mac));
    }
}
