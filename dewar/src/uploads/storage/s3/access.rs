//! The checks of a bucket at start: that it is there, that it takes files, and that it is nobody else's to read.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{Method, StatusCode};
use object_store::path::Path;
use object_store::{ObjectStore as _, PutOptions, PutPayload};
use serde::Deserialize;

use super::api::{ApiResponse, Signature};
use super::{REGION, S3, attributes};
use crate::audit::{Finding, Practice, Severity, peer_text};
use crate::uploads::storage::Looking;

/// The object that a request without a signature asks for. It says what it is.
const MARKER: &str = "dewar-marker";
const MARKER_TEXT: &[u8] =
    b"Dewar asks for this object without a signature, to see that the bucket is not public.\n";

/// Documents of S3 about who may read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PolicyStatus {
    is_public: String,
}

/// The four flags, by their names; public access is blocked if all are set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PublicAccessBlock(BTreeMap<String, String>);

impl PublicAccessBlock {
    fn is_whole(&self) -> bool {
        [
            "BlockPublicAcls",
            "BlockPublicPolicy",
            "IgnorePublicAcls",
            "RestrictPublicBuckets",
        ]
        .iter()
        .all(|flag| self.0.get(*flag).is_some_and(|value| is_true(value)))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AccessControlPolicy {
    access_control_list: AccessControlList,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AccessControlList {
    #[serde(rename = "Grant")]
    grants: Vec<Grant>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Grant {
    grantee: Grantee,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Grantee {
    #[serde(rename = "URI")]
    group: String,
}

impl AccessControlPolicy {
    /// Groups of people who are not the bucket's owner; `AuthenticatedUsers` is everybody with an account at Amazon.
    fn is_public(&self) -> bool {
        let grants = self.access_control_list.grants.iter();
        let mut groups = grants.map(|grant| grant.grantee.group.as_str());
        groups.any(|group| group.ends_with("/AllUsers") || group.ends_with("/AuthenticatedUsers"))
    }
}

impl S3 {
    /// The findings about the bucket. The server is asked.
    pub(in crate::uploads) async fn findings(&self, looking: Looking) -> Vec<Finding> {
        let one = [("list-type", "2"), ("max-keys", "1")];
        let listed = self.ask(Method::GET, "", &one, Signature::Ours).await;
        match listed {
            Err(why) => return vec![self.unreachable(&why)],
            Ok(answer) if !answer.status.is_success() => return vec![self.refused(&answer)],
            Ok(_) => {}
        }
        match self.public(looking).await {
            Ok(found) => found,
            Err(why) => vec![self.unreachable(&why)],
        }
    }

    fn title(&self, what: &str) -> String {
        format!("the bucket `{}` {what}", self.0.place.bucket)
    }

    fn unreachable(&self, why: &str) -> Finding {
        let title = format!("cannot reach S3 at {}", self.0.url);
        Finding::refuse(Practice::Uploads, "uploads-s3-unreachable", title)
            .why(why.to_owned())
            .fix("start the server, or correct `uploads.s3_endpoint` or `uploads.s3_ca_file`; then start again")
    }

    /// Why the bucket cannot be listed, with the mistake that leads there.
    fn refused(&self, answer: &ApiResponse) -> Finding {
        let finding = |id, what: &str| {
            Finding::refuse(Practice::Uploads, id, self.title(what)).why(answer.words())
        };
        let region = answer
            .headers
            .get(REGION)
            .and_then(|value| value.to_str().ok());
        let region = region.map(|region| peer_text(&region));
        match (answer.status.as_u16(), answer.code().as_str()) {
            (301 | 307, _) | (_, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                finding("uploads-s3-region", "is in another region").fix(match region {
                    Some(region) => format!("set `uploads.s3_region` to {region:?}"),
                    None => "set `uploads.s3_region` to the region of the bucket".to_owned(),
                })
            }
            (404, _) => finding("uploads-s3-bucket", "does not exist")
                .fix("create the bucket, without public access, or correct its name in `uploads.storage`"),
            (401 | 403, "InvalidAccessKeyId" | "NotSignedUp" | "SignatureDoesNotMatch" | "InvalidToken" | "ExpiredToken") => {
                finding("uploads-s3-credentials", "does not know these credentials")
                    .fix("correct the key in `uploads.s3_credentials_file`")
            }
            (401 | 403, "RequestTimeTooSkewed") => finding("uploads-s3-clock", "sees another time")
                .fix("set the clock of this machine, and keep it with NTP"),
            (401 | 403, _) => finding("uploads-s3-access", "refuses this key")
                .fix("allow the key `s3:ListBucket`, `s3:ListBucketMultipartUploads`, `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject` and `s3:AbortMultipartUpload`"),
            _ => finding("uploads-s3-unreachable", "cannot be listed").fix("fix the cause, and start again"),
        }
    }

    async fn public(&self, looking: Looking) -> Result<Vec<Finding>, String> {
        let (mut open, mut unknown) = (Vec::new(), Vec::new());
        let policy = self
            .document::<PolicyStatus>("policyStatus", "NoSuchBucketPolicy")
            .await?;
        match policy {
            Known::Is(policy) if is_true(&policy.is_public) => {
                open.push("its policy gives access to everybody")
            }
            Known::Is(_) | Known::None => {}
            Known::Unknown => {
                unknown.push("whether its policy is public (`s3:GetBucketPolicyStatus`)")
            }
        }
        let block = self
            .document::<PublicAccessBlock>(
                "publicAccessBlock",
                "NoSuchPublicAccessBlockConfiguration",
            )
            .await?;
        let is_blocked = matches!(&block, Known::Is(block) if block.is_whole());
        if matches!(block, Known::Unknown) {
            unknown.push("whether public access is blocked (`s3:GetBucketPublicAccessBlock`)");
        }
        match self
            .document::<AccessControlPolicy>("acl", "NoSuchBucket")
            .await?
        {
            Known::Is(acl) if acl.is_public() => {
                open.push("its access control list names everybody")
            }
            Known::Is(_) | Known::None => {}
            Known::Unknown => {
                unknown.push("whether its access control list is public (`s3:GetBucketAcl`)")
            }
        }
        let mut found = Vec::new();
        match self.as_stranger("", &[("list-type", "2")]).await? {
            Stranger::Refused => {}
            Stranger::Served => open.push("it lists its objects to a request without a signature"),
            Stranger::Unanswered(why) => found.push(self.is_unanswered(&why)),
        }
        match self.asked_as_anybody(looking).await? {
            Ok(Stranger::Served) => {
                open.push("it gives an object to a request without a signature");
            }
            Ok(Stranger::Unanswered(why)) if found.is_empty() => {
                found.push(self.is_unanswered(&why));
            }
            Ok(Stranger::Refused | Stranger::Unanswered(_)) => {}
            Err(finding) => found.push(finding),
        }
        if !open.is_empty() {
            found.push(self.is_public(&open));
        } else if !unknown.is_empty() && !is_blocked {
            found.push(self.is_unknown(&unknown));
        }
        Ok(found)
    }

    /// Asks for the marker without a signature. What kept the checks from it is a finding.
    async fn asked_as_anybody(
        &self,
        looking: Looking,
    ) -> Result<Result<Stranger, Finding>, String> {
        let name = self.name(MARKER);
        let there = self.ask(Method::HEAD, &name, &[], Signature::Ours).await?;
        if !there.status.is_success() {
            if looking == Looking::AsFound {
                return Ok(Err(self.no_marker()));
            }
            let options = PutOptions {
                attributes: attributes(),
                ..PutOptions::default()
            };
            let text = PutPayload::from_static(MARKER_TEXT);
            let path = Path::from(name.as_str());
            let written = self.0.store.put_opts(&path, text, options);
            if let Err(error) = written.await {
                return Ok(Err(self.takes_nothing(&peer_text(&error))));
            }
        }
        Ok(Ok(self.as_stranger(&name, &[]).await?))
    }

    /// Asks without a signature, and again if the server says that it cannot answer now.
    async fn as_stranger(&self, name: &str, query: &[(&str, &str)]) -> Result<Stranger, String> {
        let mut waits = ASKED_AGAIN_AFTER.iter();
        loop {
            let answer = self.ask(Method::GET, name, query, Signature::None).await?;
            match stranger(answer.status) {
                Some(Answered::Refused) => return Ok(Stranger::Refused),
                Some(Answered::Served) => return Ok(Stranger::Served),
                None => match waits.next() {
                    Some(wait) => tokio::time::sleep(*wait).await,
                    None => return Ok(Stranger::Unanswered(answer.words())),
                },
            }
        }
    }

    /// A document about the bucket. A server that does not have this request, or a key that may not send it, leaves it unknown.
    pub(super) async fn document<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
        none: &str,
    ) -> Result<Known<T>, String> {
        let answer = self
            .ask(Method::GET, "", &[(name, "")], Signature::Ours)
            .await?;
        if answer.status.is_success() {
            return Ok(answer.read().map_or(Known::Unknown, Known::Is));
        }
        Ok(if answer.code() == none {
            Known::None
        } else {
            Known::Unknown
        })
    }

    fn is_public(&self, open: &[&str]) -> Finding {
        let title = self.title("is public");
        Finding::refuse(Practice::Uploads, "uploads-s3-public", title)
            .severity(Severity::Critical)
            .why(format!("Anybody could read the files of all users: {}.", open.join("; ")))
            .fix("Block all public access to the bucket, and remove grants to everybody from its policy and its access control list. Then start again.")
            .cwe(552)
            .asvs(&["8.2.2", "13.4.1"])
    }

    /// The start is refused: whether the bucket is public is not known, and its server has a moment of trouble.
    fn is_unanswered(&self, why: &str) -> Finding {
        let title = self.title("does not answer a request without a signature at the moment");
        Finding::refuse(Practice::Uploads, "uploads-s3-unanswered", title)
            .why(format!(
                "So it is not known whether anybody could read the files of all users. The server said: {why}"
            ))
            .fix("start again when the server answers; if it never does, look at what stands before it")
            .cwe(552)
    }

    fn is_unknown(&self, unknown: &[&str]) -> Finding {
        let title = self.title("does not tell everything about who may read it");
        Finding::warn(Practice::Uploads, "uploads-s3-public-unknown", title)
            .severity(Severity::Low)
            .why(format!(
                "Requests without a signature were refused, but this remains unknown: {}.",
                unknown.join("; ")
            ))
            .fix("Allow the key these requests, or look at the bucket yourself.")
            .cwe(552)
    }

    fn no_marker(&self) -> Finding {
        let title = self.title("was not asked for an object without a signature");
        Finding::warn(Practice::Uploads, "uploads-s3-no-marker", title)
            .severity(Severity::Info)
            .why("The object for this check does not exist yet, and `check` writes nothing.")
            .fix("The first start writes the object and asks for it.")
    }

    fn takes_nothing(&self, why: &str) -> Finding {
        Finding::refuse(
            Practice::Uploads,
            "uploads-s3-access",
            self.title("takes no object"),
        )
        .why(why.to_owned())
        .fix("allow the key `s3:PutObject`, and the use of the key in `uploads.s3_encryption`")
    }
}

/// Servers write both `true` and `TRUE`.
fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// The knowledge about a bucket.
#[derive(Debug)]
pub(super) enum Known<T> {
    Is(T),
    None,
    Unknown,
}

/// The waits before a request without a signature is sent again.
const ASKED_AGAIN_AFTER: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The answer to a request without a signature.
#[derive(Debug)]
enum Stranger {
    Refused,
    Served,
    /// The server had no answer, and said why.
    Unanswered(String),
}

/// A status that is an answer.
#[derive(Debug, PartialEq, Eq)]
enum Answered {
    Refused,
    Served,
}

/// None if the server could not answer at that moment. Everything else that is no refusal counts as served.
fn stranger(status: StatusCode) -> Option<Answered> {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Some(Answered::Refused),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => None,
        status if status.is_server_error() => None,
        _ => Some(Answered::Served),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_answer_now_is_not_a_public_bucket() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert_eq!(stranger(StatusCode::from_u16(status).unwrap()), None);
        }
        for (status, answered) in [
            (401, Answered::Refused),
            (403, Answered::Refused),
            (200, Answered::Served),
            (206, Answered::Served),
            // Only somebody who may list learns that an object is missing.
            (404, Answered::Served),
        ] {
            let found = stranger(StatusCode::from_u16(status).unwrap());
            assert_eq!(found, Some(answered), "{status}");
        }
    }

    #[test]
    fn a_grant_to_everybody_is_public_and_one_to_the_owner_is_not() {
        let read = |grantees: &str| {
            let text = format!(
                "<AccessControlPolicy><Owner><ID>1</ID></Owner><AccessControlList>{grantees}</AccessControlList></AccessControlPolicy>"
            );
            let policy: AccessControlPolicy = quick_xml::de::from_str(&text).unwrap();
            policy.is_public()
        };
        let group = |name: &str| {
            format!(
                "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\"><URI>http://acs.amazonaws.com/groups/global/{name}</URI></Grantee><Permission>READ</Permission></Grant>"
            )
        };
        let owner = "<Grant><Grantee><ID>1</ID><DisplayName>a</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>";
        assert!(!read(""));
        assert!(!read(owner));
        assert!(!read(&group("LogDelivery")));
        assert!(read(&format!("{owner}{}", group("AllUsers"))));
        assert!(read(&group("AuthenticatedUsers")));
    }

    #[test]
    fn a_block_counts_only_as_a_whole() {
        let text = "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>TRUE</IgnorePublicAcls></PublicAccessBlockConfiguration>";
        let read: Result<PublicAccessBlock, _> =
            quick_xml::de::from_str(&text.replace("TRUE", "true"));
        assert!(!read.unwrap().is_whole());
        let text = "<PublicAccessBlockConfiguration xmlns=\"x\"><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>";
        let whole: PublicAccessBlock = quick_xml::de::from_str(text).unwrap();
        assert!(whole.is_whole());
    }
}
