use super::key::mac;
use super::purpose::Purpose;
use super::ring::KeyRing;

impl KeyRing {
    /// The HMAC-SHA256 of some parts under the key that signs now. It covers each part's length, so that parts cannot
    /// run into each other.
    #[must_use]
    pub fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let keys = self.keys();
        keys.signing(self.now())
            .with(purpose, |key| mac(&key.mac, parts))
    }

    /// The [`mac`](Self::mac), and then that under each other key, to compare with a value from before a rotation, or
    /// from a process that knows a newer key. Compare with [`same`](super::same).
    ///
    /// ```
    /// use dewar::secrets::{KeyRing, Purpose, same};
    /// let ring = KeyRing::ephemeral();
    /// let sent = ring.mac(Purpose::Csrf, &[b"session 7"]);
    /// assert!(ring.macs(Purpose::Csrf, &[b"session 7"]).any(|mac| same(&mac, &sent)));
    /// ```
    pub fn macs<'a>(
        &self,
        purpose: Purpose,
        parts: &'a [&'a [u8]],
    ) -> impl Iterator<Item = [u8; 32]> + use<'a> {
        let (keys, now) = (self.keys(), self.now());
        let mut next = 0;
        std::iter::from_fn(move || {
            let signing = keys.signing(now);
            let key = match next {
                0 => signing,
                other => {
                    let mut others = keys.usable().filter(|key| key.id != signing.id);
                    others.nth(other - 1)?
                }
            };
            next += 1;
            Some(key.with(purpose, |key| mac(&key.mac, parts)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let ring = KeyRing::ephemeral();
        let mac = |parts: &[&[u8]]| ring.mac(Purpose::Csrf, parts);
        assert_eq!(mac(&[b"ab", b"c"]), mac(&[b"ab", b"c"]));
        assert_ne!(mac(&[b"ab", b"c"]), mac(&[b"a", b"bc"]));
        assert_ne!(mac(&[b"ab"]), mac(&[b"ab", b""]));
    }

    #[test]
    fn the_key_that_signs_comes_first() {
        let ring = KeyRing::ephemeral();
        let macs: Vec<_> = ring.macs(Purpose::Csrf, &[b"x"]).collect();
        assert_eq!(macs, [ring.mac(Purpose::Csrf, &[b"x"])]);
    }
}
