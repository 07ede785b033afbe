//! The rule by which a bucket lets a page of another origin put a file.

use serde::Deserialize;

use super::super::place::S3Encryption;
use super::S3;
use super::access::Known;
use super::incoming::{CHECKSUM, ENCRYPTION, ENCRYPTION_KEY};
use crate::audit::{Finding, Practice, Severity};

/// The rules of a bucket (CORS).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CorsConfiguration {
    #[serde(rename = "CORSRule")]
    rules: Vec<CorsRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CorsRule {
    #[serde(rename = "AllowedOrigin")]
    origins: Vec<String>,
    #[serde(rename = "AllowedMethod")]
    methods: Vec<String>,
    #[serde(rename = "AllowedHeader")]
    headers: Vec<String>,
}

/// The headers that a browser asks about. It sends the others without a question.
fn asked(encryption: &S3Encryption) -> Vec<&'static str> {
    let mut asked = vec!["content-type", "if-none-match", CHECKSUM];
    match encryption {
        S3Encryption::Bucket => {}
        S3Encryption::Aes256 => asked.push(ENCRYPTION),
        S3Encryption::Kms(_) => asked.extend([ENCRYPTION, ENCRYPTION_KEY]),
    }
    asked
}

impl CorsRule {
    fn lets(&self, origin: &str, asked: &[&str]) -> bool {
        let any = |patterns: &[String], text: &str| {
            let mut patterns = patterns.iter();
            patterns.any(|pattern| fits(&pattern.to_ascii_lowercase(), text))
        };
        any(&self.origins, &origin.to_ascii_lowercase())
            && self.methods.iter().any(|method| method == "PUT")
            && asked.iter().all(|header| any(&self.headers, header))
    }
}

/// A pattern may have one `*`, which stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => {
            text.len() >= before.len() + after.len()
                && text.starts_with(before)
                && text.ends_with(after)
        }
    }
}

impl S3 {
    /// A finding if the bucket lets no page of this origin put a file, as far as it says so.
    pub(in crate::uploads) async fn cors_finding(&self, origin: &str) -> Option<Finding> {
        let none = "NoSuchCORSConfiguration";
        let known = self
            .document::<CorsConfiguration>("cors", none)
            .await
            .ok()?;
        let is_let = match known {
            Known::Unknown => return None,
            Known::None => false,
            Known::Is(cors) => {
                let asked = asked(&self.0.encryption);
                cors.rules.iter().any(|rule| rule.lets(origin, &asked))
            }
        };
        (!is_let).then(|| {
            let title = format!("the bucket `{}` takes no file from the pages of {origin}", self.0.place.bucket);
            Finding::warn(Practice::Uploads, "uploads-s3-cors", title)
                .severity(Severity::Low)
                .why("A browser asks the bucket before it sends a file there (CORS). Until it is let, the application receives every file itself.")
                .fix(format!(
                    "Give the bucket a CORS rule: AllowedOrigin {origin}, AllowedMethod PUT, AllowedHeader content-type, if-none-match and x-amz-*."
                ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_lets_an_origin_put_with_all_headers_or_not_at_all() {
        let lets_with = |encryption: &S3Encryption, rule: &str| {
            let text = format!(
                "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><CORSRule>{rule}</CORSRule></CORSConfiguration>"
            );
            let cors: CorsConfiguration = quick_xml::de::from_str(&text).unwrap();
            cors.rules[0].lets("https://portal.example.org", &asked(encryption))
        };
        let lets = |rule: &str| lets_with(&S3Encryption::Bucket, rule);
        let rule = |origin: &str, method: &str, headers: &[&str]| {
            let headers: String = headers
                .iter()
                .map(|header| format!("<AllowedHeader>{header}</AllowedHeader>"))
                .collect();
            format!(
                "<AllowedOrigin>https://a.example</AllowedOrigin><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>{method}</AllowedMethod>{headers}"
            )
        };
        let ours = "https://portal.example.org";
        let all = ["Content-Type", "if-none-match", "x-amz-*"];
        assert!(lets(&rule(ours, "PUT", &all)));
        assert!(lets(&rule("https://*.example.org", "PUT", &["*"])));
        assert!(lets(&rule("*", "PUT", &["*"])));
        assert!(!lets(&rule("https://other.example.org", "PUT", &all)));
        assert!(!lets(&rule(ours, "GET", &all)));
        assert!(!lets(&rule(ours, "PUT", &["x-amz-*"])));
        assert!(!lets(""));
        // A bucket with encryption needs two more.
        let mut named = vec!["content-type", "if-none-match", CHECKSUM];
        let (aes, kms) = (S3Encryption::Aes256, S3Encryption::Kms("key".into()));
        assert!(lets(&rule(ours, "PUT", &named)));
        assert!(!lets_with(&aes, &rule(ours, "PUT", &named)));
        named.push(ENCRYPTION);
        assert!(lets_with(&aes, &rule(ours, "PUT", &named)));
        assert!(!lets_with(&kms, &rule(ours, "PUT", &named)));
        named.push(ENCRYPTION_KEY);
        assert!(lets_with(&kms, &rule(ours, "PUT", &named)));
        assert!(lets_with(&kms, &rule(ours, "PUT", &all)));
    }
}
