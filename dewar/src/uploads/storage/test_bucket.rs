//! The bucket that the tests of an application use.

use data_encoding::HEXLOWER;

use super::AwsEnvironment;
use crate::secrets::sha256;

/// The settings that store the files of a test there, and its key.
#[derive(Debug)]
pub(crate) struct TestBucket {
    pub(crate) settings: [(&'static str, String); 2],
    pub(crate) key: AwsEnvironment,
}

/// The setting that names the storage.
pub(crate) const STORAGE: &str = "DEWAR_UPLOADS_STORAGE";

/// The place for this name in the bucket for tests, if the environment names a server and this program can use it.
pub(crate) fn bucket_for(name: &str) -> Option<TestBucket> {
    if cfg!(not(feature = "s3")) {
        return None;
    }
    let (url, key) = (variable("TEST_S3_URL")?, variable("TEST_S3_KEY")?);
    let (id, secret) = key.split_once(':')?;
    let hash = HEXLOWER.encode(&sha256(name.as_bytes()));
    let (hash, _) = hash.split_at_checked(16)?;
    let key = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
    Some(TestBucket {
        settings: [
            (STORAGE, format!("s3://dewar/test-{hash}")),
            ("DEWAR_UPLOADS_S3_ENDPOINT", url),
        ],
        key: AwsEnvironment::of(key.into_iter()),
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings yet, and asks for its server"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}
