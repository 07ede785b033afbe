use std::collections::HashMap;
use std::io;

/// Bytes of the client's preface before its first frame (RFC 9113, 3.4).
const PREFACE: usize = 24;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;

/// Frames without a request (PING, SETTINGS, `WINDOW_UPDATE`, PRIORITY, unknown ones) that a client may send between two
/// looks of the timer. h2 answers or reads any number of them (CVE-2019-9512, -9513, -9515).
const SMALL_TALK: u64 = 1_000;
/// More of these frames for each request.
const FOR_A_REQUEST: u64 = 100;
/// More of these frames for each DATA frame sent, because the client confirms that it read them.
const FOR_A_PART: u64 = 10;
/// Requests that a client may cancel between two looks. h2 counts only those that no handler has seen yet, so a slower
/// rapid reset (CVE-2023-44487) would start handlers without end.
const TAKEN_BACK: u64 = 500;

/// The headers of h2's own response to a header list over its limit: `:status: 431`, and nothing else (RFC 7541, 6.2.1
/// and B).
const BARE_431: [u8; 5] = [0x48, 0x83, 0x69, 0x90, 0xff];

/// Counts the frames of one HTTP/2 connection, for the limits that hyper and h2 do not have.
#[derive(Debug)]
pub(crate) struct Frames {
    heard: FrameReader,
    said: FrameReader,
    /// The newest stream that the client opened.
    newest: u32,
    talk: u64,
    allowed: u64,
    taken_back: u64,
    /// Responses that have begun and not ended, whether we, hyper or h2 hold the rest of them.
    answers: HashMap<u32, ResponseFrames>,
    /// Streams that the client reset; the start of a response may still be on its way.
    reset: HashMap<u32, TimerMark>,
}

/// Whether the timer has looked since then.
#[derive(Debug, Default, PartialEq, Eq)]
enum TimerMark {
    #[default]
    No,
    Yes,
}

#[derive(Debug, Default)]
struct ResponseFrames {
    /// Bytes of the body since the last look.
    moved: u64,
    seen: TimerMark,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            heard: FrameReader::after(PREFACE),
            said: FrameReader::after(0),
            newest: 0,
            talk: 0,
            allowed: SMALL_TALK,
            taken_back: 0,
            answers: HashMap::new(),
            reset: HashMap::new(),
        }
    }
}

impl Frames {
    /// Counts the client's frames.
    ///
    /// # Errors
    /// The frames are a flood.
    pub(crate) fn hear(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.heard.read(bytes, |head, part| match head.kind {
            _ if !part.begins => {}
            DATA | CONTINUATION => {}
            // The trailers of a request open no stream.
            HEADERS if head.stream > self.newest => {
                self.newest = head.stream;
                self.allowed += FOR_A_REQUEST;
            }
            HEADERS => {}
            kind => {
                self.talk += 1;
                if kind == RST_STREAM {
                    self.taken_back += 1;
                    self.answers.remove(&head.stream);
                    self.reset.insert(head.stream, TimerMark::No);
                }
            }
        });
        if self.taken_back > TAKEN_BACK {
            return Err(io::Error::other("the client reset too many requests"));
        }
        if self.talk > self.allowed {
            return Err(io::Error::other(
                "the client sent too many frames without a request",
            ));
        }
        Ok(())
    }

