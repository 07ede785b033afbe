//! A parser for each format of [`FORMATS`](super::FORMATS).
use argon2::{Params, Version};
use aws_lc_rs::pbkdf2::{
    Algorithm as Prf, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};
use password_hash::phc::PasswordHash;

use super::text::{adapted, base64, bcrypt as decode_bcrypt, crypt, hex, number, unpadded};
use super::{FLASK_SECURITY, HashProblem, Input, Kdf, ParsedHash};

type Parsed = Result<ParsedHash, HashProblem>;

const FIELDS: HashProblem = HashProblem::Malformed("it has not the parts of its format");

/// The fewest and the most bytes of an output. A shorter one would match too many passwords.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=64;
const MOST_SALT: usize = 128;

fn parsed(input: Input, kdf: Kdf, expected: Vec<u8>) -> Parsed {
    if !OUTPUT.contains(&expected.len()) {
        return Err(HashProblem::Malformed("its result is not 16 to 64 bytes"));
    }
    Ok(ParsedHash {
        input,
        kdf,
        expected,
    })
}

/// A salt that is used as the text that it is.
fn text_salt(text: &str) -> Result<Vec<u8>, HashProblem> {
    salt(text.as_bytes().to_vec())
}

fn salt(bytes: Vec<u8>) -> Result<Vec<u8>, HashProblem> {
    if bytes.is_empty() || bytes.len() > MOST_SALT {
        return Err(HashProblem::Malformed("the salt is not 1 to 128 bytes"));
    }
    Ok(bytes)
}

/// The parts between the signs `$`, if there are so many.
fn parts<const N: usize>(text: &str) -> Result<[&str; N], HashProblem> {
    let mut found = text.split('$');
    let parts = [(); N].map(|()| found.next());
    let is_whole = found.next().is_none() && parts.iter().all(Option::is_some);
    if !is_whole {
        return Err(FIELDS);
    }
    Ok(parts.map(Option::unwrap_or_default))
}

/// `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` (PHC).
pub(super) fn argon2(text: &str) -> Parsed {
    of_argon2(Input::Normalized, text)
}

/// `argon2$argon2id$v=19$…`.
pub(super) fn django_argon2(text: &str) -> Parsed {
    of_argon2(
        Input::Typed,
        text.strip_prefix("argon2").unwrap_or_default(),
    )
}

fn of_argon2(input: Input, text: &str) -> Parsed {
    let broken = HashProblem::Malformed("it is no PHC string of Argon2");
    let phc = PasswordHash::new(text).map_err(|_| broken)?;
    let algorithm = argon2::Algorithm::try_from(phc.algorithm.as_str()).map_err(|_| broken)?;
    let version = phc.version.unwrap_or(Version::V0x13.into());
    let version = Version::try_from(version).map_err(|_| broken)?;
    let params = Params::try_from(&phc).map_err(|_| broken)?;
    let (Some(bytes), Some(expected)) = (phc.salt, phc.hash) else {
        return Err(broken);
    };
    let bytes: &[u8] = bytes.as_ref();
    let kdf = Kdf::argon2(algorithm, version, params, salt(bytes.to_vec())?)?;
    parsed(input, kdf, expected.as_bytes().to_vec())
}

/// `$2b$12$` and 53 characters (MCF): bcrypt, Laravel (`$2y$`), Devise (`$2a$`).
pub(super) fn bcrypt(text: &str) -> Parsed {
    of_bcrypt(Input::Normalized, text)
}

/// `bcrypt$$2b$12$…`.
pub(super) fn django_bcrypt(text: &str) -> Parsed {
    of_bcrypt(
        Input::Typed,
        text.strip_prefix("bcrypt$").unwrap_or_default(),
    )
}

/// `bcrypt_sha256$$2b$12$…`.
pub(super) fn django_bcrypt_sha256(text: &str) -> Parsed {
    let rest = text.strip_prefix("bcrypt_sha256$").unwrap_or_default();
    of_bcrypt(Input::Sha256Hex, rest)
}

fn of_bcrypt(input: Input, text: &str) -> Parsed {
    let ["", version, cost, rest] = parts::<4>(text)? else {
        return Err(FIELDS);
    };
    match version {
        "2a" | "2b" | "2y" => {}
        "2" | "2x" => return Err(HashProblem::Unsupported("`$2$` and `$2x$` of bcrypt")),
        _ => return Err(HashProblem::Unknown),
    }
    if cost.len() != 2 {
        return Err(FIELDS);
    }
    let cost = number(cost.strip_prefix('0').unwrap_or(cost))?;
    let (salt, digest) = rest.split_at_checked(22).ok_or(FIELDS)?;
    bcrypt_of(input, cost, salt, digest)
}

fn bcrypt_of(input: Input, cost: u32, salt: &str, digest: &str) -> Parsed {
    if salt.len() != 22 || digest.len() != 31 {
        return Err(FIELDS);
    }
    let kdf = Kdf::bcrypt(cost, &decode_bcrypt(salt)?)?;
    parsed(input, kdf, decode_bcrypt(digest)?)
}

