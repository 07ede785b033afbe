//! Where the files are: the settings `uploads.storage` and `uploads.s3_…`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::super::upload::MIB;
use crate::audit::{Finding, Practice, Section, Severity, owner_only};
use crate::database::{Host, parse_url};
use crate::secrets::Secret;

/// The storage of the files: the setting `uploads.storage`.
///
/// ```
/// use dewar::uploads::StoragePlace;
/// assert_eq!(StoragePlace::parse("disk"), Some(StoragePlace::Disk));
/// assert_eq!(StoragePlace::parse("s3://portal-files/staff").unwrap().to_string(), "s3://portal-files/staff");
/// assert_eq!(StoragePlace::parse("s3://key:secret@portal-files"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoragePlace {
    /// The directory `uploads.directory` of this machine.
    #[default]
    Disk,
    /// A bucket of S3, or of a server with the same protocol, that several nodes share.
    S3(S3Bucket),
}

/// A bucket, and the beginning of the names of all objects in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct S3Bucket {
    /// The name of the bucket.
    pub bucket: String,
    /// The beginning of all names, without a slash at its ends; empty if the bucket holds nothing else.
    pub prefix: String,
}

impl StoragePlace {
    /// Reads `disk`, `s3://bucket` or `s3://bucket/prefix`. It refuses credentials in the address, because many people read
    /// settings and one person reads a file.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "disk" {
            return Some(Self::Disk);
        }
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        (is_bucket(bucket) && is_prefix(prefix)).then(|| {
            Self::S3(S3Bucket {
                bucket: bucket.to_owned(),
                prefix: prefix.to_owned(),
            })
        })
    }
}

impl S3Bucket {
    /// The path below which browsers send files: `bucket/prefix/incoming/`.
    pub(in crate::uploads) fn incoming(&self) -> String {
        let Self { bucket, prefix } = self;
        if prefix.is_empty() {
            format!("{bucket}/incoming/")
        } else {
            format!("{bucket}/{prefix}/incoming/")
        }
    }
}

impl fmt::Display for StoragePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk => f.write_str("disk"),
            Self::S3(place) if place.prefix.is_empty() => write!(f, "s3://{}", place.bucket),
            Self::S3(place) => write!(f, "s3://{}/{}", place.bucket, place.prefix),
        }
    }
}

/// The names that S3 permits; they are part of a host name or of a path.
fn is_bucket(name: &str) -> bool {
    let bytes = name.as_bytes();
    let is_end = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    (3..=63).contains(&bytes.len())
        && is_end(bytes.first())
        && is_end(bytes.last())
        && !name.contains("..")
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
}

/// Names that every server and every tool spells alike.
fn is_prefix(prefix: &str) -> bool {
    prefix.len() <= 200
        && (prefix.is_empty()
            || prefix.split('/').all(|part| {
                !matches!(part, "" | "." | "..")
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
            }))
}

/// How Dewar speaks with S3: the settings `uploads.s3_…`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct S3Config {
    /// The address of the server; without it, that of Amazon in the region.
    pub endpoint: Option<String>,
    /// The region of the bucket.
    pub region: Option<String>,
    /// The file with the keys, in the format of the AWS tools.
    pub credentials_file: Option<PathBuf>,
    /// Whether the machine's own role has access (EC2).
    pub instance_role: bool,
    /// How the server encrypts the objects.
    pub encryption: S3Encryption,
    /// The bytes of one part of a large file; two are in memory at once for each file.
    pub part_size: u64,
    /// The CA of the server's certificate, if you run your own.
    pub ca_file: Option<PathBuf>,
    /// The variables of the AWS tools.
    pub(crate) environment: AwsEnvironment,
}

/// How the server encrypts the objects at rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum S3Encryption {
    /// With the server's own key, AES-256.
    Aes256,
    /// As the bucket is set up. Amazon encrypts every bucket with AES-256 unless told otherwise.
    #[default]
    Bucket,
    /// With this key of the key management service.
    Kms(String),
}