    /// Checks the bytes before they are sent.
    ///
    /// # Errors
    /// They hold h2's own bare response to headers that are far too large.
    pub(crate) fn may_say<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
        let mut bare = false;
        let mut reader = self.said.clone();
        for bytes in parts {
            reader.read(bytes, |head, part| {
                // h2 writes it in one piece. If it is sent again, it is one byte, and no other response is: each has a
                // date.
                let is_431 = part.payload == BARE_431 || part.payload.len() == 1;
                let is_whole = part.bytes == head.length;
                bare |= head.kind == HEADERS && head.flags & END_STREAM != 0 && is_431 && is_whole;
            });
        }
        if bare {
            return Err(io::Error::other("the request's headers are far too large"));
        }
        Ok(())
    }

    /// Follows the bytes that are sent to the client, and returns how many belong to responses.
    pub(crate) fn say(&mut self, bytes: &[u8]) -> u64 {
        let mut moved = 0;
        self.said.read(bytes, |head, part| {
            let ends = part.ends && head.flags & END_STREAM != 0;
            match head.kind {
                DATA => {
                    self.allowed += if part.begins { FOR_A_PART } else { 0 };
                    moved += part.bytes;
                    if let Some(answer) = self.answers.get_mut(&head.stream) {
                        answer.moved += part.bytes;
                    }
                }
                HEADERS => {
                    moved += part.bytes;
                    if part.begins && !self.reset.contains_key(&head.stream) {
                        self.answers.entry(head.stream).or_default();
                    }
                }
                RST_STREAM if part.begins => {
                    self.answers.remove(&head.stream);
                }
                _ => {}
            }
            if ends && matches!(head.kind, DATA | HEADERS) {
                self.answers.remove(&head.stream);
            }
        });
        moved
    }

    /// Whether a response has begun and not ended.
    pub(crate) fn answering(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Starts a new count. Returns whether a response was there at the last look and has moved by fewer bytes since:
    /// neither a response that the client reads (CVE-2019-9511, CVE-2019-9517) nor a PING must keep others open.
    pub(crate) fn look(&mut self, least: u64) -> bool {
        (self.talk, self.allowed, self.taken_back) = (0, SMALL_TALK, 0);
        self.reset
            .retain(|_, seen| std::mem::replace(seen, TimerMark::Yes) == TimerMark::No);
        let mut stuck = false;
        for answer in self.answers.values_mut() {
            stuck |= answer.seen == TimerMark::Yes && answer.moved < least;
            *answer = ResponseFrames {
                moved: 0,
                seen: TimerMark::Yes,
            };
        }
        stuck
    }
}

/// The frame parser for one direction of a connection.
#[derive(Debug, Clone)]
struct FrameReader {
    head: FrameHeader,
    /// Bytes of the frame header that is being read.
    bytes: [u8; 9],
    have: usize,
    /// Bytes of the payload that are still to come.
    left: u64,
}

#[derive(Debug, Clone, Copy)]
struct FrameHeader {
    kind: u8,
    flags: u8,
    stream: u32,
    /// Bytes of the whole payload.
    length: u64,
}

/// A piece of a frame.
struct Part<'a> {
    begins: bool,
    bytes: u64,
    payload: &'a [u8],
    ends: bool,
}

impl FrameReader {
    /// A direction whose first `bytes` bytes are no frame.
    fn after(bytes: usize) -> Self {
        let nothing = FrameHeader {
            kind: u8::MAX,
            flags: 0,
            stream: 0,
            length: 0,
        };
        Self {
            head: nothing,
            bytes: [0; 9],
            have: 0,
            left: u64::try_from(bytes).unwrap_or_default(),
        }
    }

