//! The filters of a stream (ISO 32000-2, 7.4), each with a bound on what it writes. What can be read of a damaged stream
//! is kept, as readers do.

use std::io::Read as _;

use flate2::bufread::{DeflateDecoder, ZlibDecoder};
use weezl::BitOrder;
use weezl::decode::Configuration;

use crate::uploads::rejection::UploadRejection;

/// The most filters of one stream. Programs use one, old ones two.
pub(super) const MAX_FILTERS: usize = 8;

/// A filter with its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Ascii85,
    AsciiHex,
    Flate(Predictor),
    Lzw(Predictor, EarlyChange),
    RunLength,
    /// Decryption, which happened before.
    Crypt,
    /// The format of a picture. Nothing but a picture has one.
    Picture,
    Unknown,
}

/// Whether the codes of LZW get longer one code early, as they do without the parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EarlyChange {
    No,
    Yes,
}

/// How the rows were prepared for compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Predictor {
    pub(super) kind: i64,
    pub(super) colors: i64,
    pub(super) bits: i64,
    pub(super) columns: i64,
}

impl Default for Predictor {
    fn default() -> Self {
        Self {
            kind: 1,
            colors: 1,
            bits: 8,
            columns: 1,
        }
    }
}

/// Why a stream was not decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undecodable {
    /// It unpacks to more than the bound.
    TooMuch,
    /// A filter that no such stream has, or parameters that mean nothing.
    Filter,
}

impl From<Undecodable> for UploadRejection {
    fn from(undecodable: Undecodable) -> Self {
        match undecodable {
            Undecodable::TooMuch => Self::Bomb,
            Undecodable::Filter => Self::Active {
                what: "a part that cannot be examined",
            },
        }
    }
}

/// The data of a stream, and how much its filters wrote: the last one may drop what the others unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    pub(super) written: usize,
}

/// Applies the filters to the bytes, which may go on after the stream: each filter knows its own end.
///
/// # Errors
/// A filter is unknown, or writes more than `bound`.
pub(super) fn decode(
    bytes: &[u8],
    filters: &[Filter],
    bound: usize,
) -> Result<Decoded, Undecodable> {
    let mut current: Option<Vec<u8>> = None;
    let mut written = 0_usize;
    for filter in filters {
        let input = current.as_deref().unwrap_or(bytes);
        let output = match filter {
            Filter::Ascii85 => ascii_85(input, bound),
            Filter::AsciiHex => ascii_hex(input, bound),
            Filter::Flate(predictor) => {
                flate(input, bound).and_then(|rows| predictor.undo(rows).ok_or(Undecodable::Filter))
            }
            Filter::Lzw(predictor, change) => lzw(input, *change, bound)
                .and_then(|rows| predictor.undo(rows).ok_or(Undecodable::Filter)),
            Filter::RunLength => run_length(input, bound),
            Filter::Crypt => continue,
            Filter::Picture | Filter::Unknown => Err(Undecodable::Filter),
        }?;
        written = written.saturating_add(output.len());
        current = Some(output);
    }
    Ok(if let Some(bytes) = current {
        Decoded { bytes, written }
    } else {
        let bytes = bytes.get(..bound).unwrap_or(bytes).to_vec();
        let written = bytes.len();
        Decoded { bytes, written }
    })
}

fn flate(input: &[u8], bound: usize) -> Result<Vec<u8>, Undecodable> {
    let zlib = read_up_to(ZlibDecoder::new(input), bound)?;
    if !zlib.is_empty() {
        return Ok(zlib);
    }
    // Without the header of zlib, or with a wrong one: readers try both.
    let plain = read_up_to(DeflateDecoder::new(input), bound)?;
    if !plain.is_empty() {
        return Ok(plain);
    }
    let behind = input.get(2..).unwrap_or_default();
    read_up_to(DeflateDecoder::new(behind), bound)
}

