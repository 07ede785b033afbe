use data_encoding::BASE64URL_NOPAD;

use crate::secrets::pooled;

const HALF: usize = 32;

/// Masks a MAC so that it looks different on every page: a fresh mask, then the masked MAC. Compressing a page that
/// holds it then reveals nothing (BREACH, CVE-2013-3587). The page shows the mask too, so it comes from the pool.
pub(super) fn mask(mac: &[u8; HALF]) -> String {
    let mask = pooled::<HALF>();
    let mut bytes = Vec::with_capacity(2 * HALF);
    bytes.extend_from_slice(&mask);
    bytes.extend(mac.iter().zip(mask).map(|(mac, mask)| mac ^ mask));
    BASE64URL_NOPAD.encode(&bytes)
}

/// The MAC in a token, or `None` if [`mask`] could not have written it.
pub(super) fn unmask(token: &str) -> Option<[u8; HALF]> {
    let bytes: [u8; 2 * HALF] = BASE64URL_NOPAD
        .decode(token.as_bytes())
        .ok()?
        .try_into()
        .ok()?;
    let (mask, masked) = bytes.split_first_chunk::<HALF>()?;
    let mut mac = [0; HALF];
    for ((byte, masked), mask) in mac.iter_mut().zip(masked).zip(mask) {
        *byte = masked ^ mask;
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_looks_the_same_twice_and_means_the_same() {
        let (one, two) = (mask(&[7; HALF]), mask(&[7; HALF]));
        assert_ne!(one, two);
        assert_eq!(
            (unmask(&one), unmask(&two)),
            (Some([7; HALF]), Some([7; HALF]))
        );
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in [
            "",
            "a",
            "=",
            &"A".repeat(85),
            &"A".repeat(87),
            &"é".repeat(43),
        ] {
            assert_eq!(unmask(text), None, "{text}");
        }
    }
}
