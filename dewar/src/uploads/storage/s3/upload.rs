//! A file goes to S3: with one request, or in parts.

use std::io;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::multipart::{MultipartStore as _, PartId};
use object_store::path::Path;
use object_store::{
    MultipartId, ObjectStore as _, PutMode, PutMultipartOptions, PutOptions, PutPayload,
};

use tokio::time::{Instant, timeout, timeout_at};

use super::{S3, attributes, failed};
use crate::uploads::error::Error;
use crate::uploads::id::FileId;
use crate::uploads::storage::{FileBytes, Pieces};

/// Parts of one file that are in memory at once.
const PARTS: usize = 2;

/// How long a failed upload in parts may take to be aborted.
const ABORTED: Duration = Duration::from_secs(30);

impl S3 {
    /// Stores these bytes. They are compared with the digest before S3 makes an object of them. All of it ends within this
    /// time, also the wait for a turn: afterwards a sweep may take the file's row.
    pub(in crate::uploads) async fn put(
        &self,
        id: &FileId,
        pieces: Pieces,
        bytes: FileBytes,
        within: Duration,
    ) -> Result<(), Error> {
        let end = Instant::now() + within;
        let turn = self.0.turns.acquire();
        let _turn = timeout_at(end, turn).await.map_err(|_| too_slow())?;
        let path = self.path(id);
        let parts = Parts {
            pieces,
            rest: Bytes::new(),
            left: bytes.size,
            part_size: self.0.part_size,
            digest: Context::new(&SHA256),
            sha256: bytes.sha256,
        };
        if bytes.size <= self.0.part_size as u64 {
            let stored = timeout_at(end, self.put_whole(&path, parts)).await;
            return stored.unwrap_or_else(|_| Err(too_slow()));
        }
        let options = PutMultipartOptions {
            attributes: attributes(),
            ..PutMultipartOptions::default()
        };
        // An upload that begins after this gave up is aborted by a sweep.
        let upload = self.0.store.create_multipart_opts(&path, options);
        let upload = timeout_at(end, upload).await.map_err(|_| too_slow())?;
        let upload = upload.map_err(failed)?;
        let stored = timeout_at(end, self.put_parts(&path, &upload, parts)).await;
        let stored = stored.unwrap_or_else(|_| Err(too_slow()));
        if stored.is_err() {
            let aborted = self.0.store.abort_multipart(&path, &upload);
            match timeout(ABORTED, aborted).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let error = failed(error);
                    tracing::warn!(%id, %error, "an upload to S3 was not aborted; a sweep aborts it");
                }
                Err(_) => {
                    tracing::warn!(%id, "an upload to S3 was not aborted in time; a sweep aborts it");
                }
            }
        }
        stored
    }

    async fn put_whole(&self, path: &Path, mut parts: Parts) -> Result<(), Error> {
        let whole = parts.next().await?.unwrap_or_default();
        let options = PutOptions {
            mode: PutMode::Create,
            attributes: attributes(),
            ..PutOptions::default()
        };
        let stored = self.0.store.put_opts(path, whole, options).await;
        stored.map(drop).map_err(failed)
    }

    async fn put_parts(
        &self,
        path: &Path,
        upload: &MultipartId,
        parts: Parts,
    ) -> Result<(), Error> {
        let store = &self.0.store;
        let parts = stream::try_unfold(parts, |mut parts| async move {
            Ok::<_, Error>(parts.next().await?.map(|part| (part, parts)))
        });
        let done: Vec<PartId> = parts
            .enumerate()
            .map(|(number, part)| async move {
                let part = store.put_part(path, upload, number, part?);
                part.await.map_err(failed)
            })
            .buffered(PARTS)
            .try_collect()
            .await?;
        let whole = store.complete_multipart(path, upload, done).await;
        whole.map(drop).map_err(failed)
    }
}

fn too_slow() -> Error {
    Error::Unavailable("the storage takes the file too slowly".to_owned())
}

/// The bytes of a file in parts of one size; the last one is what is left.
struct Parts {
    pieces: Pieces,
    rest: Bytes,
    left: u64,
    part_size: usize,
    digest: Context,
    sha256: [u8; 32],
}

impl Parts {
    async fn next(&mut self) -> Result<Option<PutPayload>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let length = usize::try_from(self.left).unwrap_or(usize::MAX);
        let mut missing = length.min(self.part_size);
        let mut part: Vec<Bytes> = Vec::new();
        while missing > 0 {
            if self.rest.is_empty() {
                let piece = self.pieces.next().await;
                self.rest = piece.ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))??;
                continue;
            }
            let piece = self.rest.split_to(self.rest.len().min(missing));
            missing -= piece.len();
            self.left = self.left.saturating_sub(piece.len() as u64);
            self.digest.update(&piece);
            part.push(piece);
        }
        if self.left == 0 {
            self.compare().await?;
        }
        Ok(Some(part.into_iter().collect()))
    }

    /// Before the last part is sent, and so before there is an object.
    async fn compare(&mut self) -> Result<(), Error> {
        let more = !self.rest.is_empty()
            || self
                .pieces
                .try_next()
                .await?
                .is_some_and(|more| !more.is_empty());
        if more || self.digest.clone().finish().as_ref() != self.sha256 {
            tracing::error!("the bytes of a file changed before they reached the storage");
            return Err(Error::Damaged);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pieces: &[&'static [u8]], size: u64, of: &[u8]) -> Parts {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece)))
            .collect();
        Parts {
            pieces: stream::iter(pieces).boxed(),
            rest: Bytes::new(),
            left: size,
            part_size: 4,
            digest: Context::new(&SHA256),
            sha256: crate::secrets::sha256(of),
        }
    }

    #[tokio::test]
    async fn all_parts_but_the_last_have_one_size() {
        let mut parts = parts(&[b"ab", b"cdefg", b"", b"hij"], 10, b"abcdefghij");
        let mut sizes = Vec::new();
        while let Some(part) = parts.next().await.unwrap() {
            sizes.push(part.content_length());
        }
        assert_eq!(sizes, [4, 4, 2]);
    }

    #[tokio::test]
    async fn other_bytes_make_no_last_part() {
        for (pieces, size) in [
            (&[b"abcd".as_slice(), b"e"][..], 6),
            (&[b"abcd", b"efg"], 6),
            (&[b"abcd", b"ef", b"g"], 6),
            (&[b"abcd", b"eX"], 6),
        ] {
            let mut parts = parts(pieces, size, b"abcdef");
            assert!(parts.next().await.unwrap().is_some());
            assert!(parts.next().await.is_err(), "{pieces:?}");
        }
    }
}
