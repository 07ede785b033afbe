use bytes::Bytes;

/// Bytes of a frame header.
const HEAD: usize = 9;

/// A frame of HTTP/2, valid or not.
///
/// ```
/// use test_servers::Frame;
/// let ping = Frame::new(Frame::PING, 0, 0, *b"12345678");
/// assert_eq!(ping.bytes()[..9], [0, 0, 8, 6, 0, 0, 0, 0, 0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The type of the frame.
    pub kind: u8,
    /// Flags, whose meaning depends on the type.
    pub flags: u8,
    /// The stream of the frame; 0 for the connection.
    pub stream: u32,
    /// The bytes after the nine bytes of the header.
    pub payload: Bytes,
}

impl Frame {
    /// A part of a body.
    pub const DATA: u8 = 0;
    /// The beginning of a request or a response, and the trailers at its end.
    pub const HEADERS: u8 = 1;
    /// A priority, which is deprecated.
    pub const PRIORITY: u8 = 2;
    /// The abnormal end of a stream.
    pub const RST_STREAM: u8 = 3;
    /// The settings of one side.
    pub const SETTINGS: u8 = 4;
    /// A check whether the other side responds.
    pub const PING: u8 = 6;
    /// The end of the connection, with the reason.
    pub const GOAWAY: u8 = 7;
    /// Space for more bytes of a body.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More headers.
    pub const CONTINUATION: u8 = 9;
    /// The flag of DATA and HEADERS that ends the stream.
    pub const END_STREAM: u8 = 1;
    /// The flag of SETTINGS and PING that acknowledges one.
    pub const ACK: u8 = 1;
    /// The flag that no CONTINUATION follows.
    pub const END_HEADERS: u8 = 4;
    /// The flag of DATA and HEADERS with padding.
    pub const PADDED: u8 = 8;
    /// The flag of HEADERS with a priority.
    pub const PRIORITISED: u8 = 0x20;

    /// A frame of any kind.
    #[must_use]
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl AsRef<[u8]>) -> Self {
        Self {
            kind,
            flags,
            stream,
            payload: Bytes::copy_from_slice(payload.as_ref()),
        }
    }

    /// A complete request without a body: HEADERS that end their stream.
    #[must_use]
    pub fn request(stream: u32, fields: &[(&str, &str)]) -> Self {
        let flags = Self::END_HEADERS | Self::END_STREAM;
        Self::new(Self::HEADERS, flags, stream, Self::block(fields))
    }

    /// A `GET` request for a path of `localhost`.
    #[must_use]
    pub fn get(stream: u32, path: &str) -> Self {
        let fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", path),
        ];
        Self::request(stream, &fields)
    }

    /// The response to a PING; `None` for another frame, or for a response.
    #[must_use]
    pub fn pong(&self) -> Option<Self> {
        let asks = self.kind == Self::PING && self.flags & Self::ACK == 0;
        asks.then(|| Self::new(Self::PING, Self::ACK, 0, &self.payload))
    }

    /// Fields as literals without indexing (RFC 7541, 6.2.2), in this order and spelling.
    #[must_use]
    pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
        let mut block = Vec::new();
        for (name, value) in fields {
            block.push(0);
            Self::text(&mut block, name);
            Self::text(&mut block, value);
        }
        block
    }

    /// A text of a header block, not compressed (RFC 7541, 5.2).
    pub fn text(block: &mut Vec<u8>, text: &str) {
        match u8::try_from(text.len()) {
            Ok(length @ ..0x7f) => block.push(length),
            Ok(_) | Err(_) => {
                block.push(0x7f);
                let mut rest = text.len() - 0x7f;
                while rest >= 0x80 {
                    block.push(rest.to_le_bytes()[0] | 0x80);
                    rest >>= 7;
                }
                block.push(rest.to_le_bytes()[0]);
            }
        }
        block.extend_from_slice(text.as_bytes());
    }

    /// The bytes of the frame.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let [_, length @ ..] = length.to_be_bytes();
        let head = [&length[..], &[self.kind, self.flags]];
        [
            &head.concat()[..],
            &self.stream.to_be_bytes(),
            &self.payload,
        ]
        .concat()
    }

    /// The status of a response, if this frame begins the first one of its connection with that status.
    ///
    /// Common ones are in the static table; others are three digits, compressed (RFC 7541, appendices A and B).
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        const TABLE: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];
        if self.kind != Self::HEADERS {
            return None;
        }
        match *self.payload.get(..5)? {
            [indexed @ 0x88..=0x8e, ..] => TABLE.get(usize::from(indexed - 0x88)).copied(),
            [0x08 | 0x48, 3, a, b, c] => std::str::from_utf8(&[a, b, c]).ok()?.parse().ok(),
            [0x08 | 0x48, 0x82 | 0x83, a, b, c] => {
                let bits = u32::from_be_bytes([a, b, c, 0]);
                let mut taken = 0;
                let mut digit = || {
                    let next = bits << taken >> 26;
                    let short = next < 0b01_1000;
                    taken += if short { 5 } else { 6 };
                    u16::try_from(if short { next >> 1 } else { next - 22 }).ok()
                };
                Some(digit()? * 100 + digit()? * 10 + digit()?)
            }
            _ => None,
        }
    }

    /// The first frame of these bytes and its length, if it is complete.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let &[a, b, c, kind, flags, d, e, f, g] = head else {
            return None;
        };
        let length = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
        let payload = rest.get(..length)?;
        let stream = u32::from_be_bytes([d, e, f, g]);
        Some((Self::new(kind, flags, stream, payload), HEAD + length))
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    fn answer(block: &[u8]) -> Frame {
        Frame::new(Frame::HEADERS, 0, 1, [block, &[0; 5]].concat())
    }

    #[test]
    fn a_status_is_read_from_the_table_and_as_digits() {
        assert_eq!(answer(&[0x88]).status(), Some(200));
        assert_eq!(answer(&[0x8c]).status(), Some(400));
        assert_eq!(answer(b"\x48\x03421").status(), Some(421));
        // RFC 7541, C.6.1: "302" is 64 02; 431 is 011010 011001 00001 and ones.
        assert_eq!(answer(&[0x48, 0x82, 0x64, 0x02]).status(), Some(302));
        assert_eq!(answer(&[0x48, 0x83, 0x69, 0x90, 0xff]).status(), Some(431));
    }

    #[test]
    fn a_long_text_says_its_length_in_several_bytes() {
        let mut block = Vec::new();
        Frame::text(&mut block, &"x".repeat(1337 - 0x1f + 0x7f));
        assert_eq!(block[..3], [0x7f, 0x9a, 0x0a]);
    }
}
