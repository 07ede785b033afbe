use data_encoding::BASE64URL_NOPAD;
use time::{Date, Month, PrimitiveDateTime, Time};

/// The fields of a certificate that the framework needs and rustls does not expose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFacts {
    /// Unix seconds.
    pub(crate) not_before: i64,
    /// Unix seconds.
    pub(crate) not_after: i64,
    /// The common name of the subject.
    pub(crate) common_name: Option<String>,
}

impl CertificateFacts {
    /// Reads the outer fields of an X.509 certificate in DER (RFC 5280, 4.1).
    ///
    /// rustls and the browser check everything else. Dewar trusts nothing because of the fields that it reads here.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let mut certificate = Der(Der(der).expect(SEQUENCE)?);
        let mut signed = Der(certificate.expect(SEQUENCE)?);
        if signed.peek() == Some(VERSION) {
            signed.next()?;
        }
        signed.expect(INTEGER)?;
        signed.expect(SEQUENCE)?;
        signed.expect(SEQUENCE)?;
        let mut validity = Der(signed.expect(SEQUENCE)?);
        let not_before = instant(validity.next()?)?;
        let not_after = instant(validity.next()?)?;
        let common_name = common_name(signed.expect(SEQUENCE)?);
        Some(Self {
            not_before,
            not_after,
            common_name,
        })
    }
}

/// The ACME identifier of a certificate: its issuer's key identifier and the serial number, each in base64url (RFC
/// 9773, 4.1). `None` if the certificate has no issuer's key identifier.
pub(crate) fn renewal_id(der: &[u8]) -> Option<(String, String)> {
    let mut certificate = Der(Der(der).expect(SEQUENCE)?);
    let mut signed = Der(certificate.expect(SEQUENCE)?);
    if signed.peek() == Some(VERSION) {
        signed.next()?;
    }
    let serial = signed.expect(INTEGER)?;
    // Signature algorithm, issuer, validity, subject and key come before the extensions.
    for _ in 0..5 {
        signed.expect(SEQUENCE)?;
    }
    let mut extensions = loop {
        let (tag, content) = signed.next()?;
        if tag == EXTENSIONS {
            break Der(Der(content).expect(SEQUENCE)?);
        }
    };
    while let Some(extension) = extensions.expect(SEQUENCE) {
        let mut extension = Der(extension);
        if extension.expect(OBJECT)? != AUTHORITY_KEY_IDENTIFIER {
            continue;
        }
        let value = extension.expect(OCTETS)?;
        let key = Der(Der(value).expect(SEQUENCE)?).expect(KEY_IDENTIFIER)?;
        return Some((BASE64URL_NOPAD.encode(key), BASE64URL_NOPAD.encode(serial)));
    }
    None
}

/// Whole days until a certificate ends.
pub(crate) const fn days_left(not_after: i64, now: i64) -> i64 {
    (not_after - now).div_euclid(86_400)
}

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const KEY_IDENTIFIER: u8 = 0x80;
/// 2.5.29.35
const AUTHORITY_KEY_IDENTIFIER: [u8; 3] = [0x55, 0x1d, 0x23];
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// The unread part of a sequence of DER values.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (
                    digits
                        .iter()
                        .fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
                    rest,
                )
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    fn expect(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(tag, _)| *tag == wanted)
            .map(|(_, content)| content)
    }
}

fn common_name(name: &[u8]) -> Option<String> {
    let mut parts = Der(name);
    while let Some(part) = parts.expect(SET) {
        let mut pair = Der(Der(part).expect(SEQUENCE)?);
        if pair.expect(OBJECT)? == COMMON_NAME {
            return String::from_utf8(pair.next()?.1.to_vec()).ok();
        }
    }
    None
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, the only forms that RFC 5280, 4.1.2.5 allows.
fn instant((tag, text): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = text.split_at_checked(match tag {
        UTC_TIME => 2,
        GENERALIZED_TIME => 4,
        _ => return None,
    })?;
    if rest.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year: i32 = year.parse().ok()?;
    let year = match (tag, year) {
        (UTC_TIME, 0..50) => 2000 + year,
        (UTC_TIME, _) => 1900 + year,
        _ => year,
    };
    let two = |from: usize| rest.get(from..from + 2)?.parse::<u8>().ok();
    let date = Date::from_calendar_date(year, Month::try_from(two(0)?).ok()?, two(2)?).ok()?;
    let time = Time::from_hms(two(4)?, two(6)?, two(8)?).ok()?;
    Some(
        PrimitiveDateTime::new(date, time)
            .assume_utc()
            .unix_timestamp(),
    )
}

#[cfg(test)]
mod tests {
    use super::{CertificateFacts, GENERALIZED_TIME, UTC_TIME, instant, renewal_id};
    use time::macros::datetime;

    #[test]
    fn the_dates_and_the_name_are_read() {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = datetime!(2026-11-23 10:20:30 UTC);
        params.not_after = datetime!(2051-01-02 03:04:05 UTC);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::OrganizationName, "Somebody");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "A name");
        let made = params
            .self_signed(&rcgen::KeyPair::generate().unwrap())
            .unwrap();
        let facts = CertificateFacts::read(made.der()).unwrap();
        assert_eq!(
            facts.not_before,
            datetime!(2026-11-23 10:20:30 UTC).unix_timestamp()
        );
        assert_eq!(
            facts.not_after,
            datetime!(2051-01-02 03:04:05 UTC).unix_timestamp()
        );
        assert_eq!(facts.common_name.as_deref(), Some("A name"));
        for end in 0..made.der().len() {
            // A certificate that is cut off anywhere must not cause a panic.
            drop(CertificateFacts::read(&made.der()[..end]));
            drop(renewal_id(&made.der()[..end]));
        }
    }

    #[test]
    fn an_authority_is_told_the_name_of_a_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_identifier_method =
            rcgen::KeyIdMethod::PreSpecified(vec![0x69, 0x88, 0x5b, 0x6b, 0x87]);
        let issuer = rcgen::Issuer::new(params, key);
        let own = rcgen::KeyPair::generate().unwrap();
        let mut leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        leaf.serial_number = Some(rcgen::SerialNumber::from(vec![0x87, 0x65, 0x43, 0x21]));
        assert_eq!(
            renewal_id(leaf.signed_by(&own, &issuer).unwrap().der()),
            None
        );
        leaf.use_authority_key_identifier_extension = true;
        let made = leaf.signed_by(&own, &issuer).unwrap();
        // The serial number of the example in RFC 9773, 4.1: a zero octet keeps it positive.
        let id = renewal_id(made.der()).unwrap();
        assert_eq!(id, ("aYhba4c".to_owned(), "AIdlQyE".to_owned()));
    }

    #[test]
    fn both_spellings_of_time_are_read_and_no_other() {
        let moment = datetime!(2026-11-23 10:20:30 UTC).unix_timestamp();
        assert_eq!(instant((UTC_TIME, b"261123102030Z")), Some(moment));
        assert_eq!(
            instant((GENERALIZED_TIME, b"20261123102030Z")),
            Some(moment)
        );
        for wrong in [
            &b"2611231020Z"[..],
            b"261123102030+0100",
            b"26112310203\xffZ",
            b"261323102030Z",
        ] {
            assert_eq!(instant((UTC_TIME, wrong)), None);
        }
    }
}
