//! FLAC (RFC 9639): the blocks of metadata, every frame, and the tags of other formats that may follow.
//!
//! A frame has no length. So Dewar reads the codes in it, one after the other, without computing a sample: only so it is known
//! where the last frame ends, and that no other file follows it.

use std::io::{Read, Seek};

use super::super::recognise::RecognitionError;
use super::{Walk, mpeg};

/// # Errors
/// The metadata or a frame are damaged, no frame follows the metadata, or something follows the frames that is no tag.
pub(super) fn look<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<(), RecognitionError> {
    walk.go(walk.start)?;
    mpeg::skip_id3(walk)?;
    if walk.bytes()? != *b"fLaC" {
        return Err(walk.damaged());
    }
    let mut depth = None;
    loop {
        let [kind, high, middle, low] = walk.bytes()?;
        let length = u32::from_be_bytes([0, high, middle, low]);
        let is_information = kind & 0x7f == 0;
        if depth.is_none() != is_information || kind & 0x7f == 127 {
            return Err(walk.damaged());
        }
        if is_information {
            if length != 34 {
                return Err(walk.damaged());
            }
            let [before @ .., first, second]: [u8; 14] = walk.bytes()?;
            let _blocks_and_rate: [u8; 12] = before;
            depth = Some((u32::from(first & 1) << 4 | u32::from(second >> 4)) + 1);
            walk.skip(20)?;
        } else {
            walk.skip(length.into())?;
        }
        if kind & 0x80 != 0 {
            break;
        }
    }
    let depth = depth.ok_or_else(|| walk.damaged())?;
    let mut frames = 0_u64;
    while begins_frame(walk)? {
        walk.deadline.check()?;
        let mut bits = Bits {
            walk,
            cache: 0,
            have: 0,
        };
        frame(&mut bits, depth)?;
        frames += 1;
    }
    if frames == 0 {
        return Err(walk.damaged());
    }
    mpeg::skip_padding(walk)?;
    while walk.left() > 0 {
        mpeg::tag(walk)?;
    }
    Ok(())
}

fn begins_frame<F: Read + Seek>(walk: &mut Walk<'_, F>) -> Result<bool, RecognitionError> {
    if walk.left() < 2 {
        return Ok(false);
    }
    let start = walk.at;
    let mark: [u8; 2] = walk.bytes()?;
    walk.go(start)?;
    Ok(matches!(mark, [0xff, 0xf8 | 0xf9]))
}

/// The bits of a frame, the highest of each byte first.
struct Bits<'w, 'a, F: Read + Seek> {
    walk: &'w mut Walk<'a, F>,
    cache: u64,
    /// How many of the lowest bits of the cache are not read yet: fewer than eight between two calls.
    have: u32,
}

impl<F: Read + Seek> Bits<'_, '_, F> {
    fn damaged(&self) -> RecognitionError {
        self.walk.damaged()
    }

    fn byte(&mut self) -> Result<(), RecognitionError> {
        let [byte] = self.walk.bytes()?;
        self.cache = self.cache << 8 | u64::from(byte);
        self.have += 8;
        Ok(())
    }

    /// The next bits, at most 32.
    fn read(&mut self, number: u32) -> Result<u32, RecognitionError> {
        while self.have < number {
            self.byte()?;
        }
        self.have -= number;
        let mask = (1_u64 << number) - 1;
        Ok(u32::try_from(self.cache >> self.have & mask).unwrap_or_default())
    }

    fn skip(&mut self, mut number: u64) -> Result<(), RecognitionError> {
        if number > u64::from(self.have) {
            number -= u64::from(self.have);
            self.have = 0;
            self.walk.skip(number / 8)?;
            number %= 8;
        }
        self.read(u32::try_from(number).unwrap_or_default())
            .map(drop)
    }

    /// The number of zeros before the next one, which is read too.
    fn zeros(&mut self) -> Result<u64, RecognitionError> {
        let mut zeros = 0_u64;
        loop {
            if self.have == 0 {
                self.byte()?;
            }
            let rest = self.cache & ((1 << self.have) - 1);
            if let Some(highest) = rest.checked_ilog2() {
                zeros += u64::from(self.have - 1 - highest);
                self.have = highest;
                return Ok(zeros);
            }
            zeros += u64::from(self.have);
            self.have = 0;
        }
    }

    /// The bits up to the next byte are zeros.
    fn align(&mut self) -> Result<(), RecognitionError> {
        let rest = self.cache & ((1 << self.have) - 1);
        self.have = 0;
        if rest == 0 {
            Ok(())
        } else {
            Err(self.damaged())
        }
    }
}

