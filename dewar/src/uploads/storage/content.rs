//! The body of a response: exactly the bytes that the row promises, or an error.

use std::io;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncRead, ReadBuf};

use super::{PIECE, Pieces};

/// A body of exactly `length` bytes. With a digest, they are the whole file, and their SHA-256 is compared before the last
/// piece is sent. If a storage sends less, more or something else, the connection ends with an error and not with a short or
/// changed file.
pub(in crate::uploads) fn body(pieces: Pieces, length: u64, sha256: Option<[u8; 32]>) -> Body {
    Body::from_stream(checked(pieces, length, sha256))
}

/// All bytes of a file, for a reader inside the program, under the same conditions.
pub(in crate::uploads) fn reader(
    pieces: Pieces,
    length: u64,
    sha256: [u8; 32],
) -> impl AsyncRead + Unpin + use<> {
    Reader {
        pieces: checked(pieces, length, Some(sha256)),
        rest: Bytes::new(),
    }
}

fn checked(pieces: Pieces, length: u64, sha256: Option<[u8; 32]>) -> Pieces {
    let checked = Checked {
        pieces,
        rest: Bytes::new(),
        left: length,
        digest: sha256.map(|expected| (Context::new(&SHA256), expected)),
    };
    stream::try_unfold(checked, |mut checked| async move {
        let piece = checked.next().await?;
        Ok::<_, io::Error>(piece.map(|piece| (piece, checked)))
    })
    .boxed()
}

struct Reader {
    pieces: Pieces,
    rest: Bytes,
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(self.pieces.poll_next_unpin(context)) {
                None => return Poll::Ready(Ok(())),
                Some(piece) => self.rest = piece?,
            }
        }
        let length = self.rest.len().min(buffer.remaining());
        let piece = self.rest.split_to(length);
        buffer.put_slice(&piece);
        Poll::Ready(Ok(()))
    }
}

struct Checked {
    pieces: Pieces,
    /// The rest of a piece of the storage that was too long.
    rest: Bytes,
    left: u64,
    digest: Option<(Context, [u8; 32])>,
}

impl Checked {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.rest.is_empty() {
            let piece = self.pieces.next().await;
            self.rest = piece.ok_or(io::ErrorKind::UnexpectedEof)??;
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        let Some(left) = self.left.checked_sub(piece.len() as u64) else {
            return Err(changed("the storage sends more bytes than the file has"));
        };
        self.left = left;
        if let Some((digest, _)) = &mut self.digest {
            digest.update(&piece);
        }
        if left == 0
            && let Some((digest, expected)) = self.digest.take()
            && digest.finish().as_ref() != expected
        {
            return Err(changed(
                "the file in the storage is not the one that was stored",
            ));
        }
        Ok(Some(piece))
    }
}

fn changed(what: &'static str) -> io::Error {
    tracing::error!("{what}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn sent(pieces: &[&'static [u8]], length: u64, of: Option<&[u8]>) -> Option<Bytes> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece)))
            .collect();
        let sha256 = of.map(crate::secrets::sha256);
        let body = body(stream::iter(pieces).boxed(), length, sha256);
        body.collect()
            .await
            .ok()
            .map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn a_body_is_whole_or_ends_with_an_error() {
        let whole: &[&[u8]] = &[b"ab", b"", b"c"];
        assert_eq!(sent(whole, 3, None).await.unwrap(), "abc");
        assert_eq!(sent(whole, 3, Some(b"abc")).await.unwrap(), "abc");
        for (length, of) in [(4, None), (1, None), (3, Some(b"abd".as_slice()))] {
            assert_eq!(sent(whole, length, of).await, None, "{length} {of:?}");
        }
    }

    #[tokio::test]
    async fn a_long_piece_of_a_storage_goes_out_in_short_ones() {
        let long = Bytes::from(vec![7; 2 * PIECE + 1]);
        let sha256 = Some(crate::secrets::sha256(&long));
        let pieces = stream::iter([Ok(long)]).boxed();
        let mut body = body(pieces, 2 * PIECE as u64 + 1, sha256);
        for length in [PIECE, PIECE, 1] {
            let piece = body.frame().await.unwrap().unwrap();
            assert_eq!(piece.into_data().unwrap().len(), length);
        }
        assert!(body.frame().await.is_none());
    }

    /// Otherwise a browser would have saved the changed file before the error.
    #[tokio::test]
    async fn the_last_piece_of_a_changed_file_is_not_sent() {
        let pieces = [b"ab", b"cd"].map(|piece| Ok(Bytes::from_static(piece)));
        let sha256 = Some(crate::secrets::sha256(b"abcx"));
        let mut body = body(stream::iter(pieces).boxed(), 4, sha256);
        assert_eq!(
            body.frame().await.unwrap().unwrap().into_data().unwrap(),
            "ab"
        );
        assert!(body.frame().await.unwrap().is_err());
    }
}
