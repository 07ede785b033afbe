//! The key derivations behind the formats, with the bounds on their costs.
use std::num::NonZeroU32;

use argon2::{Algorithm, Params, Version};
use aws_lc_rs::{hmac, pbkdf2};
use data_encoding::{BASE64, HEXLOWER};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::super::password::{HashError, NormalizedPassword, Workspace};
use super::{HashProblem, Input};
use crate::secrets;

/// The most memory that a stored hash may require: a row of the database must not make a sign-in cost a gigabyte.
pub(in super::super) const MOST_MEMORY_KIB: u32 = 128 * 1024;
pub(in super::super) const MOST_PASSES: u32 = 16;
/// About a second and a half, as much as each of the others.
pub(in super::super) const MOST_BCRYPT_COST: u32 = 14;
/// Four times Django's one million.
const MOST_ITERATIONS: u32 = 4_000_000;
/// As N, r and p together: four times the strongest row of OWASP (2^17, 8, 1).
const MOST_SCRYPT_WORK: u64 = 1 << 22;
const MOST_SCRYPT_LANES: u32 = 16;
const MOST_SCRYPT_BLOCK: u32 = 32;
/// bcrypt reads no more.
pub(in super::super) const BCRYPT_BYTES: usize = 72;

/// A key derivation with its parameters, within the bounds.
pub(in super::super) enum Kdf {
    Argon2(Algorithm, Version, Params, Vec<u8>),
    Bcrypt(u32, [u8; 16]),
    Pbkdf2(pbkdf2::Algorithm, NonZeroU32, Vec<u8>),
    Scrypt(scrypt::Params, Vec<u8>),
}

impl Kdf {
    pub(super) fn argon2(
        algorithm: Algorithm,
        version: Version,
        params: Params,
        salt: Vec<u8>,
    ) -> Result<Self, HashProblem> {
        if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES {
            return Err(HashProblem::TooCostly(
                "Argon2 with more than 128 MiB or 16 passes",
            ));
        }
        Ok(Self::Argon2(algorithm, version, params, salt))
    }

    pub(super) fn bcrypt(cost: u32, salt: &[u8]) -> Result<Self, HashProblem> {
        if cost < 4 {
            return Err(HashProblem::Malformed("a cost of bcrypt is at least 4"));
        }
        if cost > MOST_BCRYPT_COST {
            return Err(HashProblem::TooCostly("bcrypt with a cost above 14"));
        }
        let salt = salt.try_into();
        let salt = salt.map_err(|_| HashProblem::Malformed("the salt is not 16 bytes"))?;
        Ok(Self::Bcrypt(cost, salt))
    }

    pub(super) fn pbkdf2(
        prf: pbkdf2::Algorithm,
        iterations: u32,
        salt: Vec<u8>,
    ) -> Result<Self, HashProblem> {
        if iterations > MOST_ITERATIONS {
            return Err(HashProblem::TooCostly(
                "PBKDF2 with more than 4,000,000 iterations",
            ));
        }
        let iterations = NonZeroU32::new(iterations);
        let iterations = iterations.ok_or(HashProblem::Malformed("no iterations"))?;
        Ok(Self::Pbkdf2(prf, iterations, salt))
    }

    pub(super) fn scrypt(log_n: u32, r: u32, p: u32, salt: Vec<u8>) -> Result<Self, HashProblem> {
        let wrong = HashProblem::Malformed("the parameters of scrypt");
        if log_n == 0 || r == 0 || p == 0 {
            return Err(wrong);
        }
        let n = 1_u64.checked_shl(log_n).filter(|_| log_n < 32);
        let blocks = n.and_then(|n| n.checked_mul(r.into()));
        // A block is 128 bytes.
        let memory = blocks.and_then(|blocks| blocks.checked_mul(128));
        let work = blocks.and_then(|blocks| blocks.checked_mul(p.into()));
        let is_bounded = memory.is_some_and(|bytes| bytes <= u64::from(MOST_MEMORY_KIB) * 1024)
            && work.is_some_and(|work| work <= MOST_SCRYPT_WORK)
            && r <= MOST_SCRYPT_BLOCK
            && p <= MOST_SCRYPT_LANES;
        if !is_bounded {
            return Err(HashProblem::TooCostly(
                "scrypt with more than 128 MiB, or four times the work of N=2^17, r=8, p=1",
            ));
        }
        let log_n = u8::try_from(log_n).map_err(|_| wrong)?;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| wrong)?;
        Ok(Self::Scrypt(params, salt))
    }
}

