//! The alphabets of stored hashes.
use std::sync::LazyLock;

use data_encoding::{BASE64, BASE64_NOPAD, BitOrder, Encoding, HEXLOWER, Specification};

use super::HashProblem;

/// The order of bcrypt.
static BCRYPT: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols
        .push_str("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    // Some libraries leave bits in the last character of a salt that mean nothing.
    spec.check_trailing_bits = false;
    spec.encoding().ok()
});

/// passlib's Base64 with `.` for `+`.
static ADAPTED: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols
        .push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./");
    spec.encoding().ok()
});

/// The order of `crypt`, low bits first, as in `$7$`.
static CRYPT: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols
        .push_str("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    spec.bit_order = BitOrder::LeastSignificantFirst;
    spec.encoding().ok()
});

const BROKEN: HashProblem = HashProblem::Malformed("a part is not in its alphabet");

fn decode(encoding: Option<&Encoding>, text: &str) -> Result<Vec<u8>, HashProblem> {
    encoding
        .and_then(|encoding| encoding.decode(text.as_bytes()).ok())
        .ok_or(BROKEN)
}

pub(super) fn bcrypt(text: &str) -> Result<Vec<u8>, HashProblem> {
    decode(BCRYPT.as_ref(), text)
}

/// In bcrypt's alphabet.
pub(super) fn to_bcrypt(bytes: &[u8]) -> Option<String> {
    BCRYPT.as_ref().map(|encoding| encoding.encode(bytes))
}

pub(super) fn adapted(text: &str) -> Result<Vec<u8>, HashProblem> {
    decode(ADAPTED.as_ref(), text)
}

pub(super) fn crypt(text: &str) -> Result<Vec<u8>, HashProblem> {
    decode(CRYPT.as_ref(), text)
}

pub(super) fn base64(text: &str) -> Result<Vec<u8>, HashProblem> {
    decode(Some(&BASE64), text)
}

pub(super) fn unpadded(text: &str) -> Result<Vec<u8>, HashProblem> {
    decode(Some(&BASE64_NOPAD), text)
}

pub(super) fn hex(text: &str) -> Result<Vec<u8>, HashProblem> {
    decode(Some(&HEXLOWER), text)
}

/// A number as the libraries write it: digits, and no zero before another digit.
pub(super) fn number(text: &str) -> Result<u32, HashProblem> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    let number = is_plain.then(|| text.parse().ok()).flatten();
    number.ok_or(HashProblem::Malformed("a cost is not a number"))
}
