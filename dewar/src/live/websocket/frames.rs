//! The frames (RFC 6455, 5). A client's frame is masked, has no extension bits and the shortest length; anything else ends the
//! connection. Nothing of a frame is kept before its length is within the bound.

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The most bytes of a control frame (RFC 6455, 5.5).
const MOST_OF_CONTROL: usize = 125;
/// The most parts of one message: a browser sends one message in few.
const MOST_PARTS: u32 = 64;
/// The bytes for which a read makes room.
const READ: usize = 4 * 1024;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The client closes the connection.
    Close,
    /// A part of a message that goes on.
    Part,
    Ping(Vec<u8>),
    Pong,
    Text(String),
}

/// Why a connection cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A message of bytes.
    Binary,
    /// The connection is gone.
    Gone,
    NotUtf8,
    Protocol,
    TooLarge,
    TooManyParts,
}

impl Fault {
    /// The status of the close frame and its reason. None if there is nobody to tell.
    pub(super) const fn close(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Binary => Some((1003, "text only")),
            Self::Gone => None,
            Self::NotUtf8 => Some((1007, "not UTF-8")),
            Self::Protocol => Some((1002, "protocol")),
            Self::TooLarge => Some((1009, "too large")),
            Self::TooManyParts => Some((1008, "too many parts")),
        }
    }
}

/// Reads the frames of a client.
#[derive(Debug)]
pub(super) struct FrameReader {
    most: usize,
    unread: BytesMut,
    message: Vec<u8>,
    /// The parts of the message that goes on; 0 between messages.
    parts: u32,
}

/// The head of a frame.
struct Head {
    is_final: bool,
    opcode: u8,
    mask: [u8; 4],
    /// The bytes of the head itself.
    length: usize,
    payload: usize,
}

impl FrameReader {
    /// Reads messages of at most so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            unread: BytesMut::new(),
            message: Vec::new(),
            parts: 0,
        }
    }

    /// Whether a frame or a message has begun and goes on.
    pub(super) fn is_unfinished(&self) -> bool {
        self.parts > 0 || !self.unread.is_empty()
    }

    /// Waits for the next frame. Nothing is lost if the future is dropped.
    ///
    /// # Errors
    /// The connection is gone, or the client breaks a rule.
    pub(super) async fn next(
        &mut self,
        from: &mut (impl AsyncRead + Unpin),
    ) -> Result<Heard, Fault> {
        loop {
            if let Some(heard) = self.take()? {
                return Ok(heard);
            }
            self.unread.reserve(READ);
            match from.read_buf(&mut self.unread).await {
                Ok(1..) => {}
                Ok(0) => return Err(Fault::Gone),
                Err(error) => {
                    tracing::debug!(%error, "a WebSocket broke");
                    return Err(Fault::Gone);
                }
            }
        }
    }

    /// The next whole frame of the bytes that have come.
    fn take(&mut self) -> Result<Option<Heard>, Fault> {
        let Some(head) = self.head()? else {
            return Ok(None);
        };
        if self.unread.len() < head.length + head.payload {
            return Ok(None);
        }
        self.unread.advance(head.length);
        let mut payload = self.unread.split_to(head.payload);
        for (byte, mask) in payload.iter_mut().zip(head.mask.iter().cycle()) {
            *byte ^= mask;
        }
        if self.unread.is_empty() {
            // A connection that waits holds nothing.
            self.unread = BytesMut::new();
        }
        match head.opcode {
            0x8 => close(&payload).map(Some),
            0x9 => Ok(Some(Heard::Ping(payload.to_vec()))),
            0xA => Ok(Some(Heard::Pong)),
            _ => self.message(&payload, head.is_final).map(Some),
        }
    }

    fn message(&mut self, payload: &[u8], is_final: bool) -> Result<Heard, Fault> {
        self.message.extend_from_slice(payload);
        if !is_final {
            self.parts += 1;
            if self.parts > MOST_PARTS {
                return Err(Fault::TooManyParts);
            }
            return Ok(Heard::Part);
        }
        self.parts = 0;
        let message = std::mem::take(&mut self.message);
        let text = String::from_utf8(message).map_err(|_| Fault::NotUtf8)?;
        Ok(Heard::Text(text))
    }

    /// The head of the next frame, once it is there. Every rule is checked before the payload is awaited.
    fn head(&self) -> Result<Option<Head>, Fault> {
        let [first, second, ..] = *self.unread else {
            return Ok(None);
        };
        let (is_final, opcode) = (first & 0x80 != 0, first & 0x0F);
        // An extension would use the three bits between; none was agreed, so nothing is compressed.
        if first & 0x70 != 0 || second & 0x80 == 0 {
            return Err(Fault::Protocol);
        }
        let is_control = opcode & 0x08 != 0;
        let goes_on = self.parts > 0;
        match opcode {
            0x0 if goes_on => {}
            0x1 if !goes_on => {}
            0x2 if !goes_on => return Err(Fault::Binary),
            0x8..=0xA if is_final => {}
            _ => return Err(Fault::Protocol),
        }
        let rest = self.unread.get(2..).unwrap_or_default();
        let (extended, payload) = match second & 0x7F {
            short @ 0..=125 => (0, u64::from(short)),
            _ if is_control => return Err(Fault::Protocol),
            126 => match rest.first_chunk::<2>() {
                Some(length) => (2, u64::from(u16::from_be_bytes(*length))),
                None => return Ok(None),
            },
            _ => match rest.first_chunk::<8>() {
                Some(length) => (8, u64::from_be_bytes(*length)),
                None => return Ok(None),
            },
        };
        let shortest = match payload {
            0..=125 => 0,
            126..=0xFFFF => 2,
            _ => 8,
        };
        if extended != shortest {
            return Err(Fault::Protocol);
        }
        let payload = usize::try_from(payload).map_err(|_| Fault::TooLarge)?;
        let most = if is_control {
            MOST_OF_CONTROL
        } else {
            self.most.saturating_sub(self.message.len())
        };
        if payload > most {
            return Err(Fault::TooLarge);
        }
        let mask = rest.get(extended..).unwrap_or_default();
        let Some(mask) = mask.first_chunk::<4>() else {
            return Ok(None);
        };
        Ok(Some(Head {
            is_final,
            opcode,
            mask: *mask,
            length: 2 + extended + 4,
            payload,
        }))
    }
}

