//! The head of an HTTP/1.1 request, before hyper reads it.
//!
//! hyper accepts a bare line feed as the end of a line, ignores a second equal `Content-Length`, and answers unreadable
//! heads by itself, without our headers. So Dewar holds each head until it is complete and checks it against RFC 9112. A
//! head that breaks a rule never reaches hyper. A request of ours replaces it, which Dewar refuses like any other
//! request, and nothing after it on this connection is read.
//!
//! A head that asks for WebSocket is the last one until its response is known (`upgrade`).

use super::rejection::RequestRejection;
use super::upgrade::Upgrade;
use bytes::{Buf, BytesMut};
use http::header::{self, HeaderName};
use http::{Method, Uri};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The request that hyper reads in place of a refused head.
const IN_ITS_PLACE: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n";

/// The host of a head that could not be read. No host has this name (RFC 6761, 6.4).
const NO_HOST: &[u8] = b"host: refused.invalid\r\n";

/// The headers of a refused but readable head that Dewar keeps: its host, and the types and languages that the client
/// reads.
const KEPT: [HeaderName; 3] = [header::HOST, header::ACCEPT, header::ACCEPT_LANGUAGE];

/// More headers than any setting allows; hyper's limit is the same.
const MOST_HEADERS: usize = 100;

/// The request of a connection that was refused before hyper read it, counted from zero, and the reason.
pub(crate) type RefusedHead = Arc<OnceLock<(usize, RequestRejection)>>;

/// A stream that checks each head before hyper reads it.
#[derive(Debug)]
pub(crate) struct Heads<S> {
    stream: S,
    state: HeadState,
    /// The bytes of an incomplete head, and the bytes after it.
    held: BytesMut,
    /// How many of these bytes are scanned.
    seen: usize,
    /// The bytes that hyper may read.
    ready: BytesMut,
    passed: usize,
    refused: RefusedHead,
    upgrade: Upgrade,
    most: usize,
}

#[derive(Debug, Clone, Copy)]
enum HeadState {
    /// The bytes of a body that are still to come.
    Body(u64),
    Head,
    Refused,
    /// The head asks for an upgrade, and its response is not known.
    Upgrade,
}

/// The result of scanning a head.
#[derive(Debug, PartialEq, Eq)]
enum HeadScan {
    /// The head is incomplete.
    Part,
    /// The head ends here and announces a body of this length.
    Whole { head: usize, next: NextBytes },
}

/// The bytes after a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextBytes {
    /// A body of this length.
    Body(u64),
    /// A head, or the frames of a WebSocket: the response decides.
    Upgrade,
}

impl<S> Heads<S> {
    /// Checks heads of at most `most` bytes.
    pub(crate) fn new(stream: S, most: usize, refused: &RefusedHead, upgrade: &Upgrade) -> Self {
        Self {
            stream,
            state: HeadState::Head,
            held: BytesMut::new(),
            seen: 0,
            ready: BytesMut::new(),
            passed: 0,
            refused: Arc::clone(refused),
            upgrade: upgrade.clone(),
            most,
        }
    }

    /// The stream behind a head that was granted its upgrade. None if bytes came before the response: a client that speaks
    /// WebSocket waits for it (RFC 6455, 4.1).
    pub(crate) fn into_upgraded(self) -> Option<S> {
        let is_waiting = matches!(self.state, HeadState::Upgrade);
        let is_read = self.held.is_empty() && self.ready.is_empty();
        (is_waiting && is_read).then_some(self.stream)
    }

    /// The state after these bytes, if hyper may read all of them where they are: the rest of a body, or one whole head and
    /// bytes of its body.
    fn passes(&mut self, came: &[u8]) -> Option<HeadState> {
        match self.state {
            HeadState::Body(left) => fits(came, left),
            HeadState::Head if self.held.is_empty() => {
                let Ok(HeadScan::Whole { head, next }) = look(came, 0, self.most) else {
                    return None;
                };
                let rest = came.get(head..)?;
                let state = match next {
                    NextBytes::Body(length) => fits(rest, length)?,
                    NextBytes::Upgrade if rest.is_empty() => self.ask(),
                    NextBytes::Upgrade => return None,
                };
                self.passed += 1;
                Some(state)
            }
            HeadState::Head | HeadState::Refused | HeadState::Upgrade => None,
        }
    }

