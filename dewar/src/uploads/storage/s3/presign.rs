//! An address with a signature in it (AWS Signature Version 4), for one request with these headers. The crate signs no
//! `content-length`, and without it an address would take an object of any size.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign};
use data_encoding::HEXLOWER;
use http::Method;
use object_store::aws::AwsCredential;
use time::OffsetDateTime;
use url::Url;

use crate::secrets::sha256;

/// Who signs, where and when.
#[derive(Debug)]
pub(super) struct Signer<'a> {
    pub(super) credential: &'a AwsCredential,
    pub(super) region: &'a str,
    pub(super) now: OffsetDateTime,
}

impl Signer<'_> {
    /// The address of a request with this method and these headers, whose names are in lower case. `url` has no query, and its path
    /// no character that is escaped.
    pub(super) fn address(
        &self,
        method: &Method,
        url: &Url,
        headers: &[(&str, &str)],
        valid: Duration,
    ) -> String {
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let mut headers = headers.to_vec();
        headers.push(("host", &host));
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let (day, moment) = self.moment();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let query = self.query(&scope, &moment, valid, &names);
        let asked = format!(
            "{method}\n{}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD",
            url.path()
        );
        let hash = HEXLOWER.encode(&sha256(asked.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hash}");
        let signature = HEXLOWER.encode(self.sign(&day, &text).as_ref());
        format!("{url}?{query}&X-Amz-Signature={signature}")
    }

    /// The names in their order.
    fn query(&self, scope: &str, moment: &str, valid: Duration, names: &str) -> String {
        let credential = format!("{}/{scope}", self.credential.key_id);
        let valid = valid.as_secs().to_string();
        let token = self.credential.token.as_deref();
        let parameters = [
            ("X-Amz-Algorithm", Some("AWS4-HMAC-SHA256")),
            ("X-Amz-Credential", Some(&credential)),
            ("X-Amz-Date", Some(moment)),
            ("X-Amz-Expires", Some(&valid)),
            ("X-Amz-Security-Token", token),
            ("X-Amz-SignedHeaders", Some(names)),
        ];
        let parameters = parameters
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", escaped(value?))));
        parameters.collect::<Vec<_>>().join("&")
    }

    /// `20260527` and `20260527T101500Z`.
    fn moment(&self) -> (String, String) {
        let now = self.now;
        let day = format!(
            "{:04}{:02}{:02}",
            now.year(),
            u8::from(now.month()),
            now.day()
        );
        let moment = format!(
            "{day}T{:02}{:02}{:02}Z",
            now.hour(),
            now.minute(),
            now.second()
        );
        (day, moment)
    }

    fn sign(&self, day: &str, text: &str) -> Tag {
        let secret = format!("AWS4{}", self.credential.secret_key);
        let with = |key: &[u8], text: &str| sign(&Key::new(HMAC_SHA256, key), text.as_bytes());
        let key = with(secret.as_bytes(), day);
        let key = with(key.as_ref(), self.region);
        let key = with(key.as_ref(), "s3");
        let key = with(key.as_ref(), "aws4_request");
        with(key.as_ref(), text)
    }
}

/// All bytes but the unreserved ones of RFC 3986 are escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(credential: &AwsCredential) -> Signer<'_> {
        Signer {
            credential,
            region: "us-east-1",
            now: OffsetDateTime::from_unix_timestamp(1_369_353_600).unwrap(),
        }
    }

    fn credential(token: Option<&str>) -> AwsCredential {
        AwsCredential {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: token.map(str::to_owned),
        }
    }

    /// The example of Amazon's *Authenticating Requests: Using Query Parameters*.
    #[test]
    fn the_example_of_the_specification_has_its_signature() {
        let credential = credential(None);
        let url = Url::parse("https://examplebucket.s3.amazonaws.com/test.txt").unwrap();
        let day = Duration::from_secs(86_400);
        let address = signer(&credential).address(&Method::GET, &url, &[], day);
        assert_eq!(
            address,
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn every_header_and_the_token_are_in_the_signature() {
        let (with, without) = (credential(Some("a/token+")), credential(None));
        let url = Url::parse("https://s3.example.org:9000/bucket/incoming/a").unwrap();
        let minute = Duration::from_secs(60);
        let address = |credential, length| {
            let headers = [("if-none-match", "*"), ("content-length", length)];
            signer(credential).address(&Method::PUT, &url, &headers, minute)
        };
        let first = address(&with, "7");
        assert!(first.contains("&X-Amz-Security-Token=a%2Ftoken%2B&"));
        assert!(first.contains("&X-Amz-SignedHeaders=content-length%3Bhost%3Bif-none-match&"));
        let signature = |address: &str| address.rsplit_once('=').unwrap().1.to_owned();
        for other in [address(&with, "8"), address(&without, "7")] {
            assert_ne!(signature(&first), signature(&other));
        }
    }
}
