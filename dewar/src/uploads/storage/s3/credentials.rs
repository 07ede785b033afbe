//! Credentials for S3: a file as the AWS tools write it, or what their variables lead to.

use std::path::Path;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

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
        let key = read(file)?;
        builder = builder
            .with_access_key_id(key.id)
            .with_secret_access_key(key.secret.expose());
        return Ok(match key.token {
            Some(token) => builder.with_token(token.expose()),
            None => builder,
        });
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
