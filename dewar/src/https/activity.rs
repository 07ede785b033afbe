use super::frames::Frames;
use http_body::{Body, Frame, SizeHint};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// The activity of a connection, for the timer that ends idle connections.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests that began on this connection.
    pub(crate) requests: AtomicUsize,
    /// Requests without a complete response.
    pub(crate) open: AtomicUsize,
    /// Responses that are being sent.
    pub(crate) sending: AtomicUsize,
    /// Bytes written. Over HTTP/2 only those of responses, because an attacker can cause any number of other bytes.
    pub(crate) written: AtomicU64,
    /// Whether the connection was told to close and nothing is left to read.
    pub(crate) told: AtomicBool,
    /// The frames of the connection, if it is HTTP/2.
    frames: Option<Mutex<Frames>>,
}

impl Activity {
    /// The activity of an HTTP/2 connection.
    pub(crate) fn of_http2() -> Self {
        Self {
            frames: Some(Mutex::default()),
            ..Self::default()
        }
    }

    pub(crate) fn frames(&self) -> Option<MutexGuard<'_, Frames>> {
        let frames = self.frames.as_ref()?;
        Some(frames.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wrote(&self, bytes: &[u8]) {
        let moved = match self.frames() {
            Some(mut frames) => frames.say(bytes),
            None => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        };
        self.written.fetch_add(moved, Ordering::Relaxed);
    }
}

/// Counts a request, and then its response, as open until it is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    activity: Arc<Activity>,
    sending: bool,
}

impl Open {
    pub(crate) fn begin(activity: &Arc<Activity>) -> Self {
        activity.requests.fetch_add(1, Ordering::Relaxed);
        activity.open.fetch_add(1, Ordering::Relaxed);
        Self {
            activity: Arc::clone(activity),
            sending: false,
        }
    }

    pub(crate) fn sending(mut self) -> Self {
        self.sending = true;
        self.activity.sending.fetch_add(1, Ordering::Relaxed);
        self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.activity.open.fetch_sub(1, Ordering::Relaxed);
        if self.sending {
            self.activity.sending.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A response body that keeps its request open until it is sent or abandoned.
#[derive(Debug)]
pub(crate) struct Sending<B> {
    pub(crate) body: B,
    pub(crate) _open: Open,
}

impl<B: Body + Unpin> Body for Sending<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that counts its traffic: hyper has no limit for a client that sends requests and never reads, and none for
/// one that sends frames without requests.
#[derive(Debug)]
pub(crate) struct ActivityStream<S> {
    stream: S,
    activity: Arc<Activity>,
    linger: Duration,
    lingers: Option<Pin<Box<Sleep>>>,
}

impl<S> ActivityStream<S> {
    pub(crate) fn new(stream: S, activity: &Arc<Activity>, linger: Duration) -> Self {
        Self {
            stream,
            activity: Arc::clone(activity),
            linger,
            lingers: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ActivityStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if let Some(mut frames) = self.activity.frames() {
            frames.hear(buffer.filled().get(before..).unwrap_or_default())?;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ActivityStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(frames) = self.activity.frames() {
            frames.may_say([bytes])?;
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        self.activity.wrote(bytes.get(..written).unwrap_or(bytes));
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(frames) = self.activity.frames() {
            frames.may_say(parts.iter().map(|part| &**part))?;
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, parts))?;
        let mut left = written;
        for part in parts {
            let (taken, _) = part.split_at(left.min(part.len()));
            self.activity.wrote(taken);
            left -= taken.len();
        }
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self {
            stream,
            activity,
            linger,
            lingers,
        } = &mut *self;
        let mut stream = Pin::new(stream);
        if lingers.is_none() {
            ready!(stream.as_mut().poll_shutdown(context))?;
            // Over HTTP/2, a frame for each stream tells the client that the rest is not wanted.
            if activity.frames.is_some() || activity.told.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let until = lingers.get_or_insert_with(|| Box::pin(sleep(*linger)));
        let mut unread = [0; 8 * 1024];
        while until.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut unread);
            let read = ready!(stream.as_mut().poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// A client that never reads would look like one that reads if bytes were not counted.
    #[tokio::test]
    async fn what_is_written_is_counted_however_it_is_written() {
        let activity = Arc::new(Activity::default());
        let (near, mut far) = duplex(100);
        let mut counted = ActivityStream::new(near, &activity, Duration::ZERO);
        let written = || activity.written.load(Ordering::Relaxed);
        assert_eq!(counted.write(b"abc").await.unwrap(), 3);
        assert_eq!(written(), 3);
        let parts = [&b"de"[..], b"fgh", b"", b"ij"].map(io::IoSlice::new);
        let more = counted.write_vectored(&parts).await.unwrap();
        assert_eq!(written(), 3 + more as u64);
        drop(counted);
        let mut text = Vec::new();
        far.read_to_end(&mut text).await.unwrap();
        assert_eq!(text, b"abcdefghij".get(..3 + more).unwrap());
    }
}
