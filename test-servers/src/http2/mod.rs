//! HTTP/2 by hand (RFC 9113), for frames that no client sends.

use super::wire::{Socket, Stream};
use super::{Frame, PATIENCE};
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;

/// The preface of every connection, before the first SETTINGS (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection with HTTP/2 by ALPN, for frames by hand.
///
/// ```no_run
/// # async fn attack(attacker: dewar::testing::Browser) {
/// use dewar::testing::Frame;
/// let mut connection = attacker.http2().await.unwrap();
/// connection.send(&[Frame::get(1, "/")]).await.unwrap();
/// let answer = connection.next_of(Frame::HEADERS).await.unwrap();
/// assert_eq!(answer.status(), Some(200));
/// # }
/// ```
pub struct Http2 {
    stream: Box<dyn Stream>,
    heard: Vec<u8>,
}

impl std::fmt::Debug for Http2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http2")
    }
}

impl Http2 {
    /// Sends the preface and these settings: pairs of a number and its value (RFC 9113, 6.5.2).
    pub(crate) async fn open(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        settings: &[(u16, u32)],
    ) -> std::io::Result<Self> {
        Self::beginning(stream, &Self::first(settings, &[])).await
    }

    /// The preface, these settings and these frames.
    pub(crate) fn first(settings: &[(u16, u32)], frames: &[Frame]) -> Vec<u8> {
        let mut first = [PREFACE, &Self::settings(settings).bytes()].concat();
        first.extend(frames.iter().flat_map(Frame::bytes));
        first
    }

    /// A connection with other first bytes.
    pub(crate) async fn beginning(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        first: &[u8],
    ) -> std::io::Result<Self> {
        let mut connection = Self {
            stream: Box::new(stream),
            heard: Vec::new(),
        };
        connection.send_bytes(first).await?;
        Ok(connection)
    }

    pub(super) async fn over(
        Socket(stream): Socket,
        settings: &[(u16, u32)],
    ) -> std::io::Result<Self> {
        Self::open(stream, settings).await
    }

    /// A SETTINGS frame of these pairs of a number and its value.
    #[must_use]
    pub fn settings(settings: &[(u16, u32)]) -> Frame {
        let pairs = settings
            .iter()
            .flat_map(|(number, value)| [&number.to_be_bytes()[..], &value.to_be_bytes()].concat());
        Frame::new(Frame::SETTINGS, 0, 0, pairs.collect::<Vec<u8>>())
    }

    /// Sends frames and reads incoming ones meanwhile, as a client does.
    ///
    /// # Errors
    /// The connection is closed, or the server reads no more for [`PATIENCE`].
    pub async fn send(&mut self, frames: &[Frame]) -> std::io::Result<()> {
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
        self.send_bytes(&bytes).await
    }

    /// As [`send`](Self::send), with bytes that need not be frames.
    ///
    /// # Errors
    /// The connection is closed, or the server reads no more for [`PATIENCE`].
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let (mut reading, mut writing) = split(&mut self.stream);
        let mut sending = pin!(async {
            writing.write_all(bytes).await?;
            writing.flush().await
        });
        loop {
            let step = async {
                tokio::select! {
                    sent = &mut sending => sent.map(|()| None),
                    read = reading.read_buf(&mut self.heard) => read.map(Some),
                }
            };
            match timeout(PATIENCE, step).await?? {
                None => return Ok(()),
                Some(0) => return Err(std::io::ErrorKind::ConnectionReset.into()),
                Some(_) => {}
            }
        }
    }

    /// Sends bytes and reads nothing, as an attacker does. Returns true if all bytes were sent, false if the server reads
    /// no more for `quiet`.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn send_deaf(&mut self, bytes: &[u8], quiet: Duration) -> std::io::Result<bool> {
        let sending = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        timeout(quiet, sending)
            .await
            .map_or(Ok(false), |sent| sent.map(|()| true))
    }

    /// The frames so far, until none comes for a moment.
    pub async fn heard(&mut self) -> Vec<Frame> {
        let moment = Duration::from_millis(1);
        while let Ok(Ok(1..)) = timeout(moment, self.stream.read_buf(&mut self.heard)).await {}
        let mut frames = Vec::new();
        let mut read = 0;
        while let Some((frame, length)) = self.heard.get(read..).and_then(Frame::read) {
            frames.push(frame);
            read += length;
        }
        self.heard.drain(..read);
        frames
    }

    /// The next frame; `None` if the connection is closed.
    ///
    /// # Panics
    /// No frame comes for [`PATIENCE`].
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, length)) = Frame::read(&self.heard) {
                self.heard.drain(..length);
                return Some(frame);
            }
            let reading = timeout(PATIENCE, self.stream.read_buf(&mut self.heard));
            let Ok(read) = reading.await else {
                panic!("no frame came for {PATIENCE:?}, and the connection is open");
            };
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next frame of a type, after those of others; `None` if the connection is closed.
    ///
    /// # Panics
    /// No frame comes for [`PATIENCE`].
    pub async fn next_of(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }
}
