use super::error::Error;
use super::key::mac;
use super::purpose::Purpose;
use super::random::same;
use super::ring::KeyRing;
use data_encoding::BASE64URL_NOPAD;

impl KeyRing {
    /// Signs a payload until a moment, in unix seconds. Anyone can read the result; nobody can change it.
    ///
    /// The result is `<key id>.<base64url of expiry and payload>.<base64url of the HMAC-SHA256>`.
    #[must_use]
    pub fn sign(&self, purpose: Purpose, payload: &[u8], expires_at: i64) -> String {
        let keys = self.keys();
        let key = keys.signing(self.now());
        let id = &key.id;
        let mut claim = expires_at.to_be_bytes().to_vec();
        claim.extend_from_slice(payload);
        let tag = key.with(purpose, |key| mac(&key.sign, &[id.as_bytes(), &claim]));
        format!(
            "{id}.{}.{}",
            BASE64URL_NOPAD.encode(&claim),
            BASE64URL_NOPAD.encode(&tag)
        )
    }

    /// Reads what [`sign`](Self::sign) made, with the key that it names.
    ///
    /// # Errors
    /// The value was changed, signed for another purpose, signed by a key that is not in use, or has expired (it is
    /// invalid from `expires_at` on).
    pub fn verify(&self, purpose: Purpose, token: &str, now: i64) -> Result<Vec<u8>, Error> {
        let keys = self.keys();
        let (id, rest) = token.split_once('.').ok_or(Error::Malformed)?;
        let (claim, tag) = rest.split_once('.').ok_or(Error::Malformed)?;
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes());
        let claim = decode(claim).map_err(|_| Error::Malformed)?;
        let tag = decode(tag).map_err(|_| Error::Malformed)?;
        let key = keys.named(id)?;
        let expected = key.with(purpose, |key| mac(&key.sign, &[id.as_bytes(), &claim]));
        if !same(&expected, &tag) {
            return Err(Error::Tampered);
        }
        let (expires_at, payload) = claim.split_first_chunk::<8>().ok_or(Error::Malformed)?;
        if now >= i64::from_be_bytes(*expires_at) {
            return Err(Error::Expired);
        }
        Ok(payload.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_signature_ends_at_its_moment() {
        let ring = KeyRing::ephemeral();
        let token = ring.sign(Purpose::Link, b"x", 100);
        assert_eq!(ring.verify(Purpose::Link, &token, 99), Ok(b"x".to_vec()));
        assert_eq!(ring.verify(Purpose::Link, &token, 100), Err(Error::Expired));
    }

    #[test]
    fn what_was_tampered_with_is_not_called_expired() {
        let ring = KeyRing::ephemeral();
        let token = ring.sign(Purpose::Link, b"x", 100);
        assert_eq!(
            ring.verify(Purpose::Csrf, &token, 200),
            Err(Error::Tampered)
        );
        assert_eq!(
            KeyRing::ephemeral().verify(Purpose::Link, &token, 0),
            Err(Error::UnknownKey)
        );
        assert_eq!(ring.verify(Purpose::Link, "x", 0), Err(Error::Malformed));
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies(payload: Vec<u8>, now in 0_i64..1_000) {
            let ring = KeyRing::ephemeral();
            let token = ring.sign(Purpose::Link, &payload, 1_000);
            prop_assert_eq!(ring.verify(Purpose::Link, &token, now), Ok(payload));
        }

        #[test]
        fn a_changed_character_is_refused(payload: Vec<u8>, at: prop::sample::Index, to in "[A-Za-z0-9_.=-]") {
            let ring = KeyRing::ephemeral();
            let mut token = ring.sign(Purpose::Link, &payload, 1_000);
            let at = at.index(token.len());
            prop_assume!(token.get(at..=at) != Some(to.as_str()));
            token.replace_range(at..=at, &to);
            prop_assert!(ring.verify(Purpose::Link, &token, 0).is_err());
        }
    }
}