impl Input {
    /// Whether the whole password was prepared.
    pub(super) fn fits(&self, password: &NormalizedPassword) -> bool {
        match self {
            Self::Normalized => password.fits(),
            Self::FlaskSecurity(_)
            | Self::HmacSha256(_)
            | Self::Sha256Base64
            | Self::Sha256Hex
            | Self::Typed => password.typed_fits(),
        }
    }

    /// The bytes to derive from. Text that is longer than any password Dewar accepts is cut: it never matches.
    pub(super) fn prepare(&self, password: &NormalizedPassword) -> Zeroizing<Vec<u8>> {
        let text = password.typed();
        let typed = text.as_bytes();
        let base64 = |bytes: &[u8]| Zeroizing::new(BASE64.encode(bytes).into_bytes());
        match self {
            Self::FlaskSecurity(salt) => {
                // NFKD makes a character at most 18 of them (UAX 15), and a text rarely longer at all.
                let mut apart = Zeroizing::new(String::with_capacity(typed.len() * 4));
                apart.extend(text.nfkd());
                let key = salt
                    .as_ref()
                    .map_or(&[][..], |salt| salt.expose().as_bytes());
                let key = hmac::Key::new(hmac::HMAC_SHA512, key);
                base64(hmac::sign(&key, apart.as_bytes()).as_ref())
            }
            Self::HmacSha256(key) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                base64(hmac::sign(&key, typed).as_ref())
            }
            Self::Normalized => Zeroizing::new(password.bytes().to_vec()),
            Self::Sha256Base64 => base64(&secrets::sha256(typed)),
            Self::Sha256Hex => {
                Zeroizing::new(HEXLOWER.encode(&secrets::sha256(typed)).into_bytes())
            }
            Self::Typed => Zeroizing::new(typed.to_vec()),
        }
    }
}

/// One computation.
pub(super) struct Compute<'a> {
    pub(super) input: &'a [u8],
    /// Whether the input is a digest of the password, and no text that a user typed.
    pub(super) is_digest: bool,
    pub(super) workspace: &'a mut Workspace,
}

impl Compute<'_> {
    pub(super) fn matches(self, kdf: &Kdf, expected: &[u8]) -> Result<bool, HashError> {
        let mut output = Zeroizing::new(vec![0; expected.len()]);
        match kdf {
            Kdf::Argon2(algorithm, version, params, salt) => {
                let how = (*algorithm, *version, params.clone());
                self.workspace.fill(how, self.input, salt, &mut output)?;
            }
            Kdf::Bcrypt(cost, salt) => {
                let (computed, is_whole) = bcrypt(*cost, *salt, self.input);
                let same = secrets::same(computed.get(..expected.len()).unwrap_or(&[]), expected);
                return Ok(same & (is_whole | self.is_digest));
            }
            Kdf::Pbkdf2(prf, iterations, salt) => {
                pbkdf2::derive(*prf, *iterations, salt, self.input, &mut output);
            }
            Kdf::Scrypt(params, salt) => {
                let done = scrypt::scrypt(self.input, salt, params, &mut output);
                done.map_err(|error| HashError::Scrypt(error.to_string()))?;
            }
        }
        Ok(secrets::same(&output, expected))
    }
}

/// bcrypt of the first 72 bytes, and whether these are the whole password.
///
/// bcrypt repeats its input with a NUL between, and reads 72 bytes of that: so it takes "a" for "a\0a", and everything beyond
/// the 72nd byte for nothing. Such a password never matches, at the same cost.
pub(in super::super) fn bcrypt(
    cost: u32,
    salt: [u8; 16],
    password: &[u8],
) -> (Zeroizing<[u8; 24]>, bool) {
    let is_whole = password.len() <= BCRYPT_BYTES && !password.contains(&0);
    let mut key = Zeroizing::new([0; BCRYPT_BYTES]);
    let mut length = 0;
    // The NUL at the end of a password of 72 bytes would be the 73rd byte.
    let bytes = password.iter().copied().chain([0]);
    for (to, from) in key.iter_mut().zip(bytes) {
        *to = from;
        length += 1;
    }
    let key = key.get(..length).unwrap_or(&[0]);
    (Zeroizing::new(bcrypt::bcrypt(cost, salt, key)), is_whole)
}
