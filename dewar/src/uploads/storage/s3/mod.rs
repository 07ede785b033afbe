//! Files in a bucket of S3, which several nodes may share.
//!
//! An object appears in one step, complete: a small file with one request, a large one in parts that S3 joins at the end. Both
//! requests create and never replace. Nothing here assumes that this process is alone: the rows say which object is a file.

mod access;
mod api;
mod cors;
mod credentials;
mod http;
mod incoming;
mod mark;
mod presign;
mod upload;

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer as _};
use object_store::{
    Attribute, Attributes, BackoffConfig, GetOptions, GetRange, ObjectStore as _,
    ObjectStoreExt as _, RetryConfig,
};
use tokio::sync::Semaphore;

use self::http::Http;
use super::place::{S3Bucket, S3Config, S3Encryption};
use super::{Listed, Pieces};
use crate::audit::{Clock, peer_text};
use crate::uploads::error::Error;
use crate::uploads::id::FileId;

/// The objects of one page.
const PAGE: usize = 1_000;

/// Files that are sent to S3 at once; each has two parts in memory.
const AT_ONCE: usize = 4;

/// A failing request is repeated within this time, if it may be.
const REPEATED: Duration = Duration::from_secs(20);

/// A bucket, and the client for it.
#[derive(Clone, Debug)]
pub(crate) struct S3(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: AmazonS3,
    http: Http,
    place: S3Bucket,
    encryption: S3Encryption,
    /// The address of the bucket, without a slash at its end.
    url: String,
    region: String,
    part_size: usize,
    turns: Semaphore,
    clock: Clock,
}

