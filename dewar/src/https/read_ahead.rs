use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes that are read ahead: two records of TLS.
const MOST: usize = 32 * 1024;

/// A stream below TLS that reads a long body in fewer calls of the system.
///
/// rustls asks for 4 KiB at once, which is a quarter of a record. As soon as a client has sent more than was asked for, the next read
/// takes as much as there is. Short requests never get that far, and have no buffer.
#[derive(Debug)]
pub(super) struct ReadAhead<S> {
    stream: S,
    buffer: Vec<u8>,
    /// The bytes of the buffer that are still to be read, from here to there.
    from: usize,
    to: usize,
    /// The last read took all that was asked for.
    was_filled: bool,
}

impl<S> ReadAhead<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            from: 0,
            to: 0,
            was_filled: false,
        }
    }

    /// Passes bytes on that were read ahead.
    fn pass(&mut self, to: &mut ReadBuf<'_>) {
        let held = self.buffer.get(self.from..self.to).unwrap_or_default();
        let passed = held.get(..to.remaining().min(held.len()));
        let passed = passed.unwrap_or_default();
        to.put_slice(passed);
        self.from += passed.len();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadAhead<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.from < this.to {
            this.pass(buffer);
            return Poll::Ready(Ok(()));
        }
        if !this.was_filled || buffer.remaining() >= MOST {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            this.was_filled = buffer.remaining() == 0 && buffer.filled().len() > before;
            return Poll::Ready(Ok(()));
        }
        this.buffer.resize(MOST, 0);
        let mut ahead = ReadBuf::new(&mut this.buffer);
        let read = Pin::new(&mut this.stream).poll_read(context, &mut ahead);
        let length = ahead.filled().len();
        let Poll::Ready(Ok(())) = read else {
            // A client that pauses has no buffer.
            this.buffer = Vec::new();
            return read;
        };
        (this.from, this.to) = (0, length);
        this.was_filled = length >= buffer.remaining();
        this.pass(buffer);
        if !this.was_filled {
            this.buffer = Vec::new();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadAhead<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    /// A client that sends this many bytes, at most so many at once, and pauses between them.
    struct Client {
        left: usize,
        at_once: usize,
        sent: u8,
        pauses: bool,
        reads: usize,
    }

    impl AsyncRead for Client {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.reads += 1;
            if self.pauses && self.reads.is_multiple_of(3) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let length = buffer.remaining().min(self.left).min(self.at_once);
            for _ in 0..length {
                buffer.put_slice(&[self.sent]);
                self.sent = self.sent.wrapping_add(1);
            }
            self.left -= length;
            Poll::Ready(Ok(()))
        }
    }

    async fn read(bytes: usize, at_once: usize, pauses: bool) -> usize {
        let mut stream = ReadAhead::new(Client {
            left: bytes,
            at_once,
            sent: 0,
            pauses,
            reads: 0,
        });
        let (mut came, mut wanted) = (Vec::new(), [0; 4 * 1024]);
        for asked in [1, 5, 4 * 1024, 3_000].into_iter().cycle() {
            match stream.read(&mut wanted[..asked]).await.unwrap() {
                0 => break,
                read => came.extend_from_slice(&wanted[..read]),
            }
        }
        let right: Vec<u8> = (0..bytes).map(|at| (at % 256) as u8).collect();
        assert!(came == right, "{bytes} {at_once}");
        assert!(stream.buffer.is_empty(), "nothing is held at the end");
        stream.stream.reads
    }

    #[tokio::test]
    async fn all_bytes_come_in_their_order_however_they_are_cut() {
        for bytes in [0, 1, 4_095, 4_096, MOST - 1, MOST, 3 * MOST + 17] {
            for at_once in [1, 100, 4_096, usize::MAX] {
                for pauses in [false, true] {
                    read(bytes, at_once, pauses).await;
                }
            }
        }
    }

    #[tokio::test]
    async fn a_long_body_takes_few_reads_and_a_short_request_no_buffer() {
        assert!(read(100 * MOST, usize::MAX, false).await < 110);
        let mut stream = ReadAhead::new(&b"GET / HTTP/1.1"[..]);
        let mut wanted = [0; 4 * 1024];
        assert_eq!(stream.read(&mut wanted).await.unwrap(), 14);
        assert_eq!(stream.buffer.capacity(), 0);
    }
}
