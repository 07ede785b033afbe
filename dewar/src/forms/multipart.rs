//! Reads `multipart/form-data` as a stream: it holds at most one frame of the body and one part's headers.

use std::borrow::Cow;
use std::mem;

use axum::body::Body;
use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use memchr::memmem::{self, Finder};

use super::disposition::{PartHeader, head};
use super::error::FormRejection;
use crate::https::HeldBody;
use crate::https::media_type::MediaType;

/// The most bytes of a part's headers.
const HEAD: usize = 4 * 1024;

const ENDS_EARLY: &str = "it ends before its last boundary";

/// A body, read part by part.
#[derive(Debug)]
pub(super) struct Multipart {
    body: Body,
    ended: bool,
    /// The bytes of the body that arrived.
    received: u64,
    /// Bytes that were not read yet. As a rule, they are a piece of one frame, in place.
    buffer: Bytes,
    /// `\r\n--boundary`: the delimiter between two parts. It compares many bytes at once, and takes time in proportion to the text,
    /// whatever the text is.
    delimiter: Finder<'static>,
    inside: bool,
    /// Counts the bytes in memory.
    held: Option<HeldBody>,
}

impl Multipart {
    pub(super) fn new(body: Body, boundary: &str) -> Self {
        // The first delimiter has no line break before it. With one added, all delimiters are alike.
        let buffer = Bytes::from_static(b"\r\n");
        let delimiter = format!("\r\n--{boundary}");
        let delimiter = Finder::new(delimiter.as_bytes()).into_owned();
        Self {
            body,
            ended: false,
            received: 0,
            buffer,
            delimiter,
            inside: false,
            held: None,
        }
    }

    /// Counts the bytes in memory for their connection.
    pub(super) fn counted(mut self, held: Option<HeldBody>) -> Self {
        self.held = held;
        self
    }

    /// Counts bytes that left memory.
    pub(super) fn let_go(&self, bytes: u64) {
        if let Some(held) = &self.held {
            held.let_go(bytes);
        }
    }

    /// How many bytes of the body arrived so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The headers of the next part; none at the end. It skips the rest of the part before.
    pub(super) async fn part(&mut self) -> Result<Option<PartHeader>, FormRejection> {
        while self.inside {
            if let Some(passed_over) = self.chunk().await? {
                self.let_go(u64::try_from(passed_over.len()).unwrap_or(u64::MAX));
            }
        }
        self.need(self.delimiter.needle().len() + 2).await?;
        if !self.buffer.starts_with(self.delimiter.needle()) {
            return Err(FormRejection::Malformed(
                "it does not begin with its boundary",
            ));
        }
        self.buffer.advance(self.delimiter.needle().len());
        if self.buffer.starts_with(b"--") {
            self.buffer.advance(2);
            return self.end().await;
        }
        if !self.buffer.starts_with(b"\r\n") {
            return Err(FormRejection::Malformed("a boundary has text behind it"));
        }
        self.buffer.advance(2);
        let block = loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                let block = self.buffer.split_to(end);
                self.buffer.advance(4);
                break block;
            }
            if self.buffer.len() > HEAD {
                return Err(FormRejection::Malformed(
                    "the headers of a part are too long",
                ));
            }
            self.fill().await?;
        };
        if block.len() > HEAD {
            return Err(FormRejection::Malformed(
                "the headers of a part are too long",
            ));
        }
        // In an empty part the delimiter follows at once, and its line break is that of the headers.
        self.inside = true;
        head(&block).map(Some)
    }

    /// The next bytes of the part; none at its end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, FormRejection> {
        while self.inside {
            if let Some(end) = self.delimiter.find(&self.buffer) {
                self.inside = false;
                return Ok((end > 0).then(|| self.buffer.split_to(end)));
            }
            // The end of the buffer may be the beginning of a delimiter.
            let sure = self
                .buffer
                .len()
                .saturating_sub(self.delimiter.needle().len() - 1);
            if sure > 0 {
                let chunk = self.buffer.split_to(sure);
                // As a piece of the frame, these few bytes would keep all of it in memory.
                self.buffer = Bytes::copy_from_slice(&self.buffer);
                return Ok(Some(chunk));
            }
            if let Some(chunk) = self.next_frame().await? {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Takes the next frame in the middle of a part, without a copy of it. If no delimiter begins in the bytes before, they are
    /// the next bytes of the part.
    async fn next_frame(&mut self) -> Result<Option<Bytes>, FormRejection> {
        let Some(frame) = self.frame().await? else {
            return Err(FormRejection::Malformed(ENDS_EARLY));
        };
        let rest_of_delimiter = self.delimiter.needle().len() - 1;
        if let Some((beginning, _)) = frame.split_at_checked(rest_of_delimiter)
            && !self.buffer.is_empty()
            && (self.delimiter)
                .find(&[&*self.buffer, beginning].concat())
                .is_none()
        {
            return Ok(Some(mem::replace(&mut self.buffer, frame)));
        }
        self.append(frame);
        Ok(None)
    }

    /// Only a line break may follow the last boundary.
    async fn end(&mut self) -> Result<Option<PartHeader>, FormRejection> {
        while self.buffer.len() <= 2 && !self.ended {
            self.more().await?;
        }
        match &*self.buffer {
            b"" | b"\r\n" => Ok(None),
            _ => Err(FormRejection::Malformed("text follows its last boundary")),
        }
    }

    async fn need(&mut self, bytes: usize) -> Result<(), FormRejection> {
        while self.buffer.len() < bytes {
            self.fill().await?;
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), FormRejection> {
        self.more().await?;
        if self.ended {
            Err(FormRejection::Malformed(ENDS_EARLY))
        } else {
            Ok(())
        }
    }

    async fn more(&mut self) -> Result<(), FormRejection> {
        if let Some(frame) = self.frame().await? {
            self.append(frame);
        }
        Ok(())
    }

    /// The next frame of the body; none at its end.
    async fn frame(&mut self) -> Result<Option<Bytes>, FormRejection> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(data) = frame.map_err(FormRejection::Body)?.into_data() {
                let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                self.received = self.received.saturating_add(length);
                return Ok(Some(data));
            }
        }
        self.ended = true;
        Ok(None)
    }

    fn append(&mut self, frame: Bytes) {
        self.buffer = if self.buffer.is_empty() {
            frame
        } else {
            [self.buffer.as_ref(), &frame].concat().into()
        };
    }
}

