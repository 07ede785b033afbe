//! Credentials for S3: a file as the AWS tools write it, or what their variables lead to.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use object_store::CredentialProvider;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential};

use crate::secrets::Secret;
use crate::uploads::storage::place::S3Config;

/// An access key.
#[derive(Debug)]
struct AccessKey {
    id: String,
    secret: Secret<String>,
    token: Option<Secret<String>>,
}

/// Gives the client its credentials.
///
/// # Errors
/// The file cannot be read or has no key, with the reason.
pub(super) fn with_credentials(
    mut builder: AmazonS3Builder,
    config: &S3Config,
) -> Result<AmazonS3Builder, String> {
    if let Some(file) = &config.credentials_file {
        let key = KeyFile::open(file)?;
        return Ok(builder.with_credentials(Arc::new(key)));
    }
    for (variable, key) in [
        ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
        ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
        (
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            AmazonS3ConfigKey::WebIdentityTokenFile,
        ),
        ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
        ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            AmazonS3ConfigKey::ContainerCredentialsFullUri,
        ),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            AmazonS3ConfigKey::ContainerAuthorizationTokenFile,
        ),
    ] {
        if let Some(value) = config.environment.variable(variable) {
            builder = builder.with_config(key, value);
        }
    }
    Ok(builder)
}

/// A file with an access key, which is read again when it changed: a key with a token ends after some hours, and another program
/// writes the next one into the file.
#[derive(Debug)]
struct KeyFile {
    file: PathBuf,
    known: Mutex<KnownKey>,
}

#[derive(Clone, Debug)]
struct KnownKey {
    version: FileVersion,
    key: Arc<AwsCredential>,
}

/// What changes when a file is written or replaced.
type FileVersion = Option<(u64, u64, SystemTime)>;

impl KeyFile {
    fn open(file: &Path) -> Result<Self, String> {
        // The version first: a change between the two is found at the next look.
        let version = version(file);
        let key = Arc::new(credential(read(file)?));
        Ok(Self {
            file: file.to_owned(),
            known: Mutex::new(KnownKey { version, key }),
        })
    }

    fn known(&self) -> MutexGuard<'_, KnownKey> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the file. If the file cannot be read now, the key that is known.
    fn look(&self) -> Arc<AwsCredential> {
        let found = version(&self.file);
        let known = self.known().clone();
        if found == known.version {
            return known.key;
        }
        let key = match read(&self.file) {
            Ok(key) => Arc::new(credential(key)),
            Err(error) => {
                tracing::warn!(error, "a changed file with the key for S3 cannot be used");
                known.key
            }
        };
        *self.known() = KnownKey {
            version: found,
            key: Arc::clone(&key),
        };
        key
    }
}

#[async_trait::async_trait]
impl CredentialProvider for KeyFile {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        Ok(self.look())
    }
}

fn version(file: &Path) -> FileVersion {
    let found = std::fs::metadata(file).ok()?;
    Some((found.ino(), found.len(), found.modified().ok()?))
}

fn credential(key: AccessKey) -> AwsCredential {
    AwsCredential {
        key_id: key.id,
        secret_key: key.secret.expose().clone(),
        token: key.token.map(|token| token.expose().clone()),
    }
}

fn read(file: &Path) -> Result<AccessKey, String> {
    let text = std::fs::read_to_string(file);
    let text = Secret::new(text.map_err(|error| format!("{}: {error}", file.display()))?);
    parse(text.expose()).ok_or_else(|| {
        format!(
            "{} has no lines `aws_access_key_id = …` and `aws_secret_access_key = …`",
            file.display()
        )
    })
}

/// Reads the profile `default`, or lines before any profile.
fn parse(text: &str) -> Option<AccessKey> {
    let (mut id, mut secret, mut token) = (None, None, None);
    let mut is_default = true;
    for line in text.lines().map(str::trim) {
        if let Some(profile) = line.strip_prefix('[') {
            is_default = profile.trim_end_matches(']').trim() == "default";
        }
        let Some((name, value)) = line.split_once('=').filter(|_| is_default) else {
            continue;
        };
        let value = Some(value.trim()).filter(|value| !value.is_empty());
        match name.trim() {
            "aws_access_key_id" => id = value,
            "aws_secret_access_key" => secret = value,
            "aws_session_token" => token = value,
            _ => {}
        }
    }
    let kept = |text: &str| Secret::new(text.to_owned());
    Some(AccessKey {
        id: id?.to_owned(),
        secret: kept(secret?),
        token: token.map(kept),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_the_aws_tools_write_it() {
        let text = "# portal\n[other]\naws_access_key_id=O\naws_secret_access_key=P\n[default]\n\
            aws_access_key_id = A\naws_secret_access_key = B=+/\naws_session_token =\nregion = x\n";
        let key = parse(text).unwrap();
        assert_eq!(
            (key.id.as_str(), key.secret.expose().as_str()),
            ("A", "B=+/")
        );
        assert!(key.token.is_none());
        assert!(!format!("{key:?}").contains("B=+/"));
        let plain = "aws_access_key_id=A\naws_secret_access_key=B\naws_session_token=C";
        assert_eq!(parse(plain).unwrap().token.unwrap().expose(), "C");
    }

    /// A key with a token was read once, so nothing worked after the token had ended.
    #[test]
    fn a_file_that_changed_is_read_again_and_one_that_broke_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s3");
        let write = |id: &str, token: &str| {
            let text = format!(
                "aws_access_key_id={id}\naws_secret_access_key=B\naws_session_token={token}\n"
            );
            // As programs replace a file: another one under its name.
            let new = directory.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, &path).unwrap();
        };
        write("A", "one");
        let file = KeyFile::open(&path).unwrap();
        assert_eq!(file.look().token.as_deref(), Some("one"));
        write("C", "two");
        let found = file.look();
        assert_eq!((&*found.key_id, found.token.as_deref()), ("C", Some("two")));
        write("", "three");
        assert_eq!(file.look().token.as_deref(), Some("two"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(file.look().token.as_deref(), Some("two"));
        write("D", "four");
        assert_eq!(file.look().token.as_deref(), Some("four"));
    }

    #[test]
    fn a_file_without_a_key_is_none() {
        for text in [
            "",
            "A:B",
            "[other]\naws_access_key_id=A\naws_secret_access_key=B",
            "aws_access_key_id=A\naws_secret_access_key=",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }
}
