//! Files that browsers send to the bucket themselves, below `incoming/`. Nothing serves them, and the sweep deletes them.

use std::io;

use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{Method, header};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutOptions, PutPayload};
use time::OffsetDateTime;
use url::Url;

use super::super::place::S3Encryption;
use super::presign::Signer;
use super::{S3, attributes, failed};
use crate::uploads::error::Error;
use crate::uploads::id::FileId;
use crate::uploads::storage::{Listed, Pieces};
use crate::uploads::ticket::{PutScope, SignedPut};

/// The folder of the objects.
const INCOMING: &str = "incoming/";

pub(super) const CHECKSUM: &str = "x-amz-checksum-sha256";
pub(super) const ENCRYPTION: &str = "x-amz-server-side-encryption";
pub(super) const ENCRYPTION_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

impl S3 {
    fn incoming_path(&self, id: &FileId) -> Path {
        Path::from(self.name(&format!("{INCOMING}{id}")))
    }

    /// The address at which a browser puts one object: of this size, with this digest, and only if there is none. All of these
    /// headers are signed, so a request with others is refused by the server.
    pub(in crate::uploads) async fn incoming_address(
        &self,
        id: &FileId,
        put: PutScope,
    ) -> Result<SignedPut, Error> {
        let mut headers = vec![
            (
                header::CONTENT_TYPE.as_str(),
                "application/octet-stream".to_owned(),
            ),
            (header::IF_NONE_MATCH.as_str(), "*".to_owned()),
        ];
        headers.extend(put.checksum().map(|checksum| (CHECKSUM, checksum)));
        match &self.0.encryption {
            S3Encryption::Bucket => {}
            S3Encryption::Aes256 => headers.push((ENCRYPTION, "AES256".to_owned())),
            S3Encryption::Kms(key) => {
                headers.push((ENCRYPTION, "aws:kms".to_owned()));
                headers.push((ENCRYPTION_KEY, key.clone()));
            }
        }
        // A browser sets this one itself, and no script can.
        let length = put.size.to_string();
        let mut signed: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        signed.push((header::CONTENT_LENGTH.as_str(), &length));
        let credential = self.0.store.credentials().get_credential().await;
        let credential = credential.map_err(failed)?;
        let now = OffsetDateTime::from_unix_timestamp(self.0.clock.now());
        let signer = Signer {
            credential: &credential,
            region: &self.0.region,
            now: now.map_err(io::Error::other)?,
        };
        let url = Url::parse(&format!("{}/{}", self.0.url, self.incoming_path(id)));
        let url = url.map_err(io::Error::other)?;
        Ok(SignedPut {
            address: signer.address(&Method::PUT, &url, &signed, put.valid),
            headers,
        })
    }

    pub(in crate::uploads) async fn read_incoming(
        &self,
        id: &FileId,
        size: u64,
    ) -> Result<Option<Pieces>, Error> {
        let found = match self.0.store.get(&self.incoming_path(id)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if found.meta.size != size {
            return Ok(None);
        }
        Ok(Some(found.into_stream().map_err(io::Error::from).boxed()))
    }

    pub(in crate::uploads) async fn close_incoming(&self, id: &FileId) -> Result<(), Error> {
        let options = PutOptions {
            attributes: attributes(),
            ..PutOptions::default()
        };
        let (path, empty) = (self.incoming_path(id), PutPayload::new());
        let closed = self.0.store.put_opts(&path, empty, options).await;
        closed.map(drop).map_err(failed)
    }

    #[cfg(test)]
    pub(in crate::uploads) async fn place_incoming(&self, id: &FileId, bytes: &'static [u8]) {
        let (path, bytes) = (self.incoming_path(id), PutPayload::from_static(bytes));
        self.0.store.put(&path, bytes).await.unwrap();
    }

    #[cfg(test)]
    pub(in crate::uploads) async fn begin_incoming(&self, id: &FileId) {
        use object_store::multipart::MultipartStore as _;
        let path = self.incoming_path(id);
        self.0.store.create_multipart(&path).await.unwrap();
    }

    pub(in crate::uploads) async fn remove_incoming(&self, id: &FileId) -> Result<(), Error> {
        self.remove_at(&self.incoming_path(id)).await
    }

    pub(in crate::uploads) async fn list_incoming(
        &self,
        after: Option<&str>,
    ) -> Result<Vec<Listed>, Error> {
        self.list_below(INCOMING, after).await
    }
}
