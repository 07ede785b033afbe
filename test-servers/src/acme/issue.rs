//! The certificates that the authority issues, with its mistakes.

use super::{AcmeBooks, AcmeMistake, Office, moment};
use rcgen::{CertificateParams, KeyPair, PublicKeyData, SignatureAlgorithm};

impl Office {
    /// The certificate for the key of this request, in PEM.
    pub(super) fn issue(&self, books: &AcmeBooks, host: &str, request: &[u8]) -> Option<String> {
        let now = (self.clock)();
        let (mut begins, mut ends) = (now - books.backdated, now + books.life);
        let mut name = host;
        match books.mistake {
            AcmeMistake::Nonsense => return Some("no certificate at all".to_owned()),
            AcmeMistake::OtherName => name = "evil.test",
            AcmeMistake::PastItsEnd => {
                begins -= books.life;
                ends = now - 1;
            }
            AcmeMistake::EmptyWindow
            | AcmeMistake::Mute
            | AcmeMistake::None
            | AcmeMistake::OtherKey => {}
        }
        let mut params = CertificateParams::new(vec![name.to_owned()]).ok()?;
        params.not_before = moment(begins)?;
        params.not_after = moment(ends)?;
        params.use_authority_key_identifier_extension = true;
        let certificate = if books.mistake == AcmeMistake::OtherKey {
            self.authority.sign(&params, &KeyPair::generate().ok()?)
        } else {
            self.authority.sign(&params, &Requested::by(request)?)
        };
        Some(certificate.ok()?.pem())
    }
}

/// The public key of a certificate request: a point of P-256.
struct Requested([u8; 65]);

impl Requested {
    /// The bytes before the point in every request for such a key (RFC 5480).
    const BEFORE: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

    fn by(request: &[u8]) -> Option<Self> {
        let length = Self::BEFORE.len();
        let mut windows = request.windows(length);
        let at = windows.position(|bytes| bytes == Self::BEFORE)?;
        let point = request.get(at + length..)?.first_chunk()?;
        Some(Self(*point))
    }
}

impl PublicKeyData for Requested {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}