impl S3Encryption {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "bucket" => Some(Self::Bucket),
            "AES256" => Some(Self::Aes256),
            _ => {
                let key = text.strip_prefix("kms:")?;
                let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"-:/_".contains(&byte);
                let named = !key.is_empty() && key.len() <= 2_048 && key.bytes().all(is_key);
                named.then(|| Self::Kms(key.to_owned()))
            }
        }
    }
}

/// The variables by which the AWS tools find credentials and the region.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsEnvironment {
    variables: Vec<(String, Arc<Secret<String>>)>,
}

/// All that Dewar reads; others, such as an address of a server, would change what the settings say.
const VARIABLES: [&str; 10] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

impl AwsEnvironment {
    pub(crate) fn of<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let known = variables.filter(|(name, value)| VARIABLES.contains(name) && !value.is_empty());
        let kept =
            known.map(|(name, value)| (name.to_owned(), Arc::new(Secret::new(value.to_owned()))));
        Self {
            variables: kept.collect(),
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let mut variables = self.variables.iter();
        let (_, value) = variables.find(|(known, _)| known == name)?;
        Some(value.expose().as_str())
    }

    /// Whether the variables lead to credentials.
    fn has_credentials(&self) -> bool {
        self.has_keys()
            || self
                .variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
                .is_some()
            || [
                ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"],
                [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                ],
            ]
            .iter()
            .any(|names| names.iter().all(|name| self.variable(name).is_some()))
    }

    fn has_keys(&self) -> bool {
        self.variable("AWS_ACCESS_KEY_ID").is_some()
            && self.variable("AWS_SECRET_ACCESS_KEY").is_some()
    }
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            credentials_file: None,
            instance_role: false,
            encryption: S3Encryption::default(),
            part_size: 8 * MIB,
            ca_file: None,
            environment: AwsEnvironment::default(),
        }
    }
}

/// Reads `uploads.storage`.
pub(in crate::uploads) fn read_place(section: &Section<'_>) -> StoragePlace {
    let text = section.text("storage", "disk");
    StoragePlace::parse(&text).unwrap_or_else(|| {
        section.refuse(
            "storage",
            "\"disk\", or \"s3://bucket/prefix\" without credentials, with a prefix of letters, digits and -._",
        );
        StoragePlace::Disk
    })
}

/// Reads `uploads.s3_…`.
pub(in crate::uploads) fn read_s3(section: &Section<'_>) -> S3Config {
    let default = S3Config::default();
    let endpoint = section.optional_text("s3_endpoint");
    if endpoint
        .as_deref()
        .is_some_and(|text| endpoint_of(text).is_none())
    {
        section.refuse(
            "s3_endpoint",
            "an address such as \"https://s3.example.org\", without a path or credentials; `http` only on this machine",
        );
    }
    let encryption = section.text("s3_encryption", "bucket");
    let encryption = S3Encryption::parse(&encryption).unwrap_or_else(|| {
        section.refuse(
            "s3_encryption",
            "\"bucket\", \"AES256\" or \"kms:\" and the id of a key",
        );
        S3Encryption::Bucket
    });
    S3Config {
        endpoint,
        region: section.optional_text("s3_region"),
        credentials_file: section.optional_path("s3_credentials_file"),
        instance_role: section.flag("s3_instance_role", false),
        encryption,
        part_size: section.bytes("s3_part_size", default.part_size, 5 * MIB..=512 * MIB),
        ca_file: section.optional_path("s3_ca_file"),
        environment: AwsEnvironment::default(),
    }
}

/// The address of a server. Its requests carry signatures and users' files, so beyond this machine they are encrypted.
fn endpoint_of(text: &str) -> Option<Url> {
    let url = parse_url(text)?;
    let host = Host::named(url.host_str()?);
    let allowed = match url.scheme() {
        "https" => true,
        "http" => host.is_local(),
        _ => false,
    };
    let plain = url.path() == "/" && url.query().is_none() && url.username().is_empty();
    (allowed && plain).then_some(url)
}