/// `$bcrypt-sha256$v=2,t=2b,r=12$salt$digest`, and version 1, `$bcrypt-sha256$2b,12$salt$digest`.
pub(super) fn passlib_bcrypt_sha256(text: &str) -> Parsed {
    let ["", _, params, salt, digest] = parts::<5>(text)? else {
        return Err(FIELDS);
    };
    if let Some(cost) = params.strip_prefix("v=2,t=2b,r=") {
        let input = Input::HmacSha256(salt.to_owned());
        return bcrypt_of(input, number(cost)?, salt, digest);
    }
    let version_1 = params
        .strip_prefix("2a,")
        .or_else(|| params.strip_prefix("2b,"));
    bcrypt_of(
        Input::Sha256Base64,
        number(version_1.ok_or(FIELDS)?)?,
        salt,
        digest,
    )
}

fn prf(name: &str) -> Result<Prf, HashProblem> {
    Ok(match name {
        "sha1" => PBKDF2_HMAC_SHA1,
        "sha256" => PBKDF2_HMAC_SHA256,
        "sha384" => PBKDF2_HMAC_SHA384,
        "sha512" => PBKDF2_HMAC_SHA512,
        _ => return Err(HashProblem::Unsupported("this hash function of PBKDF2")),
    })
}

/// `pbkdf2_sha256$1000000$salt$digest`.
pub(super) fn django_pbkdf2(text: &str) -> Parsed {
    let [name, iterations, salt, digest] = parts::<4>(text)?;
    let prf = prf(name.strip_prefix("pbkdf2_").unwrap_or_default())?;
    let kdf = Kdf::pbkdf2(prf, number(iterations)?, text_salt(salt)?)?;
    parsed(Input::Typed, kdf, base64(digest)?)
}

/// `pbkdf2:sha256:1000000$salt$digest`.
pub(super) fn werkzeug_pbkdf2(text: &str) -> Parsed {
    let [method, salt, digest] = parts::<3>(text)?;
    let rest = method.strip_prefix("pbkdf2:").unwrap_or_default();
    let (name, iterations) = rest.split_once(':').ok_or(FIELDS)?;
    let kdf = Kdf::pbkdf2(prf(name)?, number(iterations)?, text_salt(salt)?)?;
    parsed(Input::Typed, kdf, hex(digest)?)
}

/// `$pbkdf2-sha256$29000$salt$digest` (MCF, passlib) or `$pbkdf2-sha256$i=600000,l=32$salt$digest` (PHC).
pub(super) fn pbkdf2(text: &str) -> Parsed {
    let ["", name, params, first, digest] = parts::<5>(text)? else {
        return Err(FIELDS);
    };
    let prf = match name {
        "pbkdf2" => PBKDF2_HMAC_SHA1,
        _ => prf(name.strip_prefix("pbkdf2-").unwrap_or_default())?,
    };
    let Some(phc) = params.strip_prefix("i=") else {
        let kdf = Kdf::pbkdf2(prf, number(params)?, salt(adapted(first)?)?)?;
        return parsed(Input::Typed, kdf, adapted(digest)?);
    };
    let (iterations, length) = match phc.split_once(",l=") {
        Some((iterations, length)) => (iterations, Some(number(length)?)),
        None => (phc, None),
    };
    let kdf = Kdf::pbkdf2(prf, number(iterations)?, salt(unpadded(first)?)?)?;
    let expected = unpadded(digest)?;
    let is_right = |length| usize::try_from(length).is_ok_and(|length| length == expected.len());
    if !length.is_none_or(is_right) {
        return Err(HashProblem::Malformed("the length of its result"));
    }
    parsed(Input::Typed, kdf, expected)
}

/// `scrypt$16384$salt$8$5$digest`.
pub(super) fn django_scrypt(text: &str) -> Parsed {
    let [_, n, salt, r, p, digest] = parts::<6>(text)?;
    let kdf = Kdf::scrypt(log_2(n)?, number(r)?, number(p)?, text_salt(salt)?)?;
    parsed(Input::Typed, kdf, base64(digest)?)
}

/// `scrypt:32768:8:1$salt$digest`.
pub(super) fn werkzeug_scrypt(text: &str) -> Parsed {
    let [method, salt, digest] = parts::<3>(text)?;
    let mut costs = method.split(':').skip(1);
    let (Some(n), Some(r), Some(p), None) =
        (costs.next(), costs.next(), costs.next(), costs.next())
    else {
        return Err(FIELDS);
    };
    let kdf = Kdf::scrypt(log_2(n)?, number(r)?, number(p)?, text_salt(salt)?)?;
    parsed(Input::Typed, kdf, hex(digest)?)
}