/// The boundary of a content type, if it is one of this kind: 1 to 70 characters of those that RFC 2046 (5.1.1) allows.
pub(super) fn boundary(kind: MediaType<'_>) -> Option<Cow<'_, str>> {
    if !kind.is("multipart/form-data") {
        return None;
    }
    let value = kind.parameter("boundary").ok()??;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    ((1..=70).contains(&value.len()) && value.bytes().all(allowed)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use proptest::prelude::*;

    /// A body in pieces of this size.
    fn body(bytes: &[u8], size: usize) -> Body {
        let pieces: Vec<_> = bytes
            .chunks(size)
            .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
            .collect();
        Body::from_stream(stream::iter(pieces))
    }

    async fn read(bytes: &[u8], size: usize) -> Result<Vec<(PartHeader, Vec<u8>)>, FormRejection> {
        let mut multipart = Multipart::new(body(bytes, size), "b0");
        let mut parts = Vec::new();
        while let Some(head) = multipart.part().await? {
            let mut content = Vec::new();
            while let Some(chunk) = multipart.chunk().await? {
                content.extend_from_slice(&chunk);
            }
            parts.push((head, content));
        }
        Ok(parts)
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn written(parts: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            bytes.extend_from_slice(
                format!("--b0\r\nContent-Disposition: form-data; name=\"f{number}\"\r\n\r\n")
                    .as_bytes(),
            );
            bytes.extend_from_slice(part);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"--b0--\r\n");
        bytes
    }

    #[test]
    fn a_part_that_looks_like_a_boundary_is_read_whole() {
        let parts = [
            b"\r\n--b".to_vec(),
            b"".to_vec(),
            b"--b0".to_vec(),
            b"\r\r\n-".to_vec(),
        ];
        for size in [1, 2, 3, 7, 1000] {
            let back = now(read(&written(&parts), size)).unwrap();
            assert_eq!(
                back.into_iter()
                    .map(|(_, content)| content)
                    .collect::<Vec<_>>(),
                parts
            );
        }
    }

    #[test]
    fn a_body_that_is_not_whole_is_refused() {
        let whole = written(&[b"content".to_vec()]);
        for end in 0..whole.len() - 2 {
            assert!(now(read(&whole[..end], 5)).is_err(), "{end}");
        }
        for wrong in [
            "x--b0--",
            "--b0--x",
            "--b0--\r\nx",
            "--b0x\r\n\r\n\r\n--b0--",
            "--b1--",
        ] {
            assert!(now(read(wrong.as_bytes(), 4)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_without_end_are_refused_before_they_are_all_held() {
        let mut bytes = b"--b0\r\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'a', 1_000_000));
        let mut multipart = Multipart::new(body(&bytes, 1000), "b0");
        assert!(now(multipart.part()).is_err());
        assert!(multipart.buffer.len() < HEAD + 2000);
    }

    #[test]
    fn only_a_boundary_of_the_standard_is_one() {
        let boundary = |text: &str| {
            let value = http::HeaderValue::from_str(text).unwrap();
            boundary(MediaType::of(&value)).map(Cow::into_owned)
        };
        for (text, found) in [
            (
                "multipart/form-data; boundary=----WebKitFormBoundaryAbC",
                "----WebKitFormBoundaryAbC",
            ),
            ("multipart/form-data; boundary=a; charset=utf-8", "a"),
            ("multipart/form-data; charset=x; boundary=\"a\"", "a"),
        ] {
            assert_eq!(boundary(text).as_deref(), Some(found), "{text}");
        }
        assert_eq!(boundary("Multipart/Form-Data;boundary=\"a b\""), None);
        for wrong in [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; charset=a",
        ] {
            assert_eq!(boundary(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn parts_come_back_however_the_body_is_cut(
            parts in prop::collection::vec(prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..60), 0..4),
            size in 1_usize..80,
        ) {
            prop_assume!(!parts.iter().any(|part| memmem::find(part, b"\r\n--b0").is_some() || part.starts_with(b"--b0")));
            let back = now(read(&written(&parts), size)).unwrap();
            prop_assert_eq!(back.into_iter().map(|(_, content)| content).collect::<Vec<_>>(), parts);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), Just(b'0'), any::<u8>()], 0..300)) {
            if let Ok(parts) = now(read(&bytes, 7)) {
                let total: usize = parts.iter().map(|(_, content)| content.len()).sum();
                prop_assert!(total <= bytes.len());
            }
        }
    }
}