    /// Waits for the response to the head that passes now.
    fn ask(&self) -> HeadState {
        self.upgrade.ask(self.passed);
        HeadState::Upgrade
    }

    /// Moves the bytes that hyper may read from `held` to `ready`.
    fn sort(&mut self) {
        match self.state {
            HeadState::Body(left) => {
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let part = self.held.split_to(most.min(self.held.len()));
                self.ready.extend_from_slice(&part);
                self.state = after(left, part.len());
            }
            HeadState::Head => match look(&self.held, self.seen, self.most) {
                Ok(HeadScan::Part) => self.seen = self.held.len(),
                Ok(HeadScan::Whole { head, next }) => {
                    let head = self.held.split_to(head);
                    self.ready.extend_from_slice(&head);
                    self.seen = 0;
                    self.state = match next {
                        NextBytes::Body(length) => after(length, 0),
                        NextBytes::Upgrade => self.ask(),
                    };
                    self.passed += 1;
                }
                Err(refusal) => {
                    self.refused.get_or_init(|| (self.passed, refusal));
                    self.ready.extend_from_slice(IN_ITS_PLACE);
                    match kept(&self.held, refusal) {
                        Some(kept) => self.ready.extend_from_slice(&kept),
                        None => self.ready.extend_from_slice(NO_HOST),
                    }
                    self.ready.extend_from_slice(b"\r\n");
                    self.held.clear();
                    self.state = HeadState::Refused;
                }
            },
            HeadState::Refused | HeadState::Upgrade => {}
        }
    }
}

/// The state after these bytes of a body of which `left` bytes are to come; `None` if there are more.
fn fits(came: &[u8], left: u64) -> Option<HeadState> {
    let fits = u64::try_from(came.len()).is_ok_and(|length| length <= left);
    fits.then(|| after(left, came.len()))
}

fn after(left: u64, read: usize) -> HeadState {
    match left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX)) {
        0 => HeadState::Head,
        left => HeadState::Body(left),
    }
}

/// Checks whether a head is complete, from where the last scan ended.
fn look(held: &[u8], seen: usize, most: usize) -> Result<HeadScan, RequestRejection> {
    // Skips one empty line before a request (RFC 9112, 2.2).
    let empty = if held.starts_with(b"\r\n") { 2 } else { 0 };
    let from = seen.saturating_sub(4).max(empty);
    let unseen = held.get(from..).unwrap_or_default();
    for at in memchr::memchr2_iter(b'\r', b'\n', unseen).map(|at| from + at) {
        let is_return = held.get(at) == Some(&b'\r');
        let is_paired = if is_return {
            held.get(at + 1).is_none_or(|next| *next == b'\n')
        } else {
            at > 0 && held.get(at - 1) == Some(&b'\r')
        };
        if !is_paired {
            return Err(RequestRejection::Malformed("the end of a line"));
        }
        if at >= empty + 3 && held.get(at - 3..=at) == Some(b"\r\n\r\n") {
            let head = at + 1;
            if head > most {
                return Err(RequestRejection::TooManyHeaders);
            }
            let next = read(held.get(empty..head).unwrap_or_default())?;
            return Ok(HeadScan::Whole { head, next });
        }
    }
    if held.len() <= most {
        return Ok(HeadScan::Part);
    }
    // If the first line is too long, the target is.
    let has_line = held
        .iter()
        .take(most)
        .skip(empty)
        .any(|byte| *byte == b'\n');
    Err(if has_line {
        RequestRejection::TooManyHeaders
    } else {
        RequestRejection::TargetTooLong
    })
}

