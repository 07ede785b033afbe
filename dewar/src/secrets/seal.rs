use super::error::Error;
use super::purpose::Purpose;
use super::ring::KeyRing;
use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use data_encoding::BASE64URL_NOPAD;
use zeroize::{Zeroize, Zeroizing};

impl KeyRing {
    /// Seals a text: nobody can read or change it without the key. The context binds it to a place (a user's id, a
    /// column). The result does not contain the context, and [`open`](Self::open) must get the same one.
    ///
    /// The result is `<key id>.<base64url>`: nonce, ciphertext and tag of AES-256-GCM-SIV.
    ///
    /// # Errors
    /// [`Error::Sealing`] if the text is larger than the cipher allows.
    pub fn seal(
        &self,
        purpose: Purpose,
        context: &[u8],
        plaintext: &[u8],
    ) -> Result<String, Error> {
        let keys = self.keys();
        let key = keys.signing(self.now());
        let id = &key.id;
        let mut text = plaintext.to_vec();
        let sealed = key.with(purpose, |subkeys| {
            subkeys
                .seal
                .seal_in_place_append_tag(Aad::from(bound(id, context)), &mut text)
        });
        let nonce = sealed.map_err(|_| {
            text.zeroize();
            Error::Sealing
        })?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.append(&mut text);
        Ok(format!("{id}.{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// Opens what [`seal`](Self::seal) made, with the key that it names.
    ///
    /// # Errors
    /// The value was changed, sealed for another purpose or context, or sealed by a key that is not in use.
    pub fn open(
        &self,
        purpose: Purpose,
        context: &[u8],
        sealed: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let keys = self.keys();
        let (id, encoded) = sealed.split_once('.').ok_or(Error::Malformed)?;
        let bytes = BASE64URL_NOPAD
            .decode(encoded.as_bytes())
            .map_err(|_| Error::Malformed)?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN).ok_or(Error::Malformed)?;
        let key = keys.named(id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Malformed)?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = key.with(purpose, |subkeys| {
            let aad = Aad::from(bound(id, context));
            subkeys
                .seal
                .open_in_place(nonce, aad, &mut text)
                .map(|plain| plain.len())
        });
        text.truncate(length.map_err(|_| Error::Tampered)?);
        Ok(text)
    }
}

/// The associated data: the key's id with its length, then the context.
fn bound(id: &str, context: &[u8]) -> Vec<u8> {
    let mut data = (id.len() as u64).to_be_bytes().to_vec();
    data.extend_from_slice(id.as_bytes());
    data.extend_from_slice(context);
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        let ring = KeyRing::ephemeral();
        let seal = || ring.seal(Purpose::Hidden, b"", b"text").unwrap();
        assert_ne!(seal(), seal());
    }

    #[test]
    fn another_purpose_or_context_or_ring_does_not_open() {
        let ring = KeyRing::ephemeral();
        let sealed = ring.seal(Purpose::Hidden, b"a", b"text").unwrap();
        assert_eq!(
            ring.open(Purpose::Flash, b"a", &sealed),
            Err(Error::Tampered)
        );
        assert_eq!(
            ring.open(Purpose::Hidden, b"b", &sealed),
            Err(Error::Tampered)
        );
        assert_eq!(
            ring.open(Purpose::Application("hidden"), b"a", &sealed),
            Err(Error::Tampered)
        );
        assert_eq!(
            KeyRing::ephemeral().open(Purpose::Hidden, b"a", &sealed),
            Err(Error::UnknownKey)
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(text: Vec<u8>, context: Vec<u8>) {
            let ring = KeyRing::ephemeral();
            let sealed = ring.seal(Purpose::Application("x"), &context, &text).unwrap();
            let opened = ring.open(Purpose::Application("x"), &context, &sealed).unwrap();
            prop_assert_eq!(&*opened, &text);
        }

        #[test]
        fn a_changed_character_does_not_open(text: Vec<u8>, at: prop::sample::Index, to in "[A-Za-z0-9_.=-]") {
            let ring = KeyRing::ephemeral();
            let mut sealed = ring.seal(Purpose::Hidden, b"c", &text).unwrap();
            let at = at.index(sealed.len());
            prop_assume!(sealed.get(at..=at) != Some(to.as_str()));
            sealed.replace_range(at..=at, &to);
            prop_assert!(ring.open(Purpose::Hidden, b"c", &sealed).is_err());
        }

        #[test]
        fn anything_else_is_refused(text in ".*") {
            prop_assert!(KeyRing::ephemeral().open(Purpose::Hidden, b"", &text).is_err());
        }
    }

    #[test]
    fn a_cut_text_is_refused() {
        let ring = KeyRing::ephemeral();
        let sealed = ring.seal(Purpose::Hidden, b"", b"text").unwrap();
        for length in 0..sealed.len() {
            assert!(
                ring.open(Purpose::Hidden, b"", sealed.get(..length).unwrap())
                    .is_err(),
                "{length}"
            );
        }
    }
}