impl S3 {
    /// Makes no connection.
    ///
    /// # Errors
    /// The credentials or the CA cannot be read, with the reason.
    pub(in crate::uploads) fn open(
        place: &S3Bucket,
        config: &S3Config,
        clock: Clock,
    ) -> Result<Self, String> {
        let http = Http::new(config.ca_file.as_deref())?;
        let region = config.region().ok_or("the region is not set")?.to_owned();
        let endpoint = config.endpoint_url().ok_or("the endpoint is no address")?;
        let retries = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.,
            },
            max_retries: 3,
            retry_timeout: REPEATED,
        };
        let mut builder = AmazonS3Builder::new()
            .with_endpoint(&endpoint)
            // The client itself refuses plain HTTP beyond this machine.
            .with_allow_http(true)
            .with_region(&region)
            .with_bucket_name(&place.bucket)
            .with_checksum_algorithm(Checksum::SHA256)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
            .with_retry(retries)
            .with_http_connector(http.clone());
        builder = match &config.encryption {
            S3Encryption::Bucket => builder,
            S3Encryption::Aes256 => {
                let key = "aws_server_side_encryption".parse::<AmazonS3ConfigKey>();
                builder.with_config(key.map_err(|error| error.to_string())?, "AES256")
            }
            S3Encryption::Kms(key) => builder.with_sse_kms_encryption(key),
        };
        let builder = credentials::with_credentials(builder, config)?;
        let store = builder.build().map_err(|error| peer_text(&error))?;
        Ok(Self(Arc::new(Inner {
            store,
            http,
            url: format!("{endpoint}/{}", place.bucket),
            encryption: config.encryption.clone(),
            place: place.clone(),
            region,
            part_size: usize::try_from(config.part_size).unwrap_or(usize::MAX),
            turns: Semaphore::new(AT_ONCE),
            clock,
        })))
    }

    /// The name of an object below the prefix.
    fn name(&self, rest: &str) -> String {
        if self.0.place.prefix.is_empty() {
            rest.to_owned()
        } else {
            format!("{}/{rest}", self.0.place.prefix)
        }
    }

    /// `kept/01/23456789abcdef…`, as on the disk.
    fn path(&self, id: &FileId) -> Path {
        Path::from(self.name(&format!("kept/{}", id.path().display())))
    }

    pub(in crate::uploads) async fn read(
        &self,
        id: &FileId,
        size: u64,
        part: Range<u64>,
    ) -> Result<Pieces, Error> {
        let range = (part != (0..size)).then(|| GetRange::Bounded(part.clone()));
        let options = GetOptions {
            range,
            ..GetOptions::default()
        };
        let found = self.0.store.get_opts(&self.path(id), options).await;
        let found = found.map_err(failed)?;
        if found.meta.size != size || found.range != part {
            let length = found.meta.size;
            tracing::error!(%id, length, size, "a stored file has another size than its row");
            return Err(Error::Damaged);
        }
        Ok(found.into_stream().map_err(io::Error::from).boxed())
    }

    pub(in crate::uploads) async fn size(&self, id: &FileId) -> Result<Option<u64>, Error> {
        match self.0.store.head(&self.path(id)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    pub(in crate::uploads) async fn remove(&self, id: &FileId) -> Result<(), Error> {
        self.remove_at(&self.path(id)).await
    }

    async fn remove_at(&self, path: &Path) -> Result<(), Error> {
        match self.0.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    pub(in crate::uploads) async fn remove_listed(&self, listed: &Listed) -> Result<(), Error> {
        let name = self.name(&format!("kept/{}", listed.name));
        let path = Path::parse(&name).map_err(|error| Error::Io(io::Error::other(error)))?;
        self.remove_at(&path).await
    }

    pub(in crate::uploads) async fn list(&self, after: Option<&str>) -> Result<Vec<Listed>, Error> {
        self.list_below("kept/", after).await
    }

    async fn list_below(&self, folder: &str, after: Option<&str>) -> Result<Vec<Listed>, Error> {
        let beginning = self.name(folder);
        let options = PaginatedListOptions {
            offset: after.map(|after| format!("{beginning}{after}")),
            max_keys: Some(PAGE),
            ..PaginatedListOptions::default()
        };
        let page = self.0.store.list_paginated(Some(&beginning), options).await;
        let now = self.0.clock.now();
        let mut listed: Vec<Listed> = page
            .map_err(failed)?
            .result
            .objects
            .into_iter()
            .filter_map(|object| {
                let name = object.location.as_ref().strip_prefix(&beginning)?;
                let age = now.saturating_sub(object.last_modified.timestamp());
                Some(Listed {
                    place: name.replacen('/', "", 1),
                    name: name.to_owned(),
                    size: object.size,
                    age: Duration::from_secs(u64::try_from(age).unwrap_or_default()),
                })
            })
            .collect();
        // A server that answers with the same names again, as for the marker of a folder, does not go round for ever.
        listed.retain(|one| after.is_none_or(|after| one.name.as_str() > after));
        listed.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(listed)
    }

    /// The number of files.
    #[cfg(test)]
    pub(in crate::uploads) async fn count(&self) -> usize {
        let prefix = Path::from(self.name("kept"));
        let all: Vec<_> = self
            .0
            .store
            .list(Some(&prefix))
            .try_collect()
            .await
            .unwrap();
        all.len()
    }

    /// The uploads in parts that have not ended.
    #[cfg(test)]
    pub(in crate::uploads) async fn unfinished(&self) -> usize {
        let query = [("uploads", ""), ("prefix", &self.name("kept/"))];
        let page = self.ask(::http::Method::GET, "", &query, api::Signature::Ours);
        let page = page.await.unwrap();
        String::from_utf8_lossy(&page.body)
            .matches("<UploadId>")
            .count()
    }

    /// The address at which a browser gets this file from S3 itself, for this time, as a download under this name.
    pub(in crate::uploads) async fn address(
        &self,
        id: &FileId,
        valid: Duration,
        media_type: &str,
        disposition: &str,
    ) -> Result<String, Error> {
        let options = SignedUrlOptions::new().with_query([
            ("response-content-disposition", disposition),
            ("response-content-type", media_type),
            ("response-cache-control", "private, no-store"),
        ]);
        let path = self.path(id);
        let url = self
            .0
            .store
            .signed_url_opts(::http::Method::GET, &path, valid, &options);
        Ok(url.await.map_err(failed)?.to_string())
    }
}

/// The attributes of every object. Should a bucket ever be public, its objects are still downloads of no kind.
fn attributes() -> Attributes {
    Attributes::from_iter([
        (Attribute::ContentType, "application/octet-stream"),
        (Attribute::ContentDisposition, "attachment"),
        (Attribute::CacheControl, "private, no-store"),
    ])
}

/// The error for the caller. The text of a server is in the log, with its own letters alone.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` passes it by value"
)]
fn failed(error: object_store::Error) -> Error {
    use object_store::Error as Store;
    let text = peer_text(&error);
    match error {
        Store::NotFound { .. } => Error::Damaged,
        Store::AlreadyExists { .. } => io::Error::new(io::ErrorKind::AlreadyExists, text).into(),
        Store::PermissionDenied { .. } | Store::Unauthenticated { .. } => {
            io::Error::new(io::ErrorKind::PermissionDenied, text).into()
        }
        Store::Generic { .. }
        | Store::InvalidPath { .. }
        | Store::JoinError { .. }
        | Store::NotImplemented { .. }
        | Store::NotModified { .. }
        | Store::NotSupported { .. }
        | Store::Precondition { .. }
        | Store::UnknownConfigurationKey { .. }
        | _ => Error::Unavailable(text),
    }
}

/// The header with the region that a bucket is in.
const REGION: &str = "x-amz-bucket-region";