/// What follows a complete head, or the rule that the head breaks. It refuses all that hyper refuses.
fn read(head: &[u8]) -> Result<NextBytes, RequestRejection> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(RequestRejection::Malformed("the head")),
        Err(httparse::Error::TooManyHeaders) => return Err(RequestRejection::TooManyHeaders),
        Err(_) => return Err(RequestRejection::Malformed("the head")),
    }
    let method = request.method.unwrap_or_default();
    Method::from_bytes(method.as_bytes()).map_err(|_| RequestRejection::Malformed("the method"))?;
    let target = request.path.unwrap_or_default();
    if !is_plain(target) {
        Uri::try_from(target).map_err(|_| RequestRejection::Malformed("the target"))?;
    }
    let (mut length, mut coded, mut upgrades) = (None, false, false);
    for line in request.headers.iter() {
        // httparse lets the same bytes pass as `HeaderName` and `HeaderValue`, which would copy them; a test compares them.
        if line.name.len() > LONGEST_NAME {
            return Err(RequestRejection::Malformed("the name of a header"));
        }
        if named(line, &header::CONTENT_LENGTH) {
            let said = digits(line.value).ok_or(RequestRejection::Malformed("a length"))?;
            // Two equal lengths are still two: another reader may use the other one (RFC 9112, 6.3).
            if length.replace(said).is_some() {
                return Err(RequestRejection::Malformed("two lengths"));
            }
        }
        coded |= named(line, &header::TRANSFER_ENCODING);
        upgrades |= named(line, &header::UPGRADE) && line.value.eq_ignore_ascii_case(b"websocket");
    }
    if coded {
        return Err(RequestRejection::LengthRequired);
    }
    let length = length.unwrap_or(0);
    if upgrades && length == 0 && method == "GET" {
        return Ok(NextBytes::Upgrade);
    }
    Ok(NextBytes::Body(length))
}

/// The longest name that [`HeaderName`] takes.
const LONGEST_NAME: usize = 0xffff;

/// The longest target that needs no second look. [`Uri`] takes longer ones.
const PLAIN: usize = 1024;

fn named(line: &httparse::Header<'_>, name: &HeaderName) -> bool {
    line.name.eq_ignore_ascii_case(name.as_str())
}

/// Whether a target is a path of which [`Uri`] takes every byte. Most targets are.
fn is_plain(target: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~?=&%+".contains(&byte);
    target.starts_with('/') && target.len() <= PLAIN && target.bytes().all(is_plain)
}

/// The lines of a refused head that Dewar keeps; `None` if the head has two readings.
fn kept(held: &[u8], refusal: RequestRejection) -> Option<Vec<u8>> {
    // Every line of such a head was parsed before it was refused.
    if !refusal.leaves_lines() {
        return None;
    }
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(held).ok()?;
    let lines = request.headers.iter();
    let lines = lines.filter(|line| KEPT.iter().any(|name| named(line, name)));
    let lines = lines.flat_map(|line| [line.name.as_bytes(), b": ", line.value, b"\r\n"]);
    Some(lines.flatten().copied().collect())
}

