/// Random bytes from aws-lc's generator, which the system seeds.
///
/// ```
/// let key: [u8; 32] = dewar::secrets::random();
/// assert_ne!(key, dewar::secrets::random());
/// ```
///
/// # Panics
/// If the system has no randomness. It would not be safe to continue.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

#[expect(
    clippy::expect_used,
    reason = "a predictable key is worse than a request that fails"
)]
fn fill(bytes: &mut [u8]) {
    aws_lc_rs::rand::fill(bytes).expect("the system always provides random bytes");
}

/// Compares two secrets in constant time: the duration does not depend on where they differ (CWE-208).
///
/// ```
/// assert!(dewar::secrets::same(b"abc", b"abc"));
/// assert!(!dewar::secrets::same(b"abc", b"abd"));
/// ```
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// The SHA-256 of some bytes. Use it for tokens, which cannot be guessed; never for passwords.
///
/// ```
/// assert_eq!(dewar::secrets::sha256(b"")[..4], [0xe3, 0xb0, 0xc4, 0x42]);
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    to_array(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

/// The SHA-256 of parts, one after the other.
pub(crate) fn sha256_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    to_array(context.finish().as_ref())
}

/// The 32 bytes of a SHA-256 or HMAC-SHA256.
pub(super) fn to_array(bytes: &[u8]) -> [u8; 32] {
    debug_assert_eq!(bytes.len(), 32, "SHA-256 has 32 bytes");
    let mut array = [0; 32];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}