/// Everything up to the first error: the rest of the file follows the stream.
fn read_up_to(mut from: impl std::io::Read, bound: usize) -> Result<Vec<u8>, Undecodable> {
    let mut out = Vec::new();
    let limit = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    let _ends_at_an_error = from.by_ref().take(limit).read_to_end(&mut out);
    if out.len() > bound {
        return Err(Undecodable::TooMuch);
    }
    Ok(out)
}

fn lzw(input: &[u8], change: EarlyChange, bound: usize) -> Result<Vec<u8>, Undecodable> {
    let configuration = match change {
        EarlyChange::Yes => Configuration::with_tiff_size_switch(BitOrder::Msb, 8),
        EarlyChange::No => Configuration::new(BitOrder::Msb, 8),
    };
    let mut decoder = configuration.build();
    let mut out = Vec::new();
    let mut rest = input;
    let mut piece = vec![0; 64 * 1024];
    loop {
        let result = decoder.decode_bytes(rest, &mut piece);
        out.extend_from_slice(piece.get(..result.consumed_out).unwrap_or_default());
        if out.len() > bound {
            return Err(Undecodable::TooMuch);
        }
        rest = rest.get(result.consumed_in..).unwrap_or_default();
        match result.status {
            Ok(weezl::LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
            Ok(weezl::LzwStatus::Ok | weezl::LzwStatus::Done | weezl::LzwStatus::NoProgress)
            | Err(_) => return Ok(out),
        }
    }
}

fn ascii_hex(input: &[u8], bound: usize) -> Result<Vec<u8>, Undecodable> {
    let mut out = Vec::new();
    let mut high = None;
    for byte in input.iter().take_while(|byte| **byte != b'>') {
        let Some(digit) = (*byte as char).to_digit(16) else {
            continue;
        };
        let digit = u8::try_from(digit).unwrap_or_default();
        match high.take() {
            None => high = Some(digit),
            Some(high) => out.push(high << 4 | digit),
        }
        if out.len() > bound {
            return Err(Undecodable::TooMuch);
        }
    }
    out.extend(high.map(|high| high << 4));
    Ok(out)
}

fn ascii_85(input: &[u8], bound: usize) -> Result<Vec<u8>, Undecodable> {
    let mut out = Vec::new();
    let mut group = [0_u8; 5];
    let mut length = 0;
    let input = input.strip_prefix(b"<~").unwrap_or(input);
    for byte in input.iter().take_while(|byte| **byte != b'~') {
        match byte {
            b'z' if length == 0 => out.extend_from_slice(&[0; 4]),
            b'!'..=b'u' => {
                if let Some(place) = group.get_mut(length) {
                    *place = byte - b'!';
                }
                length += 1;
                if length == 5 {
                    out.extend_from_slice(&four(group));
                    length = 0;
                }
            }
            _ => {}
        }
        if out.len() > bound {
            return Err(Undecodable::TooMuch);
        }
    }
    if length > 1 {
        for place in group.iter_mut().skip(length) {
            *place = 84;
        }
        out.extend(four(group).into_iter().take(length - 1));
    }
    Ok(out)
}

fn four(group: [u8; 5]) -> [u8; 4] {
    let number = group.into_iter().fold(0_u32, |number, digit| {
        number.wrapping_mul(85).wrapping_add(u32::from(digit))
    });
    number.to_be_bytes()
}

fn run_length(input: &[u8], bound: usize) -> Result<Vec<u8>, Undecodable> {
    let mut out = Vec::new();
    let mut rest = input;
    while let Some((length, after)) = rest.split_first() {
        let length = usize::from(*length);
        rest = match length {
            128 => break,
            0..=127 => {
                let (run, after) = after.split_at(after.len().min(length + 1));
                out.extend_from_slice(run);
                after
            }
            _ => {
                let Some((byte, after)) = after.split_first() else {
                    break;
                };
                out.resize(out.len() + 257 - length, *byte);
                after
            }
        };
        if out.len() > bound {
            return Err(Undecodable::TooMuch);
        }
    }
    Ok(out)
}

impl Predictor {
    /// The rows as they were, or nothing if the parameters mean nothing.
    fn undo(self, rows: Vec<u8>) -> Option<Vec<u8>> {
        if self.kind <= 1 {
            return Some(rows);
        }
        let small = |value: i64, most: i64| {
            usize::try_from(value)
                .ok()
                .filter(|_| (1..=most).contains(&value))
        };
        let colors = small(self.colors, 32)?;
        let bits = small(self.bits, 16)?;
        let columns = small(self.columns, 1 << 24)?;
        let pixel = (colors * bits).div_ceil(8);
        // A row is not longer than all of them: its length is what the file says.
        let row = (colors * bits * columns)
            .div_ceil(8)
            .clamp(1, rows.len().max(1));
        match self.kind {
            2 => tiff(rows, bits, pixel, row),
            10..=15 => Some(png(&rows, pixel, row)),
            _ => None,
        }
    }
}

/// Each sample is the difference to the one before. Whole bytes only: no stream of text has other samples.
fn tiff(mut rows: Vec<u8>, bits: usize, pixel: usize, row: usize) -> Option<Vec<u8>> {
    if bits != 8 {
        return None;
    }
    for line in rows.chunks_mut(row) {
        for at in pixel..line.len() {
            let before = line.get(at - pixel).copied().unwrap_or_default();
            if let Some(sample) = line.get_mut(at) {
                *sample = sample.wrapping_add(before);
            }
        }
    }
    Some(rows)
}

/// Each row begins with the number of its filter (PNG, 9).
fn png(rows: &[u8], pixel: usize, row: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(rows.len());
    let mut above = vec![0_u8; row];
    for line in rows.chunks(row + 1) {
        let Some((filter, line)) = line.split_first() else {
            break;
        };
        let mut current = Vec::with_capacity(row);
        for (at, sample) in line.iter().enumerate() {
            let before = |row: &[u8]| {
                let at = at.checked_sub(pixel)?;
                row.get(at).copied()
            };
            let left = before(&current).unwrap_or_default();
            let up = above.get(at).copied().unwrap_or_default();
            let corner = before(&above).unwrap_or_default();
            let guess = match filter {
                1 => left,
                2 => up,
                3 => u8::try_from(u16::midpoint(u16::from(left), u16::from(up))).unwrap_or(0),
                4 => paeth(left, up, corner),
                _ => 0,
            };
            current.push(sample.wrapping_add(guess));
        }
        out.extend_from_slice(&current);
        current.resize(row, 0);
        above = current;
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let guess = a + b - c;
    let far = |value: i16| (guess - value).abs();
    if far(a) <= far(b) && far(a) <= far(c) {
        left
    } else if far(b) <= far(c) {
        up
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bytes_of(bytes: &[u8], filters: &[Filter], bound: usize) -> Result<Vec<u8>, Undecodable> {
        decode(bytes, filters, bound).map(|decoded| decoded.bytes)
    }

    const BOUND: usize = 1_000;
    const FLATE: Filter = Filter::Flate(Predictor {
        kind: 1,
        colors: 1,
        bits: 8,
        columns: 1,
    });

    #[test]
    fn each_filter_ends_where_its_data_ends() {
        let plain = b"<</S/JavaScript>>".as_slice();
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
            .encode(plain)
            .unwrap();
        let lzw_late = weezl::encode::Encoder::new(BitOrder::Msb, 8)
            .encode(plain)
            .unwrap();
        let predictor = Predictor::default();
        for (filter, encoded) in [
            (
                Filter::AsciiHex,
                b"3c3C2f532f4a61 76615363726970743e3E>".to_vec(),
            ),
            (FLATE, zlib(plain)),
            (FLATE, zlib(plain)[2..].to_vec()),
            (FLATE, [b"xx", &zlib(plain)[2..]].concat()),
            (Filter::Lzw(predictor, EarlyChange::Yes), lzw),
            (Filter::Lzw(predictor, EarlyChange::No), lzw_late),
            (
                Filter::RunLength,
                [&[255, b'<', 14], &plain[2..], &[128]].concat(),
            ),
        ] {
            let followed = [encoded.as_slice(), b"\nendstream endobj 5 0 obj"].concat();
            assert_eq!(
                bytes_of(&followed, &[filter], BOUND).unwrap(),
                plain,
                "{filter:?}"
            );
        }
        assert_eq!(
            bytes_of(b"87cURD]i,\"Ebo80~>xx", &[Filter::Ascii85], BOUND).unwrap(),
            b"Hello World!"
        );
        assert_eq!(
            bytes_of(b"<~z~>", &[Filter::Ascii85], BOUND).unwrap(),
            [0; 4]
        );
    }

    #[test]
    fn no_filter_writes_more_than_the_bound() {
        let zeros = zlib(&[0; 100_000]);
        let lzw = weezl::encode::Encoder::with_tiff_size_switch(BitOrder::Msb, 8)
            .encode(&[0; 100_000])
            .unwrap();
        for (filter, encoded) in [
            (FLATE, zeros.clone()),
            (Filter::Lzw(Predictor::default(), EarlyChange::Yes), lzw),
            (Filter::RunLength, [129, 0].repeat(100)),
            (Filter::Ascii85, vec![b'z'; 1_000]),
            (Filter::AsciiHex, vec![b'1'; 10_000]),
        ] {
            let found = bytes_of(&encoded, &[filter], BOUND);
            assert_eq!(found, Err(Undecodable::TooMuch), "{filter:?}");
        }
        let twice = zlib(&zeros);
        assert_eq!(
            bytes_of(&twice, &[FLATE, FLATE], BOUND),
            Err(Undecodable::TooMuch)
        );
    }

    #[test]
    fn the_rows_of_a_predictor_are_put_back() {
        let with = |kind, columns| {
            Filter::Flate(Predictor {
                kind,
                columns,
                ..Predictor::default()
            })
        };
        let rows = |bytes: &[u8], filter| bytes_of(&zlib(bytes), &[filter], BOUND);
        assert_eq!(rows(b"a\x01\x01b\x01\x01", with(2, 3)).unwrap(), b"abcbcd");
        for (row, expected) in [
            (b"\x00abc\x00abc", b"abcabc"),
            (b"\x01a\x01\x01\x01a\x01\x01", b"abcabc"),
            (b"\x00abc\x02\x01\x01\x01", b"abcbcd"),
            (
                b"\x00\x02\x04\x06\x03\x01\x01\x01",
                b"\x02\x04\x06\x02\x04\x06",
            ),
            (b"\x00abc\x04\x01\x01\x01", b"abcbcd"),
        ] {
            assert_eq!(rows(row, with(12, 3)).unwrap(), expected);
        }
        assert_eq!(rows(b"abc", with(7, 3)), Err(Undecodable::Filter));
        assert_eq!(rows(b"abc", with(12, 0)), Err(Undecodable::Filter));
        assert_eq!(rows(b"abc", with(12, i64::MAX)), Err(Undecodable::Filter));
    }

    #[test]
    fn what_is_no_filter_of_text_is_not_guessed() {
        for filter in [Filter::Picture, Filter::Unknown] {
            assert_eq!(bytes_of(b"x", &[filter], BOUND), Err(Undecodable::Filter));
        }
        assert_eq!(bytes_of(b"x", &[Filter::Crypt], BOUND).unwrap(), b"x");
        assert_eq!(bytes_of(b"x", &[], BOUND).unwrap(), b"x");
    }

    #[test]
    fn what_an_inner_filter_wrote_is_counted() {
        let ended = zlib(&[&b">"[..], &[b'0'; 499]].concat());
        let twice = zlib(&ended);
        let found = decode(&twice, &[FLATE, FLATE, Filter::AsciiHex], BOUND).unwrap();
        assert_eq!(found.bytes, b"");
        assert_eq!(found.written, ended.len() + 500);
        assert_eq!(decode(b"abc", &[], BOUND).unwrap().written, 3);
    }
}