    fn read(&mut self, mut bytes: &[u8], mut each: impl FnMut(FrameHeader, Part<'_>)) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let most = usize::try_from(self.left).unwrap_or(usize::MAX);
                let (taken, rest) = bytes.split_at(most.min(bytes.len()));
                bytes = rest;
                let payload = taken;
                let taken = u64::try_from(taken.len()).unwrap_or_default();
                self.left -= taken;
                each(
                    self.head,
                    Part {
                        begins: false,
                        bytes: taken,
                        payload,
                        ends: self.left == 0,
                    },
                );
                continue;
            }
            bytes = rest;
            if let Some(place) = self.bytes.get_mut(self.have) {
                *place = *first;
            }
            self.have += 1;
            if self.have == self.bytes.len() {
                self.have = 0;
                let [a, b, c, kind, flags, stream @ ..] = self.bytes;
                self.left = u64::from(u32::from_be_bytes([0, a, b, c]));
                self.head = FrameHeader {
                    kind,
                    flags,
                    // The first bit is reserved.
                    stream: u32::from_be_bytes(stream) & (u32::MAX >> 1),
                    length: self.left,
                };
                each(
                    self.head,
                    Part {
                        begins: true,
                        bytes: 0,
                        payload: &[],
                        ends: self.left == 0,
                    },
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use test_servers::Frame;

    fn after_the_preface() -> Frames {
        let mut frames = Frames::default();
        frames.hear(&[b'x'; PREFACE]).unwrap();
        frames
    }

    fn ping() -> Vec<u8> {
        Frame::new(Frame::PING, 0, 0, [0; 8]).bytes()
    }

    fn data(flags: u8, stream: u32, bytes: usize) -> Vec<u8> {
        Frame::new(DATA, flags, stream, vec![0; bytes]).bytes()
    }

    #[test]
    fn the_431_that_h2_says_by_itself_is_not_sent_and_any_other_answer_is() {
        let answer = |flags: u8, block: &[u8]| {
            Frame::new(HEADERS, Frame::END_HEADERS | flags, 1, block).bytes()
        };
        let ours = [
            answer(END_STREAM, &[0x8c, 0xbf]),
            answer(END_STREAM, &[&BARE_431[..], &[0xbf]].concat()),
            answer(END_STREAM, &[0x48, 0x82, 0x10, 0x03, 0xbf]),
            answer(0, &BARE_431),
            data(END_STREAM, 1, 1),
            data(END_STREAM, 1, 5),
        ];
        let ours = ours.concat();
        let frames = Frames::default();
        for size in 1..=ours.len() {
            frames.may_say(ours.chunks(size)).unwrap();
        }
        for block in [&BARE_431[..], &[0xbe]] {
            let bare = [&ours[..], &answer(END_STREAM, block)].concat();
            assert!(frames.may_say([&bare[..]]).is_err(), "{block:x?}");
            // The bytes before it are already written.
            let (first, rest) = bare.split_at(ours.len() - 3);
            let mut frames = Frames::default();
            frames.say(first);
            assert!(frames.may_say([rest]).is_err(), "{block:x?}");
        }
    }

    fn begin(stream: u32) -> Vec<u8> {
        Frame::new(HEADERS, Frame::END_HEADERS, stream, [0x88]).bytes()
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let all = [begin(1), data(0, 1, 300), begin(3), data(END_STREAM, 1, 0)].concat();
        for size in 1..=all.len() {
            let mut frames = Frames::default();
            let moved: u64 = all.chunks(size).map(|bytes| frames.say(bytes)).sum();
            assert_eq!(moved, 302, "{size}");
            assert_eq!(frames.answers.keys().collect::<Vec<_>>(), [&3], "{size}");
        }
    }

    #[test]
    fn small_talk_is_bounded_and_a_request_allows_more() {
        let mut frames = after_the_preface();
        for _ in 0..SMALL_TALK {
            frames.hear(&ping()).unwrap();
        }
        assert!(frames.hear(&ping()).is_err());
        assert!(!frames.look(1));
        frames.hear(&Frame::get(1, "/").bytes()).unwrap();
        // Trailers are no request.
        frames.hear(&Frame::get(1, "/").bytes()).unwrap();
        for _ in 0..SMALL_TALK + FOR_A_REQUEST {
            frames.hear(&ping()).unwrap();
        }
        assert!(frames.hear(&ping()).is_err());
    }

    #[test]
    fn each_answer_must_move_by_itself() {
        let mut frames = after_the_preface();
        frames.say(&[begin(1), begin(3)].concat());
        assert!(!frames.look(1_024), "they have only begun");
        frames.say(&[data(0, 1, 2_000), data(0, 3, 1_024)].concat());
        assert!(!frames.look(1_024));
        frames.say(&data(0, 1, 10_000));
        frames.say(&ping());
        assert!(frames.look(1_024));
        frames.say(&data(END_STREAM, 3, 1));
        frames.say(&data(0, 1, 10_000));
        assert!(!frames.look(1_024));
    }

    #[test]
    fn an_answer_that_was_taken_back_while_it_began_is_not_waited_for() {
        let mut frames = after_the_preface();
        let reset = Frame::new(RST_STREAM, 0, 1, [0; 4]).bytes();
        frames.hear(&reset).unwrap();
        frames.look(1);
        frames.say(&begin(1));
        assert!(!frames.answering());
        frames.look(1);
        assert!(frames.reset.is_empty(), "what is over is forgotten");
        frames.say(&begin(3));
        assert!(frames.answering());
        frames
            .hear(&Frame::new(RST_STREAM, 0, 3, [0; 4]).bytes())
            .unwrap();
        assert!(!frames.answering());
        frames.say(&begin(5));
        assert!(frames.answering());
        frames.say(&Frame::new(RST_STREAM, 0, 5, [0; 4]).bytes());
        assert!(!frames.answering(), "we took it back ourselves");
    }
}