/// A close frame: without a payload, or with a status that a client may send and a reason in UTF-8 (RFC 6455, 7.4).
fn close(payload: &[u8]) -> Result<Heard, Fault> {
    let Some((status, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() {
            Ok(Heard::Close)
        } else {
            Err(Fault::Protocol)
        };
    };
    match u16::from_be_bytes(*status) {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Fault::Protocol),
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(Heard::Close),
        Err(_) => Err(Fault::NotUtf8),
    }
}

/// A message of text.
pub(super) fn text(text: &str) -> Vec<u8> {
    frame(0x1, text.as_bytes())
}

pub(super) fn ping() -> Vec<u8> {
    frame(0x9, b"")
}

/// The answer to a ping.
pub(super) fn pong(payload: &[u8]) -> Vec<u8> {
    frame(0xA, payload)
}

/// The end of the connection. The reason is cut at the length of a control frame.
pub(super) fn closing(status: u16, reason: &str) -> Vec<u8> {
    let reason = reason.as_bytes();
    let reason = reason.get(..MOST_OF_CONTROL - 2).unwrap_or(reason);
    let reason = match std::str::from_utf8(reason) {
        Ok(_) => reason,
        Err(error) => reason.get(..error.valid_up_to()).unwrap_or_default(),
    };
    frame(0x8, &[&status.to_be_bytes(), reason].concat())
}