fn digits(text: &[u8]) -> Option<u64> {
    let are_digits = (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| are_digits)?;
    text.parse().ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Heads<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.ready.is_empty() {
                let most = self.ready.len().min(buffer.remaining());
                buffer.put_slice(self.ready.get(..most).unwrap_or_default());
                self.ready.advance(most);
                return Poll::Ready(Ok(()));
            }
            if matches!(self.state, HeadState::Refused) {
                // The response ends the connection. Until then nothing more is read, and nobody waits for it.
                return Poll::Pending;
            }
            if matches!(self.state, HeadState::Upgrade) {
                ready!(self.upgrade.poll_http(context));
                self.state = HeadState::Head;
            }
            if self.held.len() > self.seen {
                self.sort();
                continue;
            }
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let came = buffer.filled().get(before..).unwrap_or_default();
            if came.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if let Some(state) = self.passes(came) {
                self.state = state;
                return Poll::Ready(Ok(()));
            }
            self.held.extend_from_slice(came);
            buffer.set_filled(before);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heads<S> {
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
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
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
    use super::*;
    use futures_util::FutureExt;
    use http::HeaderValue;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;

    const GET: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    /// Bytes that arrive in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let most = self.1.min(self.0.len()).min(buffer.remaining());
            let (piece, rest) = self.0.split_at(most);
            buffer.put_slice(piece);
            self.0 = rest;
            Poll::Ready(Ok(()))
        }
    }

    /// The bytes that hyper would read, and the refusal.
    fn passed(bytes: &[u8], size: usize) -> (String, Option<(usize, RequestRejection)>) {
        let refused = RefusedHead::default();
        let mut heads = Heads::new(Pieces(bytes, size), 400, &refused, &Upgrade::default());
        let mut read = Vec::new();
        loop {
            let mut piece = [0; 48];
            match heads.read(&mut piece).now_or_never() {
                Some(Ok(length @ 1..)) => read.extend_from_slice(&piece[..length]),
                Some(_) | None => break,
            }
        }
        let read = String::from_utf8_lossy(&read).into_owned();
        (read, refused.get().copied())
    }

    #[test]
    fn a_head_that_two_readers_could_read_differently_is_refused() {
        let with =
            |lines: &str| format!("POST / HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n\r\nabc");
        for (bytes, status) in [
            ("GET / HTTP/1.1\nhost: localhost\n\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nhost: localhost\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nhost: localhost\r\n\n".to_owned(), 400),
            (
                "\nGET / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
                400,
            ),
            ("GET / HTTP/1.1\r\nhost: a\rb\r\n\r\n".to_owned(), 400),
            (with("content-length: 3\r\ncontent-length: 3"), 400),
            (with("content-length: 3\r\nContent-Length: 4"), 400),
            (with("content-length: 3, 3"), 400),
            (with("content-length: +3"), 400),
            (with("content-length: 0x3"), 400),
            (with("content-length:"), 400),
            (with("content-length: 9999999999999999999"), 400),
            (with("content-length: 3\r\ntransfer-encoding: chunked"), 411),
            (with("transfer-encoding: chunked"), 411),
            (with("transfer-encoding: x"), 411),
            (with("a : b"), 400),
            (with(" folded: b"), 400),
            (with("a\0: b"), 400),
            (with("a: b\0"), 400),
            (with("no colon"), 400),
            (with(&"a: b\r\n".repeat(80)), 431),
            (with(&format!("a: {}", "b".repeat(400))), 431),
            (format!("GET /{} HTTP/1.1\r\n", "a".repeat(400)), 414),
            ("GET / HTTP/1.1\r\n\r".to_owned() + "x", 400),
            ("GET  / HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/2.0\r\n\r\n".to_owned(), 400),
            ("GET /\r\n\r\n".to_owned(), 400),
            ("G\u{e4}T / HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("\r\n\r\n\r\n".to_owned(), 400),
        ] {
            for size in [1, 7, 4096] {
                let whole = format!("{GET}{bytes}");
                let (read, refused) = passed(whole.as_bytes(), size);
                let (number, refusal) = refused.unwrap_or_else(|| panic!("{bytes}"));
                assert_eq!(
                    (number, refusal.answer().0.as_u16()),
                    (1, status),
                    "{bytes}"
                );
                let in_its_place = std::str::from_utf8(IN_ITS_PLACE).unwrap();
                // A head with one reading shows its host.
                let host = if status == 411 {
                    "host: localhost"
                } else {
                    "host: refused.invalid"
                };
                let in_its_place = format!("{in_its_place}{host}\r\n\r\n");
                assert_eq!(read, format!("{GET}{in_its_place}"), "{bytes}");
            }
        }
    }

    #[test]
    fn of_a_head_without_a_length_stays_whom_it_was_for_and_what_its_sender_reads() {
        let head = "POST /x HTTP/1.1\r\nHost: localhost\r\ncookie: a=b\r\nAccept: text/html\r\n\
                    transfer-encoding: chunked\r\naccept-language: de\r\n\r\n0\r\n\r\n";
        let (read, refused) = passed(head.as_bytes(), 7);
        assert_eq!(refused, Some((0, RequestRejection::LengthRequired)));
        assert_eq!(
            read,
            "GET / HTTP/1.1\r\nconnection: close\r\nHost: localhost\r\nAccept: text/html\r\n\
             accept-language: de\r\n\r\n"
        );
    }

    #[test]
    fn requests_and_their_bodies_pass_as_they_are() {
        let post = "POST / HTTP/1.1\r\nhost: localhost\r\nContent-Length: 5\r\n\r\na\nb\r\n";
        let foreign = "GET / HTTP/1.1\r\nhost: localhost\r\ncookie: n=Gr\u{fc}\u{df}e\r\n\r\n";
        for text in [
            GET.to_owned(),
            [GET, post, GET, post, foreign].concat(),
            format!("\r\n{GET}\r\n{GET}"),
        ] {
            for size in [1, 3, 64, 4096] {
                assert_eq!(passed(text.as_bytes(), size), (text.clone(), None));
            }
        }
    }

    /// The same bytes could be frames or a request.
    ///
    /// ASVS: V4.2.1
    #[test]
    fn nothing_behind_a_handshake_is_read_before_its_response() {
        let handshake = GET.replace("\r\n\r\n", "\r\nUpgrade: WebSocket\r\n\r\n");
        for size in [1, 7, 4096] {
            let (refused, upgrade) = (RefusedHead::default(), Upgrade::default());
            let whole = format!("{GET}{handshake}{GET}");
            let mut heads = Heads::new(Pieces(whole.as_bytes(), size), 400, &refused, &upgrade);
            let mut read = |most: usize| {
                let mut read = Vec::new();
                let mut piece = [0; 4096];
                while let Some(Ok(length @ 1..)) = heads.read(&mut piece).now_or_never() {
                    read.extend_from_slice(&piece[..length]);
                    if read.len() >= most {
                        break;
                    }
                }
                String::from_utf8(read).unwrap()
            };
            assert_eq!(read(usize::MAX), format!("{GET}{handshake}"));
            let mut request = http::Request::new(());
            assert!(
                upgrade.offer(&mut request, 0).is_none(),
                "the first asks for nothing"
            );
            let offered = upgrade.offer(&mut request, 1).unwrap();
            offered.decide(&mut http::Response::new(()));
            assert_eq!(read(usize::MAX), GET, "the response was a page");
            assert!(heads.into_upgraded().is_none());
        }
    }

    #[test]
    fn a_request_with_a_body_asks_for_no_upgrade() {
        let with = "\r\nupgrade: websocket\r\ncontent-length: 1\r\n\r\n";
        let body = GET.replace("\r\n\r\n", with) + "a";
        let post = "POST / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\n\r\n";
        let other = GET.replace("\r\n\r\n", "\r\nupgrade: h2c\r\n\r\n");
        for one in [&body, post, &other] {
            let two = format!("{one}{GET}");
            assert_eq!(passed(two.as_bytes(), 4096), (two.clone(), None));
        }
    }

    #[test]
    fn all_bytes_that_httparse_passes_are_bytes_of_a_name_and_a_value() {
        for byte in 0..=u8::MAX {
            let name = [&b"GET / HTTP/1.1\r\na"[..], &[byte], b"z: b\r\n\r\n"].concat();
            if read(&name).is_ok() {
                // A colon ends the name.
                let is_name = HeaderName::from_bytes(&[b'a', byte, b'z']).is_ok();
                assert!(is_name || byte == b':', "{byte}");
            }
            let value = [&b"GET / HTTP/1.1\r\na: b"[..], &[byte], b"c\r\n\r\n"].concat();
            if read(&value).is_ok() {
                assert!(HeaderValue::from_bytes(&[byte]).is_ok(), "{byte}");
            }
            let target = format!("/{}", char::from(byte));
            assert!(
                !is_plain(&target) || Uri::try_from(&*target).is_ok(),
                "{byte}"
            );
        }
        assert!(is_plain("/documents?page=2&q=a+b%20c"));
        let longest = "a".repeat(LONGEST_NAME);
        assert!(HeaderName::from_bytes(longest.as_bytes()).is_ok());
        let longer = format!("GET / HTTP/1.1\r\n{longest}a: b\r\n\r\n");
        let refusal = RequestRejection::Malformed("the name of a header");
        assert_eq!(read(longer.as_bytes()), Err(refusal));
    }

    #[test]
    fn a_head_with_its_whole_body_is_passed_where_it_is() {
        let with = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\nabc";
        for whole in [
            with.to_owned(),
            format!("{with}{GET}"),
            format!("{GET}{with}"),
        ] {
            for size in [1, 40, 4096] {
                assert_eq!(passed(whole.as_bytes(), size), (whole.clone(), None));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_passed_or_refused_and_never_held_without_bound(
            bytes in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..900),
            size in 1_usize..200,
        ) {
            let (_, refused) = passed(&bytes, size);
            prop_assert!(refused.is_some() || bytes.len() <= 400 + size || bytes.contains(&b'\n'));
        }
    }
}