/// One frame (RFC 9639, 9).
fn frame<F: Read + Seek>(
    bits: &mut Bits<'_, '_, F>,
    depth_of_stream: u32,
) -> Result<(), RecognitionError> {
    bits.skip(16)?;
    let (size, rate) = (bits.read(4)?, bits.read(4)?);
    let (channels, depth, reserved) = (bits.read(4)?, bits.read(3)?, bits.read(1)?);
    coded_number(bits)?;
    let samples = match size {
        1 => 192,
        2..=5 => 144 << size,
        6 => bits.read(8)? + 1,
        7 => bits.read(16)? + 1,
        8..=15 => 1 << size,
        _ => return Err(bits.damaged()),
    };
    match rate {
        12 => bits.skip(8)?,
        13 | 14 => bits.skip(16)?,
        15 => return Err(bits.damaged()),
        _ => {}
    }
    let _checksum = bits.read(8)?;
    let depth = match depth {
        0 => depth_of_stream,
        1 => 8,
        2 => 12,
        4 => 16,
        5 => 20,
        6 => 24,
        7 => 32,
        _ => return Err(bits.damaged()),
    };
    // One of the two channels may be the difference of both, which needs a bit more.
    let (number, difference) = match channels {
        0..=7 => (channels + 1, None),
        8 | 10 => (2, Some(1)),
        9 => (2, Some(0)),
        _ => return Err(bits.damaged()),
    };
    if reserved != 0 {
        return Err(bits.damaged());
    }
    for channel in 0..number {
        let more = u32::from(difference == Some(channel));
        subframe(bits, depth + more, samples)?;
    }
    bits.align()?;
    bits.skip(16)
}

/// The number of the frame or of its first sample, spelled as UTF-8 spells characters, in up to seven bytes.
fn coded_number<F: Read + Seek>(bits: &mut Bits<'_, '_, F>) -> Result<(), RecognitionError> {
    let first = bits.read(8)?;
    let more = match first {
        0..=0x7f => 0,
        0xc0..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf7 => 3,
        0xf8..=0xfb => 4,
        0xfc | 0xfd => 5,
        0xfe => 6,
        _ => return Err(bits.damaged()),
    };
    for _ in 0..more {
        if bits.read(8)? & 0xc0 != 0x80 {
            return Err(bits.damaged());
        }
    }
    Ok(())
}

fn subframe<F: Read + Seek>(
    bits: &mut Bits<'_, '_, F>,
    depth: u32,
    samples: u32,
) -> Result<(), RecognitionError> {
    let (zero, kind, has_wasted) = (bits.read(1)?, bits.read(6)?, bits.read(1)?);
    let wasted = if has_wasted == 1 {
        bits.zeros()? + 1
    } else {
        0
    };
    let depth = u64::from(depth).checked_sub(wasted);
    let depth = depth.filter(|depth| *depth > 0 && zero == 0);
    let depth = depth.ok_or_else(|| bits.damaged())?;
    match kind {
        0 => bits.skip(depth),
        1 => bits.skip(depth * u64::from(samples)),
        8..=12 => {
            let order = kind - 8;
            bits.skip(depth * u64::from(order))?;
            residual(bits, samples, order)
        }
        32..=63 => {
            let order = kind - 31;
            bits.skip(depth * u64::from(order))?;
            let precision = bits.read(4)? + 1;
            if precision == 16 {
                return Err(bits.damaged());
            }
            bits.skip(5 + u64::from(order * precision))?;
            residual(bits, samples, order)
        }
        _ => Err(bits.damaged()),
    }
}

/// The rest of a prediction, in Rice codes.
fn residual<F: Read + Seek>(
    bits: &mut Bits<'_, '_, F>,
    samples: u32,
    order: u32,
) -> Result<(), RecognitionError> {
    let width = match bits.read(2)? {
        0 => 4,
        1 => 5,
        _ => return Err(bits.damaged()),
    };
    let partitions = 1_u32 << bits.read(4)?;
    let each = samples / partitions;
    if each * partitions != samples || each < order {
        return Err(bits.damaged());
    }
    for partition in 0..partitions {
        let number = if partition == 0 { each - order } else { each };
        let parameter = bits.read(width)?;
        if parameter == (1 << width) - 1 {
            let raw = bits.read(5)?;
            bits.skip(u64::from(raw) * u64::from(number))?;
            continue;
        }
        for _ in 0..number {
            bits.zeros()?;
            bits.read(parameter)?;
        }
    }
    Ok(())
}