/// One frame of the server: whole and without a mask.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(payload.len() + 10);
    frame.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(short @ 0..=125), _) => frame.push(short),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        (_, Err(_)) => {
            frame.push(127);
            frame.extend_from_slice(&(payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;

    use super::*;

    /// A client's frame.
    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut made = frame(first & 0x0F, payload);
        made[0] = first;
        made[1] |= 0x80;
        let head = made.len() - payload.len();
        let mut whole = made[..head].to_vec();
        let mask = [7, 130, 0, 255];
        whole.extend_from_slice(&mask);
        let bytes = payload.iter().zip(mask.iter().cycle());
        whole.extend(bytes.map(|(byte, mask)| byte ^ mask));
        whole
    }

    /// What is heard of these bytes, until they end or break a rule.
    fn heard(bytes: &[u8], most: usize) -> (Vec<Heard>, Fault) {
        let mut reader = FrameReader::new(most);
        let (mut bytes, mut heard) = (bytes, Vec::new());
        loop {
            match reader.next(&mut bytes).now_or_never().unwrap() {
                Ok(one) => heard.push(one),
                Err(fault) => return (heard, fault),
            }
        }
    }

    fn fault(bytes: &[u8]) -> Fault {
        heard(bytes, 1_000).1
    }

    #[test]
    fn a_message_in_parts_is_one_and_control_frames_may_come_between() {
        let bytes = [
            masked(0x01, "a\u{e4}".as_bytes()),
            masked(0x89, b"are you there"),
            masked(0x00, b""),
            masked(0x80, b"b"),
            masked(0x81, b""),
            masked(0x8A, b""),
            masked(0x88, &[&1000_u16.to_be_bytes()[..], b"bye"].concat()),
        ];
        let (heard, last) = heard(&bytes.concat(), 1_000);
        let wanted = [
            Heard::Part,
            Heard::Ping(b"are you there".to_vec()),
            Heard::Part,
            Heard::Text("a\u{e4}b".to_owned()),
            Heard::Text(String::new()),
            Heard::Pong,
            Heard::Close,
        ];
        assert_eq!((&heard[..], last), (&wanted[..], Fault::Gone));
    }

    /// ASVS: V15.2.2, V4.2.1
    #[test]
    fn a_frame_that_breaks_a_rule_ends_the_connection() {
        // Without a mask.
        assert_eq!(fault(&frame(0x1, b"a")), Fault::Protocol);
        // With the bit by which a compressed message would begin, and with the two others.
        for first in [0xC1, 0xA1, 0x91] {
            assert_eq!(fault(&masked(first, b"a")), Fault::Protocol);
        }
        // Bytes, and kinds of frames that are not defined.
        assert_eq!(fault(&masked(0x82, b"a")), Fault::Binary);
        for first in [0x83, 0x87, 0x8B, 0x8F] {
            assert_eq!(fault(&masked(first, b"")), Fault::Protocol);
        }
        // The rest of nothing; a message within a message; a control frame in parts, and a large one.
        assert_eq!(fault(&masked(0x80, b"a")), Fault::Protocol);
        let twice = [masked(0x01, b"a"), masked(0x01, b"b")].concat();
        assert_eq!(fault(&twice), Fault::Protocol);
        assert_eq!(fault(&masked(0x09, b"")), Fault::Protocol);
        assert_eq!(fault(&masked(0x89, &[b'a'; 126])), Fault::Protocol);
        // A length that could be shorter.
        assert_eq!(fault(&[0x81, 0xFE, 0, 5, 0, 0, 0, 0]), Fault::Protocol);
        assert_eq!(
            fault(&[0x81, 0xFF, 0, 0, 0, 0, 0, 0, 1, 0]),
            Fault::Protocol
        );
        // Half a letter, and a close frame without a status, with a wrong one and with a wrong reason.
        assert_eq!(fault(&masked(0x81, b"\xC3")), Fault::NotUtf8);
        assert_eq!(fault(&masked(0x88, b"\x03")), Fault::Protocol);
        assert_eq!(fault(&masked(0x88, b"\x03\xED")), Fault::Protocol);
        assert_eq!(fault(&masked(0x88, b"\x03\xE8\xFF")), Fault::NotUtf8);
    }

    /// ASVS: V15.2.2
    #[test]
    fn nothing_beyond_the_bound_is_awaited() {
        // Of these only the head has come.
        assert_eq!(fault(&[0x81, 0xFE, 0x03, 0xE9]), Fault::TooLarge);
        assert_eq!(
            fault(&[0x81, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0]),
            Fault::TooLarge
        );
        let two = [masked(0x01, &[b'a'; 600]), masked(0x80, &[b'a'; 401])].concat();
        assert_eq!(heard(&two, 1_000), (vec![Heard::Part], Fault::TooLarge));
        let fits = [masked(0x01, &[b'a'; 600]), masked(0x80, &[b'a'; 400])].concat();
        assert_eq!(heard(&fits, 1_000).0.len(), 2);
        let endless = [masked(0x01, b""), masked(0x00, b"").repeat(200)].concat();
        let (parts, fault) = heard(&endless, 1_000);
        assert_eq!((parts.len(), fault), (64, Fault::TooManyParts));
    }

    #[test]
    fn a_reason_is_cut_at_a_letter() {
        assert_eq!(closing(1008, "over"), b"\x88\x06\x03\xF0over");
        let long = closing(1008, &"\u{e4}".repeat(80));
        assert_eq!(long.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&long[4..]).is_ok());
    }

    proptest! {
        /// However the bytes arrive, and whatever they are.
        #[test]
        fn any_bytes_are_read_within_the_bound(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (heard, _) = heard(&bytes, 100);
            for one in heard {
                if let Heard::Text(text) = one {
                    prop_assert!(text.len() <= 100);
                }
            }
        }

        #[test]
        fn what_a_client_writes_is_what_is_heard(text in ".{0,400}", cut in 1..50_usize) {
            let whole = masked(0x81, text.as_bytes());
            let mut reader = FrameReader::new(2_000);
            let mut heard = None;
            for mut piece in whole.chunks(cut) {
                let next = reader.next(&mut piece).now_or_never().unwrap();
                match next {
                    Ok(one) => heard = Some(one),
                    Err(fault) => prop_assert_eq!(fault, Fault::Gone),
                }
            }
            prop_assert_eq!(heard, Some(Heard::Text(text)));
            prop_assert!(!reader.is_unfinished());
        }
    }
}
