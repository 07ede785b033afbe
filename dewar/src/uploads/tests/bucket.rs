//! The bucket of the tests: a prefix for each store in that of the server which `with-s3` starts.
//!
//! With it, every test of the room that stores files stores them there.

use data_encoding::HEXLOWER;

use crate::secrets::random;
use crate::uploads::storage::AwsEnvironment;
use crate::uploads::{Config, S3Bucket, StoragePlace};

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no settings yet, and asks for its server"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The address of the server. Without it, the tests use the disk, and those of S3 alone say that they are skipped.
pub(super) fn address() -> Option<String> {
    let address = variable("TEST_S3_URL");
    if address.is_none() {
        let command = "cargo run -p test-servers --features s3 --bin with-s3 -- cargo test …";
        println!("SKIPPED: no server of S3 runs here: {command}");
        assert!(variable("CI").is_none(), "CI runs a server of S3");
    }
    address
}

/// Another bucket of the server.
pub(super) fn named(config: &mut Config, bucket: &str) {
    config.storage = StoragePlace::S3(S3Bucket {
        bucket: bucket.to_owned(),
        prefix: HEXLOWER.encode(&random::<8>()),
    });
}

pub(super) fn use_it(config: &mut Config) {
    let Some(address) = address() else { return };
    named(config, "dewar");
    config.s3.endpoint = Some(address);
    let key = variable("TEST_S3_KEY").unwrap();
    let (id, secret) = key.split_once(':').unwrap();
    with_key(config, id, secret);
}

pub(super) fn with_key(config: &mut Config, id: &str, secret: &str) {
    let key = [("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)];
    config.s3.environment = AwsEnvironment::of(key.into_iter());
}