impl S3Config {
    /// The region: of the settings, of the environment, or the one that servers beside Amazon's expect.
    pub(in crate::uploads) fn region(&self) -> Option<&str> {
        let region = self.region.as_deref();
        let region = region.or_else(|| self.environment.variable("AWS_REGION"));
        region.or_else(|| self.endpoint.is_some().then_some("us-east-1"))
    }

    /// The address of the server, if the settings name one.
    pub(in crate::uploads) fn endpoint_url(&self) -> Option<String> {
        match &self.endpoint {
            Some(endpoint) => {
                endpoint_of(endpoint)?;
                Some(endpoint.trim_end_matches('/').to_owned())
            }
            None => Some(format!("https://s3.{}.amazonaws.com", self.region()?)),
        }
    }

    /// The findings about the settings of S3.
    fn findings(&self) -> Vec<Finding> {
        let refuse = |id, title: &str| Finding::refuse(Practice::Uploads, id, title.to_owned());
        let mut found = Vec::new();
        if self.region().is_none() {
            found.push(
                refuse("uploads-s3-region", "the region of the bucket is not set")
                    .why("every request to Amazon S3 is signed for one region")
                    .fix("set `uploads.s3_region`, such as \"eu-central-1\""),
            );
        }
        let Some(file) = &self.credentials_file else {
            if self.environment.has_keys() {
                found.push(in_environment());
            } else if !self.environment.has_credentials() && !self.instance_role {
                found.push(
                    refuse("uploads-s3-credentials", "there are no credentials for S3")
                        .why("Dewar could neither store nor serve a file")
                        .fix("name a file with an access key in `uploads.s3_credentials_file`; on EC2 with a role, set `uploads.s3_instance_role`"),
                );
            }
            return found;
        };
        found.extend(owner_only::readable_password(
            (Practice::Uploads, "uploads-s3-credentials-readable"),
            "uploads.s3_credentials_file",
            file,
            "anyone who reads the key can read and delete the files of all users",
        ));
        found
    }
}

fn in_environment() -> Finding {
    Finding::warn(
        Practice::Uploads,
        "uploads-s3-environment",
        "the secret key for S3 is in the environment",
    )
    .severity(Severity::Low)
    .why("Every child process, crash report and reader of /proc can see the environment.")
    .fix("Put the key into a file with mode 0600, and name it in `uploads.s3_credentials_file`.")
    .cwe(526)
    .asvs(&["13.3.1"])
}