/// The exponent of N, which is a power of two.
fn log_2(n: &str) -> Result<u32, HashProblem> {
    let n = number(n)?;
    if !n.is_power_of_two() {
        return Err(HashProblem::Malformed("N of scrypt is no power of two"));
    }
    Ok(n.ilog2())
}

/// `$scrypt$ln=16,r=8,p=1$salt$digest` (PHC).
pub(super) fn scrypt(text: &str) -> Parsed {
    let ["", _, params, first, digest] = parts::<5>(text)? else {
        return Err(FIELDS);
    };
    let mut costs = params.split(',');
    let mut cost = |name| {
        let cost = costs.next().and_then(|cost| cost.strip_prefix(name));
        number(cost.ok_or(FIELDS)?)
    };
    let (log_n, r, p) = (cost("ln=")?, cost("r=")?, cost("p=")?);
    if costs.next().is_some() {
        return Err(FIELDS);
    }
    let kdf = Kdf::scrypt(log_n, r, p, salt(unpadded(first)?)?)?;
    parsed(Input::Typed, kdf, unpadded(digest)?)
}

/// `$7$`, a character for N, five for r, five for p, then the salt and `$digest` (MCF).
pub(super) fn scrypt_mcf(text: &str) -> Parsed {
    let ["", _, settings, digest] = parts::<4>(text)? else {
        return Err(FIELDS);
    };
    let fields = settings
        .split_at_checked(1)
        .and_then(|(log_n, rest)| Some((log_n, rest.split_at_checked(5)?)))
        .and_then(|(log_n, (r, rest))| Some((log_n, r, rest.split_at_checked(5)?)));
    let (log_n, r, (p, salt)) = fields.ok_or(FIELDS)?;
    let kdf = Kdf::scrypt(small(log_n)?, small(r)?, small(p)?, text_salt(salt)?)?;
    parsed(Input::Typed, kdf, crypt(digest)?)
}

/// A number in `crypt`'s alphabet, six bits in each character, the lowest first.
fn small(text: &str) -> Result<u32, HashProblem> {
    const ALPHABET: &str = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    text.chars().rev().try_fold(0_u32, |number, c| {
        let six = ALPHABET.find(c).and_then(|six| u32::try_from(six).ok());
        let six = six.ok_or(HashProblem::Malformed("a cost is not in its alphabet"))?;
        Ok((number << 6) | six)
    })
}

/// ASP.NET Core Identity, version 3: `{ 0x01, prf, iterations, length of the salt, salt, digest }` in Base64, with numbers of 32
/// bits, big endian.
pub(super) fn asp_net_identity(text: &str) -> Parsed {
    let bytes = base64(text)?;
    let rest = bytes.strip_prefix(&[1]).ok_or(HashProblem::Unknown)?;
    let (name, rest) = big_endian(rest)?;
    let (iterations, rest) = big_endian(rest)?;
    let (length, rest) = big_endian(rest)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (first, digest) = rest.split_at_checked(length).ok_or(FIELDS)?;
    let prf = match name {
        0 => PBKDF2_HMAC_SHA1,
        1 => PBKDF2_HMAC_SHA256,
        2 => PBKDF2_HMAC_SHA512,
        _ => return Err(HashProblem::Unsupported("this hash function of PBKDF2")),
    };
    let kdf = Kdf::pbkdf2(prf, iterations, salt(first.to_vec())?)?;
    parsed(Input::Typed, kdf, digest.to_vec())
}

fn big_endian(bytes: &[u8]) -> Result<(u32, &[u8]), HashProblem> {
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or(FIELDS)?;
    Ok((u32::from_be_bytes(*number), rest))
}

/// A hash that Flask-Security made of its HMAC of the password, with one of the schemes that it does so for.
pub(super) fn flask_security(text: &str) -> Parsed {
    let rest = text.strip_prefix(FLASK_SECURITY).unwrap_or_default();
    let of_itself = if rest.starts_with("$argon2") {
        argon2(rest)
    } else if rest.starts_with("$2") {
        bcrypt(rest)
    } else if rest.starts_with("$pbkdf2") {
        pbkdf2(rest)
    } else {
        Err(unknown(rest))
    };
    Ok(ParsedHash {
        input: Input::FlaskSecurity(None),
        ..of_itself?
    })
}

/// The reason why another text is no hash that Dewar reads.
pub(super) fn unknown(text: &str) -> HashProblem {
    for (starts, name) in [
        ("$1$", "md5_crypt"),
        ("$5$", "sha256_crypt"),
        ("$6$", "sha512_crypt"),
        ("$y$", "yescrypt"),
        ("$apr1$", "md5_crypt"),
        ("md5$", "MD5"),
        ("sha1$", "SHA-1"),
        ("sha256$", "SHA-256 without stretching"),
        ("plain", "passwords that are not hashed"),
    ] {
        if text.starts_with(starts) {
            return HashProblem::Unsupported(name);
        }
    }
    HashProblem::Unknown
}