/// The findings about the settings of the storage, without any connection.
pub(in crate::uploads) fn findings(place: &StoragePlace, s3: &S3Config) -> Vec<Finding> {
    match place {
        StoragePlace::Disk => Vec::new(),
        StoragePlace::S3(_) if !cfg!(feature = "s3") => {
            let title = "`uploads.storage` names S3, which this program does not include";
            vec![
                Finding::refuse(Practice::Uploads, "uploads-s3-not-built", title)
                    .why("Dewar could neither store nor serve a file")
                    .fix("build it with the feature `s3` of `dewar`, or set `uploads.storage` to \"disk\""),
            ]
        }
        StoragePlace::S3(_) => s3.findings(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Settings;

    fn ids(settings: &[(&str, &str)], environment: &[(&str, &str)]) -> Vec<&'static str> {
        let owned = settings
            .iter()
            .map(|(name, value)| (format!("DEWAR_UPLOADS_{name}"), (*value).to_owned()));
        let settings = Settings::read(None, owned);
        let section = settings.section("uploads");
        let (place, mut s3) = (read_place(&section), read_s3(&section));
        s3.environment = AwsEnvironment::of(environment.iter().copied());
        let mut found = settings.finish();
        if found.is_empty() {
            found = findings(&place, &s3);
        }
        found.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_storage_is_the_disk_or_a_bucket() {
        for text in ["disk", "s3://abc", "s3://my.bucket-1/a/b_c.d"] {
            assert_eq!(StoragePlace::parse(text).unwrap().to_string(), text);
        }
        let slash = StoragePlace::parse("s3://abc/files/").unwrap();
        assert_eq!(slash.to_string(), "s3://abc/files");
        for text in [
            "",
            "Disk",
            "s3:",
            "s3://",
            "s3://ab",
            "s3://Abc",
            "s3://abc-",
            "s3://a..b",
            "s3://key:secret@abc",
            "s3://abc?region=x",
            "s3://abc//a",
            "s3://abc/../x",
            "s3://abc/./x",
            "s3://abc/a b",
            "https://abc",
        ] {
            assert_eq!(StoragePlace::parse(text), None, "{text}");
        }
    }

    /// A signature and a user's file would go over the network in clear.
    ///
    /// ASVS: V12.3.1
    #[test]
    fn a_server_beyond_this_machine_is_reached_by_https_alone() {
        for text in [
            "https://s3.example.org",
            "https://10.0.0.5:9000/",
            "http://localhost:9000",
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
        ] {
            assert!(endpoint_of(text).is_some(), "{text}");
        }
        for text in [
            "http://s3.example.org",
            "http://10.0.0.5:9000",
            "http://localhost.example.org",
            "https://key:secret@s3.example.org",
            "https://key@s3.example.org",
            "https://s3.example.org/bucket",
            "https://s3.example.org/?x=1",
            "ftp://localhost",
            "localhost:9000",
        ] {
            assert!(endpoint_of(text).is_none(), "{text}");
            let found = ids(&[("S3_ENDPOINT", text)], &[]);
            assert_eq!(found, ["settings-value"], "{text}");
        }
    }

    #[test]
    fn encryption_is_that_of_the_bucket_of_the_server_or_of_a_key() {
        let kms = "kms:arn:aws:kms:eu-central-1:111122223333:key/1234-ab";
        for text in ["bucket", "AES256", kms] {
            assert!(S3Encryption::parse(text).is_some(), "{text}");
        }
        for text in ["", "none", "aes256", "kms:", "kms:a b", "kms:a\"b"] {
            assert_eq!(S3Encryption::parse(text), None, "{text}");
        }
    }

    #[cfg(not(feature = "s3"))]
    #[test]
    fn a_storage_that_was_not_built_refuses_the_launch() {
        assert_eq!(
            ids(&[("STORAGE", "s3://abc")], &[]),
            ["uploads-s3-not-built"]
        );
    }

    #[cfg(feature = "s3")]
    #[test]
    fn a_bucket_without_a_region_or_credentials_refuses_the_launch() {
        let storage = ("STORAGE", "s3://abc");
        let region = ("S3_REGION", "eu-central-1");
        let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
        let none = ["uploads-s3-region", "uploads-s3-credentials"];
        assert_eq!(ids(&[storage], &[]), none);
        assert_eq!(
            ids(&[storage, region], &keys[..1]),
            ["uploads-s3-credentials"]
        );
        assert_eq!(ids(&[storage, region], &keys), ["uploads-s3-environment"]);
        let role = ("S3_INSTANCE_ROLE", "true");
        assert_eq!(ids(&[storage, region, role], &[]), Vec::<&str>::new());
        let identity = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ROLE_ARN", "arn"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token"),
        ];
        assert_eq!(ids(&[storage], &identity), Vec::<&str>::new());
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        std::fs::write(&file, "").unwrap();
        let named = ("S3_CREDENTIALS_FILE", file.to_str().unwrap());
        for (mode, found) in [
            (0o644, &["uploads-s3-credentials-readable"][..]),
            (0o600, &[]),
        ] {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(ids(&[storage, region, named], &[]), found, "{mode:o}");
        }
    }
}
